//! Logged models as the protocol answers them.

use modelry_core::Result;
use modelry_core::ids::{LoggedModelId, ProjectId};
use modelry_db::Tx;
use modelry_store::logged_models::{self, Details, LoggedModel, Metric};
use modelry_store::versions;
use serde::Serialize;

use super::super::views::Text;
use super::super::wire::Double;

/// MLflow's `LoggedModel`.
#[derive(Debug, Serialize)]
pub(super) struct LoggedModelView {
    info: Info,
    data: Data,
}

/// MLflow's `LoggedModelInfo`.
#[derive(Debug, Serialize)]
struct Info {
    model_id: String,
    experiment_id: String,
    name: String,
    creation_timestamp_ms: i64,
    last_updated_timestamp_ms: i64,
    artifact_uri: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    creator_id: Option<i64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    model_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_run_id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Text>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    registrations: Vec<Registration>,
}

/// MLflow's `LoggedModelRegistrationInfo`: a version that was made from a logged model.
#[derive(Debug, Serialize)]
struct Registration {
    name: String,
    version: String,
}

/// MLflow's `LoggedModelData`.
#[derive(Debug, Serialize)]
struct Data {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    params: Vec<Text>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<MetricView>,
}

/// MLflow's `Metric`, of a logged model.
#[derive(Debug, Serialize)]
struct MetricView {
    key: String,
    value: Double,
    timestamp: i64,
    step: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    dataset_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    dataset_digest: String,
    model_id: String,
    run_id: String,
}

impl LoggedModelView {
    /// The models, in their order, with what was logged to them.
    pub(super) fn read_all(
        tx: &mut Tx<'_>,
        project: ProjectId,
        models: Vec<LoggedModel>,
    ) -> Result<Vec<Self>> {
        let ids: Vec<LoggedModelId> = models.iter().map(|model| model.id).collect();
        let mut details = logged_models::details(tx, project, &ids)?;
        let eids: Vec<String> = models.iter().map(|model| model.eid.clone()).collect();
        let mut versions = versions::of_logged_models(tx, project, &eids)?;
        let view = |model: LoggedModel| {
            let details = details.remove(&model.id).unwrap_or_default();
            let versions = versions.remove(&model.eid).unwrap_or_default();
            Self::new(model, details, versions)
        };
        Ok(models.into_iter().map(view).collect())
    }

    fn new(model: LoggedModel, details: Details, versions: Vec<(String, i64)>) -> Self {
        let registration = |(name, number): (String, i64)| Registration { name, version: number.to_string() };
        let metric = |metric: Metric| MetricView {
            key: metric.name,
            value: Double(metric.value),
            timestamp: metric.timestamp,
            step: metric.step,
            dataset_name: metric.dataset_name,
            dataset_digest: metric.dataset_digest,
            model_id: model.eid.clone(),
            run_id: metric.candidate_eid,
        };
        let metrics = details.metrics.into_iter().map(metric).collect();
        Self {
            data: Data { params: Text::list(details.params), metrics },
            info: Info {
                artifact_uri: model.artifact_uri(),
                model_id: model.eid,
                experiment_id: model.experiment_id.to_string(),
                name: model.name,
                creation_timestamp_ms: model.created_at.ms(),
                last_updated_timestamp_ms: model.updated_at.ms(),
                status: model.status.as_str(),
                creator_id: model.creator_id.map(|user| user.0),
                model_type: model.model_type,
                source_run_id: model.source_eid,
                tags: Text::list(details.metadata),
                registrations: versions.into_iter().map(registration).collect(),
            },
        }
    }
}
