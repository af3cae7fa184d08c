//! The whole URL table of the pages, in one place.

use axum::Router;
use axum::extract::Request;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use modelry_core::policy::Action::{
    ManageMembers, ManageSettings, MoveProtectedAliases, Purge, ReadExperiments, ReadMembers, ReadModels,
    ReadProject, WriteModels,
};
use modelry_server::App;
use modelry_server::mlflow::PREFIX;
use modelry_server::router::{api, unknown};
use modelry_server::table::Guard::{Administrator, Anyone, Project, Public, SignedIn};
use modelry_server::table::{Csrf, Route, Table};
use tower::ServiceExt as _;

use crate::pages::{
    artifacts, candidate, charts, compare, experiment, experiments, members, mlflow_links, models, packages,
    password, project, projects, settings, sign_in, tokens, users, words,
};
use crate::{address, answer, assets};

/// Every address that the server answers: the API's and the pages'.
pub fn router(app: &App) -> Router {
    let (api, _) = api(app);
    let (site, _) = site(app).finish();
    let (of_projects, _) = of_models(of_projects(app)).finish();
    let of_projects = of_projects.fallback(no_page).method_not_allowed_fallback(no_page);
    let fallback = Fallback { of_projects: of_projects.with_state(app.clone()) };
    let pages = site
        .method_not_allowed_fallback(no_page)
        .fallback(move |request| beside_the_table(fallback.clone(), request))
        .layer(from_fn_with_state(app.clone(), answer::surround));
    api.merge(pages).route("/assets/{*path}", get(assets::serve)).with_state(app.clone())
}

/// The routes of the pages, for tests that walk them; those of a project start with `/{project}`.
pub fn routes(app: &App) -> Vec<Route> {
    let (_, mut routes) = site(app).finish();
    routes.extend(of_models(of_projects(app)).finish().1);
    routes
}

fn site(app: &App) -> Table {
    let tokens_page = "/-/user_settings/personal_access_tokens";
    Table::new(app.clone(), answer::render, Csrf::Form)
        .route(Method::GET, "/", Anyone, projects::list_projects)
        .route(Method::GET, "/projects/new", SignedIn, projects::new_project)
        .route(Method::POST, "/projects", SignedIn, projects::create_project)
        .route(Method::GET, "/users/sign_in", Anyone, sign_in::show_sign_in)
        .route(Method::POST, "/users/sign_in", Public, sign_in::sign_in)
        .route(Method::GET, "/users/sign_in/link/{secret}", Public, sign_in::show_link)
        .route(Method::POST, "/users/sign_in/link/{secret}", Public, sign_in::follow_link)
        .route(Method::POST, "/users/sign_out", SignedIn, sign_in::sign_out)
        .route(Method::GET, tokens_page, SignedIn, tokens::list_tokens)
        .route(Method::POST, tokens_page, SignedIn, tokens::create_token)
        .route(Method::POST, &format!("{tokens_page}/{{token}}/revoke"), SignedIn, tokens::revoke_token)
        .route(Method::GET, password::PAGE, SignedIn, password::show_password)
        .route(Method::POST, password::PAGE, SignedIn, password::change_password)
        .route(Method::GET, "/admin/users", Administrator, users::list_users)
        .route(Method::POST, "/admin/users", Administrator, users::create_user)
        .route(Method::POST, "/admin/users/{user}/block", Administrator, users::block_user)
        .route(Method::POST, "/admin/users/{user}/unblock", Administrator, users::unblock_user)
        .route(Method::GET, "/help/words", Anyone, words::show_words)
        .route(Method::GET, PREFIX, Project(ReadExperiments), mlflow_links::show_mlflow_links)
        .route(Method::GET, &format!("{PREFIX}/"), Project(ReadExperiments), mlflow_links::show_mlflow_links)
}

fn of_projects(app: &App) -> Table {
    let members_page = "/{project}/-/project_members";
    let page = "/{project}/-/ml/candidates/{candidate}";
    Table::new(app.clone(), answer::render, Csrf::Form)
        .route(Method::GET, "/{project}", Project(ReadProject), project::show_project)
        .route(Method::GET, "/{project}/edit", Project(ManageSettings), settings::show_settings)
        .route(Method::POST, "/{project}/edit", Project(ManageSettings), settings::change_settings)
        .route(Method::GET, members_page, Project(ReadMembers), members::list_members)
        .route(Method::POST, members_page, Project(ManageMembers), members::add_member)
        .route(
            Method::POST,
            &format!("{members_page}/{{user}}"),
            Project(ManageMembers),
            members::change_member,
        )
        .route(
            Method::POST,
            &format!("{members_page}/{{user}}/delete"),
            Project(ManageMembers),
            members::remove_member,
        )
        .route(
            Method::GET,
            "/{project}/-/ml/experiments",
            Project(ReadExperiments),
            experiments::list_experiments,
        )
        .route(
            Method::GET,
            "/{project}/-/ml/experiments/{experiment}",
            Project(ReadExperiments),
            experiment::show_experiment,
        )
        .route(
            Method::GET,
            "/{project}/-/ml/experiments/{experiment}/table",
            Project(ReadExperiments),
            experiment::show_table,
        )
        .route(
            Method::GET,
            "/{project}/-/ml/experiments/{experiment}/compare",
            Project(ReadExperiments),
            compare::compare_candidates,
        )
        .route(Method::GET, page, Project(ReadExperiments), candidate::show_candidate)
        .route(Method::GET, "/{project}/-/ml/picture", Project(ReadExperiments), charts::draw_picture)
        .route(Method::GET, &format!("{page}/artifacts"), Project(ReadExperiments), artifacts::show_top)
        .route(
            Method::GET,
            &format!("{page}/artifacts/{{*path}}"),
            Project(ReadExperiments),
            artifacts::show_artifact,
        )
        .route(Method::GET, "/{project}/-/ml/runs/{eid}", Project(ReadExperiments), candidate::find_run)
        .route(
            Method::GET,
            "/{project}/-/ml/logged_models/{eid}",
            Project(ReadExperiments),
            artifacts::find_logged_model,
        )
}

/// Adds the pages of the package registry and of the model registry.
fn of_models(table: Table) -> Table {
    let (read, write) = (Project(ReadModels), Project(WriteModels));
    let (protect, purge) = (Project(MoveProtectedAliases), Project(Purge));
    let list = "/{project}/-/ml/models";
    let model = "/{project}/-/ml/models/{model}";
    let promote = "/{project}/-/ml/candidates/{candidate}/promote";
    let below = |page: &str| format!("{model}/{page}");
    let version = |page: &str| format!("{model}/versions/{{version}}{page}");
    table
        .route(Method::GET, "/{project}/-/packages", read, packages::list_packages)
        .route(Method::GET, list, read, models::list::list_models)
        .route(Method::POST, list, write, models::list::create_model)
        .route(Method::GET, &format!("{list}/new"), write, models::list::show_form)
        .route(Method::GET, model, read, models::model::show_model)
        .route(Method::GET, &below("edit"), write, models::edit::edit_model)
        .route(Method::POST, &below("edit"), write, models::edit::change_model)
        .route(Method::GET, &below("delete"), write, models::delete::ask_about_model)
        .route(Method::POST, &below("delete"), write, models::delete::delete_model)
        .route(Method::GET, &format!("{list}/bin"), write, models::bin::show_models)
        .route(Method::POST, &below("restore"), write, models::bin::restore_model)
        .route(Method::POST, &below("purge"), purge, models::bin::purge_model)
        .route(Method::POST, &below("aliases/protect"), protect, models::aliases::protect_alias)
        .route(Method::POST, &below("aliases/roll_back"), write, models::aliases::roll_back)
        .route(Method::GET, &below("compare"), read, models::compare::compare_versions)
        .route(Method::GET, &below("versions/new"), write, models::new_version::show_form)
        .route(Method::POST, &below("versions"), write, models::new_version::create)
        .route(Method::GET, &version(""), read, models::version::show_version)
        .route(Method::GET, &version("/artifacts"), read, models::files::show_top)
        .route(Method::GET, &version("/artifacts/{*path}"), read, models::files::show_file)
        .route(Method::GET, &version("/edit"), write, models::change::edit_description)
        .route(Method::POST, &version("/edit"), write, models::change::set_description)
        .route(Method::POST, &version("/publish"), write, models::change::publish)
        .route(Method::POST, &version("/alias"), write, models::change::set_alias)
        .route(Method::POST, &version("/alias/delete"), write, models::change::delete_alias)
        .route(Method::POST, &version("/stage"), write, models::change::set_stage)
        .route(Method::POST, &version("/advice"), write, models::change::set_advice)
        .route(Method::GET, &version("/delete"), write, models::delete::ask_about_version)
        .route(Method::POST, &version("/delete"), write, models::delete::delete_version)
        .route(Method::GET, &below("versions/bin"), write, models::bin::show_versions)
        .route(Method::POST, &version("/restore"), write, models::bin::restore_version)
        .route(Method::POST, &version("/purge"), purge, models::bin::purge_version)
        .route(Method::GET, promote, write, models::promote::show_form)
        .route(Method::POST, promote, write, models::promote::promote)
}

/// Where an address goes that is in no table of the site's own.
#[derive(Clone)]
struct Fallback {
    of_projects: Router,
}

async fn beside_the_table(fallback: Fallback, mut request: Request) -> Response {
    if request.uri().path().starts_with("/api/") {
        return unknown(request).await;
    }
    let Some(inner) = address::of_project(request.uri()) else { return no_page().await };
    *request.uri_mut() = inner;
    match fallback.of_projects.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

async fn no_page() -> Response {
    answer::no_such_page().into_response()
}
