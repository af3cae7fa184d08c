use axum::body::{Body, Bytes};
use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures_util::stream;
use serde_json::json;
use sha2::Digest as _;

use crate::given::Given;

const MIB: usize = 1024 * 1024;

/// The header's value for these bytes.
fn digest_of(bytes: &[u8]) -> String {
    format!("sha-256=:{}:", BASE64_STANDARD.encode(sha2::Sha256::digest(bytes)))
}

/// A body in pieces that breaks off when `broken` says so.
fn pieces(count: usize, broken: bool) -> Body {
    let end = broken.then(|| Err(std::io::Error::other("the client has gone")));
    let whole = (0..count).map(|_| Ok(Bytes::from(vec![7; MIB])));
    Body::from_stream(stream::iter(whole.chain(end).collect::<Vec<_>>()))
}

#[tokio::test]
async fn an_announced_digest_is_verified() {
    let given = Given::new().await;
    for header in ["Content-Digest", "Repr-Digest"] {
        let request =
            given.actor.request(Method::PUT, &given.run_file("a")).header(header, digest_of(b"bytes"));
        let answer = given.actor.send(request, "bytes").await;
        assert_eq!(answer.status, StatusCode::OK, "{header}: {}", answer.text());
    }
    given.finish().await;
}

#[tokio::test]
async fn bytes_that_are_not_what_was_announced_are_not_kept() {
    let given = Given::new().await;
    given.put(&given.run_file("a"), "before").await.expect_json();
    for header in ["Content-Digest", "Repr-Digest"] {
        let request =
            given.actor.request(Method::PUT, &given.run_file("a")).header(header, digest_of(b"other"));

        let answer = given.actor.send(request, "bytes").await;

        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        let message = answer.json()["message"].as_str().unwrap().to_lowercase();
        assert!(message.contains(&format!("but {} announces", header.to_lowercase())), "{message}");
        assert_eq!(given.get(&given.run_file("a")).await.text(), "before");
        assert_eq!(given.blobs().await, 1);
    }
    given.finish().await;
}

#[tokio::test]
async fn a_malformed_digest_is_refused() {
    let given = Given::new().await;
    let request =
        given.actor.request(Method::PUT, &given.run_file("a")).header("Content-Digest", "sha-256=abc");
    assert_eq!(given.actor.send(request, "bytes").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(given.blobs().await, 0);
    given.finish().await;
}

#[tokio::test]
async fn a_body_that_is_not_the_file_itself_is_refused() {
    let given = Given::new().await;
    for (name, value) in [("Content-Encoding", "gzip"), ("Content-Range", "bytes 0-4/10")] {
        let request = given.actor.request(Method::PUT, &given.run_file("a")).header(name, value);
        assert_eq!(given.actor.send(request, "bytes").await.status, StatusCode::BAD_REQUEST, "{name}");
    }
    given.finish().await;
}

#[tokio::test]
async fn a_file_that_says_it_is_too_large_is_refused_before_it_is_read() {
    let given = Given::new().await;
    let length = given.server.app().settings.limits.file_bytes + 1;
    let request = given.actor.request(Method::PUT, &given.run_file("a")).header("Content-Length", length);
    let never = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    assert_eq!(given.actor.send(request, never).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    given.finish().await;
}

#[tokio::test]
async fn a_file_that_turns_out_too_large_leaves_nothing() {
    let given = Given::new().await;
    let path = format!("ajax-api/2.0/mlflow/upload-artifact?run_uuid={}&path=a", given.run);
    let request = given.actor.request(Method::POST, &given.url(&path));

    let answer = given.actor.send(request, pieces(11, false)).await;

    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", answer.text());
    assert_eq!(given.get(&given.run_file("a")).await.status, StatusCode::NOT_FOUND);
    given.await_blobs(0).await;
    given.finish().await;
}

#[tokio::test]
async fn an_upload_that_breaks_off_is_never_seen() {
    let given = Given::new().await;
    given.put(&given.run_file("a"), "before").await.expect_json();

    let answer = given.put(&given.run_file("a"), pieces(3, true)).await;

    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(given.get(&given.run_file("a")).await.text(), "before");
    given.await_blobs(1).await;
    given.finish().await;
}

#[tokio::test]
async fn a_client_that_goes_in_the_middle_leaves_nothing() {
    let given = Given::new().await;
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    let body =
        stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) });
    let (actor, url) = (given.actor.clone(), given.run_file("a"));
    let upload =
        tokio::spawn(
            async move { actor.send(actor.request(Method::PUT, &url), Body::from_stream(body)).await },
        );
    for _ in 0..4 {
        sender.send(Ok(Bytes::from(vec![7; MIB]))).await.expect("the upload is running");
    }
    given.await_blobs(1).await;

    upload.abort();

    given.await_blobs(0).await;
    assert_eq!(given.get(&given.run_file("a")).await.status, StatusCode::NOT_FOUND);
    given.finish().await;
}

#[tokio::test]
async fn the_same_bytes_lie_in_the_store_once() {
    let given = Given::new().await;
    for path in ["a", "b", "dir/c"] {
        given.put(&given.run_file(path), "the same bytes").await.expect_json();
    }
    assert_eq!(given.blobs().await, 1);
    assert_eq!(given.get(&given.run_file("dir/c")).await.text(), "the same bytes");
    given.finish().await;
}

#[tokio::test]
async fn a_file_in_the_way_is_a_conflict_and_leaves_no_bytes() {
    let given = Given::new().await;
    given.put(&given.run_file("model"), "a file").await.expect_json();

    let answer = given.put(&given.run_file("model/data"), "bytes").await;

    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(
        answer.json(),
        json!({
            "error_code": "RESOURCE_CONFLICT",
            "message": "`model` is a file, so nothing can be stored below it",
        })
    );
    assert_eq!(given.blobs().await, 1);
    given.finish().await;
}

#[tokio::test]
async fn a_large_file_comes_back_piece_by_piece() {
    let given = Given::new().await;
    given.put(&given.run_file("large"), pieces(20, false)).await.expect_json();

    let got = given.get(&given.run_file("large")).await;

    assert_eq!(got.header("content-length"), (20 * MIB).to_string());
    assert!(got.body == vec![7; 20 * MIB]);
    given.finish().await;
}
