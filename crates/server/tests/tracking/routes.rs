//! The protocol's addresses, and what it says of itself.

use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use modelry_core::ids::UserId;
use modelry_core::policy::Visibility;
use serde_json::json;

use crate::given::{Given, refusal};

#[tokio::test]
async fn every_call_has_a_twin_for_pages() {
    let given = Given::new().await;
    let below = format!("2.0/mlflow/runs/get?run_id={}", given.run);
    let [api, ajax] = ["api", "ajax-api"].map(|door| given.url(&format!("{door}/{below}")));
    let answer = given.actor.get(&ajax).await;
    assert_eq!(answer.expect_json(), given.actor.get(&api).await.expect_json());
    given.finish().await;
}

#[tokio::test]
async fn what_is_not_offered_is_endpoint_not_found() {
    let given = Given::new().await;
    let paths = [
        "api/3.0/mlflow/traces/search",
        "api/3.0/mlflow/runs/create",
        "api/2.0/mlflow/no/such",
        "api/2.0mlflow/experiments/search-datasets",
        "api/2.0/mlflow/runs/create/",
        "v1/traces",
    ];
    for path in paths {
        let words = format!("404 ENDPOINT_NOT_FOUND: /{path} is not offered by this server");
        assert_eq!(refusal(&given.actor.post(&given.url(path), &json!({})).await), words);
    }
    given.finish().await;
}

#[tokio::test]
async fn a_method_that_a_call_does_not_take_is_refused() {
    let given = Given::new().await;
    let answer = given.get("runs/create").await;
    let words = "405 ENDPOINT_NOT_FOUND: /api/2.0/mlflow/runs/create does not answer this method";
    assert_eq!(refusal(&answer), words);
    assert_eq!(answer.header("allow"), "POST");
    given.finish().await;
}

#[tokio::test]
async fn whoever_asks_is_told_what_the_server_offers() {
    let given = Given::new().await;
    let anonymous = given.server.anonymous();
    assert_eq!(anonymous.get(&given.url("health")).await.text(), "OK");
    assert_eq!(anonymous.get(&given.url("version")).await.text(), "3.0.0");
    let info = anonymous.get(&given.url("ajax-api/3.0/mlflow/server-info")).await.expect_json();
    assert_eq!(info, anonymous.get(&given.url("api/3.0/mlflow/server-info")).await.expect_json());
    insta::assert_json_snapshot!(info, @r#"
    {
      "artifact_serving_enabled": true,
      "artifacts_presigned_only": false,
      "features_enabled": {
        "gateway": false,
        "scheduled_issue_detection": false
      },
      "model_artifact_presigned_downloads_supported": false,
      "multipart_downloads_enabled": false,
      "multipart_uploads_enabled": false,
      "presigned_upload_model_id_supported": false,
      "presigned_upload_run_id_supported": false,
      "store_type": "SqlStore",
      "trace_archival_enabled": false,
      "workspaces_enabled": false
    }
    "#);
    given.finish().await;
}

#[tokio::test]
async fn presigned_downloads_are_refused_so_that_clients_fall_back() {
    let given = Given::new().await;
    let answer = given.actor.get(&given.url("api/2.0/mlflow-artifacts/presigned/0/x")).await;
    let words = "501 NOT_IMPLEMENTED: presigned downloads are not offered: GET the file from here";
    assert_eq!(refusal(&answer), words);
    given.finish().await;
}

#[tokio::test]
async fn without_a_valid_token_one_is_told_where_to_get_one() {
    let given = Given::new().await;
    let url = given.url("api/2.0/mlflow/experiments/get?experiment_id=0");
    let place =
        "http://modelry.test/-/user_settings/personal_access_tokens and set MLFLOW_TRACKING_TOKEN to it";
    let words = |reason: &str| format!("401 UNAUTHENTICATED: {reason}. Make a token at {place}");
    let stranger = given.server.bearer(UserId(0), "mdl_unknown");
    assert_eq!(refusal(&stranger.get(&url).await), words("this token is not known"));
    let anonymous = given.server.anonymous().get(&url).await;
    assert_eq!(refusal(&anonymous), words("project not found, or it needs you to sign in or send a token"));
    assert_eq!(anonymous.header("www-authenticate"), "Bearer realm=\"modelry\"");
    given.finish().await;
}

#[tokio::test]
async fn a_project_does_not_see_the_runs_and_experiments_of_another() {
    let given = Given::new().await;
    let experiment = given.new_experiment("here").await;
    let other = given.server.project(&given.actor, "Other", Visibility::Private).await;
    let elsewhere = |call: String| format!("/api/v4/projects/{other}/ml/mlflow/api/2.0/mlflow/{call}");
    for call in [
        format!("runs/get?run_id={}", given.run),
        format!("experiments/get?experiment_id={experiment}"),
        "experiments/get-by-name?experiment_name=here".to_owned(),
    ] {
        let answer = given.actor.get(&elsewhere(call)).await;
        assert!(refusal(&answer).starts_with("404 RESOURCE_DOES_NOT_EXIST"), "{}", answer.text());
    }
    let history = elsewhere(format!("metrics/get-history?run_id={}&metric_key=a", given.run));
    assert_eq!(given.actor.get(&history).await.expect_json(), json!({}));
    let url = elsewhere("runs/set-tag".to_owned());
    let request = given.actor.request(Method::POST, &url).header(CONTENT_TYPE, "application/json");
    let body = json!({"run_id": given.run, "key": "a", "value": "b"}).to_string();
    assert_eq!(given.actor.send(request, body).await.status, 404);
    given.finish().await;
}

#[tokio::test]
async fn every_project_has_a_default_experiment() {
    let given = Given::new().await;
    let other = given.server.project(&given.actor, "Other", Visibility::Private).await;
    let url = format!("/api/v4/projects/{other}/ml/mlflow/api/2.0/mlflow/experiments/get?experiment_id=0");
    assert_eq!(given.actor.get(&url).await.expect_json()["experiment"]["name"], "Default");
    given.finish().await;
}
