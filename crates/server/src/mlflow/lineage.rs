//! What runs read and made, as the protocol answers it.

use std::collections::HashMap;
use std::sync::Arc;

use modelry_core::Result;
use modelry_core::ids::{CandidateId, ProjectId};
use modelry_db::Tx;
use modelry_store::datasets::{self, Dataset, DatasetInput, ModelOutput};
use serde::{Serialize, Serializer};

use super::views::Text;

/// MLflow's `RunInputs` and `RunOutputs` of a run.
#[derive(Debug, Default)]
pub(super) struct Lineage {
    pub(super) inputs: Inputs,
    pub(super) outputs: Outputs,
}

impl Lineage {
    /// What these runs read and made; a run that noted nothing is not there.
    pub(super) fn read(
        tx: &mut Tx<'_>,
        project: ProjectId,
        ids: &[CandidateId],
    ) -> Result<HashMap<CandidateId, Self>> {
        let mut all: HashMap<CandidateId, Self> = HashMap::new();
        for (id, inputs) in datasets::inputs(tx, project, ids)? {
            all.entry(id).or_default().inputs = inputs.into();
        }
        for (id, outputs) in datasets::outputs(tx, project, ids)? {
            all.entry(id).or_default().outputs = outputs.into();
        }
        Ok(all)
    }
}

/// MLflow's `RunInputs`; in an answer even when it is empty.
#[derive(Debug, Default, Serialize)]
pub(super) struct Inputs {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dataset_inputs: Vec<DatasetInputView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    model_inputs: Vec<ModelView>,
}

/// MLflow's `RunOutputs`.
#[derive(Debug, Default, Serialize)]
pub(super) struct Outputs {
    model_outputs: Vec<ModelView>,
}

impl Outputs {
    /// Whether the run made nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.model_outputs.is_empty()
    }
}

/// MLflow's `DatasetInput`.
#[derive(Debug, Serialize)]
struct DatasetInputView {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Text>,
    #[serde(serialize_with = "write_dataset")]
    dataset: Arc<Dataset>,
}

/// MLflow's `Dataset`.
#[derive(Serialize)]
struct DatasetView<'d> {
    name: &'d str,
    digest: &'d str,
    source_type: &'d str,
    source: &'d str,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<&'d str>,
}

fn write_dataset<S: Serializer>(dataset: &Dataset, serializer: S) -> Result<S::Ok, S::Error> {
    let view = DatasetView {
        name: &dataset.name,
        digest: &dataset.digest,
        source_type: &dataset.source_type,
        source: &dataset.source,
        schema: dataset.schema.as_deref(),
        profile: dataset.profile.as_deref(),
    };
    view.serialize(serializer)
}

/// MLflow's `ModelInput` and, with a step, `ModelOutput`.
#[derive(Debug, Serialize)]
struct ModelView {
    model_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<i64>,
}

impl From<datasets::Inputs> for Inputs {
    fn from(inputs: datasets::Inputs) -> Self {
        let dataset =
            |input: DatasetInput| DatasetInputView { tags: Text::list(input.tags), dataset: input.dataset };
        Self {
            dataset_inputs: inputs.datasets.into_iter().map(dataset).collect(),
            model_inputs: inputs
                .models
                .into_iter()
                .map(|model_id| ModelView { model_id, step: None })
                .collect(),
        }
    }
}

impl From<Vec<ModelOutput>> for Outputs {
    fn from(outputs: Vec<ModelOutput>) -> Self {
        let output = |output: ModelOutput| ModelView { model_id: output.model_eid, step: Some(output.step) };
        Self { model_outputs: outputs.into_iter().map(output).collect() }
    }
}
