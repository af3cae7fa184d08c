//! Uploads through the native API: each route once. What they do is tested with the files of candidates.

use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::scene::{Scene, described};

#[tokio::test]
async fn every_route_of_uploads_is_called_and_does_what_it_says() {
    let scene = Scene::new().await;
    let none = json!(null);
    let id = scene.draft().await;
    let new = json!({ "package": id, "path": "model/w", "size": 5 });
    let begun = scene.call(&scene.bob, Method::POST, "/uploads", &[], &new).await;
    assert_eq!(
        (begun.status, &begun.json()["package"]),
        (StatusCode::CREATED, &json!(id)),
        "{}",
        begun.text()
    );
    let upload = begun.json()["id"].as_str().expect("an id").to_owned();
    let one = "/uploads/{upload}";
    let asked = scene.call(&scene.bob, Method::GET, one, &[("upload", &upload)], &none).await.expect_json();
    assert_eq!((&asked["received"], &asked["done"]), (&json!(0), &json!(false)));
    let sent = scene.upload(one, &[("upload", &upload)], "bytes").await.expect_json();
    assert_eq!((&sent["received"], &sent["done"]), (&json!(5), &json!(true)));
    let file = format!("/api/v4/projects/{}/models/churn/versions/1/files/model/w", scene.project);
    assert_eq!(scene.bob.get(&file).await.text(), "bytes");
    let other = json!({ "package": id, "path": "other", "size": 5 });
    let other = scene.call(&scene.bob, Method::POST, "/uploads", &[], &other).await.expect_json();
    let other = other["id"].as_str().expect("an id").to_owned();
    let given_up = scene.call(&scene.bob, Method::DELETE, one, &[("upload", &other)], &none).await;
    assert_eq!(given_up.status, StatusCode::NO_CONTENT);
    assert_eq!(*scene.called.borrow(), described("uploads"));
    scene.server.finish().await;
}
