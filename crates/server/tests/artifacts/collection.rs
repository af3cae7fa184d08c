use axum::http::StatusCode;
use futures_util::stream;
use modelry_core::store_key::StoreKey;
use modelry_core::time::Timestamp;
use modelry_server::collection::{collect, sweep};
use modelry_store::blobs;
use modelry_testkit::server::START;

use crate::given::Given;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// Long after this test runs, for what is compared with the age of real files.
const FAR_FUTURE: Timestamp = Timestamp(9_000_000_000_000);

#[tokio::test]
async fn bytes_go_a_day_after_their_last_file() {
    let given = Given::new().await;
    let app = given.server.app();
    for path in ["a", "b"] {
        given.put(&given.run_file(path), "shared").await.expect_json();
    }
    given.put(&given.run_file("c"), "own").await.expect_json();
    for path in ["a", "b", "c"] {
        given.actor.delete(&given.run_file(path)).await.expect_json();
    }

    app.clock.set(START.plus_ms(DAY_MS));
    assert_eq!(collect(app).await.expect("collected"), 0);
    app.clock.set(START.plus_ms(DAY_MS + 1));
    assert_eq!(collect(app).await.expect("collected"), 2);

    assert_eq!(given.blobs().await, 0);
    given.finish().await;
}

#[tokio::test]
async fn bytes_stay_while_a_file_refers_to_them() {
    let given = Given::new().await;
    let app = given.server.app();
    for path in ["a", "b"] {
        given.put(&given.run_file(path), "shared").await.expect_json();
    }
    given.actor.delete(&given.run_file("a")).await.expect_json();

    app.clock.set(FAR_FUTURE);

    assert_eq!(collect(app).await.expect("collected"), 0);
    assert_eq!(given.get(&given.run_file("b")).await.text(), "shared");
    given.finish().await;
}

#[tokio::test]
async fn bytes_that_were_collected_can_be_uploaded_again() {
    let given = Given::new().await;
    let app = given.server.app();
    given.put(&given.run_file("a"), "bytes").await.expect_json();
    given.actor.delete(&given.run_file("a")).await.expect_json();
    app.clock.set(FAR_FUTURE);
    assert_eq!(collect(app).await.expect("collected"), 1);

    given.put(&given.run_file("a"), "bytes").await.expect_json();

    assert_eq!(given.get(&given.run_file("a")).await.text(), "bytes");
    given.finish().await;
}

#[tokio::test]
async fn an_upload_in_the_middle_of_a_collection_keeps_its_bytes() {
    let given = Given::new().await;
    let app = given.server.app();
    given.put(&given.run_file("a"), "bytes").await.expect_json();
    given.actor.delete(&given.run_file("a")).await.expect_json();
    app.db.write(|tx| blobs::mark_dying(tx, FAR_FUTURE, 10)).await.expect("marked");

    given.put(&given.run_file("a"), "bytes").await.expect_json();
    assert_eq!(collect(app).await.expect("collected"), 1);

    assert_eq!(given.get(&given.run_file("a")).await.text(), "bytes");
    assert_eq!(given.blobs().await, 1);
    given.finish().await;
}

#[tokio::test]
async fn a_collection_that_was_cut_off_is_taken_up_again() {
    let given = Given::new().await;
    let app = given.server.app();
    given.put(&given.run_file("a"), "bytes").await.expect_json();
    given.actor.delete(&given.run_file("a")).await.expect_json();
    app.db.write(|tx| blobs::mark_dying(tx, FAR_FUTURE, 10)).await.expect("marked");
    let dying = app.db.read(|tx| blobs::list_dying(tx, 10)).await.expect("read");
    // The bytes went, their row did not.
    app.blobs.delete(&dying[0].store_key).await.expect("deleted");

    assert_eq!(collect(app).await.expect("collected"), 1);

    assert_eq!(app.db.read(|tx| blobs::list_dying(tx, 10)).await.expect("read"), []);
    given.finish().await;
}

#[tokio::test]
async fn the_sweep_removes_old_bytes_without_a_row_and_no_others() {
    let given = Given::new().await;
    let app = given.server.app();
    given.put(&given.run_file("a"), "bytes").await.expect_json();
    let orphan = stream::iter([Ok("left over".into())]);
    app.blobs.write(&StoreKey::new([0xee; 16]), orphan, 100).await.expect("written");

    // The clock of the test stands long before the files were written.
    assert_eq!(sweep(app).await.expect("swept"), 0);
    app.clock.set(FAR_FUTURE);
    assert_eq!(sweep(app).await.expect("swept"), 1);

    assert_eq!(given.blobs().await, 1);
    let got = given.get(&given.run_file("a")).await;
    assert_eq!((got.status, got.text().as_str()), (StatusCode::OK, "bytes"));
    given.finish().await;
}
