//! Every call with what does not fit, and again.

use axum::http::Method;
use modelry_core::policy::Role;
use serde_json::{Value, json};

use crate::given::{Given, missing, refusal, text};

/// A call on `churn` and its version 1 that fits, and the fields that it cannot do without.
type Call = (Method, &'static str, Value, &'static [&'static str]);

fn calls() -> Vec<Call> {
    let [get, post, patch, delete] = [Method::GET, Method::POST, Method::PATCH, Method::DELETE];
    let model = json!({"name": "churn"});
    let version = json!({"name": "churn", "version": "1"});
    vec![
        (get.clone(), "registered-models/get", model.clone(), &["name"]),
        (
            post.clone(),
            "registered-models/rename",
            json!({"name": "churn", "new_name": "churn"}),
            &["name", "new_name"],
        ),
        (patch.clone(), "registered-models/update", json!({"name": "churn", "description": "d"}), &["name"]),
        (
            post.clone(),
            "registered-models/set-tag",
            json!({"name": "churn", "key": "a", "value": "b"}),
            &["name", "key"],
        ),
        (
            delete.clone(),
            "registered-models/delete-tag",
            json!({"name": "churn", "key": "a"}),
            &["name", "key"],
        ),
        (post.clone(), "registered-models/get-latest-versions", model.clone(), &["name"]),
        (get.clone(), "registered-models/get-latest-versions", model.clone(), &["name"]),
        (
            post.clone(),
            "registered-models/alias",
            json!({"name": "churn", "alias": "champion", "version": "1"}),
            &["name", "alias", "version"],
        ),
        (
            get.clone(),
            "registered-models/alias",
            json!({"name": "churn", "alias": "champion"}),
            &["name", "alias"],
        ),
        (
            delete.clone(),
            "registered-models/alias",
            json!({"name": "churn", "alias": "champion"}),
            &["name", "alias"],
        ),
        (post.clone(), "model-versions/create", model.clone(), &["name"]),
        (get.clone(), "model-versions/get", version.clone(), &["name", "version"]),
        (get, "model-versions/get-download-uri", version.clone(), &["name", "version"]),
        (patch, "model-versions/update", version.clone(), &["name", "version"]),
        (
            post.clone(),
            "model-versions/transition-stage",
            json!({"name": "churn", "version": "1", "stage": "Staging", "archive_existing_versions": false}),
            &["name", "version", "stage", "archive_existing_versions"],
        ),
        (
            post,
            "model-versions/set-tag",
            json!({"name": "churn", "version": "1", "key": "a", "value": "b"}),
            &["name", "version", "key"],
        ),
        (
            delete.clone(),
            "model-versions/delete-tag",
            json!({"name": "churn", "version": "1", "key": "a"}),
            &["name", "version", "key"],
        ),
        (delete.clone(), "model-versions/delete", version, &["name", "version"]),
        (delete, "registered-models/delete", model, &["name"]),
    ]
}

/// The body with a field set to something else.
fn with(body: &Value, field: &str, value: Value) -> Value {
    let mut body = body.clone();
    body[field] = value;
    body
}

fn without(body: &Value, field: &str) -> Value {
    let mut body = body.clone();
    body.as_object_mut().expect("an object").remove(field);
    body
}

/// Calls that write, with a body that fits.
fn writes() -> impl Iterator<Item = Call> {
    calls().into_iter().filter(|(method, call, ..)| {
        *method != Method::GET && *call != "registered-models/get-latest-versions"
    })
}

#[tokio::test]
async fn every_call_fits_in_this_order() {
    let given = Given::new().await;
    for (method, call, body, _) in calls() {
        let answer = given.call(&method, call, &body).await;
        assert_eq!(answer.status, 200, "{method} {call}: {}", answer.text());
    }
    given.finish().await;
}

#[tokio::test]
async fn what_is_missing_is_told_in_mlflows_words() {
    let given = Given::new().await;
    for (method, call, body, required) in calls() {
        for field in required {
            for body in [without(&body, field), with(&body, field, json!(""))] {
                // A flag has no empty value.
                if *field == "archive_existing_versions" && body.get(field).is_some() {
                    continue;
                }
                let answer = given.call(&method, call, &body).await;
                assert_eq!(refusal(&answer), missing(field), "{method} {call} {body}");
            }
        }
    }
    assert_eq!(refusal(&given.post("registered-models/create", &json!({})).await), missing("name"));
    given.finish().await;
}

#[tokio::test]
async fn an_unknown_model_is_told_in_mlflows_words() {
    let given = Given::new().await;
    for (method, call, body, _) in calls() {
        let answer = given.call(&method, call, &with(&body, "name", json!("nobody"))).await;
        let words = "404 RESOURCE_DOES_NOT_EXIST: Registered Model with name=nobody not found";
        assert_eq!(refusal(&answer), words, "{method} {call}");
    }
    given.finish().await;
}

#[tokio::test]
async fn an_unknown_version_is_told_in_mlflows_words() {
    let given = Given::new().await;
    for (method, call, body, _) in calls().into_iter().filter(|(_, _, body, _)| body.get("version").is_some())
    {
        for version in ["9", "0", "9.9.9"] {
            let answer = given.call(&method, call, &with(&body, "version", json!(version))).await;
            let words = format!(
                "404 RESOURCE_DOES_NOT_EXIST: Model Version (name=churn, version={version}) not found"
            );
            assert_eq!(refusal(&answer), words, "{method} {call}");
        }
    }
    given.finish().await;
}

#[tokio::test]
async fn a_write_names_one_version_and_no_range() {
    let given = Given::new().await;
    for (method, call, body, _) in writes().filter(|(_, _, body, _)| body.get("version").is_some()) {
        for version in
            ["^1", "*", "latest", "1.0", "Production", "champion", "-1", "1.0.0.0", "99999999999999999999"]
        {
            let answer = given.call(&method, call, &with(&body, "version", json!(version))).await;
            let refusal = refusal(&answer);
            assert!(
                refusal.starts_with("400 INVALID_PARAMETER_VALUE: "),
                "{method} {call} {version}: {refusal}"
            );
        }
    }
    assert_eq!(given.read("1").await["tags"], Value::Null);
    given.finish().await;
}

#[tokio::test]
async fn values_of_other_types_are_refused() {
    let given = Given::new().await;
    for (method, call, body, required) in calls().into_iter().filter(|(method, ..)| *method != Method::GET) {
        for field in required {
            for value in [json!({"a": 1}), json!([["x"]])] {
                let answer = given.call(&method, call, &with(&body, field, value.clone())).await;
                let refusal = refusal(&answer);
                let start =
                    format!("400 INVALID_PARAMETER_VALUE: Invalid value {value} for parameter '{field}'");
                assert!(refusal.starts_with(&start), "{method} {call}: {refusal}");
            }
        }
    }
    given.finish().await;
}

#[tokio::test]
async fn tags_that_do_not_fit_are_refused() {
    let given = Given::new().await;
    let tag = |key: &str, value: &str| json!({"key": key, "value": value});
    let cases = [
        (json!([tag("a", "1"), tag("a", "2")]), "Duplicate tag keys have been submitted: a"),
        (json!([tag("", "1")]), "Missing value for required parameter 'key'"),
        (json!([{"value": "1"}]), "Missing value for required parameter 'key'"),
        (json!([tag(&"k".repeat(251), "1")]), "'key' exceeds the maximum length of 250 characters"),
        (json!([tag("a", &"v".repeat(100_001))]), "'value' exceeds the maximum length of 100000 characters"),
        (json!((0..1_001).map(|n| tag(&n.to_string(), "")).collect::<Vec<_>>()), "'tags' has 1001 elements"),
        (json!("a=b"), "Invalid value \"a=b\" for parameter 'tags'"),
        (json!([tag("a", "1"), 5]), "Invalid value 5 for parameter 'tags[1]'"),
    ];
    for (tags, words) in cases {
        for (call, name) in [("registered-models/create", "other"), ("model-versions/create", "churn")] {
            let answer = given.post(call, &json!({"name": name, "tags": tags})).await;
            let refusal = refusal(&answer);
            assert!(refusal.starts_with("400 INVALID_PARAMETER_VALUE: "), "{call}: {refusal}");
            assert!(refusal.contains(words), "{call}: {refusal}");
        }
    }
    given.finish().await;
}

#[tokio::test]
async fn what_is_too_long_is_refused_and_what_just_fits_is_not() {
    let given = Given::new().await;
    let long = |length: usize| "ä".repeat(length);
    let version =
        |field: &str, value: String| json!({"name": "churn", "version": "1", "key": "a", field: value});
    for (call, field, most) in [
        ("model-versions/set-tag", "key", 250),
        ("model-versions/set-tag", "value", 100_000),
        ("registered-models/set-tag", "key", 250),
        ("registered-models/set-tag", "value", 100_000),
        ("registered-models/alias", "alias", 255),
        ("model-versions/create", "description", 100_000),
        ("model-versions/create", "run_link", 500),
        ("model-versions/create", "run_id", 500),
        ("model-versions/create", "model_id", 500),
    ] {
        let answer = given.post(call, &version(field, long(most + 1))).await;
        assert!(refusal(&answer).starts_with("400 INVALID_PARAMETER_VALUE: "), "{call} {field}");
        given.post(call, &version(field, long(most))).await.expect_json();
    }
    for call in ["registered-models/update", "model-versions/update"] {
        let answer = given.call(&Method::PATCH, call, &version("description", long(100_001))).await;
        assert!(refusal(&answer).starts_with("400 INVALID_PARAMETER_VALUE: "), "{call}");
    }
    given.finish().await;
}

#[tokio::test]
async fn names_that_are_none_are_refused() {
    let given = Given::new().await;
    let long = "n".repeat(256);
    for name in [" ", "a/b", "a:b", ".", "..", "...a", "Default", "a\0b", &long] {
        for (call, body) in [
            ("registered-models/create", json!({"name": name})),
            ("registered-models/rename", json!({"name": "churn", "new_name": name})),
        ] {
            let refusal = refusal(&given.post(call, &body).await);
            assert!(refusal.starts_with("400 INVALID_PARAMETER_VALUE: "), "{call} {name:?}: {refusal}");
        }
    }
    for name in ["%2F", "Ünïcode 🦀", "a\tb", "1.0.0", "latest"] {
        let made = given.post("registered-models/create", &json!({"name": name})).await;
        assert_eq!(made.expect_json()["registered_model"]["name"], name);
        let read = given.get("registered-models/get", &json!({"name": name})).await.expect_json();
        assert_eq!(read["registered_model"]["name"], name);
    }
    given.finish().await;
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let given = Given::new().await;
    for (method, call, ..) in calls().into_iter().filter(|(method, ..)| *method != Method::GET) {
        for body in ["{\"name\": ", "[1]", "5", "{\"name\": \"churn\"} x", "\u{feff}{}"] {
            let refusal = refusal(&given.send(&method, call, body).await);
            assert!(
                refusal.starts_with("400 INVALID_PARAMETER_VALUE: "),
                "{method} {call} {body}: {refusal}"
            );
        }
        assert_eq!(refusal(&given.send(&method, call, "").await), missing("name"), "{method} {call}");
    }
    given.finish().await;
}

#[tokio::test]
async fn what_happens_twice_is_answered_as_mlflow_does() {
    let given = Given::new().await;
    let version = json!({"name": "churn", "version": "1"});
    let alias = json!({"name": "churn", "alias": "champion", "version": "1"});
    let tag = json!({"name": "churn", "version": "1", "key": "a", "value": "b"});
    for _ in 0..2 {
        for call in ["registered-models/set-tag", "model-versions/set-tag"] {
            given.post(call, &tag).await.expect_json();
        }
        given.post("registered-models/alias", &alias).await.expect_json();
    }
    for _ in 0..2 {
        for call in ["registered-models/delete-tag", "model-versions/delete-tag"] {
            assert_eq!(given.call(&Method::DELETE, call, &tag).await.expect_json(), json!({}));
        }
        let removed = given.call(&Method::DELETE, "registered-models/alias", &alias).await;
        assert_eq!(removed.expect_json(), json!({}));
    }
    let delete = |call: &'static str| given.call(&Method::DELETE, call, &version);
    delete("model-versions/delete").await.expect_json();
    assert_eq!(delete("model-versions/delete").await.status, 404);
    delete("registered-models/delete").await.expect_json();
    assert_eq!(delete("registered-models/delete").await.status, 404);
    given.finish().await;
}

#[tokio::test]
async fn every_call_has_a_twin_for_pages() {
    let given = Given::new().await;
    for below in [
        "registered-models/get?name=churn",
        "model-versions/get?name=churn&version=1",
        "registered-models/search",
        "model-versions/search?filter=name%3D'churn'",
    ] {
        let [api, ajax] = ["api", "ajax-api"].map(|door| given.url(&format!("{door}/2.0/mlflow/{below}")));
        let answer = given.actor.get(&ajax).await;
        assert_eq!(answer.expect_json(), given.actor.get(&api).await.expect_json(), "{below}");
    }
    let url = given.url("ajax-api/2.0/mlflow/registered-models/create");
    let made = given.actor.post(&url, &json!({"name": "by a page"})).await.expect_json();
    assert_eq!(made["registered_model"]["name"], "by a page");
    given.finish().await;
}

#[tokio::test]
async fn camel_case_is_read() {
    let given = Given::new().await;
    let body = json!({"name": "churn", "newName": "fraud"});
    given.post("registered-models/rename", &body).await.expect_json();
    let body = json!({"name": "fraud", "version": "1", "stage": "staging", "archiveExistingVersions": true});
    let moved = given.post("model-versions/transition-stage", &body).await.expect_json();
    assert_eq!(moved["model_version"]["current_stage"], "Staging");
    let body =
        json!({"name": "fraud", "source": "s3://b/m", "runId": "r", "runLink": "https://ci.example/1"});
    let made = given.post("model-versions/create", &body).await.expect_json();
    assert_eq!(
        (&made["model_version"]["run_id"], &made["model_version"]["run_link"]),
        (&json!("r"), &json!("https://ci.example/1"))
    );
    given.finish().await;
}

#[tokio::test]
async fn a_stage_that_is_none_and_archiving_where_nothing_is_active_are_refused() {
    let given = Given::new().await;
    let to = |stage: &str, archive: bool| json!({"name": "churn", "version": "1", "stage": stage, "archive_existing_versions": archive});
    let transition = "model-versions/transition-stage";
    assert_eq!(
        refusal(&given.post(transition, &to("wild", false)).await),
        "400 INVALID_PARAMETER_VALUE: Invalid Model Version stage: wild. Value must be one of None, Staging, \
         Production, Archived."
    );
    for stage in ["None", "archived"] {
        let refusal = refusal(&given.post(transition, &to(stage, true)).await);
        assert!(
            refusal.starts_with("400 INVALID_PARAMETER_VALUE: Model version transition cannot archive"),
            "{refusal}"
        );
        given.post(transition, &to(stage, false)).await.expect_json();
    }
    given.finish().await;
}

#[tokio::test]
async fn who_reads_may_not_write() {
    let given = Given::new().await;
    let guest = given.server.user("bob").await;
    given.server.member(given.project, &guest, Role::Guest).await;
    let before = given.read("1").await;
    for (method, call, body, _) in writes() {
        let answer = given.call_as(&guest, &method, call, &body).await;
        assert!(refusal(&answer).starts_with("403 PERMISSION_DENIED: "), "{method} {call}");
    }
    let query = json!({"name": "churn", "version": "1"});
    let read = given.call_as(&guest, &Method::GET, "model-versions/get", &query).await.expect_json();
    assert_eq!(read["model_version"], before);
    given.finish().await;
}

#[tokio::test]
async fn another_project_has_models_of_its_own() {
    let given = Given::new().await;
    let other = given.server.project(&given.actor, "Other", modelry_core::policy::Visibility::Private).await;
    let elsewhere = |call: &str| format!("/api/v4/projects/{other}/ml/mlflow/api/2.0/mlflow/{call}");
    let get = elsewhere("registered-models/get?name=churn");
    assert!(refusal(&given.actor.get(&get).await).starts_with("404 RESOURCE_DOES_NOT_EXIST"));
    let made = given.actor.post(&elsewhere("registered-models/create"), &json!({"name": "churn"})).await;
    assert_eq!(text(&made.expect_json()["registered_model"]["name"]), "churn");
    assert_eq!(given.actor.get(&get).await.expect_json()["registered_model"]["latest_versions"], Value::Null);
    given.finish().await;
}
