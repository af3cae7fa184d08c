//! Candidates as the API tells them, and how it names them.

use std::collections::BTreeMap;

use modelry_core::ids::{CandidateId, Eid, ProjectId};
use modelry_core::status::CandidateStatus;
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::candidates::{self, Candidate, LatestMetric, Logged};
use modelry_store::datasets::{self, DatasetInput, Inputs, ModelOutput};
use modelry_store::keys::Keys;
use serde::Serialize;
use utoipa::ToSchema;

use super::words::MetricValue;

/// A candidate (MLflow's run).
#[derive(Serialize, ToSchema)]
#[schema(as = Candidate)]
pub(super) struct CandidateView {
    /// Its number in the project.
    iid: i64,
    /// Its public id, which is MLflow's run id.
    run_id: String,
    /// The number of its experiment.
    experiment_id: i64,
    /// Its name.
    name: String,
    /// `running`, `scheduled`, `finished`, `failed` or `killed`.
    status: String,
    /// The user that the client named.
    user: String,
    /// When it started by the client's clock, in milliseconds since 1970.
    start_time: i64,
    /// When it ended by the client's clock, in milliseconds since 1970.
    end_time: Option<i64>,
    /// Params.
    params: BTreeMap<String, String>,
    /// The latest value of each metric.
    metrics: Vec<LatestView>,
    /// Metadata (MLflow's tags).
    metadata: BTreeMap<String, String>,
    /// The datasets that it used.
    datasets: Vec<UsedDataset>,
    /// The public ids of the logged models that it used.
    models_used: Vec<String>,
    /// The logged models that it made.
    models_made: Vec<MadeModel>,
    /// When it, or its experiment, was put into the bin, in milliseconds since 1970.
    deleted_at: Option<i64>,
}

/// The latest value of a metric.
#[derive(Serialize, ToSchema)]
pub(super) struct LatestView {
    /// Its key.
    key: String,
    /// Its value.
    value: MetricValue,
    /// The step it was logged for.
    step: i64,
    /// When it was logged by the client's clock, in milliseconds since 1970.
    timestamp: i64,
    /// The least number logged.
    minimum: Option<f64>,
    /// The greatest number logged.
    maximum: Option<f64>,
}

impl From<LatestMetric> for LatestView {
    fn from(metric: LatestMetric) -> Self {
        Self {
            key: metric.key.to_string(),
            value: MetricValue(metric.value),
            step: metric.step,
            timestamp: metric.timestamp,
            minimum: metric.minimum,
            maximum: metric.maximum,
        }
    }
}

/// A dataset that a candidate used.
#[derive(Serialize, ToSchema)]
pub(super) struct UsedDataset {
    /// Its number in the project.
    id: i64,
    /// Its name.
    name: String,
    /// What tells its content from that of another of this name.
    digest: String,
    /// Metadata of this use of it (MLflow's tags).
    metadata: BTreeMap<String, String>,
}

impl From<DatasetInput> for UsedDataset {
    fn from(input: DatasetInput) -> Self {
        Self {
            id: input.id.0,
            name: input.dataset.name.clone(),
            digest: input.dataset.digest.clone(),
            metadata: input.tags.into_iter().collect(),
        }
    }
}

/// A logged model that a candidate made.
#[derive(Serialize, ToSchema)]
pub(super) struct MadeModel {
    /// Its public id.
    model_id: String,
    /// The step it was made at.
    step: i64,
}

impl CandidateView {
    /// A candidate with all that was logged to it.
    pub(super) fn read(
        tx: &mut Tx<'_>,
        keys: &Keys,
        project: ProjectId,
        candidate: Candidate,
    ) -> Result<Self> {
        let views = Self::read_all(tx, keys, project, vec![candidate])?.pop();
        Ok(views.expect("there is a view of each candidate"))
    }

    /// As [`CandidateView::read`], for a page of them.
    pub(super) fn read_all(
        tx: &mut Tx<'_>,
        keys: &Keys,
        project: ProjectId,
        found: Vec<Candidate>,
    ) -> Result<Vec<Self>> {
        let ids: Vec<CandidateId> = found.iter().map(|candidate| candidate.id).collect();
        let mut logged = candidates::logged(tx, keys, project, &ids)?;
        let mut inputs = datasets::inputs(tx, project, &ids)?;
        let mut outputs = datasets::outputs(tx, project, &ids)?;
        let view = |candidate: Candidate| {
            let logged = logged.remove(&candidate.id).unwrap_or_default();
            let inputs = inputs.remove(&candidate.id).unwrap_or_default();
            let outputs = outputs.remove(&candidate.id).unwrap_or_default();
            Self::new(candidate, logged, inputs, outputs)
        };
        Ok(found.into_iter().map(view).collect())
    }

    fn new(candidate: Candidate, logged: Logged, inputs: Inputs, outputs: Vec<ModelOutput>) -> Self {
        let texts = |pairs: Vec<(std::sync::Arc<str>, String)>| {
            pairs.into_iter().map(|(key, value)| (key.to_string(), value)).collect()
        };
        let made = |output: ModelOutput| MadeModel { model_id: output.model_eid, step: output.step };
        Self {
            iid: candidate.id.0,
            run_id: candidate.eid,
            experiment_id: candidate.experiment_id.0,
            name: candidate.name,
            status: candidate.status.as_str().to_lowercase(),
            user: candidate.user_name,
            start_time: candidate.start_time,
            end_time: candidate.end_time,
            params: texts(logged.params),
            metrics: logged.metrics.into_iter().map(LatestView::from).collect(),
            metadata: texts(logged.metadata),
            datasets: inputs.datasets.into_iter().map(UsedDataset::from).collect(),
            models_used: inputs.models,
            models_made: outputs.into_iter().map(made).collect(),
            deleted_at: candidate.deleted_at.map(Timestamp::ms),
        }
    }
}

/// The candidate that a path names by its number or by its public id, in the bin or not.
pub(super) fn get(tx: &mut Tx<'_>, project: ProjectId, text: &str) -> Result<Candidate> {
    let by_number = match text.parse() {
        Ok(number) => candidates::find(tx, project, CandidateId(number))?,
        Err(_) => None,
    };
    let found = match (by_number, text.parse::<Eid>()) {
        // Imported candidates may have digits alone for a public id.
        (None, Ok(eid)) => candidates::find_by_eid(tx, project, eid.as_str())?,
        (found, _) => found,
    };
    found.ok_or_else(|| Error::not_found(format!("there is no candidate {text}")))
}

/// The public id of the candidate that a path names, as [`get`]. Fails with `Invalid` when it is in the bin.
pub(super) fn get_active(tx: &mut Tx<'_>, project: ProjectId, text: &str) -> Result<(Candidate, Eid)> {
    let candidate = get(tx, project, text)?;
    candidate.require_active()?;
    let eid = candidate.eid.parse()?;
    Ok((candidate, eid))
}

/// Reads a status, in any case.
pub(super) fn status(text: &str) -> Result<CandidateStatus> {
    text.to_uppercase().parse()
}
