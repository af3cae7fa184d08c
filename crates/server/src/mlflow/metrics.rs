//! The protocol's calls that read metrics: histories, whole or sampled, of one run or many.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

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
use modelry_db::Tx;
use modelry_store::candidates::{self, Place};
use modelry_store::keys;
use modelry_store::metrics::{self, Sample};
use serde::{Deserialize, Serialize};

use super::Calls;
use super::views::MetricView;
use super::wire::{
    Answer, Double, Int64, Message, Reply, max_results, missing, required_run_text, required_text,
};
use crate::App;
use crate::access::Granted;
use crate::error::MlflowFailure;

/// How many points are read, and held, at a time.
const PAGE: NonZeroUsize = NonZeroUsize::new(25_000).expect("not zero");

/// The most runs of one bulk request.
const BULK_RUNS: usize = 100;

/// The most points of one run in an answer for a chart, and how many there are where the request does not say.
const SAMPLE: usize = 2_500;

/// The calls and who may make them.
pub(super) fn routes(calls: Calls) -> Calls {
    calls
        .read(Method::GET, "mlflow/metrics/get-history", get_history)
        .read(Method::GET, "mlflow/metrics/get-history-bulk", get_history_bulk)
        .read(Method::GET, "mlflow/metrics/get-history-bulk-interval", get_history_bulk_interval)
}

#[derive(Deserialize)]
struct GetHistory {
    #[serde(alias = "runId")]
    run_id: Option<String>,
    #[serde(alias = "runUuid")]
    run_uuid: Option<String>,
    #[serde(alias = "metricKey")]
    metric_key: Option<String>,
    #[serde(alias = "pageToken")]
    page_token: Option<String>,
    #[serde(alias = "maxResults")]
    max_results: Option<Int64>,
}

#[derive(Default, Serialize)]
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
    let run = required_run_text(query.run_id, query.run_uuid)?;
    let name = required_text(query.metric_key, "metric_key")?;
    let after = query.page_token.as_deref().map(decode_token).transpose()?;
    let limit = read_limit(query.max_results)?;
    let first = limit.map_or(PAGE, |limit| limit.min(PAGE));
    let found = app.db.read(move |tx| {
        let Some(series) = find_series(tx, project, &run, &name)? else { return Ok(None) };
        let page = metrics::history(tx, series.place, series.key, after, first)?;
        Ok(Some((series, page)))
    });
    let Some((series, page)) = found.await? else {
        return Ok(Reply(History::default()).into_response());
    };
    if page.next.is_some() && limit.is_none_or(|limit| limit > first) {
        let left = limit.map_or(usize::MAX, |limit| limit.get() - page.points.len());
        return Ok(Rest { app, series, left, next: page.next }.stream(page.points)?);
    }
    let next_page_token = page.next.as_ref().map(encode_token);
    let metrics = page.points.into_iter().map(|point| series.view(point, None)).collect();
    Ok(Reply(History { metrics, next_page_token }).into_response())
}

/// How many points are asked for; all when the request does not say.
fn read_limit(asked: Option<Int64>) -> Result<Option<NonZeroUsize>> {
    let Some(Int64(asked)) = asked else { return Ok(None) };
    let limit = usize::try_from(asked).ok().and_then(NonZeroUsize::new);
    limit.map(Some).ok_or_else(|| {
        Error::invalid(format!(
            "Invalid value {asked} for parameter 'max_results' supplied. It must be a positive integer."
        ))
    })
}

/// One key's points of one run.
#[derive(Clone)]
struct Series {
    place: Place,
    key: KeyId,
    name: Arc<str>,
}

impl Series {
    async fn page(&self, app: &App, after: Option<Position>, limit: NonZeroUsize) -> Result<Page> {
        let (place, key) = (self.place, self.key);
        app.db.read(move |tx| metrics::history(tx, place, key, after, limit)).await
    }

    fn view(&self, point: Point, run_id: Option<Arc<str>>) -> MetricView {
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
fn find_series(tx: &mut Tx<'_>, project: ProjectId, run: &str, name: &str) -> Result<Option<Series>> {
    let Ok(eid) = run.parse::<Eid>() else { return Ok(None) };
    let Some(candidate) = candidates::find_by_eid(tx, project, eid.as_str())? else { return Ok(None) };
    let place = candidate.place(project);
    let key = keys::find(tx, project, name)?;
    Ok(key.map(|key| Series { place, key, name: name.into() }))
}

/// What of a long history is not sent yet.
struct Rest {
    app: App,
    series: Series,
    left: usize,
    /// Where the next piece starts; the end of the history where that is `None`.
    next: Option<Position>,
}

impl Rest {
    /// Answers a long history piece by piece, so that memory does not grow with it. Each piece is a read of its own:
    /// points that arrive meanwhile may or may not be in the answer.
    fn stream(self, first: Vec<Point>) -> Result<Response> {
        let first = self.write("{\"metrics\":[", first)?;
        let start = futures_util::stream::iter([Ok::<_, Error>(first)]);
        let rest = futures_util::stream::try_unfold(Some(self), |rest| async move {
            match rest {
                None => Ok(None),
                Some(rest) => rest.next_piece().await.map(Some),
            }
        });
        let body = Body::from_stream(futures_util::StreamExt::chain(start, rest));
        Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
    }

    async fn next_piece(mut self) -> Result<(Bytes, Option<Self>)> {
        let limit = NonZeroUsize::new(self.left.min(PAGE.get()));
        let (Some(_), Some(limit)) = (self.next, limit) else {
            let end = match self.next {
                Some(next) => format!("],\"next_page_token\":\"{}\"}}", encode_token(&next)),
                None => "]}".to_owned(),
            };
            return Ok((end.into(), None));
        };
        let page = self.series.page(&self.app, self.next, limit).await?;
        self.left -= page.points.len();
        self.next = page.next;
        Ok((self.write(",", page.points)?, Some(self)))
    }

    /// The points as JSON with commas between them, behind `start`; nothing if there are none.
    fn write(&self, start: &str, points: Vec<Point>) -> Result<Bytes> {
        let mut text = Vec::with_capacity(points.len() * 96);
        for (index, point) in points.into_iter().enumerate() {
            text.extend_from_slice(if index == 0 { start.as_bytes() } else { b"," });
            serde_json::to_writer(&mut text, &self.series.view(point, None)).map_err(|error| {
                Error::internal("a metric could not be written as JSON").with_source(error)
            })?;
        }
        Ok(text.into())
    }
}

#[derive(Deserialize)]
struct GetBulk {
    #[serde(default, alias = "runId")]
    run_id: Vec<String>,
    #[serde(alias = "metricKey")]
    metric_key: Option<String>,
    #[serde(alias = "maxResults")]
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
    let project = granted.project();
    let runs = read_runs(query.run_id, "run_id")?;
    let name = required_text(query.metric_key, "metric_key")?;
    let most = read_limit(query.max_results)?.map_or(PAGE, |most| most.min(PAGE));
    let read = app.db.read(move |tx| {
        let mut all = Vec::new();
        for run in &runs {
            let Some(left) = NonZeroUsize::new(most.get() - all.len()) else { break };
            let Some(series) = find_series(tx, project, run, &name)? else { continue };
            let page = metrics::history(tx, series.place, series.key, None, left)?;
            all.extend(page.points.into_iter().map(|point| series.view(point, Some(run.clone()))));
        }
        Ok(all)
    });
    Ok(Reply(Bulk { metrics: read.await? }))
}

#[derive(Deserialize)]
struct GetInterval {
    #[serde(default, alias = "runIds")]
    run_ids: Vec<String>,
    #[serde(alias = "metricKey")]
    metric_key: Option<String>,
    #[serde(alias = "startStep")]
    start_step: Option<Int64>,
    #[serde(alias = "endStep")]
    end_step: Option<Int64>,
    #[serde(alias = "maxResults")]
    max_results: Option<Int64>,
}

async fn get_history_bulk_interval(
    State(app): State<App>,
    granted: Granted,
    Message(query): Message<GetInterval>,
) -> Answer<Bulk> {
    let project = granted.project();
    let runs = read_runs(query.run_ids, "run_ids")?;
    let name: Arc<str> = required_text(query.metric_key, "metric_key")?.into();
    let most = max_results(query.max_results, SAMPLE, SAMPLE)?;
    let sample = read_interval(query.start_step, query.end_step, most)?;
    let mut all = Vec::new();
    for run in runs {
        // A transaction for each run: together they may be long.
        let name = name.clone();
        let read = app.db.read(move |tx| {
            let Some(series) = find_series(tx, project, &run, &name)? else { return Ok(Vec::new()) };
            let points = metrics::sample(tx, series.place, series.key, sample)?.into_iter();
            Ok(points.map(|point| series.view(point, Some(run.clone()))).collect())
        });
        all.append(&mut read.await?);
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

/// The runs of a bulk request, sorted, each once.
fn read_runs(runs: Vec<String>, name: &str) -> Result<BTreeSet<Arc<str>>> {
    if runs.is_empty() {
        return Err(missing(name));
    }
    if runs.len() > BULK_RUNS {
        return Err(Error::invalid(format!(
            "The request must specify at most {BULK_RUNS} run_ids. Received {} run_ids.",
            runs.len()
        )));
    }
    Ok(runs.into_iter().map(Arc::from).collect())
}
