//! How SQLite goes about searches for models and versions: what is walked, what is looked up, what is sorted.

use modelry_core::search::entity::{MODELS, ModelAttribute, VERSIONS, VersionAttribute};
use modelry_core::search::{order, parse_filter, parse_order_by};
use modelry_testkit::{Schema, sqlite};

use super::*;
use crate::models::Model;
use crate::versions::ModelVersion;

/// The steps of the plan, one a line; `places` is where the page starts, if it is not the first.
async fn plan<T: Searched>(query: Query<T::Attribute>, places: Option<Vec<SortValue>>) -> String
where
    T::Attribute: Send,
{
    let database = sqlite(Schema::Product).await;
    let db = database.db();
    let steps = db.read(move |tx| {
        let token = places.clone().map(|places| keyset::write_token(&query.identity(), places));
        let query = Query { page_token: token, ..query.clone() };
        let mut binds = Binds::default();
        let keys = sort_keys(&query.order, T::LAST_KEYS);
        let sql = statement::<T>(&mut binds, ProjectId(1), &query, &keys)?;
        tx.query(&format!("EXPLAIN QUERY PLAN {sql}"), &binds.as_params(), |row| row.get::<String>(3))
    });
    let steps = steps.await.expect("the statement has a plan");
    database.finish().await;
    steps.join("\n")
}

fn models(filter: &str, orders: &[&str]) -> Query<ModelAttribute> {
    let orders: Vec<String> = orders.iter().map(|&order| order.to_owned()).collect();
    Query {
        filter: parse_filter(&MODELS, filter).expect("a filter"),
        order: order::of_models(parse_order_by(&MODELS, &orders).expect("an order")),
        limit: 10,
        ..Query::default()
    }
}

fn versions(filter: &str, orders: &[&str]) -> Query<VersionAttribute> {
    let orders: Vec<String> = orders.iter().map(|&order| order.to_owned()).collect();
    Query {
        filter: parse_filter(&VERSIONS, filter).expect("a filter"),
        order: order::of_versions(parse_order_by(&VERSIONS, &orders).expect("an order")),
        limit: 10,
        ..Query::default()
    }
}

fn text(text: &str) -> SortValue {
    SortValue::Text(text.to_owned())
}

#[tokio::test]
async fn models_are_walked_by_name() {
    insta::assert_snapshot!(plan::<Model>(models("", &[]), None).await, @"SEARCH m USING INDEX models_by_name (project_id=?)");
}

#[tokio::test]
async fn a_later_page_of_models_seeks_its_start() {
    insta::assert_snapshot!(plan::<Model>(models("", &[]), Some(vec![text("a")])).await, @"SEARCH m USING INDEX models_by_name (project_id=? AND name>?)");
}

#[tokio::test]
async fn a_model_is_looked_up_by_its_name() {
    insta::assert_snapshot!(plan::<Model>(models("name = 'churn'", &[]), None).await, @"SEARCH m USING INDEX models_by_name (project_id=? AND name=?)");
}

#[tokio::test]
async fn metadata_of_models_is_looked_up() {
    insta::assert_snapshot!(plan::<Model>(models("tags.team = 'a'", &[]), None).await, @r"
    SEARCH m USING INDEX models_by_name (project_id=?)
    SEARCH d EXISTS USING PRIMARY KEY (project_id=? AND model_id=? AND name=?)
    ");
}

#[tokio::test]
async fn versions_are_walked_by_when_they_were_changed() {
    insta::assert_snapshot!(plan::<ModelVersion>(versions("", &[]), None).await, @r"
    SEARCH v USING INDEX versions_by_updated (project_id=? AND updated_at>?)
    SEARCH m USING PRIMARY KEY (project_id=? AND id=?)
    USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY
    ");
}

#[tokio::test]
async fn a_later_page_of_versions_seeks_its_start() {
    let places = vec![SortValue::Integer(5), text("a"), SortValue::Integer(1)];
    insta::assert_snapshot!(plan::<ModelVersion>(versions("", &[]), Some(places)).await, @r"
    SEARCH v USING INDEX versions_by_updated (project_id=? AND updated_at>? AND updated_at<?)
    SEARCH m USING PRIMARY KEY (project_id=? AND id=?)
    USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY
    ");
}

#[tokio::test]
async fn the_versions_of_a_model_are_those_that_are_read() {
    insta::assert_snapshot!(plan::<ModelVersion>(versions("name = 'churn'", &[]), None).await, @r"
    SEARCH v USING INDEX versions_of_model_by_updated (project_id=? AND model_id=?)
    SCALAR SUBQUERY 1
    SEARCH n USING INDEX models_by_name (project_id=? AND name=?)
    SEARCH m USING PRIMARY KEY (project_id=? AND id=?)
    REUSE SUBQUERY 1
    USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY
    ");
}

#[tokio::test]
async fn the_versions_of_a_run_are_those_that_are_read() {
    insta::assert_snapshot!(plan::<ModelVersion>(versions("run_id = 'x'", &[]), None).await, @r"
    SEARCH v USING PRIMARY KEY (project_id=? AND id=?)
    LIST SUBQUERY 1
    SEARCH i USING COVERING INDEX versions_by_run (project_id=? AND run_eid=?)
    SEARCH m USING PRIMARY KEY (project_id=? AND id=?)
    USE TEMP B-TREE FOR ORDER BY
    ");
}

#[tokio::test]
async fn metadata_of_versions_is_looked_up() {
    insta::assert_snapshot!(plan::<ModelVersion>(versions("tags.team = 'a'", &[]), None).await, @r"
    SEARCH v USING INDEX versions_by_updated (project_id=? AND updated_at>?)
    SEARCH m USING PRIMARY KEY (project_id=? AND id=?)
    SEARCH d EXISTS USING PRIMARY KEY (project_id=? AND version_id=? AND name=?)
    USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY
    ");
}

#[tokio::test]
async fn a_models_versions_in_the_order_of_numbers_are_those_that_are_read() {
    let query = versions("name = 'churn' AND version_number > 5", &["version_number DESC"]);
    insta::assert_snapshot!(plan::<ModelVersion>(query, None).await, @r"
    SEARCH v USING INDEX versions_by_number (project_id=? AND model_id=? AND number>?)
    SCALAR SUBQUERY 1
    SEARCH n USING INDEX models_by_name (project_id=? AND name=?)
    SEARCH m USING INDEX models_by_name (project_id=? AND name=? AND id=?)
    ");
}
