//! Params and metadata of candidates, as they are logged.

use modelry_core::ids::{Eid, KeyId};
use modelry_core::{Error, Result};
use modelry_db::Tx;

use super::Place;
use crate::sql;

/// A param or metadata as it is logged.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The number of its key.
    pub key: KeyId,
    /// The key.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// Logs params. A param is written once: the same value again is nothing, another value is refused.
pub fn log_params(tx: &mut Tx<'_>, place: Place, eid: &Eid, params: &[Entry]) -> Result<()> {
    for param in params {
        let inserted = tx.execute(
            "INSERT INTO params (project_id, candidate_id, key_id, experiment_id, sort, value)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (project_id, candidate_id, key_id) DO NOTHING",
            &[
                &place.project.0,
                &place.candidate.0,
                &param.key.0,
                &place.experiment.0,
                &sql::sort_prefix(&param.value),
                &param.value,
            ],
        )?;
        if inserted == 0 {
            refuse_change(tx, place, eid, param)?;
        }
    }
    Ok(())
}

fn refuse_change(tx: &mut Tx<'_>, place: Place, eid: &Eid, param: &Entry) -> Result<()> {
    let before: String = tx.query_one(
        "SELECT value FROM params WHERE project_id = $1 AND candidate_id = $2 AND key_id = $3",
        &[&place.project.0, &place.candidate.0, &param.key.0],
        |row| row.get(0),
    )?;
    if before == param.value {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "Changing param values is not allowed. Param with key='{}' was already logged with value='{before}' for run \
         ID='{eid}'. Attempted logging new value '{}'.",
        param.name, param.value
    )))
}

/// Sets metadata; the last write wins.
pub fn set_metadata(tx: &mut Tx<'_>, place: Place, metadata: &[Entry]) -> Result<()> {
    for entry in metadata {
        tx.execute(
            "INSERT INTO metadata (project_id, candidate_id, key_id, experiment_id, sort, value)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (project_id, candidate_id, key_id) DO UPDATE
                SET sort = excluded.sort, value = excluded.value",
            &[
                &place.project.0,
                &place.candidate.0,
                &entry.key.0,
                &place.experiment.0,
                &sql::sort_prefix(&entry.value),
                &entry.value,
            ],
        )?;
    }
    Ok(())
}

/// Renames an active candidate, as setting the metadata `mlflow.runName` does.
pub fn rename(tx: &mut Tx<'_>, place: Place, name: &str) -> Result<()> {
    tx.execute(
        "UPDATE candidates SET name = $3 WHERE project_id = $1 AND id = $2",
        &[&place.project.0, &place.candidate.0, &name],
    )?;
    Ok(())
}

/// One metadata value of a candidate.
pub fn find_metadata(tx: &mut Tx<'_>, place: Place, key: KeyId) -> Result<Option<String>> {
    tx.query_opt(
        "SELECT value FROM metadata WHERE project_id = $1 AND candidate_id = $2 AND key_id = $3",
        &[&place.project.0, &place.candidate.0, &key.0],
        |row| row.get(0),
    )
}

/// Removes one metadata value; answers whether it was there.
pub fn delete_metadata(tx: &mut Tx<'_>, place: Place, name: &str) -> Result<bool> {
    let deleted = tx.execute(
        "DELETE FROM metadata
         WHERE project_id = $1 AND candidate_id = $2
           AND key_id = (SELECT id FROM keys WHERE project_id = $1 AND name = $3)",
        &[&place.project.0, &place.candidate.0, &name],
    )?;
    Ok(deleted > 0)
}
