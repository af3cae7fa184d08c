//! What only a server can do: go away, be somewhere else, let two transactions wait for each other.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use modelry_core::{Error, Kind, Result};
use modelry_db::{Db, Migration, PostgresOptions, Tx};
use modelry_testkit::{Schema, TestDatabase};

const ROWS: &[Migration] = &[Migration {
    name: "0001_rows",
    sql: "CREATE TABLE rows (
    id BIGINT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO rows (id, value) VALUES (1, 0), (2, 0);",
}];

/// Ends the connection that runs it.
const DIE: &str = "SELECT pg_terminate_backend(pg_backend_pid())";

async fn database() -> Option<TestDatabase> {
    let database = modelry_testkit::postgres(Schema::Empty).await?;
    database.db().migrate(ROWS).await.unwrap();
    Some(database)
}

fn add(tx: &mut Tx<'_>, id: i64) -> Result<u64> {
    tx.execute("UPDATE rows SET value = value + 1 WHERE id = $1", &[&id])
}

async fn values(db: &Db) -> Vec<i64> {
    db.read(|tx| tx.query("SELECT value FROM rows ORDER BY id", &[], |row| row.get(0))).await.unwrap()
}

#[tokio::test]
async fn a_connection_lost_within_a_transaction_keeps_nothing_and_is_replaced() {
    let Some(database) = database().await else { return };
    let db = database.db();
    let lost = db.write(|tx| {
        add(tx, 1)?;
        tx.execute(DIE, &[])
    });
    assert_eq!((lost.await.unwrap_err().kind(), values(&db).await), (Kind::Unavailable, vec![0, 0]));
    database.finish().await;
}

#[tokio::test]
async fn a_connection_lost_during_the_commit_is_not_tried_again() {
    let Some(database) = database().await else { return };
    let db = database.db();
    let statements = [
        format!(
            "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM ({DIE}); RETURN NULL; END'"
        ),
        "CREATE CONSTRAINT TRIGGER die AFTER UPDATE ON rows DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION die()"
            .to_owned(),
    ];
    db.write(move |tx| statements.iter().try_for_each(|sql| tx.execute(sql, &[]).map(drop))).await.unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let lost = db.write(move |tx| {
        counted.fetch_add(1, Ordering::SeqCst);
        add(tx, 1)
    });
    assert_eq!((lost.await.unwrap_err().kind(), runs.load(Ordering::SeqCst)), (Kind::Unavailable, 1));
    database.finish().await;
}

#[tokio::test]
async fn a_connection_lost_while_nobody_used_it_is_replaced() {
    let (Some(database), Some(other)) = (database().await, database().await) else { return };
    let db = database.db();
    for written in [0, 1] {
        let idle =
            db.read(|tx| tx.query_one("SELECT pg_backend_pid()::bigint", &[], |row| row.get::<i64>(0)));
        let idle = idle.await.unwrap();
        let killer = other.db();
        let end = killer.write(move |tx| {
            tx.query_one("SELECT pg_terminate_backend($1::bigint::int, 10000)", &[&idle], |row| {
                row.get::<bool>(0)
            })
        });
        assert!(end.await.unwrap(), "{idle} ends");
        if written == 0 {
            assert_eq!(values(&db).await, [0, 0]);
        } else {
            assert_eq!(db.write(|tx| add(tx, 1)).await.unwrap(), 1);
        }
    }
    assert_eq!(values(&db).await, [1, 0]);
    database.finish().await;
    other.finish().await;
}

/// The connections that work on a query with two lists.
fn workers(tx: &mut Tx<'_>) -> Result<Vec<i64>> {
    tx.query_twice("SELECT pg_backend_pid() + CAST($1 AS BIGINT)", [&[&0_i64], &[&0_i64]], |row| row.get(0))
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a test has no command line to get the server from")]
async fn two_connections_work_on_a_query_with_two_lists_where_a_second_one_is_free() {
    let Some(database) = database().await else { return };
    let db = database.db();
    let reading = db.read(workers).await.unwrap();
    assert!(matches!(reading.as_slice(), [ours, theirs] if ours != theirs), "{reading:?}");
    let again = db.read(workers).await.unwrap();
    assert!(
        again.iter().all(|one| reading.contains(one)),
        "{again:?} are other connections than {reading:?}"
    );
    // What another connection sees of a transaction that writes is not what it wrote.
    let writing = db.write(workers).await.unwrap();
    assert!(matches!(writing.as_slice(), [ours, theirs] if ours == theirs), "{writing:?}");
    let url = std::env::var("MODELRY_TEST_POSTGRES").unwrap();
    let few = PostgresOptions { connections: 1, ..PostgresOptions::new(url) };
    let few = Db::open_postgres(few).await.unwrap();
    let alone = few.read(workers).await.unwrap();
    assert!(matches!(alone.as_slice(), [ours, theirs] if ours == theirs), "{alone:?}");
    few.close().await;
    database.finish().await;
}

#[tokio::test]
async fn what_a_second_connection_does_not_finish_is_done_by_the_first() {
    let Some(database) = database().await else { return };
    let db = database.db();
    let done = db.read(|tx| {
        let ours: i64 = tx.query_one("SELECT CAST(pg_backend_pid() AS BIGINT)", &[], |row| row.get(0))?;
        let die = "SELECT CASE WHEN pg_backend_pid() = CAST($1 AS BIGINT) THEN TRUE ELSE pg_terminate_backend(pg_backend_pid()) END";
        tx.query_twice(die, [&[&ours], &[&ours]], |row| row.get::<bool>(0))
    });
    assert_eq!(done.await.unwrap(), [true, true]);
    assert_eq!(values(&db).await, [0, 0]);
    database.finish().await;
}

#[tokio::test]
async fn what_a_broken_off_query_left_unread_holds_nothing_up() {
    let (Some(database), Some(other)) = (database().await, database().await) else { return };
    let many = "SELECT number FROM generate_series(CAST(1 AS BIGINT), 2000000) AS numbers (number)";
    let first =
        database.db().read(move |tx| tx.query_find(many, &[], |row| row.get::<i64>(0).map(Some))).await;
    assert_eq!(first.unwrap(), Some(1));
    let watcher = other.db();
    let open = watcher.read(|tx| {
        let open = "SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database() AND state = 'active' AND query LIKE '%, 2000000)%'
                      AND pid <> pg_backend_pid()";
        tx.query_one(open, &[], |row| row.get::<i64>(0))
    });
    assert_eq!(open.await.unwrap(), 0);
    other.finish().await;
    database.finish().await;
}

#[tokio::test]
async fn work_that_runs_no_statement_leaves_nothing_for_the_next() {
    let Some(database) = database().await else { return };
    let db = database.db();
    db.read(|_| Ok(())).await.unwrap();
    assert_eq!(db.read(|_| Err::<(), _>(Error::not_found("it"))).await.unwrap_err().kind(), Kind::NotFound);
    db.write(|tx| add(tx, 1)).await.unwrap();
    assert_eq!(values(&db).await, [1, 0]);
    database.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_that_wait_for_each_other_are_both_kept() {
    let Some(database) = database().await else { return };
    let db = database.db();
    let (runs, both_hold_one) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(2)));
    let appends = [[1, 2], [2, 1]].map(|[first, second]| {
        let (db, runs, both_hold_one) = (db.clone(), Arc::clone(&runs), Arc::clone(&both_hold_one));
        tokio::spawn(async move {
            db.append(move |tx| {
                add(tx, first)?;
                // Only the first run of each meets the other; the one that is tried again runs alone.
                if runs.fetch_add(1, Ordering::SeqCst) < 2 {
                    both_hold_one.wait();
                }
                add(tx, second)
            })
            .await
        })
    });
    for append in appends {
        append.await.unwrap().unwrap();
    }
    assert_eq!(values(&db).await, [2, 2]);
    database.finish().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let opened = Db::open_postgres(PostgresOptions::new("host=/nonexistent user=nobody")).await;
    assert_eq!(opened.err().map(|error| error.kind()), Some(Kind::Unavailable));
}

#[tokio::test]
async fn a_url_that_asks_for_tls_is_refused() {
    let opened = Db::open_postgres(PostgresOptions::new("postgres://db.example.com/x?sslmode=require")).await;
    let error = opened.err().unwrap();
    assert_eq!(error.kind(), Kind::Invalid);
    assert!(error.message().contains("TLS"), "{error}");
}

#[tokio::test]
async fn a_malformed_url_is_refused_without_telling_it() {
    let opened = Db::open_postgres(PostgresOptions::new("postgres://ann:hunter2@db:port/x")).await;
    let error = opened.err().unwrap();
    assert_eq!(error.kind(), Kind::Invalid);
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
}
