//! How the engines go about the statements for columns and cells.

use modelry_core::search::column::KeyKind;
use modelry_db::Param;
use modelry_testkit::{Schema, TestDatabase, postgres, sqlite};

use super::{cells, used};

/// The steps of SQLite's plan of `statement`, which has this many placeholders, one a line.
async fn plan(statement: String, placeholders: usize) -> String {
    let explain = format!("EXPLAIN QUERY PLAN {statement}");
    steps(sqlite(Schema::Product).await, (explain, placeholders), 3).await
}

async fn steps(database: TestDatabase, (explain, placeholders): (String, usize), column: usize) -> String {
    let db = database.db();
    let steps = db.read(move |tx| {
        let numbers = vec![1_i64; placeholders];
        let params: Vec<&dyn Param> = numbers.iter().map(|number| number as &dyn Param).collect();
        tx.query(&explain, &params, |row| row.get::<String>(column))
    });
    let steps = steps.await.expect("the statement has a plan");
    database.finish().await;
    steps.join("\n")
}

/// Fails where PostgreSQL would read a table through, though it is so small that it could.
async fn assert_index(statement: String, placeholders: usize) {
    let Some(database) = postgres(Schema::Product).await else { return };
    let plan = steps(database, (format!("EXPLAIN {statement}"), placeholders), 0).await;
    assert!(plan.contains("Index") && !plan.contains("Seq Scan on"), "{plan}");
}

#[tokio::test]
async fn cells_are_look_ups_by_primary_key() {
    insta::assert_snapshot!(plan(cells::statement(KeyKind::Metrics, 100, 8), 109).await, @"SEARCH metric_latest USING PRIMARY KEY (project_id=? AND candidate_id=? AND key_id=?)");
    insta::assert_snapshot!(plan(cells::statement(KeyKind::Params, 100, 500), 601).await, @"SEARCH params USING PRIMARY KEY (project_id=? AND candidate_id=? AND key_id=?)");
}

#[tokio::test]
async fn cells_of_very_many_columns_are_the_rows_of_the_candidates() {
    insta::assert_snapshot!(plan(cells::statement(KeyKind::Metadata, 8, 0), 9).await, @"SEARCH metadata USING PRIMARY KEY (project_id=? AND candidate_id=?)");
}

#[tokio::test]
async fn keys_in_use_are_found_by_a_look_up_each() {
    insta::assert_snapshot!(plan(used::used_statement(KeyKind::Metrics), 3).await, @r"
    CO-ROUTINE used
    SETUP
    SCAN CONSTANT ROW
    SCALAR SUBQUERY 1
    SEARCH t USING COVERING INDEX metric_latest_by_value (project_id=? AND experiment_id=?)
    RECURSIVE STEP
    SCAN u
    CORRELATED SCALAR SUBQUERY 3
    SEARCH t USING COVERING INDEX metric_latest_by_value (project_id=? AND experiment_id=? AND key_id>?)
    SCAN used
    ");
}

#[tokio::test]
async fn a_count_is_a_range_of_the_covering_index() {
    insta::assert_snapshot!(plan(used::count_statement(KeyKind::Params), 4).await, @r"
    CO-ROUTINE few
    SEARCH t USING COVERING INDEX params_by_value (project_id=? AND experiment_id=? AND key_id=?)
    SCAN few
    ");
}

#[tokio::test]
async fn postgres_takes_the_indexes_as_well() {
    assert_index(cells::statement(KeyKind::Metrics, 100, 8), 109).await;
    assert_index(cells::statement(KeyKind::Metadata, 8, 0), 9).await;
    assert_index(used::used_statement(KeyKind::Metrics), 3).await;
    assert_index(used::count_statement(KeyKind::Params), 4).await;
}
