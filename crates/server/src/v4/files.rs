//! The files of versions and candidates, as packages: by GitLab's routes, and by model and version.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use modelry_core::artifact_path::ArtifactPath;
use modelry_core::ids::{CandidateId, ProjectId, VersionId};
use modelry_core::lineage::Door;
use modelry_core::version::selector::{Selector, Target};
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::candidates;
use modelry_store::files::{self, Deleted, ManifestEntry, Owner, Tree};
use modelry_store::ids::FIRST_VERSION;
use modelry_store::versions::{self, ModelVersion};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::models::get as get_model;
use super::page::{self, Page, Place as PagePlace};
use crate::App;
use crate::access::Granted;
use crate::error::Problem;
use crate::extract::{Json, Path, Query, base_url};
use crate::pulls;
use crate::transfer::{self, Asked, Upload};

/// Files that a deletion takes in one transaction.
const DELETED_AT_ONCE: i64 = 200;

/// How a URL names what files belong to.
#[derive(Clone, Debug)]
enum Address {
    /// GitLab's: the number of a version in the project, or `candidate:` and the number of a candidate.
    Package(String),
    /// A version of a model, by whatever selects one.
    Read(String, Selector),
    /// A version of a model, named exactly.
    Write(String, Target),
}

/// Files, and what they belong to.
struct Place {
    tree: Tree,
    dir: Option<ArtifactPath>,
    package: Package,
}

/// The name and version of a package, as GitLab has them.
#[derive(Clone, Debug)]
struct Package {
    name: String,
    version: String,
}

impl Address {
    /// What is fetched from here is fetched through this door.
    fn door(&self) -> Door {
        match self {
            Self::Package(_) => Door::Packages,
            Self::Read(..) | Self::Write(..) => Door::Api,
        }
    }

    fn find(&self, tx: &mut Tx<'_>, project: ProjectId, base: &str) -> Result<Place> {
        match self {
            Self::Package(text) => match text.strip_prefix("candidate:") {
                Some(number) => of_candidate(tx, project, number),
                None => of_version_id(tx, project, text, base),
            },
            Self::Read(model, selector) => {
                let model = get_model(tx, project, model)?;
                of_version(project, versions::resolve(tx, project, &model, selector)?)
            }
            Self::Write(model, target) => {
                let model = get_model(tx, project, model)?;
                of_version(project, versions::get_target(tx, project, &model, target)?)
            }
        }
    }

    /// As [`Address::find`], for a write below `path`. Fails with `Conflict` where the files do not change any more.
    fn find_to_write(&self, tx: &mut Tx<'_>, project: ProjectId, base: &str) -> Result<Place> {
        let place = self.find(tx, project, base)?;
        match place.tree.owner {
            Owner::Version(id) => Err(versions::is_published(tx, project, id)?),
            Owner::Candidate(_) | Owner::LoggedModel(_) | Owner::Project => Ok(place),
        }
    }
}

impl Place {
    fn path(&self, below: &ArtifactPath) -> Result<ArtifactPath> {
        self.dir.as_ref().map_or_else(|| Ok(below.clone()), |dir| dir.join(below))
    }
}

fn of_version(project: ProjectId, version: ModelVersion) -> Result<Place> {
    let place = versions::place(project, &version)?;
    let (tree, dir) = place.ok_or_else(|| {
        Error::conflict(format!(
            "version {} of model {} has no run to keep files",
            version.version, version.model
        ))
    })?;
    Ok(Place { tree, dir, package: Package { name: version.model, version: version.version.to_string() } })
}

fn of_version_id(tx: &mut Tx<'_>, project: ProjectId, text: &str, base: &str) -> Result<Place> {
    let not_found = || Error::not_found(format!("there is no package {text}"));
    let id: i64 = text.parse().map_err(|_| not_found())?;
    if let Some(version) = versions::find_by_id(tx, project, VersionId(id))? {
        return of_version(project, version);
    }
    if id < FIRST_VERSION
        && let Some(version) = versions::newest_numbered(tx, project, id)?
    {
        return Err(Error::not_found(format!(
            "{id} is a version number within a model; upload URL of {} {}: \
             {base}/api/v4/projects/{project}/packages/ml_models/{}/files/",
            version.model, version.version, version.id
        )));
    }
    Err(not_found())
}

fn of_candidate(tx: &mut Tx<'_>, project: ProjectId, number: &str) -> Result<Place> {
    let not_found = || Error::not_found(format!("there is no candidate {number}"));
    let id = CandidateId(number.parse().map_err(|_| not_found())?);
    let candidate = candidates::list(tx, project, &[id])?.pop().ok_or_else(not_found)?;
    candidate.require_active()?;
    let model = modelry_store::models::of_experiment(tx, project, candidate.experiment_id)?;
    let name = model.unwrap_or_else(|| format!("ml_experiment_{}", candidate.experiment_id));
    let tree = Tree { project, owner: Owner::Candidate(id) };
    Ok(Place { tree, dir: None, package: Package { name, version: format!("candidate_{id}") } })
}

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

async fn list(
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

async fn get(
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

async fn put(
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
    // Asked once before the bytes are taken, so that nobody sends gigabytes to nowhere.
    let package = app.db.read(move |tx| Ok(asked.find_to_write(tx, project, &below)?.package)).await?;
    let shown = path.to_string();
    let place = move |tx: &mut Tx<'_>| {
        let place = address.find_to_write(tx, project, &base)?;
        Ok((place.tree, place.path(&path)?))
    };
    let received = transfer::store(app, upload, app.settings.limits.file_bytes, place).await?;
    let Package { name: model, version } = package;
    let (size, sha256) = (received.size_bytes, received.sha256.to_string());
    Ok((StatusCode::CREATED, Json(UploadedFile { model, version, path: shown, size, sha256 })))
}

async fn remove(
    app: &App,
    granted: &Granted,
    address: Address,
    path: ArtifactPath,
    base: String,
) -> Result<StatusCode, Problem> {
    let (project, now) = (granted.project(), app.clock.now());
    loop {
        let (address, path, base) = (address.clone(), path.clone(), base.clone());
        let deleted = app.db.write(move |tx| {
            let place = address.find_to_write(tx, project, &base)?;
            files::delete(tx, place.tree, Some(&place.path(&path)?), DELETED_AT_ONCE, now)
        });
        if deleted.await? == Deleted::All {
            return Ok(StatusCode::NO_CONTENT);
        }
    }
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
    list(&app, &granted, Address::Package(package), query, (&uri, &headers)).await
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
    get(&app, &granted, Address::Package(package), path.parse()?, (&asked, base)).await
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
    put(&app, &granted, Address::Package(package), path.parse()?, request).await
}

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
    list(&app, &granted, address, query, (&uri, &headers)).await
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
    get(&app, &granted, address, path.parse()?, (&asked, base_url(&app, &headers))).await
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
    put(&app, &granted, Address::Write(model, version.parse()?), path.parse()?, request).await
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
    remove(&app, &granted, address, path.parse()?, base_url(&app, &headers)).await
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
        model: place.package.name,
        version: place.package.version,
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
    let place = find_version(&app, &granted, &headers, model, &version).await?;
    let tree = place.tree;
    let contents = transfer::contents(&app, tree, place.dir.clone()).await?;
    let name = format!("{}-{}.tar", place.package.name, place.package.version);
    let mut response = transfer::tar(&app, (tree, place.dir), contents, &name)?;
    let digest = HeaderValue::try_from(contents.manifest_sha256.to_string())
        .map_err(|error| Error::internal("a digest is no header").with_source(error))?;
    response.headers_mut().insert("x-manifest-sha256", digest);
    if asked.got_file(&response) {
        pulls::note(&app, &granted, (tree, Door::Api), contents.files);
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
