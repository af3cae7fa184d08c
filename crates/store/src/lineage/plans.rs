//! How SQLite goes about finding edges: each by the range of an index, and never through all rows of a project.

use modelry_db::Param;
use modelry_testkit::{Schema, sqlite};

use super::{artefacts, candidates, metadata, sources, versions};
use crate::pulls;

/// SQLite's plan for a statement.
async fn plan(sql: &str) -> String {
    let database = sqlite(Schema::Product).await;
    let explain = format!("EXPLAIN QUERY PLAN {sql}");
    let placeholders = (1..10).take_while(|number| sql.contains(&format!("${number}"))).count();
    let db = database.db();
    let read = db.read(move |tx| {
        tx.query(&explain, &vec![&0_i64 as &dyn Param; placeholders], |row| row.get::<String>(3))
    });
    let plan = read.await.expect("the statement has a plan").join("\n");
    database.finish().await;
    plan
}

#[tokio::test]
async fn children_are_a_range_of_their_experiment() {
    insta::assert_snapshot!(plan(metadata::IN_EXPERIMENT).await, @r"
    SEARCH i USING COVERING INDEX metadata_by_value (project_id=? AND experiment_id=? AND key_id=? AND sort=?)
    CORRELATED SCALAR SUBQUERY 1
    SEARCH d USING PRIMARY KEY (project_id=? AND candidate_id=? AND key_id=?)
    ");
}

#[tokio::test]
async fn candidates_of_a_commit_are_a_range_of_each_experiment() {
    insta::assert_snapshot!(plan(metadata::IN_PROJECT).await, @r"
    SEARCH e USING PRIMARY KEY (project_id=?)
    SEARCH i USING COVERING INDEX metadata_by_value (project_id=? AND experiment_id=? AND key_id=? AND sort=?)
    CORRELATED SCALAR SUBQUERY 1
    SEARCH d USING PRIMARY KEY (project_id=? AND candidate_id=? AND key_id=?)
    ");
}

#[tokio::test]
async fn candidates_of_a_dataset_and_of_a_logged_model_are_ranges() {
    let users = plan(artefacts::USERS_OF).await;
    let inputs = plan(&artefacts::noted_by_sql("candidate_model_inputs")).await;
    let outputs = plan(&artefacts::noted_by_sql("candidate_model_outputs")).await;
    insta::assert_snapshot!([users, inputs, outputs].join("\n"), @r"
    SEARCH candidate_datasets USING COVERING INDEX candidate_datasets_by_dataset (project_id=? AND dataset_id=?)
    SEARCH candidate_model_inputs USING COVERING INDEX candidate_model_inputs_by_model (project_id=? AND model_eid=?)
    SEARCH candidate_model_outputs USING COVERING INDEX candidate_model_outputs_by_model (project_id=? AND model_eid=?)
    ");
}

#[tokio::test]
async fn logged_models_of_a_candidate_are_ranges() {
    let made = plan(artefacts::MODELS_OF).await;
    let inputs = plan(&candidates::models_sql("candidate_model_inputs")).await;
    insta::assert_snapshot!([made, inputs].join("\n"), @r"
    SEARCH i USING COVERING INDEX logged_models_by_source (project_id=? AND source_eid=?)
    SEARCH l USING PRIMARY KEY (project_id=? AND id=?)
    SEARCH i USING PRIMARY KEY (project_id=? AND candidate_id=?)
    SEARCH l USING COVERING INDEX logged_models_by_eid (project_id=? AND eid=?) LEFT-JOIN
    ");
}

#[tokio::test]
async fn versions_are_ranges_by_candidate_run_and_logged_model() {
    let mut plans = Vec::new();
    for condition in ["candidate_id = $2", versions::OF_UNKNOWN_RUN, "logged_model_eid = $2"] {
        plans.push(plan(&versions::ids_sql(condition)).await);
    }
    insta::assert_snapshot!(plans.join("\n"), @r"
    SEARCH versions USING COVERING INDEX versions_by_candidate (project_id=? AND candidate_id=?)
    SEARCH versions USING COVERING INDEX versions_by_candidate (project_id=? AND candidate_id=? AND id=?)
    LIST SUBQUERY 1
    SEARCH i USING COVERING INDEX versions_by_run (project_id=? AND run_eid=?)
    SEARCH versions USING COVERING INDEX versions_by_logged_model (project_id=? AND logged_model_eid=?)
    ");
}

#[tokio::test]
async fn versions_made_from_files_are_a_range() {
    insta::assert_snapshot!(plan(versions::MADE_FROM).await, @"SEARCH versions USING COVERING INDEX versions_by_source (project_id=? AND source_owner=? AND source_owner_id=?)");
}

#[tokio::test]
async fn versions_with_a_base_are_ranges_of_their_models() {
    insta::assert_snapshot!(plan(versions::BASED_ON).await, @r"
    SEARCH b USING COVERING INDEX model_bases_by_base (project_id=? AND base=?)
    SEARCH v USING COVERING INDEX versions_by_number (project_id=? AND model_id=?)
    USE TEMP B-TREE FOR LAST TERM OF ORDER BY
    ");
}

#[tokio::test]
async fn addresses_and_external_sources_are_ranges() {
    let datasets = plan(&sources::of_text_sql("datasets", "address")).await;
    let versions = plan(&sources::of_text_sql("versions", "external_source")).await;
    insta::assert_snapshot!([datasets, versions].join("\n"), @r"
    SEARCH i USING COVERING INDEX datasets_by_address (project_id=? AND address_sort=?)
    SEARCH r USING PRIMARY KEY (project_id=? AND id=?)
    SEARCH i USING COVERING INDEX versions_by_external_source (project_id=? AND external_source_sort=?)
    SEARCH r USING PRIMARY KEY (project_id=? AND id=?)
    ");
}

#[tokio::test]
async fn what_somebody_pulled_is_a_range() {
    insta::assert_snapshot!(plan(pulls::OF_PULLER).await, @r"
    SEARCH i USING COVERING INDEX pulls_by_puller (project_id=? AND token_id=? AND user_id>? AND user_id<?)
    SEARCH p USING PRIMARY KEY (project_id=? AND version_id=? AND token_id=? AND user_id=? AND door=?)
    ");
}
