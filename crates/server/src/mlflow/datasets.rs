//! The protocol's calls on what runs read and made: datasets and logged models.

use axum::extract::State;
use axum::http::Method;
use modelry_core::ids::{DatasetId, ExperimentId, ProjectId};
use modelry_core::names::check_length;
use modelry_core::{Error, Result};
use modelry_store::candidates;
use modelry_store::datasets::{self, Dataset, ModelOutput, NewInput, Summary};
use modelry_store::ids::Series;
use serde::{Deserialize, Serialize};

use super::Calls;
use super::wire::{
    Answer, Empty, Int64, Message, Pair, Reply, done, experiment_id, required, required_run, required_text,
};
use crate::App;
use crate::access::Granted;
use crate::tracking::limits::check_count;

/// Datasets that one call brings.
const DATASETS: usize = 100;

/// Tags of one use of a dataset.
const TAGS: usize = 100;

/// Logged models that one call brings.
const MODELS: usize = 900;

/// Experiments that one search for datasets names.
const EXPERIMENTS: usize = 20;

/// What a search for datasets answers at most.
const SUMMARIES: i64 = 1_000;

/// The calls and who may make them.
pub(super) fn routes(calls: Calls) -> Calls {
    calls
        .write(Method::POST, "mlflow/runs/log-inputs", log_inputs)
        .write(Method::POST, "mlflow/runs/outputs", log_outputs)
        .read(Method::POST, "mlflow/experiments/search-datasets", search)
}

#[derive(Deserialize)]
struct LogInputs {
    #[serde(alias = "runId")]
    run_id: Option<String>,
    datasets: Option<Vec<InputMessage>>,
    models: Option<Vec<ModelMessage>>,
}

/// MLflow's `DatasetInput`.
#[derive(Deserialize)]
struct InputMessage {
    tags: Option<Vec<Pair>>,
    dataset: Option<DatasetMessage>,
}

/// MLflow's `Dataset`.
#[derive(Deserialize)]
struct DatasetMessage {
    name: Option<String>,
    digest: Option<String>,
    #[serde(alias = "sourceType")]
    source_type: Option<String>,
    source: Option<String>,
    schema: Option<String>,
    profile: Option<String>,
}

impl DatasetMessage {
    fn read(self) -> Result<Dataset> {
        let dataset = Dataset {
            name: required_text(self.name, "datasets.dataset.name")?,
            digest: required_text(self.digest, "datasets.dataset.digest")?,
            source_type: required_text(self.source_type, "datasets.dataset.source_type")?,
            source: required_text(self.source, "datasets.dataset.source")?,
            schema: self.schema,
            profile: self.profile,
        };
        check_length("name", &dataset.name, 500)?;
        check_length("digest", &dataset.digest, 36)?;
        check_length("source_type", &dataset.source_type, 36)?;
        check_length("source", &dataset.source, 65_535)?;
        check_length("schema", dataset.schema.as_deref().unwrap_or_default(), 1_048_575)?;
        check_length("profile", dataset.profile.as_deref().unwrap_or_default(), 16_777_215)?;
        Ok(dataset)
    }
}

impl InputMessage {
    /// The dataset and the tags of its use, checked.
    fn read(self) -> Result<(Dataset, Vec<(String, String)>)> {
        let tags = self.tags.unwrap_or_default();
        check_count("tags", tags.len(), TAGS)?;
        let tags = tags.into_iter().map(read_tag).collect::<Result<_>>()?;
        Ok((required(self.dataset, "datasets.dataset")?.read()?, tags))
    }
}

fn read_tag(tag: Pair) -> Result<(String, String)> {
    let (key, value) = tag.read("datasets.tags")?;
    check_length("key", &key, 255)?;
    check_length("value", &value, 500)?;
    Ok((key, value))
}

/// MLflow's `ModelInput` and `ModelOutput`.
#[derive(Deserialize)]
struct ModelMessage {
    #[serde(alias = "modelId")]
    model_id: Option<String>,
    step: Option<Int64>,
}

impl ModelMessage {
    /// The public id as sent: the model may be unknown here.
    fn read(self) -> Result<ModelOutput> {
        let model_eid = required_text(self.model_id, "models.model_id")?;
        check_length("model_id", &model_eid, 256)?;
        Ok(ModelOutput { model_eid, step: self.step.map_or(0, |step| step.0) })
    }
}

async fn log_inputs(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<LogInputs>,
) -> Answer<Empty> {
    let project = granted.project();
    let eid = required_run(body.run_id, None)?;
    let (inputs, models) = (body.datasets.unwrap_or_default(), body.models.unwrap_or_default());
    check_count("datasets", inputs.len(), DATASETS)?;
    check_count("models", models.len(), MODELS)?;
    let inputs = inputs.into_iter().map(InputMessage::read).collect::<Result<Vec<_>>>()?;
    let models = models.into_iter().map(|model| Ok(model.read()?.model_eid));
    let models = models.collect::<Result<Vec<_>>>()?;
    let inputs = number(&app, project, inputs).await?;
    app.db
        .write(move |tx| {
            let place = candidates::get_active(tx, project, &eid)?.place(project);
            datasets::log_inputs(tx, place, &inputs, &models)
        })
        .await?;
    done()
}

/// Gives each dataset the number that it has if it is new.
async fn number(
    app: &App,
    project: ProjectId,
    inputs: Vec<(Dataset, Vec<(String, String)>)>,
) -> Result<Vec<NewInput>> {
    let mut numbered = Vec::with_capacity(inputs.len());
    for (dataset, tags) in inputs {
        let id = DatasetId(app.ids.next(project, Series::Dataset).await?);
        numbered.push(NewInput { id, dataset, tags });
    }
    Ok(numbered)
}

#[derive(Deserialize)]
struct LogOutputs {
    #[serde(alias = "runId")]
    run_id: Option<String>,
    models: Option<Vec<ModelMessage>>,
}

async fn log_outputs(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<LogOutputs>,
) -> Answer<Empty> {
    let project = granted.project();
    let eid = required_run(body.run_id, None)?;
    let models = required(body.models, "models")?;
    check_count("models", models.len(), MODELS)?;
    let models = models.into_iter().map(ModelMessage::read).collect::<Result<Vec<_>>>()?;
    app.db
        .write(move |tx| {
            let place = candidates::get_active(tx, project, &eid)?.place(project);
            datasets::log_outputs(tx, place, &models)
        })
        .await?;
    done()
}

#[derive(Deserialize)]
struct Search {
    #[serde(alias = "experimentIds")]
    experiment_ids: Option<Vec<String>>,
}

impl Search {
    fn experiments(self) -> Result<Vec<ExperimentId>> {
        let ids = self.experiment_ids.unwrap_or_default();
        match ids.len() {
            0 => Err(Error::invalid("SearchDatasets request must specify at least one experiment_id.")),
            1..=EXPERIMENTS => ids.iter().map(|id| experiment_id(id)).collect(),
            count => Err(Error::invalid(format!(
                "SearchDatasets request cannot specify more than {EXPERIMENTS} experiment_ids. Received {count} \
                 experiment_ids."
            ))),
        }
    }
}

/// MLflow's `DatasetSummary`.
#[derive(Serialize)]
struct SummaryView {
    experiment_id: String,
    name: String,
    digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<String>,
}

impl From<Summary> for SummaryView {
    fn from(summary: Summary) -> Self {
        Self {
            experiment_id: summary.experiment_id.to_string(),
            name: summary.name,
            digest: summary.digest,
            context: summary.context,
        }
    }
}

#[derive(Serialize)]
struct Summaries {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dataset_summaries: Vec<SummaryView>,
}

async fn search(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<Search>,
) -> Answer<Summaries> {
    let (project, experiments) = (granted.project(), body.experiments()?);
    let found =
        app.db.read(move |tx| datasets::search_datasets(tx, project, &experiments, SUMMARIES)).await?;
    Ok(Reply(Summaries { dataset_summaries: found.into_iter().map(SummaryView::from).collect() }))
}
