//! Inputs and outputs, read for whole pages of candidates at once.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use modelry_core::ids::{CandidateId, DatasetId, ExperimentId, ProjectId};
use modelry_core::{Error, Result};
use modelry_db::{Row, Tx};

use super::{Dataset, ModelOutput, read_tags};
use crate::sql;

/// A use of a dataset by a candidate.
#[derive(Clone, Debug, PartialEq)]
pub struct DatasetInput {
    /// The number of the dataset.
    pub id: DatasetId,
    /// The dataset, shared by all candidates of a page that used it.
    pub dataset: Arc<Dataset>,
    /// Tags of this use, sorted by name.
    pub tags: Vec<(String, String)>,
}

/// What a candidate read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inputs {
    /// Datasets, in the order in which the project came to know them.
    pub datasets: Vec<DatasetInput>,
    /// Public ids of logged models.
    pub models: Vec<String>,
}

/// What these candidates read; one that noted nothing is not there.
pub fn inputs(
    tx: &mut Tx<'_>,
    project: ProjectId,
    ids: &[CandidateId],
) -> Result<HashMap<CandidateId, Inputs>> {
    let numbers: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let mut uses = Vec::new();
    let mut all: HashMap<CandidateId, Inputs> = HashMap::new();
    for chunk in sql::padded(&numbers) {
        uses.append(&mut use_rows(tx, project, &chunk)?);
        for (candidate, model) in model_input_rows(tx, project, &chunk)? {
            all.entry(candidate).or_default().models.push(model);
        }
    }
    let datasets = datasets(tx, project, uses.iter().map(|row| row.1).collect())?;
    for (candidate, id, tags) in uses {
        let dataset = datasets.get(&id).cloned();
        let dataset =
            dataset.ok_or_else(|| Error::internal("a candidate uses a dataset that is not there"))?;
        let tags = read_tags(&tags)?.into_iter().collect();
        all.entry(candidate).or_default().datasets.push(DatasetInput { id, dataset, tags });
    }
    Ok(all)
}

fn use_rows(
    tx: &mut Tx<'_>,
    project: ProjectId,
    chunk: &[i64],
) -> Result<Vec<(CandidateId, DatasetId, String)>> {
    let places = sql::placeholders(2, chunk.len());
    tx.query(
        &format!(
            "SELECT candidate_id, dataset_id, tags FROM candidate_datasets
             WHERE project_id = $1 AND candidate_id IN ({places})
             ORDER BY candidate_id, dataset_id"
        ),
        &sql::bind(&[&project.0], chunk),
        |row| Ok((CandidateId(row.get(0)?), DatasetId(row.get(1)?), row.get(2)?)),
    )
}

fn model_input_rows(
    tx: &mut Tx<'_>,
    project: ProjectId,
    chunk: &[i64],
) -> Result<Vec<(CandidateId, String)>> {
    let places = sql::placeholders(2, chunk.len());
    tx.query(
        &format!(
            "SELECT candidate_id, model_eid FROM candidate_model_inputs
             WHERE project_id = $1 AND candidate_id IN ({places})
             ORDER BY candidate_id, model_eid"
        ),
        &sql::bind(&[&project.0], chunk),
        |row| Ok((CandidateId(row.get(0)?), row.get(1)?)),
    )
}

fn datasets(
    tx: &mut Tx<'_>,
    project: ProjectId,
    ids: BTreeSet<DatasetId>,
) -> Result<HashMap<DatasetId, Arc<Dataset>>> {
    let numbers: Vec<i64> = ids.into_iter().map(|id| id.0).collect();
    let mut found = HashMap::with_capacity(numbers.len());
    for chunk in sql::padded(&numbers) {
        let places = sql::placeholders(2, chunk.len());
        tx.query_each(
            &format!(
                "SELECT id, name, digest, source_type, source, schema, profile FROM datasets
                 WHERE project_id = $1 AND id IN ({places})"
            ),
            &sql::bind(&[&project.0], &chunk),
            |row| {
                found.insert(DatasetId(row.get(0)?), Arc::new(read_row(row)?));
                Ok(())
            },
        )?;
    }
    Ok(found)
}

/// Reads the columns `id, name, digest, source_type, source, schema, profile`, but for the number.
pub(super) fn read_row(row: &Row<'_>) -> Result<Dataset> {
    Ok(Dataset {
        name: row.get(1)?,
        digest: row.get(2)?,
        source_type: row.get(3)?,
        source: row.get(4)?,
        schema: row.get(5)?,
        profile: row.get(6)?,
    })
}

/// The logged models that these candidates made, in the order of step and public id; a candidate that noted none is
/// not there.
pub fn outputs(
    tx: &mut Tx<'_>,
    project: ProjectId,
    ids: &[CandidateId],
) -> Result<HashMap<CandidateId, Vec<ModelOutput>>> {
    let numbers: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let mut all: HashMap<CandidateId, Vec<ModelOutput>> = HashMap::new();
    for chunk in sql::padded(&numbers) {
        let places = sql::placeholders(2, chunk.len());
        tx.query_each(
            &format!(
                "SELECT candidate_id, model_eid, step FROM candidate_model_outputs
                 WHERE project_id = $1 AND candidate_id IN ({places})
                 ORDER BY candidate_id, step, model_eid"
            ),
            &sql::bind(&[&project.0], &chunk),
            |row| {
                let output = ModelOutput { model_eid: row.get(1)?, step: row.get(2)? };
                all.entry(CandidateId(row.get(0)?)).or_default().push(output);
                Ok(())
            },
        )?;
    }
    Ok(all)
}

/// A dataset and one of the things it was used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The experiment it belongs to.
    pub experiment_id: ExperimentId,
    /// Its name.
    pub name: String,
    /// Its digest.
    pub digest: String,
    /// What it was used for, if a candidate said so.
    pub context: Option<String>,
}

/// The datasets used in these experiments, once for each context, sorted; at most `limit`.
pub fn search_datasets(
    tx: &mut Tx<'_>,
    project: ProjectId,
    experiments: &[ExperimentId],
    limit: i64,
) -> Result<Vec<Summary>> {
    if experiments.is_empty() {
        return Ok(Vec::new());
    }
    let numbers: Vec<i64> = experiments.iter().map(|id| id.0).collect();
    let places = sql::placeholders(3, numbers.len());
    tx.query(
        &format!(
            "SELECT DISTINCT d.experiment_id, d.name, d.digest, coalesce(u.context, '')
             FROM datasets d CROSS JOIN candidate_datasets u
             WHERE d.project_id = $1 AND d.experiment_id IN ({places})
               AND u.project_id = $1 AND u.dataset_id = d.id
             ORDER BY d.experiment_id, d.name, d.digest, coalesce(u.context, '')
             LIMIT $2"
        ),
        &sql::bind(&[&project.0, &limit], &numbers),
        |row| {
            Ok(Summary {
                experiment_id: ExperimentId(row.get(0)?),
                name: row.get(1)?,
                digest: row.get(2)?,
                context: Some(row.get::<String>(3)?).filter(|context| !context.is_empty()),
            })
        },
    )
}
