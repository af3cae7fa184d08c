//! The calls on experiments.

use modelry_testkit::server::START;
use serde_json::{Value, json};

use crate::given::{Given, invalid, missing, refusal, text};

async fn read(given: &Given, id: &str) -> Value {
    given.get(&format!("experiments/get?experiment_id={id}")).await.expect_json()["experiment"].clone()
}

#[tokio::test]
async fn an_experiment_is_answered_as_it_was_made() {
    let given = Given::new().await;
    let body =
        json!({"name": "first", "tags": [{"key": "team", "value": "churn"}, {"key": "a", "value": ""}]});
    let made = given.post("experiments/create", &body).await.expect_json();
    assert_eq!(made, json!({"experiment_id": "1"}));
    let expected = json!({
        "experiment_id": "1",
        "name": "first",
        "artifact_location": "mlflow-artifacts:/1",
        "lifecycle_stage": "active",
        "creation_time": START.ms(),
        "last_update_time": START.ms(),
        "tags": [{"key": "a", "value": ""}, {"key": "team", "value": "churn"}],
    });
    assert_eq!(read(&given, "1").await, expected);
    let by_name = given.get("experiments/get-by-name?experiment_name=first").await.expect_json();
    assert_eq!(by_name, json!({"experiment": expected}));
    given.finish().await;
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let given = Given::new().await;
    let unknown = "404 RESOURCE_DOES_NOT_EXIST: No Experiment with id=99 exists";
    assert_eq!(refusal(&given.get("experiments/get?experiment_id=99").await), unknown);
    let rename = json!({"experiment_id": "99", "new_name": "x"});
    assert_eq!(refusal(&given.post("experiments/update", &rename).await), unknown);
    let tag = json!({"experiment_id": "99", "key": "a", "value": "b"});
    assert_eq!(refusal(&given.post("experiments/set-experiment-tag", &tag).await), unknown);
    let by_name = given.get("experiments/get-by-name?experiment_name=no%20such").await;
    let words = "404 RESOURCE_DOES_NOT_EXIST: Could not find experiment with name 'no such'";
    assert_eq!(refusal(&by_name), words);
    given.finish().await;
}

#[tokio::test]
async fn an_experiment_id_is_an_integer() {
    let given = Given::new().await;
    for id in ["abc", "1.5", "99999999999999999999999"] {
        let words = format!("Invalid experiment ID: '{id}'. Experiment ID must be a valid integer.");
        assert_eq!(invalid(&given.get(&format!("experiments/get?experiment_id={id}")).await), words);
        assert_eq!(invalid(&given.post("runs/create", &json!({"experiment_id": id})).await), words);
    }
    given.finish().await;
}

#[tokio::test]
async fn what_must_be_sent_is_named() {
    let given = Given::new().await;
    for (call, body, name) in [
        ("experiments/create", json!({}), "name"),
        ("experiments/create", json!({"name": ""}), "name"),
        ("experiments/delete", json!({}), "experiment_id"),
        ("experiments/restore", json!({}), "experiment_id"),
        ("experiments/update", json!({"experiment_id": "0"}), "new_name"),
        ("experiments/set-experiment-tag", json!({"experiment_id": "0", "value": "v"}), "key"),
        ("experiments/set-experiment-tag", json!({"experiment_id": "0", "key": "k"}), "value"),
        ("experiments/delete-experiment-tag", json!({"experiment_id": "0"}), "key"),
    ] {
        assert_eq!(invalid(&given.post(call, &body).await), missing(name), "{call}");
    }
    assert_eq!(invalid(&given.get("experiments/get").await), missing("experiment_id"));
    assert_eq!(invalid(&given.get("experiments/get-by-name").await), missing("experiment_name"));
    given.finish().await;
}

#[tokio::test]
async fn a_name_is_unique_not_blank_and_at_most_500_characters_long() {
    let given = Given::new().await;
    let create = async |name: &str| given.post("experiments/create", &json!({"name": name})).await;
    create(&"ü".repeat(500)).await.expect_json();
    assert_eq!(
        invalid(&create(&"ü".repeat(501)).await),
        "'name' exceeds the maximum length of 500 characters"
    );
    assert_eq!(create("  ").await.status, 400);
    let taken = "400 RESOURCE_ALREADY_EXISTS: Experiment 'Default' already exists.";
    assert_eq!(refusal(&create("Default").await), taken);
    let id = given.new_experiment("other").await;
    let rename = json!({"experiment_id": id, "new_name": "Default"});
    assert_eq!(refusal(&given.post("experiments/update", &rename).await), taken);
    given.finish().await;
}

#[tokio::test]
async fn an_artifact_location_names_no_other_host_and_no_place_outside() {
    let given = Given::new().await;
    let create = async |name: &str, location: &str| {
        given.post("experiments/create", &json!({"name": name, "artifact_location": location})).await
    };
    for bad in [
        "mlflow-artifacts://example.com/a",
        "mlflow-artifacts:a",
        "https://example.com/a",
        "s3://bucket/a",
        "file:///etc",
        "runs:/abc/model",
        "/tmp/a",
        "mlflow-artifacts:/../a",
        "mlflow-artifacts:/a/%2e%2e/b",
    ] {
        assert_eq!(create("x", bad).await.status, 400, "{bad}");
    }
    let made = create("chosen", "mlflow-artifacts:/shared/place/").await.expect_json();
    let location = read(&given, &text(&made["experiment_id"])).await["artifact_location"].clone();
    assert_eq!(location, "mlflow-artifacts:/shared/place");
    create("not chosen", "").await.expect_json();
    given.finish().await;
}

#[tokio::test]
async fn renaming_keeps_everything_else() {
    let given = Given::new().await;
    let id = given.new_experiment("before").await;
    given.server.app().clock.set(START.plus_ms(7));
    let renamed = given.post("experiments/update", &json!({"experiment_id": id, "new_name": "after"})).await;
    assert_eq!(renamed.expect_json(), json!({}));
    let found = read(&given, &id).await;
    assert_eq!(
        (&found["name"], &found["creation_time"], &found["last_update_time"]),
        (&json!("after"), &json!(START.ms()), &json!(START.ms() + 7))
    );
    given.finish().await;
}

#[tokio::test]
async fn the_life_of_an_experiment_is_that_of_its_runs() {
    let given = Given::new().await;
    let id = given.new_experiment("first").await;
    let run = given.new_run(&id).await;
    let named = json!({ "experiment_id": id });
    let stage = async || {
        let run = given.get(&format!("runs/get?run_id={run}")).await.expect_json()["run"]["info"].clone();
        [read(&given, &id).await["lifecycle_stage"].clone(), run["lifecycle_stage"].clone()]
    };
    assert_eq!(given.post("experiments/delete", &named).await.expect_json(), json!({}));
    assert_eq!(stage().await, ["deleted", "deleted"]);
    assert_eq!(given.post("experiments/delete", &named).await.status, 404);
    for (call, body) in [
        ("runs/create", named.clone()),
        ("experiments/set-experiment-tag", json!({"experiment_id": id, "key": "a", "value": "b"})),
        ("experiments/update", json!({"experiment_id": id, "new_name": "x"})),
    ] {
        let words = format!("The experiment {id} must be in the 'active' state. Current state is deleted.");
        assert_eq!(invalid(&given.post(call, &body).await), words);
    }
    assert_eq!(given.post("experiments/restore", &named).await.expect_json(), json!({}));
    assert_eq!(stage().await, ["active", "active"]);
    assert_eq!(given.post("experiments/restore", &named).await.status, 404);
    given.finish().await;
}

#[tokio::test]
async fn a_deleted_name_is_free_and_a_taken_one_hinders_the_restore() {
    let given = Given::new().await;
    let first = given.new_experiment("same").await;
    given.post("experiments/delete", &json!({ "experiment_id": first })).await.expect_json();
    let second = given.new_experiment("same").await;
    let found = given.get("experiments/get-by-name?experiment_name=same").await.expect_json();
    assert_eq!(found["experiment"]["experiment_id"], second);
    let restored = given.post("experiments/restore", &json!({ "experiment_id": first })).await;
    let words = format!(
        "409 RESOURCE_CONFLICT: Experiment {first} cannot be restored as 'same': experiment {second} has that name by \
         now; rename that one first"
    );
    assert_eq!(refusal(&restored), words);
    given.finish().await;
}

#[tokio::test]
async fn the_default_experiment_can_be_deleted() {
    let given = Given::new().await;
    given.post("experiments/delete", &json!({"experiment_id": "0"})).await.expect_json();
    assert_eq!(given.post("runs/create", &json!({})).await.status, 400);
    given.finish().await;
}

#[tokio::test]
async fn tags_are_set_overwritten_and_deleted() {
    let given = Given::new().await;
    let id = given.new_experiment("tagged").await;
    let tag = |value: &str| json!({"experiment_id": id, "key": "stage", "value": value});
    for value in ["draft", ""] {
        assert_eq!(given.post("experiments/set-experiment-tag", &tag(value)).await.expect_json(), json!({}));
    }
    assert_eq!(read(&given, &id).await["tags"], json!([{"key": "stage", "value": ""}]));
    let delete = json!({"experiment_id": id, "key": "stage"});
    assert_eq!(given.post("experiments/delete-experiment-tag", &delete).await.expect_json(), json!({}));
    assert_eq!(read(&given, &id).await["tags"], Value::Null);
    let again = given.post("experiments/delete-experiment-tag", &delete).await;
    assert!(refusal(&again).starts_with("404 RESOURCE_DOES_NOT_EXIST: No tag with name: stage"));
    given.finish().await;
}

#[tokio::test]
async fn a_tag_that_is_too_long_is_refused() {
    let given = Given::new().await;
    let set = async |key: &str, value: &str| {
        let body = json!({"experiment_id": "0", "key": key, "value": value});
        given.post("experiments/set-experiment-tag", &body).await
    };
    set(&"k".repeat(250), &"ü".repeat(20_000)).await.expect_json();
    assert_eq!(
        invalid(&set(&"k".repeat(251), "v").await),
        "'key' exceeds the maximum length of 250 characters"
    );
    assert_eq!(
        invalid(&set("k", &"v".repeat(20_001)).await),
        "'value' exceeds the maximum length of 20000 characters"
    );
    given.finish().await;
}
