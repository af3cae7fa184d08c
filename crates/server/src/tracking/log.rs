//! Logging to a candidate: metrics, params and metadata, all of it or nothing.

use std::collections::HashSet;

use modelry_core::ids::{Eid, LoggedModelEid, ProjectId};
use modelry_core::points::Point;
use modelry_core::points::tail::PointsByKey;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::candidates::{self, Entry, Place};
use modelry_store::logged_models::{self, Measured};
use modelry_store::metrics;

use super::entries;
use crate::App;
use crate::registry::RUN_NAME;

/// A metric, checked.
pub(crate) struct Logged {
    /// Its key.
    pub(crate) key: String,
    /// Its value, with time and step.
    pub(crate) point: Point,
    /// What it says of a logged model.
    pub(crate) measured: Option<MeasuredOn>,
}

/// The logged model whose metric it is too, and the dataset it was measured on.
pub(crate) struct MeasuredOn {
    /// The public id of the model.
    pub(crate) model: LoggedModelEid,
    /// The name of the dataset; empty for none.
    pub(crate) dataset_name: String,
    /// The digest of that dataset; empty for none.
    pub(crate) dataset_digest: String,
}

impl Logged {
    /// The metric as the logged model's, if it is one of a model.
    fn of_model(&self, candidate: &Eid) -> Option<Measured> {
        let measured = self.measured.as_ref()?;
        let metric = logged_models::Metric {
            name: self.key.clone(),
            value: self.point.value(),
            step: self.point.step(),
            timestamp: self.point.timestamp(),
            dataset_name: measured.dataset_name.clone(),
            dataset_digest: measured.dataset_digest.clone(),
            candidate_eid: candidate.to_string(),
        };
        Some(Measured { model: measured.model.clone(), metric })
    }
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
pub(crate) struct Batch {
    /// Metrics.
    pub(crate) metrics: Vec<Logged>,
    /// Params, by key.
    pub(crate) params: Vec<(String, String)>,
    /// Metadata, by key; of equal keys the last one counts.
    pub(crate) metadata: Vec<(String, String)>,
}

/// Logs a batch to an active candidate: all of it or nothing.
pub(crate) async fn log(app: &App, project: ProjectId, eid: Eid, batch: Batch) -> Result<()> {
    refuse_repeated(&batch.params)?;
    let points = points_by_key(app, project, &batch.metrics).await?;
    let measured: Vec<Measured> = batch.metrics.iter().filter_map(|metric| metric.of_model(&eid)).collect();
    let params = entries(app, project, batch.params).await?;
    let metadata = entries(app, project, batch.metadata).await?;
    let (id, tails) = (app.append_id(), app.tails.clone());
    app.db
        .append(move |tx| {
            let place = candidates::get_active_place(tx, project, &eid)?;
            candidates::log_params(tx, place, &eid, &params)?;
            if !points.is_empty() {
                metrics::append(tx, &tails, place, id, &points)?;
            }
            logged_models::attach_metrics(tx, project, &measured)?;
            set_metadata(tx, place, &metadata)
        })
        .await
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

fn set_metadata(tx: &mut Tx<'_>, place: Place, metadata: &[Entry]) -> Result<()> {
    // The candidate's row before its metadata, as a change of both does: two orders could wait for each other in a circle.
    if let Some(named) = metadata.iter().rfind(|entry| entry.name == RUN_NAME) {
        candidates::rename(tx, place, &named.value)?;
    }
    candidates::set_metadata(tx, place, metadata)
}
