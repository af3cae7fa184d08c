//! The protocol's calls that log to a run: params, metrics, tags, and batches of them.

use axum::extract::State;
use axum::http::Method;
use modelry_core::ids::Eid;
use modelry_core::names::Key;
use modelry_core::points::Point;
use modelry_core::{Error, Result};
use modelry_store::candidates;
use serde::Deserialize;

use super::Calls;
use super::wire::{Answer, Double, Empty, Int64, Message, Pair, done, missing, required_run, required_text};
use crate::App;
use crate::access::Granted;
use crate::tracking::{Batch, Logged, MeasuredOn, limits, log, truncated};

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

async fn log_metric(
    State(app): State<App>,
    granted: Granted,
    Message(mut body): Message<Metric>,
) -> Answer<Empty> {
    let eid = required_run(body.run_id.take(), body.run_uuid.take())?;
    let batch = Batch { metrics: vec![body.read(At::Request)?], ..Batch::default() };
    log(&app, granted.project(), eid, batch).await?;
    done()
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
    log(&app, granted.project(), eid, Batch { params: vec![param], ..Batch::default() }).await?;
    done()
}

async fn set_tag(State(app): State<App>, granted: Granted, Message(body): Message<LogText>) -> Answer<Empty> {
    let eid = required_run(body.run_id, body.run_uuid)?;
    let tag = At::Request.text(Pair { key: body.key, value: body.value }, limits::TAG_VALUE)?;
    log(&app, granted.project(), eid, Batch { metadata: vec![tag], ..Batch::default() }).await?;
    done()
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
            metadata: each(tags, "tags", |tag, at| at.text(tag, limits::TAG_VALUE))?,
        };
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
    log(&app, granted.project(), eid, batch).await?;
    done()
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
