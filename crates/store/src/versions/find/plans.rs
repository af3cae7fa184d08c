//! How the engines go about finding a version: which index they walk, and that they stop where it is found.

use modelry_testkit::{Db, Schema, TestDatabase, postgres, sqlite};

use super::super::OF_CANDIDATE;
use super::*;

const PROJECT: i64 = 1;
const MODEL: i64 = 1;

/// The plan for a statement whose placeholders from `$3` on are these.
async fn plan(database: &TestDatabase, explain: &'static str, sql: String, params: Vec<Vec<u8>>) -> String {
    let db = database.db();
    let read = db.read(move |tx| {
        let mut all: Vec<&dyn Param> = vec![&PROJECT, &MODEL];
        all.extend(params.iter().map(|param| param as &dyn Param));
        let column = usize::from(explain.contains("QUERY")) * 3;
        tx.query(&format!("{explain} {sql}"), &all, |row| row.get::<String>(column))
    });
    read.await.expect("the statement has a plan").join("\n")
}

/// SQLite's plan for the greatest version under some conditions.
async fn greatest(conditions: &str, params: Vec<Vec<u8>>) -> String {
    let database = sqlite(Schema::Product).await;
    let sql = format!("{} LIMIT 1", select(conditions, GREATEST_FIRST));
    let plan = plan(&database, "EXPLAIN QUERY PLAN", sql, params).await;
    database.finish().await;
    plan
}

#[tokio::test]
async fn a_requirement_walks_its_range_from_the_end() {
    let conditions =
        format!("{ON_OFFER} AND NOT v.is_prerelease AND v.precedence >= $3 AND v.precedence < $4");
    insta::assert_snapshot!(greatest(&conditions, vec![vec![1], vec![2]]).await, @r"
    SEARCH v USING INDEX versions_by_precedence (project_id=? AND model_id=? AND precedence>? AND precedence<?)
    SEARCH m USING PRIMARY KEY (project_id=? AND id=?)
    ");
}

#[tokio::test]
async fn latest_walks_the_order_from_the_end() {
    let conditions = format!("{ON_OFFER} AND NOT v.is_prerelease");
    insta::assert_snapshot!(greatest(&conditions, vec![]).await, @r"
    SEARCH v USING INDEX versions_by_precedence (project_id=? AND model_id=?)
    SEARCH m USING PRIMARY KEY (project_id=? AND id=?)
    ");
}

#[tokio::test]
async fn a_stage_walks_its_own_order() {
    let conditions = format!("AND v.stage = 'Production' {ON_OFFER}");
    insta::assert_snapshot!(greatest(&conditions, vec![]).await, @r"
    SEARCH v USING INDEX versions_by_stage (project_id=? AND model_id=? AND stage=?)
    SEARCH m USING PRIMARY KEY (project_id=? AND id=?)
    ");
}

#[tokio::test]
async fn a_number_is_looked_up() {
    insta::assert_snapshot!(greatest("AND v.number = 3", vec![]).await, @r"
    SEARCH v USING INDEX versions_by_number (project_id=? AND model_id=? AND number=?)
    SEARCH m USING PRIMARY KEY (project_id=? AND id=?)
    ");
}

#[tokio::test]
async fn a_full_version_is_looked_up() {
    insta::assert_snapshot!(greatest("AND v.version = '1.2.0'", vec![]).await, @r"
    SEARCH v USING INDEX versions_by_version (project_id=? AND model_id=? AND version=?)
    SEARCH m USING PRIMARY KEY (project_id=? AND id=?)
    ");
}

#[tokio::test]
async fn the_versions_of_a_candidate_are_looked_up() {
    let database = sqlite(Schema::Product).await;
    let sql =
        format!("SELECT {COLUMNS} {FROM} AND v.project_id = $1 AND v.id IN ({OF_CANDIDATE}) ORDER BY v.id");
    let plan = plan(&database, "EXPLAIN QUERY PLAN", sql, vec![]).await;
    database.finish().await;
    insta::assert_snapshot!(plan, @r"
    SEARCH v USING PRIMARY KEY (project_id=? AND id=?)
    LIST SUBQUERY 1
    SEARCH i USING COVERING INDEX versions_by_candidate (project_id=? AND candidate_id=?)
    SEARCH m USING PRIMARY KEY (project_id=? AND id=?)
    ");
}

#[tokio::test]
async fn a_number_of_whatever_model_is_looked_up_in_a_few_models() {
    let database = sqlite(Schema::Product).await;
    let explained = of_models_numbered().replace("$3", "200");
    let plan = plan(&database, "EXPLAIN QUERY PLAN", explained, vec![]).await;
    database.finish().await;
    insta::assert_snapshot!(plan, @r"
    CO-ROUTINE m
    SEARCH models USING PRIMARY KEY (project_id=?)
    SCAN m
    SEARCH v USING INDEX versions_by_number (project_id=? AND model_id=? AND number=?)
    USE TEMP B-TREE FOR ORDER BY
    ");
}

/// A model with ten thousand versions, `1.0.0` to `1.0.9999`, all published and in no stage.
async fn ten_thousand(db: &Db) {
    let insert = db.write(|tx| {
        tx.execute(
            "INSERT INTO models (project_id, id, name, description, is_prompt, made_experiment, last_number,
                                 created_at, updated_at)
             VALUES (1, 1, 'churn', '', FALSE, FALSE, 10000, 0, 0)",
            &[],
        )?;
        tx.execute(
            "INSERT INTO versions
                (project_id, id, model_id, number, version, precedence, is_prerelease, stage, description, source,
                 run_link, warning, created_at, updated_at, published_at)
             SELECT 1, 1000000 + n, 1, n + 1, '1.0.' || n,
                    decode('0000000000000001' || lpad('', 16, '0') || lpad(to_hex(n), 16, '0') || '03', 'hex'),
                    FALSE, 'None', '', '', '', '', 0, 0, 0
               FROM generate_series(0, 9999) AS n",
            &[],
        )?;
        tx.execute("ANALYZE versions", &[])?;
        tx.execute("ANALYZE models", &[])
    });
    insert.await.expect("the rows can be made");
}

/// What PostgreSQL's account of a statement says of the rows of versions that it really read.
fn rows_read(plan: &str) -> Vec<&str> {
    plan.lines().filter(|line| line.contains("Scan") && line.contains("versions")).collect()
}

#[tokio::test]
async fn postgres_reads_one_of_ten_thousand_versions() {
    let Some(database) = postgres(Schema::Product).await else { return };
    ten_thousand(&database.db()).await;
    let conditions = [
        (
            format!("{ON_OFFER} AND NOT v.is_prerelease AND v.precedence >= $3"),
            vec![vec![0, 0, 0, 0, 0, 0, 0, 1]],
        ),
        (format!("{ON_OFFER} AND NOT v.is_prerelease"), vec![]),
        (format!("AND v.stage = 'Production' {ON_OFFER}"), vec![]),
        ("AND v.number = 3".to_owned(), vec![]),
        ("AND v.version = '1.0.7'".to_owned(), vec![]),
    ];
    for (conditions, params) in conditions {
        let sql = format!("{} LIMIT 1", select(&conditions, GREATEST_FIRST));
        let explain = "EXPLAIN (ANALYZE, COSTS FALSE, TIMING FALSE, SUMMARY FALSE)";
        let plan = plan(&database, explain, sql, params).await;
        let read = rows_read(&plan);
        assert!(read.iter().all(|line| line.contains("rows=1 ") || line.contains("rows=0 ")), "{plan}");
        assert!(!plan.contains("Rows Removed"), "{plan}");
        assert_eq!(read.len(), 1, "{plan}");
    }
    database.finish().await;
}
