//! What a search takes as an experiment grows. Steps are counted, no time is: on SQLite those of its machine, on PostgreSQL
//! the entries of indexes and the rows of tables that are read.

use modelry_core::Result;
use modelry_core::ids::ExperimentId;
use modelry_db::{Db, Engine, Tx};
use modelry_store::search::candidates::{Findings, Query, page};
use modelry_testkit::both;

use crate::candidates::query;
use crate::given::{self, PROJECT, read, write};

/// More than so many candidates are gathered and sorted by no search.
const SIZES: [i64; 2] = [24_000, 48_000];

/// A page so far behind.
const BEHIND: usize = 20_000;

/// What is read off one index, wherever the page is.
const READ_OFF: [(&str, &str); 12] = [
    ("", ""),
    ("", "start_time ASC"),
    ("", "run_name ASC"),
    ("", "user_id DESC"),
    ("", "status DESC"),
    ("", "status ASC"),
    ("", "end_time DESC"),
    ("", "metrics.loss DESC"),
    ("", "metrics.loss ASC"),
    ("", "params.lr ASC"),
    ("status = 'FINISHED'", ""),
    ("user_id = ''", "start_time ASC"),
];

/// The most steps of a page that is read off: some for each candidate and each statement.
const MOST_READ_OFF: i64 = 600;

/// Conditions, and how many candidates satisfy the rarest at each size.
const FOUND: [(&str, &str, [i64; 2]); 13] = [
    ("metrics.rare > 0.5", "", [2_400, 2_400]),
    ("metrics.rare > 0.5", "metrics.loss DESC", [2_400, 2_400]),
    ("metrics.rare > 0.5", "params.lr ASC", [2_400, 2_400]),
    ("metrics.rare > 0.5", "user_id DESC", [2_400, 2_400]),
    ("metrics.rare > 0.5 AND run_name != 'run 1'", "user_id ASC", [2_400, 2_400]),
    ("metrics.rare > 0.5 AND metrics.acc > 0.05", "user_id DESC", [2_400, 2_400]),
    ("metrics.rare > 0.5 AND metrics.acc > 0.05 AND run_name LIKE 'run%'", "user_id DESC", [2_400, 2_400]),
    ("metrics.rare > 0.5 AND params.lr = '11'", "metrics.loss DESC", [1_200, 2_400]),
    ("metrics.rare > 0.5", "params.lr ASC,metrics.acc DESC", [2_400, 2_400]),
    ("metrics.rare > 0.5 AND params.lr != '3'", "run_name ASC,metrics.loss DESC", [2_400, 2_400]),
    ("status = 'FAILED'", "metrics.loss ASC", [48, 48]),
    ("metrics.acc > 0.85", "metrics.loss DESC", [2_400, 4_800]),
    ("metrics.acc > 0.85 AND status = 'FINISHED'", "", [2_400, 4_800]),
];

/// The most steps of a page for each of those and each key of the order, which is a look-up.
const MOST_FOR_EACH: i64 = 100;

/// Adds candidates. `loss` is different for each and in no order, `acc` has ten values and `lr` twenty; 2,400 of the first
/// 24,000 are `rare`, and 48 of these failed.
fn grow(tx: &mut Tx<'_>, from: i64, to: i64) -> Result<()> {
    let numbers = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT CAST({from} AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {to})"
    );
    let rare = format!("n < {} AND n % 10 = 3", SIZES[0]);
    let statement =
        |into: &str, values: &str| format!("INSERT INTO {into} {numbers} SELECT {values} FROM numbers");
    let candidates = statement(
        "candidates (project_id, id, experiment_id, eid, name, user_name, status, start_time, end_time, created_at)",
        &format!(
            "1, n, 1, '000000000000000' || CAST(10000000000000000 + n AS TEXT), 'run ' || CAST(n * 7919 % 1000 AS TEXT), '',
             CASE WHEN {rare} AND n % 500 = 3 THEN 4 ELSE 3 END, n, n + 5, n"
        ),
    );
    tx.execute(&candidates, &[])?;
    let metrics = "metric_latest (project_id, candidate_id, key_id, experiment_id, rank, value, step, recorded_at, start_time)";
    let rare = format!("CASE WHEN {rare} THEN 1 ELSE 0 END");
    for (key, value) in [(1, "n * 7919 % 1000003"), (2, "n * 31 % 10 * 0.1"), (3, rare.as_str())] {
        let values = format!("1, n, {key}, 1, 0, CAST({value} AS DOUBLE PRECISION), 0, 0, n");
        tx.execute(&statement(metrics, &values), &[])?;
    }
    let lr = "CAST(n * 17 % 20 AS TEXT)";
    let params = "params (project_id, candidate_id, key_id, experiment_id, sort, value, start_time)";
    tx.execute(&statement(params, &format!("1, n, 4, 1, {lr}, {lr}, n")), &[])?;
    // As a server does by itself after a while; it is nothing to SQLite's plans.
    if tx.engine() == Engine::Postgres {
        tx.execute("ANALYZE", &[])?;
    }
    Ok(())
}

/// How many steps were taken on this connection; by what is read in this transaction, on PostgreSQL.
pub(crate) fn steps(tx: &mut Tx<'_>) -> Result<i64> {
    let count = match tx.engine() {
        Engine::Sqlite => "SELECT sum(nstep) FROM sqlite_stmt WHERE sql NOT LIKE '%sqlite_stmt%'",
        Engine::Postgres => {
            "SELECT CAST(sum(pg_stat_get_xact_tuples_returned(oid) + pg_stat_get_xact_tuples_fetched(oid)) AS BIGINT)
               FROM pg_class WHERE relkind IN ('r', 'i') AND relnamespace = CAST(current_schema() AS regnamespace)"
        }
    };
    tx.query_one(count, &[], |row| row.get(0))
}

/// The steps that a page takes, of a search that has been made before.
async fn effort(db: &Db, findings: &Findings, query: Query) -> i64 {
    let known = findings.known();
    read(db, move |tx| {
        page(tx, &known, PROJECT, &query)?;
        let before = steps(tx)?;
        let found = page(tx, &known, PROJECT, &query)?;
        assert_eq!(found.candidates.len(), query.limit);
        Ok(steps(tx)? - before)
    })
    .await
}

/// Checks what searches take.
async fn check(db: &Db, findings: &Findings, size: usize) {
    for (filter, order) in READ_OFF {
        let steps = efforts(db, findings, search(filter, order), BEHIND).await;
        assert!(
            steps.into_iter().all(|steps| (1..=MOST_READ_OFF).contains(&steps)),
            "{filter}, {order}: {steps:?}"
        );
    }
    for (filter, order, matches) in FOUND {
        let steps = efforts(db, findings, search(filter, order), 10).await;
        let keys = order.split(',').count();
        let most = MOST_FOR_EACH * matches[size] * i64::try_from(keys).expect("an order has few keys");
        assert!(steps.into_iter().all(|steps| (1..=most).contains(&steps)), "{filter}, {order}: {steps:?}");
    }
}

/// What the first page takes, and one so far behind.
async fn efforts(db: &Db, findings: &Findings, first: Query, behind: usize) -> [i64; 2] {
    let at_first = effort(db, findings, first.clone()).await;
    let (known, before) = (findings.known(), Query { limit: behind, ..first.clone() });
    let found = read(db, move |tx| page(tx, &known, PROJECT, &before)).await;
    let behind = Query { page_token: found.next_page_token, ..first };
    assert!(behind.page_token.is_some());
    [at_first, effort(db, findings, behind).await]
}

fn search(filter: &str, order: &str) -> Query {
    let order: Vec<&str> = order.split_terminator(',').collect();
    Query { experiments: vec![ExperimentId(1)], ..query(filter, &order) }
}

both! {
    async fn what_a_page_takes_depends_on_neither_its_place_nor_the_size_of_the_experiment(db: Db) {
        let findings = Findings::default();
        write(&db, |tx| {
            given::experiment(tx, ExperimentId(1), None)?;
            for (id, name) in [(1_i64, "loss"), (2, "acc"), (3, "rare"), (4, "lr")] {
                tx.execute("INSERT INTO keys (project_id, id, name) VALUES (1, $1, $2)", &[&id, &name])?;
            }
            grow(tx, 0, SIZES[0])
        })
        .await;
        check(&db, &findings, 0).await;
        write(&db, |tx| grow(tx, SIZES[0], SIZES[1])).await;
        check(&db, &findings, 1).await;
    }
}
