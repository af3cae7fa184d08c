//! What versions were made from, and what came of them.

use modelry_core::Result;
use modelry_core::ids::{CandidateId, LoggedModelId, ModelId, ProjectId, VersionId};
use modelry_core::lineage::{Node, Relation};
use modelry_db::{Param, Tx};

use super::finds::Finds;
use super::refer;
use crate::files::Owner;
use crate::{logged_models, pulls, versions};

/// Whether a project has this version, in the bin or not.
pub(super) fn exists(tx: &mut Tx<'_>, project: ProjectId, id: VersionId) -> Result<bool> {
    Ok(Origin::find(tx, project, id)?.is_some())
}

/// What a row says of where its version comes from.
struct Origin {
    model_id: ModelId,
    candidate: Option<CandidateId>,
    run_eid: Option<String>,
    logged_model_eid: Option<String>,
    source_owner: Option<Owner>,
    external_source: Option<String>,
}

impl Origin {
    fn find(tx: &mut Tx<'_>, project: ProjectId, id: VersionId) -> Result<Option<Self>> {
        tx.query_opt(
            "SELECT model_id, candidate_id, run_eid, logged_model_eid, source_owner, source_owner_id, external_source
             FROM versions WHERE project_id = $1 AND id = $2",
            &[&project.0, &id.0],
            |row| {
                let source: (Option<i64>, Option<i64>) = (row.get(4)?, row.get(5)?);
                Ok(Self {
                    model_id: ModelId(row.get(0)?),
                    candidate: row.get::<Option<i64>>(1)?.map(CandidateId),
                    run_eid: row.get(2)?,
                    logged_model_eid: row.get(3)?,
                    source_owner: source.0.zip(source.1).map(Owner::from_columns).transpose()?,
                    external_source: row.get(6)?,
                })
            },
        )
    }
}

/// Candidates, logged models and other versions that it was made from, sources outside, and the bases that its model's
/// card names.
pub(super) fn above(tx: &mut Tx<'_>, finds: &mut Finds<'_>, id: VersionId) -> Result<()> {
    let project = finds.project();
    let Some(origin) = Origin::find(tx, project, id)? else { return Ok(()) };
    match (origin.candidate, origin.run_eid) {
        (Some(candidate), _) => finds.add(Relation::RegisteredAs, Node::Candidate(candidate)),
        (None, Some(unknown)) => finds.add(Relation::RegisteredAs, Node::Source(unknown)),
        (None, None) => {}
    }
    if let Some(eid) = origin.logged_model_eid {
        finds.add(Relation::RegisteredAs, refer::to_logged_model(tx, project, eid)?);
    }
    match origin.source_owner {
        Some(Owner::Candidate(candidate)) => finds.add(Relation::RegisteredAs, Node::Candidate(candidate)),
        Some(Owner::LoggedModel(model)) => add_logged_model(tx, finds, model)?,
        Some(Owner::Version(original)) => finds.add(Relation::CopyOf, Node::Version(original)),
        Some(Owner::Project) | None => {}
    }
    if let Some(source) = origin.external_source {
        finds.add(Relation::RegisteredAs, Node::Source(source));
    }
    for base in bases(tx, finds, origin.model_id)? {
        let base = refer::to_base(tx, project, base)?;
        finds.add(Relation::BaseModel, base);
    }
    Ok(())
}

fn add_logged_model(tx: &mut Tx<'_>, finds: &mut Finds<'_>, id: LoggedModelId) -> Result<()> {
    if let Some(eid) = logged_models::find_eid(tx, finds.project(), id)? {
        finds.add(Relation::RegisteredAs, Node::LoggedModel(eid));
    }
    Ok(())
}

fn bases(tx: &mut Tx<'_>, finds: &Finds<'_>, model: ModelId) -> Result<Vec<String>> {
    tx.query(
        "SELECT base FROM model_bases WHERE project_id = $1 AND model_id = $2 ORDER BY base LIMIT $3",
        &[&finds.project().0, &model.0, &finds.limit()],
        |row| row.get(0),
    )
}

/// Copies, versions of models that have it as their base, and who fetched its files.
pub(super) fn below(tx: &mut Tx<'_>, finds: &mut Finds<'_>, id: VersionId) -> Result<()> {
    let project = finds.project();
    let copies = made_from(tx, finds, Owner::Version(id))?;
    finds.add_versions(Relation::CopyOf, copies);
    // Cards name active versions: what else they name is a text.
    if let Some(version) = versions::find_by_id(tx, project, id)? {
        for base in refer::base_texts(&version) {
            let based = based_on(tx, finds, &base)?;
            finds.add_versions(Relation::BaseModel, based);
        }
    }
    for (puller, pull) in pulls::list_of_version(tx, project, id, finds.limit())? {
        finds.add_pull(puller.node(), pull);
    }
    Ok(())
}

/// The versions of the models whose cards name this base.
pub(super) fn based_on(tx: &mut Tx<'_>, finds: &Finds<'_>, base: &str) -> Result<Vec<i64>> {
    tx.query(BASED_ON, &[&finds.project().0, &base, &finds.limit()], |row| row.get(0))
}

pub(super) const BASED_ON: &str = "SELECT v.id FROM model_bases b CROSS JOIN versions v
     WHERE b.project_id = $1 AND b.base = $2 AND v.project_id = b.project_id AND v.model_id = b.model_id
     ORDER BY b.model_id, v.number
     LIMIT $3";

/// The versions that were made from the files of this owner.
pub(super) fn made_from(tx: &mut Tx<'_>, finds: &Finds<'_>, owner: Owner) -> Result<Vec<i64>> {
    let (owner, id) = owner.columns();
    tx.query(MADE_FROM, &[&finds.project().0, &owner, &id, &finds.limit()], |row| row.get(0))
}

pub(super) const MADE_FROM: &str = "SELECT id FROM versions
     WHERE project_id = $1 AND source_owner = $2 AND source_owner_id = $3
     ORDER BY id
     LIMIT $4";

/// The condition for versions of the run `$2` that was not known.
pub(super) const OF_UNKNOWN_RUN: &str =
    "id IN (SELECT i.id FROM versions i WHERE i.project_id = $1 AND i.run_eid = $2)
     AND candidate_id IS NULL";

/// The versions that satisfy a condition on `$2`, which an index begins with.
pub(super) fn ids(
    tx: &mut Tx<'_>,
    finds: &Finds<'_>,
    condition: &str,
    value: &dyn Param,
) -> Result<Vec<i64>> {
    tx.query(&ids_sql(condition), &[&finds.project().0, value, &finds.limit()], |row| row.get(0))
}

pub(super) fn ids_sql(condition: &str) -> String {
    format!("SELECT id FROM versions WHERE project_id = $1 AND {condition} ORDER BY id LIMIT $3")
}
