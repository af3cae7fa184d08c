//! Projects.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use modelry_core::ids::ProjectId;
use modelry_core::names::{ProjectName, ProjectPath};
use modelry_core::policy::Visibility;
use modelry_core::{Error, Result};
use modelry_store::projects::{self, Change, Project, Viewer};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::page::{self, Page, Place};
use super::words::VisibilityWord;
use crate::App;
use crate::access::{Caller, Granted};
use crate::accounts::projects::{self as work, Draft};
use crate::error::Problem;
use crate::extract::{Json, Query, base_url};

/// A project.
#[derive(Serialize, ToSchema)]
#[schema(as = Project)]
pub(super) struct ProjectView {
    /// Its number.
    id: i64,
    /// Its name for people.
    name: String,
    /// The last segment of its URL.
    path: String,
    /// Its whole path; URL-encoded, it may stand for the number.
    path_with_namespace: String,
    /// What it is about.
    description: String,
    /// Who sees it without being a member.
    visibility: VisibilityWord,
    /// Whether a version is refused whose step is less than what its signature asks for.
    refuses_wrong_steps: bool,
    /// The number of the user who made it.
    creator_id: i64,
    /// When it was made, in milliseconds since 1970.
    created_at: i64,
    /// When its settings last changed, in milliseconds since 1970.
    updated_at: i64,
    /// Its page.
    web_url: String,
    /// What MLflow clients take as their tracking URI.
    mlflow_tracking_uri: String,
}

impl ProjectView {
    fn new(base_url: &str, project: Project) -> Self {
        Self {
            id: project.id.0,
            web_url: format!("{base_url}/{}", project.full_path),
            mlflow_tracking_uri: format!("{base_url}/api/v4/projects/{}/ml/mlflow", project.id),
            name: project.name,
            path: project.path,
            path_with_namespace: project.full_path,
            description: project.description,
            visibility: VisibilityWord(project.visibility),
            refuses_wrong_steps: project.refuses_wrong_steps,
            creator_id: project.creator.0,
            created_at: project.created_at.ms(),
            updated_at: project.updated_at.ms(),
        }
    }
}

/// Which projects to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListProjects {
    /// Text that the name or the path contains, whatever its case.
    search: Option<String>,
    /// How many projects a page has, 1 to 100; 20 when it is not said.
    per_page: Option<i64>,
    /// The number of the project after which the page starts.
    after: Option<i64>,
}

/// List the projects that the caller may see, the newest first.
#[utoipa::path(
    get, path = "/api/v4/projects", tag = "projects", params(ListProjects),
    responses(
        (
            status = 200, description = "A page of projects", body = [ProjectView],
            headers(("Link" = String, description = "The next page, `rel=\"next\"`")),
        ),
    )
)]
pub(super) async fn list_projects(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    headers: HeaderMap,
    Query(query): Query<ListProjects>,
) -> Result<Page<ProjectView>, Problem> {
    let size = page::size(query.per_page)?;
    let viewer = viewer(&caller);
    let (search, after) = (query.search, query.after.map(ProjectId));
    let rows =
        app.db.read(move |tx| projects::list_visible(tx, viewer, search.as_deref(), after, size + 1)).await?;
    let base_url = base_url(&app, &headers);
    let place = Place { app: &app, headers: &headers, uri: &uri };
    Ok(Page::new(&place, rows, size, |row| row.id.0, |row| ProjectView::new(&base_url, row))?)
}

fn viewer(caller: &Caller) -> Viewer {
    match &caller.0 {
        None => Viewer::Anonymous,
        Some(identity) if identity.admin => Viewer::Administrator,
        Some(identity) => Viewer::User(identity.user),
    }
}

/// A project to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateProject {
    /// Its name for people.
    name: String,
    /// The last segment of its URL; made from the name when it is not said.
    path: Option<String>,
    /// What it is about.
    #[serde(default)]
    description: String,
    /// Who sees it without being a member; nobody when it is not said.
    visibility: Option<VisibilityWord>,
}

/// Make a project in the caller's own namespace, with the caller as its Owner.
#[utoipa::path(
    post, path = "/api/v4/projects", tag = "projects", request_body = CreateProject,
    responses((status = 201, description = "The project", body = ProjectView))
)]
pub(super) async fn create_project(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Json(body): Json<CreateProject>,
) -> Result<(StatusCode, Json<ProjectView>), Problem> {
    let creator = caller.signed_in()?.user;
    let draft = Draft {
        name: body.name.parse()?,
        path: body.path.map(|path| path.parse::<ProjectPath>()).transpose()?,
        description: body.description,
        visibility: body.visibility.map_or(Visibility::Private, |word| word.0),
    };
    let project = work::create(&app, creator, draft).await?;
    Ok((StatusCode::CREATED, Json(ProjectView::new(&base_url(&app, &headers), project))))
}

/// Get a project, by number or by URL-encoded full path.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}", tag = "projects",
    params(("project" = String, Path, description = "Number, or URL-encoded full path")),
    responses((status = 200, description = "The project", body = ProjectView))
)]
pub(super) async fn get_project(
    State(app): State<App>,
    granted: Granted,
    headers: HeaderMap,
) -> Result<Json<ProjectView>, Problem> {
    let project = app.db.read(move |tx| projects::get(tx, granted.project())).await?;
    Ok(Json(ProjectView::new(&base_url(&app, &headers), project)))
}

/// New settings of a project; what is not said stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateProject {
    /// Its name for people.
    name: Option<String>,
    /// What it is about.
    description: Option<String>,
    /// Who sees it without being a member.
    visibility: Option<VisibilityWord>,
    /// Whether a version is refused whose step is less than what its signature asks for; it is only warned of otherwise.
    refuses_wrong_steps: Option<bool>,
}

/// Change a project's settings.
#[utoipa::path(
    put, path = "/api/v4/projects/{project}", tag = "projects", request_body = UpdateProject,
    params(("project" = String, Path, description = "Number, or URL-encoded full path")),
    responses((status = 200, description = "The project", body = ProjectView))
)]
pub(super) async fn update_project(
    State(app): State<App>,
    granted: Granted,
    headers: HeaderMap,
    Json(body): Json<UpdateProject>,
) -> Result<Json<ProjectView>, Problem> {
    let change = Change {
        name: body.name.map(|name| name.parse::<ProjectName>()).transpose()?,
        description: body.description,
        visibility: body.visibility.map(|word| word.0),
        refuses_wrong_steps: body.refuses_wrong_steps,
    };
    if change == Change::default() {
        return Err(Error::invalid(
            "nothing to change: say `name`, `description`, `visibility` or `refuses_wrong_steps`",
        )
        .into());
    }
    let project = work::update(&app, &granted, change).await?;
    Ok(Json(ProjectView::new(&base_url(&app, &headers), project)))
}
