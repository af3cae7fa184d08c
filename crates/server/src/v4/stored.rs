//! What routes to files do, whatever names what the files belong to.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use modelry_core::Error;
use modelry_core::artifact_path::ArtifactPath;
use modelry_store::files::{self, Deleted, ManifestEntry};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::page::{self, Page, Place as PagePlace};
use super::place::{Address, Place};
use crate::App;
use crate::access::Granted;
use crate::error::Problem;
use crate::extract::{Json, base_url};
use crate::pulls;
use crate::transfer::{self, Asked, Upload};

/// Files that a deletion takes in one transaction.
const DELETED_AT_ONCE: i64 = 200;

/// A file of a version or candidate.
#[derive(Serialize, ToSchema)]
#[schema(as = File)]
pub(super) struct FileView {
    /// Its path.
    path: String,
    /// How many bytes it has.
    size: u64,
    /// The SHA-256 of its bytes, in hex.
    sha256: Option<String>,
}

impl From<ManifestEntry> for FileView {
    fn from(entry: ManifestEntry) -> Self {
        let sha256 = entry.sha256.map(|digest| digest.to_string());
        Self { path: entry.path, size: entry.size_bytes, sha256 }
    }
}

/// A file that was uploaded.
#[derive(Serialize, ToSchema)]
pub(super) struct UploadedFile {
    /// The name of the package: the model's.
    model: String,
    /// The version of the package: the semantic version.
    version: String,
    /// The path of the file.
    path: String,
    /// How many bytes it has.
    size: u64,
    /// The SHA-256 of its bytes, in hex.
    sha256: String,
}

/// Which files to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListFiles {
    /// How many files a page has, 1 to 100; 20 when it is not said.
    per_page: Option<i64>,
    /// The path of the file after which the page starts.
    after: Option<String>,
}

/// Answers a page of the files of what `address` names.
pub(super) async fn list(
    app: &App,
    granted: &Granted,
    address: Address,
    query: ListFiles,
    (uri, headers): (&Uri, &HeaderMap),
) -> Result<Page<FileView>, Problem> {
    let (project, size) = (granted.project(), page::size(query.per_page)?);
    let base = base_url(app, headers);
    let rows = app.db.read(move |tx| {
        let place = address.find(tx, project, &base)?;
        // A draft's files are a directory of its candidate's: they are told from there on.
        let cut = place.dir.as_ref().map_or(0, |dir| dir.as_str().len() + 1);
        let after = match (&place.dir, &query.after) {
            (Some(dir), Some(after)) => Some(format!("{dir}/{after}")),
            (_, after) => after.clone(),
        };
        let mut rows = files::manifest(tx, place.tree, place.dir.as_ref(), after.as_deref(), size + 1)?;
        for row in &mut rows {
            row.path.drain(..cut);
        }
        Ok(rows)
    });
    let place = PagePlace { app, headers, uri };
    Ok(Page::new(&place, rows.await?, size, |row| row.path.clone(), FileView::from)?)
}

/// Answers a file, or the part of it that is asked for.
pub(super) async fn get(
    app: &App,
    granted: &Granted,
    address: Address,
    path: ArtifactPath,
    (asked, base): (&Asked, String),
) -> Result<Response, Problem> {
    let project = granted.project();
    let door = address.door();
    let found = app.db.read(move |tx| {
        let place = address.find(tx, project, &base)?;
        let found = files::find(tx, place.tree, &place.path(&path)?)?;
        let found = found.ok_or_else(|| Error::not_found(format!("there is no file {path}")))?;
        Ok((place.tree, found))
    });
    let (tree, file) = found.await?;
    let answer = transfer::download(app, file, asked).await?;
    if asked.got_file(&answer) {
        pulls::note(app, granted, (tree, door), 1);
    }
    Ok(answer)
}

/// Takes a file. Fails with `Conflict` where files do not change any more.
pub(super) async fn put(
    app: &App,
    granted: &Granted,
    address: Address,
    path: ArtifactPath,
    request: Request,
) -> Result<(StatusCode, Json<UploadedFile>), Problem> {
    let project = granted.project();
    let base = base_url(app, request.headers());
    let upload = Upload::from_request(request)?;
    let (asked, below) = (address.clone(), base.clone());
    let Place { name: model, version, .. } =
        app.db.read(move |tx| asked.find_to_write(tx, project, &below)).await?;
    let shown = path.to_string();
    let place = address.place_of(project, base, path);
    let received = transfer::store(app, upload, app.settings.limits.file_bytes, place).await?;
    let (size, sha256) = (received.size_bytes, received.sha256.to_string());
    Ok((StatusCode::CREATED, Json(UploadedFile { model, version, path: shown, size, sha256 })))
}

/// Deletes the file or directory at `path`, or everything, slice by slice. Fails with `Conflict` where files do not change any more.
pub(super) async fn remove(
    app: &App,
    granted: &Granted,
    address: Address,
    path: Option<ArtifactPath>,
    base: String,
) -> Result<StatusCode, Problem> {
    let (project, now) = (granted.project(), app.clock.now());
    loop {
        let (address, path, base) = (address.clone(), path.clone(), base.clone());
        let deleted = app.db.write(move |tx| {
            let place = address.find_to_write(tx, project, &base)?;
            let target =
                path.as_ref().map_or_else(|| Ok(place.dir.clone()), |path| place.path(path).map(Some))?;
            files::delete(tx, place.tree, target.as_ref(), DELETED_AT_ONCE, now)
        });
        if deleted.await? == Deleted::All {
            return Ok(StatusCode::NO_CONTENT);
        }
    }
}
