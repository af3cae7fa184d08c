use insta::assert_json_snapshot;
use modelry_core::policy::Scope;
use modelry_testkit::server::{START, TestServer};
use serde_json::{Value, json};

use crate::problem;

const TOKENS: &str = "/api/v4/personal_access_tokens";

#[tokio::test]
async fn the_text_of_a_token_is_in_the_answer_that_makes_it_and_nowhere_else() {
    let server = TestServer::sqlite().await;
    let ann = server.user("ann").await;
    let made = ann.post(TOKENS, &json!({"name": "laptop", "scopes": ["read_api"]})).await;
    assert_eq!(made.status, 201);
    assert_json_snapshot!(made.json(), @r#"
    {
      "created_at": 1700000000000,
      "expires_at": null,
      "id": 2,
      "last_used_at": null,
      "name": "laptop",
      "scopes": [
        "read_api"
      ],
      "token": "mdl_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAI"
    }
    "#);
    let listed = ann.get(TOKENS).await;
    assert_eq!(listed.expect_json()[0]["name"], "laptop");
    assert!(!listed.text().contains("mdl_"), "{}", listed.text());
    server.finish().await;
}

#[tokio::test]
async fn a_made_token_works_until_it_is_revoked() {
    let server = TestServer::sqlite().await;
    let ann = server.user("ann").await;
    let made =
        ann.post(TOKENS, &json!({"name": "laptop", "scopes": ["api", "read_api"]})).await.expect_json();
    let laptop = server.bearer(ann.user(), made["token"].as_str().expect("a text"));
    laptop.post("/api/v4/projects", &json!({"name": "Churn"})).await.expect_json();
    assert_eq!(ann.delete(&format!("{TOKENS}/{}", made["id"])).await.status, 204);
    let refused = laptop.get("/api/v4/user").await;
    assert_eq!(problem(&refused), "401 unauthenticated");
    assert_eq!(refused.json()["detail"], "this token was revoked");
    assert_eq!(refused.header("www-authenticate"), "Bearer realm=\"modelry\"");
    assert_eq!(problem(&ann.delete(&format!("{TOKENS}/{}", made["id"])).await), "404 not-found");
    server.finish().await;
}

#[tokio::test]
async fn a_token_ends_when_it_was_said_to() {
    let server = TestServer::sqlite().await;
    let ann = server.user("ann").await;
    let body = json!({"name": "short", "scopes": ["api"], "expires_at": START.ms() + 1_000});
    let made = ann.post(TOKENS, &body).await.expect_json();
    assert_eq!(made["expires_at"], START.ms() + 1_000);
    let short = server.bearer(ann.user(), made["token"].as_str().expect("a text"));
    server.app().clock.set(START.plus_ms(999));
    short.get("/api/v4/user").await.expect_json();
    server.app().clock.set(START.plus_ms(1_000));
    let refused = short.get("/api/v4/user").await;
    assert_eq!(refused.json()["detail"], "this token has expired");
    server.finish().await;
}

#[tokio::test]
async fn a_token_may_end_with_a_day() {
    let server = TestServer::sqlite().await;
    let ann = server.user("ann").await;
    let body = json!({"name": "until", "scopes": ["api"], "expires_at": "2027-01-31"});
    assert_eq!(ann.post(TOKENS, &body).await.expect_json()["expires_at"], 1_801_353_600_000_i64);
    server.finish().await;
}

#[tokio::test]
async fn what_makes_no_token_is_refused() {
    let server = TestServer::sqlite().await;
    let ann = server.user("ann").await;
    let token =
        |scopes: Value, expires_at: Value| json!({"name": "x", "scopes": scopes, "expires_at": expires_at});
    for body in [
        json!({"name": "x"}),
        json!({"scopes": ["api"]}),
        json!({"name": " ", "scopes": ["api"]}),
        token(json!([]), Value::Null),
        token(json!(["sudo"]), Value::Null),
        token(json!("api"), Value::Null),
        token(json!(["api"]), json!(START.ms())),
        token(json!(["api"]), json!("2023-02-29")),
        token(json!(["api"]), json!(-1)),
    ] {
        assert_eq!(problem(&ann.post(TOKENS, &body).await), "400 invalid", "{body}");
    }
    server.finish().await;
}

#[tokio::test]
async fn a_token_that_only_reads_makes_no_token_that_writes() {
    let server = TestServer::sqlite().await;
    let ann = server.user("ann").await;
    let reader = server.token(ann.user(), Scope::ReadApi).await;
    reader.get(TOKENS).await.expect_json();
    let body = json!({"name": "x", "scopes": ["api"]});
    assert_eq!(problem(&reader.post(TOKENS, &body).await), "403 forbidden");
    assert_eq!(problem(&reader.delete(&format!("{TOKENS}/1")).await), "403 forbidden");
    server.finish().await;
}

#[tokio::test]
async fn nobody_sees_or_revokes_the_tokens_of_another() {
    let server = TestServer::sqlite().await;
    let ann = server.user("ann").await;
    let bob = server.user("bob").await;
    assert_eq!(bob.get(TOKENS).await.expect_json().as_array().map(Vec::len), Some(1));
    assert_eq!(problem(&bob.delete(&format!("{TOKENS}/1")).await), "404 not-found");
    ann.get("/api/v4/user").await.expect_json();
    server.finish().await;
}

#[tokio::test]
async fn a_token_says_when_it_was_last_used() {
    let server = TestServer::sqlite().await;
    let ann = server.user("ann").await;
    server.app().clock.set(START.plus_ms(5));
    assert_eq!(ann.get(TOKENS).await.expect_json()[0]["last_used_at"], Value::Null);
    server.app().callers.write_uses().await.expect("written");
    assert_eq!(ann.get(TOKENS).await.expect_json()[0]["last_used_at"], START.ms() + 5);
    server.finish().await;
}
