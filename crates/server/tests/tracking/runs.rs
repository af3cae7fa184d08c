//! The calls on runs.

use serde_json::{Value, json};

use crate::given::{Given, invalid, missing, refusal, text};

async fn create(given: &Given, body: Value) -> Value {
    given.post("runs/create", &body).await.expect_json()["run"].clone()
}

#[tokio::test]
async fn a_run_is_answered_as_it_was_made() {
    let given = Given::new().await;
    let body = json!({
        "experiment_id": "0",
        "user_id": "bob",
        "run_name": "quick",
        "start_time": 1_600_000_000_000_i64,
        "tags": [{"key": "mlflow.user", "value": "bob"}, {"key": "a", "value": ""}],
    });
    let run = create(&given, body).await;
    let id = text(&run["info"]["run_id"]);
    let expected = json!({
        "info": {
            "run_id": id,
            "run_uuid": id,
            "run_name": "quick",
            "experiment_id": "0",
            "user_id": "bob",
            "status": "RUNNING",
            "start_time": 1_600_000_000_000_i64,
            "artifact_uri": format!("mlflow-artifacts:/0/{id}/artifacts"),
            "lifecycle_stage": "active",
        },
        "data": {
            "tags": [
                {"key": "a", "value": ""},
                {"key": "mlflow.runName", "value": "quick"},
                {"key": "mlflow.user", "value": "bob"},
            ],
        },
        "inputs": {},
    });
    assert_eq!(run, expected);
    assert_eq!(id.len(), 32);
    let found = given.get(&format!("runs/get?run_id={id}")).await.expect_json();
    assert_eq!(found, json!({ "run": expected }));
    given.finish().await;
}

#[tokio::test]
async fn a_run_needs_nothing_and_gets_a_name() {
    let given = Given::new().await;
    for body in [json!({}), json!({"experiment_id": "", "run_name": ""})] {
        let info = create(&given, body).await["info"].clone();
        assert_eq!(
            (&info["experiment_id"], &info["start_time"], &info["user_id"]),
            (&json!("0"), &json!(0), &json!("ann"))
        );
        assert_eq!(text(&info["run_name"]).split('-').count(), 3, "{info}");
    }
    given.finish().await;
}

#[tokio::test]
async fn a_name_and_its_tag_say_the_same() {
    let given = Given::new().await;
    let tag = |name: &str| json!([{"key": "mlflow.runName", "value": name}]);
    let run = create(&given, json!({"tags": tag("by tag")})).await;
    assert_eq!(run["info"]["run_name"], "by tag");
    let run = create(&given, json!({"run_name": "same", "tags": tag("same")})).await;
    assert_eq!(run["data"]["tags"], tag("same"));
    let run = create(&given, json!({"run_name": "sent", "tags": tag("")})).await;
    assert_eq!(run["data"]["tags"], tag("sent"));
    let refused = given.post("runs/create", &json!({"run_name": "one", "tags": tag("two")})).await;
    let words = "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values \
                 (run_name='one', mlflow.runName='two').";
    assert_eq!(invalid(&refused), words);
    given.finish().await;
}

#[tokio::test]
async fn tags_of_a_new_run_have_keys_of_any_kind_each_once() {
    let given = Given::new().await;
    let with = async |tags: Value| given.post("runs/create", &json!({ "run_name": "x", "tags": tags })).await;
    let odd = with(json!([{"key": "model (v1) 100%", "value": "ü".repeat(9_000)}])).await.expect_json();
    let tag = odd["run"]["data"]["tags"].as_array().and_then(|tags| tags.last()).expect("a tag").clone();
    assert_eq!(tag, json!({"key": "model (v1) 100%", "value": "ü".repeat(8_000)}));
    let twice = with(json!([{"key": "a", "value": "1"}, {"key": "a", "value": "1"}])).await;
    assert_eq!(invalid(&twice), "Duplicate tag keys have been submitted: a");
    let long = with(json!([{"key": "k".repeat(251), "value": "1"}])).await;
    assert_eq!(invalid(&long), "'key' exceeds the maximum length of 250 characters");
    assert_eq!(invalid(&with(json!([{"key": "", "value": "1"}])).await), missing("tags.key"));
    assert_eq!(invalid(&with(json!([{"key": "a"}])).await), missing("tags.value"));
    given.finish().await;
}

#[tokio::test]
async fn a_run_belongs_to_an_experiment_that_is_there() {
    let given = Given::new().await;
    let answer = given.post("runs/create", &json!({"experiment_id": "99"})).await;
    assert_eq!(refusal(&answer), "404 RESOURCE_DOES_NOT_EXIST: No Experiment with id=99 exists");
    given.finish().await;
}

#[tokio::test]
async fn a_time_is_not_negative() {
    let given = Given::new().await;
    let words = |name| {
        format!(
            "Invalid value -1 for parameter '{name}' supplied: It must be a non-negative number of milliseconds"
        )
    };
    assert_eq!(invalid(&given.post("runs/create", &json!({"start_time": -1})).await), words("start_time"));
    assert_eq!(invalid(&given.on_run("runs/update", json!({"end_time": "-1"})).await), words("end_time"));
    given.finish().await;
}

#[tokio::test]
async fn an_update_changes_what_it_brings() {
    let given = Given::new().await;
    let ended =
        given.on_run("runs/update", json!({"status": "FINISHED", "end_time": 99})).await.expect_json();
    let renamed = given.on_run("runs/update", json!({"run_name": "new"})).await.expect_json();
    let run = given.read_run().await;
    assert_eq!(renamed["run_info"], run["info"]);
    assert_eq!(ended["run_info"]["status"], "FINISHED");
    assert_eq!(
        (&run["info"]["status"], &run["info"]["end_time"], &run["info"]["run_name"]),
        (&json!("FINISHED"), &json!(99), &json!("new"))
    );
    assert_eq!(run["data"]["tags"], json!([{"key": "mlflow.runName", "value": "new"}]));
    given.finish().await;
}

#[tokio::test]
async fn deleting_and_restoring_twice_is_fine() {
    let given = Given::new().await;
    for (call, stage) in
        [("delete", "deleted"), ("delete", "deleted"), ("restore", "active"), ("restore", "active")]
    {
        let answer = given.on_run(&format!("runs/{call}"), json!({})).await;
        assert_eq!(answer.expect_json(), json!({}));
        assert_eq!(given.read_run().await["info"]["lifecycle_stage"], stage);
    }
    given.finish().await;
}

#[tokio::test]
async fn a_deleted_run_takes_nothing() {
    let given = Given::new().await;
    given.on_run("runs/delete", json!({})).await.expect_json();
    let words = format!("The run {} must be in the 'active' state. Current state is deleted.", given.run);
    let text = json!({"key": "a", "value": "b"});
    for (call, body) in [
        ("update", json!({"status": "FINISHED"})),
        ("log-metric", json!({"key": "a", "value": 1, "timestamp": 1})),
        ("log-parameter", text.clone()),
        ("set-tag", text),
        ("delete-tag", json!({"key": "a"})),
        ("log-batch", json!({})),
        (
            "log-model",
            json!({"model_json": r#"{"artifact_path":"m","flavors":{},"utc_time_created":"","run_id":"x"}"#}),
        ),
    ] {
        assert_eq!(invalid(&given.on_run(&format!("runs/{call}"), body).await), words, "{call}");
    }
    given.finish().await;
}

#[tokio::test]
async fn an_unknown_run_is_named_whatever_its_id_looks_like() {
    let given = Given::new().await;
    let text = |run: &str| json!({"run_id": run, "key": "a", "value": "b"});
    for run in ["00000000000000000000000000000000", "not/an id"] {
        let words = format!("404 RESOURCE_DOES_NOT_EXIST: Run with id={run} not found");
        let query = format!("runs/get?run_id={}", run.replace(' ', "%20"));
        assert_eq!(refusal(&given.get(&query).await), words);
        for call in [
            "runs/delete",
            "runs/restore",
            "runs/update",
            "runs/log-parameter",
            "runs/set-tag",
            "runs/delete-tag",
        ] {
            assert_eq!(refusal(&given.post(call, &text(run)).await), words, "{call}");
        }
    }
    given.finish().await;
}

#[tokio::test]
async fn a_run_has_to_be_named() {
    let given = Given::new().await;
    let calls = [
        "delete",
        "restore",
        "update",
        "log-metric",
        "log-parameter",
        "set-tag",
        "delete-tag",
        "log-batch",
        "log-model",
    ];
    for call in calls {
        assert_eq!(
            invalid(&given.post(&format!("runs/{call}"), &json!({})).await),
            missing("run_id"),
            "{call}"
        );
    }
    given.finish().await;
}
