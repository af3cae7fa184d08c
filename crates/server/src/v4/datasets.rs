//! Datasets, and the candidates that used them.

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use modelry_core::ids::{CandidateId, DatasetId};
use modelry_core::paging::{decode_token, encode_token};
use modelry_core::{Error, Result};
use modelry_store::datasets;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::experiments::{get as get_experiment, id as experiment_id};
use super::number;
use super::page::{self, Page, Place};
use crate::App;
use crate::access::Granted;
use crate::error::Problem;
use crate::extract::{Json, Path, Query};

/// A dataset of an experiment.
#[derive(Serialize, ToSchema)]
#[schema(as = ListedDataset)]
pub(super) struct ListedView {
    /// Its number in the project.
    id: i64,
    /// Its name.
    name: String,
    /// What tells its content from that of another of this name.
    digest: String,
    /// What kind of source it comes from.
    source_type: String,
}

/// Which datasets to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListDatasets {
    /// How many datasets a page has, 1 to 100; 20 when it is not said.
    per_page: Option<i64>,
    /// Where the page starts, as `Link` said.
    after: Option<String>,
}

/// List the datasets of an experiment, by name and digest.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/experiments/{experiment}/datasets", tag = "datasets",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("experiment" = i64, Path, description = "Number of the experiment"), ListDatasets,
    ),
    responses(
        (
            status = 200, description = "A page of datasets", body = [ListedView],
            headers(("Link" = String, description = "The next page, `rel=\"next\"`")),
        ),
    )
)]
pub(super) async fn list_datasets(
    State(app): State<App>,
    granted: Granted,
    uri: Uri,
    headers: HeaderMap,
    Path((_, experiment)): Path<(String, String)>,
    Query(query): Query<ListDatasets>,
) -> Result<Page<ListedView>, Problem> {
    let (project, experiment) = (granted.project(), experiment_id(&experiment)?);
    let size = page::size(query.per_page)?;
    let after: Option<(String, String)> = query.after.as_deref().map(decode_token).transpose()?;
    let rows = app.db.read(move |tx| {
        get_experiment(tx, project, experiment)?;
        let after = after.as_ref().map_or(("", ""), |(name, digest)| (name, digest));
        datasets::list(tx, project, experiment, after, size + 1)
    });
    let place = Place { app: &app, headers: &headers, uri: &uri };
    let key = |row: &datasets::Listed| encode_token(&(&row.name, &row.digest));
    let view = |row: datasets::Listed| ListedView {
        id: row.id.0,
        name: row.name,
        digest: row.digest,
        source_type: row.source_type,
    };
    Ok(Page::new(&place, rows.await?, size, key, view)?)
}

/// A dataset.
#[derive(Serialize, ToSchema)]
#[schema(as = Dataset)]
pub(super) struct DatasetView {
    /// Its number in the project.
    id: i64,
    /// The number of its experiment.
    experiment_id: i64,
    /// Its name.
    name: String,
    /// What tells its content from that of another of this name.
    digest: String,
    /// What kind of source it comes from.
    source_type: String,
    /// Where it comes from, in a form that the kind of source decides.
    source: String,
    /// Its columns, as a text of JSON.
    schema: Option<String>,
    /// Figures about it, as a text of JSON.
    profile: Option<String>,
}

/// Reads the number of a dataset in a path.
fn id(text: &str) -> Result<DatasetId> {
    number(text).map(DatasetId)
}

fn unknown(id: DatasetId) -> Error {
    Error::not_found(format!("there is no dataset {id}"))
}

/// Tell a dataset.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/datasets/{dataset}", tag = "datasets",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("dataset" = i64, Path, description = "Number of the dataset"),
    ),
    responses((status = 200, description = "The dataset", body = DatasetView))
)]
pub(super) async fn get_dataset(
    State(app): State<App>,
    granted: Granted,
    Path((_, dataset)): Path<(String, String)>,
) -> Result<Json<DatasetView>, Problem> {
    let (project, id) = (granted.project(), id(&dataset)?);
    let found = app.db.read(move |tx| datasets::find(tx, project, id)).await?;
    let (experiment, dataset) = found.ok_or_else(|| unknown(id))?;
    Ok(Json(DatasetView {
        id: id.0,
        experiment_id: experiment.0,
        name: dataset.name,
        digest: dataset.digest,
        source_type: dataset.source_type,
        source: dataset.source,
        schema: dataset.schema,
        profile: dataset.profile,
    }))
}

/// A candidate that used a dataset.
#[derive(Serialize, ToSchema)]
pub(super) struct UseView {
    /// The number of the candidate.
    iid: i64,
    /// Its public id, which is MLflow's run id.
    run_id: String,
    /// Its name.
    name: String,
    /// What it used the dataset for, such as `training`.
    context: Option<String>,
}

/// Which uses of a dataset to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListUses {
    /// How many candidates a page has, 1 to 100; 20 when it is not said.
    per_page: Option<i64>,
    /// The number of the candidate after which the page starts.
    after: Option<i64>,
}

/// List the candidates that used a dataset, the newest first.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/datasets/{dataset}/candidates", tag = "datasets",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("dataset" = i64, Path, description = "Number of the dataset"), ListUses,
    ),
    responses(
        (
            status = 200, description = "A page of candidates", body = [UseView],
            headers(("Link" = String, description = "The next page, `rel=\"next\"`")),
        ),
    )
)]
pub(super) async fn list_dataset_candidates(
    State(app): State<App>,
    granted: Granted,
    uri: Uri,
    headers: HeaderMap,
    Path((_, dataset)): Path<(String, String)>,
    Query(query): Query<ListUses>,
) -> Result<Page<UseView>, Problem> {
    let (project, id, size) = (granted.project(), id(&dataset)?, page::size(query.per_page)?);
    let after = query.after.map(CandidateId);
    let rows = app.db.read(move |tx| {
        datasets::find(tx, project, id)?.ok_or_else(|| unknown(id))?;
        datasets::list_uses(tx, project, id, after, size + 1)
    });
    let place = Place { app: &app, headers: &headers, uri: &uri };
    let view = |row: datasets::Use| UseView {
        iid: row.candidate.0,
        run_id: row.eid,
        name: row.name,
        context: row.context,
    };
    Ok(Page::new(&place, rows.await?, size, |row| row.candidate, view)?)
}
