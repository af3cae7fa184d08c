//! Versions of models.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use modelry_core::ids::VersionId;
use modelry_core::names::check_length;
use modelry_core::version::selector::{Selector, Target};
use modelry_core::version::stage::Stage;
use modelry_core::{Error, Result};
use modelry_store::versions::{self, Advice};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::models::get as get_model;
use super::number;
use super::page::{self, Page, Place};
use super::version_origin::CreateVersion;
use super::version_views::VersionView;
use crate::App;
use crate::access::Granted;
use crate::error::Problem;
use crate::extract::{Json, Path, Query};
use crate::registry::{check_all_metadata, check_description, check_metadata, mover, new_version};

/// Characters of a warning.
const WARNING: usize = 1_000;

/// Which versions to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListVersions {
    /// How many versions a page has, 1 to 100; 20 when it is not said.
    per_page: Option<i64>,
    /// The sequence number of the version after which the page starts.
    after: Option<i64>,
}

/// List a model's versions, the last made first.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/models/{model}/versions", tag = "models",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model" = String, Path, description = "Name, URL-encoded"), ListVersions,
    ),
    responses(
        (
            status = 200, description = "A page of versions", body = [VersionView],
            headers(("Link" = String, description = "The next page, `rel=\"next\"`")),
        ),
    )
)]
pub(super) async fn list_versions(
    State(app): State<App>,
    granted: Granted,
    uri: Uri,
    headers: HeaderMap,
    Path((_, model)): Path<(String, String)>,
    Query(query): Query<ListVersions>,
) -> Result<Page<VersionView>, Problem> {
    let (project, size) = (granted.project(), page::size(query.per_page)?);
    let rows = app.db.read(move |tx| {
        let model = get_model(tx, project, &model)?;
        let rows = versions::list_newest(tx, project, &model, query.after, size + 1)?;
        VersionView::read_all(tx, project, rows)
    });
    let place = Place { app: &app, headers: &headers, uri: &uri };
    Ok(Page::new(&place, rows.await?, size, |row| row.number, |row| row)?)
}

/// Make a version.
#[utoipa::path(
    post, path = "/api/v4/projects/{project}/models/{model}/versions", tag = "models",
    request_body = CreateVersion,
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model" = String, Path, description = "Name, URL-encoded"),
    ),
    responses((status = 201, description = "The version", body = VersionView))
)]
pub(super) async fn create_version(
    State(app): State<App>,
    granted: Granted,
    Path((_, model)): Path<(String, String)>,
    Json(body): Json<CreateVersion>,
) -> Result<(StatusCode, Json<VersionView>), Problem> {
    let project = granted.project();
    let (wish, origin) = (body.wish()?, body.source()?);
    let description = body.description.unwrap_or_default();
    check_description(&description)?;
    let metadata: Vec<(String, String)> = body.metadata.into_iter().collect();
    check_all_metadata(&metadata)?;
    let new = versions::NewVersion {
        description,
        wish,
        source: origin.text(),
        run_eid: body.run_id,
        logged_model_eid: body.logged_model_id,
        metadata,
        ..new_version(&app, &granted, model).await?
    };
    let made = app.db.write(move |tx| {
        get_model(tx, project, &new.model)?;
        let source = origin.look_up(tx, project)?;
        let version = versions::register(tx, project, &new, &source)?;
        VersionView::read_whole(tx, project, version)
    });
    Ok((StatusCode::CREATED, Json(made.await?)))
}

/// Tell a version.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/models/{model}/versions/{version}", tag = "models",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model" = String, Path, description = "Name, URL-encoded"),
        (
            "version" = String, Path,
            description = "Sequence number, semantic version, `latest`, requirement such as `^1`, stage or alias",
        ),
    ),
    responses((status = 200, description = "The version", body = VersionView))
)]
pub(super) async fn get_version(
    State(app): State<App>,
    granted: Granted,
    Path((_, model, version)): Path<(String, String, String)>,
) -> Result<Json<VersionView>, Problem> {
    let project = granted.project();
    let selector = Selector::after_slash(&version)?;
    let found = app.db.read(move |tx| {
        let model = get_model(tx, project, &model)?;
        let version = versions::resolve(tx, project, &model, &selector)?;
        VersionView::read_whole(tx, project, version)
    });
    Ok(Json(found.await?))
}

/// What is to change of a version.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateVersion {
    /// What is to be said of it.
    description: Option<String>,
    /// Its new stage: `None`, `Staging`, `Production` or `Archived`.
    stage: Option<String>,
    /// Metadata to set; `null` removes a key.
    #[serde(default)]
    metadata: BTreeMap<String, Option<String>>,
    /// `published` publishes a draft: its files do not change any more.
    state: Option<String>,
    /// `deprecated`, `yanked` (only who names it exactly finds it), or `fine`.
    advice: Option<String>,
    /// Why it is deprecated or yanked.
    warning: Option<String>,
}

/// Change a version.
#[utoipa::path(
    patch, path = "/api/v4/projects/{project}/models/{model}/versions/{version}", tag = "models",
    request_body = UpdateVersion,
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model" = String, Path, description = "Name, URL-encoded"),
        ("version" = String, Path, description = "Sequence number, or semantic version"),
    ),
    responses((status = 200, description = "The version", body = VersionView))
)]
pub(super) async fn update_version(
    State(app): State<App>,
    granted: Granted,
    Path((_, model, version)): Path<(String, String, String)>,
    Json(body): Json<UpdateVersion>,
) -> Result<Json<VersionView>, Problem> {
    let (project, now) = (granted.project(), app.clock.now());
    let target: Target = version.parse()?;
    check_description(body.description.as_deref().unwrap_or_default())?;
    for (key, value) in &body.metadata {
        check_metadata(key, value.as_deref().unwrap_or_default())?;
    }
    let stage: Option<Stage> = body.stage.map(|stage| stage.parse()).transpose()?;
    let advice = body.advice.as_deref().map(read_advice).transpose()?;
    let warning = body.warning.unwrap_or_default();
    check_length("warning", &warning, WARNING)?;
    if advice.is_none() && !warning.is_empty() {
        return Err(Error::invalid("`warning` goes with `advice`").into());
    }
    let publish = match body.state.as_deref() {
        None => false,
        Some("published") => true,
        Some(other) => {
            return Err(Error::invalid(format!("`state` is `published` or left out, not `{other}`")).into());
        }
    };
    let view = app.db.write(move |tx| {
        let model = get_model(tx, project, &model)?;
        let mut version = versions::get_target(tx, project, &model, &target)?;
        if let Some(description) = &body.description {
            version = versions::set_description(tx, project, version, description, now)?;
        }
        for (key, value) in &body.metadata {
            match value {
                Some(value) => versions::set_metadata(tx, project, &version, (key, value), now)?,
                None => versions::delete_metadata(tx, project, version.id, key, now).map(drop)?,
            }
        }
        if let Some(stage) = stage {
            version = versions::set_stage(tx, project, version, (stage, false), now)?;
        }
        if let Some(advice) = advice {
            version = versions::set_advice(tx, project, version, (advice, &warning), now)?;
        }
        if publish {
            version = versions::publish(tx, project, version, now)?;
        }
        VersionView::read(tx, project, version)
    });
    Ok(Json(view.await?))
}

fn read_advice(text: &str) -> Result<Advice> {
    match text {
        "fine" => Ok(Advice::Fine),
        "deprecated" => Ok(Advice::Deprecated),
        "yanked" => Ok(Advice::Yanked),
        other => Err(Error::invalid(format!("`advice` is `fine`, `deprecated` or `yanked`, not `{other}`"))),
    }
}

/// Put a version into the bin, from which it can be restored. Aliases that point at it are removed.
#[utoipa::path(
    delete, path = "/api/v4/projects/{project}/models/{model}/versions/{version}", tag = "models",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model" = String, Path, description = "Name, URL-encoded"),
        ("version" = String, Path, description = "Sequence number, or semantic version"),
    ),
    responses((status = 200, description = "The version that is in the bin now", body = VersionView))
)]
pub(super) async fn delete_version(
    State(app): State<App>,
    granted: Granted,
    Path((_, model, version)): Path<(String, String, String)>,
) -> Result<Json<VersionView>, Problem> {
    let (project, mover) = (granted.project(), mover(&app, &granted, "the version was deleted".into())?);
    let target: Target = version.parse()?;
    let view = app.db.write(move |tx| {
        let model = get_model(tx, project, &model)?;
        let version = versions::get_target(tx, project, &model, &target)?;
        let view = VersionView::read(tx, project, version.clone())?;
        versions::delete(tx, project, &version, &mover)?;
        Ok(view.deleted(mover.now))
    });
    Ok(Json(view.await?))
}

/// Take a version out of the bin.
#[utoipa::path(
    post, path = "/api/v4/projects/{project}/deleted_versions/{version_id}/restore", tag = "models",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("version_id" = i64, Path, description = "Number of the version in the project"),
    ),
    responses((status = 200, description = "The version", body = VersionView))
)]
pub(super) async fn restore_version(
    State(app): State<App>,
    granted: Granted,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<VersionView>, Problem> {
    let (project, now) = (granted.project(), app.clock.now());
    let id = VersionId(number(&id)?);
    let view = app.db.write(move |tx| {
        let version = versions::restore(tx, project, id, now)?;
        VersionView::read(tx, project, version)
    });
    Ok(Json(view.await?))
}
