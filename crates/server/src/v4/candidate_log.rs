//! Logging to candidates, and the histories of metrics.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use modelry_core::names::Key;
use modelry_core::paging::{decode_token, encode_token};
use modelry_core::points::history::Page as Points;
use modelry_core::points::{Point, Position};
use modelry_core::{Error, Result};
use modelry_store::{keys, metrics};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::candidate_views::{get, get_active};
use super::candidates::texts;
use super::page::{self, Page, Place};
use super::words::MetricValue;
use crate::App;
use crate::access::Granted;
use crate::error::Problem;
use crate::extract::{Json, Path, Query};
use crate::tracking::{Batch, Logged, MeasuredOn, check_time, limits, log};

/// How many points a page has when the request does not say, and at most.
const POINTS: (i64, i64) = (1_000, 10_000);

/// A value of a metric to be logged.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LogMetric {
    /// Its key.
    key: String,
    /// Its value.
    value: MetricValue,
    /// The step, 0 when it is not said.
    #[serde(default)]
    step: i64,
    /// When it was measured, in milliseconds since 1970.
    timestamp: i64,
    /// The public id of the logged model that was measured.
    model_id: Option<String>,
    /// The name of the dataset that the model was measured on.
    #[serde(default)]
    dataset_name: String,
    /// The digest of that dataset.
    #[serde(default)]
    dataset_digest: String,
}

impl LogMetric {
    fn read(self) -> Result<Logged> {
        self.key.parse::<Key>()?;
        check_time("timestamp", Some(self.timestamp))?;
        let model = self.model_id.map(|model| model.parse()).transpose()?;
        let (dataset_name, dataset_digest) = (self.dataset_name, self.dataset_digest);
        let measured = model.map(|model| MeasuredOn { model, dataset_name, dataset_digest });
        Ok(Logged { key: self.key, point: Point::new(self.timestamp, self.step, self.value.0), measured })
    }
}

/// What is to be logged: at most 1,000 metrics, 100 params and 100 metadata, and 1,000 of all.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LogToCandidate {
    /// Values of metrics.
    #[serde(default)]
    metrics: Vec<LogMetric>,
    /// Params, each of which is written once.
    #[serde(default)]
    params: BTreeMap<String, String>,
    /// Metadata to set.
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

/// Log metrics, params and metadata, all of them or none. The same request again changes nothing.
#[utoipa::path(
    post, path = "/api/v4/projects/{project}/candidates/{candidate}/log", tag = "candidates",
    request_body = LogToCandidate,
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("candidate" = String, Path, description = "Number of the candidate, or its public id"),
    ),
    responses((status = 204, description = "It is logged"))
)]
pub(super) async fn log_to_candidate(
    State(app): State<App>,
    granted: Granted,
    Path((_, candidate)): Path<(String, String)>,
    Json(body): Json<LogToCandidate>,
) -> Result<StatusCode, Problem> {
    let project = granted.project();
    limits::check_batch(body.metrics.len(), body.params.len(), body.metadata.len())?;
    let batch = Batch {
        metrics: body.metrics.into_iter().map(LogMetric::read).collect::<Result<_>>()?,
        params: texts(body.params, limits::PARAM_VALUE)?,
        metadata: texts(body.metadata, limits::TAG_VALUE)?,
    };
    let (_, eid) = app.db.read(move |tx| get_active(tx, project, &candidate)).await?;
    log(&app, project, eid, batch).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which points of a history to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListPoints {
    /// How many points a page has, 1 to 10,000; 1,000 when it is not said.
    per_page: Option<i64>,
    /// Where the page starts, as `Link` said.
    after: Option<String>,
}

/// A value of a metric.
#[derive(Serialize, ToSchema)]
#[schema(as = Point)]
pub(super) struct PointView {
    /// The value.
    value: MetricValue,
    /// The step.
    step: i64,
    /// When it was measured, in milliseconds since 1970.
    timestamp: i64,
}

impl From<Point> for PointView {
    fn from(point: Point) -> Self {
        Self { value: MetricValue(point.value()), step: point.step(), timestamp: point.timestamp() }
    }
}

/// List all values of a metric of a candidate, by time, step and value.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/candidates/{candidate}/metrics/{key}/history", tag = "candidates",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("candidate" = String, Path, description = "Number of the candidate, or its public id"),
        ("key" = String, Path, description = "Key of the metric, URL-encoded"), ListPoints,
    ),
    responses(
        (
            status = 200, description = "A page of points", body = [PointView],
            headers(("Link" = String, description = "The next page, `rel=\"next\"`")),
        ),
    )
)]
pub(super) async fn list_points(
    State(app): State<App>,
    granted: Granted,
    uri: Uri,
    headers: HeaderMap,
    Path((_, candidate, key)): Path<(String, String, String)>,
    Query(query): Query<ListPoints>,
) -> Result<Page<PointView>, Problem> {
    let project = granted.project();
    let limit = page::count_within(query.per_page, POINTS)?;
    let limit = NonZeroUsize::new(limit).expect("a page has at least one thing");
    let after: Option<Position> = query.after.as_deref().map(decode_token).transpose()?;
    let found = app.db.read(move |tx| {
        let place = get(tx, project, &candidate)?.place(project);
        let key_id = keys::find(tx, project, &key)?;
        let points = match key_id {
            Some(key) => metrics::history(tx, place, key, after, limit)?,
            None => Points { points: Vec::new(), next: None },
        };
        if points.points.is_empty() && after.is_none() {
            return Err(Error::not_found(format!("candidate {candidate} has no metric {key}")));
        }
        Ok(points)
    });
    let Points { points, next } = found.await?;
    let views = points.into_iter().map(PointView::from).collect();
    let place = Place { app: &app, headers: &headers, uri: &uri };
    Ok(Page::with_next(&place, views, next.map(|next| encode_token(&next)))?)
}
