//! Experiments and runs as the protocol answers them.

use std::sync::Arc;

use modelry_store::candidates::{Candidate, LatestMetric, Logged};
use modelry_store::experiments::Experiment;
use serde::Serialize;

use super::lineage::{Inputs, Lineage, Outputs};
use super::wire::Double;

/// `active` or `deleted`.
fn lifecycle_stage(deleted: bool) -> &'static str {
    if deleted { "deleted" } else { "active" }
}

/// A key and a text.
#[derive(Debug, Serialize)]
pub(super) struct Text {
    pub(super) key: String,
    pub(super) value: String,
}

impl Text {
    /// A list of them.
    pub(super) fn list(pairs: Vec<(String, String)>) -> Vec<Self> {
        pairs.into_iter().map(|(key, value)| Self { key, value }).collect()
    }
}

/// MLflow's `Experiment`.
#[derive(Debug, Serialize)]
pub(super) struct ExperimentView {
    experiment_id: String,
    name: String,
    artifact_location: String,
    lifecycle_stage: &'static str,
    last_update_time: i64,
    creation_time: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Text>,
}

impl ExperimentView {
    /// The experiment with its metadata.
    pub(super) fn new(experiment: Experiment, metadata: Vec<(String, String)>) -> Self {
        Self {
            experiment_id: experiment.id.to_string(),
            artifact_location: format!("mlflow-artifacts:/{}", experiment.artifact_root()),
            name: experiment.name,
            lifecycle_stage: lifecycle_stage(experiment.deleted_at.is_some()),
            last_update_time: experiment.updated_at.ms(),
            creation_time: experiment.created_at.ms(),
            tags: Text::list(metadata),
        }
    }
}

/// MLflow's `RunInfo`.
#[derive(Debug, Serialize)]
pub(super) struct RunInfo {
    run_id: String,
    run_uuid: String,
    run_name: String,
    experiment_id: String,
    user_id: String,
    status: &'static str,
    start_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<i64>,
    artifact_uri: String,
    lifecycle_stage: &'static str,
}

impl From<Candidate> for RunInfo {
    fn from(candidate: Candidate) -> Self {
        Self {
            artifact_uri: candidate.artifact_uri(),
            run_id: candidate.eid.clone(),
            run_uuid: candidate.eid,
            run_name: candidate.name,
            experiment_id: candidate.experiment_id.to_string(),
            user_id: candidate.user_name,
            status: candidate.status.as_str(),
            start_time: candidate.start_time,
            end_time: candidate.end_time,
            lifecycle_stage: lifecycle_stage(candidate.deleted_at.is_some()),
        }
    }
}

/// MLflow's `Metric`.
#[derive(Debug, Serialize)]
pub(super) struct MetricView {
    pub(super) key: Arc<str>,
    pub(super) value: Double,
    pub(super) timestamp: i64,
    pub(super) step: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) run_id: Option<Arc<str>>,
}

impl From<LatestMetric> for MetricView {
    fn from(metric: LatestMetric) -> Self {
        Self {
            key: metric.key,
            value: Double(metric.value),
            timestamp: metric.timestamp,
            step: metric.step,
            run_id: None,
        }
    }
}

/// A key and a text whose key is shared.
#[derive(Debug, Serialize)]
struct SharedText {
    key: Arc<str>,
    value: String,
}

/// MLflow's `RunData`.
#[derive(Debug, Default, Serialize)]
struct RunData {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<MetricView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    params: Vec<SharedText>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<SharedText>,
}

impl From<Logged> for RunData {
    fn from(logged: Logged) -> Self {
        let texts = |pairs: Vec<(Arc<str>, String)>| {
            pairs.into_iter().map(|(key, value)| SharedText { key, value }).collect()
        };
        Self {
            metrics: logged.metrics.into_iter().map(MetricView::from).collect(),
            params: texts(logged.params),
            tags: texts(logged.metadata),
        }
    }
}

/// MLflow's `Run`.
#[derive(Debug, Serialize)]
pub(super) struct RunView {
    info: RunInfo,
    data: RunData,
    inputs: Inputs,
    #[serde(skip_serializing_if = "Outputs::is_empty")]
    outputs: Outputs,
}

impl RunView {
    /// A run with what was logged to it, and what it read and made.
    pub(super) fn new(candidate: Candidate, logged: Logged, lineage: Lineage) -> Self {
        let Lineage { inputs, outputs } = lineage;
        Self { info: candidate.into(), data: logged.into(), inputs, outputs }
    }
}
