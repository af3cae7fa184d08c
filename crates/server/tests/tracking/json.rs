//! What MLflow's server reads and writes as JSON.

use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::given::{Given, invalid, missing, refusal};

/// A body of `log-metric` with these texts as value, timestamp and step.
fn metric(given: &Given, value: &str, timestamp: &str, step: &str) -> String {
    let run = &given.run;
    format!(r#"{{"run_id":"{run}","key":"loss","value":{value},"timestamp":{timestamp},"step":{step}}}"#)
}

#[tokio::test]
async fn an_int64_is_a_number_a_text_or_an_integral_float() {
    let given = Given::new().await;
    for sent in ["1234", "\"1234\"", "1234.0"] {
        given.send("runs/log-metric", &metric(&given, "0.5", sent, sent)).await.expect_json();
    }
    let point = json!([{"key": "loss", "value": 0.5, "timestamp": 1234, "step": 1234}]);
    assert_eq!(given.history("loss").await, point);
    given.finish().await;
}

#[tokio::test]
async fn a_double_is_read_in_every_form_and_written_in_two() {
    let forms = [
        ("0.25", json!(0.25)),
        ("\"0.25\"", json!(0.25)),
        ("7", json!(7.0)),
        ("true", json!(1.0)),
        ("NaN", json!("NaN")),
        ("\"NaN\"", json!("NaN")),
        ("Infinity", json!(f64::MAX)),
        ("\"inf\"", json!(f64::MAX)),
        ("1e999", json!(f64::MAX)),
        ("-Infinity", json!(f64::MIN)),
        ("\"-Infinity\"", json!(f64::MIN)),
    ];
    let given = Given::new().await;
    for (step, (sent, answered)) in forms.iter().enumerate() {
        let step = step.to_string();
        given.send("runs/log-metric", &metric(&given, sent, "1", &step)).await.expect_json();
        assert_eq!(given.read_run().await["data"]["metrics"][0]["value"], *answered, "{sent}");
    }
    given.finish().await;
}

#[tokio::test]
async fn camel_case_is_read_in_bodies_and_in_queries() {
    let given = Given::new().await;
    let body = json!({"runId": given.run, "key": "a", "value": "b"});
    given.post("runs/set-tag", &body).await.expect_json();
    let made = given.post("runs/create", &json!({"experimentId": "0", "startTime": 7})).await.expect_json();
    assert_eq!(made["run"]["info"]["start_time"], 7);
    let found = given.get(&format!("runs/get?runId={}", given.run)).await.expect_json();
    assert_eq!(found["run"]["data"]["tags"][0], json!({"key": "a", "value": "b"}));
    let history = format!("metrics/get-history?runId={}&metricKey=loss&maxResults=1", given.run);
    assert_eq!(given.get(&history).await.expect_json(), json!({}));
    given.finish().await;
}

#[tokio::test]
async fn a_field_in_both_spellings_is_refused() {
    let given = Given::new().await;
    let body = json!({"run_id": given.run, "runId": given.run, "key": "a", "value": "b"});
    assert_eq!(
        invalid(&given.post("runs/set-tag", &body).await),
        "Invalid request: duplicate field `run_id`"
    );
    let query = format!("runs/get?run_id={0}&runId={0}", given.run);
    assert_eq!(invalid(&given.get(&query).await), "Invalid request: duplicate field `run_id`");
    given.finish().await;
}

#[tokio::test]
async fn a_run_is_named_by_its_older_parameter_too() {
    let given = Given::new().await;
    let body = json!({"run_uuid": given.run, "key": "depth", "value": "3"});
    given.post("runs/log-parameter", &body).await.expect_json();
    let found = given.get(&format!("runs/get?run_uuid={}", given.run)).await.expect_json();
    assert_eq!(found["run"]["info"]["run_uuid"], found["run"]["info"]["run_id"]);
    assert_eq!(found["run"]["data"]["params"], json!([{"key": "depth", "value": "3"}]));
    given.finish().await;
}

#[tokio::test]
async fn unknown_fields_are_ignored() {
    let given = Given::new().await;
    let body = json!({"key": "a", "value": "b", "no_such_field": {"a": [1]}});
    assert_eq!(given.on_run("runs/set-tag", body).await.expect_json(), json!({}));
    given.get(&format!("runs/get?run_id={}&no_such_field=1", given.run)).await.expect_json();
    given.finish().await;
}

#[tokio::test]
async fn null_and_an_empty_query_value_are_as_if_not_sent() {
    let given = Given::new().await;
    let body = json!({"experiment_id": null, "run_name": null, "start_time": null, "tags": null});
    let made = given.post("runs/create", &body).await.expect_json();
    assert_eq!(made["run"]["info"]["experiment_id"], "0");
    given
        .on_run("runs/log-batch", json!({"metrics": null, "params": null, "tags": null}))
        .await
        .expect_json();
    let query = format!("metrics/get-history?run_id={}&metric_key=a&max_results=&page_token=&x", given.run);
    assert_eq!(given.get(&query).await.expect_json(), json!({}));
    assert_eq!(invalid(&given.get("runs/get?run_id=").await), missing("run_id"));
    given.finish().await;
}

#[tokio::test]
async fn json_in_a_json_text_is_read_again() {
    let given = Given::new().await;
    let body = json!({"run_id": given.run, "key": "a", "value": "b"}).to_string();
    given.post("runs/set-tag", &Value::from(body)).await.expect_json();
    assert_eq!(given.read_run().await["data"]["tags"][0]["key"], "a");
    given.finish().await;
}

#[tokio::test]
async fn an_enum_is_a_name_or_a_number() {
    let given = Given::new().await;
    for (sent, status) in [(json!("FAILED"), "FAILED"), (json!(5), "KILLED"), (json!("3"), "FINISHED")] {
        let updated = given.on_run("runs/update", json!({"status": sent})).await.expect_json();
        assert_eq!(updated["run_info"]["status"], status);
    }
    let unknown = given.on_run("runs/update", json!({"status": "NOPE"})).await;
    let words = "Invalid value \"NOPE\" for parameter 'status' supplied: it is one of RUNNING, SCHEDULED, FINISHED, \
                 FAILED, KILLED";
    assert_eq!(invalid(&unknown), words);
    assert_eq!(given.on_run("runs/update", json!({"status": 0})).await.status, 400);
    given.finish().await;
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let given = Given::new().await;
    assert_eq!(invalid(&given.send("experiments/create", "").await), missing("name"));
    let deep = "[".repeat(100_000);
    for body in ["{", "nul", "not json", "{\"name\": }", "[]", "7", "null", "\"[]\"", &deep] {
        let message = invalid(&given.send("experiments/create", body).await);
        assert!(message.starts_with("the request body is not "), "{message}");
    }
    given.finish().await;
}

#[tokio::test]
async fn what_does_not_fit_is_named_with_its_place() {
    let given = Given::new().await;
    let good = json!({"key": "a", "value": 1, "timestamp": 1});
    let bad = |value: Value| json!({"metrics": [good, {"key": "a", "value": value, "timestamp": 1}]});
    assert_eq!(
        invalid(&given.on_run("runs/log-batch", bad(json!("abc"))).await),
        "Invalid value \"abc\" for parameter 'metrics[1].value' supplied: invalid value: string \"abc\", expected a \
         number"
    );
    assert_eq!(invalid(&given.on_run("runs/log-batch", bad(Value::Null)).await), missing("metrics[1].value"));
    assert_eq!(
        invalid(&given.post("experiments/create", &json!({"name": 7})).await),
        "Invalid value 7 for parameter 'name' supplied: invalid type: integer `7`, expected a string"
    );
    assert_eq!(
        invalid(&given.get("metrics/get-history?run_id=a&metric_key=b&max_results=abc").await),
        "Invalid value \"abc\" for parameter 'max_results' supplied: invalid value: string \"abc\", expected a \
         64-bit integer"
    );
    given.finish().await;
}

#[tokio::test]
async fn a_body_has_to_say_that_it_is_json() {
    let given = Given::new().await;
    let url = given.url("api/2.0/mlflow/runs/set-tag");
    let body = json!({"run_id": given.run, "key": "a", "value": "ü"}).to_string();
    let with = |content_type: &'static str| {
        given.actor.request(Method::POST, &url).header(CONTENT_TYPE, content_type)
    };
    given.actor.send(with("application/json; charset=utf-8"), body.clone()).await.expect_json();
    let refused = "Bad Request. Content-Type must be 'application/json'";
    assert_eq!(invalid(&given.actor.send(with("text/plain"), body.clone()).await), refused);
    let without = given.actor.request(Method::POST, &url);
    assert_eq!(invalid(&given.actor.send(without, body).await), refused);
    given.finish().await;
}

#[tokio::test]
async fn a_body_has_a_largest_size() {
    let given = Given::new().await;
    let most = given.server.app().settings.limits.body_bytes;
    let words =
        format!("413 INVALID_PARAMETER_VALUE: the request body has more than the allowed {most} bytes");
    assert_eq!(refusal(&given.send("runs/set-tag", &" ".repeat(most + 1)).await), words);
    assert_eq!(invalid(&given.send("runs/set-tag", &" ".repeat(most)).await), missing("run_id"));
    given.finish().await;
}

#[tokio::test]
async fn text_that_no_database_keeps_is_refused() {
    let given = Given::new().await;
    let answer = given.on_run("runs/set-tag", json!({"key": "a", "value": "a\0b"})).await;
    assert!(invalid(&answer).contains("NUL"), "{}", answer.text());
    given.finish().await;
}
