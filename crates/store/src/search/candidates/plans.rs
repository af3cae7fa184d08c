//! How SQLite goes about each shape of statement: what is walked, what is looked up, what is sorted.

mod postgres;

use modelry_core::search::entity::CANDIDATES;
use modelry_core::search::{parse_filter, parse_order_by};
use modelry_db::Numbers;
use modelry_testkit::{Schema, TestDatabase, sqlite};

use super::along::tests::{PROJECT, experiment};
use super::driver::Way;
use super::range::Range;
use super::statement::Reach;
use super::*;
use crate::search::binds::Binds;
use crate::search::keyset::SortValue;

/// What drives a statement.
#[derive(Clone, Copy)]
enum By {
    Order,
    /// The first condition of the filter.
    FirstCondition,
}

struct Shape {
    filter: &'static str,
    order: &'static [&'static str],
    by: By,
    phase: Phase,
    /// Where the page starts.
    start: Option<Place>,
    reach: Reach<'static>,
    /// Whether the table of candidates is left out.
    unseen: bool,
}

const SHAPE: Shape = Shape {
    filter: "",
    order: &[],
    by: By::Order,
    phase: Phase::Present,
    start: None,
    reach: Reach::All,
    unseen: false,
};

/// The steps of the plan, one a line.
async fn plan(shape: Shape) -> String {
    plan_on(sqlite(Schema::Product).await, shape).await
}

async fn plan_on(database: TestDatabase, shape: Shape) -> String {
    let db = database.db();
    db.write(insert_keys).await.expect("keys can be made");
    let steps = db.read(move |tx| explain(tx, &shape)).await.expect("the statement has a plan");
    database.finish().await;
    steps.join("\n")
}

fn insert_keys(tx: &mut Tx<'_>) -> Result<()> {
    for (id, name) in [(1, "loss"), (2, "acc"), (3, "lr"), (4, "team")] {
        tx.execute(
            "INSERT INTO keys (project_id, id, name) VALUES ($1, $2, $3)",
            &[&PROJECT.0, &i64::from(id), &name],
        )?;
    }
    Ok(())
}

fn explain(tx: &mut Tx<'_>, shape: &Shape) -> Result<Vec<String>> {
    let orders: Vec<String> = shape.order.iter().map(|&order| order.to_owned()).collect();
    let sorting = Sorting::resolve(tx, PROJECT, &parse_order_by(&CANDIDATES, &orders)?, true)?;
    let plan = filter::plan(tx, PROJECT, parse_filter(&CANDIDATES, shape.filter)?.as_ref())?;
    let plan = plan.expect("something can be found");
    let way = match (shape.by, plan.conditions.first()) {
        (By::Order, _) => Way::Order,
        (By::FirstCondition, Some(filter::Node::Attribute(CandidateAttribute::Eid, _))) => {
            Way::Attribute(CandidateAttribute::Eid)
        }
        (By::FirstCondition, node) => {
            let range = node.and_then(|node| Range::of(node, &sorting));
            Way::Range(range.unwrap_or_else(|| panic!("{node:?} cannot drive")))
        }
    };
    let search = Search {
        engine: tx.engine(),
        project: PROJECT,
        known: &Known::default(),
        sorting: &sorting,
        plan: &plan,
        view: View::Active,
        start: shape.start.as_ref(),
    };
    let (phase, experiment) = (shape.phase, &experiment());
    let numbers = Numbers::default();
    let (driver, unseen, before) = (way.driver(&numbers), shape.unseen, None);
    let step = Step { search: &search, experiment, driver, unseen, phase, before, wanted: 10 };
    let statement = step.statement(shape.reach);
    let mut steps = Vec::new();
    if let Way::Range(range) = way {
        let (text, binds) = range.numbers_statement(&search, experiment, 10);
        steps = explained(tx, &text, &binds)?;
    }
    steps.append(&mut explained(tx, &statement.text, &statement.binds)?);
    Ok(steps)
}

fn explained(tx: &mut Tx<'_>, text: &str, binds: &Binds) -> Result<Vec<String>> {
    let (explain, column) = match tx.engine() {
        Engine::Sqlite => ("EXPLAIN QUERY PLAN", 3),
        Engine::Postgres => ("EXPLAIN (COSTS FALSE)", 0),
    };
    tx.query(&format!("{explain} {text}"), &binds.as_params(), |row| row.get(column))
}

fn place(keys: Vec<(i64, keyset::SortValue)>) -> Place {
    Place { keys, start_time: 1, id: CandidateId(1) }
}

#[tokio::test]
async fn the_default_order_walks_the_index_of_the_start() {
    insta::assert_snapshot!(plan(SHAPE).await, @"SEARCH c USING INDEX candidates_by_start (project_id=? AND experiment_id=?)");
}

#[tokio::test]
async fn a_later_page_seeks_its_start() {
    insta::assert_snapshot!(plan(Shape { start: Some(place(vec![])), ..SHAPE }).await, @"SEARCH c USING INDEX candidates_by_start (project_id=? AND experiment_id=? AND (start_time,id)<(?,?))");
}

#[tokio::test]
async fn a_metrics_order_walks_its_covering_index_to_the_ties() {
    insta::assert_snapshot!(plan(Shape { order: &["metrics.loss DESC"], ..SHAPE }).await, @r"
    SEARCH o USING COVERING INDEX metric_latest_by_value (project_id=? AND experiment_id=? AND key_id=? AND rank=?)
    SEARCH c USING PRIMARY KEY (project_id=? AND id=?)
    ");
}

#[tokio::test]
async fn a_later_page_of_a_metrics_order_seeks_its_start() {
    let start = Some(place(vec![(0, keyset::SortValue::Number(0.5))]));
    insta::assert_snapshot!(plan(Shape { order: &["metrics.loss"], start, ..SHAPE }).await, @r"
    SEARCH o USING COVERING INDEX metric_latest_by_value (project_id=? AND experiment_id=? AND key_id=? AND rank=? AND value>?)
    SEARCH c USING PRIMARY KEY (project_id=? AND id=?)
    USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY
    ");
}

#[tokio::test]
async fn nan_is_a_range_of_the_same_index() {
    let shape = Shape { order: &["metrics.loss"], phase: Phase::NotANumber, ..SHAPE };
    insta::assert_snapshot!(plan(shape).await, @r"
    SEARCH o USING COVERING INDEX metric_latest_by_value (project_id=? AND experiment_id=? AND key_id=? AND rank=? AND value=?)
    SEARCH c USING PRIMARY KEY (project_id=? AND id=?)
    ");
}

#[tokio::test]
async fn what_is_missing_is_looked_up_along_the_start() {
    let shape = Shape { order: &["params.lr"], phase: Phase::Missing, ..SHAPE };
    insta::assert_snapshot!(plan(shape).await, @r"
    SEARCH c USING INDEX candidates_by_start (project_id=? AND experiment_id=?)
    CORRELATED SCALAR SUBQUERY 1
    SEARCH p USING PRIMARY KEY (project_id=? AND candidate_id=? AND key_id=?)
    ");
}

#[tokio::test]
async fn conditions_are_look_ups_along_the_order() {
    let filter =
        "params.lr = '0.1' AND (metrics.acc > 0.5 OR NOT tags.team LIKE 'a%') AND datasets.name = 'iris'";
    let shape = Shape { filter, order: &["metrics.loss"], ..SHAPE };
    insta::assert_snapshot!(plan(shape).await, @r"
    SEARCH o USING COVERING INDEX metric_latest_by_value (project_id=? AND experiment_id=? AND key_id=? AND rank=?)
    CORRELATED SCALAR SUBQUERY 1
    SEARCH p USING PRIMARY KEY (project_id=? AND candidate_id=? AND key_id=?)
    CORRELATED SCALAR SUBQUERY 2
    SEARCH p USING PRIMARY KEY (project_id=? AND candidate_id=? AND key_id=?)
    CORRELATED SCALAR SUBQUERY 3
    SEARCH p USING PRIMARY KEY (project_id=? AND candidate_id=? AND key_id=?)
    CORRELATED SCALAR SUBQUERY 4
    SEARCH d USING PRIMARY KEY (project_id=? AND candidate_id=?)
    SEARCH t USING PRIMARY KEY (project_id=? AND id=?)
    SEARCH c USING PRIMARY KEY (project_id=? AND id=?)
    USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY
    ");
}

#[tokio::test]
async fn a_condition_on_the_first_key_of_the_order_bounds_the_walk() {
    let shape = Shape { filter: "metrics.loss > 0.5", order: &["metrics.loss"], ..SHAPE };
    insta::assert_snapshot!(plan(shape).await, @r"
    SEARCH o USING COVERING INDEX metric_latest_by_value (project_id=? AND experiment_id=? AND key_id=? AND rank=? AND value>?)
    SEARCH c USING PRIMARY KEY (project_id=? AND id=?)
    USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY
    ");
}

#[tokio::test]
async fn a_condition_that_few_satisfy_drives_and_the_rest_is_looked_up() {
    let filter = "metrics.acc > 0.5 AND params.lr = '0.1'";
    let shape = Shape { filter, order: &["metrics.loss"], by: By::FirstCondition, ..SHAPE };
    insta::assert_snapshot!(plan(shape).await, @r"
    SEARCH f USING COVERING INDEX metric_latest_by_value (project_id=? AND experiment_id=? AND key_id=? AND rank=? AND value>?)
    SCAN rarray VIRTUAL TABLE INDEX 1:
    CORRELATED SCALAR SUBQUERY 2
    SEARCH p USING PRIMARY KEY (project_id=? AND candidate_id=? AND key_id=?)
    SEARCH c USING PRIMARY KEY (project_id=? AND id=?)
    SEARCH o USING PRIMARY KEY (project_id=? AND candidate_id=? AND key_id=?)
    USE TEMP B-TREE FOR ORDER BY
    ");
}

#[tokio::test]
async fn a_text_that_few_have_drives_by_its_index_alone() {
    let shape = Shape { filter: "params.lr = '0.1'", by: By::FirstCondition, ..SHAPE };
    insta::assert_snapshot!(plan(shape).await, @r"
    SEARCH f USING COVERING INDEX params_by_value (project_id=? AND experiment_id=? AND key_id=? AND sort=?)
    SCAN rarray VIRTUAL TABLE INDEX 1:
    SEARCH c USING PRIMARY KEY (project_id=? AND id=?)
    USE TEMP B-TREE FOR ORDER BY
    ");
}

#[tokio::test]
async fn a_public_id_is_looked_up() {
    let filter = "run_id IN ('a', 'b')";
    let shape = Shape { filter, order: &["metrics.loss"], by: By::FirstCondition, ..SHAPE };
    insta::assert_snapshot!(plan(shape).await, @r"
    SEARCH c USING INDEX candidates_by_eid (project_id=? AND eid=?)
    SEARCH o USING PRIMARY KEY (project_id=? AND candidate_id=? AND key_id=?)
    USE TEMP B-TREE FOR ORDER BY
    ");
}

#[tokio::test]
async fn a_range_of_the_start_is_a_range_of_its_index() {
    let shape = Shape { filter: "start_time > 5", order: &["metrics.loss"], by: By::FirstCondition, ..SHAPE };
    insta::assert_snapshot!(plan(shape).await, @r"
    SEARCH c USING COVERING INDEX candidates_by_start (project_id=? AND experiment_id=? AND start_time>?)
    SCAN rarray VIRTUAL TABLE INDEX 1:
    SEARCH c USING PRIMARY KEY (project_id=? AND id=?)
    SEARCH o USING PRIMARY KEY (project_id=? AND candidate_id=? AND key_id=?)
    USE TEMP B-TREE FOR ORDER BY
    ");
}

#[tokio::test]
async fn further_keys_of_the_order_are_looked_up() {
    let shape = Shape { order: &["metrics.loss", "params.lr", "metrics.acc DESC"], ..SHAPE };
    insta::assert_snapshot!(plan(shape).await, @r"
    SEARCH o USING COVERING INDEX metric_latest_by_value (project_id=? AND experiment_id=? AND key_id=? AND rank=?)
    SEARCH c USING PRIMARY KEY (project_id=? AND id=?)
    SEARCH s1 USING PRIMARY KEY (project_id=? AND candidate_id=? AND key_id=?) LEFT-JOIN
    SEARCH s2 USING PRIMARY KEY (project_id=? AND candidate_id=? AND key_id=?) LEFT-JOIN
    USE TEMP B-TREE FOR LAST 6 TERMS OF ORDER BY
    ");
}

#[tokio::test]
async fn the_candidates_of_one_value_are_a_range_of_its_index() {
    let lr = SortValue::Text("0.1".to_owned());
    let start = Some(place(vec![(0, lr.clone())]));
    let reach = Reach::Value(Box::leak(Box::new(lr)));
    insta::assert_snapshot!(plan(Shape { order: &["params.lr"], start, reach, ..SHAPE }).await, @r"
    SEARCH o USING COVERING INDEX params_by_value (project_id=? AND experiment_id=? AND key_id=? AND sort=? AND (start_time,candidate_id)<(?,?))
    SEARCH c USING PRIMARY KEY (project_id=? AND id=?)
    ");
}

#[tokio::test]
async fn what_is_beyond_a_value_is_walked_in_the_order_of_its_index() {
    const LOSS: SortValue = SortValue::Number(0.5);
    let shape = Shape { order: &["metrics.loss"], reach: Reach::Beyond(Some(&LOSS)), ..SHAPE };
    insta::assert_snapshot!(plan(shape).await, @r"
    SEARCH o USING COVERING INDEX metric_latest_by_value (project_id=? AND experiment_id=? AND key_id=? AND rank=? AND value>?)
    SEARCH c USING PRIMARY KEY (project_id=? AND id=?)
    ");
}

#[tokio::test]
async fn every_attributes_order_walks_its_index() {
    let mut plans = Vec::new();
    for order in [
        &["run_name DESC"],
        &["user_id DESC"],
        &["status DESC"],
        &["end_time DESC"],
        &["run_id"],
        &["artifact_uri DESC"],
    ] {
        plans.push(plan(Shape { order, ..SHAPE }).await);
    }
    insta::assert_snapshot!(plans.join("\n"), @r"
    SEARCH c USING INDEX candidates_by_name (project_id=? AND experiment_id=?)
    SEARCH c USING INDEX candidates_by_user (project_id=? AND experiment_id=?)
    SEARCH c USING INDEX candidates_by_status (project_id=? AND experiment_id=?)
    SEARCH c USING INDEX candidates_by_end (project_id=? AND experiment_id=? AND end_time>?)
    SEARCH c USING INDEX candidates_by_eid (project_id=?)
    SEARCH c USING INDEX candidates_by_eid (project_id=?)
    ");
}

#[tokio::test]
async fn a_condition_on_an_attribute_drives_by_its_index() {
    let mut plans = Vec::new();
    for filter in ["run_name = 'a'", "user_id IN ('a', 'b')", "status = 'FAILED'", "end_time > 5"] {
        plans.push(plan(Shape { filter, by: By::FirstCondition, ..SHAPE }).await);
    }
    insta::assert_snapshot!(plans.join("\n"), @r"
    SEARCH c USING COVERING INDEX candidates_by_name (project_id=? AND experiment_id=? AND <expr>=?)
    SCAN rarray VIRTUAL TABLE INDEX 1:
    SEARCH c USING PRIMARY KEY (project_id=? AND id=?)
    USE TEMP B-TREE FOR ORDER BY
    SEARCH c USING COVERING INDEX candidates_by_user (project_id=? AND experiment_id=? AND <expr>=?)
    SCAN rarray VIRTUAL TABLE INDEX 1:
    SEARCH c USING PRIMARY KEY (project_id=? AND id=?)
    USE TEMP B-TREE FOR ORDER BY
    SEARCH c USING COVERING INDEX candidates_by_status (project_id=? AND experiment_id=? AND <expr>=?)
    SCAN rarray VIRTUAL TABLE INDEX 1:
    SEARCH c USING PRIMARY KEY (project_id=? AND id=?)
    USE TEMP B-TREE FOR ORDER BY
    SEARCH c USING COVERING INDEX candidates_by_end (project_id=? AND experiment_id=? AND end_time>?)
    SCAN rarray VIRTUAL TABLE INDEX 1:
    SEARCH c USING PRIMARY KEY (project_id=? AND id=?)
    USE TEMP B-TREE FOR ORDER BY
    ");
}

#[tokio::test]
async fn a_condition_on_an_attribute_that_does_not_drive_bends_no_walk() {
    let filter =
        "run_name = 'a' AND user_id IN ('a', 'b') AND status = 'FAILED' AND end_time > 5 AND run_id != 'a'";
    let mut plans = Vec::new();
    for order in [&[][..], &["metrics.loss DESC"], &["run_name DESC"]] {
        plans.push(plan(Shape { filter, order, ..SHAPE }).await);
    }
    insta::assert_snapshot!(plans.join("\n"), @r"
    SEARCH c USING INDEX candidates_by_start (project_id=? AND experiment_id=?)
    SEARCH o USING COVERING INDEX metric_latest_by_value (project_id=? AND experiment_id=? AND key_id=? AND rank=?)
    SEARCH c USING PRIMARY KEY (project_id=? AND id=?)
    SEARCH c USING INDEX candidates_by_name (project_id=? AND experiment_id=? AND <expr>=?)
    USE TEMP B-TREE FOR ORDER BY
    ");
}

#[tokio::test]
async fn texts_of_which_one_is_had_drive_by_their_index() {
    let shape = Shape { filter: "params.lr IN ('0.1', '0.2')", by: By::FirstCondition, ..SHAPE };
    insta::assert_snapshot!(plan(shape).await, @r"
    SEARCH f USING COVERING INDEX params_by_value (project_id=? AND experiment_id=? AND key_id=? AND sort=?)
    SCAN rarray VIRTUAL TABLE INDEX 1:
    SEARCH c USING PRIMARY KEY (project_id=? AND id=?)
    USE TEMP B-TREE FOR ORDER BY
    ");
}

#[tokio::test]
async fn a_page_of_an_order_is_one_piece_of_its_index() {
    let unseen = true;
    let order: &[_] = &["metrics.acc DESC"];
    insta::assert_snapshot!(plan(Shape { order, unseen, ..SHAPE }).await, @"SEARCH o USING COVERING INDEX metric_latest_by_value (project_id=? AND experiment_id=? AND key_id=? AND rank=?)");
}

/// The plan of a search whose condition drives, without the table of candidates.
async fn unseen(filter: &'static str) -> String {
    let (by, unseen) = (By::FirstCondition, true);
    plan(Shape { filter, order: &["metrics.acc DESC"], by, unseen, ..SHAPE }).await
}

#[tokio::test]
async fn what_satisfies_a_condition_is_looked_up_by_number_and_not_seen() {
    insta::assert_snapshot!(unseen("metrics.loss > 0.5").await, @r"
    SEARCH f USING COVERING INDEX metric_latest_by_value (project_id=? AND experiment_id=? AND key_id=? AND rank=? AND value>?)
    SCAN rarray VIRTUAL TABLE INDEX 1:
    SEARCH o USING PRIMARY KEY (project_id=? AND candidate_id=? AND key_id=?)
    USE TEMP B-TREE FOR ORDER BY
    ");
}

#[tokio::test]
async fn what_has_one_value_of_a_param_is_found_by_its_index_and_then_put_in_order() {
    insta::assert_snapshot!(unseen("params.lr = '0.1'").await, @r"
    SEARCH f USING COVERING INDEX params_by_value (project_id=? AND experiment_id=? AND key_id=? AND sort=?)
    SCAN rarray VIRTUAL TABLE INDEX 1:
    SEARCH o USING PRIMARY KEY (project_id=? AND candidate_id=? AND key_id=?)
    USE TEMP B-TREE FOR ORDER BY
    ");
}
