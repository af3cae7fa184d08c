//! The native REST API under `/api/v4`, and its description at `/api/openapi.json`.
//!
//! Lists are JSON arrays, paged by key: the header `Link` with `rel="next"` names the next page. Times are
//! milliseconds since 1970. Errors are RFC 9457 problem details.

mod aliases;
mod bin;
mod candidate_export;
mod candidate_files;
mod candidate_log;
mod candidate_search;
mod candidate_views;
mod candidates;
mod columns;
mod datasets;
mod experiments;
mod files;
mod lineage;
mod logged_models;
mod members;
mod models;
mod openapi;
mod packages;
mod page;
mod place;
mod projects;
mod series;
mod series_views;
mod stored;
mod tokens;
mod uploads;
mod users;
mod version_origin;
mod version_views;
mod versions;
mod words;

use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Response};
use modelry_core::policy::{Action, Doing};
use modelry_core::{Error, Result};

use crate::App;
use crate::error::Problem;
use crate::naming::Naming;
use crate::table::{Csrf, Guard, Table};

pub use openapi::description;

/// The native API's part of the URL table.
pub fn table(app: &App) -> Table {
    bin(uploads(tracking(packages(registry(accounts(app))))))
}

/// Users, tokens, projects and members.
fn accounts(app: &App) -> Table {
    use Action::{ManageMembers, ManageSettings, ReadMembers, ReadProject};
    use Guard::{Administrator, Anyone, Project, Public, SignedIn};

    Table::new(app.clone(), render, Csrf::Header)
        .route(Method::GET, "/api/openapi.json", Public, openapi::get_description)
        .route(Method::GET, "/api/v4/projects", Anyone, projects::list_projects)
        .route(Method::POST, "/api/v4/projects", SignedIn, projects::create_project)
        .route(Method::GET, "/api/v4/projects/{project}", Project(ReadProject), projects::get_project)
        .route(Method::PUT, "/api/v4/projects/{project}", Project(ManageSettings), projects::update_project)
        .route(Method::GET, "/api/v4/projects/{project}/members", Project(ReadMembers), members::list_members)
        .route(
            Method::POST,
            "/api/v4/projects/{project}/members",
            Project(ManageMembers),
            members::add_member,
        )
        .route(
            Method::PUT,
            "/api/v4/projects/{project}/members/{user_id}",
            Project(ManageMembers),
            members::update_member,
        )
        .route(
            Method::DELETE,
            "/api/v4/projects/{project}/members/{user_id}",
            Project(ManageMembers),
            members::remove_member,
        )
        .route(Method::GET, "/api/v4/users", Administrator, users::list_users)
        .route(Method::POST, "/api/v4/users", Administrator, users::create_user)
        .route(Method::PUT, "/api/v4/users/{user_id}", Administrator, users::update_user)
        .route(Method::GET, "/api/v4/user", SignedIn, users::get_current_user)
        .route(Method::GET, "/api/v4/personal_access_tokens", SignedIn, tokens::list_tokens)
        .route(Method::POST, "/api/v4/personal_access_tokens", SignedIn, tokens::create_token)
        .route(Method::DELETE, "/api/v4/personal_access_tokens/{token_id}", SignedIn, tokens::revoke_token)
}

/// Models, versions, aliases, their files and lineage.
fn registry(table: Table) -> Table {
    let read = Guard::Project(Action::ReadModels);
    let write = Guard::Project(Action::WriteModels);
    let models = "/api/v4/projects/{project}/models";
    let model = &format!("{models}/{{model}}");
    let versions = &format!("{model}/versions");
    let version = &format!("{versions}/{{version}}");
    let alias = &format!("{model}/aliases/{{alias}}");
    let bin = "/api/v4/projects/{project}";
    table
        .route(Method::GET, models, read, models::list_models)
        .route(Method::POST, models, write, models::create_model)
        .route(Method::GET, model, read, models::get_model)
        .route(Method::PATCH, model, write, models::update_model)
        .route(Method::DELETE, model, write, models::delete_model)
        .route(
            Method::POST,
            &format!("{bin}/deleted_models/{{model_id}}/restore"),
            write,
            models::restore_model,
        )
        .route(Method::GET, versions, read, versions::list_versions)
        .route(Method::POST, versions, write, versions::create_version)
        .route(Method::GET, version, read, versions::get_version)
        .route(Method::PATCH, version, write, versions::update_version)
        .route(Method::DELETE, version, write, versions::delete_version)
        .route(
            Method::POST,
            &format!("{bin}/deleted_versions/{{version_id}}/restore"),
            write,
            versions::restore_version,
        )
        .route(Method::GET, &format!("{model}/aliases"), read, aliases::list_aliases)
        .route(Method::PUT, alias, write, aliases::move_alias)
        .route(Method::DELETE, alias, write, aliases::remove_alias)
        .route(Method::GET, &format!("{alias}/history"), read, aliases::list_moves)
        .route(Method::GET, &format!("{version}/files"), read, files::list_version_files)
        .route(Method::GET, &format!("{version}/files/{{*path}}"), read, files::get_version_file)
        .route(Method::PUT, &format!("{version}/files/{{*path}}"), write, files::put_version_file)
        .route(Method::DELETE, &format!("{version}/files/{{*path}}"), write, files::delete_version_file)
        .route(Method::GET, &format!("{version}/manifest"), read, files::get_version_manifest)
        .route(Method::GET, &format!("{version}/archive.tar"), read, files::get_version_archive)
        .route(Method::GET, &format!("{version}/archive.zip"), read, files::get_version_zip)
        .route(Method::GET, &format!("{bin}/lineage"), read, lineage::get_lineage)
}

/// Packages, and their files by GitLab's routes.
fn packages(table: Table) -> Table {
    let read = Guard::Named(Naming::Package, Doing::Reading);
    let write = Guard::Named(Naming::Package, Doing::Writing);
    let packages = "/api/v4/projects/{project}/packages";
    let package = &format!("{packages}/ml_models/{{package}}");
    let file = &format!("{package}/files/{{*path}}");
    table
        .route(Method::GET, packages, Guard::Either(Doing::Reading), packages::list_packages)
        .route(Method::GET, package, read, packages::get_package)
        .route(Method::DELETE, package, write, packages::delete_package)
        .route(Method::GET, &format!("{package}/files"), read, packages::list_package_files)
        .route(Method::GET, file, read, packages::get_package_file)
        .route(Method::PUT, file, write, packages::put_package_file)
}

/// Uploads that take more than one request.
fn uploads(table: Table) -> Table {
    let write = Guard::Either(Doing::Writing);
    let uploads = "/api/v4/projects/{project}/uploads";
    let upload = &format!("{uploads}/{{upload}}");
    table
        .route(Method::POST, uploads, write, uploads::begin_upload)
        .route(Method::GET, upload, write, uploads::get_upload)
        .route(Method::PUT, upload, write, uploads::put_upload)
        .route(Method::DELETE, upload, write, uploads::delete_upload)
}

/// What is in the bin.
fn bin(table: Table) -> Table {
    let bin = "/api/v4/projects/{project}/bin/{kind}";
    let read = Guard::Named(Naming::InBin, Doing::Reading);
    table.route(Method::GET, bin, read, bin::list_bin).route(
        Method::DELETE,
        &format!("{bin}/{{id}}"),
        Guard::Project(Action::Purge),
        bin::purge_from_bin,
    )
}

/// Experiments, candidates, logged models and datasets.
fn tracking(table: Table) -> Table {
    let read = Guard::Project(Action::ReadExperiments);
    let write = Guard::Project(Action::WriteExperiments);
    let project = "/api/v4/projects/{project}";
    let experiments = &format!("{project}/experiments");
    let experiment = &format!("{experiments}/{{experiment}}");
    let deleted = &format!("{project}/deleted_experiments");
    let candidates = &format!("{experiment}/candidates");
    let candidate = &format!("{project}/candidates/{{candidate}}");
    let restore_candidate = &format!("{project}/deleted_candidates/{{candidate}}/restore");
    let model = &format!("{project}/logged_models/{{model_id}}");
    let dataset = &format!("{project}/datasets/{{dataset}}");
    table
        .route(Method::GET, experiments, read, experiments::list_experiments)
        .route(Method::POST, experiments, write, experiments::create_experiment)
        .route(Method::GET, experiment, read, experiments::get_experiment)
        .route(Method::PATCH, experiment, write, experiments::update_experiment)
        .route(Method::DELETE, experiment, write, experiments::delete_experiment)
        .route(Method::GET, deleted, read, experiments::list_deleted_experiments)
        .route(
            Method::POST,
            &format!("{deleted}/{{experiment}}/restore"),
            write,
            experiments::restore_experiment,
        )
        .route(Method::GET, candidates, read, candidates::list_candidates)
        .route(Method::POST, candidates, write, candidates::create_candidate)
        .route(Method::GET, &format!("{candidates}.csv"), read, candidate_export::export_candidates)
        .route(Method::GET, &format!("{experiment}/columns"), read, columns::list_columns)
        .route(
            Method::POST,
            &format!("{project}/candidates/search"),
            read,
            candidate_search::search_candidates,
        )
        .route(Method::GET, candidate, read, candidates::get_candidate)
        .route(Method::PATCH, candidate, write, candidates::update_candidate)
        .route(Method::DELETE, candidate, write, candidates::delete_candidate)
        .route(Method::POST, restore_candidate, write, candidates::restore_candidate)
        .route(Method::POST, &format!("{candidate}/log"), write, candidate_log::log_to_candidate)
        .route(Method::GET, &format!("{candidate}/metrics/{{key}}/history"), read, candidate_log::list_points)
        .route(Method::POST, &format!("{project}/series"), read, series::read_series)
        .route(Method::GET, &format!("{candidate}/files"), read, candidate_files::list_candidate_files)
        .route(
            Method::GET,
            &format!("{candidate}/files/{{*path}}"),
            read,
            candidate_files::get_candidate_file,
        )
        .route(Method::GET, &format!("{experiment}/logged_models"), read, logged_models::list_logged_models)
        .route(Method::GET, model, read, logged_models::get_logged_model)
        .route(Method::PATCH, model, write, logged_models::update_logged_model)
        .route(Method::DELETE, model, write, logged_models::delete_logged_model)
        .route(Method::GET, &format!("{experiment}/datasets"), read, datasets::list_datasets)
        .route(Method::GET, dataset, read, datasets::get_dataset)
        .route(Method::GET, &format!("{dataset}/candidates"), read, datasets::list_dataset_candidates)
}

/// Tells an error that a guard found.
pub(crate) fn render(_: &App, _: &HeaderMap, error: Error) -> Response {
    Problem(error).into_response()
}

/// The answer to a path that the API does not have.
pub(crate) fn not_found(path: &str) -> Response {
    Problem(Error::not_found(format!("there is nothing at {path}"))).into_response()
}

/// Reads a number that a path names a thing by. Fails with `NotFound`, as there is no such thing.
fn number(text: &str) -> Result<i64> {
    text.parse().map_err(|_| Error::not_found(format!("`{text}` is not a number")))
}
