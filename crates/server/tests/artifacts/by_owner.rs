use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::given::Given;

#[tokio::test]
async fn a_runs_artifacts_are_listed_by_their_paths_in_the_run() {
    let given = Given::new().await;
    for path in ["model/MLmodel", "model/data/a", "notes.txt"] {
        given.put(&given.run_file(path), "12345").await.expect_json();
    }
    let root_uri = format!("mlflow-artifacts:/0/{}/artifacts", given.run);
    let list = |query: &str| given.url(&format!("api/2.0/mlflow/artifacts/list?{query}"));

    for name in ["run_id", "run_uuid"] {
        assert_eq!(
            given.get(&list(&format!("{name}={}", given.run))).await.expect_json(),
            json!({"root_uri": root_uri, "files": [
                {"path": "model", "is_dir": true},
                {"path": "notes.txt", "is_dir": false, "file_size": 5},
            ]})
        );
    }
    assert_eq!(
        given.get(&list(&format!("run_id={}&path=model", given.run))).await.expect_json(),
        json!({"root_uri": root_uri, "files": [
            {"path": "model/MLmodel", "is_dir": false, "file_size": 5},
            {"path": "model/data", "is_dir": true},
        ]})
    );
    assert_eq!(
        given.get(&list(&format!("run_id={}&path=missing", given.run))).await.expect_json(),
        json!({"root_uri": root_uri})
    );
    given.finish().await;
}

#[tokio::test]
async fn a_long_listing_goes_on_where_its_token_says() {
    let given = Given::new().await;
    for number in 0..1_001 {
        given.put(&given.run_file(&format!("{number:04}")), "1").await.expect_json();
    }
    let url = given.url(&format!("api/2.0/mlflow/artifacts/list?run_id={}", given.run));

    let first = given.get(&url).await.expect_json();
    let token = first["next_page_token"].as_str().expect("there is more");
    let second = given.get(&format!("{url}&page_token={token}")).await.expect_json();

    assert_eq!(first["files"].as_array().unwrap().len(), 1_000);
    assert_eq!(second["files"], json!([{"path": "1000", "is_dir": false, "file_size": 1}]));
    assert_eq!(second["next_page_token"], Value::Null);
    given.finish().await;
}

#[tokio::test]
async fn a_token_that_nobody_gave_out_is_refused() {
    let given = Given::new().await;
    let url = given.url(&format!("api/2.0/mlflow/artifacts/list?run_id={}&page_token=!", given.run));
    assert_eq!(given.get(&url).await.status, StatusCode::BAD_REQUEST);
    given.finish().await;
}

#[tokio::test]
async fn a_logged_models_artifacts_are_listed_by_their_paths_in_the_model() {
    let given = Given::new().await;
    let root = format!("0/models/{}/artifacts", given.model);
    for path in ["MLmodel", "data/a"] {
        given.put(&given.file(&format!("{root}/{path}")), "12345").await.expect_json();
    }
    let list = |door: &str, query: &str| {
        given.url(&format!("{door}/2.0/mlflow/logged-models/{}/artifacts/directories{query}", given.model))
    };

    for door in ["api", "ajax-api"] {
        assert_eq!(
            given.get(&list(door, "")).await.expect_json(),
            json!({"root_uri": format!("mlflow-artifacts:/{root}"), "files": [
                {"path": "MLmodel", "is_dir": false, "file_size": 5},
                {"path": "data", "is_dir": true},
            ]})
        );
    }
    assert_eq!(
        given.get(&list("api", "?artifact_directory_path=data")).await.expect_json()["files"],
        json!([{"path": "data/a", "is_dir": false, "file_size": 5}])
    );
    given.finish().await;
}

#[tokio::test]
async fn pages_download_a_runs_file() {
    let given = Given::new().await;
    given.put(&given.run_file("dir/a.txt"), "bytes").await.expect_json();
    for name in ["run_id", "run_uuid"] {
        let got = given.get(&given.url(&format!("get-artifact?{name}={}&path=dir/a.txt", given.run))).await;
        assert_eq!((got.status, got.text().as_str()), (StatusCode::OK, "bytes"));
        assert_eq!(got.header("content-disposition"), "attachment; filename=\"a.txt\"");
    }
    given.finish().await;
}

#[tokio::test]
async fn pages_download_a_logged_models_file() {
    let given = Given::new().await;
    given
        .put(&given.file(&format!("0/models/{}/artifacts/data/a", given.model)), "bytes")
        .await
        .expect_json();
    let below = format!("ajax-api/2.0/mlflow/logged-models/{}/artifacts/files", given.model);

    let got = given.get(&given.url(&format!("{below}?artifact_file_path=data/a"))).await;

    assert_eq!((got.status, got.text().as_str()), (StatusCode::OK, "bytes"));
    given.finish().await;
}

#[tokio::test]
async fn pages_upload_a_runs_file() {
    let given = Given::new().await;
    let url = given.url(&format!("ajax-api/2.0/mlflow/upload-artifact?run_uuid={}&path=dir/a", given.run));

    let answer = given.actor.send(given.actor.request(Method::POST, &url), "bytes").await;

    assert_eq!(answer.expect_json(), json!({}));
    assert_eq!(given.get(&given.run_file("dir/a")).await.text(), "bytes");
    given.finish().await;
}

#[tokio::test]
async fn a_missing_parameter_is_named() {
    let given = Given::new().await;
    for (below, name) in [
        (format!("get-artifact?run_id={}", given.run), "path"),
        ("get-artifact?path=a".to_owned(), "run_id"),
        ("api/2.0/mlflow/artifacts/list".to_owned(), "run_id"),
        (format!("ajax-api/2.0/mlflow/logged-models/{}/artifacts/files", given.model), "artifact_file_path"),
    ] {
        let answer = given.get(&given.url(&below)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{below}");
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with(&format!("Missing value for required parameter '{name}'")), "{message}");
    }
    given.finish().await;
}

#[tokio::test]
async fn an_unknown_owner_is_not_found() {
    let given = Given::new().await;
    let unknown = "0190a0000000700080000000000000ff";
    for below in [
        format!("api/2.0/mlflow/artifacts/list?run_id={unknown}"),
        format!("get-artifact?run_id={unknown}&path=a"),
        format!("api/2.0/mlflow/logged-models/m-{unknown}/artifacts/directories"),
        format!("ajax-api/2.0/mlflow/logged-models/m-{unknown}/artifacts/files?artifact_file_path=a"),
    ] {
        let answer = given.get(&given.url(&below)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{below}");
        assert_eq!(answer.json()["error_code"], "RESOURCE_DOES_NOT_EXIST");
    }
    given.finish().await;
}

#[tokio::test]
async fn presigned_urls_are_refused() {
    let given = Given::new().await;
    for call in ["presigned-upload-url", "presigned-download-url"] {
        let url = given.url(&format!("api/2.0/mlflow/artifacts/{call}"));
        let answer = given.actor.post(&url, &json!({"run_id": given.run, "path": "a"})).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{call}");
        assert_eq!(answer.json()["error_code"], "INVALID_PARAMETER_VALUE");
    }
    given.finish().await;
}
