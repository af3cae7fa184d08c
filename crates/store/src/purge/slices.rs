//! The rest of what was purged, slice by slice.

use modelry_core::Result;
use modelry_core::ids::{CandidateId, LoggedModelId, ProjectId, VersionId};
use modelry_core::time::Timestamp;
use modelry_db::Tx;

use super::{Made, Thing, note};
use crate::files::{self, Deleted, Owner, Tree};

/// When what is purged had its last use of bytes: long ago, so that those are collected at once.
const LONG_AGO: Timestamp = Timestamp(0);

/// Removes up to about `limit` rows of the rest of a thing.
pub fn slice(tx: &mut Tx<'_>, project: ProjectId, thing: Thing, limit: i64) -> Result<Deleted> {
    let (kind, id) = thing.columns();
    let rest = match thing {
        Thing::Candidate(candidate) => of_candidate(tx, project, candidate, limit)?,
        Thing::LoggedModel(model) => {
            let tables = ["logged_model_params", "logged_model_metadata", "logged_model_metrics"];
            let tables = tables.map(|table| (table, "logged_model_id", "name"));
            of_owner(tx, Tree { project, owner: Owner::LoggedModel(model) }, id, &tables, limit)?
        }
        Thing::Version(version) => {
            let tables = [
                ("version_metadata", "version_id", "name"),
                ("version_records", "version_id", "version_id"),
                ("pulls", "version_id", "user_id"),
            ];
            of_owner(tx, Tree { project, owner: Owner::Version(version) }, id, &tables, limit)?
        }
        Thing::Model(_) => of_model(tx, project, id, limit)?,
        Thing::Experiment(_) => of_experiment(tx, project, id, limit)?,
    };
    if rest == Deleted::All {
        tx.execute(
            "DELETE FROM purges WHERE project_id = $1 AND kind = $2 AND id = $3",
            &[&project.0, &kind, &id],
        )?;
    }
    Ok(rest)
}

fn of_candidate(tx: &mut Tx<'_>, project: ProjectId, id: CandidateId, limit: i64) -> Result<Deleted> {
    // Versions go on telling clients the run's id.
    tx.execute(
        "UPDATE versions SET candidate_id = NULL WHERE project_id = $1 AND candidate_id = $2",
        &[&project.0, &id.0],
    )?;
    let tables = [
        ("params", "candidate_id", "key_id"),
        ("metadata", "candidate_id", "key_id"),
        ("metric_latest", "candidate_id", "key_id"),
        ("metric_tail", "candidate_id", "id"),
        ("metric_block", "candidate_id", "first_ts"),
        ("candidate_datasets", "candidate_id", "dataset_id"),
        ("candidate_model_inputs", "candidate_id", "model_eid"),
        ("candidate_model_outputs", "candidate_id", "model_eid"),
    ];
    of_owner(tx, Tree { project, owner: Owner::Candidate(id) }, id.0, &tables, limit)
}

/// Removes files, then rows of the tables, each with the column that names the owner, and one that tells its rows apart.
fn of_owner(
    tx: &mut Tx<'_>,
    tree: Tree,
    id: i64,
    tables: &[(&str, &str, &str)],
    limit: i64,
) -> Result<Deleted> {
    if files::delete(tx, tree, None, limit, LONG_AGO)? == Deleted::Some {
        return Ok(Deleted::Some);
    }
    for table in tables {
        if rows(tx, tree.project, id, *table, limit)? == Deleted::Some {
            return Ok(Deleted::Some);
        }
    }
    Ok(Deleted::All)
}

fn rows(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: i64,
    (table, owner, key): (&str, &str, &str),
    limit: i64,
) -> Result<Deleted> {
    let deleted = tx.execute(
        &format!(
            "DELETE FROM {table}
              WHERE project_id = $1 AND {owner} = $2
                AND {key} IN (SELECT i.{key} FROM {table} i WHERE i.project_id = $1 AND i.{owner} = $2 LIMIT $3)"
        ),
        &[&project.0, &id, &limit],
    )?;
    Ok(if deleted > 0 { Deleted::Some } else { Deleted::All })
}

fn of_model(tx: &mut Tx<'_>, project: ProjectId, id: i64, limit: i64) -> Result<Deleted> {
    // Its versions one by one: their rows first, so that each is found once.
    let versions: Vec<i64> = tx.query(
        "SELECT id FROM versions WHERE project_id = $1 AND model_id = $2 ORDER BY number LIMIT $3",
        &[&project.0, &id, &limit],
        |row| row.get(0),
    )?;
    for version in &versions {
        tx.execute("DELETE FROM versions WHERE project_id = $1 AND id = $2", &[&project.0, version])?;
        note(tx, project, Thing::Version(VersionId(*version)))?;
    }
    if !versions.is_empty() {
        return Ok(Deleted::Some);
    }
    for (table, key) in [
        ("model_metadata", "name"),
        ("model_bases", "base"),
        ("aliases", "name"),
        ("alias_moves", "id"),
        ("protected_aliases", "name"),
        ("published_versions", "version"),
    ] {
        if rows(tx, project, id, (table, "model_id", key), limit)? == Deleted::Some {
            return Ok(Deleted::Some);
        }
    }
    Ok(Deleted::All)
}

fn of_experiment(tx: &mut Tx<'_>, project: ProjectId, id: i64, limit: i64) -> Result<Deleted> {
    let children: [(&str, Made); 2] = [
        ("candidates", |id| Thing::Candidate(CandidateId(id))),
        ("logged_models", |id| Thing::LoggedModel(LoggedModelId(id))),
    ];
    for (table, thing) in children {
        let found: Vec<i64> = tx.query(
            &format!("SELECT id FROM {table} WHERE project_id = $1 AND experiment_id = $2 LIMIT $3"),
            &[&project.0, &id, &limit],
            |row| row.get(0),
        )?;
        for child in &found {
            tx.execute(
                &format!("DELETE FROM {table} WHERE project_id = $1 AND id = $2"),
                &[&project.0, child],
            )?;
            note(tx, project, thing(*child))?;
        }
        if !found.is_empty() {
            return Ok(Deleted::Some);
        }
    }
    for table in [("experiment_metadata", "experiment_id", "name"), ("datasets", "experiment_id", "id")] {
        if rows(tx, project, id, table, limit)? == Deleted::Some {
            return Ok(Deleted::Some);
        }
    }
    Ok(Deleted::All)
}
