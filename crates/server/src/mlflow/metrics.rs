//! The protocol's calls that read metrics: histories, whole or sampled, of one run or many.

use std::num::NonZeroUsize;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use modelry_core::ids::{Eid, KeyId, ProjectId};
use modelry_core::paging::{decode_token, encode_token};
use modelry_core::points::history::Page;
use modelry_core::points::{Point, Position};
use modelry_core::{Error, Result};
use modelry_store::candidates::{self, Place};
use modelry_store::keys;
use modelry_store::metrics::{self, Sample};
use serde::{Deserialize, Serialize};

use super::Calls;
use super::views::MetricView;
use super::wire::{
    Answer, Double, Int64, Message, Reply, max_results, required, required_run, required_text,
};
use crate::App;
use crate::access::Granted;
use crate::error::MlflowFailure;

/// How many points are read, and held, at a time.
const PAGE: NonZeroUsize = NonZeroUsize::new(25_000).expect("not zero");

/// The most runs of one bulk request.
const BULK_RUNS: usize = 100;

/// The calls and who may make them.
pub(super) fn routes(calls: Calls) -> Calls {
    calls
        .read(Method::GET, "mlflow/metrics/get-history", get_history)
        .read(Method::GET, "mlflow/metrics/get-history-bulk", get_history_bulk)
        .read(Method::GET, "mlflow/metrics/get-history-bulk-interval", get_history_bulk_interval)
}

#[derive(Deserialize)]
struct GetHistory {
    run_id: Option<String>,
    run_uuid: Option<String>,
    metric_key: Option<String>,
    page_token: Option<String>,
    max_results: Option<Int64>,
}

#[derive(Serialize)]
struct History {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<MetricView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

async fn get_history(
    State(app): State<App>,
    granted: Granted,
    Message(query): Message<GetHistory>,
) -> Result<Response, MlflowFailure> {
    let project = granted.project();
    let eid = required_run(query.run_id, query.run_uuid)?;
    let name = required_text(query.metric_key, "metric_key")?;
    let after =
        query.page_token.filter(|token| !token.is_empty()).as_deref().map(decode_token).transpose()?;
    let limit = query.max_results.map(|max| max_results(Some(max), 0, usize::MAX)).transpose()?;
    let Some(series) = find_series(&app, project, eid, name).await? else {
        return Ok(Reply(History { metrics: Vec::new(), next_page_token: None }).into_response());
    };
    match limit.and_then(NonZeroUsize::new) {
        Some(limit) if limit <= PAGE => {
            let page = series.page(&app, after, limit).await?;
            let next_page_token = page.next.as_ref().map(encode_token);
            let metrics = page.points.into_iter().map(|point| series.view(point, None)).collect();
            Ok(Reply(History { metrics, next_page_token }).into_response())
        }
        limit => stream(app, series, after, limit.map_or(usize::MAX, NonZeroUsize::get)),
    }
}

/// One key's points of one run.
#[derive(Clone)]
struct Series {
    place: Place,
    key: KeyId,
    name: std::sync::Arc<str>,
}

impl Series {
    async fn page(&self, app: &App, after: Option<Position>, limit: NonZeroUsize) -> Result<Page> {
        let (place, key) = (self.place, self.key);
        app.db.read(move |tx| metrics::history(tx, place, key, after, limit)).await
    }

    fn view(&self, point: Point, run_id: Option<String>) -> MetricView {
        MetricView {
            key: self.name.clone(),
            value: Double(point.value()),
            timestamp: point.timestamp(),
            step: point.step(),
            run_id,
        }
    }
}

/// The series of a run and a key; `None` when there is no such run or nobody logged the key, which the protocol answers
/// with an empty list.
async fn find_series(app: &App, project: ProjectId, eid: Eid, name: String) -> Result<Option<Series>> {
    app.db
        .read(move |tx| {
            let Some(candidate) = candidates::find_by_eid(tx, project, eid.as_str())? else {
                return Ok(None);
            };
            let key = keys::find(tx, project, &name)?;
            let place = candidate.place(project);
            Ok(key.map(|key| Series { place, key, name: name.as_str().into() }))
        })
        .await
}

/// What is left of a streamed history.
struct Rest {
    app: App,
    series: Series,
    after: Option<Position>,
    left: usize,
    started: bool,
    ended: bool,
}

/// Answers a long history page by page, so that memory does not grow with it. Each page is a read of its own: points that
/// arrive meanwhile may or may not be among them.
fn stream(
    app: App,
    series: Series,
    after: Option<Position>,
    limit: usize,
) -> Result<Response, MlflowFailure> {
    let rest = Rest { app, series, after, left: limit, started: false, ended: false };
    let chunks = futures_util::stream::try_unfold(rest, |rest| async move {
        if rest.ended { Ok::<_, Error>(None) } else { rest.next_chunk().await.map(Some) }
    });
    Ok(([(CONTENT_TYPE, "application/json")], Body::from_stream(chunks)).into_response())
}

impl Rest {
    async fn next_chunk(mut self) -> Result<(Bytes, Self)> {
        let limit = NonZeroUsize::new(self.left.min(PAGE.get())).unwrap_or(PAGE);
        let page = self.series.page(&self.app, self.after, limit).await?;
        let mut text = Vec::with_capacity(page.points.len() * 96 + 64);
        if !self.started {
            text.extend_from_slice(b"{\"metrics\":[");
        }
        self.left = self.left.saturating_sub(page.points.len());
        for point in page.points {
            if self.started {
                text.push(b',');
            }
            self.started = true;
            let view = self.series.view(point, None);
            serde_json::to_writer(&mut text, &view).map_err(|error| {
                Error::internal("a metric could not be written as JSON").with_source(error)
            })?;
        }
        self.after = page.next;
        self.ended = self.after.is_none() || self.left == 0;
        if self.ended {
            text.push(b']');
            if let Some(next) = &self.after {
                text.extend_from_slice(format!(",\"next_page_token\":\"{}\"", encode_token(next)).as_bytes());
            }
            text.push(b'}');
        }
        Ok((text.into(), self))
    }
}

#[derive(Deserialize)]
struct GetBulk {
    #[serde(default, alias = "run_ids")]
    run_id: Vec<String>,
    metric_key: Option<String>,
    max_results: Option<Int64>,
}

#[derive(Serialize)]
struct Bulk {
    metrics: Vec<MetricView>,
}

async fn get_history_bulk(
    State(app): State<App>,
    granted: Granted,
    Message(query): Message<GetBulk>,
) -> Answer<Bulk> {
    let runs = read_runs(query.run_id, "run_id")?;
    let name = required_text(query.metric_key, "metric_key")?;
    let mut left = max_results(query.max_results, PAGE.get(), PAGE.get())?;
    let mut metrics = Vec::new();
    for eid in runs {
        let Some(limit) = NonZeroUsize::new(left) else { break };
        let run_id = eid.to_string();
        let Some(series) = find_series(&app, granted.project(), eid, name.clone()).await? else { continue };
        let page = series.page(&app, None, limit).await?;
        left -= page.points.len();
        metrics.extend(page.points.into_iter().map(|point| series.view(point, Some(run_id.clone()))));
    }
    Ok(Reply(Bulk { metrics }))
}

#[derive(Deserialize)]
struct GetInterval {
    #[serde(default)]
    run_ids: Vec<String>,
    metric_key: Option<String>,
    start_step: Option<Int64>,
    end_step: Option<Int64>,
    max_results: Option<Int64>,
}

async fn get_history_bulk_interval(
    State(app): State<App>,
    granted: Granted,
    Message(query): Message<GetInterval>,
) -> Answer<Bulk> {
    let runs = read_runs(query.run_ids, "run_ids")?;
    let name = required(query.metric_key, "metric_key")?;
    let most = max_results(query.max_results, 2_500, 2_500)?;
    let sample = read_interval(query.start_step, query.end_step, most)?;
    let mut all = Vec::new();
    for eid in runs {
        let run_id = eid.to_string();
        let Some(series) = find_series(&app, granted.project(), eid, name.clone()).await? else { continue };
        let (place, key) = (series.place, series.key);
        let points = app.db.read(move |tx| metrics::sample(tx, place, key, sample)).await?;
        all.extend(points.into_iter().map(|point| series.view(point, Some(run_id.clone()))));
    }
    Ok(Reply(Bulk { metrics: all }))
}

fn read_interval(start: Option<Int64>, end: Option<Int64>, most: usize) -> Result<Sample> {
    match (start, end) {
        (None, None) => Ok(Sample::of_all(most)),
        (Some(Int64(first_step)), Some(Int64(last_step))) if first_step <= last_step => {
            Ok(Sample { first_step, last_step, most })
        }
        (Some(Int64(first)), Some(Int64(last))) => Err(Error::invalid(format!(
            "end_step must be greater than start_step. Found start_step={first} and end_step={last}."
        ))),
        _ => Err(Error::invalid("If either start step or end step are specified, both must be specified.")),
    }
}

fn read_runs(runs: Vec<String>, name: &str) -> Result<Vec<Eid>> {
    if runs.is_empty() {
        return Err(Error::invalid(format!("Missing value for required parameter '{name}'.")));
    }
    if runs.len() > BULK_RUNS {
        return Err(Error::invalid(format!(
            "GetMetricHistoryBulk request must specify at most {BULK_RUNS} run_ids. Received {} run_ids.",
            runs.len()
        )));
    }
    runs.iter().map(|run| run.parse()).collect()
}
