//! Models.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use modelry_core::ids::{ModelId, ProjectId};
use modelry_core::names::ModelName;
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::models::{self, Model, ModelKind, Summary};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::number;
use super::page::{self, Page, Place};
use super::version_views::VersionName;
use crate::App;
use crate::access::Granted;
use crate::error::Problem;
use crate::extract::{Json, Path, Query};
use crate::registry::{self, check_description, check_metadata, new_model};

/// A model.
#[derive(Serialize, ToSchema)]
#[schema(as = Model)]
pub(super) struct ModelView {
    /// Its number in the project.
    id: i64,
    /// Its name, unique among the project's active models.
    name: String,
    /// The model card, in Markdown.
    description: String,
    /// Metadata (MLflow's tags).
    metadata: BTreeMap<String, String>,
    /// The number of its default experiment.
    experiment_id: Option<i64>,
    /// The version that `latest` means now.
    latest: Option<VersionName>,
    /// How many versions it has, drafts included.
    versions: i64,
    /// When it was made, in milliseconds since 1970.
    created_at: i64,
    /// When it changed last, in milliseconds since 1970.
    updated_at: i64,
    /// When it was put into the bin, in milliseconds since 1970.
    deleted_at: Option<i64>,
}

impl ModelView {
    fn read(tx: &mut Tx<'_>, project: ProjectId, model: Model) -> Result<Self> {
        let summary = Summary {
            versions: models::count_versions(tx, project, model.id)?,
            latest: models::find_latest(tx, project, &model)?,
            model,
            creator: None,
        };
        Ok(Self::read_all(tx, project, vec![summary])?.pop().expect("there is a view of each model"))
    }

    fn read_all(tx: &mut Tx<'_>, project: ProjectId, models: Vec<Summary>) -> Result<Vec<Self>> {
        let ids: Vec<ModelId> = models.iter().map(|summary| summary.model.id).collect();
        let mut metadata = models::metadata(tx, project, &ids)?;
        let view = |summary: Summary| {
            let Summary { model, versions, latest, .. } = summary;
            Self {
                metadata: metadata.remove(&model.id).unwrap_or_default().into_iter().collect(),
                id: model.id.0,
                name: model.name,
                description: model.description,
                experiment_id: model.experiment_id.map(|id| id.0),
                latest: latest.as_ref().map(VersionName::from),
                versions,
                created_at: model.created_at.ms(),
                updated_at: model.updated_at.ms(),
                deleted_at: model.deleted_at.map(Timestamp::ms),
            }
        };
        Ok(models.into_iter().map(view).collect())
    }
}

/// The model of this name, prompts left out: they are no models.
pub(super) fn get(tx: &mut Tx<'_>, project: ProjectId, name: &str) -> Result<Model> {
    match models::find_by_name(tx, project, name)? {
        Some(model) if model.kind == ModelKind::Model => Ok(model),
        _ => Err(Error::not_found(format!("there is no model {name}"))),
    }
}

/// Which models to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListModels {
    /// A part of the name, in any case.
    search: Option<String>,
    /// How many models a page has, 1 to 100; 20 when it is not said.
    per_page: Option<i64>,
    /// The number of the model after which the page starts.
    after: Option<i64>,
}

/// List a project's models, the newest first.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/models", tag = "models",
    params(("project" = String, Path, description = "Number, or URL-encoded full path"), ListModels),
    responses(
        (
            status = 200, description = "A page of models", body = [ModelView],
            headers(("Link" = String, description = "The next page, `rel=\"next\"`")),
        ),
    )
)]
pub(super) async fn list_models(
    State(app): State<App>,
    granted: Granted,
    uri: Uri,
    headers: HeaderMap,
    Query(query): Query<ListModels>,
) -> Result<Page<ModelView>, Problem> {
    let (project, size) = (granted.project(), page::size(query.per_page)?);
    let (part, after) = (query.search.unwrap_or_default(), query.after.map(ModelId));
    let rows = app.db.read(move |tx| {
        let rows = models::list_summaries(tx, project, &part, after, size + 1)?;
        ModelView::read_all(tx, project, rows)
    });
    let place = Place { app: &app, headers: &headers, uri: &uri };
    Ok(Page::new(&place, rows.await?, size, |row| row.id, |row| row)?)
}

/// A model to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateModel {
    /// Its name: not blank, without `/` and `:`.
    name: String,
    /// The model card, in Markdown.
    description: Option<String>,
    /// Metadata to start with.
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

/// Make a model, and its default experiment, or adopt the experiment of its name.
#[utoipa::path(
    post, path = "/api/v4/projects/{project}/models", tag = "models", request_body = CreateModel,
    params(("project" = String, Path, description = "Number, or URL-encoded full path")),
    responses((status = 201, description = "The model", body = ModelView))
)]
pub(super) async fn create_model(
    State(app): State<App>,
    granted: Granted,
    Json(body): Json<CreateModel>,
) -> Result<(StatusCode, Json<ModelView>), Problem> {
    let project = granted.project();
    let name: ModelName = body.name.parse()?;
    let description = body.description.unwrap_or_default();
    let metadata = body.metadata.into_iter().collect();
    let new = new_model(&app, &granted, (name, ModelKind::Model), description, metadata).await?;
    let view = app.db.write(move |tx| {
        let model = models::insert(tx, project, &new)?;
        ModelView::read(tx, project, model)
    });
    Ok((StatusCode::CREATED, Json(view.await?)))
}

/// Tell a model.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/models/{model}", tag = "models",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model" = String, Path, description = "Name, URL-encoded"),
    ),
    responses((status = 200, description = "The model", body = ModelView))
)]
pub(super) async fn get_model(
    State(app): State<App>,
    granted: Granted,
    Path((_, name)): Path<(String, String)>,
) -> Result<Json<ModelView>, Problem> {
    let project = granted.project();
    let view = app.db.read(move |tx| {
        let model = get(tx, project, &name)?;
        ModelView::read(tx, project, model)
    });
    Ok(Json(view.await?))
}

/// What is to change of a model.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateModel {
    /// Its new name; its default experiment is renamed with it.
    name: Option<String>,
    /// Its new model card.
    description: Option<String>,
    /// Metadata to set; `null` removes a key.
    #[serde(default)]
    metadata: BTreeMap<String, Option<String>>,
}

/// Change a model.
#[utoipa::path(
    patch, path = "/api/v4/projects/{project}/models/{model}", tag = "models", request_body = UpdateModel,
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model" = String, Path, description = "Name, URL-encoded"),
    ),
    responses((status = 200, description = "The model", body = ModelView))
)]
pub(super) async fn update_model(
    State(app): State<App>,
    granted: Granted,
    Path((_, name)): Path<(String, String)>,
    Json(body): Json<UpdateModel>,
) -> Result<Json<ModelView>, Problem> {
    let (project, now) = (granted.project(), app.clock.now());
    let new_name: Option<ModelName> = body.name.map(|name| name.parse()).transpose()?;
    check_description(body.description.as_deref().unwrap_or_default())?;
    for (key, value) in &body.metadata {
        check_metadata(key, value.as_deref().unwrap_or_default())?;
    }
    let view = app.db.write(move |tx| {
        let mut model = get(tx, project, &name)?;
        if let Some(description) = &body.description {
            model = models::set_description(tx, project, &model.name, description, now)?;
        }
        for (key, value) in &body.metadata {
            match value {
                Some(value) => models::set_metadata(tx, project, model.id, (key, value), now)?,
                None => models::delete_metadata(tx, project, model.id, key, now).map(drop)?,
            }
        }
        if let Some(new_name) = &new_name {
            model = models::rename(tx, project, &model.name, new_name, now)?;
        }
        ModelView::read(tx, project, model)
    });
    Ok(Json(view.await?))
}

/// Put a model with its versions into the bin, from which it can be restored.
#[utoipa::path(
    delete, path = "/api/v4/projects/{project}/models/{model}", tag = "models",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model" = String, Path, description = "Name, URL-encoded"),
    ),
    responses((status = 200, description = "The model as it is in the bin", body = ModelView))
)]
pub(super) async fn delete_model(
    State(app): State<App>,
    granted: Granted,
    Path((_, name)): Path<(String, String)>,
) -> Result<Json<ModelView>, Problem> {
    let (project, mover) = (granted.project(), registry::mover(&app, &granted, String::new())?);
    let view = app.db.write(move |tx| {
        let model = get(tx, project, &name)?;
        let view = ModelView::read(tx, project, model.clone())?;
        registry::delete_model(tx, project, &model, &mover)?;
        Ok(ModelView { deleted_at: Some(mover.now.ms()), updated_at: mover.now.ms(), ..view })
    });
    Ok(Json(view.await?))
}

/// Take a model with its versions out of the bin.
#[utoipa::path(
    post, path = "/api/v4/projects/{project}/deleted_models/{model_id}/restore", tag = "models",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model_id" = i64, Path, description = "Number of the model"),
    ),
    responses((status = 200, description = "The model", body = ModelView))
)]
pub(super) async fn restore_model(
    State(app): State<App>,
    granted: Granted,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<ModelView>, Problem> {
    let (project, now) = (granted.project(), app.clock.now());
    let id = ModelId(number(&id)?);
    let view = app.db.write(move |tx| {
        let model = models::restore(tx, project, id, now)?;
        ModelView::read(tx, project, model)
    });
    Ok(Json(view.await?))
}
