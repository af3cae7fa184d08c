//! The files of versions, by model and version.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use modelry_core::lineage::Door;
use modelry_core::version::selector::Selector;
use modelry_core::{Error, Result};
use serde::Serialize;
use utoipa::ToSchema;

use super::page::Page;
use super::place::{Address, Place};
use super::stored::{self, FileView, ListFiles, UploadedFile};
use crate::App;
use crate::access::Granted;
use crate::error::Problem;
use crate::extract::{Json, Path, Query, base_url};
use crate::pulls;
use crate::transfer::{self, Asked, Format};

/// List the files of a version.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/models/{model}/versions/{version}/files", tag = "packages",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model" = String, Path, description = "Name, URL-encoded"),
        ("version" = String, Path, description = "Whatever selects a version: see the version itself"), ListFiles,
    ),
    responses(
        (
            status = 200, description = "A page of files, in the order of paths", body = [FileView],
            headers(("Link" = String, description = "The next page, `rel=\"next\"`")),
        ),
    )
)]
pub(super) async fn list_version_files(
    State(app): State<App>,
    granted: Granted,
    uri: Uri,
    headers: HeaderMap,
    Path((_, model, version)): Path<(String, String, String)>,
    Query(query): Query<ListFiles>,
) -> Result<Page<FileView>, Problem> {
    let address = Address::Read(model, Selector::after_slash(&version)?);
    stored::list(&app, &granted, address, query, (&uri, &headers)).await
}

/// Download a file of a version, or a part of it.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/models/{model}/versions/{version}/files/{path}", tag = "packages",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model" = String, Path, description = "Name, URL-encoded"),
        ("version" = String, Path, description = "Whatever selects a version: see the version itself"),
        ("path" = String, Path, description = "Path of the file, with its slashes"),
    ),
    responses((status = 200, description = "The file", content_type = "application/octet-stream"))
)]
pub(super) async fn get_version_file(
    State(app): State<App>,
    granted: Granted,
    headers: HeaderMap,
    Path((_, model, version, path)): Path<(String, String, String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    let address = Address::Read(model, Selector::after_slash(&version)?);
    stored::get(&app, &granted, address, path.parse()?, (&asked, base_url(&app, &headers))).await
}

/// Upload a file of a draft. A file that is there is replaced.
#[utoipa::path(
    put, path = "/api/v4/projects/{project}/models/{model}/versions/{version}/files/{path}", tag = "packages",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model" = String, Path, description = "Name, URL-encoded"),
        ("version" = String, Path, description = "Sequence number, or semantic version"),
        ("path" = String, Path, description = "Path of the file, with its slashes"),
    ),
    responses((status = 201, description = "What was stored", body = UploadedFile))
)]
pub(super) async fn put_version_file(
    State(app): State<App>,
    granted: Granted,
    Path((_, model, version, path)): Path<(String, String, String, String)>,
    request: Request,
) -> Result<(StatusCode, Json<UploadedFile>), Problem> {
    stored::put(&app, &granted, Address::Write(model, version.parse()?), path.parse()?, request).await
}

/// Delete a file, or a directory, of a draft; what is not there is deleted already.
#[utoipa::path(
    delete, path = "/api/v4/projects/{project}/models/{model}/versions/{version}/files/{path}", tag = "packages",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model" = String, Path, description = "Name, URL-encoded"),
        ("version" = String, Path, description = "Sequence number, or semantic version"),
        ("path" = String, Path, description = "Path of the file, with its slashes"),
    ),
    responses((status = 204, description = "It is not there"))
)]
pub(super) async fn delete_version_file(
    State(app): State<App>,
    granted: Granted,
    headers: HeaderMap,
    Path((_, model, version, path)): Path<(String, String, String, String)>,
) -> Result<StatusCode, Problem> {
    let address = Address::Write(model, version.parse()?);
    stored::remove(&app, &granted, address, Some(path.parse()?), base_url(&app, &headers)).await
}

/// All files of a version together.
#[derive(Serialize, ToSchema)]
pub(super) struct Manifest {
    /// The model's name.
    model: String,
    /// The semantic version.
    version: String,
    /// How many files there are.
    files: u64,
    /// How many bytes they have together.
    size: u64,
    /// The SHA-256, in hex, of a line `<sha256>  <size>  <path>` for each file in the order of paths: the same for the
    /// same files.
    sha256: String,
}

/// Tell what the files of a version are together.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/models/{model}/versions/{version}/manifest", tag = "packages",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model" = String, Path, description = "Name, URL-encoded"),
        ("version" = String, Path, description = "Whatever selects a version: see the version itself"),
    ),
    responses((status = 200, description = "The files together", body = Manifest))
)]
pub(super) async fn get_version_manifest(
    State(app): State<App>,
    granted: Granted,
    headers: HeaderMap,
    Path((_, model, version)): Path<(String, String, String)>,
) -> Result<Json<Manifest>, Problem> {
    let place = find_version(&app, &granted, &headers, model, &version).await?;
    let contents = transfer::contents(&app, place.tree, place.dir).await?;
    Ok(Json(Manifest {
        model: place.name,
        version: place.version,
        files: contents.files,
        size: contents.size_bytes,
        sha256: contents.manifest_sha256.to_string(),
    }))
}

/// Download all files of a version as a tar archive. The same files give the same bytes; the header
/// `X-Manifest-SHA256` has the digest of the manifest.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/models/{model}/versions/{version}/archive.tar", tag = "packages",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model" = String, Path, description = "Name, URL-encoded"),
        ("version" = String, Path, description = "Whatever selects a version: see the version itself"),
    ),
    responses((status = 200, description = "The archive", content_type = "application/x-tar"))
)]
pub(super) async fn get_version_archive(
    State(app): State<App>,
    granted: Granted,
    headers: HeaderMap,
    Path((_, model, version)): Path<(String, String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    archive(&app, &granted, &headers, (model, &version), (Format::Tar, &asked)).await
}

/// Download all files of a version as a zip archive, in which they are as they are. The same files give the same bytes;
/// the header `X-Manifest-SHA256` has the digest of the manifest.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/models/{model}/versions/{version}/archive.zip", tag = "packages",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model" = String, Path, description = "Name, URL-encoded"),
        ("version" = String, Path, description = "Whatever selects a version: see the version itself"),
    ),
    responses((status = 200, description = "The archive", content_type = "application/zip"))
)]
pub(super) async fn get_version_zip(
    State(app): State<App>,
    granted: Granted,
    headers: HeaderMap,
    Path((_, model, version)): Path<(String, String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    archive(&app, &granted, &headers, (model, &version), (Format::Zip, &asked)).await
}

async fn archive(
    app: &App,
    granted: &Granted,
    headers: &HeaderMap,
    (model, version): (String, &str),
    (format, asked): (Format, &Asked),
) -> Result<Response, Problem> {
    let place = find_version(app, granted, headers, model, version).await?;
    let contents = transfer::contents(app, place.tree, place.dir.clone()).await?;
    let name = format!("{}-{}", place.name, place.version);
    let mut response = transfer::archive(app, (place.tree, place.dir), contents, (&name, format))?;
    let digest = HeaderValue::try_from(contents.manifest_sha256.to_string())
        .map_err(|error| Error::internal("a digest is no header").with_source(error))?;
    response.headers_mut().insert("x-manifest-sha256", digest);
    if asked.got_file(&response) {
        pulls::note(app, granted, (place.tree, Door::Api), contents.files);
    }
    Ok(response)
}

async fn find_version(
    app: &App,
    granted: &Granted,
    headers: &HeaderMap,
    model: String,
    version: &str,
) -> Result<Place> {
    let (project, base) = (granted.project(), base_url(app, headers));
    let address = Address::Read(model, Selector::after_slash(version)?);
    app.db.read(move |tx| address.find(tx, project, &base)).await
}
