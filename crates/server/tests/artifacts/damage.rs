use axum::body::Body;
use axum::http::{Method, StatusCode};
use futures_util::stream;
use modelry_core::ids::BlobId;
use modelry_server::fsck::{self, FileName, Report};
use modelry_store::damage::{self, Blob};
use modelry_testkit::server::Answer;

use crate::given::Given;

/// A run with the file `weights`, and its blob.
async fn weights() -> (Given, Blob) {
    let given = Given::new().await;
    given.put(&given.run_file("weights"), "0123456789").await.expect_json();
    let blobs = given.server.app().db.read(|tx| damage::list_blobs(tx, BlobId(0), 2)).await.expect("read");
    let [blob] = blobs.try_into().expect("there is one blob");
    (given, blob)
}

/// Puts other bytes under the key of a blob, as a disk does that forgets.
async fn replace(given: &Given, blob: &Blob, bytes: &'static str) {
    let store = &given.server.app().blobs;
    store.delete(&blob.store_key).await.expect("deleted");
    let pieces = stream::iter([Ok(bytes.into())]);
    store.write(&blob.store_key, pieces, 100).await.expect("written");
}

/// Fetches the first two bytes of the file.
async fn part(given: &Given) -> Answer {
    let request = given.actor.request(Method::GET, &given.run_file("weights")).header("Range", "bytes=0-1");
    given.actor.send(request, Body::empty()).await
}

async fn look(given: &Given) -> Report {
    fsck::run(given.server.app(), &|_| ()).await.expect("a look ends")
}

#[tokio::test]
async fn damaged_bytes_are_not_sent() {
    let (given, blob) = weights().await;
    replace(&given, &blob, "0123456780").await;

    let answer = given.get(&given.run_file("weights")).await;

    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.text().contains("these bytes are damaged"), "{}", answer.text());
    given.finish().await;
}

#[tokio::test]
async fn damaged_bytes_are_not_sent_in_parts_either() {
    let (given, blob) = weights().await;
    replace(&given, &blob, "0123456780").await;

    let answer = part(&given).await;

    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.text().contains("these bytes are damaged"), "{}", answer.text());
    given.finish().await;
}

#[tokio::test]
async fn bytes_that_were_stored_without_checksums_have_some_after_a_look() {
    let (given, blob) = weights().await;
    let db = &given.server.app().db;
    db.write(|tx| tx.execute("DELETE FROM blob_checksums", &[]).map(drop)).await.expect("deleted");
    assert_eq!(part(&given).await.text(), "01");

    look(&given).await;
    replace(&given, &blob, "0123456780").await;

    assert_eq!(part(&given).await.status, StatusCode::SERVICE_UNAVAILABLE);
    given.finish().await;
}

#[tokio::test]
async fn a_look_says_which_files_are_damaged_and_what_is_wrong() {
    let (given, blob) = weights().await;
    replace(&given, &blob, "01234").await;

    let report = look(&given).await;

    let [found] = report.damaged.as_slice() else { panic!("one blob is damaged: {report:?}") };
    assert_eq!((found.key.as_str(), found.problem.as_str()), (blob.store_key.as_str(), "there are 5 bytes"));
    let (project, owner, path) = ("ann/churn".into(), "candidate 1".into(), "weights".into());
    assert_eq!(found.files, [FileName { project, owner, path }]);
    given.finish().await;
}

#[tokio::test]
async fn what_a_look_found_to_be_damaged_is_not_even_read() {
    let (given, blob) = weights().await;
    replace(&given, &blob, "0123456780").await;
    look(&given).await;

    let answer = part(&given).await;

    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.text().contains("the bytes of weights are damaged"), "{}", answer.text());
    given.finish().await;
}

#[tokio::test]
async fn bytes_that_were_restored_are_served_after_another_look() {
    let (given, blob) = weights().await;
    replace(&given, &blob, "0123456780").await;
    look(&given).await;
    replace(&given, &blob, "0123456789").await;

    let report = look(&given).await;

    assert_eq!((report.is_fine(), report.repaired), (true, 1));
    assert_eq!(given.get(&given.run_file("weights")).await.text(), "0123456789");
    given.finish().await;
}

#[tokio::test]
async fn a_look_at_sound_bytes_says_how_many_there_are() {
    let (given, _) = weights().await;
    assert_eq!(look(&given).await.text(), "1 blob, 10 B: all as they were stored");
    given.finish().await;
}
