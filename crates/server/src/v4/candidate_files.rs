//! The files of candidates (MLflow's artifacts).

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;

use super::page::Page;
use super::place::Address;
use super::stored::{self, FileView, ListFiles};
use crate::App;
use crate::access::Granted;
use crate::error::Problem;
use crate::extract::{Path, Query, base_url};
use crate::transfer::Asked;

/// List the files of a candidate.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/candidates/{candidate}/files", tag = "candidates",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("candidate" = String, Path, description = "Number of the candidate, or its public id"), ListFiles,
    ),
    responses(
        (
            status = 200, description = "A page of files, in the order of paths", body = [FileView],
            headers(("Link" = String, description = "The next page, `rel=\"next\"`")),
        ),
    )
)]
pub(super) async fn list_candidate_files(
    State(app): State<App>,
    granted: Granted,
    uri: Uri,
    headers: HeaderMap,
    Path((_, candidate)): Path<(String, String)>,
    Query(query): Query<ListFiles>,
) -> Result<Page<FileView>, Problem> {
    stored::list(&app, &granted, Address::Candidate(candidate), query, (&uri, &headers)).await
}

/// Download a file of a candidate, or a part of it.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/candidates/{candidate}/files/{path}", tag = "candidates",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("candidate" = String, Path, description = "Number of the candidate, or its public id"),
        ("path" = String, Path, description = "Path of the file, with its slashes"),
    ),
    responses((status = 200, description = "The file", content_type = "application/octet-stream"))
)]
pub(super) async fn get_candidate_file(
    State(app): State<App>,
    granted: Granted,
    headers: HeaderMap,
    Path((_, candidate, path)): Path<(String, String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    let base = base_url(&app, &headers);
    stored::get(&app, &granted, Address::Candidate(candidate), path.parse()?, (&asked, base)).await
}
