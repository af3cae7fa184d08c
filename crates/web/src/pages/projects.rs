//! The list of projects and the form for a new one.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use modelry_core::Result;
use modelry_core::ids::{ProjectId, UserId};
use modelry_core::names::{ProjectName, ProjectPath};
use modelry_core::policy::{Role, Visibility};
use modelry_db::Tx;
use modelry_server::App;
use modelry_server::accounts::projects::{self as accounts, Draft};
use modelry_server::extract::Query;
use modelry_store::members;
use modelry_store::namespaces;
use modelry_store::projects::{self, Project, Viewer};
use serde::Deserialize;

use super::{ROWS_TO_READ, page, start, typed_wrong};
use crate::answer::{Answer, Page, Shown};
use crate::form::Form;
use crate::parts::Seen;
use crate::shell::Crumb;
use crate::views::members::role_word;
use crate::views::projects::{NewProjectPage, ProjectForm, ProjectRow, ProjectsPage};
use crate::visit::Visit;

/// What the list's address says.
#[derive(Deserialize)]
pub(crate) struct ListQuery {
    #[serde(default)]
    search: String,
    #[serde(default)]
    page_token: String,
}

/// What the form for a new project sends.
#[derive(Clone, Deserialize)]
pub(crate) struct CreateForm {
    name: String,
    path: String,
    description: String,
    visibility: String,
}

/// The projects that the caller may see.
pub(crate) async fn list_projects(
    State(app): State<App>,
    visit: Visit,
    Shown(Query(query)): Shown<Query<ListQuery>>,
) -> Answer<Page<ProjectsPage>> {
    let after: Option<ProjectId> = start(&query.page_token)?;
    let (viewer, user) = match visit.caller.0.as_deref() {
        None => (Viewer::Anonymous, None),
        Some(identity) if identity.admin => (Viewer::Administrator, Some(identity.user)),
        Some(identity) => (Viewer::User(identity.user), Some(identity.user)),
    };
    let search = query.search.clone();
    let read = app.db.read(move |tx| {
        let found = projects::list_visible(tx, viewer, Some(&search), after, ROWS_TO_READ)?;
        found.into_iter().map(|project| with_role(tx, project, user)).collect::<Result<Vec<_>>>()
    });
    let mut found = read.await?;
    let pager =
        page(&mut found, "/", &[("search", &query.search)], &query.page_token, |(project, _)| project.id);
    Ok(Page(ProjectsPage {
        shell: visit.shell("Projects"),
        search: query.search,
        projects: found.into_iter().map(|(project, role)| row(&visit, project, role)).collect(),
        pager,
        can_create: visit.is_signed_in(),
    }))
}

fn with_role(tx: &mut Tx<'_>, project: Project, user: Option<UserId>) -> Result<(Project, Option<Role>)> {
    let role = match user {
        Some(user) => members::role_of(tx, project.id, user)?,
        None => None,
    };
    Ok((project, role))
}

fn row(visit: &Visit, project: Project, role: Option<Role>) -> ProjectRow {
    let namespace = project.full_path.rsplit_once('/').map(|(namespace, _)| namespace.to_owned());
    ProjectRow {
        name: project.name,
        namespace: namespace.unwrap_or_default(),
        href: format!("/{}", project.full_path),
        description: project.description,
        visibility: Seen(project.visibility),
        role: role.map(|role| role_word(role).to_owned()),
        created: visit.moment(project.created_at),
    }
}

/// The empty form for a new project.
pub(crate) async fn new_project(State(app): State<App>, visit: Visit) -> Answer<Page<NewProjectPage>> {
    let form = ProjectForm {
        name: String::new(),
        path: String::new(),
        description: String::new(),
        visibility: Visibility::Private,
    };
    Ok(Page(form_page(&app, &visit, form, None).await?))
}

/// Makes a project and goes to it, or shows the form again.
pub(crate) async fn create_project(
    State(app): State<App>,
    visit: Visit,
    Form(form): Form<CreateForm>,
) -> Answer<Response> {
    let creator = visit.caller.signed_in()?.user;
    let created = match draft(&form) {
        Ok(draft) => accounts::create(&app, creator, draft).await,
        Err(error) => Err(error),
    };
    let error = match created {
        Ok(project) => return Ok(Redirect::to(&format!("/{}", project.full_path)).into_response()),
        Err(error) => error,
    };
    let problem = typed_wrong(error)?;
    let shown = ProjectForm {
        visibility: form.visibility.parse().unwrap_or(Visibility::Private),
        name: form.name,
        path: form.path,
        description: form.description,
    };
    let page = form_page(&app, &visit, shown, Some(problem)).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Page(page)).into_response())
}

fn draft(form: &CreateForm) -> Result<Draft> {
    let path = form.path.trim();
    Ok(Draft {
        name: form.name.parse::<ProjectName>()?,
        path: if path.is_empty() { None } else { Some(path.parse::<ProjectPath>()?) },
        description: form.description.trim().to_owned(),
        visibility: form.visibility.parse()?,
    })
}

async fn form_page(
    app: &App,
    visit: &Visit,
    form: ProjectForm,
    problem: Option<String>,
) -> Result<NewProjectPage> {
    let user = visit.caller.signed_in()?.user;
    let namespace = app.db.read(move |tx| namespaces::find_of_user(tx, user)).await?;
    let mut shell = visit.shell("New project");
    shell.crumbs.insert(0, Crumb::link("Projects", "/"));
    let namespace = namespace.map(|namespace| namespace.full_path).unwrap_or_default();
    Ok(NewProjectPage { shell, namespace, form, problem })
}
