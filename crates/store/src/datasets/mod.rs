//! What candidates read and made: datasets and logged models.
//!
//! A dataset belongs to an experiment and is the same one when name and digest are; logging it again changes nothing
//! but the tags of its use.

mod list;
mod read;

use std::collections::BTreeMap;

use modelry_core::ids::DatasetId;
use modelry_core::lineage::dataset_address;
use modelry_core::{Error, Result};
use modelry_db::Tx;

use crate::candidates::Place;
use crate::sql;

pub use list::{Listed, Use, find, list, list_uses};
pub use read::{DatasetInput, Inputs, Summary, inputs, outputs, search_datasets};

/// The tag of an input that says what the dataset was used for, such as `training`.
pub const CONTEXT_TAG: &str = "mlflow.data.context";

/// A dataset, as the client described it.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Its name.
    pub name: String,
    /// What tells its content from that of another of this name.
    pub digest: String,
    /// What kind of source it comes from.
    pub source_type: String,
    /// Where it comes from, in a form that the kind of source decides.
    pub source: String,
    /// Its columns, as JSON, if known.
    pub schema: Option<String>,
    /// Figures about it, as JSON, if known.
    pub profile: Option<String>,
}

/// A use of a dataset, as it is logged.
#[derive(Clone, Debug)]
pub struct NewInput {
    /// The number that the dataset gets if its experiment does not know it yet.
    pub id: DatasetId,
    /// The dataset.
    pub dataset: Dataset,
    /// Tags of this use of it.
    pub tags: Vec<(String, String)>,
}

/// A logged model that a candidate made.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelOutput {
    /// The public id of the model, as sent.
    pub model_eid: String,
    /// The step it was made at.
    pub step: i64,
}

/// Notes what an active candidate reads: datasets, and logged models by public id. What is noted already stays, and
/// tags of a dataset's use are added to those it has.
pub fn log_inputs(tx: &mut Tx<'_>, place: Place, datasets: &[NewInput], models: &[String]) -> Result<()> {
    for input in datasets {
        let dataset = find_or_insert(tx, place, input)?;
        use_dataset(tx, place, dataset, &input.tags)?;
    }
    for model in models {
        tx.execute(
            "INSERT INTO candidate_model_inputs (project_id, candidate_id, model_eid)
             VALUES ($1, $2, $3)
             ON CONFLICT (project_id, candidate_id, model_eid) DO NOTHING",
            &[&place.project.0, &place.candidate.0, model],
        )?;
    }
    Ok(())
}

fn find_or_insert(tx: &mut Tx<'_>, place: Place, input: &NewInput) -> Result<DatasetId> {
    let dataset = &input.dataset;
    let address = dataset_address(&dataset.source_type, &dataset.source);
    tx.execute(
        "INSERT INTO datasets
            (project_id, id, experiment_id, name, digest, source_type, source, schema, profile, address,
             address_sort)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (project_id, experiment_id, name, digest) DO NOTHING",
        &[
            &place.project.0,
            &input.id.0,
            &place.experiment.0,
            &dataset.name,
            &dataset.digest,
            &dataset.source_type,
            &dataset.source,
            &dataset.schema,
            &dataset.profile,
            &address,
            &address.as_deref().map(sql::sort_prefix),
        ],
    )?;
    tx.query_one(
        "SELECT id FROM datasets WHERE project_id = $1 AND experiment_id = $2 AND name = $3 AND digest = $4",
        &[&place.project.0, &place.experiment.0, &dataset.name, &dataset.digest],
        |row| row.get(0).map(DatasetId),
    )
}

fn use_dataset(tx: &mut Tx<'_>, place: Place, dataset: DatasetId, tags: &[(String, String)]) -> Result<()> {
    let before = tx.query_opt(
        "SELECT tags FROM candidate_datasets WHERE project_id = $1 AND candidate_id = $2 AND dataset_id = $3",
        &[&place.project.0, &place.candidate.0, &dataset.0],
        |row| row.get::<String>(0),
    )?;
    let mut all = before.as_deref().map_or(Ok(BTreeMap::new()), read_tags)?;
    all.extend(tags.iter().cloned());
    tx.execute(
        "INSERT INTO candidate_datasets (project_id, candidate_id, dataset_id, context, tags)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (project_id, candidate_id, dataset_id) DO UPDATE
            SET context = excluded.context, tags = excluded.tags",
        &[&place.project.0, &place.candidate.0, &dataset.0, &all.get(CONTEXT_TAG), &write_tags(&all)],
    )?;
    Ok(())
}

fn write_tags(tags: &BTreeMap<String, String>) -> String {
    serde_json::to_string(tags).expect("texts by name have a JSON form")
}

fn read_tags(json: &str) -> Result<BTreeMap<String, String>> {
    serde_json::from_str(json)
        .map_err(|error| Error::internal("the tags of a dataset's use are not JSON").with_source(error))
}

/// Notes which logged models an active candidate made. Fails when one of them is noted already, as MLflow does.
pub fn log_outputs(tx: &mut Tx<'_>, place: Place, models: &[ModelOutput]) -> Result<()> {
    for output in models {
        let inserted = tx.execute(
            "INSERT INTO candidate_model_outputs (project_id, candidate_id, model_eid, step)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (project_id, candidate_id, model_eid) DO NOTHING",
            &[&place.project.0, &place.candidate.0, &output.model_eid, &output.step],
        )?;
        if inserted == 0 {
            return Err(Error::invalid(format!(
                "the logged model {} is an output of this run already",
                output.model_eid
            )));
        }
    }
    Ok(())
}
