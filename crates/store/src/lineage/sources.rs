//! What came of commits, and of what is outside of the project or not known in it.

use modelry_core::Result;
use modelry_core::ids::{DatasetId, LoggedModelEid};
use modelry_core::lineage::{Node, Relation};
use modelry_db::Tx;

use super::finds::Finds;
use super::{artefacts, metadata, refer, versions};
use crate::sql;

/// The candidates that ran the code of a commit.
pub(super) fn below_commit(tx: &mut Tx<'_>, finds: &mut Finds<'_>, commit: &str) -> Result<()> {
    let found = metadata::in_project(tx, finds.project(), (metadata::COMMIT, commit), finds.limit())?;
    finds.add_candidates(Relation::Used, found);
    Ok(())
}

/// The candidates that say they made a logged model that the project does not know.
pub(super) fn above(tx: &mut Tx<'_>, finds: &mut Finds<'_>, text: &str) -> Result<()> {
    if may_be_logged_model(text) && is_unknown_logged_model(tx, finds, text)? {
        let makers = artefacts::noted_by(tx, finds, text, "candidate_model_outputs")?;
        finds.add_candidates(Relation::Produced, makers);
    }
    Ok(())
}

/// Datasets from there, versions of files there or of models with this base, and what refers to it as if it were a
/// candidate or logged model of the project.
pub(super) fn below(tx: &mut Tx<'_>, finds: &mut Finds<'_>, text: &str) -> Result<()> {
    below_address(tx, finds, text)?;
    if matches!(refer::to_candidate(tx, finds.project(), text.to_owned())?, Node::Source(_)) {
        below_candidate(tx, finds, text)?;
    }
    if is_unknown_logged_model(tx, finds, text)? {
        below_logged_model(tx, finds, text)?;
    }
    if matches!(refer::to_base(tx, finds.project(), text.to_owned())?, Node::Source(_)) {
        let based = versions::based_on(tx, finds, text)?;
        finds.add_versions(Relation::BaseModel, based);
    }
    Ok(())
}

fn below_address(tx: &mut Tx<'_>, finds: &mut Finds<'_>, text: &str) -> Result<()> {
    let datasets = of_text(tx, finds, "datasets", "address", text)?.into_iter();
    finds.add_all(Relation::Used, datasets.map(|id| Some(Node::Dataset(DatasetId(id)))).collect());
    let registered = of_text(tx, finds, "versions", "external_source", text)?;
    finds.add_versions(Relation::RegisteredAs, registered);
    Ok(())
}

/// The rows of a table whose column, which has an index by its start, has this text.
fn of_text(tx: &mut Tx<'_>, finds: &Finds<'_>, table: &str, column: &str, text: &str) -> Result<Vec<i64>> {
    tx.query(
        &of_text_sql(table, column),
        &[&finds.project().0, &sql::sort_prefix(text), &text, &finds.limit()],
        |row| row.get(0),
    )
}

pub(super) fn of_text_sql(table: &str, column: &str) -> String {
    format!(
        "SELECT r.id FROM {table} i CROSS JOIN {table} r
         WHERE i.project_id = $1 AND i.{column}_sort = $2
           AND r.project_id = i.project_id AND r.id = i.id AND r.{column} = $3
         ORDER BY i.id
         LIMIT $4"
    )
}

/// What refers to a candidate of this public id, which the project does not have.
fn below_candidate(tx: &mut Tx<'_>, finds: &mut Finds<'_>, eid: &str) -> Result<()> {
    let models = artefacts::models_of(tx, finds, eid)?;
    finds.add_all(Relation::Produced, models);
    let registered = versions::ids(tx, finds, versions::OF_UNKNOWN_RUN, &eid)?;
    finds.add_versions(Relation::RegisteredAs, registered);
    // A walk down may come to many unknown logged models; they are not looked for in every experiment.
    if !may_be_logged_model(eid) {
        let parent = (metadata::PARENT, eid);
        let children = metadata::in_project(tx, finds.project(), parent, finds.limit())?;
        finds.add_candidates(Relation::ChildOf, children);
    }
    Ok(())
}

/// What refers to a logged model of this public id, which the project does not have.
fn below_logged_model(tx: &mut Tx<'_>, finds: &mut Finds<'_>, eid: &str) -> Result<()> {
    if may_be_logged_model(eid) {
        let users = artefacts::noted_by(tx, finds, eid, "candidate_model_inputs")?;
        finds.add_candidates(Relation::Used, users);
    }
    let registered = versions::ids(tx, finds, "logged_model_eid = $2", &eid)?;
    finds.add_versions(Relation::RegisteredAs, registered);
    Ok(())
}

fn may_be_logged_model(text: &str) -> bool {
    text.parse::<LoggedModelEid>().is_ok()
}

fn is_unknown_logged_model(tx: &mut Tx<'_>, finds: &Finds<'_>, text: &str) -> Result<bool> {
    let node = refer::to_logged_model(tx, finds.project(), text.to_owned())?;
    Ok(matches!(node, Node::Source(_)))
}
