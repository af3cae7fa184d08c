//! The description of the API, made from its handlers and served at `/api/openapi.json`.

use axum::response::{IntoResponse, Response};
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, Ref, ResponseBuilder};
use utoipa::{Modify, OpenApi, ToSchema as _};

use super::{
    aliases, bin, candidate_export, candidate_files, candidate_log, candidate_search, candidates, columns,
    datasets, experiments, files, lineage, logged_models, members, models, packages, projects, series,
    tokens, uploads, users, versions,
};
use crate::error::ProblemBody;
use crate::extract::Json;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Modelry",
        version = "v4",
        description = "The native REST API. MLflow clients use the MLflow protocol below \
                       `/api/v4/projects/{project}/ml/mlflow` instead.\n\nLists are paged: follow the header `Link`. \
                       Times are milliseconds since 1970. Errors are RFC 9457 problem details, whose `type` is one of \
                       `invalid`, `unauthenticated`, `forbidden`, `not-found`, `already-exists`, `conflict`, \
                       `too-large`, `rate-limited`, `not-offered`, `unavailable` and `internal`. What the caller may \
                       not see answers exactly like what does not exist.",
    ),
    paths(
        projects::list_projects,
        projects::create_project,
        projects::get_project,
        projects::update_project,
        members::list_members,
        members::add_member,
        members::update_member,
        members::remove_member,
        users::get_current_user,
        users::list_users,
        users::create_user,
        users::update_user,
        models::list_models,
        models::create_model,
        models::get_model,
        models::update_model,
        models::delete_model,
        models::restore_model,
        versions::list_versions,
        versions::create_version,
        versions::get_version,
        versions::update_version,
        versions::delete_version,
        versions::restore_version,
        aliases::list_aliases,
        aliases::move_alias,
        aliases::remove_alias,
        aliases::list_moves,
        files::list_version_files,
        files::get_version_file,
        files::put_version_file,
        files::delete_version_file,
        files::get_version_manifest,
        files::get_version_archive,
        files::get_version_zip,
        packages::list_packages,
        packages::get_package,
        packages::delete_package,
        packages::list_package_files,
        packages::get_package_file,
        packages::put_package_file,
        bin::list_bin,
        bin::purge_from_bin,
        uploads::begin_upload,
        uploads::get_upload,
        uploads::put_upload,
        uploads::delete_upload,
        lineage::get_lineage,
        experiments::list_experiments,
        experiments::create_experiment,
        experiments::get_experiment,
        experiments::update_experiment,
        experiments::delete_experiment,
        experiments::list_deleted_experiments,
        experiments::restore_experiment,
        columns::list_columns,
        candidates::list_candidates,
        candidates::create_candidate,
        candidates::get_candidate,
        candidates::update_candidate,
        candidates::delete_candidate,
        candidates::restore_candidate,
        candidate_search::search_candidates,
        candidate_export::export_candidates,
        candidate_log::log_to_candidate,
        candidate_log::list_points,
        series::read_series,
        candidate_files::list_candidate_files,
        candidate_files::get_candidate_file,
        logged_models::list_logged_models,
        logged_models::get_logged_model,
        logged_models::update_logged_model,
        logged_models::delete_logged_model,
        datasets::list_datasets,
        datasets::get_dataset,
        datasets::list_dataset_candidates,
        tokens::list_tokens,
        tokens::create_token,
        tokens::revoke_token,
    ),
    tags(
        (name = "projects", description = "Projects hold experiments, candidates and their files"),
        (name = "members", description = "Who may do what in a project"),
        (name = "models", description = "Models, their versions, and the aliases that point at versions"),
        (name = "packages", description = "The files of versions and candidates"),
        (name = "uploads", description = "Uploads that are gone on with where they broke off"),
        (name = "bin", description = "What was deleted, until it is removed for good after a week"),
        (name = "lineage", description = "What things come from, and what came of them"),
        (name = "experiments", description = "Collections of comparable candidates"),
        (name = "candidates", description = "Candidates (MLflow's runs), and what is logged to them"),
        (name = "search", description = "Candidates with the columns asked for, and what can be asked for"),
        (name = "series", description = "Metrics of candidates as charts draw them"),
        (name = "logged models", description = "What candidates make before it is registered"),
        (name = "datasets", description = "What candidates used"),
        (name = "users", description = "Accounts"),
        (name = "tokens", description = "Personal access tokens"),
    ),
    components(schemas(ProblemBody)),
    modifiers(&Credentials, &Problems),
    security((), ("bearer" = []), ("private_token" = [])),
)]
struct Description;

/// How a request says who sends it.
struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let header = ApiKey::Header(ApiKeyValue::new("PRIVATE-TOKEN"));
        components.add_security_scheme("private_token", SecurityScheme::ApiKey(header));
    }
}

/// What every operation answers when it does not succeed.
struct Problems;

impl Modify for Problems {
    fn modify(&self, document: &mut Document) {
        let problem = Content::new(Some(Ref::from_schema_name(ProblemBody::name())));
        let response = ResponseBuilder::new()
            .description("A problem")
            .content("application/problem+json", problem)
            .build();
        for path in document.paths.paths.values_mut() {
            let operations =
                [&mut path.get, &mut path.post, &mut path.put, &mut path.patch, &mut path.delete];
            for operation in operations.into_iter().flatten() {
                operation.responses.responses.insert("default".to_owned(), response.clone().into());
            }
        }
    }
}

/// The description of the native API.
pub fn description() -> Document {
    Description::openapi()
}

/// Answers the description.
pub(super) async fn get_description() -> Response {
    Json(description()).into_response()
}
