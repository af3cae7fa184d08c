//! Logged models: what candidates make before it is registered.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use modelry_core::Result;
use modelry_core::ids::{LoggedModelEid, LoggedModelId, ProjectId};
use modelry_core::time::Timestamp;
use modelry_db::Tx;
use modelry_store::logged_models::{self, Deleted, Details, LoggedModel, Metric};
use modelry_store::search::logged_models as search;
use modelry_store::versions;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::experiments::{get as get_experiment, id as experiment_id};
use super::page::{self, Page, Place};
use super::words::MetricValue;
use crate::App;
use crate::access::Granted;
use crate::error::Problem;
use crate::extract::{Json, Path, Query};
use crate::tracking::limits::{LOGGED_TEXTS, check_count, check_logged_text};

/// A logged model.
#[derive(Serialize, ToSchema)]
#[schema(as = LoggedModel)]
pub(super) struct LoggedModelView {
    /// Its public id, `m-` and 32 hex digits.
    model_id: String,
    /// Its name; models of an experiment may share one.
    name: String,
    /// The number of its experiment.
    experiment_id: i64,
    /// `pending` while its files are uploaded, `ready`, or `upload_failed`.
    status: String,
    /// What kind of model the client said it is; empty where it did not.
    model_type: String,
    /// The public id of the candidate that made it.
    run_id: Option<String>,
    /// Params.
    params: BTreeMap<String, String>,
    /// The latest value of each metric, in each candidate and dataset it was measured in.
    metrics: Vec<MeasuredView>,
    /// Metadata (MLflow's tags).
    metadata: BTreeMap<String, String>,
    /// The versions that were made from it.
    versions: Vec<MadeVersion>,
    /// When it was made, in milliseconds since 1970.
    created_at: i64,
    /// When it changed last, in milliseconds since 1970.
    updated_at: i64,
    /// When it was deleted, in milliseconds since 1970.
    deleted_at: Option<i64>,
}

/// A value that was measured of a logged model.
#[derive(Serialize, ToSchema)]
pub(super) struct MeasuredView {
    /// The key of the metric.
    key: String,
    /// The value.
    value: MetricValue,
    /// The step it was measured at.
    step: i64,
    /// When it was measured, in milliseconds since 1970.
    timestamp: i64,
    /// The public id of the candidate that measured it.
    run_id: String,
    /// The name of the dataset it was measured on; empty for none.
    dataset_name: String,
    /// The digest of that dataset; empty for none.
    dataset_digest: String,
}

impl From<Metric> for MeasuredView {
    fn from(metric: Metric) -> Self {
        Self {
            key: metric.name,
            value: MetricValue(metric.value),
            step: metric.step,
            timestamp: metric.timestamp,
            run_id: metric.candidate_eid,
            dataset_name: metric.dataset_name,
            dataset_digest: metric.dataset_digest,
        }
    }
}

/// A version that was made from a logged model.
#[derive(Serialize, ToSchema)]
pub(super) struct MadeVersion {
    /// The model's name.
    model: String,
    /// The sequence number of the version.
    number: i64,
}

impl LoggedModelView {
    fn read(tx: &mut Tx<'_>, project: ProjectId, model: LoggedModel) -> Result<Self> {
        Ok(Self::read_all(tx, project, vec![model])?.pop().expect("there is a view of each model"))
    }

    fn read_all(tx: &mut Tx<'_>, project: ProjectId, models: Vec<LoggedModel>) -> Result<Vec<Self>> {
        let ids: Vec<LoggedModelId> = models.iter().map(|model| model.id).collect();
        let eids: Vec<String> = models.iter().map(|model| model.eid.clone()).collect();
        let mut details = logged_models::details(tx, project, &ids)?;
        let mut versions = versions::of_logged_models(tx, project, &eids)?;
        let view = |model: LoggedModel| {
            let details = details.remove(&model.id).unwrap_or_default();
            let versions = versions.remove(&model.eid).unwrap_or_default();
            Self::new(model, details, versions)
        };
        Ok(models.into_iter().map(view).collect())
    }

    fn new(model: LoggedModel, details: Details, versions: Vec<(String, i64)>) -> Self {
        let status = model.status.as_str().to_lowercase();
        Self {
            status: status.trim_start_matches("logged_model_").to_owned(),
            model_id: model.eid,
            name: model.name,
            experiment_id: model.experiment_id.0,
            model_type: model.model_type,
            run_id: model.source_eid,
            params: details.params.into_iter().collect(),
            metrics: details.metrics.into_iter().map(MeasuredView::from).collect(),
            metadata: details.metadata.into_iter().collect(),
            versions: versions.into_iter().map(|(model, number)| MadeVersion { model, number }).collect(),
            created_at: model.created_at.ms(),
            updated_at: model.updated_at.ms(),
            deleted_at: model.deleted_at.map(Timestamp::ms),
        }
    }
}

/// Which logged models to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListLoggedModels {
    /// How many models a page has, 1 to 100; 20 when it is not said.
    per_page: Option<i64>,
    /// Where the page starts, as `Link` said.
    after: Option<String>,
}

/// List the logged models of an experiment, the newest first.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/experiments/{experiment}/logged_models", tag = "logged models",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("experiment" = i64, Path, description = "Number of the experiment"), ListLoggedModels,
    ),
    responses(
        (
            status = 200, description = "A page of logged models", body = [LoggedModelView],
            headers(("Link" = String, description = "The next page, `rel=\"next\"`")),
        ),
    )
)]
pub(super) async fn list_logged_models(
    State(app): State<App>,
    granted: Granted,
    uri: Uri,
    headers: HeaderMap,
    Path((_, experiment)): Path<(String, String)>,
    Query(query): Query<ListLoggedModels>,
) -> Result<Page<LoggedModelView>, Problem> {
    let (project, experiment) = (granted.project(), experiment_id(&experiment)?);
    let query = search::Query {
        experiments: vec![experiment],
        filter: None,
        datasets: Vec::new(),
        order: Vec::new(),
        limit: page::count(query.per_page)?,
        page_token: query.after,
    };
    let listed = app.db.read(move |tx| {
        get_experiment(tx, project, experiment)?;
        let page = search::page(tx, project, &query)?;
        Ok((LoggedModelView::read_all(tx, project, page.models)?, page.next_page_token))
    });
    let (views, next) = listed.await?;
    Ok(Page::with_next(&Place { app: &app, headers: &headers, uri: &uri }, views, next)?)
}

/// Tell a logged model.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/logged_models/{model_id}", tag = "logged models",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model_id" = String, Path, description = "Public id of the logged model"),
    ),
    responses((status = 200, description = "The logged model", body = LoggedModelView))
)]
pub(super) async fn get_logged_model(
    State(app): State<App>,
    granted: Granted,
    Path((_, model)): Path<(String, String)>,
) -> Result<Json<LoggedModelView>, Problem> {
    let (project, eid) = (granted.project(), model.parse::<LoggedModelEid>()?);
    let view = app.db.read(move |tx| {
        let model = logged_models::get(tx, project, &eid, Deleted::Hidden)?;
        LoggedModelView::read(tx, project, model)
    });
    Ok(Json(view.await?))
}

/// What is to change of a logged model.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateLoggedModel {
    /// Metadata to set; `null` removes a key.
    #[serde(default)]
    metadata: BTreeMap<String, Option<String>>,
}

/// Change the metadata of a logged model.
#[utoipa::path(
    patch, path = "/api/v4/projects/{project}/logged_models/{model_id}", tag = "logged models",
    request_body = UpdateLoggedModel,
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model_id" = String, Path, description = "Public id of the logged model"),
    ),
    responses((status = 200, description = "The logged model", body = LoggedModelView))
)]
pub(super) async fn update_logged_model(
    State(app): State<App>,
    granted: Granted,
    Path((_, model)): Path<(String, String)>,
    Json(body): Json<UpdateLoggedModel>,
) -> Result<Json<LoggedModelView>, Problem> {
    let (project, now, eid) = (granted.project(), app.clock.now(), model.parse::<LoggedModelEid>()?);
    check_count("metadata", body.metadata.len(), LOGGED_TEXTS)?;
    for (key, value) in &body.metadata {
        check_logged_text("metadata", key, value.as_deref().unwrap_or_default())?;
    }
    let mut set = Vec::new();
    let mut removed = Vec::new();
    for (key, value) in body.metadata {
        match value {
            Some(value) => set.push((key, value)),
            None => removed.push(key),
        }
    }
    let view = app.db.write(move |tx| {
        let model = logged_models::set_metadata(tx, project, &eid, &set, now)?;
        for key in &removed {
            logged_models::delete_metadata(tx, project, &eid, key, now)?;
        }
        LoggedModelView::read(tx, project, model)
    });
    Ok(Json(view.await?))
}

/// Delete a logged model. What was made from it stays.
#[utoipa::path(
    delete, path = "/api/v4/projects/{project}/logged_models/{model_id}", tag = "logged models",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model_id" = String, Path, description = "Public id of the logged model"),
    ),
    responses((status = 200, description = "The logged model that is deleted now", body = LoggedModelView))
)]
pub(super) async fn delete_logged_model(
    State(app): State<App>,
    granted: Granted,
    Path((_, model)): Path<(String, String)>,
) -> Result<Json<LoggedModelView>, Problem> {
    let (project, now, eid) = (granted.project(), app.clock.now(), model.parse::<LoggedModelEid>()?);
    let view = app.db.write(move |tx| {
        logged_models::get(tx, project, &eid, Deleted::Hidden)?;
        logged_models::delete(tx, project, &eid, now)?;
        let model = logged_models::get(tx, project, &eid, Deleted::Shown)?;
        LoggedModelView::read(tx, project, model)
    });
    Ok(Json(view.await?))
}
