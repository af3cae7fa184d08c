//! What tests start from: a project with the model `churn`, which has the version 1.0.0, and who writes to it.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use modelry_core::ids::ProjectId;
use modelry_core::policy::Visibility;
use modelry_testkit::server::{Actor, Answer, TestServer};
use serde_json::{Value, json};

/// The project, by the actor who made it.
pub(crate) struct Given {
    pub(crate) server: TestServer,
    pub(crate) actor: Actor,
    pub(crate) project: ProjectId,
}

impl Given {
    /// An empty project.
    pub(crate) async fn empty() -> Self {
        let server = TestServer::sqlite().await;
        let actor = server.user("ann").await;
        let project = server.project(&actor, "Churn", Visibility::Private).await;
        Self { server, actor, project }
    }

    /// With the model `churn`, whose version 1 has the files `MLmodel` and `data/w`.
    pub(crate) async fn new() -> Self {
        let given = Self::empty().await;
        given.model("churn").await;
        let run = given.run().await;
        for file in ["MLmodel", "data/w"] {
            given.put(&format!("0/{run}/artifacts/model/{file}"), file).await;
        }
        given.version(&format!("runs:/{run}/model"), json!({})).await;
        given
    }

    pub(crate) async fn finish(self) {
        self.server.finish().await;
    }

    /// An address below the project's protocol.
    pub(crate) fn url(&self, below: &str) -> String {
        format!("/api/v4/projects/{}/ml/mlflow/{below}", self.project)
    }

    /// Calls with a body, or, of `GET`, with a query.
    pub(crate) async fn call(&self, method: &Method, call: &str, body: &Value) -> Answer {
        self.call_as(&self.actor, method, call, body).await
    }

    /// As [`Given::call`], by somebody else.
    pub(crate) async fn call_as(&self, actor: &Actor, method: &Method, call: &str, body: &Value) -> Answer {
        let url = self.url(&format!("api/2.0/mlflow/{call}"));
        if *method != Method::GET {
            return actor.json(method.clone(), &url, body).await;
        }
        let fields = body.as_object().expect("an object").iter();
        let query = fields.map(|(name, value)| format!("{name}={}", encoded(&as_text(value))));
        actor.get(&format!("{url}?{}", query.collect::<Vec<_>>().join("&"))).await
    }

    pub(crate) async fn get(&self, call: &str, query: &Value) -> Answer {
        self.call(&Method::GET, call, query).await
    }

    pub(crate) async fn post(&self, call: &str, body: &Value) -> Answer {
        self.call(&Method::POST, call, body).await
    }

    /// Sends a body as it is.
    pub(crate) async fn send(&self, method: &Method, call: &str, body: &str) -> Answer {
        let url = self.url(&format!("api/2.0/mlflow/{call}"));
        let request = self.actor.request(method.clone(), &url).header(CONTENT_TYPE, "application/json");
        self.actor.send(request, body.to_owned()).await
    }

    /// Makes a model.
    pub(crate) async fn model(&self, name: &str) {
        self.post("registered-models/create", &json!({"name": name})).await.expect_json();
    }

    /// Makes a version of `churn` and answers it.
    pub(crate) async fn version(&self, source: &str, mut more: Value) -> Value {
        more["name"] = json!("churn");
        more["source"] = json!(source);
        self.post("model-versions/create", &more).await.expect_json()["model_version"].clone()
    }

    /// How the making of a version of `churn` is refused.
    pub(crate) async fn refused_version(&self, source: &str, mut more: Value) -> String {
        more["name"] = json!("churn");
        more["source"] = json!(source);
        refusal(&self.post("model-versions/create", &more).await)
    }

    /// The version of `churn` that this selects, as it is answered.
    pub(crate) async fn read(&self, version: &str) -> Value {
        let query = json!({"name": "churn", "version": version});
        self.get("model-versions/get", &query).await.expect_json()["model_version"].clone()
    }

    /// Where clients download a version of `churn` from, or how that is refused.
    pub(crate) async fn download_uri(&self, version: &str) -> String {
        let query = json!({"name": "churn", "version": version});
        let answer = self.get("model-versions/get-download-uri", &query).await;
        if answer.status == StatusCode::OK { text(&answer.json()["artifact_uri"]) } else { refusal(&answer) }
    }

    /// Makes a run in the experiment 0 and answers its public id.
    pub(crate) async fn run(&self) -> String {
        let made = self.post("runs/create", &json!({"experiment_id": "0"})).await.expect_json();
        text(&made["run"]["info"]["run_id"])
    }

    /// The proxy's address of a path.
    pub(crate) fn file(&self, path: &str) -> String {
        self.url(&format!("api/2.0/mlflow-artifacts/artifacts/{path}"))
    }

    /// Uploads a file through the proxy.
    pub(crate) async fn put(&self, path: &str, bytes: &str) {
        self.try_put(path, bytes).await.expect_json();
    }

    pub(crate) async fn try_put(&self, path: &str, bytes: &str) -> Answer {
        let request = self.actor.request(Method::PUT, &self.file(path));
        self.actor.send(request, Body::from(bytes.to_owned())).await
    }

    /// Downloads a file through the proxy.
    pub(crate) async fn download(&self, path: &str) -> Answer {
        self.actor.get(&self.file(path)).await
    }

    /// The names that the proxy lists in a directory.
    pub(crate) async fn list(&self, path: &str) -> Vec<String> {
        let url = self.url(&format!("api/2.0/mlflow-artifacts/artifacts?path={path}"));
        let listed = self.actor.get(&url).await.expect_json();
        let files = listed["files"].as_array().cloned().unwrap_or_default();
        files.iter().map(|file| text(&file["path"])).collect()
    }
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A text as it stands in a query.
pub(crate) fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// A text in JSON.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// What a refused call says: `400 INVALID_PARAMETER_VALUE: the message`.
pub(crate) fn refusal(answer: &Answer) -> String {
    assert_eq!(answer.header("content-type"), "application/json", "{}", answer.text());
    let body = answer.json();
    let [code, message] = ["error_code", "message"].map(|field| body[field].as_str().unwrap_or_default());
    format!("{} {code}: {message}", answer.status.as_u16())
}

/// MLflow's words for a parameter that is not there.
pub(crate) fn missing(name: &str) -> String {
    format!(
        "400 INVALID_PARAMETER_VALUE: Missing value for required parameter '{name}'. See the API docs for more \
         information about request parameters."
    )
}
