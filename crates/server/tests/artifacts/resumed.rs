//! Uploads that are gone on with where they broke off, through the native routes.

use axum::body::{Body, Bytes};
use axum::http::{Method, StatusCode};
use futures_util::stream;
use modelry_core::policy::{Role, Visibility};
use modelry_server::collection::sweep;
use modelry_server::uploads::prune;
use modelry_store::uploads;
use modelry_testkit::server::{Actor, Answer, START};
use serde_json::{Value, json};
use sha2::Digest as _;

use crate::given::Given;

const MIB: usize = 1024 * 1024;
const WEEK_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

fn sha256(bytes: &[u8]) -> String {
    modelry_core::digest::Sha256(sha2::Sha256::digest(bytes).into()).to_string()
}

/// Bytes that differ from place to place.
fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at * 7 % 251).expect("below 256")).collect()
}

/// A body that breaks off after `sent`.
fn broken(sent: &[u8]) -> Body {
    let pieces = sent.chunks(MIB).map(|piece| Ok(Bytes::copy_from_slice(piece)));
    let end = Err(std::io::Error::other("the client has gone"));
    Body::from_stream(stream::iter(pieces.chain([end]).collect::<Vec<_>>()))
}

impl Given {
    fn uploads(&self) -> String {
        format!("/api/v4/projects/{}/uploads", self.project)
    }

    async fn announce_as(&self, actor: &Actor, path: &str, size: usize, sha256: Option<&str>) -> Answer {
        let candidate =
            self.actor.get(&self.uploads().replace("uploads", "packages/ml_models/candidate:1/files")).await;
        assert_eq!(candidate.status, StatusCode::OK, "the run is the candidate 1: {}", candidate.text());
        let body = json!({ "package": "candidate:1", "path": path, "size": size, "sha256": sha256 });
        actor.post(&self.uploads(), &body).await
    }

    async fn announce(&self, path: &str, size: usize, sha256: Option<&str>) -> Value {
        let answer = self.announce_as(&self.actor, path, size, sha256).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        answer.json()
    }

    /// Sends bytes of an upload from `start` on, of a file of `size`.
    async fn send(
        &self,
        id: &str,
        (start, end, size): (usize, usize, usize),
        body: impl Into<Body>,
    ) -> Answer {
        let url = format!("{}/{id}", self.uploads());
        let range = format!("bytes {start}-{}/{size}", end - 1);
        self.actor.send(self.actor.request(Method::PUT, &url).header("Content-Range", range), body).await
    }

    async fn progress(&self, id: &str) -> Value {
        self.actor.get(&format!("{}/{id}", self.uploads())).await.expect_json()
    }
}

fn id_of(upload: &Value) -> String {
    upload["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_file_is_there_with_its_last_byte_and_not_before() {
    let given = Given::new().await;
    let file = bytes(10);
    let id = id_of(&given.announce("w", 10, None).await);

    let half = given.send(&id, (0, 6, 10), file[..6].to_vec()).await.expect_json();
    assert_eq!((half["received"].clone(), half["done"].clone()), (json!(6), json!(false)));
    assert_eq!(given.get(&given.run_file("w")).await.status, StatusCode::NOT_FOUND);
    let whole = given.send(&id, (6, 10, 10), file[6..].to_vec()).await.expect_json();

    assert_eq!(whole["done"], true);
    assert_eq!(given.get(&given.run_file("w")).await.body, file);
    assert_eq!(given.progress(&id).await["done"], true, "a lost answer can be asked for");
    given.finish().await;
}

#[tokio::test]
async fn an_upload_that_broke_off_keeps_what_arrived() {
    let given = Given::new().await;
    let file = bytes(3 * MIB + 17);
    let id = id_of(&given.announce("w", file.len(), Some(&sha256(&file))).await);

    let answer = given.send(&id, (0, file.len(), file.len()), broken(&file[..2 * MIB + 5])).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let again = given.announce("w", file.len(), Some(&sha256(&file))).await;
    assert_eq!((id_of(&again), again["received"].clone()), (id.clone(), json!(2 * MIB + 5)));
    let rest = file[2 * MIB + 5..].to_vec();
    let done = given.send(&id, (2 * MIB + 5, file.len(), file.len()), rest).await.expect_json();

    assert_eq!(done["done"], true);
    assert_eq!(sha256(&given.get(&given.run_file("w")).await.body), sha256(&file));
    given.finish().await;
}

#[tokio::test]
async fn an_upload_is_gone_on_with_after_a_restart() {
    let given = Given::new().await;
    let file = bytes(MIB + 1);
    let id = id_of(&given.announce("w", file.len(), Some(&sha256(&file))).await);
    given.send(&id, (0, MIB, file.len()), file[..MIB].to_vec()).await.expect_json();

    // All that a process remembers of an upload; the digest is taken anew from the bytes.
    given.server.app().turns.forget(&id);

    let done = given.send(&id, (MIB, MIB + 1, file.len()), file[MIB..].to_vec()).await.expect_json();
    assert_eq!(done["done"], true);
    assert_eq!(given.get(&given.run_file("w")).await.body, file);
    given.finish().await;
}

#[tokio::test]
async fn bytes_that_are_there_may_be_sent_again() {
    let given = Given::new().await;
    let file = bytes(10);
    let id = id_of(&given.announce("w", 10, Some(&sha256(&file))).await);
    given.send(&id, (0, 8, 10), b"wrong by.".to_vec()[..8].to_vec()).await.expect_json();

    let done = given.send(&id, (0, 10, 10), file.clone()).await.expect_json();

    assert_eq!(done["done"], true);
    assert_eq!(given.get(&given.run_file("w")).await.body, file);
    given.finish().await;
}

#[tokio::test]
async fn a_gap_is_refused_with_where_to_go_on() {
    let given = Given::new().await;
    let id = id_of(&given.announce("w", 10, None).await);
    given.send(&id, (0, 3, 10), "abc").await.expect_json();

    let answer = given.send(&id, (5, 10, 10), "fghij").await;

    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(answer.json()["detail"], "the upload goes on at byte 3, not at byte 5");
    given.finish().await;
}

#[tokio::test]
async fn bytes_other_than_announced_become_no_file() {
    let given = Given::new().await;
    let id = id_of(&given.announce("w", 5, Some(&sha256(b"other"))).await);

    let answer = given.send(&id, (0, 5, 5), "bytes").await;

    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text().contains("was announced: nothing was stored"), "{}", answer.text());
    assert_eq!(given.get(&given.run_file("w")).await.status, StatusCode::NOT_FOUND);
    given.await_blobs(0).await;
    given.finish().await;
}

#[tokio::test]
async fn an_empty_file_is_uploaded_too() {
    let given = Given::new().await;
    let id = id_of(&given.announce("empty", 0, None).await);
    let url = format!("{}/{id}", given.uploads());

    let done = given.actor.send(given.actor.request(Method::PUT, &url), Body::empty()).await.expect_json();

    assert_eq!(done["done"], true);
    assert_eq!(given.get(&given.run_file("empty")).await.status, StatusCode::OK);
    given.finish().await;
}

#[tokio::test]
async fn bytes_that_the_caller_may_read_are_not_sent_again() {
    let given = Given::new().await;
    given.put(&given.run_file("first"), "the same bytes").await.expect_json();

    let second = given.announce("second", 14, Some(&sha256(b"the same bytes"))).await;

    assert_eq!((second["done"].clone(), second["received"].clone()), (json!(true), json!(14)));
    assert_eq!(given.get(&given.run_file("second")).await.text(), "the same bytes");
    assert_eq!(given.blobs().await, 1);
    given.finish().await;
}

#[tokio::test]
async fn bytes_that_the_caller_may_not_read_are_asked_for_like_unknown_ones() {
    let given = Given::new().await;
    given.put(&given.run_file("secret"), "the same bytes").await.expect_json();
    let eve = given.server.user("eve").await;
    let own = given.server.project(&eve, "Own", Visibility::Private).await;
    let url = format!("/api/v4/projects/{own}/ml/mlflow/api/2.0/mlflow/runs/create");
    eve.post(&url, &json!({ "experiment_id": "0" })).await.expect_json();

    let announce = async |digest: &str| {
        let body = json!({ "package": "candidate:1", "path": "w", "size": 14, "sha256": digest });
        let mut upload = eve.post(&format!("/api/v4/projects/{own}/uploads"), &body).await.expect_json();
        for unlike in ["id", "sha256"] {
            upload.as_object_mut().expect("an object").remove(unlike);
        }
        upload
    };
    let of_others = announce(&sha256(b"the same bytes")).await;

    assert_eq!(of_others, announce(&sha256(b"unknown bytes!")).await);
    assert_eq!(of_others["done"], false);
    given.finish().await;
}

#[tokio::test]
async fn only_who_began_an_upload_goes_on_with_it() {
    let given = Given::new().await;
    let bob = given.server.user("bob").await;
    given.server.member(given.project, &bob, Role::Reporter).await;
    let id = id_of(&given.announce("w", 3, None).await);

    let url = format!("{}/{id}", given.uploads());
    assert_eq!(bob.get(&url).await.status, StatusCode::NOT_FOUND);
    assert_eq!(bob.send(bob.request(Method::PUT, &url), "abc").await.status, StatusCode::NOT_FOUND);
    assert_eq!(bob.delete(&url).await.status, StatusCode::NOT_FOUND);
    let other = given.announce_as(&bob, "w", 3, None).await.expect_json();
    assert_ne!(id_of(&other), id);
    given.finish().await;
}

#[tokio::test]
async fn an_upload_that_is_given_up_leaves_nothing() {
    let given = Given::new().await;
    let id = id_of(&given.announce("w", 10, None).await);
    given.send(&id, (0, 3, 10), "abc").await.expect_json();

    let url = format!("{}/{id}", given.uploads());
    assert_eq!(given.actor.delete(&url).await.status, StatusCode::NO_CONTENT);

    assert_eq!(given.actor.get(&url).await.status, StatusCode::NOT_FOUND);
    given.await_blobs(0).await;
    given.finish().await;
}

#[tokio::test]
async fn an_upload_that_nothing_came_for_goes_after_a_week_with_its_bytes() {
    let given = Given::new().await;
    let app = given.server.app();
    let id = id_of(&given.announce("w", 10, None).await);
    given.send(&id, (0, 3, 10), "abc").await.expect_json();

    app.clock.set(START.plus_ms(WEEK_MS));
    prune(app).await.expect("pruned");
    assert_eq!(given.progress(&id).await["received"], 3);
    app.clock.set(START.plus_ms(WEEK_MS + 1));
    prune(app).await.expect("pruned");

    assert_eq!(given.actor.get(&format!("{}/{id}", given.uploads())).await.status, StatusCode::NOT_FOUND);
    given.finish().await;
}

#[tokio::test]
async fn the_sweep_leaves_the_bytes_of_open_uploads_alone() {
    let given = Given::new().await;
    let app = given.server.app();
    let id = id_of(&given.announce("w", 10, None).await);
    given.send(&id, (0, 3, 10), "abc").await.expect_json();

    app.clock.set(modelry_core::time::Timestamp(9_000_000_000_000));
    assert_eq!(sweep(app).await.expect("swept"), 0);
    let (project, gone) = (given.project, id.clone());
    app.db.write(move |tx| uploads::delete(tx, project, &gone)).await.expect("deleted");
    assert_eq!(sweep(app).await.expect("swept"), 1);
    given.finish().await;
}

#[tokio::test]
async fn a_client_that_comes_back_overtakes_its_old_connection() {
    let given = Given::new().await;
    let id = id_of(&given.announce("w", 2 * MIB, None).await);
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    let body =
        stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) });
    let (actor, url) = (given.actor.clone(), format!("{}/{id}", given.uploads()));
    let old =
        tokio::spawn(
            async move { actor.send(actor.request(Method::PUT, &url), Body::from_stream(body)).await },
        );
    sender.send(Ok(Bytes::from(vec![1; MIB]))).await.expect("the upload is running");
    sender.send(Ok(Bytes::from_static(b"more"))).await.expect("the first piece was taken");

    let done = given.send(&id, (0, 2 * MIB, 2 * MIB), vec![2; 2 * MIB]).await.expect_json();

    assert_eq!(done["done"], true);
    assert_eq!(old.await.expect("answered").status, StatusCode::CONFLICT);
    assert_eq!(given.get(&given.run_file("w")).await.body, vec![2; 2 * MIB]);
    given.finish().await;
}

#[tokio::test]
async fn what_is_no_file_of_a_package_is_refused_before_it_is_sent() {
    let given = Given::new().await;
    given.put(&given.run_file("file"), "x").await.expect_json();
    for (body, status) in [
        (json!({ "package": "candidate:1", "path": "../w", "size": 1 }), StatusCode::BAD_REQUEST),
        (json!({ "package": "candidate:1", "path": "file/below", "size": 1 }), StatusCode::CONFLICT),
        (json!({ "package": "candidate:9", "path": "w", "size": 1 }), StatusCode::NOT_FOUND),
        (json!({ "package": "candidate:1", "path": "w", "size": -1 }), StatusCode::BAD_REQUEST),
        (
            json!({ "package": "candidate:1", "path": "w", "size": 1_i64 << 60 }),
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
        (
            json!({ "package": "candidate:1", "path": "w", "size": 1, "sha256": "abc" }),
            StatusCode::BAD_REQUEST,
        ),
    ] {
        let answer = given.actor.post(&given.uploads(), &body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
    }
    given.finish().await;
}
