//! `get-latest-versions`, by `POST` and by `GET`.

use axum::http::Method;
use modelry_testkit::server::Answer;
use serde_json::{Value, json};

use crate::given::{Given, encoded, refusal, text};

const CALL: &str = "registered-models/get-latest-versions";

/// The answers by both methods, which have to be the same.
async fn latest(given: &Given, stages: &[&str]) -> Answer {
    let by_post = given.post(CALL, &json!({"name": "churn", "stages": stages})).await;
    let pairs = stages.iter().map(|stage| format!("stages={}", encoded(stage)));
    let query: Vec<String> = std::iter::once("name=churn".to_owned()).chain(pairs).collect();
    let url = given.url(&format!("api/2.0/mlflow/{CALL}?{}", query.join("&")));
    let by_get = given.actor.get(&url).await;
    assert_eq!((by_post.status, by_post.json()), (by_get.status, by_get.json()));
    by_post
}

/// The sequence numbers that are answered.
async fn numbers(given: &Given, stages: &[&str]) -> Vec<String> {
    let answer = latest(given, stages).await.expect_json();
    let versions = answer["model_versions"].as_array().cloned().unwrap_or_default();
    versions.iter().map(|version| text(&version["version"])).collect()
}

/// Versions 1.0.0, 1.1.0 (Production), 2.0.0 (Staging) and the draft 3.0.0.
async fn four() -> Given {
    let given = Given::new().await;
    for (version, source) in [("1.1.0", "s3://b/1"), ("2.0.0", "s3://b/2"), ("3.0.0", "")] {
        given.version(source, json!({"tags": [{"key": "modelry.version", "value": version}]})).await;
    }
    for (version, stage) in [("2", "Production"), ("3", "Staging")] {
        let body =
            json!({"name": "churn", "version": version, "stage": stage, "archive_existing_versions": false});
        given.post("model-versions/transition-stage", &body).await.expect_json();
    }
    given
}

#[tokio::test]
async fn without_stages_it_is_one_of_each_in_use() {
    let given = four().await;
    assert_eq!(numbers(&given, &[]).await, ["1", "3", "2"]);
    let by_empty =
        given.call(&Method::POST, CALL, &json!({"name": "churn", "stages": null})).await.expect_json();
    assert_eq!(by_empty, latest(&given, &[]).await.expect_json());
    given.finish().await;
}

#[tokio::test]
async fn stages_are_answered_in_the_order_in_which_they_were_asked_for() {
    let given = four().await;
    assert_eq!(numbers(&given, &["Staging", "production"]).await, ["3", "2"]);
    assert_eq!(numbers(&given, &["Archived", "None"]).await, ["1"]);
    assert_eq!(numbers(&given, &["Archived"]).await, [""; 0]);
    given.finish().await;
}

#[tokio::test]
async fn selectors_stand_where_clients_write_stages() {
    let given = four().await;
    for (selector, number) in [
        ("^1", "2"),
        ("~1.0", "1"),
        (">=1.0.0, <2", "2"),
        ("*", "3"),
        ("latest", "3"),
        ("1", "1"),
        ("3.0.0", "4"),
        ("v1.1.0", "2"),
    ] {
        assert_eq!(numbers(&given, &[selector]).await, [number], "{selector}");
    }
    given.finish().await;
}

#[tokio::test]
async fn each_version_is_answered_once() {
    let given = four().await;
    assert_eq!(numbers(&given, &["^1", "Production", "2", "^2"]).await, ["2", "3"]);
    given.finish().await;
}

#[tokio::test]
async fn what_selects_nothing_is_not_found_and_what_cannot_is_refused() {
    let given = four().await;
    for (selector, start) in [
        (
            "^7",
            "404 RESOURCE_DOES_NOT_EXIST: no version of model churn matches ^7: its greatest are 2.0.0, 1.1.0",
        ),
        ("7.0.0", "404 RESOURCE_DOES_NOT_EXIST: Model Version (name=churn, version=7.0.0) not found"),
        ("nobody", "404 RESOURCE_DOES_NOT_EXIST: Registered model alias nobody not found."),
        ("^1.2.3.4", "400 INVALID_PARAMETER_VALUE: \"^1.2.3.4\" is not a version requirement"),
        ("a b", "400 INVALID_PARAMETER_VALUE: Invalid alias name: 'a b'"),
    ] {
        let refusal = refusal(&latest(&given, &[selector]).await);
        assert!(refusal.starts_with(start), "{selector}: {refusal}");
    }
    given.finish().await;
}

#[tokio::test]
async fn a_model_without_versions_has_none() {
    let given = Given::empty().await;
    given.model("churn").await;
    assert_eq!(latest(&given, &[]).await.expect_json(), json!({}));
    let model = given.get("registered-models/get", &json!({"name": "churn"})).await.expect_json();
    assert_eq!(model["registered_model"].get("latest_versions"), None::<&Value>);
    given.finish().await;
}
