//! What candidates were made with, and what came of them.

use modelry_core::Result;
use modelry_core::ids::{CandidateId, DatasetId};
use modelry_core::lineage::{Node, Relation};
use modelry_db::Tx;

use super::finds::Finds;
use super::{artefacts, metadata, refer, versions};
use crate::candidates;
use crate::files::Owner;

/// Datasets, logged models and the commit that it used, and the candidate that it is within.
pub(super) fn above(tx: &mut Tx<'_>, finds: &mut Finds<'_>, id: CandidateId) -> Result<()> {
    let project = finds.project();
    let Some(candidate) = candidates::find(tx, project, id)? else { return Ok(()) };
    let datasets = tx.query(
        "SELECT dataset_id FROM candidate_datasets
         WHERE project_id = $1 AND candidate_id = $2
         ORDER BY dataset_id
         LIMIT $3",
        &[&project.0, &id.0, &finds.limit()],
        |row| Ok(Some(Node::Dataset(DatasetId(row.get(0)?)))),
    )?;
    finds.add_all(Relation::Used, datasets);
    let models = models(tx, finds, id, "candidate_model_inputs")?;
    finds.add_all(Relation::Used, models);
    if let Some(commit) = metadata::value(tx, project, &candidate, metadata::COMMIT)? {
        finds.add(Relation::Used, Node::Commit(commit));
    }
    if let Some(parent) = metadata::value(tx, project, &candidate, metadata::PARENT)? {
        finds.add(Relation::ChildOf, refer::to_candidate(tx, project, parent)?);
    }
    Ok(())
}

/// Logged models that it made, versions that were made from it, and candidates of its experiment that are within it.
pub(super) fn below(tx: &mut Tx<'_>, finds: &mut Finds<'_>, id: CandidateId) -> Result<()> {
    let Some(candidate) = candidates::find(tx, finds.project(), id)? else { return Ok(()) };
    let made = artefacts::models_of(tx, finds, &candidate.eid)?;
    finds.add_all(Relation::Produced, made);
    let made = models(tx, finds, id, "candidate_model_outputs")?;
    finds.add_all(Relation::Produced, made);
    let registered = versions::ids(tx, finds, "candidate_id = $2", &id.0)?;
    finds.add_versions(Relation::RegisteredAs, registered);
    let registered = versions::made_from(tx, finds, Owner::Candidate(id))?;
    finds.add_versions(Relation::RegisteredAs, registered);
    let parent = (metadata::PARENT, candidate.eid.as_str());
    let limit = finds.limit();
    let children = metadata::in_experiment(tx, finds.project(), candidate.experiment_id, parent, limit)?;
    finds.add_candidates(Relation::ChildOf, children);
    Ok(())
}

/// The logged models that a candidate says it read or made, in `candidate_model_inputs` or `candidate_model_outputs`.
fn models(tx: &mut Tx<'_>, finds: &Finds<'_>, id: CandidateId, table: &str) -> Result<Vec<Option<Node>>> {
    tx.query(&models_sql(table), &[&finds.project().0, &id.0, &finds.limit()], refer::read_logged_model)
}

pub(super) fn models_sql(table: &str) -> String {
    format!(
        "SELECT i.model_eid, l.id
         FROM {table} i LEFT JOIN logged_models l ON l.project_id = i.project_id AND l.eid = i.model_eid
         WHERE i.project_id = $1 AND i.candidate_id = $2
         ORDER BY i.model_eid
         LIMIT $3"
    )
}
