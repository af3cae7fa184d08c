//! What a transaction keeps, shows and answers: the same on both engines.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use modelry_core::{Error, Kind, Result};
use modelry_db::{Migration, Param, Row, Tx};
use modelry_testkit::{Db, both_empty};

const COUNTERS: &[Migration] = &[Migration {
    name: "0001_counters",
    sql: "CREATE TABLE counters ( -- clustered
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);",
}];

const ADD: &str = "INSERT INTO counters (name, value) VALUES ($1, 1)
ON CONFLICT (name) DO UPDATE SET value = counters.value + 1
RETURNING value";

fn add(tx: &mut Tx<'_>, name: &str) -> Result<i64> {
    tx.query_one(ADD, &[&name], |row| row.get(0))
}

fn value(tx: &mut Tx<'_>, name: &str) -> Result<Option<i64>> {
    tx.query_opt("SELECT value FROM counters WHERE name = $1", &[&name], |row| row.get(0))
}

async fn value_of(db: &Db, name: &'static str) -> Option<i64> {
    db.read(move |tx| value(tx, name)).await.unwrap()
}

both_empty! {
    async fn what_is_written_is_read(db: Db) {
        db.migrate(COUNTERS).await.unwrap();
        db.write(|tx| add(tx, "a")).await.unwrap();
        db.append(|tx| add(tx, "a")).await.unwrap();
        assert_eq!((value_of(&db, "a").await, value_of(&db, "b").await), (Some(2), None));
    }

    async fn several_queries_answer_one_after_the_other(db: Db) {
        db.migrate(COUNTERS).await.unwrap();
        db.write(|tx| (0..3_000).try_for_each(|row| add(tx, &format!("{row:04}")).map(drop))).await.unwrap();
        let found = db.read(|tx| {
            let before = "SELECT name FROM counters WHERE name < $1 ORDER BY name";
            let behind = "SELECT name, value FROM counters WHERE name > $1 ORDER BY name LIMIT $2";
            let mut found = Vec::new();
            // The rows of each of the large ones are more than is sent at a time.
            let queries: [(&str, &[&dyn Param]); 4] =
                [(before, &[&"2000"]), (before, &[&"0000"]), (behind, &[&"1000", &1_i64]), (before, &[&"2500"])];
            tx.query_all(&queries, |index, row| {
                found.push((index, row.get::<String>(0)?));
                Ok(())
            })?;
            Ok((found, value(tx, "0007")?))
        });
        let (found, after) = found.await.unwrap();
        let names = |index, end| (0..end).map(move |row| (index, format!("{row:04}")));
        let expected: Vec<_> =
            names(0, 2_000).chain([(2, "1001".to_owned())]).chain(names(3, 2_500)).collect();
        assert!(found == expected && after == Some(1));
    }

    async fn a_query_with_two_lists_answers_the_rows_of_both(db: Db) {
        const BEHIND: &str = "SELECT name FROM counters WHERE name > $1 ORDER BY name LIMIT $2";
        fn both(tx: &mut Tx<'_>) -> Result<Vec<String>> {
            tx.query_twice(BEHIND, [&[&"b", &2_i64], &[&"a", &1_i64]], |row| row.get(0))
        }
        db.migrate(COUNTERS).await.unwrap();
        db.write(|tx| ["a", "b", "c", "d", "e"].iter().try_for_each(|name| add(tx, name).map(drop))).await.unwrap();
        assert_eq!(db.read(both).await.unwrap(), ["c", "d", "b"]);
        assert_eq!(db.write(both).await.unwrap(), ["c", "d", "b"]);
        let choosy = |row: &Row<'_>| {
            let name: String = row.get(0)?;
            if name == "b" { Err(Error::not_found("b is none")) } else { Ok(name) }
        };
        let refused = db.read(move |tx| tx.query_twice(BEHIND, [&[&"b", &2_i64], &[&"a", &1_i64]], choosy)).await;
        assert_eq!(refused.unwrap_err().kind(), Kind::NotFound);
        let none = db.read(|tx| tx.query_twice("SELECT name FROM nothing WHERE name > $1", [&[&"a"], &[&"b"]], |row| row.get::<String>(0)));
        assert_eq!(none.await.unwrap_err().kind(), Kind::Internal);
        assert_eq!(value_of(&db, "a").await, Some(1));
    }

    async fn numbers_are_answered_in_their_order(db: Db) {
        db.migrate(COUNTERS).await.unwrap();
        db.write(|tx| (0..3_000).try_for_each(|row| add(tx, &format!("{row:04}")).map(drop))).await.unwrap();
        let found = db.read(|tx| {
            let numbers = "SELECT CAST(name AS BIGINT) FROM counters WHERE name >= $1 ORDER BY name DESC LIMIT $2";
            let some = tx.query_numbers(numbers, &[&"0007", &2_000_i64])?;
            Ok((some, tx.query_numbers(numbers, &[&"9", &10_i64])?))
        });
        let (some, none) = found.await.unwrap();
        assert!(some == (1_000..3_000).rev().collect::<Vec<_>>() && none.is_empty());
        let of_null = db.read(|tx| tx.query_numbers("SELECT CAST(NULL AS BIGINT) FROM counters", &[]));
        assert_eq!(of_null.await.unwrap_err().kind(), Kind::Internal);
    }

    async fn one_of_several_queries_that_fails_fails_the_transaction(db: Db) {
        db.migrate(COUNTERS).await.unwrap();
        db.write(|tx| (0..3_000).try_for_each(|row| add(tx, &format!("{row:04}")).map(drop))).await.unwrap();
        let all = "SELECT name FROM counters";
        let read = |queries: [&'static str; 3], refused: Option<usize>| {
            let db = &db;
            async move {
                db.read(move |tx| {
                    let queries = queries.map(|query| (query, [].as_slice()));
                    tx.query_all(&queries, |index, _| match refused {
                        Some(refused) if refused == index => Err(Error::conflict("no")),
                        _ => Ok(()),
                    })
                })
                .await
            }
        };
        assert_eq!(read([all, all, all], Some(1)).await.unwrap_err().message(), "no");
        assert_eq!(read([all, "SELECT nothing FROM counters", all], None).await.unwrap_err().kind(), Kind::Internal);
        assert_eq!(read([all, "COMMIT", all], None).await.unwrap_err().kind(), Kind::Internal);
        read([all, all, all], None).await.unwrap();
    }

    async fn work_that_says_no_leaves_nothing(db: Db) {
        db.migrate(COUNTERS).await.unwrap();
        let refused = db.write(|tx| {
            add(tx, "a")?;
            Err::<(), _>(Error::conflict("no"))
        });
        assert_eq!((refused.await.unwrap_err().message(), value_of(&db, "a").await), ("no", None));
    }

    async fn work_that_changes_megabytes_is_kept_or_undone_as_a_whole(db: Db) {
        db.migrate(COUNTERS).await.unwrap();
        let change = "UPDATE counters SET value = value + 1";
        db.write(|tx| (0..8_000).try_for_each(|row| add(tx, &format!("{row:01000}")).map(drop))).await.unwrap();
        let refused = db.write(move |tx| {
            tx.execute(change, &[])?;
            Err::<(), _>(Error::conflict("no"))
        });
        assert_eq!(refused.await.unwrap_err().message(), "no");
        assert_eq!(db.write(move |tx| tx.execute(change, &[])).await.unwrap(), 8_000);
        let sum = "SELECT CAST(sum(value) AS BIGINT) FROM counters";
        let sum = db.read(move |tx| tx.query_one(sum, &[], |row| row.get::<i64>(0))).await.unwrap();
        assert_eq!(sum, 2 * 8_000);
    }

    async fn work_that_panics_leaves_nothing_and_the_next_one_runs(db: Db) {
        db.migrate(COUNTERS).await.unwrap();
        let panicked = db.write(|tx| if add(tx, "a")? == 1 { panic!("on purpose") } else { Ok(()) }).await;
        db.write(|tx| add(tx, "b")).await.unwrap();
        assert_eq!((panicked.unwrap_err().kind(), value_of(&db, "a").await), (Kind::Internal, None));
    }

    async fn a_name_taken_already_exists(db: Db) {
        db.migrate(COUNTERS).await.unwrap();
        let insert = |tx: &mut Tx<'_>| tx.execute("INSERT INTO counters (name, value) VALUES ('a', 1)", &[]);
        db.write(insert).await.unwrap();
        assert_eq!(db.write(insert).await.unwrap_err().kind(), Kind::Exists);
    }

    async fn another_violated_constraint_is_a_defect(db: Db) {
        db.migrate(COUNTERS).await.unwrap();
        let write = db.write(|tx| tx.execute("INSERT INTO counters (name, value) VALUES ('a', NULL)", &[]));
        assert_eq!(write.await.unwrap_err().kind(), Kind::Internal);
    }

    async fn work_that_goes_on_after_a_failed_statement_keeps_nothing(db: Db) {
        db.migrate(COUNTERS).await.unwrap();
        let write = db.write(|tx| {
            add(tx, "a")?;
            let _ = tx.execute("INSERT INTO counters (name, value) VALUES ('a', 1)", &[]);
            Ok(())
        });
        assert_eq!((write.await.unwrap_err().kind(), value_of(&db, "a").await), (Kind::Internal, None));
    }

    async fn statements_count_the_rows_they_touch(db: Db) {
        db.migrate(COUNTERS).await.unwrap();
        let counts = db.write(|tx| {
            add(tx, "a")?;
            add(tx, "b")?;
            let all = tx.execute("UPDATE counters SET value = 7", &[])?;
            let none = tx.execute("INSERT INTO counters (name, value) VALUES ('a', 1) ON CONFLICT DO NOTHING", &[])?;
            Ok((all, none))
        });
        assert_eq!(counts.await.unwrap(), (2, 0));
    }

    async fn a_query_for_the_first_row_leaves_the_others(db: Db) {
        let many = "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
            SELECT i FROM n";
        let read = db.read(move |tx| {
            let first = tx.query_opt(many, &[], |row| row.get::<i64>(0))?;
            let all = tx.query(many, &[], |row| row.get::<i64>(0))?;
            Ok((first, all.len()))
        });
        assert_eq!(read.await.unwrap(), (Some(1), 1_000));
    }

    async fn a_query_for_one_row_that_finds_none_is_a_defect(db: Db) {
        db.migrate(COUNTERS).await.unwrap();
        let read = db.read(|tx| tx.query_one("SELECT value FROM counters", &[], |row| row.get::<i64>(0)));
        assert_eq!(read.await.unwrap_err().kind(), Kind::Internal);
    }

    async fn rows_are_handed_out_until_one_is_refused(db: Db) {
        let sql = "SELECT CAST(1 AS BIGINT) UNION ALL SELECT CAST(2 AS BIGINT) ORDER BY 1";
        let seen = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&seen);
        let read = db.read(move |tx| {
            tx.query_each(sql, &[], |_| {
                counted.fetch_add(1, Ordering::SeqCst);
                Err(Error::conflict("enough"))
            })
        });
        assert_eq!((read.await.unwrap_err().message(), seen.load(Ordering::SeqCst)), ("enough", 1));
    }

    async fn a_read_cannot_write(db: Db) {
        db.migrate(COUNTERS).await.unwrap();
        let read = db.read(|tx| add(tx, "a")).await;
        assert_eq!((read.unwrap_err().kind(), value_of(&db, "a").await), (Kind::Internal, None));
    }

    async fn a_read_sees_one_moment(db: Db) {
        db.migrate(COUNTERS).await.unwrap();
        let (looked, first_look) = mpsc::channel();
        let (written, gate) = mpsc::channel::<()>();
        let gate = std::sync::Mutex::new(gate);
        let reading = tokio::spawn({
            let db = db.clone();
            async move {
                db.read(move |tx| {
                    let before = value(tx, "a")?;
                    looked.send(()).unwrap();
                    let _ = gate.lock().unwrap().recv();
                    let by_name = "SELECT value FROM counters WHERE name = $1";
                    let twice = tx.query_twice(by_name, [&[&"a"], &[&"a"]], |row| row.get::<i64>(0))?;
                    Ok((before, value(tx, "a")?, twice))
                })
                .await
            }
        });
        tokio::task::spawn_blocking(move || first_look.recv().unwrap()).await.unwrap();
        db.write(|tx| add(tx, "a")).await.unwrap();
        drop(written);
        assert_eq!(reading.await.unwrap().unwrap(), (None, None, vec![]));
    }

    async fn concurrent_changes_of_one_row_are_all_kept(db: Db) {
        db.migrate(COUNTERS).await.unwrap();
        db.write(|tx| add(tx, "a")).await.unwrap();
        let writers = (0..8).map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    // Read and write apart, so that only isolation keeps two writers from losing a step.
                    let step = |tx: &mut Tx<'_>| {
                        let next = value(tx, "a")?.unwrap_or(0) + 1;
                        tx.execute("UPDATE counters SET value = $1 WHERE name = 'a'", &[&next])
                    };
                    db.write(step).await.unwrap();
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        assert_eq!(value_of(&db, "a").await, Some(81));
    }

    async fn effects_run_before_the_answer_and_only_for_what_is_kept(db: Db) {
        db.migrate(COUNTERS).await.unwrap();
        let effects = Arc::new(AtomicUsize::new(0));
        for keep in [true, false] {
            let counted = Arc::clone(&effects);
            let _ = db.write(move |tx| {
                let counted = Arc::clone(&counted);
                tx.on_commit(move || { counted.fetch_add(1, Ordering::SeqCst); });
                if keep { add(tx, "a") } else { Err(Error::conflict("no")) }
            })
            .await;
        }
        assert_eq!(effects.load(Ordering::SeqCst), 1);
    }

    async fn effects_run_once_however_often_their_work_ran(db: Db) {
        db.migrate(COUNTERS).await.unwrap();
        let effects = Arc::new(AtomicUsize::new(0));
        let writers = (0..8).map(|_| {
            let (db, effects) = (db.clone(), Arc::clone(&effects));
            tokio::spawn(async move {
                db.write(move |tx| {
                    let counted = Arc::clone(&effects);
                    tx.on_commit(move || { counted.fetch_add(1, Ordering::SeqCst); });
                    add(tx, "a")
                })
                .await
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap().unwrap();
        }
        assert_eq!(effects.load(Ordering::SeqCst), 8);
    }

    async fn an_effect_that_panics_is_a_defect_of_a_kept_write(db: Db) {
        db.migrate(COUNTERS).await.unwrap();
        let write = db.write(|tx| {
            tx.on_commit(|| panic!("on purpose"));
            add(tx, "a")
        });
        assert_eq!((write.await.unwrap_err().kind(), value_of(&db, "a").await), (Kind::Internal, Some(1)));
    }

    async fn reads_whose_callers_have_left_make_room_for_others(db: Db) {
        let endless = "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT -i FROM n)
            SELECT count(*) FROM n WHERE i = 0";
        let (starts, started) = mpsc::channel();
        let readings: Vec<_> = (0..12).map(|_| {
            let (db, starts) = (db.clone(), starts.clone());
            tokio::spawn(async move {
                db.read(move |tx| {
                    let _ = starts.send(());
                    tx.query(endless, &[], |row| row.get::<i64>(0))
                })
                .await
            })
        })
        .collect();
        // As many as a SQLite database has readers.
        tokio::task::spawn_blocking(move || started.iter().take(4).for_each(drop)).await.unwrap();
        for reading in &readings {
            reading.abort();
        }
        let read = db.read(|tx| tx.query_one("SELECT CAST(7 AS BIGINT)", &[], |row| row.get::<i64>(0)));
        assert_eq!(read.await.unwrap(), 7);
    }

    async fn a_closed_database_is_unavailable(db: Db) {
        db.migrate(COUNTERS).await.unwrap();
        db.close().await;
        let kinds = [
            db.write(|tx| add(tx, "a")).await.unwrap_err().kind(),
            db.read(|tx| value(tx, "a")).await.unwrap_err().kind(),
            db.migrate(COUNTERS).await.unwrap_err().kind(),
        ];
        assert_eq!(kinds, [Kind::Unavailable; 3]);
    }

    async fn a_healthy_database_has_no_findings(db: Db) {
        db.migrate(COUNTERS).await.unwrap();
        assert_eq!(db.integrity_check().await.unwrap(), [""; 0]);
    }
}
