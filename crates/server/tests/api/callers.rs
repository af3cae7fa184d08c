use modelry_core::ids::TokenId;
use modelry_core::policy::{Role, Visibility};
use modelry_server::callers::SHARED_TTL_MS;
use modelry_store::{members, tokens, users};
use modelry_testkit::Schema;
use modelry_testkit::server::{START, TestServer};
use serde_json::json;

use crate::problem;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_process_revokes_stops_working_within_seconds() {
    let Some(database) = modelry_testkit::postgres(Schema::Product).await else { return };
    let server = TestServer::on(database);
    let ann = server.user("ann").await;
    ann.get("/api/v4/user").await.expect_json();
    // As another process would do it: past the table of this one.
    let user = ann.user();
    let revoked = server.app().db.write(move |tx| {
        let token = tokens::list(tx, user, None, 1)?.first().map_or(TokenId(0), |token| token.id);
        tokens::revoke(tx, user, token, START)
    });
    assert!(revoked.await.expect("written"));
    server.app().clock.set(START.plus_ms(SHARED_TTL_MS - 1));
    ann.get("/api/v4/user").await.expect_json();
    server.app().clock.set(START.plus_ms(SHARED_TTL_MS));
    assert_eq!(problem(&ann.get("/api/v4/user").await), "401 unauthenticated");
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_administers_is_decided_by_the_database_and_not_by_what_is_remembered() {
    let Some(database) = modelry_testkit::postgres(Schema::Product).await else { return };
    let server = TestServer::on(database);
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let project = server.project(&ann, "Churn", Visibility::Private).await;
    server.member(project, &bob, Role::Maintainer).await;
    let path = format!("/api/v4/projects/{project}");
    bob.put(&path, &json!({"name": "Bob's"})).await.expect_json();
    bob.get(&path).await.expect_json();
    let user = bob.user();
    let demoted = server.app().db.write(move |tx| members::set(tx, project, user, Role::Guest, START));
    demoted.await.expect("written");
    assert_eq!(problem(&bob.put(&path, &json!({"name": "still"})).await), "403 forbidden");
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_another_process_made_no_administrator_makes_no_users() {
    let Some(database) = modelry_testkit::postgres(Schema::Product).await else { return };
    let server = TestServer::on(database);
    let (ann, _) = (server.administrator("ann").await, server.administrator("bob").await);
    ann.get("/api/v4/users").await.expect_json();
    let user = ann.user();
    let demoted = server.app().db.write(move |tx| users::set_admin(tx, user, false));
    demoted.await.expect("written");
    assert_eq!(problem(&ann.post("/api/v4/users", &json!({"username": "cid"})).await), "403 forbidden");
    server.finish().await;
}

#[tokio::test]
async fn an_unknown_token_is_refused_even_where_none_is_needed() {
    let server = TestServer::sqlite().await;
    let stranger = server.bearer(modelry_core::ids::UserId(0), "mdl_unknown");
    assert_eq!(problem(&stranger.get("/api/v4/projects").await), "401 unauthenticated");
    server.finish().await;
}
