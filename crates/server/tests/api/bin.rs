//! The bin, and removing for good what is in it.

use axum::http::Method;
use futures_util::TryStreamExt as _;
use modelry_core::time::Timestamp;
use modelry_server::purge::{BIN_MS, expire};
use modelry_testkit::server::START;
use serde_json::{Value, json};

use crate::problem;
use crate::scene::{Scene, described};

/// How many blobs the store holds.
async fn blobs(scene: &Scene) -> usize {
    let keys = scene.server.app().blobs.list_older_than(Timestamp(i64::MAX));
    keys.try_collect::<Vec<_>>().await.expect("the store can be listed").len()
}

/// Publishes a version with a file of seven bytes, and puts its model into the bin.
async fn deleted_model(scene: &Scene) -> String {
    scene.model("churn").await;
    scene.version("churn", json!({})).await;
    let model = [("model", "churn")];
    let deleted = scene.call(&scene.bob, Method::DELETE, "/models/{model}", &model, &Value::Null).await;
    scene.called.borrow_mut().clear();
    deleted.expect_json()["id"].to_string()
}

#[tokio::test]
async fn every_route_of_the_bin_is_called_and_does_what_it_says() {
    let scene = Scene::new().await;
    let id = deleted_model(&scene).await;
    let one = [("kind", "models"), ("id", id.as_str())];

    let listed = scene.get("/bin/{kind}", &one[..1]).await;
    assert_eq!((&listed[0]["name"], &listed[0]["frees"]), (&json!("churn"), &json!(7)));
    assert_eq!(listed[0]["expires_at"], json!(START.ms() + BIN_MS));
    let purged = scene.call(&scene.ann, Method::DELETE, "/bin/{kind}/{id}", &one, &Value::Null).await;

    assert_eq!(purged.expect_json(), json!({ "freed": 7 }));
    assert_eq!(scene.get("/bin/{kind}", &one[..1]).await, json!([]));
    assert_eq!(blobs(&scene).await, 0, "the bytes go at once");
    assert_eq!(*scene.called.borrow(), described("bin"));
    let restored = scene.call(&scene.bob, Method::POST, "/deleted_models/{id}/restore", &one, &Value::Null);
    assert_eq!(problem(&restored.await), "404 not-found");
    scene.server.finish().await;
}

#[tokio::test]
async fn only_a_maintainer_removes_for_good() {
    let scene = Scene::new().await;
    let id = deleted_model(&scene).await;
    let one = [("kind", "models"), ("id", id.as_str())];

    let refused = scene.call(&scene.bob, Method::DELETE, "/bin/{kind}/{id}", &one, &Value::Null).await;

    assert_eq!(problem(&refused), "403 forbidden");
    assert_eq!(blobs(&scene).await, 1);
    scene.server.finish().await;
}

#[tokio::test]
async fn what_is_in_the_bin_goes_after_a_week() {
    let scene = Scene::new().await;
    deleted_model(&scene).await;
    let app = scene.server.app();

    app.clock.set(START.plus_ms(BIN_MS));
    assert_eq!(expire(app).await.expect("nothing is that old"), 0);
    app.clock.set(START.plus_ms(BIN_MS + 1));
    assert_eq!(expire(app).await.expect("expired"), 1);

    assert_eq!(scene.get("/bin/{kind}", &[("kind", "models")]).await, json!([]));
    scene.server.finish().await;
}

#[tokio::test]
async fn what_the_bin_has_not_is_not_found() {
    let scene = Scene::new().await;
    for (kind, id) in [("models", "7"), ("users", "1"), ("models", "x")] {
        let names = [("kind", kind), ("id", id)];
        let answer = scene.call(&scene.ann, Method::DELETE, "/bin/{kind}/{id}", &names, &Value::Null).await;
        assert_eq!(problem(&answer), "404 not-found", "{kind} {id}");
    }
    let answer = scene.call(&scene.bob, Method::GET, "/bin/models?after=x", &[], &Value::Null).await;
    assert_eq!(problem(&answer), "400 invalid");
    scene.server.finish().await;
}
