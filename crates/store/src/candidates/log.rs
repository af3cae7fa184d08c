//! Params and metadata of candidates, as they are logged.

use std::collections::BTreeMap;

use modelry_core::ids::{Eid, KeyId};
use modelry_core::{Error, Result};
use modelry_db::{Param, Tx};

use super::Place;
use crate::{sql, stamps};

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
    let mut params: Vec<&Entry> = params.iter().collect();
    params.sort_by_key(|param| param.key);
    for some in sql::by_powers_of_two(&params) {
        let inserted = insert(tx, "params", place, some, "NOTHING")?;
        if inserted < some.len() as u64 {
            some.iter().try_for_each(|param| refuse_change(tx, place, eid, param))?;
        }
    }
    Ok(())
}

/// Writes rows of `params` or `metadata`, and answers how many. They come in the order of their keys, as from every
/// writer, so that no two of them wait for each other in a circle.
fn insert(tx: &mut Tx<'_>, table: &str, place: Place, entries: &[&Entry], on_conflict: &str) -> Result<u64> {
    let rows = sql::rows("$1, $2, $3, $4", 5, 3, entries.len());
    let sorts: Vec<&str> = entries.iter().map(|entry| sql::sort_prefix(&entry.value)).collect();
    let mut values: Vec<&dyn Param> =
        vec![&place.project.0, &place.candidate.0, &place.experiment.0, &place.start_time];
    for (entry, sort) in entries.iter().zip(&sorts) {
        values.extend([&entry.key.0 as &dyn Param, sort, &entry.value]);
    }
    tx.execute(
        &format!(
            "INSERT INTO {table} (project_id, candidate_id, experiment_id, start_time, key_id, sort, value)
             VALUES {rows}
             ON CONFLICT (project_id, candidate_id, key_id) DO {on_conflict}"
        ),
        &values,
    )
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
    // Of equal keys the last one stays: a statement must not write a row twice.
    let last: BTreeMap<KeyId, &Entry> = metadata.iter().map(|entry| (entry.key, entry)).collect();
    let entries: Vec<&Entry> = last.into_values().collect();
    for some in sql::by_powers_of_two(&entries) {
        insert(tx, "metadata", place, some, "UPDATE SET sort = excluded.sort, value = excluded.value")?;
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
    // A search that knows who lacks the key has to look at this candidate again. Its row goes first, as in every writer, so
    // that no two of them wait for each other in a circle.
    let stamp = stamps::next(tx.engine(), "$1", "candidates.experiment_id");
    let key = "(SELECT k.id FROM keys k WHERE k.project_id = $1 AND k.name = $3)";
    let values: [&dyn Param; 3] = [&place.project.0, &place.candidate.0, &name];
    let stamped = tx.execute(
        &format!(
            "UPDATE candidates SET stamp = {stamp} WHERE project_id = $1 AND id = $2
                AND EXISTS (SELECT 1 FROM metadata m WHERE m.project_id = $1 AND m.candidate_id = $2 AND m.key_id = {key})"
        ),
        &values,
    )?;
    if stamped == 0 {
        return Ok(false);
    }
    let delete = "DELETE FROM metadata WHERE project_id = $1 AND candidate_id = $2 AND key_id =";
    Ok(tx.execute(&format!("{delete} {key}"), &values)? > 0)
}
