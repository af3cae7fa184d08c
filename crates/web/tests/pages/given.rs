//! Models and versions that clients made, and their pages.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::site::{Browser, Site};

/// The list of models of the project `ann/churn`.
pub(crate) const MODELS: &str = "/ann/churn/-/ml/models";

/// Registers what a run holds, and answers the version.
pub(crate) async fn register(site: &Site, name: &str, files: &[(&str, &'static [u8])]) -> Value {
    let run = site.run("r").await;
    for (path, bytes) in files {
        site.put(&format!("0/{run}/artifacts/{path}"), bytes).await;
    }
    let body = json!({"name": name, "source": format!("runs:/{run}/"), "run_id": run});
    site.call("model-versions/create", body).await["model_version"].clone()
}

/// Registers a file that nothing but the version has: its run loses it afterwards.
pub(crate) async fn register_alone(site: &Site, name: &str, bytes: &'static [u8]) {
    let version = register(site, name, &[("only.bin", bytes)]).await;
    let run = version["run_id"].as_str().expect("a version has a run");
    let path = format!(
        "/api/v4/projects/{}/ml/mlflow/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/only.bin",
        site.project
    );
    let deleted = site.ann.send(site.ann.request(Method::DELETE, &path), "").await;
    assert!(deleted.status.is_success(), "{}", deleted.text());
}

/// Makes a model.
pub(crate) async fn create(site: &Site, name: &str) {
    site.call("registered-models/create", json!({"name": name})).await;
}

/// Reads a page below the list of models.
pub(crate) async fn page(site: &Site, below: &str) -> String {
    let answer = site.page(&format!("/-/ml/models{below}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{below}: {}", answer.text());
    answer.text()
}

/// The owner's browser.
pub(crate) async fn browser(site: &Site) -> Browser {
    Browser::by_link(&site.server, &site.ann).await
}
