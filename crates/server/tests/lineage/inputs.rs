use serde_json::{Value, json};

use crate::given::{Given, assert_invalid, assert_missing, text};

/// A use of the dataset `iris` for `context`.
fn iris(context: &str) -> Value {
    json!({
        "tags": [{"key": "mlflow.data.context", "value": context}],
        "dataset": {"name": "iris", "digest": "d1", "source_type": "local", "source": "{}", "schema": "{\"a\": 1}"},
    })
}

async fn log_inputs(given: &Given, inputs: &Value) {
    let body = json!({"run_id": given.run, "datasets": inputs});
    assert_eq!(given.post("runs/log-inputs", &body).await.expect_json(), json!({}));
}

#[tokio::test]
async fn a_run_without_inputs_says_so() {
    let given = Given::new().await;
    let run = given.read_run().await;
    assert_eq!((&run["inputs"], run.get("outputs")), (&json!({}), None));
    given.finish().await;
}

#[tokio::test]
async fn inputs_are_answered_with_the_run() {
    let given = Given::new().await;
    let body = json!({"runId": given.run, "datasets": [iris("training")], "models": [{"model_id": "m-1"}]});
    given.post("runs/log-inputs", &body).await.expect_json();
    let expected = json!({"dataset_inputs": [iris("training")], "model_inputs": [{"model_id": "m-1"}]});
    assert_eq!(given.read_run().await["inputs"], expected);
    given.finish().await;
}

#[tokio::test]
async fn a_search_for_runs_answers_inputs_and_outputs() {
    let given = Given::new().await;
    log_inputs(&given, &json!([iris("training")])).await;
    let outputs = json!({"run_id": given.run, "models": [{"model_id": "m-1", "step": 3}]});
    assert_eq!(given.post("runs/outputs", &outputs).await.expect_json(), json!({}));
    let found = given.post("runs/search", &json!({"experiment_ids": ["0"]})).await.expect_json();
    assert_eq!(found["runs"][0]["inputs"]["dataset_inputs"], json!([iris("training")]));
    let outputs = json!({"model_outputs": [{"model_id": "m-1", "step": 3}]});
    assert_eq!(found["runs"][0]["outputs"], outputs);
    given.finish().await;
}

#[tokio::test]
async fn a_dataset_logged_twice_is_one_input() {
    let given = Given::new().await;
    for context in ["training", "eval"] {
        log_inputs(&given, &json!([iris(context)])).await;
    }
    assert_eq!(given.read_run().await["inputs"]["dataset_inputs"], json!([iris("eval")]));
    given.finish().await;
}

#[tokio::test]
async fn an_output_is_refused_the_second_time() {
    let given = Given::new().await;
    let body = json!({"run_id": given.run, "models": [{"model_id": "m-1"}]});
    given.post("runs/outputs", &body).await.expect_json();
    assert_invalid(&given.post("runs/outputs", &body).await);
    given.finish().await;
}

#[tokio::test]
async fn inputs_and_outputs_need_an_active_run() {
    let given = Given::new().await;
    let unknown = json!({"run_id": "0123456789abcdef0123456789abcdef", "models": []});
    let deleted = json!({"run_id": given.run, "models": []});
    given.post("runs/delete", &json!({"run_id": given.run})).await.expect_json();
    for call in ["runs/log-inputs", "runs/outputs"] {
        assert_missing(&given.post(call, &unknown).await);
        assert_invalid(&given.post(call, &deleted).await);
        assert_invalid(&given.post(call, &json!({"models": []})).await);
    }
    given.finish().await;
}

#[tokio::test]
async fn a_dataset_that_does_not_fit_is_refused() {
    let given = Given::new().await;
    let with = |field: &str, value: Value| {
        let mut input = iris("training");
        input["dataset"][field] = value;
        json!({"run_id": given.run, "datasets": [input]})
    };
    for body in [
        with("name", Value::Null),
        with("digest", json!("")),
        with("source_type", Value::Null),
        with("source", Value::Null),
        with("digest", json!("d".repeat(37))),
        with("name", json!("n".repeat(501))),
        json!({"run_id": given.run, "datasets": [{"tags": []}]}),
        json!({"run_id": given.run, "datasets": vec![iris("training"); 101]}),
        json!({"run_id": given.run, "models": [{"step": 1}]}),
    ] {
        assert_invalid(&given.post("runs/log-inputs", &body).await);
    }
    given.finish().await;
}

#[tokio::test]
async fn datasets_of_experiments_are_summarised() {
    let given = Given::new().await;
    log_inputs(&given, &json!([iris("training")])).await;
    let found = given.post("experiments/search-datasets", &json!({"experiment_ids": ["0"]})).await;
    let summary = json!({"experiment_id": "0", "name": "iris", "digest": "d1", "context": "training"});
    assert_eq!(found.expect_json(), json!({"dataset_summaries": [summary]}));
    given.finish().await;
}

#[tokio::test]
async fn a_search_for_datasets_names_1_to_20_experiments() {
    let given = Given::new().await;
    let search = async |count: usize| {
        given.post("experiments/search-datasets", &json!({"experiment_ids": vec!["0"; count]})).await
    };
    assert_invalid(&search(0).await);
    assert_eq!(search(20).await.expect_json(), json!({}));
    let answer = search(21).await;
    assert_invalid(&answer);
    let words =
        "SearchDatasets request cannot specify more than 20 experiment_ids. Received 21 experiment_ids.";
    assert_eq!(text(&answer.json()["message"]), words);
    given.finish().await;
}
