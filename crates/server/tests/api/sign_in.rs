use axum::body::Body;
use axum::http::Method;
use modelry_core::policy::Visibility;
use modelry_core::{Error, Kind};
use modelry_server::access::SESSION_COOKIE;
use modelry_server::accounts::users::{self, Change, Draft};
use modelry_server::accounts::{Authority, sign_in};
use modelry_server::attempts::LIMIT;
use modelry_server::secrets;
use modelry_testkit::server::{Answer, START, TestServer};
use serde_json::json;

use crate::problem;

const PASSWORD: &str = "correct horse";

/// A server with the user Ann, who has a password.
async fn server() -> TestServer {
    let server = TestServer::sqlite().await;
    let username = "ann".parse().expect("a username");
    let draft = Draft { username, name: None, password: Some(PASSWORD.to_owned()), admin: false };
    users::create(server.app(), &Authority::Operator, draft).await.expect("made");
    server
}

async fn fail(server: &TestServer, username: &str, password: &str) -> Error {
    sign_in::by_password(server.app(), username, password, None).await.expect_err("refused")
}

/// Asks who the browser with this session is.
async fn whoami(server: &TestServer, secret: &str) -> Answer {
    let request = server.anonymous().request(Method::GET, "/api/v4/user");
    server
        .anonymous()
        .send(request.header("cookie", format!("a=b; {SESSION_COOKIE}={secret}")), Body::empty())
        .await
}

#[tokio::test]
async fn a_session_lasts_two_weeks_and_no_longer() {
    let server = server().await;
    let started = sign_in::by_password(server.app(), "ANN", PASSWORD, None).await.expect("signed in");
    server.app().clock.set(START.plus_ms(sign_in::SESSION_MS - 1));
    assert_eq!(whoami(&server, &started.secret).await.expect_json()["username"], "ann");
    server.app().clock.set(START.plus_ms(sign_in::SESSION_MS));
    assert_eq!(problem(&whoami(&server, &started.secret).await), "401 unauthenticated");
    server.finish().await;
}

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_are_refused_in_the_same_words() {
    let server = server().await;
    let wrong = fail(&server, "ann", "wrong horse").await;
    let unknown = fail(&server, "bob", PASSWORD).await;
    assert_eq!((wrong.kind(), wrong.message()), (unknown.kind(), unknown.message()));
    assert_eq!(wrong.kind(), Kind::Unauthenticated);
    server.finish().await;
}

#[tokio::test]
async fn too_many_failures_are_refused_even_with_the_right_password() {
    let server = server().await;
    for _ in 0..LIMIT {
        assert_eq!(fail(&server, "ann", "wrong horse").await.kind(), Kind::Unauthenticated);
    }
    assert_eq!(fail(&server, "ann", PASSWORD).await.kind(), Kind::RateLimited);
    server.finish().await;
}

#[tokio::test]
async fn signing_out_ends_the_session_at_once() {
    let server = server().await;
    let started = sign_in::by_password(server.app(), "ann", PASSWORD, None).await.expect("signed in");
    whoami(&server, &started.secret).await.expect_json();
    sign_in::out(server.app(), &started.secret).await.expect("signed out");
    assert_eq!(problem(&whoami(&server, &started.secret).await), "401 unauthenticated");
    server.finish().await;
}

#[tokio::test]
async fn a_new_password_ends_the_sessions_of_the_old_one() {
    let server = server().await;
    let started = sign_in::by_password(server.app(), "ann", PASSWORD, None).await.expect("signed in");
    let change = Change { password: Some("battery staple".to_owned()), ..Change::default() };
    users::update(server.app(), &Authority::Operator, started.user, change).await.expect("changed");
    assert_eq!(problem(&whoami(&server, &started.secret).await), "401 unauthenticated");
    assert_eq!(fail(&server, "ann", PASSWORD).await.kind(), Kind::Unauthenticated);
    sign_in::by_password(server.app(), "ann", "battery staple", None).await.expect("signed in");
    server.finish().await;
}

#[tokio::test]
async fn a_blocked_user_cannot_sign_in_and_is_told_no_more() {
    let server = server().await;
    let change = Change { blocked: Some(true), ..Change::default() };
    users::update(server.app(), &Authority::Operator, modelry_core::ids::UserId(1), change)
        .await
        .expect("changed");
    let refused = fail(&server, "ann", PASSWORD).await;
    assert_eq!(refused.message(), fail(&server, "bob", PASSWORD).await.message());
    server.finish().await;
}

#[tokio::test]
async fn a_sign_in_link_works_once() {
    let server = TestServer::sqlite().await;
    let ann = server.user("ann").await;
    let link = sign_in::new_link(server.app(), ann.user()).await.expect("made");
    let started = sign_in::by_link(server.app(), &link).await.expect("signed in");
    assert_eq!(started.user, ann.user());
    assert_eq!(whoami(&server, &started.secret).await.expect_json()["username"], "ann");
    assert_eq!(sign_in::by_link(server.app(), &link).await.expect_err("used").kind(), Kind::Unauthenticated);
    server.finish().await;
}

#[tokio::test]
async fn a_sign_in_link_is_over_after_a_day() {
    let server = TestServer::sqlite().await;
    let ann = server.user("ann").await;
    let link = sign_in::new_link(server.app(), ann.user()).await.expect("made");
    server.app().clock.set(START.plus_ms(sign_in::LINK_MS));
    assert_eq!(sign_in::by_link(server.app(), &link).await.expect_err("over").kind(), Kind::Unauthenticated);
    server.finish().await;
}

#[tokio::test]
async fn the_secret_of_a_session_is_no_token() {
    let server = server().await;
    let started = sign_in::by_password(server.app(), "ann", PASSWORD, None).await.expect("signed in");
    whoami(&server, &started.secret).await.expect_json();
    let refused = server.bearer(started.user, &started.secret).get("/api/v4/user").await;
    assert_eq!(problem(&refused), "401 unauthenticated");
    server.finish().await;
}

#[tokio::test]
async fn a_session_changes_nothing_without_its_csrf_token() {
    let server = server().await;
    let started = sign_in::by_password(server.app(), "ann", PASSWORD, None).await.expect("signed in");
    let post = |csrf: Option<String>| {
        let anonymous = server.anonymous();
        let request = anonymous
            .request(Method::POST, "/api/v4/projects")
            .header("content-type", "application/json")
            .header("cookie", format!("{SESSION_COOKIE}={}", started.secret));
        let request = match csrf {
            Some(csrf) => request.header("x-csrf-token", csrf),
            None => request,
        };
        let body = json!({"name": "Churn", "visibility": Visibility::Private}).to_string();
        async move { anonymous.send(request, body).await }
    };
    assert_eq!(problem(&post(None).await), "403 forbidden");
    assert_eq!(problem(&post(Some(secrets::csrf_token("another"))).await), "403 forbidden");
    assert_eq!(post(Some(secrets::csrf_token(&started.secret))).await.status, 201);
    server.finish().await;
}
