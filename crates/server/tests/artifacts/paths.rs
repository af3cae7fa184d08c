use axum::http::{Method, StatusCode};

use crate::given::Given;

/// Paths that lead out of where they are put, as they stand in a URL, each also in disguise.
const HOSTILE: &[&str] = &[
    "../secret",
    "a/../../secret",
    "a/..",
    "..",
    "%2e%2e/secret",
    "%252e%252e/secret",
    "%25252e%25252e/secret",
    "..%2fsecret",
    "..%252fsecret",
    "..%5csecret",
    "..%255csecret",
    "a%5cb",
    "%2fetc/passwd",
    "%252fetc/passwd",
    "/etc/passwd",
    "a//b",
    "a/./b",
    "a%00b",
    "a%2500b",
    "a%0ab",
    "C:/windows",
    "C:%5cwindows",
    "file:/etc/passwd",
    "file:%2f%2f%2fetc/passwd",
    "FILE:etc",
    "http:/host/a",
    "s3:/bucket/a",
    "a%23b",
];

/// Paths that no file has, and that do not lead out either.
const NO_FILES: &[&str] = &["a/", "dir/sub/"];

#[tokio::test]
async fn no_path_leads_out_through_the_proxy() {
    let given = Given::new().await;
    for path in HOSTILE {
        for base in ["", &format!("0/{}/artifacts/", given.run)] {
            // Seen from the owner, what lies below its address is a path of its own.
            let url = given.file(&format!("{base}{path}"));
            for method in [Method::GET, Method::PUT, Method::DELETE] {
                let answer = given.actor.send(given.actor.request(method.clone(), &url), "bytes").await;
                refused(&answer, &format!("{method} {base}{path}"));
            }
        }
    }
    assert_eq!(given.blobs().await, 0);
    given.finish().await;
}

#[tokio::test]
async fn no_path_in_a_query_leads_out() {
    let given = Given::new().await;
    let (run, model) = (&given.run, &given.model);
    for path in HOSTILE {
        for below in [
            format!("api/2.0/mlflow-artifacts/artifacts?path={path}"),
            format!("api/2.0/mlflow/artifacts/list?run_id={run}&path={path}"),
            format!("get-artifact?run_id={run}&path={path}"),
            format!(
                "api/2.0/mlflow/logged-models/{model}/artifacts/directories?artifact_directory_path={path}"
            ),
            format!("ajax-api/2.0/mlflow/logged-models/{model}/artifacts/files?artifact_file_path={path}"),
        ] {
            let answer = given.get(&given.url(&below)).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{below}: {}", answer.text());
        }
        let upload = given.url(&format!("ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path={path}"));
        let answer = given.actor.send(given.actor.request(Method::POST, &upload), "bytes").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "upload {path}: {}", answer.text());
    }
    assert_eq!(given.blobs().await, 0);
    given.finish().await;
}

#[tokio::test]
async fn bytes_that_are_no_text_are_no_path() {
    let given = Given::new().await;
    let answer = given.put(&given.run_file("a%ffb"), "bytes").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(given.blobs().await, 0);
    given.finish().await;
}

#[tokio::test]
async fn a_path_that_ends_in_a_slash_names_no_file() {
    let given = Given::new().await;
    for path in NO_FILES {
        refused(&given.put(&given.run_file(path), "bytes").await, path);
    }
    given.finish().await;
}

#[tokio::test]
async fn an_owners_address_is_no_file() {
    let given = Given::new().await;
    let answer = given.put(&given.file(&format!("0/{}/artifacts", given.run)), "bytes").await;
    refused(&answer, "the address itself");
    assert_eq!(given.blobs().await, 0);
    given.finish().await;
}

#[tokio::test]
async fn unusual_names_are_kept_as_they_are() {
    let given = Given::new().await;
    for (sent, kept) in [
        ("gr%C3%B6%C3%9Fe%20100%25.txt", "größe 100%.txt"),
        ("a%2520b", "a%20b"),
        ("step:10.png", "step:10.png"),
        ("...", "..."),
        ("a%3Fb+c", "a?b+c"),
    ] {
        given.put(&given.run_file(sent), sent).await.expect_json();
        assert_eq!(given.get(&given.run_file(sent)).await.text(), sent, "{kept}");
        let names = given.list(&format!("0/{}/artifacts", given.run)).await;
        assert_eq!(names["files"][0]["path"], kept);
        given.actor.delete(&given.run_file(sent)).await.expect_json();
    }
    given.finish().await;
}

fn refused(answer: &modelry_testkit::server::Answer, what: &str) {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{what}: {}", answer.text());
    let body = answer.json();
    assert_eq!(body["error_code"], "INVALID_PARAMETER_VALUE", "{what}");
    assert!(body["message"].as_str().is_some_and(|text| text.starts_with("Invalid path")), "{what}: {body}");
}
