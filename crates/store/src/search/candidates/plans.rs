//! How SQLite goes about each shape of statement: what is walked, what is looked up, what is sorted.

use modelry_core::ids::ExperimentId;
use modelry_core::search::entity::CANDIDATES;
use modelry_core::search::{parse_filter, parse_order_by};
use modelry_core::time::Timestamp;
use modelry_testkit::{Schema, sqlite};

use super::driver::Driver;
use super::*;

const PROJECT: ProjectId = ProjectId(1);

/// What drives a statement.
#[derive(Clone, Copy)]
enum By {
    Order,
    Candidates,
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
}

const SHAPE: Shape = Shape { filter: "", order: &[], by: By::Order, phase: Phase::Present, start: None };

/// The steps of the plan, one a line.
async fn plan(shape: Shape) -> String {
    let database = sqlite(Schema::Product).await;
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
    let sorting = Sorting::resolve(tx, PROJECT, &parse_order_by(&CANDIDATES, &orders)?)?;
    let plan = filter::plan(tx, PROJECT, parse_filter(&CANDIDATES, shape.filter)?.as_ref())?;
    let plan = plan.expect("something can be found");
    let driver = match (shape.by, plan.conditions.first()) {
        (By::Order, _) => Driver::Order,
        (By::Candidates, _) => Driver::Candidates,
        (By::FirstCondition, Some(filter::Node::Logged(logged))) => Driver::Logged(logged),
        (By::FirstCondition, node) => panic!("{node:?} cannot drive"),
    };
    let now = Timestamp(0);
    let experiment = Experiment {
        id: ExperimentId(1),
        name: "experiment".to_owned(),
        artifact_location: None,
        creator_id: None,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    let search = Search {
        project: PROJECT,
        sorting: &sorting,
        plan: &plan,
        view: View::Active,
        start: shape.start.as_ref(),
    };
    let (phase, experiment) = (shape.phase, &experiment);
    let step = Step { search: &search, experiment, driver, phase, before: None, wanted: 10 };
    let statement = step.statement();
    let text = format!("EXPLAIN QUERY PLAN {}", statement.text);
    tx.query(&text, &statement.binds.as_params(), |row| row.get(3))
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
    insta::assert_snapshot!(plan(Shape { start: Some(place(vec![])), ..SHAPE }).await, @"SEARCH c USING INDEX candidates_by_start (project_id=? AND experiment_id=? AND start_time<?)");
}

#[tokio::test]
async fn a_metrics_order_walks_its_covering_index_and_sorts_ties() {
    insta::assert_snapshot!(plan(Shape { order: &["metrics.loss DESC"], ..SHAPE }).await, @r"
    SEARCH o USING COVERING INDEX metric_latest_by_value (project_id=? AND experiment_id=? AND key_id=? AND rank=?)
    SEARCH c USING PRIMARY KEY (project_id=? AND id=?)
    USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY
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
    SEARCH o USING COVERING INDEX metric_latest_by_value (project_id=? AND experiment_id=? AND key_id=? AND rank=?)
    SEARCH c USING PRIMARY KEY (project_id=? AND id=?)
    USE TEMP B-TREE FOR ORDER BY
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
    CORRELATED SCALAR SUBQUERY 1
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
    SEARCH c USING PRIMARY KEY (project_id=? AND id=?)
    USE TEMP B-TREE FOR ORDER BY
    ");
}

#[tokio::test]
async fn a_public_id_is_looked_up() {
    let filter = "run_id IN ('a', 'b')";
    let shape = Shape { filter, order: &["metrics.loss"], by: By::Candidates, ..SHAPE };
    insta::assert_snapshot!(plan(shape).await, @r"
    SEARCH c USING INDEX candidates_by_eid (project_id=? AND eid=?)
    SEARCH o USING PRIMARY KEY (project_id=? AND candidate_id=? AND key_id=?)
    USE TEMP B-TREE FOR ORDER BY
    ");
}

#[tokio::test]
async fn a_range_of_the_start_is_a_range_of_its_index() {
    let shape = Shape { filter: "start_time > 5", order: &["metrics.loss"], by: By::Candidates, ..SHAPE };
    insta::assert_snapshot!(plan(shape).await, @r"
    SEARCH c USING INDEX candidates_by_start (project_id=? AND experiment_id=? AND start_time>?)
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
