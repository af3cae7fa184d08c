//! The server in process, and people who send it requests.

use std::sync::atomic::{AtomicI64, AtomicU64};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::request::Builder;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use modelry_blob::Blobs;
use modelry_core::ids::{ProjectId, UserId};
use modelry_core::policy::{Role, Scope, Visibility};
use modelry_core::time::Timestamp;
use modelry_server::accounts::{Authority, projects, tokens, users};
use modelry_server::clock::{Clock, Random};
use modelry_server::{App, Settings};
use modelry_store::members;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::{Schema, TestDatabase};

/// The time at which every server of a test starts; it stands still until `app.clock` is set.
pub const START: Timestamp = Timestamp(1_700_000_000_000);

/// A server on a fresh database, with a clock that stands still and random bytes that count up.
pub struct TestServer {
    app: App,
    router: Router,
    database: TestDatabase,
    _bytes: TempDir,
}

impl TestServer {
    /// The API on a fresh SQLite database.
    pub async fn sqlite() -> Self {
        Self::on(crate::sqlite(Schema::Product).await)
    }

    /// The API on this database, which has the product's schema.
    pub fn on(database: TestDatabase) -> Self {
        Self::with(database, |app| modelry_server::router::api(app).0.with_state(app.clone()))
    }

    /// The routes that `router` makes, on this database, which has the product's schema.
    pub fn with(database: TestDatabase, router: impl FnOnce(&App) -> Router) -> Self {
        let bytes = tempfile::tempdir().expect("a temporary folder can be made");
        let app = App::new(
            database.db(),
            Blobs::local(bytes.path()).expect("a blob store opens in a fresh folder"),
            Clock::Fixed(AtomicI64::new(START.ms())),
            Random::Counted(AtomicU64::new(1)),
            Settings {
                public_url: Some("http://modelry.test".to_owned()),
                limits: modelry_server::Limits::default(),
            },
        );
        Self { router: router(&app), app, database, _bytes: bytes }
    }

    /// The application behind the routes.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Closes the database and throws it away.
    pub async fn finish(self) {
        self.database.finish().await;
    }

    /// Somebody who sends no credentials.
    pub fn anonymous(&self) -> Actor {
        Actor { router: self.router.clone(), user: UserId(0), authorization: None }
    }

    /// A new user without a password, who sends a token of scope `api`.
    pub async fn user(&self, username: &str) -> Actor {
        self.make_user(username, false).await
    }

    /// A new administrator without a password, who sends a token of scope `api`.
    pub async fn administrator(&self, username: &str) -> Actor {
        self.make_user(username, true).await
    }

    async fn make_user(&self, username: &str, admin: bool) -> Actor {
        let username = username.parse().expect("a username");
        let draft = users::Draft { username, name: None, password: None, admin };
        let user = users::create(&self.app, &Authority::Operator, draft).await.expect("the username is free");
        self.token(user.id, Scope::Api).await
    }

    /// The same user with another, new token.
    pub async fn token(&self, user: UserId, scope: Scope) -> Actor {
        let draft = tokens::Draft { name: "for a test".to_owned(), scope, expires_at: None };
        let made = tokens::create(&self.app, user, draft).await.expect("a token can be made");
        self.bearer(user, &made.text)
    }

    /// Somebody who sends this text as a token.
    pub fn bearer(&self, user: UserId, token: &str) -> Actor {
        Actor { router: self.router.clone(), user, authorization: Some(format!("Bearer {token}")) }
    }

    /// A new project of this owner.
    pub async fn project(&self, owner: &Actor, name: &str, visibility: Visibility) -> ProjectId {
        let draft = projects::Draft {
            name: name.parse().expect("a name"),
            path: None,
            description: String::new(),
            visibility,
        };
        projects::create(&self.app, owner.user, draft).await.expect("the path is free").id
    }

    /// Makes somebody a member.
    pub async fn member(&self, project: ProjectId, actor: &Actor, role: Role) {
        let (user, now) = (actor.user, self.app.clock.now());
        let set = self.app.callers.change(move |tx| members::set(tx, project, user, role, now));
        set.await.expect("a user can become a member");
    }
}

/// Somebody who sends requests.
#[derive(Clone)]
pub struct Actor {
    router: Router,
    user: UserId,
    authorization: Option<String>,
}

impl Actor {
    /// Number of the user; 0 for who is none.
    pub fn user(&self) -> UserId {
        self.user
    }

    /// Sends `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path), Body::empty()).await
    }

    /// Sends `DELETE`.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path), Body::empty()).await
    }

    /// Sends `POST` with JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::POST, path, body).await
    }

    /// Sends `PUT` with JSON.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::PUT, path, body).await
    }

    /// Sends JSON.
    pub async fn json(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = self.request(method, path).header(CONTENT_TYPE, "application/json");
        self.send(request, Body::from(body.to_string())).await
    }

    /// A request with this actor's credentials, to add headers to.
    pub fn request(&self, method: Method, path: &str) -> Builder {
        let request = Request::builder().method(method).uri(path);
        match &self.authorization {
            Some(authorization) => request.header(AUTHORIZATION, authorization),
            None => request,
        }
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&self, request: Builder, body: impl Into<Body>) -> Answer {
        let request = request.body(body.into()).expect("the test's request is well formed");
        let response = self.router.clone().oneshot(request).await.expect("a router always answers");
        let (status, headers) = (response.status(), response.headers().clone());
        let body =
            axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("the answer can be read");
        Answer { status, headers, body }
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header as text; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The JSON of an answer that has to be a success.
    pub fn expect_json(&self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text());
        self.json()
    }
}
