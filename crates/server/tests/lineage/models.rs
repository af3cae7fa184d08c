use axum::http::StatusCode;
use modelry_testkit::server::START;
use serde_json::{Value, json};

use crate::given::{Given, assert_invalid, assert_missing, text};

fn path(model: &str) -> String {
    format!("logged-models/{model}")
}

async fn read(given: &Given, model: &str) -> Value {
    given.get(&path(model)).await.expect_json()["model"].clone()
}

#[tokio::test]
async fn a_new_model_is_answered_whole() {
    let given = Given::new().await;
    let body = json!({
        "experiment_id": "0",
        "name": "churn",
        "model_type": "classifier",
        "source_run_id": given.run,
        "params": [{"key": "depth", "value": "3"}],
        "tags": [{"key": "team", "value": "a"}],
    });
    let model = given.post("logged-models", &body).await.expect_json()["model"].clone();
    let id = text(&model["info"]["model_id"]);
    assert!(id.len() == 34 && id.starts_with("m-"), "{id}");
    let expected = json!({
        "info": {
            "model_id": id,
            "experiment_id": "0",
            "name": "churn",
            "creation_timestamp_ms": START.ms(),
            "last_updated_timestamp_ms": START.ms(),
            "artifact_uri": format!("mlflow-artifacts:/0/models/{id}/artifacts"),
            "status": "LOGGED_MODEL_PENDING",
            "creator_id": given.actor.user().0,
            "model_type": "classifier",
            "source_run_id": given.run,
            "tags": [{"key": "team", "value": "a"}],
        },
        "data": {"params": [{"key": "depth", "value": "3"}]},
    });
    assert_eq!(model, expected);
    assert_eq!(read(&given, &id).await, expected);
    given.finish().await;
}

#[tokio::test]
async fn a_model_without_a_name_gets_one() {
    let given = Given::new().await;
    for body in [json!({"experimentId": "0"}), json!({"experiment_id": "0", "name": ""})] {
        let model = given.post("logged-models", &body).await.expect_json();
        assert_eq!(text(&model["model"]["info"]["name"]).split('-').count(), 3);
    }
    given.finish().await;
}

#[tokio::test]
async fn a_model_that_cannot_be_is_refused() {
    let given = Given::new().await;
    let long = "x".repeat(100_001);
    for body in [
        json!({"experiment_id": "0", "name": "a/b"}),
        json!({"experiment_id": "none", "name": "m"}),
        json!({"experiment_id": "0", "params": [{"key": "a", "value": "1"}, {"key": "a", "value": "1"}]}),
        json!({"experiment_id": "0", "params": [{"key": "", "value": "1"}]}),
        json!({"experiment_id": "0", "params": [{"key": "a"}]}),
        json!({"experiment_id": "0", "tags": [{"key": "a", "value": long}]}),
        json!({"experiment_id": "0", "tags": "a"}),
    ] {
        assert_invalid(&given.post("logged-models", &body).await);
    }
    given.finish().await;
}

#[tokio::test]
async fn a_model_without_an_experiment_is_refused_in_mlflows_words() {
    let given = Given::new().await;
    let answer = given.post("logged-models", &json!({"name": "m"})).await;
    assert_invalid(&answer);
    let words = "Missing value for required parameter 'experiment_id'.";
    assert!(text(&answer.json()["message"]).starts_with(words), "{}", answer.text());
    assert_missing(&given.post("logged-models", &json!({"experiment_id": "9"})).await);
    given.finish().await;
}

#[tokio::test]
async fn a_model_is_finalized_by_name_or_number_of_a_status() {
    let given = Given::new().await;
    let id = given.model("m").await;
    let named = json!({"model_id": id, "status": "LOGGED_MODEL_UPLOAD_FAILED"});
    let answer = given.patch(&path(&id), &named).await.expect_json();
    assert_eq!(answer["model"]["info"]["status"], "LOGGED_MODEL_UPLOAD_FAILED");
    given.patch(&path(&id), &json!({"model_id": id, "status": 2})).await.expect_json();
    assert_eq!(read(&given, &id).await["info"]["status"], "LOGGED_MODEL_READY");
    given.finish().await;
}

#[tokio::test]
async fn a_status_that_is_none_is_refused() {
    let given = Given::new().await;
    let id = given.model("m").await;
    for body in [json!({}), json!({"status": "READY"}), json!({"status": 0}), json!({"status": 7})] {
        assert_invalid(&given.patch(&path(&id), &body).await);
    }
    given.finish().await;
}

#[tokio::test]
async fn a_body_cannot_name_another_model_than_the_url() {
    let given = Given::new().await;
    let (id, other) = (given.model("m").await, given.model("n").await);
    assert_invalid(&given.patch(&path(&id), &json!({"model_id": other, "status": 2})).await);
    given.finish().await;
}

#[tokio::test]
async fn an_unknown_model_is_missing_in_every_call() {
    let given = Given::new().await;
    for id in ["m-00000000000000000000000000000000", "nonsense"] {
        let path = path(id);
        assert_missing(&given.get(&path).await);
        assert_missing(&given.patch(&path, &json!({"status": 2})).await);
        assert_missing(&given.delete(&path).await);
        assert_missing(&given.post(&format!("{path}/params"), &json!({})).await);
        assert_missing(&given.patch(&format!("{path}/tags"), &json!({})).await);
        assert_missing(&given.delete(&format!("{path}/tags/a")).await);
    }
    let message = text(&given.get(&path("nonsense")).await.json()["message"]);
    assert_eq!(message, "Logged model with ID 'nonsense' not found.");
    given.finish().await;
}

#[tokio::test]
async fn a_deleted_model_is_shown_only_on_request() {
    let given = Given::new().await;
    let id = given.model("m").await;
    for _ in 0..2 {
        assert_eq!(given.delete(&path(&id)).await.expect_json(), json!({}));
    }
    assert_missing(&given.get(&path(&id)).await);
    let shown = given.get(&format!("{}?allow_deleted=true", path(&id))).await.expect_json();
    assert_eq!(shown["model"]["info"]["name"], "m");
    given.finish().await;
}

#[tokio::test]
async fn params_are_added_once() {
    let given = Given::new().await;
    let id = given.model("m").await;
    let call = format!("{}/params", path(&id));
    let body = |key: &str| json!({"model_id": id, "params": [{"key": key, "value": "1"}]});
    assert_eq!(given.post(&call, &body("b")).await.expect_json(), json!({}));
    given.post(&call, &body("a")).await.expect_json();
    assert_invalid(&given.post(&call, &body("a")).await);
    let expected = json!([{"key": "a", "value": "1"}, {"key": "b", "value": "1"}]);
    assert_eq!(read(&given, &id).await["data"]["params"], expected);
    given.finish().await;
}

#[tokio::test]
async fn tags_are_set_and_deleted() {
    let given = Given::new().await;
    let id = given.model("m").await;
    let tags = json!([{"key": "a/b", "value": "1"}, {"key": "mlflow.modelVersions", "value": "[]"}]);
    let call = format!("{}/tags", path(&id));
    let answer = given.patch(&call, &json!({"tags": tags})).await.expect_json();
    assert_eq!(answer["model"]["info"]["tags"], tags);
    for key in ["mlflow.modelVersions", "a/b"] {
        assert_eq!(given.delete(&format!("{call}/{key}")).await.expect_json(), json!({}));
        assert_missing(&given.delete(&format!("{call}/{key}")).await);
    }
    assert_eq!(read(&given, &id).await["info"]["tags"], Value::Null);
    given.finish().await;
}

#[tokio::test]
async fn a_metric_of_a_run_can_be_a_models_too() {
    let given = Given::new().await;
    let id = given.model("m").await;
    let metric = |key: &str, value: &Value| {
        json!({"key": key, "value": value, "timestamp": 5, "step": 2, "model_id": id,
               "dataset_name": "eval", "dataset_digest": "d1"})
    };
    let batch = json!({"run_id": given.run, "metrics": [
        metric("f1", &json!(0.5)),
        metric("loss", &json!("NaN")),
        {"key": "of_run", "value": 1, "timestamp": 5},
    ]});
    given.post("runs/log-batch", &batch).await.expect_json();
    let alone = json!({"run_id": given.run, "key": "auc", "value": 0.75, "timestamp": 6, "model_id": id});
    given.post("runs/log-metric", &alone).await.expect_json();
    let of_model = |key: &str, value: f64| {
        json!({"key": key, "value": value, "timestamp": 5, "step": 2, "model_id": id, "run_id": given.run,
               "dataset_name": "eval", "dataset_digest": "d1"})
    };
    let auc =
        json!({"key": "auc", "value": 0.75, "timestamp": 6, "step": 0, "model_id": id, "run_id": given.run});
    let expected = json!([auc, of_model("f1", 0.5), of_model("loss", 0.0)]);
    assert_eq!(read(&given, &id).await["data"]["metrics"], expected);
    assert_eq!(given.read_run().await["data"]["metrics"].as_array().map(Vec::len), Some(4));
    given.finish().await;
}

#[tokio::test]
async fn a_metric_of_an_unknown_model_is_logged_nowhere() {
    let given = Given::new().await;
    let unknown = "m-00000000000000000000000000000000";
    let body = json!({"run_id": given.run, "key": "auc", "value": 1, "timestamp": 6, "model_id": unknown});
    assert_missing(&given.post("runs/log-metric", &body).await);
    assert_eq!(given.read_run().await["data"], json!({"tags": given.read_run().await["data"]["tags"]}));
    given.finish().await;
}

#[tokio::test]
async fn whoever_only_reads_can_read_and_search_but_not_change() {
    let given = Given::new().await;
    let id = given.model("m").await;
    let reader = given.server.user("bob").await;
    let search = json!({"experiment_ids": ["0"]});
    reader.get(&given.url(&path(&id))).await.expect_json();
    reader.post(&given.url("logged-models/search"), &search).await.expect_json();
    let made = reader.post(&given.url("logged-models"), &json!({"experiment_id": "0"})).await;
    let deleted = reader.delete(&given.url(&path(&id))).await;
    assert_eq!([made.status, deleted.status], [StatusCode::FORBIDDEN; 2]);
    given.finish().await;
}
