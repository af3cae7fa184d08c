//! What tests start from: a project with a run and a logged model, and who writes to it.

use axum::body::Body;
use axum::http::Method;
use futures_util::TryStreamExt;
use modelry_core::ids::{LoggedModelEid, LoggedModelId, ProjectId};
use modelry_core::policy::Visibility;
use modelry_core::time::Timestamp;
use modelry_server::App;
use modelry_store::experiments::DEFAULT;
use modelry_store::logged_models::{self, NewLoggedModel};
use modelry_testkit::server::{Actor, Answer, TestServer};
use serde_json::{Value, json};

/// Project, run and model, by the actor who made them.
pub(crate) struct Given {
    pub(crate) server: TestServer,
    pub(crate) actor: Actor,
    pub(crate) project: ProjectId,
    /// The public id of a run in the experiment 0.
    pub(crate) run: String,
    /// The public id of a logged model in the experiment 0.
    pub(crate) model: String,
}

impl Given {
    pub(crate) async fn new() -> Self {
        let server = TestServer::sqlite().await;
        let actor = server.user("ann").await;
        let project = server.project(&actor, "Churn", Visibility::Private).await;
        let model = insert_model(server.app(), project).await;
        let mut given = Self { server, actor, project, run: String::new(), model };
        given.run = given.new_run("0").await;
        given
    }

    pub(crate) async fn finish(self) {
        self.server.finish().await;
    }

    /// A new run's public id.
    pub(crate) async fn new_run(&self, experiment: &str) -> String {
        let path = self.url("api/2.0/mlflow/runs/create");
        let made = self.actor.post(&path, &json!({ "experiment_id": experiment })).await.expect_json();
        made["run"]["info"]["run_id"].as_str().expect("an id").to_owned()
    }

    /// A new experiment's number.
    pub(crate) async fn new_experiment(&self, location: &str) -> String {
        let path = self.url("api/2.0/mlflow/experiments/create");
        let body = json!({ "name": "with a location", "artifact_location": location });
        let made = self.actor.post(&path, &body).await.expect_json();
        made["experiment_id"].as_str().expect("a number").to_owned()
    }

    /// An address below the project's protocol.
    pub(crate) fn url(&self, below: &str) -> String {
        format!("/api/v4/projects/{}/ml/mlflow/{below}", self.project)
    }

    /// The proxy's address of a file.
    pub(crate) fn file(&self, path: &str) -> String {
        self.url(&format!("api/2.0/mlflow-artifacts/artifacts/{path}"))
    }

    /// The proxy's address of a file of the run.
    pub(crate) fn run_file(&self, path: &str) -> String {
        self.file(&format!("0/{}/artifacts/{path}", self.run))
    }

    pub(crate) async fn put(&self, url: &str, bytes: impl Into<Body>) -> Answer {
        self.actor.send(self.actor.request(Method::PUT, url), bytes).await
    }

    pub(crate) async fn get(&self, url: &str) -> Answer {
        self.actor.get(url).await
    }

    /// The proxy's listing of a directory.
    pub(crate) async fn list(&self, path: &str) -> Value {
        let url = self.url(&format!("api/2.0/mlflow-artifacts/artifacts?path={path}"));
        self.get(&url).await.expect_json()
    }

    /// How many blobs the store holds, with a row or without.
    pub(crate) async fn blobs(&self) -> usize {
        let keys: Vec<_> = self
            .server
            .app()
            .blobs
            .list_older_than(Timestamp(i64::MAX))
            .try_collect()
            .await
            .expect("the store can be listed");
        keys.len()
    }

    /// Waits until the store holds `expected` blobs: bytes of a broken upload are removed in the background.
    pub(crate) async fn await_blobs(&self, expected: usize) {
        for _ in 0..1_000 {
            if self.blobs().await == expected {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("there are {} blobs, not {expected}", self.blobs().await);
    }
}

async fn insert_model(app: &App, project: ProjectId) -> String {
    let eid = LoggedModelEid::new(app.clock.now(), app.random.bytes());
    let new = NewLoggedModel {
        id: LoggedModelId(1),
        eid: eid.clone(),
        experiment_id: DEFAULT,
        name: "classifier".parse().expect("a name"),
        model_type: String::new(),
        source_eid: None,
        creator_id: None,
        created_at: app.clock.now(),
        params: Vec::new(),
        metadata: Vec::new(),
    };
    app.db.write(move |tx| logged_models::insert(tx, project, &new)).await.expect("a model");
    eid.to_string()
}
