//! What tests start from: a project, a run in its experiment 0, and who writes to it.

use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
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
        let project = server.project(&actor, "Churn", Visibility::Private).await;
        let mut given = Self { server, actor, project, run: String::new() };
        given.run = given.new_run("0").await;
        given
    }

    pub(crate) async fn finish(self) {
        self.server.finish().await;
    }

    /// An address below the project's protocol.
    pub(crate) fn url(&self, below: &str) -> String {
        format!("/api/v4/projects/{}/ml/mlflow/{below}", self.project)
    }

    pub(crate) async fn get(&self, call: &str) -> Answer {
        self.actor.get(&self.url(&format!("api/2.0/mlflow/{call}"))).await
    }

    pub(crate) async fn post(&self, call: &str, body: &Value) -> Answer {
        self.send(call, &body.to_string()).await
    }

    /// Sends a body as it is.
    pub(crate) async fn send(&self, call: &str, body: &str) -> Answer {
        let url = self.url(&format!("api/2.0/mlflow/{call}"));
        let request = self.actor.request(Method::POST, &url).header(CONTENT_TYPE, "application/json");
        self.actor.send(request, body.to_owned()).await
    }

    /// A call on the run: `run_id` is added to the body.
    pub(crate) async fn on_run(&self, call: &str, mut body: Value) -> Answer {
        body["run_id"] = json!(self.run);
        self.post(call, &body).await
    }

    /// A new run's public id.
    pub(crate) async fn new_run(&self, experiment: &str) -> String {
        let made = self.post("runs/create", &json!({ "experiment_id": experiment })).await.expect_json();
        text(&made["run"]["info"]["run_id"])
    }

    /// A new experiment's number.
    pub(crate) async fn new_experiment(&self, name: &str) -> String {
        text(&self.post("experiments/create", &json!({ "name": name })).await.expect_json()["experiment_id"])
    }

    /// The run as it is answered.
    pub(crate) async fn read_run(&self) -> Value {
        self.get(&format!("runs/get?run_id={}", self.run)).await.expect_json()["run"].clone()
    }

    /// The points of a key of the run.
    pub(crate) async fn history(&self, key: &str) -> Value {
        let call = format!("metrics/get-history?run_id={}&metric_key={key}", self.run);
        self.get(&call).await.expect_json()["metrics"].clone()
    }
}

/// A text in JSON.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// What a refused call says: `400 INVALID_PARAMETER_VALUE: the message`.
pub(crate) fn refusal(answer: &Answer) -> String {
    assert_eq!(answer.header("content-type"), "application/json", "{}", answer.text());
    let body = answer.json();
    format!("{} {}: {}", answer.status.as_u16(), text(&body["error_code"]), text(&body["message"]))
}

/// Checks that a call is refused as one that does not fit, and answers the message.
pub(crate) fn invalid(answer: &Answer) -> String {
    let refusal = refusal(answer);
    let message = refusal.strip_prefix("400 INVALID_PARAMETER_VALUE: ");
    message.unwrap_or_else(|| panic!("{refusal}")).to_owned()
}

/// MLflow's words for a parameter that is not there.
pub(crate) fn missing(name: &str) -> String {
    format!(
        "Missing value for required parameter '{name}'. See the API docs for more information about request \
         parameters."
    )
}
