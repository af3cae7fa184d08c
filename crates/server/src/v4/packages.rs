//! Packages, and their files, by GitLab's routes.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use modelry_core::Result;
use modelry_core::ids::ProjectId;
use modelry_core::policy::Feature;
use modelry_db::Tx;
use modelry_store::packages::{self, Content, Kind, Package, Position, Wanted};
use modelry_store::versions;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::page::{self, Page, Place};
use super::place::{Address, find_package};
use super::stored::{self, FileView, ListFiles, UploadedFile};
use crate::App;
use crate::access::{Granted, Undecided};
use crate::error::Problem;
use crate::extract::{Json, Path, Query, base_url};
use crate::registry::mover;
use crate::transfer::Asked;

/// GitLab's word for packages of versions and candidates.
const ML_MODEL: &str = "ml_model";

/// The files of a version or candidate together.
#[derive(Serialize, ToSchema)]
#[schema(as = Package)]
pub(super) struct PackageView {
    /// What package routes name it by: the number of the version in the project, or `candidate:` and the candidate's.
    id: String,
    /// The model's name; of a candidate that belongs to no model's experiment, `ml_experiment_` and that one's number.
    name: String,
    /// The semantic version, or `candidate_` and the candidate's number.
    version: String,
    /// `ml_model`.
    package_type: &'static str,
    /// `published` when its files do not change any more, else `draft`: a candidate's may always change.
    status: &'static str,
    /// How many files it has.
    files: i64,
    /// How many bytes they have together.
    size: u64,
    /// How many bytes are freed when it is deleted, and a version is gone from the bin too. Only told of a single package.
    frees: Option<u64>,
    /// The model of the version, or that the candidate's experiment belongs to.
    model: Option<String>,
    /// The sequence number of the version.
    number: Option<i64>,
    /// The number of the candidate.
    candidate_id: Option<i64>,
    /// The candidate's public id, which is MLflow's run id; of a version, of the run it was made from.
    run_id: Option<String>,
    /// The user name of who made it.
    created_by: Option<String>,
    /// When the version or candidate was made, in milliseconds since 1970.
    created_at: i64,
}

impl PackageView {
    fn read(tx: &mut Tx<'_>, project: ProjectId, package: Package) -> Result<Self> {
        let totals = package.totals(tx, project)?;
        let created_by = package.creator(tx)?;
        let (id, status, model, number, candidate_id, run_id) = match package.content {
            Content::Version(version) => {
                let status = if version.is_draft() { "draft" } else { "published" };
                (
                    version.id.to_string(),
                    status,
                    Some(version.model),
                    Some(version.number),
                    None,
                    version.run_eid,
                )
            }
            Content::Candidate(candidate) => {
                let id = format!("candidate:{}", candidate.id);
                (id, "draft", candidate.model, None, Some(candidate.id.0), Some(candidate.eid))
            }
        };
        Ok(Self {
            id,
            name: package.name,
            version: package.version,
            package_type: ML_MODEL,
            status,
            files: totals.files,
            size: totals.size_bytes,
            frees: None,
            model,
            number,
            candidate_id,
            run_id,
            created_by,
            created_at: package.created_at.ms(),
        })
    }
}

/// Which packages to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListPackages {
    /// `version` or `candidate`; both kinds when it is not said.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    kind: Option<String>,
    /// A part of the name, in any case.
    search: Option<String>,
    /// How many packages a page has at most, 1 to 100; 20 when it is not said. With `search` it may have fewer, or none,
    /// and still be followed by another one.
    per_page: Option<i64>,
    /// Where the page starts, as `Link` said.
    after: Option<String>,
}

/// List a project's packages, the newest first: those of versions, and those of candidates that have files.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/packages", tag = "packages",
    params(("project" = String, Path, description = "Number, or URL-encoded full path"), ListPackages),
    responses(
        (
            status = 200, description = "A page of packages", body = [PackageView],
            headers(("Link" = String, description = "The next page, `rel=\"next\"`")),
        ),
    )
)]
pub(super) async fn list_packages(
    State(app): State<App>,
    undecided: Undecided,
    uri: Uri,
    headers: HeaderMap,
    Query(query): Query<ListPackages>,
) -> Result<Page<PackageView>, Problem> {
    let project = undecided.project();
    let size = page::count(query.per_page)?;
    let kind = visible(&undecided, query.kind.as_deref().map(str::parse).transpose()?)?;
    let wanted = Wanted { kind, part: query.search.unwrap_or_default() };
    let after = query.after.map_or(Ok(Position::START), |after| after.parse())?;
    let listed = app.db.read(move |tx| {
        let listing = packages::list(tx, project, &wanted, after, size)?;
        let views = listing.packages.into_iter().map(|package| PackageView::read(tx, project, package));
        Ok((views.collect::<Result<Vec<_>>>()?, listing.next))
    });
    let (views, next) = listed.await?;
    let place = Place { app: &app, headers: &headers, uri: &uri };
    Ok(Page::with_next(&place, views, next.map(|next| next.to_string()))?)
}

/// The kind to list where `asked` for it, or, where it is `None`, for both: those that the caller may see.
fn visible(undecided: &Undecided, asked: Option<Kind>) -> Result<Option<Kind>> {
    match asked {
        Some(Kind::Version) => undecided.about(Feature::Models).map(|_| asked),
        Some(Kind::Candidate) => undecided.about(Feature::Experiments).map(|_| asked),
        None if !undecided.may(Feature::Experiments) => Ok(Some(Kind::Version)),
        None if !undecided.may(Feature::Models) => Ok(Some(Kind::Candidate)),
        None => Ok(None),
    }
}

/// Tell a package, and what its deletion would free.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/packages/ml_models/{package}", tag = "packages",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("package" = String, Path, description = "Number of a version in the project, or `candidate:` and a number"),
    ),
    responses((status = 200, description = "The package", body = PackageView))
)]
pub(super) async fn get_package(
    State(app): State<App>,
    granted: Granted,
    headers: HeaderMap,
    Path((_, package)): Path<(String, String)>,
) -> Result<Json<PackageView>, Problem> {
    let (project, base) = (granted.project(), base_url(&app, &headers));
    let view = app.db.read(move |tx| {
        let package = find_package(tx, project, &package, &base)?;
        let frees = Some(package.frees(tx, project)?);
        Ok(PackageView { frees, ..PackageView::read(tx, project, package)? })
    });
    Ok(Json(view.await?))
}

/// Delete a package: a version goes to the bin, from which it can be restored; the files of a candidate are deleted.
#[utoipa::path(
    delete, path = "/api/v4/projects/{project}/packages/ml_models/{package}", tag = "packages",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("package" = String, Path, description = "Number of a version in the project, or `candidate:` and a number"),
    ),
    responses((status = 204, description = "It is deleted"))
)]
pub(super) async fn delete_package(
    State(app): State<App>,
    granted: Granted,
    headers: HeaderMap,
    Path((_, package)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (project, base) = (granted.project(), base_url(&app, &headers));
    let mover = mover(&app, &granted, "the version was deleted".into())?;
    let (named, below) = (package.clone(), base.clone());
    let is_of_version = app.db.write(move |tx| match find_package(tx, project, &named, &below)?.content {
        Content::Version(version) => versions::delete(tx, project, &version, &mover).map(|()| true),
        Content::Candidate(_) => Ok(false),
    });
    if is_of_version.await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    stored::remove(&app, &granted, Address::Package(package), None, base).await
}

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
