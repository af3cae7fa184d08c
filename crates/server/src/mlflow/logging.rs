//! The protocol's calls that log to a run: params, metrics, tags, and batches of them.

use std::collections::HashSet;

use axum::extract::State;
use axum::http::Method;
use modelry_core::ids::{Eid, LoggedModelEid, ProjectId};
use modelry_core::names::Key;
use modelry_core::points::Point;
use modelry_core::points::tail::PointsByKey;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::candidates::{self, Entry, Place};
use modelry_store::logged_models::{self, Measured};
use modelry_store::metrics;
use serde::Deserialize;

use super::runs::entries;
use super::wire::{
    Answer, Double, Empty, Int64, Message, Pair, done, missing, required_run, required_text, truncated,
};
use super::{Calls, limits};
use crate::App;
use crate::access::Granted;
use crate::registry::RUN_NAME;

/// The calls and who may make them.
pub(super) fn routes(calls: Calls) -> Calls {
    calls
        .write(Method::POST, "mlflow/runs/log-metric", log_metric)
        .write(Method::POST, "mlflow/runs/log-parameter", log_param)
        .write(Method::POST, "mlflow/runs/set-tag", set_tag)
        .write(Method::POST, "mlflow/runs/delete-tag", delete_tag)
        .write(Method::POST, "mlflow/runs/log-batch", log_batch)
}

/// Where a field stands in a request, for messages.
#[derive(Clone, Copy)]
enum At {
    /// In the request itself.
    Request,
    /// In this entry of this list.
    Entry(&'static str, usize),
}

impl At {
    fn path(self, field: &str) -> String {
        match self {
            Self::Request => field.to_owned(),
            Self::Entry(list, index) => format!("{list}[{index}].{field}"),
        }
    }

    fn required<T>(self, value: Option<T>, field: &str) -> Result<T> {
        value.ok_or_else(|| missing(&self.path(field)))
    }

    fn key(self, key: Option<String>) -> Result<String> {
        let key = self.required(key.filter(|key| !key.is_empty()), "key")?;
        key.parse::<Key>()?;
        Ok(key)
    }

    /// A key and a value of at most `max` characters, cut if it is longer.
    fn text(self, pair: Pair, max: usize) -> Result<(String, String)> {
        let key = self.key(pair.key)?;
        Ok((key, truncated(self.required(pair.value, "value")?, max)))
    }
}

/// MLflow's `Metric`, which is what `log-metric` takes too. The entries of a batch may repeat the run; the batch's counts.
#[derive(Deserialize)]
struct Metric {
    #[serde(alias = "runId")]
    run_id: Option<String>,
    #[serde(alias = "runUuid")]
    run_uuid: Option<String>,
    key: Option<String>,
    value: Option<Double>,
    timestamp: Option<Int64>,
    step: Option<Int64>,
    #[serde(alias = "modelId")]
    model_id: Option<String>,
    #[serde(alias = "datasetName")]
    dataset_name: Option<String>,
    #[serde(alias = "datasetDigest")]
    dataset_digest: Option<String>,
}

/// A checked [`Metric`].
struct Logged {
    key: String,
    point: Point,
    measured: Option<MeasuredOn>,
}

/// The logged model whose metric it is too, and the dataset it was measured on.
struct MeasuredOn {
    model: LoggedModelEid,
    dataset_name: String,
    dataset_digest: String,
}

impl Metric {
    fn read(self, at: At) -> Result<Logged> {
        let key = at.key(self.key)?;
        let value = at.required(self.value, "value")?.0;
        let timestamp = at.required(self.timestamp, "timestamp")?.0;
        if timestamp < 0 {
            return Err(Error::invalid(format!(
                "Invalid value {timestamp} for parameter '{}' supplied: Timestamp must be a nonnegative long \
                 (64-bit integer)",
                at.path("timestamp")
            )));
        }
        let model = self.model_id.filter(|id| !id.is_empty()).map(|id| id.parse()).transpose()?;
        let measured = model.map(|model| MeasuredOn {
            model,
            dataset_name: self.dataset_name.unwrap_or_default(),
            dataset_digest: self.dataset_digest.unwrap_or_default(),
        });
        Ok(Logged { key, point: Point::new(timestamp, self.step.map_or(0, |step| step.0), value), measured })
    }
}

impl Logged {
    /// The metric as the logged model's, if it is one of a model.
    fn of_model(&self, run: &Eid) -> Option<Measured> {
        let measured = self.measured.as_ref()?;
        let metric = logged_models::Metric {
            name: self.key.clone(),
            value: self.point.value(),
            step: self.point.step(),
            timestamp: self.point.timestamp(),
            dataset_name: measured.dataset_name.clone(),
            dataset_digest: measured.dataset_digest.clone(),
            candidate_eid: run.to_string(),
        };
        Some(Measured { model: measured.model.clone(), metric })
    }
}

async fn log_metric(
    State(app): State<App>,
    granted: Granted,
    Message(mut body): Message<Metric>,
) -> Answer<Empty> {
    let eid = required_run(body.run_id.take(), body.run_uuid.take())?;
    let batch = Batch { metrics: vec![body.read(At::Request)?], ..Batch::default() };
    log(&app, granted.project(), eid, batch).await
}

#[derive(Deserialize)]
struct LogText {
    #[serde(alias = "runId")]
    run_id: Option<String>,
    #[serde(alias = "runUuid")]
    run_uuid: Option<String>,
    key: Option<String>,
    value: Option<String>,
}

async fn log_param(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<LogText>,
) -> Answer<Empty> {
    let eid = required_run(body.run_id, body.run_uuid)?;
    let param = At::Request.text(Pair { key: body.key, value: body.value }, limits::PARAM_VALUE)?;
    log(&app, granted.project(), eid, Batch { params: vec![param], ..Batch::default() }).await
}

async fn set_tag(State(app): State<App>, granted: Granted, Message(body): Message<LogText>) -> Answer<Empty> {
    let eid = required_run(body.run_id, body.run_uuid)?;
    let tag = At::Request.text(Pair { key: body.key, value: body.value }, limits::TAG_VALUE)?;
    log(&app, granted.project(), eid, Batch { tags: vec![tag], ..Batch::default() }).await
}

#[derive(Deserialize)]
struct LogBatch {
    #[serde(alias = "runId")]
    run_id: Option<String>,
    metrics: Option<Vec<Metric>>,
    params: Option<Vec<Pair>>,
    tags: Option<Vec<Pair>>,
}

impl LogBatch {
    fn read(self) -> Result<(Eid, Batch)> {
        let eid = required_text(self.run_id, "run_id")?.parse()?;
        let metrics = self.metrics.unwrap_or_default();
        let (params, tags) = (self.params.unwrap_or_default(), self.tags.unwrap_or_default());
        limits::check_batch(metrics.len(), params.len(), tags.len())?;
        let batch = Batch {
            metrics: each(metrics, "metrics", Metric::read)?,
            params: each(params, "params", |param, at| at.text(param, limits::PARAM_VALUE))?,
            tags: each(tags, "tags", |tag, at| at.text(tag, limits::TAG_VALUE))?,
        };
        refuse_repeated(&batch.params)?;
        Ok((eid, batch))
    }
}

fn each<T, U>(entries: Vec<T>, list: &'static str, read: impl Fn(T, At) -> Result<U>) -> Result<Vec<U>> {
    let entries = entries.into_iter().enumerate();
    entries.map(|(index, entry)| read(entry, At::Entry(list, index))).collect()
}

async fn log_batch(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<LogBatch>,
) -> Answer<Empty> {
    let (eid, batch) = body.read()?;
    log(&app, granted.project(), eid, batch).await
}

/// A param has one value, so a batch that brings two for one key is refused.
fn refuse_repeated(params: &[(String, String)]) -> Result<()> {
    let mut seen = HashSet::with_capacity(params.len());
    let repeated: Vec<&str> =
        params.iter().map(|(key, _)| key.as_str()).filter(|key| !seen.insert(*key)).collect();
    if repeated.is_empty() {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "Duplicate parameter keys have been submitted: {repeated:?}. Please ensure the request contains only one \
         param value per param key."
    )))
}

/// What one request logs, checked.
#[derive(Default)]
struct Batch {
    metrics: Vec<Logged>,
    params: Vec<(String, String)>,
    tags: Vec<(String, String)>,
}

/// Logs a batch to an active run: all of it or nothing.
async fn log(app: &App, project: ProjectId, eid: Eid, batch: Batch) -> Answer<Empty> {
    let points = points_by_key(app, project, &batch.metrics).await?;
    let measured: Vec<Measured> = batch.metrics.iter().filter_map(|metric| metric.of_model(&eid)).collect();
    let params = entries(app, project, batch.params).await?;
    let tags = entries(app, project, batch.tags).await?;
    let (id, tails) = (app.append_id(), app.tails.clone());
    app.db
        .append(move |tx| {
            let place = candidates::get_active_place(tx, project, &eid)?;
            candidates::log_params(tx, place, &eid, &params)?;
            if !points.is_empty() {
                metrics::append(tx, &tails, place, id, &points)?;
            }
            logged_models::attach_metrics(tx, project, &measured)?;
            set_tags(tx, place, &tags)
        })
        .await?;
    done()
}

async fn points_by_key(app: &App, project: ProjectId, metrics: &[Logged]) -> Result<PointsByKey> {
    let names: Vec<&str> = metrics.iter().map(|metric| metric.key.as_str()).collect();
    let keys = app.keys.intern(&app.db, &app.ids, project, &names).await?;
    let mut points = PointsByKey::new();
    for (key, metric) in keys.into_iter().zip(metrics) {
        points.entry(key).or_default().push(metric.point);
    }
    Ok(points)
}

fn set_tags(tx: &mut Tx<'_>, place: Place, tags: &[Entry]) -> Result<()> {
    // The run's row before its tags, as `runs/update` does: two orders could wait for each other in a circle.
    if let Some(tag) = tags.iter().rfind(|tag| tag.name == RUN_NAME) {
        candidates::rename(tx, place, &tag.value)?;
    }
    candidates::set_metadata(tx, place, tags)
}

async fn delete_tag(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<LogText>,
) -> Answer<Empty> {
    let project = granted.project();
    let eid = required_run(body.run_id, body.run_uuid)?;
    let key = required_text(body.key, "key")?;
    app.db
        .write(move |tx| {
            let place = candidates::get_active_place(tx, project, &eid)?;
            if candidates::delete_metadata(tx, place, &key)? {
                return Ok(());
            }
            Err(Error::not_found(format!("No tag with name: {key} in run with id {eid}")))
        })
        .await?;
    done()
}
