//! The artifact proxy, `mlflow-artifacts`: what Python clients list, download, upload and delete files through.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use modelry_core::artifact_path::ArtifactPath;
use modelry_core::ids::ProjectId;
use modelry_core::policy::Doing;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::files::{self, Deleted, Owner, Tree};
use modelry_store::versions;
use serde::Deserialize;

use super::super::Calls;
use super::super::wire::{Answer, Empty, Message, done};
use super::address::{Place, locate};
use super::{At, fetch, listing};
use crate::App;
use crate::access::{Granted, Undecided};
use crate::error::MlflowFailure;
use crate::naming;
use crate::pulls;
use crate::transfer::{self, Asked, PlaceOf, Upload};

/// Files that a deletion takes in one transaction.
const DELETED_AT_ONCE: i64 = 200;

/// The calls and who may make them.
pub(super) fn routes(calls: Calls) -> Calls {
    calls
        .read_either(Method::GET, "mlflow-artifacts/artifacts", list)
        .artifact(Method::GET, "mlflow-artifacts/artifacts/{*path}", Doing::Reading, download)
        .artifact(Method::PUT, "mlflow-artifacts/artifacts/{*path}", Doing::Writing, upload)
        .artifact(Method::DELETE, "mlflow-artifacts/artifacts/{*path}", Doing::Writing, delete)
}

#[derive(Deserialize)]
struct List {
    path: Option<String>,
}

/// Lists a directory. Owners are not listed: above an owner's address there are only files without one.
async fn list(
    State(app): State<App>,
    undecided: Undecided,
    Message(query): Message<List>,
) -> Result<Response, MlflowFailure> {
    let path = ArtifactPath::parse_dir(query.path.as_deref())?;
    let project = undecided.about(naming::of_artifact(path.as_ref()))?.project();
    let place = app.db.read(move |tx| locate(tx, project, path.as_ref())).await?;
    Ok(listing::whole(&app, place).await?)
}

/// Downloads a file, or a part of it; also answers HEAD.
async fn download(
    State(app): State<App>,
    granted: Granted,
    At(path): At,
    asked: Asked,
) -> Result<Response, MlflowFailure> {
    let project = granted.project();
    let found = app.db.read(move |tx| {
        let place = locate(tx, project, Some(&path))?;
        Ok((place.tree, fetch(tx, &place, &path)?))
    });
    let (tree, file) = found.await?;
    let answer = transfer::download(&app, file, &asked).await?;
    if asked.got_file(&answer) {
        pulls::note(&app, &granted, (tree, pulls::proxy_door(&granted.caller)), 1);
    }
    Ok(answer)
}

/// Uploads a file; one that is there is replaced.
async fn upload(
    State(app): State<App>,
    granted: Granted,
    At(path): At,
    upload: Upload,
) -> Result<(), MlflowFailure> {
    let place = place_of(granted.project(), path);
    transfer::store(&app, upload, app.settings.limits.file_bytes, place).await?;
    Ok(())
}

/// Where an upload to `path` is to be kept.
pub(super) fn place_of(project: ProjectId, path: ArtifactPath) -> PlaceOf {
    Arc::new(move |tx| {
        let Place { tree, path: below } = locate(tx, project, Some(&path))?;
        refuse_published(tx, tree)?;
        let below =
            below.ok_or_else(|| Error::invalid(format!("Invalid path \"{path}\": it is a directory")))?;
        Ok((tree, below))
    })
}

/// Fails with `Conflict` where a write would change the files of a published version.
fn refuse_published(tx: &mut Tx<'_>, tree: Tree) -> Result<()> {
    match tree.owner {
        Owner::Version(id) => Err(versions::is_published(tx, tree.project, id)?),
        Owner::Project | Owner::Candidate(_) | Owner::LoggedModel(_) => Ok(()),
    }
}

/// Deletes a file or a directory; what is not there is deleted already.
///
/// A large directory goes in slices: meanwhile a listing shows what is left.
async fn delete(State(app): State<App>, granted: Granted, At(path): At) -> Answer<Empty> {
    let (project, now) = (granted.project(), app.clock.now());
    loop {
        let path = path.clone();
        let deleted = app.db.write(move |tx| {
            let place = locate(tx, project, Some(&path))?;
            refuse_published(tx, place.tree)?;
            files::delete(tx, place.tree, place.path.as_ref(), DELETED_AT_ONCE, now)
        });
        if deleted.await? == Deleted::All {
            return done();
        }
    }
}
