//! The calls that log to a run.

use serde_json::{Value, json};

use crate::given::{Given, invalid, missing, refusal, text};

fn pair(key: &str, value: &str) -> Value {
    json!({"key": key, "value": value})
}

fn many(count: usize, entry: &Value) -> Vec<Value> {
    let keyed = |number| {
        let mut entry = entry.clone();
        entry["key"] = format!("k{number}").into();
        entry
    };
    (0..count).map(keyed).collect()
}

#[tokio::test]
async fn params_metrics_and_tags_are_answered_sorted_by_key() {
    let given = Given::new().await;
    let batch = json!({
        "metrics": [
            {"key": "b", "value": 2, "timestamp": 1, "step": 3},
            {"key": "a", "value": 1, "timestamp": 1},
        ],
        "params": [pair("z", "1"), pair("y", "")],
        "tags": [pair("t", "1"), pair("s", "2"), pair("t", "3")],
    });
    assert_eq!(given.on_run("runs/log-batch", batch).await.expect_json(), json!({}));
    let mut data = given.read_run().await["data"].clone();
    let tags = data["tags"].as_array_mut().expect("tags");
    tags.retain(|tag| tag["key"] != "mlflow.runName");
    assert_eq!(
        data,
        json!({
            "metrics": [
                {"key": "a", "value": 1.0, "timestamp": 1, "step": 0},
                {"key": "b", "value": 2.0, "timestamp": 1, "step": 3},
            ],
            "params": [pair("y", ""), pair("z", "1")],
            "tags": [pair("s", "2"), pair("t", "3")],
        })
    );
    given.finish().await;
}

#[tokio::test]
async fn a_param_is_written_once() {
    let given = Given::new().await;
    for _ in 0..2 {
        given.on_run("runs/log-parameter", pair("depth", "3")).await.expect_json();
    }
    let words = format!(
        "Changing param values is not allowed. Param with key='depth' was already logged with value='3' for run \
         ID='{}'. Attempted logging new value '4'.",
        given.run
    );
    assert_eq!(invalid(&given.on_run("runs/log-parameter", pair("depth", "4")).await), words);
    given.finish().await;
}

#[tokio::test]
async fn a_batch_is_logged_whole_or_not_at_all() {
    let given = Given::new().await;
    given.on_run("runs/log-parameter", pair("depth", "3")).await.expect_json();
    let batch = json!({
        "metrics": [{"key": "loss", "value": 1, "timestamp": 1}],
        "params": [pair("new", "1"), pair("depth", "4")],
        "tags": [pair("a", "b")],
    });
    invalid(&given.on_run("runs/log-batch", batch).await);
    let data = given.read_run().await["data"].clone();
    assert_eq!((&data["metrics"], &data["params"]), (&Value::Null, &json!([pair("depth", "3")])));
    assert_eq!(data["tags"].as_array().map(Vec::len), Some(1), "only its name");
    given.finish().await;
}

#[tokio::test]
async fn a_batch_that_repeats_a_param_is_refused_even_with_the_same_value() {
    let given = Given::new().await;
    let batch = json!({"params": [pair("a", "1"), pair("b", "1"), pair("a", "1")]});
    let words = "Duplicate parameter keys have been submitted: [\"a\"]. Please ensure the request contains only one \
                 param value per param key.";
    assert_eq!(invalid(&given.on_run("runs/log-batch", batch).await), words);
    given.finish().await;
}

#[tokio::test]
async fn a_batch_has_limits() {
    let given = Given::new().await;
    let metric = json!({"value": 1, "timestamp": 1});
    let words = |most: usize, what: &str, count: usize| {
        format!(
            "A batch logging request can contain at most {most} {what}. Got {count} {what}. Please split up {what} \
             across multiple requests and try again."
        )
    };
    for (batch, expected) in [
        (json!({"metrics": many(1_001, &metric)}), words(1_000, "metrics", 1_001)),
        (json!({"params": many(101, &pair("", "v"))}), words(100, "params", 101)),
        (json!({"tags": many(101, &pair("", "v"))}), words(100, "tags", 101)),
        (
            json!({"metrics": many(999, &metric), "tags": many(2, &pair("", "v"))}),
            words(1_000, "metrics, params, and tags", 1_001),
        ),
    ] {
        assert_eq!(invalid(&given.on_run("runs/log-batch", batch).await), expected);
    }
    let most = json!({"metrics": many(800, &metric), "params": many(100, &pair("", "v")), "tags": many(100, &pair("", "v"))});
    given.on_run("runs/log-batch", most).await.expect_json();
    given.finish().await;
}

#[tokio::test]
async fn a_batch_names_its_run_by_a_well_formed_id() {
    let given = Given::new().await;
    let answer = given.post("runs/log-batch", &json!({"run_id": "not/an id"})).await;
    assert!(invalid(&answer).starts_with("Invalid run ID: 'not/an id'."), "{}", answer.text());
    let unknown = given.post("runs/log-batch", &json!({"run_id": "nobody"})).await;
    assert_eq!(refusal(&unknown), "404 RESOURCE_DOES_NOT_EXIST: Run with id=nobody not found");
    given.finish().await;
}

#[tokio::test]
async fn what_an_entry_of_a_batch_lacks_is_named_with_its_place() {
    let given = Given::new().await;
    let metric = json!({"key": "a", "value": 1, "timestamp": 1});
    for (batch, name) in [
        (json!({"metrics": [metric, {"value": 1, "timestamp": 1}]}), "metrics[1].key"),
        (json!({"metrics": [metric, {"key": "a", "timestamp": 1}]}), "metrics[1].value"),
        (json!({"metrics": [{"key": "a", "value": 1}]}), "metrics[0].timestamp"),
        (json!({"params": [{"value": "1"}]}), "params[0].key"),
        (json!({"params": [{"key": "a"}]}), "params[0].value"),
        (json!({"tags": [pair("a", "b"), pair("", "b")]}), "tags[1].key"),
    ] {
        assert_eq!(invalid(&given.on_run("runs/log-batch", batch).await), missing(name));
    }
    given.finish().await;
}

#[tokio::test]
async fn what_a_call_lacks_is_named() {
    let given = Given::new().await;
    for (call, body, name) in [
        ("log-metric", json!({"value": 1, "timestamp": 1}), "key"),
        ("log-metric", json!({"key": "a", "timestamp": 1}), "value"),
        ("log-metric", json!({"key": "a", "value": 1}), "timestamp"),
        ("log-parameter", json!({"value": "v"}), "key"),
        ("log-parameter", json!({"key": "a"}), "value"),
        ("set-tag", json!({"key": "", "value": "v"}), "key"),
        ("set-tag", json!({"key": "a"}), "value"),
        ("delete-tag", json!({}), "key"),
        ("log-model", json!({}), "model_json"),
    ] {
        assert_eq!(invalid(&given.on_run(&format!("runs/{call}"), body).await), missing(name), "{call}");
    }
    given.finish().await;
}

#[tokio::test]
async fn a_timestamp_is_not_negative_and_a_step_may_be() {
    let given = Given::new().await;
    let metric =
        |timestamp: i64, step: i64| json!({"key": "a", "value": 1, "timestamp": timestamp, "step": step});
    given.on_run("runs/log-metric", metric(0, i64::MIN)).await.expect_json();
    given.on_run("runs/log-metric", metric(i64::MAX, i64::MAX)).await.expect_json();
    let words = "Invalid value -1 for parameter 'timestamp' supplied: Timestamp must be a nonnegative long (64-bit \
                 integer)";
    assert_eq!(invalid(&given.on_run("runs/log-metric", metric(-1, 0)).await), words);
    let steps: Vec<Value> =
        given.history("a").await.as_array().expect("points").iter().map(|p| p["step"].clone()).collect();
    assert_eq!(steps, [i64::MIN, i64::MAX]);
    given.finish().await;
}

#[tokio::test]
async fn a_key_is_a_normal_path_of_at_most_250_characters() {
    let given = Given::new().await;
    let calls = ["log-metric", "log-parameter", "set-tag"];
    let log = async |call: &str, key: &str| {
        let value = if call == "log-metric" { json!(1) } else { json!("1") };
        given.on_run(&format!("runs/{call}"), json!({"key": key, "value": value, "timestamp": 1})).await
    };
    for call in calls {
        for good in ["val/loss", "a b: c-d_e.f", "größe", "損失", &"k".repeat(250)] {
            log(call, good).await.expect_json();
        }
        for bad in ["/a", "../a", "a/../b", "a//b", "a/", ".", "..", "a\tb", "a*b", "a\\b"] {
            let message = invalid(&log(call, bad).await);
            assert!(message.contains("for parameter 'key' supplied: Names may"), "{message}");
        }
        let message = invalid(&log(call, &"k".repeat(251)).await);
        assert_eq!(message, "'key' exceeds the maximum length of 250 characters");
    }
    given.finish().await;
}

#[tokio::test]
async fn long_values_are_cut_without_a_word() {
    let given = Given::new().await;
    given.on_run("runs/log-parameter", pair("long", &"ü".repeat(6_001))).await.expect_json();
    given.on_run("runs/set-tag", pair("long", &"ü".repeat(8_001))).await.expect_json();
    let data = given.read_run().await["data"].clone();
    let lengths = [&data["params"][0], &data["tags"][0]].map(|entry| text(&entry["value"]).chars().count());
    assert_eq!(lengths, [6_000, 8_000]);
    given.finish().await;
}

#[tokio::test]
async fn a_tag_is_overwritten_and_deleted() {
    let given = Given::new().await;
    for value in ["draft", ""] {
        given.on_run("runs/set-tag", pair("a", value)).await.expect_json();
    }
    assert_eq!(given.read_run().await["data"]["tags"][0], pair("a", ""));
    assert_eq!(given.on_run("runs/delete-tag", json!({"key": "a"})).await.expect_json(), json!({}));
    let again = given.on_run("runs/delete-tag", json!({"key": "a"})).await;
    let words = format!("404 RESOURCE_DOES_NOT_EXIST: No tag with name: a in run with id {}", given.run);
    assert_eq!(refusal(&again), words);
    given.finish().await;
}

#[tokio::test]
async fn the_tag_with_the_name_renames_the_run() {
    let given = Given::new().await;
    given.on_run("runs/set-tag", pair("mlflow.runName", "by tag")).await.expect_json();
    assert_eq!(given.read_run().await["info"]["run_name"], "by tag");
    let batch = json!({"tags": [pair("mlflow.runName", "first"), pair("mlflow.runName", "last")]});
    given.on_run("runs/log-batch", batch).await.expect_json();
    let run = given.read_run().await;
    assert_eq!(
        (&run["info"]["run_name"], &run["data"]["tags"][0]["value"]),
        (&json!("last"), &json!("last"))
    );
    given.finish().await;
}

#[tokio::test]
async fn a_metric_of_a_logged_model_is_the_runs_and_the_models() {
    let given = Given::new().await;
    let made = given.post("logged-models", &json!({"experiment_id": "0", "name": "m"})).await.expect_json();
    let model = text(&made["model"]["info"]["model_id"]);
    let metric = json!({
        "key": "auc", "value": 0.5, "timestamp": 1, "step": 2,
        "model_id": model, "dataset_name": "iris", "dataset_digest": "abc",
    });
    given.on_run("runs/log-metric", metric.clone()).await.expect_json();
    given.on_run("runs/log-batch", json!({ "metrics": [metric] })).await.expect_json();
    let of_run = given.read_run().await["data"]["metrics"].clone();
    assert_eq!(of_run, json!([{"key": "auc", "value": 0.5, "timestamp": 1, "step": 2}]));
    let found = given.get(&format!("logged-models/{model}")).await.expect_json();
    let of_model = &found["model"]["data"]["metrics"][0];
    assert_eq!((&of_model["value"], &of_model["run_id"]), (&json!(0.5), &json!(given.run)));
    assert_eq!((&of_model["dataset_name"], &of_model["dataset_digest"]), (&json!("iris"), &json!("abc")));
    given.finish().await;
}

#[tokio::test]
async fn a_metric_of_an_unknown_logged_model_is_refused() {
    let given = Given::new().await;
    let metric = |model: &str| json!({"key": "auc", "value": 1, "timestamp": 1, "model_id": model});
    for model in ["m-00000000000000000000000000000000", "nonsense"] {
        let words = format!("404 RESOURCE_DOES_NOT_EXIST: Logged model with ID '{model}' not found.");
        assert_eq!(refusal(&given.on_run("runs/log-metric", metric(model)).await), words);
    }
    assert_eq!(given.read_run().await["data"]["metrics"], Value::Null);
    given.finish().await;
}

#[tokio::test]
async fn the_models_of_a_2x_client_are_a_list_in_a_tag() {
    let given = Given::new().await;
    let model = |path: &str| json!({"artifact_path": path, "flavors": {}, "utc_time_created": "now", "run_id": given.run});
    for path in ["first", "second", "first"] {
        let body = json!({"model_json": model(path).to_string()});
        given.on_run("runs/log-model", body).await.expect_json();
    }
    let tag = given.read_run().await["data"]["tags"][0].clone();
    assert_eq!(tag["key"], "mlflow.log-model.history");
    let history: Value = serde_json::from_str(&text(&tag["value"])).expect("JSON");
    assert_eq!(history, json!([model("first"), model("second")]));
    given.finish().await;
}

#[tokio::test]
async fn a_model_of_a_2x_client_is_checked() {
    let given = Given::new().await;
    let log = async |text: &str| given.on_run("runs/log-model", json!({"model_json": text})).await;
    assert!(invalid(&log("{").await).starts_with("Malformed model info."));
    let words = "Model json is missing mandatory fields: flavors, utc_time_created, run_id";
    assert_eq!(invalid(&log(r#"{"artifact_path": "m"}"#).await), words);
    given.finish().await;
}
