//! MLflow's multipart uploads.

use axum::http::{Method, StatusCode};
use modelry_testkit::server::Answer;
use serde_json::{Value, json};

use crate::given::Given;

impl Given {
    async fn mpu(&self, call: &str, body: &Value) -> Answer {
        let dir = format!("0/{}/artifacts/dir", self.run);
        self.actor.post(&self.url(&format!("api/2.0/mlflow-artifacts/mpu/{call}/{dir}")), body).await
    }

    async fn create(&self, parts: i64) -> Value {
        self.mpu("create", &json!({ "path": "/home/ann/big.bin", "num_parts": parts })).await.expect_json()
    }

    /// Sends a part as clients do: without a token. Answers its `ETag`.
    async fn part(&self, created: &Value, number: usize, bytes: &'static str) -> Answer {
        let url = created["credentials"][number - 1]["url"].as_str().expect("a URL");
        let path = url.split_once("//").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
        let anonymous = self.server.anonymous();
        anonymous.send(anonymous.request(Method::PUT, path.expect("a path")), bytes).await
    }

    async fn complete(&self, created: &Value, parts: &[(i64, String)]) -> Answer {
        let parts: Vec<Value> = parts
            .iter()
            .map(|(number, etag)| json!({ "part_number": number, "etag": etag, "url": "" }))
            .collect();
        let body = json!({ "path": "big.bin", "upload_id": created["upload_id"], "parts": parts });
        self.mpu("complete", &body).await
    }
}

fn etag(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.header("etag").to_owned()
}

#[tokio::test]
async fn parts_become_a_file_in_their_order_however_they_arrive() {
    let given = Given::new().await;
    let created = given.create(3).await;
    let third = etag(&given.part(&created, 3, "c").await);
    let first = etag(&given.part(&created, 1, "aaa").await);
    let second = etag(&given.part(&created, 2, "bb").await);
    assert_eq!(given.get(&given.run_file("dir/big.bin")).await.status, StatusCode::NOT_FOUND);

    let parts = [(1, first), (2, second), (3, third)];
    given.complete(&created, &parts).await.expect_json();

    assert_eq!(given.get(&given.run_file("dir/big.bin")).await.text(), "aaabbc");
    given.await_blobs(1).await;
    // The answer may have been lost.
    given.complete(&created, &parts).await.expect_json();
    given.finish().await;
}

#[tokio::test]
async fn a_part_that_is_sent_again_replaces_the_one_before() {
    let given = Given::new().await;
    let created = given.create(1).await;
    let old = etag(&given.part(&created, 1, "old").await);
    let new = etag(&given.part(&created, 1, "new").await);
    given.await_blobs(1).await;

    assert_eq!(given.complete(&created, &[(1, old)]).await.status, StatusCode::BAD_REQUEST);
    given.complete(&created, &[(1, new)]).await.expect_json();

    assert_eq!(given.get(&given.run_file("dir/big.bin")).await.text(), "new");
    given.finish().await;
}

#[tokio::test]
async fn a_file_is_made_of_all_its_parts() {
    let given = Given::new().await;
    let created = given.create(3).await;
    let first = etag(&given.part(&created, 1, "a").await);
    let third = etag(&given.part(&created, 3, "c").await);
    for parts in [vec![], vec![(1, first.clone())], vec![(1, first.clone()), (3, third.clone())]] {
        let answer = given.complete(&created, &parts).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
        assert_eq!(answer.json()["error_code"], "INVALID_PARAMETER_VALUE");
    }
    assert_eq!(given.get(&given.run_file("dir/big.bin")).await.status, StatusCode::NOT_FOUND);
    given.finish().await;
}

#[tokio::test]
async fn an_aborted_upload_leaves_nothing_and_takes_nothing_more() {
    let given = Given::new().await;
    let created = given.create(2).await;
    etag(&given.part(&created, 1, "a").await);

    given.mpu("abort", &json!({ "path": "big.bin", "upload_id": created["upload_id"] })).await.expect_json();

    given.await_blobs(0).await;
    assert_eq!(given.part(&created, 2, "b").await.status, StatusCode::NOT_FOUND);
    given.await_blobs(0).await;
    given.finish().await;
}

#[tokio::test]
async fn a_part_needs_the_secret_of_its_address() {
    let given = Given::new().await;
    let mut created = given.create(1).await;
    let url = created["credentials"][0]["url"].as_str().expect("a URL").to_owned();
    let (front, _) = url.rsplit_once('/').expect("a path");
    created["credentials"][0]["url"] = json!(format!("{front}/another-secret"));

    assert_eq!(given.part(&created, 1, "a").await.status, StatusCode::NOT_FOUND);

    given.await_blobs(0).await;
    given.finish().await;
}

#[tokio::test]
async fn an_upload_in_parts_is_refused_like_one_in_one_piece() {
    let given = Given::new().await;
    for body in [
        json!({ "path": "..", "num_parts": 1 }),
        json!({ "path": "a/b/..", "num_parts": 1 }),
        json!({ "num_parts": 1 }),
        json!({ "path": "a", "num_parts": 0 }),
        json!({ "path": "a", "num_parts": 10_001 }),
    ] {
        let answer = given.mpu("create", &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}: {}", answer.text());
    }
    let nobody =
        given.url("api/2.0/mlflow-artifacts/mpu/create/0/00000000000000000000000000000000/artifacts");
    let answer = given.actor.post(&nobody, &json!({ "path": "a", "num_parts": 1 })).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    given.finish().await;
}
