//! The protocol's calls that log to a run: params, metrics, tags, batches, and 2.x's `log-model`.

use axum::extract::State;
use axum::http::Method;
use modelry_core::ids::Eid;
use modelry_core::names::Key;
use modelry_core::points::Point;
use modelry_core::points::tail::PointsByKey;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::candidates::{self, Entry, Place};
use modelry_store::metrics;
use serde::Deserialize;

use super::runs::{RUN_NAME, entries};
use super::wire::{
    Answer, Double, Empty, Int64, Message, Pair, done, required, required_run, required_text, truncated,
};
use super::{Calls, limits};
use crate::App;
use crate::access::Granted;

/// The calls and who may make them.
pub(super) fn routes(calls: Calls) -> Calls {
    calls
        .write(Method::POST, "mlflow/runs/log-metric", log_metric)
        .write(Method::POST, "mlflow/runs/log-parameter", log_param)
        .write(Method::POST, "mlflow/runs/set-tag", set_tag)
        .write(Method::POST, "mlflow/runs/delete-tag", delete_tag)
        .write(Method::POST, "mlflow/runs/log-batch", log_batch)
        .write(Method::POST, "mlflow/runs/log-model", log_model)
}

/// MLflow's `Metric`, in a request.
#[derive(Deserialize)]
pub(super) struct Metric {
    key: Option<String>,
    value: Option<Double>,
    timestamp: Option<Int64>,
    step: Option<Int64>,
}

impl Metric {
    fn read(self, prefix: &str) -> Result<(String, Point)> {
        let key = required_text(self.key, &format!("{prefix}key"))?;
        key.parse::<Key>()?;
        let value = required(self.value, &format!("{prefix}value"))?.0;
        let timestamp = required(self.timestamp, &format!("{prefix}timestamp"))?.0;
        if timestamp < 0 {
            return Err(Error::invalid(format!(
                "Invalid value {timestamp} for parameter '{prefix}timestamp' supplied: Timestamp must be a \
                 nonnegative long (64-bit integer)"
            )));
        }
        Ok((key, Point::new(timestamp, self.step.map_or(0, |step| step.0), value)))
    }
}

#[derive(Deserialize)]
struct LogMetric {
    #[serde(alias = "runId")]
    run_id: Option<String>,
    #[serde(alias = "runUuid")]
    run_uuid: Option<String>,
    key: Option<String>,
    value: Option<Double>,
    timestamp: Option<Int64>,
    step: Option<Int64>,
}

async fn log_metric(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<LogMetric>,
) -> Answer<Empty> {
    let eid = required_run(body.run_id, body.run_uuid)?;
    let metric = Metric { key: body.key, value: body.value, timestamp: body.timestamp, step: body.step };
    let metric = metric.read("")?;
    log(&app, &granted, eid, Batch { metrics: vec![metric], ..Batch::default() }).await
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
    let param = read_param(Pair { key: body.key, value: body.value }, "")?;
    log(&app, &granted, eid, Batch { params: vec![param], ..Batch::default() }).await
}

async fn set_tag(State(app): State<App>, granted: Granted, Message(body): Message<LogText>) -> Answer<Empty> {
    let eid = required_run(body.run_id, body.run_uuid)?;
    let tag = read_tag(Pair { key: body.key, value: body.value }, "")?;
    log(&app, &granted, eid, Batch { tags: vec![tag], ..Batch::default() }).await
}

#[derive(Deserialize)]
struct LogBatch {
    #[serde(alias = "runId")]
    run_id: Option<String>,
    #[serde(default)]
    metrics: Vec<Metric>,
    #[serde(default)]
    params: Vec<Pair>,
    #[serde(default)]
    tags: Vec<Pair>,
}

async fn log_batch(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<LogBatch>,
) -> Answer<Empty> {
    let eid: Eid = required_text(body.run_id, "run_id")?.parse()?;
    limits::check_batch(body.metrics.len(), body.params.len(), body.tags.len())?;
    let batch = Batch {
        metrics: body.metrics.into_iter().map(|metric| metric.read("metrics.")).collect::<Result<_>>()?,
        params: body.params.into_iter().map(|param| read_param(param, "params.")).collect::<Result<_>>()?,
        tags: body.tags.into_iter().map(|tag| read_tag(tag, "tags.")).collect::<Result<_>>()?,
    };
    refuse_repeated(&batch.params)?;
    log(&app, &granted, eid, batch).await
}

fn read_param(param: Pair, prefix: &str) -> Result<(String, String)> {
    let key = required_text(param.key, &format!("{prefix}key"))?;
    key.parse::<Key>()?;
    let value = required(param.value, &format!("{prefix}value"))?;
    Ok((key, truncated(value, limits::PARAM_VALUE)))
}

fn read_tag(tag: Pair, prefix: &str) -> Result<(String, String)> {
    let key = required_text(tag.key, &format!("{prefix}key"))?;
    key.parse::<Key>()?;
    let value = required(tag.value, &format!("{prefix}value"))?;
    Ok((key, truncated(value, limits::TAG_VALUE)))
}

/// A param has one value, so a batch that brings two for one key is refused.
fn refuse_repeated(params: &[(String, String)]) -> Result<()> {
    let mut seen = std::collections::HashSet::with_capacity(params.len());
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
    metrics: Vec<(String, Point)>,
    params: Vec<(String, String)>,
    tags: Vec<(String, String)>,
}

/// Logs a batch to an active run: all of it or nothing.
async fn log(app: &App, granted: &Granted, eid: Eid, batch: Batch) -> Answer<Empty> {
    let project = granted.project();
    let points = points_by_key(app, granted, &batch.metrics).await?;
    let params = entries(app, granted, batch.params).await?;
    let tags = entries(app, granted, batch.tags).await?;
    let (id, tails) = (app.append_id(), app.tails.clone());
    app.db
        .append(move |tx| {
            let place = candidates::get_active(tx, project, &eid)?.place(project);
            candidates::log_params(tx, place, &eid, &params)?;
            if !points.is_empty() {
                metrics::append(tx, &tails, place, id, &points)?;
            }
            set_tags(tx, place, &tags)
        })
        .await?;
    done()
}

async fn points_by_key(app: &App, granted: &Granted, metrics: &[(String, Point)]) -> Result<PointsByKey> {
    let names: Vec<&str> = metrics.iter().map(|(key, _)| key.as_str()).collect();
    let keys = app.keys.intern(&app.db, &app.ids, granted.project(), &names).await?;
    let mut points = PointsByKey::new();
    for (key, (_, point)) in keys.into_iter().zip(metrics) {
        points.entry(key).or_default().push(*point);
    }
    Ok(points)
}

fn set_tags(tx: &mut Tx<'_>, place: Place, tags: &[Entry]) -> Result<()> {
    candidates::set_metadata(tx, place, tags)?;
    match tags.iter().rfind(|tag| tag.name == RUN_NAME) {
        Some(tag) => candidates::rename(tx, place, &tag.value),
        None => Ok(()),
    }
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
            let place = candidates::get_active(tx, project, &eid)?.place(project);
            if candidates::delete_metadata(tx, place, &key)? {
                return Ok(());
            }
            Err(Error::not_found(format!("No tag with name: {key} in run with id {eid}")))
        })
        .await?;
    done()
}

/// The tag in which 2.x clients keep the models of a run.
const MODEL_HISTORY: &str = "mlflow.log-model.history";

#[derive(Deserialize)]
struct LogModel {
    #[serde(alias = "runId")]
    run_id: Option<String>,
    #[serde(alias = "modelJson")]
    model_json: Option<String>,
}

async fn log_model(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<LogModel>,
) -> Answer<Empty> {
    let project = granted.project();
    let eid: Eid = required_text(body.run_id, "run_id")?.parse()?;
    let model = read_model_json(&required_text(body.model_json, "model_json")?)?;
    let tag = entries(&app, &granted, vec![(MODEL_HISTORY.to_owned(), String::new())]).await?;
    app.db
        .write(move |tx| {
            let place = candidates::get_active(tx, project, &eid)?.place(project);
            let before = candidates::find_metadata(tx, place, tag[0].key)?;
            let mut models: Vec<serde_json::Value> =
                before.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
            if models.contains(&model) {
                return Ok(());
            }
            models.push(model.clone());
            let value = serde_json::Value::from(models).to_string();
            candidates::set_metadata(tx, place, &[Entry { value, ..tag[0].clone() }])
        })
        .await?;
    done()
}

fn read_model_json(text: &str) -> Result<serde_json::Value> {
    let model: serde_json::Value = serde_json::from_str(text).map_err(|error| {
        Error::invalid(format!("Malformed model info. The parameter 'model_json' is not valid JSON: {error}"))
    })?;
    for field in ["artifact_path", "flavors", "utc_time_created", "run_id"] {
        if model.get(field).is_none() {
            return Err(Error::invalid(format!(
                "Model json is missing mandatory fields: '{field}' of parameter 'model_json'"
            )));
        }
    }
    Ok(model)
}
