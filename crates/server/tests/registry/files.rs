//! The files of versions behind the artifact proxy.

use axum::http::Method;
use modelry_core::policy::Visibility;
use modelry_testkit::server::Answer;
use serde_json::{Value, json};

use crate::given::{Given, refusal, text};

/// The files of the version 1 of `churn`.
const FIRST: &str = "versions/1000001/artifacts";

/// What every way to a path of the proxy answers.
async fn every_way(given: &Given, path: &str) -> Vec<Answer> {
    let list = given.url(&format!("api/2.0/mlflow-artifacts/artifacts?path={path}"));
    vec![
        given.try_put(path, "bytes").await,
        given.download(path).await,
        given.actor.delete(&given.file(path)).await,
        given.actor.get(&list).await,
    ]
}

/// A draft of `churn`, and where its candidate's artifacts are.
async fn draft(given: &Given) -> (Value, String) {
    let made = given.version("", json!({})).await;
    let run = text(&made["run_id"]);
    let read = given.get("runs/get", &json!({"run_id": run})).await.expect_json();
    let uri = text(&read["run"]["info"]["artifact_uri"]);
    (made, uri.replace("mlflow-artifacts:/", ""))
}

#[tokio::test]
async fn files_of_a_version_are_listed_and_read() {
    let given = Given::new().await;
    assert_eq!(given.list(FIRST).await, ["MLmodel", "data"]);
    assert_eq!(given.list(&format!("{FIRST}/data")).await, ["w"]);
    assert_eq!(given.download(&format!("{FIRST}/data/w")).await.text(), "data/w");
    let missing = given.download(&format!("{FIRST}/none")).await;
    assert!(
        refusal(&missing).starts_with("404 RESOURCE_DOES_NOT_EXIST: No such artifact"),
        "{}",
        missing.text()
    );
    given.finish().await;
}

#[tokio::test]
async fn an_unknown_version_is_not_found_whatever_is_asked_of_it() {
    let given = Given::new().await;
    for number in [0, 1, 1_000_009, i64::MAX] {
        for answer in every_way(&given, &format!("versions/{number}/artifacts/w")).await {
            let words = format!("404 RESOURCE_DOES_NOT_EXIST: there is no model version {number}");
            assert_eq!(refusal(&answer), words);
        }
    }
    given.finish().await;
}

#[tokio::test]
async fn a_version_of_another_project_is_not_found() {
    let given = Given::new().await;
    let other = given.server.project(&given.actor, "Other", Visibility::Private).await;
    let url =
        format!("/api/v4/projects/{other}/ml/mlflow/api/2.0/mlflow-artifacts/artifacts/{FIRST}/MLmodel");
    let words = "404 RESOURCE_DOES_NOT_EXIST: there is no model version 1000001";
    assert_eq!(refusal(&given.actor.get(&url).await), words);
    assert_eq!(refusal(&given.actor.send(given.actor.request(Method::PUT, &url), "bytes").await), words);
    given.finish().await;
}

#[tokio::test]
async fn a_deleted_version_is_not_found() {
    let given = Given::new().await;
    let version = json!({"name": "churn", "version": "1"});
    given.call(&Method::DELETE, "model-versions/delete", &version).await.expect_json();
    for answer in every_way(&given, &format!("{FIRST}/MLmodel")).await {
        assert_eq!(answer.status, 404);
    }
    given.finish().await;
}

#[tokio::test]
async fn files_of_a_published_version_do_not_change() {
    let given = Given::new().await;
    let words = "409 RESOURCE_CONFLICT: version 1.0.0 of model churn is published, so its files do not change any \
                 more. The next free version is 1.0.1";
    for path in ["MLmodel", "new", "data/new", "data"] {
        let path = format!("{FIRST}/{path}");
        assert_eq!(refusal(&given.try_put(&path, "bytes").await), words, "PUT {path}");
        assert_eq!(refusal(&given.actor.delete(&given.file(&path)).await), words, "DELETE {path}");
    }
    assert_eq!(refusal(&given.actor.delete(&given.file(FIRST)).await), words);
    assert_eq!(given.list(FIRST).await, ["MLmodel", "data"]);
    given.finish().await;
}

#[tokio::test]
async fn files_of_a_draft_are_the_artifacts_of_its_run() {
    let given = Given::new().await;
    let (made, artifacts) = draft(&given).await;
    let address = "versions/1000002/artifacts";
    given.put(&format!("{address}/model/w"), "one").await;
    given.put(&format!("{artifacts}/model/v"), "two").await;
    assert_eq!(given.download(&format!("{artifacts}/model/w")).await.text(), "one");
    assert_eq!(given.list(&format!("{address}/model")).await, ["v", "w"]);
    assert_eq!(given.download_uri("2").await, format!("mlflow-artifacts:/{artifacts}"));
    given.actor.delete(&given.file(&format!("{address}/model/v"))).await.expect_json();
    assert_eq!(given.list(&format!("{artifacts}/model")).await, ["w"]);
    let update = json!({"run_id": made["run_id"], "status": "FINISHED"});
    given.post("runs/update", &update).await.expect_json();
    assert_eq!(given.try_put(&format!("{address}/model/w"), "three").await.status, 409);
    given.put(&format!("{artifacts}/model/w"), "three").await;
    assert_eq!(given.download(&format!("{address}/model/w")).await.text(), "one");
    given.finish().await;
}

#[tokio::test]
async fn a_run_that_failed_publishes_nothing() {
    let given = Given::new().await;
    let (made, artifacts) = draft(&given).await;
    given.put(&format!("{artifacts}/w"), "one").await;
    for status in ["FAILED", "KILLED", "RUNNING"] {
        let update = json!({"run_id": made["run_id"], "status": status});
        given.post("runs/update", &update).await.expect_json();
    }
    given.put("versions/1000002/artifacts/w", "two").await;
    given.finish().await;
}

#[tokio::test]
async fn nothing_climbs_out_of_a_version() {
    let given = Given::new().await;
    draft(&given).await;
    for address in [FIRST, "versions/1000002/artifacts"] {
        for path in ["../x", "%2e%2e/x", "a/%2e%2e/%2e%2e/x", "a//x", "a%5C..%5Cx", "%2Fetc/passwd"] {
            for answer in every_way(&given, &format!("{address}/{path}")).await {
                let refusal = refusal(&answer);
                assert!(refusal.starts_with("400 INVALID_PARAMETER_VALUE: "), "{address}/{path}: {refusal}");
            }
        }
    }
    given.finish().await;
}

#[tokio::test]
async fn an_experiment_is_not_located_where_versions_are() {
    let given = Given::new().await;
    for place in [FIRST.to_owned(), format!("{FIRST}/below"), "versions/7".to_owned()] {
        let body = json!({"name": "located", "artifact_location": format!("mlflow-artifacts:/{place}")});
        let refusal = refusal(&given.post("experiments/create", &body).await);
        assert!(refusal.starts_with("400 INVALID_PARAMETER_VALUE: "), "{place}: {refusal}");
        assert!(refusal.ends_with("the files of model versions are there"), "{place}: {refusal}");
    }
    given.finish().await;
}

#[tokio::test]
async fn a_tag_publishes_a_draft_that_has_files() {
    let given = Given::new().await;
    let (_, artifacts) = draft(&given).await;
    let publish = json!({"name": "churn", "version": "2", "key": "modelry.published", "value": "true"});
    let refused = given.post("model-versions/set-tag", &publish).await;
    let words =
        "409 RESOURCE_CONFLICT: version 1.0.1 of model churn has no files yet: log or upload them first";
    assert_eq!(refusal(&refused), words);
    assert_eq!(given.read("2").await["tags"], Value::Null);
    given.put(&format!("{artifacts}/w"), "one").await;
    for _ in 0..2 {
        given.post("model-versions/set-tag", &publish).await.expect_json();
    }
    assert_eq!(given.download_uri("2").await, "mlflow-artifacts:/versions/1000002/artifacts");
    assert_eq!(given.read("2").await["tags"], json!([{"key": "modelry.published", "value": "true"}]));
    given.finish().await;
}
