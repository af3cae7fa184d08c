//! What tests start from: a project, a run in its experiment 0, and who writes to it.

use axum::http::{Method, StatusCode};
use modelry_core::ids::ProjectId;
use modelry_core::policy::Visibility;
use modelry_testkit::server::{Actor, Answer, TestServer};
use serde_json::{Value, json};

/// Project and run, by the actor who made them.
pub(crate) struct Given {
    pub(crate) server: TestServer,
    pub(crate) actor: Actor,
    pub(crate) project: ProjectId,
    /// The public id of the run.
    pub(crate) run: String,
}

impl Given {
    pub(crate) async fn new() -> Self {
        let server = TestServer::sqlite().await;
        let actor = server.user("ann").await;
        let project = server.project(&actor, "Churn", Visibility::Public).await;
        let mut given = Self { server, actor, project, run: String::new() };
        let made = given.post("runs/create", &json!({"experiment_id": "0"})).await.expect_json();
        given.run = text(&made["run"]["info"]["run_id"]);
        given
    }

    pub(crate) async fn finish(self) {
        self.server.finish().await;
    }

    /// The address of a call.
    pub(crate) fn url(&self, call: &str) -> String {
        format!("/api/v4/projects/{}/ml/mlflow/api/2.0/mlflow/{call}", self.project)
    }

    pub(crate) async fn get(&self, call: &str) -> Answer {
        self.actor.get(&self.url(call)).await
    }

    pub(crate) async fn post(&self, call: &str, body: &Value) -> Answer {
        self.actor.post(&self.url(call), body).await
    }

    pub(crate) async fn patch(&self, call: &str, body: &Value) -> Answer {
        self.actor.json(Method::PATCH, &self.url(call), body).await
    }

    /// Sends `DELETE` without a body, as stock clients do.
    pub(crate) async fn delete(&self, call: &str) -> Answer {
        self.actor.delete(&self.url(call)).await
    }

    /// Makes a logged model in the experiment 0 and answers its public id.
    pub(crate) async fn model(&self, name: &str) -> String {
        let body = json!({"experiment_id": "0", "name": name});
        text(&self.post("logged-models", &body).await.expect_json()["model"]["info"]["model_id"])
    }

    /// The run as it is answered.
    pub(crate) async fn read_run(&self) -> Value {
        self.get(&format!("runs/get?run_id={}", self.run)).await.expect_json()["run"].clone()
    }
}

/// A text in JSON.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Checks that a call was refused like this, in MLflow's form.
pub(crate) fn assert_refused(answer: &Answer, status: StatusCode, error_code: &str) {
    let found = (answer.status, text(&answer.json()["error_code"]));
    assert_eq!(found, (status, error_code.to_owned()), "{}", answer.text());
}

/// As [`assert_refused`], because the request does not fit.
pub(crate) fn assert_invalid(answer: &Answer) {
    assert_refused(answer, StatusCode::BAD_REQUEST, "INVALID_PARAMETER_VALUE");
}

/// As [`assert_refused`], because something is not there.
pub(crate) fn assert_missing(answer: &Answer) {
    assert_refused(answer, StatusCode::NOT_FOUND, "RESOURCE_DOES_NOT_EXIST");
}
