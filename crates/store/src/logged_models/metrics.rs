//! Metrics of logged models: the latest value per name, dataset and candidate in which it was measured.

use std::collections::{BTreeMap, HashMap};

use modelry_core::Result;
use modelry_core::ids::{LoggedModelEid, LoggedModelId, ProjectId};
use modelry_core::points::normalise;
use modelry_db::Tx;

use super::Deleted;
use crate::sql;

/// A metric of a logged model, as it is logged in a candidate.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The model.
    pub model: LoggedModelEid,
    /// The metric, and the dataset and candidate it was measured in.
    pub metric: Metric,
}

/// A metric of a logged model.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// The metric's name.
    pub name: String,
    /// The value. Stored as finite, with 0 for NaN, as MLflow does for models.
    pub value: f64,
    /// The step it was logged for.
    pub step: i64,
    /// When it was logged, by the client's clock, in milliseconds.
    pub timestamp: i64,
    /// Name of the dataset it was measured on; empty for none.
    pub dataset_name: String,
    /// Digest of that dataset; empty for none.
    pub dataset_digest: String,
    /// The public id of the candidate that logged it.
    pub candidate_eid: String,
}

/// A row's key but for the project: what there is one value of.
type Place<'m> = (LoggedModelId, &'m str, &'m str, &'m str, &'m str);

/// Keeps, of each metric, the latest value: the greatest by step, timestamp and value.
///
/// Deleted models are measured on; fails with `NotFound` when there never was such a model.
pub fn attach_metrics(tx: &mut Tx<'_>, project: ProjectId, measured: &[Measured]) -> Result<()> {
    let mut ids = HashMap::new();
    // Rows are written in the order of their keys, so that two requests never wait for each other in a circle.
    let mut latest: BTreeMap<Place<'_>, (i64, i64, f64)> = BTreeMap::new();
    for Measured { model, metric } in measured {
        let id = match ids.get(model.as_str()) {
            Some(id) => *id,
            None => super::get(tx, project, model, Deleted::Shown)?.id,
        };
        ids.insert(model.as_str(), id);
        let place: Place<'_> =
            (id, &metric.name, &metric.dataset_name, &metric.dataset_digest, &metric.candidate_eid);
        let value = if metric.value.is_nan() { 0.0 } else { normalise(metric.value) };
        let fresh = (metric.step, metric.timestamp, value);
        let kept = latest.entry(place).or_insert(fresh);
        if fresh > *kept {
            *kept = fresh;
        }
    }
    for (place, point) in latest {
        upsert(tx, project, place, point)?;
    }
    Ok(())
}

fn upsert(tx: &mut Tx<'_>, project: ProjectId, place: Place<'_>, point: (i64, i64, f64)) -> Result<()> {
    let (id, name, dataset_name, dataset_digest, candidate_eid) = place;
    let (step, timestamp, value) = point;
    tx.execute(
        "INSERT INTO logged_model_metrics
            (project_id, logged_model_id, name, dataset_name, dataset_digest, candidate_eid, value, step,
             recorded_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (project_id, logged_model_id, name, dataset_name, dataset_digest, candidate_eid) DO UPDATE
            SET value = excluded.value, step = excluded.step, recorded_at = excluded.recorded_at
          WHERE (excluded.step, excluded.recorded_at, excluded.value)
              > (logged_model_metrics.step, logged_model_metrics.recorded_at, logged_model_metrics.value)",
        &[&project.0, &id.0, &name, &dataset_name, &dataset_digest, &candidate_eid, &value, &step, &timestamp],
    )?;
    Ok(())
}

/// The metrics of some models, sorted by name.
pub(super) fn rows(
    tx: &mut Tx<'_>,
    project: ProjectId,
    chunk: &[i64],
) -> Result<Vec<(LoggedModelId, Metric)>> {
    let places = sql::placeholders(2, chunk.len());
    tx.query(
        &format!(
            "SELECT logged_model_id, name, dataset_name, dataset_digest, candidate_eid, value, step, recorded_at
             FROM logged_model_metrics
             WHERE project_id = $1 AND logged_model_id IN ({places})
             ORDER BY logged_model_id, name, dataset_name, dataset_digest, candidate_eid"
        ),
        &sql::bind(&[&project.0], chunk),
        |row| {
            let metric = Metric {
                name: row.get(1)?,
                dataset_name: row.get(2)?,
                dataset_digest: row.get(3)?,
                candidate_eid: row.get(4)?,
                value: row.get(5)?,
                step: row.get(6)?,
                timestamp: row.get(7)?,
            };
            Ok((LoggedModelId(row.get(0)?), metric))
        },
    )
}
