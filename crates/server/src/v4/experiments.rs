//! Experiments.

use std::collections::{BTreeMap, HashMap};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use modelry_core::ids::{ExperimentId, ProjectId};
use modelry_core::names::ExperimentName;
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::experiments::{self, Experiment};
use modelry_store::ids::Series;
use modelry_store::models;
use modelry_store::search::View;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::number;
use super::page::{self, Page, Place};
use crate::App;
use crate::access::Granted;
use crate::error::Problem;
use crate::extract::{Json, Path, Query};
use crate::tracking::limits::{check_count, check_experiment_tag};

/// Metadata that one request brings.
const METADATA: usize = 100;

/// An experiment.
#[derive(Serialize, ToSchema)]
#[schema(as = Experiment)]
pub(super) struct ExperimentView {
    /// Its number in the project; 0 is `Default`.
    id: i64,
    /// Its name, unique among the project's active experiments.
    name: String,
    /// Metadata (MLflow's tags).
    metadata: BTreeMap<String, String>,
    /// The model that it is the default experiment of.
    model: Option<String>,
    /// When it was made, in milliseconds since 1970.
    created_at: i64,
    /// When it changed last, in milliseconds since 1970.
    updated_at: i64,
    /// When it was put into the bin, in milliseconds since 1970.
    deleted_at: Option<i64>,
}

impl ExperimentView {
    fn read(tx: &mut Tx<'_>, project: ProjectId, id: ExperimentId) -> Result<Self> {
        let experiment = get(tx, project, id)?;
        Ok(Self::read_all(tx, project, vec![experiment])?.pop().expect("there is a view of each experiment"))
    }

    fn read_all(tx: &mut Tx<'_>, project: ProjectId, found: Vec<Experiment>) -> Result<Vec<Self>> {
        let mut metadata = experiments::metadata(tx, project, found.iter().map(|experiment| experiment.id))?;
        let mut models = HashMap::new();
        for experiment in &found {
            models.insert(experiment.id, models::of_experiment(tx, project, experiment.id)?);
        }
        let view = |experiment: Experiment| Self {
            id: experiment.id.0,
            metadata: metadata.remove(&experiment.id).unwrap_or_default().into_iter().collect(),
            model: models.remove(&experiment.id).flatten(),
            name: experiment.name,
            created_at: experiment.created_at.ms(),
            updated_at: experiment.updated_at.ms(),
            deleted_at: experiment.deleted_at.map(Timestamp::ms),
        };
        Ok(found.into_iter().map(view).collect())
    }
}

/// The experiment of this number, in the bin or not.
pub(super) fn get(tx: &mut Tx<'_>, project: ProjectId, id: ExperimentId) -> Result<Experiment> {
    experiments::find(tx, project, id)?
        .ok_or_else(|| Error::not_found(format!("there is no experiment {id}")))
}

/// Reads the number of an experiment in a path.
pub(super) fn id(text: &str) -> Result<ExperimentId> {
    number(text).map(ExperimentId)
}

/// Which experiments to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListExperiments {
    /// A part of the name, in any case.
    search: Option<String>,
    /// How many experiments a page has, 1 to 100; 20 when it is not said.
    per_page: Option<i64>,
    /// The number of the experiment after which the page starts.
    after: Option<i64>,
}

async fn list(
    app: &App,
    granted: &Granted,
    (uri, headers): (&Uri, &HeaderMap),
    query: ListExperiments,
    view: View,
) -> Result<Page<ExperimentView>, Problem> {
    let (project, size) = (granted.project(), page::size(query.per_page)?);
    let (part, after) = (query.search.unwrap_or_default(), query.after.map(ExperimentId));
    let rows = app.db.read(move |tx| {
        let rows = experiments::list(tx, project, (&part, view), after, size + 1)?;
        ExperimentView::read_all(tx, project, rows.into_iter().map(|(experiment, _)| experiment).collect())
    });
    let place = Place { app, headers, uri };
    Ok(Page::new(&place, rows.await?, size, |row| row.id, |row| row)?)
}

/// List a project's experiments, the newest first.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/experiments", tag = "experiments",
    params(("project" = String, Path, description = "Number, or URL-encoded full path"), ListExperiments),
    responses(
        (
            status = 200, description = "A page of experiments", body = [ExperimentView],
            headers(("Link" = String, description = "The next page, `rel=\"next\"`")),
        ),
    )
)]
pub(super) async fn list_experiments(
    State(app): State<App>,
    granted: Granted,
    uri: Uri,
    headers: HeaderMap,
    Query(query): Query<ListExperiments>,
) -> Result<Page<ExperimentView>, Problem> {
    list(&app, &granted, (&uri, &headers), query, View::Active).await
}

/// List a project's experiments that are in the bin, the newest first.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/deleted_experiments", tag = "experiments",
    params(("project" = String, Path, description = "Number, or URL-encoded full path"), ListExperiments),
    responses(
        (
            status = 200, description = "A page of experiments", body = [ExperimentView],
            headers(("Link" = String, description = "The next page, `rel=\"next\"`")),
        ),
    )
)]
pub(super) async fn list_deleted_experiments(
    State(app): State<App>,
    granted: Granted,
    uri: Uri,
    headers: HeaderMap,
    Query(query): Query<ListExperiments>,
) -> Result<Page<ExperimentView>, Problem> {
    list(&app, &granted, (&uri, &headers), query, View::Deleted).await
}

/// An experiment to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateExperiment {
    /// Its name: 1 to 500 characters.
    name: String,
    /// Metadata to start with.
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

/// Make an experiment.
#[utoipa::path(
    post, path = "/api/v4/projects/{project}/experiments", tag = "experiments", request_body = CreateExperiment,
    params(("project" = String, Path, description = "Number, or URL-encoded full path")),
    responses((status = 201, description = "The experiment", body = ExperimentView))
)]
pub(super) async fn create_experiment(
    State(app): State<App>,
    granted: Granted,
    Json(body): Json<CreateExperiment>,
) -> Result<(StatusCode, Json<ExperimentView>), Problem> {
    let (project, now) = (granted.project(), app.clock.now());
    let name: ExperimentName = body.name.parse()?;
    check_count("metadata", body.metadata.len(), METADATA)?;
    body.metadata.iter().try_for_each(|(key, value)| check_experiment_tag(key, value))?;
    let metadata: Vec<(String, String)> = body.metadata.into_iter().collect();
    let new = Experiment {
        id: ExperimentId(app.ids.next(project, Series::Experiment).await?),
        name: name.to_string(),
        artifact_location: None,
        creator_id: granted.access.user(),
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    let view = app.db.write(move |tx| {
        experiments::insert(tx, project, &new, &metadata)?;
        ExperimentView::read(tx, project, new.id)
    });
    Ok((StatusCode::CREATED, Json(view.await?)))
}

/// Tell an experiment, in the bin or not.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/experiments/{experiment}", tag = "experiments",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("experiment" = i64, Path, description = "Number of the experiment"),
    ),
    responses((status = 200, description = "The experiment", body = ExperimentView))
)]
pub(super) async fn get_experiment(
    State(app): State<App>,
    granted: Granted,
    Path((_, experiment)): Path<(String, String)>,
) -> Result<Json<ExperimentView>, Problem> {
    let (project, id) = (granted.project(), id(&experiment)?);
    Ok(Json(app.db.read(move |tx| ExperimentView::read(tx, project, id)).await?))
}

/// What is to change of an experiment.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateExperiment {
    /// Its new name. That of a model's default experiment changes with the model's alone.
    name: Option<String>,
    /// Metadata to set; `null` removes a key.
    #[serde(default)]
    metadata: BTreeMap<String, Option<String>>,
}

/// Change an experiment.
#[utoipa::path(
    patch, path = "/api/v4/projects/{project}/experiments/{experiment}", tag = "experiments",
    request_body = UpdateExperiment,
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("experiment" = i64, Path, description = "Number of the experiment"),
    ),
    responses((status = 200, description = "The experiment", body = ExperimentView))
)]
pub(super) async fn update_experiment(
    State(app): State<App>,
    granted: Granted,
    Path((_, experiment)): Path<(String, String)>,
    Json(body): Json<UpdateExperiment>,
) -> Result<Json<ExperimentView>, Problem> {
    let (project, now, id) = (granted.project(), app.clock.now(), id(&experiment)?);
    let name: Option<ExperimentName> = body.name.map(|name| name.parse()).transpose()?;
    check_count("metadata", body.metadata.len(), METADATA)?;
    for (key, value) in &body.metadata {
        check_experiment_tag(key, value.as_deref().unwrap_or_default())?;
    }
    let view = app.db.write(move |tx| {
        get(tx, project, id)?.require_active()?;
        for (key, value) in &body.metadata {
            match value {
                Some(value) => experiments::set_metadata(tx, project, id, key, value, now)?,
                None => experiments::delete_metadata(tx, project, id, key, now).map(drop)?,
            }
        }
        if let Some(name) = &name {
            experiments::rename(tx, project, id, name.as_str(), now)?;
        }
        ExperimentView::read(tx, project, id)
    });
    Ok(Json(view.await?))
}

/// Put an experiment with its candidates into the bin, from which it can be restored.
#[utoipa::path(
    delete, path = "/api/v4/projects/{project}/experiments/{experiment}", tag = "experiments",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("experiment" = i64, Path, description = "Number of the experiment"),
    ),
    responses((status = 200, description = "The experiment as it is in the bin", body = ExperimentView))
)]
pub(super) async fn delete_experiment(
    State(app): State<App>,
    granted: Granted,
    Path((_, experiment)): Path<(String, String)>,
) -> Result<Json<ExperimentView>, Problem> {
    let (project, now, id) = (granted.project(), app.clock.now(), id(&experiment)?);
    let view = app.db.write(move |tx| {
        experiments::delete(tx, project, id, now)?;
        ExperimentView::read(tx, project, id)
    });
    Ok(Json(view.await?))
}

/// Take an experiment with its candidates out of the bin.
#[utoipa::path(
    post, path = "/api/v4/projects/{project}/deleted_experiments/{experiment}/restore", tag = "experiments",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("experiment" = i64, Path, description = "Number of the experiment"),
    ),
    responses((status = 200, description = "The experiment", body = ExperimentView))
)]
pub(super) async fn restore_experiment(
    State(app): State<App>,
    granted: Granted,
    Path((_, experiment)): Path<(String, String)>,
) -> Result<Json<ExperimentView>, Problem> {
    let (project, now, id) = (granted.project(), app.clock.now(), id(&experiment)?);
    let view = app.db.write(move |tx| {
        experiments::restore(tx, project, id, now)?;
        ExperimentView::read(tx, project, id)
    });
    Ok(Json(view.await?))
}
