//! What was logged to candidates, read for whole pages of them at once.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use modelry_core::Result;
use modelry_core::ids::{CandidateId, KeyId, ProjectId};
use modelry_db::{Row, Tx};

use crate::keys::Keys;
use crate::sql;

/// The latest value of a metric of a candidate.
#[derive(Clone, Debug, PartialEq)]
pub struct LatestMetric {
    /// The metric's key.
    pub key: Arc<str>,
    /// The value; NaN where the latest point is NaN.
    pub value: f64,
    /// The step it was logged for.
    pub step: i64,
    /// When it was logged, by the client's clock.
    pub timestamp: i64,
    /// The least number logged, if any was one.
    pub minimum: Option<f64>,
    /// The greatest number logged, if any was one.
    pub maximum: Option<f64>,
}

/// What was logged to a candidate, each list sorted by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Logged {
    /// The latest value of each metric.
    pub metrics: Vec<LatestMetric>,
    /// Params.
    pub params: Vec<(Arc<str>, String)>,
    /// Metadata.
    pub metadata: Vec<(Arc<str>, String)>,
}

/// What was logged to these candidates; one that logged nothing is there with empty lists.
pub fn logged(
    tx: &mut Tx<'_>,
    keys: &Keys,
    project: ProjectId,
    ids: &[CandidateId],
) -> Result<HashMap<CandidateId, Logged>> {
    let numbers: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let mut metrics = Vec::new();
    let mut params = Vec::new();
    let mut metadata = Vec::new();
    for chunk in sql::padded(&numbers) {
        let among = format!("project_id = $1 AND candidate_id IN ({})", sql::placeholders(2, chunk.len()));
        let latest =
            "SELECT candidate_id, key_id, value, step, recorded_at, minimum, maximum FROM metric_latest";
        let texts =
            ["params", "metadata"].map(|table| format!("SELECT candidate_id, key_id, value FROM {table}"));
        let queries = [latest, &texts[0], &texts[1]].map(|select| format!("{select} WHERE {among}"));
        let values = sql::bind(&[&project.0], &chunk);
        tx.query_all(&queries.each_ref().map(|query| (query.as_str(), values.as_slice())), |index, row| {
            match index {
                0 => metrics.push(read_latest(row)?),
                1 => params.push(read_text(row)?),
                _ => metadata.push(read_text(row)?),
            }
            Ok(())
        })?;
    }
    let used = metrics.iter().map(|row| row.1);
    let used = used.chain(params.iter().chain(&metadata).map(|row| row.1));
    let names = keys.names(tx, project, used.collect::<BTreeSet<_>>())?;
    let mut all: HashMap<CandidateId, Logged> = ids.iter().map(|id| (*id, Logged::default())).collect();
    for (candidate, key, metric) in metrics {
        let metric = LatestMetric { key: names[&key].clone(), ..metric };
        all.entry(candidate).or_default().metrics.push(metric);
    }
    for (candidate, key, value) in params {
        all.entry(candidate).or_default().params.push((names[&key].clone(), value));
    }
    for (candidate, key, value) in metadata {
        all.entry(candidate).or_default().metadata.push((names[&key].clone(), value));
    }
    for logged in all.values_mut() {
        logged.metrics.sort_by(|a, b| a.key.cmp(&b.key));
        logged.params.sort();
        logged.metadata.sort();
    }
    Ok(all)
}

fn read_latest(row: &Row<'_>) -> Result<(CandidateId, KeyId, LatestMetric)> {
    let metric = LatestMetric {
        key: Arc::default(),
        value: row.get::<Option<f64>>(2)?.unwrap_or(f64::NAN),
        step: row.get(3)?,
        timestamp: row.get(4)?,
        minimum: row.get(5)?,
        maximum: row.get(6)?,
    };
    Ok((CandidateId(row.get(0)?), KeyId(row.get(1)?), metric))
}

fn read_text(row: &Row<'_>) -> Result<(CandidateId, KeyId, String)> {
    Ok((CandidateId(row.get(0)?), KeyId(row.get(1)?), row.get(2)?))
}
