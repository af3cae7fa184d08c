//! The calls on the artifacts of a run or a logged model: what pages and clients other than Python's use.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use modelry_core::artifact_path::ArtifactPath;
use modelry_core::ids::{Eid, LoggedModelEid, ProjectId};
use modelry_core::policy::Action;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::files::{Owner, Tree};
use modelry_store::logged_models::Deleted;
use modelry_store::{candidates, logged_models};
use serde::Deserialize;

use super::super::wire::{Answer, Empty, Message, Reply, done, required_run, required_text};
use super::super::{Calls, PREFIX};
use super::address::Place;
use super::listing::{self, Page};
use super::{Params, fetch};
use crate::App;
use crate::access::Granted;
use crate::error::MlflowFailure;
use crate::extract::Path;
use crate::table::Guard;
use crate::transfer::{self, Asked, PlaceOf, Upload};

/// The largest file that a page may upload, in bytes; the proxy takes larger ones.
const PAGE_UPLOAD_BYTES: u64 = 10 << 20;

/// The calls and who may make them.
pub(super) fn routes(calls: Calls) -> Calls {
    let read = Guard::Project(Action::ReadExperiments);
    let write = Guard::Project(Action::WriteExperiments);
    let ajax = format!("{PREFIX}/ajax-api/2.0/mlflow");
    let mut calls = calls
        .read(Method::GET, "mlflow/artifacts/list", list)
        .write(Method::POST, "mlflow/artifacts/presigned-upload-url", no_presigned)
        .read(Method::POST, "mlflow/artifacts/presigned-download-url", no_presigned)
        .read(Method::GET, "mlflow/logged-models/{model_id}/artifacts/directories", list_of_model);
    calls.0 = calls
        .0
        .route(Method::GET, &format!("{PREFIX}/get-artifact"), read, download)
        .route(Method::POST, &format!("{ajax}/upload-artifact"), write, upload)
        .route(
            Method::GET,
            &format!("{ajax}/logged-models/{{model_id}}/artifacts/files"),
            read,
            download_of_model,
        );
    calls
}

/// A run, and a path among its artifacts.
#[derive(Deserialize)]
struct OfRun {
    #[serde(alias = "runId")]
    run_id: Option<String>,
    #[serde(alias = "runUuid")]
    run_uuid: Option<String>,
    path: Option<String>,
    #[serde(alias = "pageToken")]
    page_token: Option<String>,
}

impl OfRun {
    /// The run and the path, which must name a file.
    fn file(self) -> Result<(Eid, ArtifactPath)> {
        let path = required_text(self.path, "path")?.parse()?;
        Ok((required_run(self.run_id, self.run_uuid)?, path))
    }
}

/// A path among the artifacts of a logged model.
#[derive(Deserialize)]
struct OfModel {
    #[serde(alias = "artifactDirectoryPath")]
    artifact_directory_path: Option<String>,
    artifact_file_path: Option<String>,
    #[serde(alias = "pageToken")]
    page_token: Option<String>,
}

/// The logged model that a URL names.
#[derive(Deserialize)]
struct ModelInPath {
    model_id: String,
}

async fn list(State(app): State<App>, granted: Granted, Message(query): Message<OfRun>) -> Answer<Page> {
    let (project, token) = (granted.project(), query.page_token);
    let path = ArtifactPath::parse_dir(query.path.as_deref())?;
    let eid = required_run(query.run_id, query.run_uuid)?;
    let run = app.db.read(move |tx| candidates::get_by_eid(tx, project, &eid)).await?;
    let place = Place { tree: Tree { project, owner: Owner::Candidate(run.id) }, path };
    Ok(Reply(listing::page(&app, place, run.artifact_uri(), token.as_deref()).await?))
}

async fn download(
    State(app): State<App>,
    granted: Granted,
    asked: Asked,
    Message(query): Message<OfRun>,
) -> Result<Response, MlflowFailure> {
    let project = granted.project();
    let (eid, path) = query.file()?;
    let file = app.db.read(move |tx| {
        let tree = tree_of_run(tx, project, &eid)?;
        fetch(tx, &Place { tree, path: Some(path.clone()) }, &path)
    });
    Ok(transfer::download(&app, file.await?, &asked).await?)
}

async fn upload(
    State(app): State<App>,
    granted: Granted,
    Params(query): Params<OfRun>,
    upload: Upload,
) -> Answer<Empty> {
    let project = granted.project();
    let (eid, path) = query.file()?;
    let place: PlaceOf = Arc::new(move |tx| Ok((tree_of_run(tx, project, &eid)?, path.clone())));
    let limit_bytes = app.settings.limits.file_bytes.min(PAGE_UPLOAD_BYTES);
    transfer::store(&app, upload, limit_bytes, place).await?;
    done()
}

async fn list_of_model(
    State(app): State<App>,
    granted: Granted,
    Path(ModelInPath { model_id }): Path<ModelInPath>,
    Message(query): Message<OfModel>,
) -> Answer<Page> {
    let (project, token) = (granted.project(), query.page_token);
    let path = ArtifactPath::parse_dir(query.artifact_directory_path.as_deref())?;
    let eid: LoggedModelEid = model_id.parse()?;
    let model = app.db.read(move |tx| logged_models::get(tx, project, &eid, Deleted::Hidden)).await?;
    let place = Place { tree: Tree { project, owner: Owner::LoggedModel(model.id) }, path };
    Ok(Reply(listing::page(&app, place, model.artifact_uri(), token.as_deref()).await?))
}

async fn download_of_model(
    State(app): State<App>,
    granted: Granted,
    Path(ModelInPath { model_id }): Path<ModelInPath>,
    asked: Asked,
    Message(query): Message<OfModel>,
) -> Result<Response, MlflowFailure> {
    let project = granted.project();
    let path: ArtifactPath = required_text(query.artifact_file_path, "artifact_file_path")?.parse()?;
    let eid: LoggedModelEid = model_id.parse()?;
    let file = app.db.read(move |tx| {
        let model = logged_models::get(tx, project, &eid, Deleted::Hidden)?;
        let tree = Tree { project, owner: Owner::LoggedModel(model.id) };
        fetch(tx, &Place { tree, path: Some(path.clone()) }, &path)
    });
    Ok(transfer::download(&app, file.await?, &asked).await?)
}

/// MLflow's own answer where artifacts are transferred through the server.
async fn no_presigned() -> MlflowFailure {
    MlflowFailure(Error::invalid(
        "presigned URLs are not offered: transfer the file through mlflow-artifacts",
    ))
}

fn tree_of_run(tx: &mut Tx<'_>, project: ProjectId, eid: &Eid) -> Result<Tree> {
    let run = candidates::get_by_eid(tx, project, eid)?;
    Ok(Tree { project, owner: Owner::Candidate(run.id) })
}
