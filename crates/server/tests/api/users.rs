use insta::assert_json_snapshot;
use modelry_core::policy::Scope;
use modelry_server::accounts::sign_in;
use modelry_testkit::server::TestServer;
use serde_json::json;

use crate::problem;

#[tokio::test]
async fn an_administrator_makes_a_user_who_can_then_sign_in() {
    let server = TestServer::sqlite().await;
    let root = server.administrator("ann").await;
    let body = json!({"username": "Bob", "name": "Bob B.", "password": "correct horse"});
    let made = root.post("/api/v4/users", &body).await;
    assert_eq!(made.status, 201);
    assert_json_snapshot!(made.json(), @r#"
    {
      "admin": false,
      "blocked": false,
      "created_at": 1700000000000,
      "id": 2,
      "name": "Bob B.",
      "username": "Bob"
    }
    "#);
    let started = sign_in::by_password(server.app(), "bob", "correct horse", None).await.expect("signed in");
    assert_eq!(started.user.0, 2);
    server.finish().await;
}

#[tokio::test]
async fn what_makes_no_user_is_refused() {
    let server = TestServer::sqlite().await;
    let root = server.administrator("ann").await;
    for (body, expected) in [
        (json!({"name": "x"}), "400 invalid"),
        (json!({"username": "a b"}), "400 invalid"),
        (json!({"username": "admin"}), "400 invalid"),
        (json!({"username": "bob", "password": "short"}), "400 invalid"),
        (json!({"username": "bob", "name": "\u{7}"}), "400 invalid"),
        (json!({"username": "ANN"}), "409 already-exists"),
    ] {
        assert_eq!(problem(&root.post("/api/v4/users", &body).await), expected, "{body}");
    }
    server.finish().await;
}

#[tokio::test]
async fn users_are_for_administrators() {
    let server = TestServer::sqlite().await;
    let root = server.administrator("ann").await;
    let bob = server.user("bob").await;
    let path = format!("/api/v4/users/{}", bob.user());
    assert_eq!(problem(&bob.get("/api/v4/users").await), "403 forbidden");
    assert_eq!(problem(&bob.post("/api/v4/users", &json!({"username": "cid"})).await), "403 forbidden");
    assert_eq!(problem(&bob.put(&path, &json!({"admin": true})).await), "403 forbidden");
    let reader = server.token(root.user(), Scope::ReadApi).await;
    reader.get("/api/v4/users").await.expect_json();
    assert_eq!(problem(&reader.put(&path, &json!({"admin": true})).await), "403 forbidden");
    server.finish().await;
}

#[tokio::test]
async fn the_list_of_users_is_paged_and_finds_one_by_name() {
    let server = TestServer::sqlite().await;
    let root = server.administrator("ann").await;
    server.user("bob").await;
    server.user("cid").await;
    let first = root.get("/api/v4/users?per_page=1").await;
    assert_eq!(first.expect_json()[0]["username"], "ann");
    assert_eq!(first.header("link"), "<http://modelry.test/api/v4/users?per_page=1&after=1>; rel=\"next\"");
    let second = root.get("/api/v4/users?per_page=1&after=1").await;
    assert_eq!(second.expect_json()[0]["username"], "bob");
    assert_eq!(second.header("link"), "<http://modelry.test/api/v4/users?per_page=1&after=2>; rel=\"next\"");
    let found = root.get("/api/v4/users?username=BOB").await.expect_json();
    assert_eq!((found[0]["username"].as_str(), found.as_array().map(Vec::len)), (Some("bob"), Some(1)));
    assert_eq!(root.get("/api/v4/users?username=nobody").await.expect_json(), json!([]));
    server.finish().await;
}

#[tokio::test]
async fn one_can_ask_who_one_is() {
    let server = TestServer::sqlite().await;
    let bob = server.user("bob").await;
    assert_eq!(bob.get("/api/v4/user").await.expect_json()["username"], "bob");
    assert_eq!(problem(&server.anonymous().get("/api/v4/user").await), "401 unauthenticated");
    server.finish().await;
}

#[tokio::test]
async fn a_blocked_user_is_out_at_once_and_in_again_when_let_in() {
    let server = TestServer::sqlite().await;
    let root = server.administrator("ann").await;
    let bob = server.user("bob").await;
    let path = format!("/api/v4/users/{}", bob.user());
    bob.get("/api/v4/user").await.expect_json();
    assert_eq!(root.put(&path, &json!({"blocked": true})).await.expect_json()["blocked"], true);
    let refused = bob.get("/api/v4/user").await;
    assert_eq!(problem(&refused), "401 unauthenticated");
    assert_eq!(refused.json()["detail"], "the user of this token is blocked");
    root.put(&path, &json!({"blocked": false})).await.expect_json();
    bob.get("/api/v4/user").await.expect_json();
    server.finish().await;
}

#[tokio::test]
async fn an_administrator_who_steps_down_is_none_at_once() {
    let server = TestServer::sqlite().await;
    let root = server.administrator("ann").await;
    server.administrator("bob").await;
    let path = format!("/api/v4/users/{}", root.user());
    assert_eq!(root.put(&path, &json!({"admin": false})).await.expect_json()["admin"], false);
    assert_eq!(problem(&root.get("/api/v4/users").await), "403 forbidden");
    server.finish().await;
}

#[tokio::test]
async fn an_instance_is_never_left_without_an_administrator() {
    let server = TestServer::sqlite().await;
    let root = server.administrator("ann").await;
    let path = format!("/api/v4/users/{}", root.user());
    assert_eq!(problem(&root.put(&path, &json!({"admin": false})).await), "409 conflict");
    assert_eq!(problem(&root.put(&path, &json!({"blocked": true})).await), "409 conflict");
    server.finish().await;
}

#[tokio::test]
async fn nobody_blocks_themselves_by_mistake() {
    let server = TestServer::sqlite().await;
    let root = server.administrator("ann").await;
    server.administrator("bob").await;
    let path = format!("/api/v4/users/{}", root.user());
    assert_eq!(problem(&root.put(&path, &json!({"blocked": true})).await), "409 conflict");
    server.finish().await;
}

#[tokio::test]
async fn an_update_that_changes_nobody_or_nothing_is_refused() {
    let server = TestServer::sqlite().await;
    let root = server.administrator("ann").await;
    assert_eq!(problem(&root.put("/api/v4/users/99", &json!({"name": "x"})).await), "404 not-found");
    assert_eq!(problem(&root.put("/api/v4/users/ann", &json!({"name": "x"})).await), "404 not-found");
    assert_eq!(problem(&root.put("/api/v4/users/1", &json!({})).await), "400 invalid");
    assert_eq!(problem(&root.put("/api/v4/users/1", &json!({"username": "x"})).await), "400 invalid");
    server.finish().await;
}
