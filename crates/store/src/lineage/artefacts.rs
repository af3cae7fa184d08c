//! Where datasets and logged models come from, and what they were used for.

use modelry_core::Result;
use modelry_core::ids::{DatasetId, LoggedModelEid, ProjectId};
use modelry_core::lineage::{Node, Relation};
use modelry_db::Tx;

use super::finds::Finds;
use super::{refer, versions};
use crate::files::Owner;
use crate::logged_models::{self, Deleted};

/// Whether a project has this dataset.
pub(super) fn has_dataset(tx: &mut Tx<'_>, project: ProjectId, id: DatasetId) -> Result<bool> {
    let found = tx.query_opt(
        "SELECT id FROM datasets WHERE project_id = $1 AND id = $2",
        &[&project.0, &id.0],
        |row| row.get::<i64>(0),
    )?;
    Ok(found.is_some())
}

/// The place that the data comes from.
pub(super) fn above_dataset(tx: &mut Tx<'_>, finds: &mut Finds<'_>, id: DatasetId) -> Result<()> {
    let address = tx.query_opt(
        "SELECT address FROM datasets WHERE project_id = $1 AND id = $2",
        &[&finds.project().0, &id.0],
        |row| row.get::<Option<String>>(0),
    )?;
    if let Some(address) = address.flatten() {
        finds.add(Relation::Used, Node::Source(address));
    }
    Ok(())
}

/// The candidates that used it.
pub(super) fn below_dataset(tx: &mut Tx<'_>, finds: &mut Finds<'_>, id: DatasetId) -> Result<()> {
    let candidates = tx.query(USERS_OF, &[&finds.project().0, &id.0, &finds.limit()], |row| row.get(0))?;
    finds.add_candidates(Relation::Used, candidates);
    Ok(())
}

pub(super) const USERS_OF: &str = "SELECT candidate_id FROM candidate_datasets
     WHERE project_id = $1 AND dataset_id = $2
     ORDER BY candidate_id
     LIMIT $3";

/// The candidates that made it.
pub(super) fn above_logged_model(tx: &mut Tx<'_>, finds: &mut Finds<'_>, eid: &LoggedModelEid) -> Result<()> {
    let project = finds.project();
    let Some(model) = logged_models::find(tx, project, eid, Deleted::Shown)? else { return Ok(()) };
    if let Some(source) = model.source_eid {
        finds.add(Relation::Produced, refer::to_candidate(tx, project, source)?);
    }
    let makers = noted_by(tx, finds, eid.as_str(), "candidate_model_outputs")?;
    finds.add_candidates(Relation::Produced, makers);
    Ok(())
}

/// The candidates that used it, and the versions that were made from it.
pub(super) fn below_logged_model(tx: &mut Tx<'_>, finds: &mut Finds<'_>, eid: &LoggedModelEid) -> Result<()> {
    let Some(model) = logged_models::find(tx, finds.project(), eid, Deleted::Shown)? else { return Ok(()) };
    let users = noted_by(tx, finds, eid.as_str(), "candidate_model_inputs")?;
    finds.add_candidates(Relation::Used, users);
    let registered = versions::ids(tx, finds, "logged_model_eid = $2", &eid.as_str())?;
    finds.add_versions(Relation::RegisteredAs, registered);
    let registered = versions::made_from(tx, finds, Owner::LoggedModel(model.id))?;
    finds.add_versions(Relation::RegisteredAs, registered);
    Ok(())
}

/// The logged models that name a candidate of this public id as their source, be there one or not.
pub(super) fn models_of(tx: &mut Tx<'_>, finds: &Finds<'_>, eid: &str) -> Result<Vec<Option<Node>>> {
    tx.query(MODELS_OF, &[&finds.project().0, &eid, &finds.limit()], refer::read_logged_model)
}

pub(super) const MODELS_OF: &str = "SELECT l.eid, l.id FROM logged_models i CROSS JOIN logged_models l
     WHERE i.project_id = $1 AND i.source_eid = $2 AND l.project_id = i.project_id AND l.id = i.id
     ORDER BY i.id
     LIMIT $3";

/// The candidates that note a logged model, known or not, in `candidate_model_inputs` or `candidate_model_outputs`.
pub(super) fn noted_by(tx: &mut Tx<'_>, finds: &Finds<'_>, eid: &str, table: &str) -> Result<Vec<i64>> {
    tx.query(&noted_by_sql(table), &[&finds.project().0, &eid, &finds.limit()], |row| row.get(0))
}

pub(super) fn noted_by_sql(table: &str) -> String {
    format!(
        "SELECT candidate_id FROM {table}
         WHERE project_id = $1 AND model_eid = $2
         ORDER BY candidate_id
         LIMIT $3"
    )
}
