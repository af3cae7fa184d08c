//! Where the files of a version come from, and where clients are sent for them.

use modelry_core::ids::LoggedModelEid;
use serde_json::{Value, json};

use crate::given::{Given, refusal, text};

const UNKNOWN: &str = "0190a0000000700080000000000000ff";

/// A logged model of the run, with a file.
async fn logged_model(given: &Given, run: &str) -> String {
    let body = json!({"experiment_id": "0", "name": "model", "source_run_id": run});
    let made = given.post("logged-models", &body).await.expect_json();
    let id = text(&made["model"]["info"]["model_id"]);
    id.parse::<LoggedModelEid>().expect("a public id");
    given.put(&format!("0/models/{id}/artifacts/MLmodel"), "flavors").await;
    id
}

fn address(version: &Value) -> String {
    // Its number in the project is told by its address alone.
    let number: i64 = text(&version["version"]).parse().expect("a number");
    format!("mlflow-artifacts:/versions/{}/artifacts", 1_000_000 + number)
}

#[tokio::test]
async fn a_version_with_files_is_downloaded_from_its_own_address() {
    let given = Given::new().await;
    assert_eq!(given.download_uri("1").await, "mlflow-artifacts:/versions/1000001/artifacts");
    assert_eq!(given.download_uri("^1").await, "mlflow-artifacts:/versions/1000001/artifacts");
    given.finish().await;
}

#[tokio::test]
async fn an_unknown_run_is_kept_as_text_and_answered() {
    let given = Given::new().await;
    for run in [UNKNOWN, "not an id"] {
        let source = format!("runs:/{run}/model");
        let made = given.version(&source, json!({"run_id": run})).await;
        assert_eq!((text(&made["source"]), text(&made["run_id"])), (source.clone(), run.to_owned()));
        assert_eq!(given.download_uri(&text(&made["version"])).await, source);
    }
    given.finish().await;
}

#[tokio::test]
async fn a_version_of_nothing_whose_run_is_not_there_has_no_files() {
    let given = Given::new().await;
    given.version("", json!({"run_id": UNKNOWN})).await;
    assert_eq!(
        given.download_uri("2").await,
        "400 INVALID_PARAMETER_VALUE: version 1.0.1 of model churn has no files: the run it names is not there"
    );
    given.finish().await;
}

#[tokio::test]
async fn a_run_that_does_not_fit_the_source_is_stored_as_given() {
    let given = Given::new().await;
    let (run, other) = (given.run().await, given.run().await);
    given.put(&format!("0/{run}/artifacts/model/w"), "weights").await;
    let made = given.version(&format!("runs:/{run}/model"), json!({"run_id": other})).await;
    assert_eq!(text(&made["run_id"]), other);
    assert_eq!(given.download_uri("2").await, address(&made));
    given.finish().await;
}

#[tokio::test]
async fn a_logged_model_is_taken_by_its_id_by_its_run_and_by_its_address() {
    let given = Given::new().await;
    let run = given.run().await;
    let model = logged_model(&given, &run).await;
    for source in [
        format!("models:/{model}"),
        format!("runs:/{run}/model"),
        format!("mlflow-artifacts:/0/models/{model}/artifacts"),
    ] {
        let made = given.version(&source, json!({})).await;
        assert_eq!(text(&made["run_id"]), run, "{source}");
        let path = address(&made).replace("mlflow-artifacts:/", "");
        assert_eq!(given.download(&format!("{path}/MLmodel")).await.text(), "flavors", "{source}");
    }
    let logged = given.get(&format!("logged-models/{model}"), &json!({})).await.expect_json();
    let registered = logged["model"]["info"]["registrations"].as_array().map(Vec::len);
    assert_eq!(registered, Some(3), "{logged}");
    given.finish().await;
}

#[tokio::test]
async fn a_logged_model_that_the_source_does_not_name_is_refused() {
    let given = Given::new().await;
    let run = given.run().await;
    let [model, other] = [logged_model(&given, &run).await, logged_model(&given, &run).await];
    let refusal = given.refused_version(&format!("models:/{model}"), json!({"model_id": other})).await;
    let words = format!(
        "400 INVALID_PARAMETER_VALUE: Invalid value \"{other}\" for parameter 'model_id' supplied: the source names \
         the model {model}"
    );
    assert_eq!(refusal, words);
    given.version(&format!("models:/{model}"), json!({"model_id": model})).await;
    given.finish().await;
}

#[tokio::test]
async fn a_logged_model_or_version_that_is_not_there_is_not_found() {
    let given = Given::new().await;
    for source in [
        format!("models:/m-{UNKNOWN}"),
        "models:/nobody/1".to_owned(),
        "models:/churn/9".to_owned(),
        "models:/churn/^9".to_owned(),
        format!("mlflow-artifacts:/0/{UNKNOWN}/artifacts"),
        "mlflow-artifacts:/versions/9/artifacts".to_owned(),
    ] {
        let refusal = given.refused_version(&source, json!({})).await;
        assert!(refusal.starts_with("404 RESOURCE_DOES_NOT_EXIST: "), "{source}: {refusal}");
    }
    given.finish().await;
}

#[tokio::test]
async fn a_local_or_climbing_source_is_refused() {
    let given = Given::new().await;
    for source in
        ["/etc/passwd", "%66ile:///etc", "s3://b/%252e%252e/x", "runs:/x/%c0%ae%c0%ae/y", "s3://b/a\0b"]
    {
        let refusal = given.refused_version(source, json!({})).await;
        assert!(
            refusal.starts_with("400 INVALID_PARAMETER_VALUE: Invalid model version source"),
            "{refusal}"
        );
    }
    given.finish().await;
}

#[tokio::test]
async fn a_copy_of_a_version_in_a_cloud_is_downloaded_from_there() {
    let given = Given::new().await;
    given.model("other").await;
    given.version("s3://bucket/model", json!({})).await;
    let body = json!({"name": "other", "source": "models:/churn/2"});
    let made = given.post("model-versions/create", &body).await.expect_json()["model_version"].clone();
    assert_eq!(
        (text(&made["source"]), text(&made["semantic_version"])),
        ("models:/churn/2".into(), "1.0.1".into())
    );
    let query = json!({"name": "other", "version": "1"});
    let uri = given.get("model-versions/get-download-uri", &query).await.expect_json();
    assert_eq!(uri["artifact_uri"], "s3://bucket/model");
    given.finish().await;
}

#[tokio::test]
async fn a_copy_of_a_version_on_another_host_sends_nobody_there() {
    let given = Given::new().await;
    given.version("https://elsewhere.example/model", json!({})).await;
    given.version("models:/churn/2", json!({})).await;
    let refusal = given.download_uri("3").await;
    assert_eq!(
        refusal,
        "400 INVALID_PARAMETER_VALUE: version 1.0.2 of model churn names files outside this server: \
         https://elsewhere.example/model"
    );
    given.finish().await;
}

#[tokio::test]
async fn a_version_of_files_outside_runs_is_a_snapshot_too() {
    let given = Given::new().await;
    given.put("loose/model/w", "weights").await;
    let made = given.version("mlflow-artifacts:/loose/model", json!({})).await;
    given.put("loose/model/w", "changed").await;
    let path = address(&made).replace("mlflow-artifacts:/", "");
    assert_eq!(given.download(&format!("{path}/w")).await.text(), "weights");
    given.finish().await;
}

#[tokio::test]
async fn a_version_that_is_none_says_which_is_meant() {
    let given = Given::new().await;
    let tags = |value: &str| json!({"tags": [{"key": "gitlab.version", "value": value}]});
    for (sent, words) in
        [("v2.1", "did you mean 2.1.0?"), ("1.x", "is not a semantic version"), ("", "it is blank")]
    {
        let refusal = given.refused_version("", tags(sent)).await;
        assert!(refusal.starts_with("400 INVALID_PARAMETER_VALUE: "), "{sent}: {refusal}");
        assert!(refusal.contains(words), "{sent}: {refusal}");
    }
    let refusal = given.refused_version("", tags("1.0.0")).await;
    assert!(
        refusal.starts_with("400 RESOURCE_ALREADY_EXISTS: version 1.0.0 of model churn exists already"),
        "{refusal}"
    );
    given.finish().await;
}

#[tokio::test]
async fn a_name_is_told_what_has_it() {
    let given = Given::new().await;
    let create = |tags: Value| json!({"name": "churn", "tags": tags});
    let model = given.post("registered-models/create", &create(json!([]))).await;
    assert_eq!(refusal(&model), "400 RESOURCE_ALREADY_EXISTS: Registered Model (name=churn) already exists.");
    let tags = json!([{"key": "mlflow.prompt.is_prompt", "value": "True"}]);
    let prompt = refusal(&given.post("registered-models/create", &create(tags)).await);
    assert!(
        prompt.starts_with("400 RESOURCE_ALREADY_EXISTS: Tried to create a prompt with name 'churn'"),
        "{prompt}"
    );
    given.finish().await;
}
