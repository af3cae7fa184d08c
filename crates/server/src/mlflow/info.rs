//! What the server says of itself: `server-info`, `/version`, `/health`.

use axum::http::Method;
use modelry_core::{Error, Kind};
use serde_json::{Value, json};

use super::PREFIX;
use super::wire::{Answer, Reply};
use crate::error::MlflowFailure;
use crate::table::{Guard, Table};

/// The version of MLflow's protocol that is spoken here, answered at `/version`.
///
/// Clients of 3.4 and later upload spans of traces to servers that answer 3.4 or more; traces are not offered here.
const PROTOCOL_VERSION: &str = "3.0.0";

/// The routes and who may use them.
pub(super) fn routes(mut table: Table) -> Table {
    for door in ["api", "ajax-api"] {
        let path = format!("{PREFIX}/{door}/3.0/mlflow/server-info");
        table = table.route(Method::GET, &path, Guard::Public, server_info);
        let path = format!("{PREFIX}/{door}/2.0/mlflow-artifacts/presigned/{{*path}}");
        table = table.route(Method::GET, &path, Guard::Public, no_presigned);
    }
    table.route(Method::GET, &format!("{PREFIX}/version"), Guard::Public, version).route(
        Method::GET,
        &format!("{PREFIX}/health"),
        Guard::Public,
        health,
    )
}

/// MLflow 3's description of a server, by which clients choose how to transfer files and what else to try.
///
/// Multipart uploads work, for whoever asks for them with `MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD`. Clients are not told to
/// take them by themselves: 3.17 then fails with a file of 500 MiB or more that is named by a `pathlib.Path`, and one
/// request is as fast.
async fn server_info() -> Answer<Value> {
    Ok(Reply(json!({
        "store_type": "SqlStore",
        "workspaces_enabled": false,
        "trace_archival_enabled": false,
        "multipart_uploads_enabled": false,
        "multipart_downloads_enabled": false,
        "artifact_serving_enabled": true,
        "artifacts_presigned_only": false,
        "presigned_upload_run_id_supported": false,
        "presigned_upload_model_id_supported": false,
        "model_artifact_presigned_downloads_supported": false,
        "features_enabled": { "gateway": false, "scheduled_issue_detection": false },
    })))
}

async fn no_presigned() -> MlflowFailure {
    MlflowFailure(Error::new(Kind::NotOffered, "presigned downloads are not offered: GET the file from here"))
}

async fn version() -> &'static str {
    PROTOCOL_VERSION
}

async fn health() -> &'static str {
    "OK"
}
