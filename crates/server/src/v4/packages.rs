//! The files of versions and candidates by GitLab's routes, which name a package.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;

use super::page::Page;
use super::place::Address;
use super::stored::{self, FileView, ListFiles, UploadedFile};
use crate::App;
use crate::access::Granted;
use crate::error::Problem;
use crate::extract::{Json, Path, Query, base_url};
use crate::transfer::Asked;

/// List the files of a version or candidate, by GitLab's name of its package.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/packages/ml_models/{package}/files", tag = "packages",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("package" = String, Path, description = "Number of a version in the project, or `candidate:` and a number"),
        ListFiles,
    ),
    responses(
        (
            status = 200, description = "A page of files, in the order of paths", body = [FileView],
            headers(("Link" = String, description = "The next page, `rel=\"next\"`")),
        ),
    )
)]
pub(super) async fn list_package_files(
    State(app): State<App>,
    granted: Granted,
    uri: Uri,
    headers: HeaderMap,
    Path((_, package)): Path<(String, String)>,
    Query(query): Query<ListFiles>,
) -> Result<Page<FileView>, Problem> {
    stored::list(&app, &granted, Address::Package(package), query, (&uri, &headers)).await
}

/// Download a file of a version or candidate, or a part of it, by GitLab's name of its package.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/packages/ml_models/{package}/files/{path}", tag = "packages",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("package" = String, Path, description = "Number of a version in the project, or `candidate:` and a number"),
        ("path" = String, Path, description = "Path of the file, with its slashes"),
    ),
    responses((status = 200, description = "The file", content_type = "application/octet-stream"))
)]
pub(super) async fn get_package_file(
    State(app): State<App>,
    granted: Granted,
    headers: HeaderMap,
    Path((_, package, path)): Path<(String, String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    let base = base_url(&app, &headers);
    stored::get(&app, &granted, Address::Package(package), path.parse()?, (&asked, base)).await
}

/// Upload a file of a draft or candidate, by GitLab's name of its package. A file that is there is replaced.
#[utoipa::path(
    put, path = "/api/v4/projects/{project}/packages/ml_models/{package}/files/{path}", tag = "packages",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("package" = String, Path, description = "Number of a version in the project, or `candidate:` and a number"),
        ("path" = String, Path, description = "Path of the file, with its slashes"),
    ),
    responses((status = 201, description = "What was stored", body = UploadedFile))
)]
pub(super) async fn put_package_file(
    State(app): State<App>,
    granted: Granted,
    Path((_, package, path)): Path<(String, String, String)>,
    request: Request,
) -> Result<(StatusCode, Json<UploadedFile>), Problem> {
    stored::put(&app, &granted, Address::Package(package), path.parse()?, request).await
}
