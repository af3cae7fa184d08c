//! A server with pages, and a project with something in it.

use axum::http::Method;
use axum::http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use modelry_core::ids::ProjectId;
use modelry_core::policy::Visibility;
use modelry_server::accounts::{Authority, sign_in, users};
use modelry_testkit::Schema;
use modelry_testkit::server::{Actor, Answer, TestServer};
use serde_json::{Value, json};

/// A server with pages on a fresh database.
pub(crate) async fn server() -> TestServer {
    TestServer::with(modelry_testkit::sqlite(Schema::Product).await, modelry_web::router)
}

/// A project `ann/churn` of the user `ann`, who sends a token.
pub(crate) struct Site {
    pub(crate) server: TestServer,
    pub(crate) ann: Actor,
    pub(crate) project: ProjectId,
}

impl Site {
    pub(crate) async fn new() -> Self {
        let server = server().await;
        let ann = server.user("ann").await;
        let project = server.project(&ann, "Churn", Visibility::Private).await;
        Self { server, ann, project }
    }

    /// Calls MLflow's protocol as `ann`.
    pub(crate) async fn call(&self, path: &str, body: Value) -> Value {
        let path = format!("/api/v4/projects/{}/ml/mlflow/api/2.0/mlflow/{path}", self.project);
        self.ann.post(&path, &body).await.expect_json()
    }

    /// Makes a candidate and answers its run id.
    pub(crate) async fn run(&self, name: &str) -> String {
        let made = self.call("runs/create", json!({"experiment_id": "0", "run_name": name})).await;
        made["run"]["info"]["run_id"].as_str().expect("a run has an id").to_owned()
    }

    /// Puts a file below the address of a candidate or model.
    pub(crate) async fn put(&self, path: &str, bytes: &'static [u8]) {
        let path =
            format!("/api/v4/projects/{}/ml/mlflow/api/2.0/mlflow-artifacts/artifacts/{path}", self.project);
        let answer = self.ann.send(self.ann.request(Method::PUT, &path), bytes).await;
        assert!(answer.status.is_success(), "{}", answer.text());
    }

    /// Reads a page of the project as `ann`.
    pub(crate) async fn page(&self, below: &str) -> Answer {
        self.ann.get(&format!("/ann/churn{below}")).await
    }
}

/// Somebody who is signed in by a browser.
pub(crate) struct Browser {
    actor: Actor,
    cookie: String,
}

impl Browser {
    /// Signs in a new user with this password.
    pub(crate) async fn of_new_user(server: &TestServer, username: &str, password: &str) -> Self {
        let draft = users::Draft {
            username: username.parse().expect("a username"),
            name: None,
            password: Some(password.to_owned()),
            admin: false,
        };
        users::create(server.app(), &Authority::Operator, draft).await.expect("the username is free");
        let form = format!("username={username}&password={password}&back=/");
        let answer = post_form(&server.anonymous(), "/users/sign_in", "", &form).await;
        let cookie = answer.header(SET_COOKIE.as_str()).split(';').next().unwrap_or_default().to_owned();
        assert!(!cookie.is_empty(), "{}: {}", answer.status, answer.text());
        Self { actor: server.anonymous(), cookie }
    }

    /// Signs somebody in by a new link.
    pub(crate) async fn by_link(server: &TestServer, user: &Actor) -> Self {
        let secret = sign_in::new_link(server.app(), user.user()).await.expect("a link can be made");
        let started = sign_in::by_link(server.app(), &secret).await.expect("the link works");
        Self { actor: server.anonymous(), cookie: format!("modelry_session={}", started.secret) }
    }

    /// Opens a page.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.actor.send(self.actor.request(Method::GET, path).header(COOKIE, &self.cookie), "").await
    }

    /// Sends a form without the secret that the session's forms carry.
    pub(crate) async fn post_without_secret(&self, path: &str, form: &str) -> Answer {
        post_form(&self.actor, path, &self.cookie, form).await
    }

    /// Sends a form as the page at `page` would.
    pub(crate) async fn post(&self, page: &str, path: &str, form: &str) -> Answer {
        let html = self.get(page).await.text();
        let (_, rest) = html.split_once(r#"name="csrf" value=""#).expect("the page has a form");
        let (secret, _) = rest.split_once('"').expect("the value ends");
        self.post_without_secret(path, &format!("csrf={secret}&{form}")).await
    }
}

/// Sends a form.
pub(crate) async fn post_form(actor: &Actor, path: &str, cookie: &str, form: &str) -> Answer {
    let request = actor
        .request(Method::POST, path)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(COOKIE, cookie);
    actor.send(request, form.to_owned()).await
}
