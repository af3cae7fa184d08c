//! What is in the bin.

use modelry_core::ids::ProjectId;
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::Tx;

use super::{Made, TABLES, Thing};

/// Something in the bin, with what people know it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InBin {
    /// The thing.
    pub thing: Thing,
    /// Its name; of a version the model's name and the version.
    pub name: String,
    /// Since when it is in the bin.
    pub deleted_at: Timestamp,
}

/// The thing of this kind, which is called as in URLs, and number. Fails with `NotFound` for an unknown kind.
pub fn thing(kind: &str, id: i64) -> Result<Thing> {
    let (_, thing) = of_kind(kind)?;
    Ok(thing(id))
}

fn of_kind(kind: &str) -> Result<(&'static str, Made)> {
    TABLES.into_iter().find(|(table, _)| *table == kind).ok_or_else(|| {
        let kinds = TABLES.map(|(table, _)| table).join(", ");
        Error::not_found(format!("there is nothing called `{kind}` in the bin: it has {kinds}"))
    })
}

/// Up to `limit` things of a kind that are in the bin, the last deleted first, those behind `after`: a time and a number.
pub fn list(
    tx: &mut Tx<'_>,
    project: ProjectId,
    kind: &str,
    after: Option<(Timestamp, i64)>,
    limit: i64,
) -> Result<Vec<InBin>> {
    let (table, thing) = of_kind(kind)?;
    let (from, name) = match table {
        "versions" => (
            "versions t INNER JOIN models m
               ON m.project_id = t.project_id AND m.id = t.model_id AND m.deleted_at IS NULL",
            "m.name || ' ' || t.version",
        ),
        "models" => ("models t", "t.name"),
        "experiments" => ("experiments t", "t.name"),
        "candidates" => ("candidates t", "t.name"),
        _ => ("logged_models t", "t.name"),
    };
    let only = if table == "versions" { "AND t.purged_at IS NULL" } else { "" };
    let (deleted_at, id) = after.unwrap_or((Timestamp(i64::MAX), i64::MAX));
    tx.query(
        &format!(
            "SELECT t.id, {name}, t.deleted_at FROM {from}
              WHERE t.project_id = $1 AND t.deleted_at IS NOT NULL {only}
                AND t.deleted_at <= $2 AND (t.deleted_at < $2 OR t.id < $3)
              ORDER BY t.deleted_at DESC, t.id DESC LIMIT $4"
        ),
        &[&project.0, &deleted_at.0, &id, &limit],
        |row| Ok(InBin { thing: thing(row.get(0)?), name: row.get(1)?, deleted_at: Timestamp(row.get(2)?) }),
    )
}

/// Up to `limit` things of each kind that are in the bin since before `cutoff`, the oldest first.
pub fn expired(tx: &mut Tx<'_>, cutoff: Timestamp, limit: i64) -> Result<Vec<(ProjectId, Thing)>> {
    let mut found = Vec::new();
    // What is greater first: it takes with it what is less.
    for (table, thing) in TABLES.into_iter().rev() {
        let only = if table == "versions" { "AND purged_at IS NULL" } else { "" };
        // An experiment that was made with a model in the bin goes with that.
        let alone = if table == "experiments" {
            "AND NOT EXISTS (SELECT 1 FROM models m
                              WHERE m.project_id = experiments.project_id AND m.experiment_id = experiments.id)"
        } else {
            ""
        };
        found.extend(tx.query(
            &format!(
                "SELECT project_id, id FROM {table} WHERE deleted_at IS NOT NULL AND deleted_at < $1 {only} {alone}
                  ORDER BY deleted_at LIMIT $2"
            ),
            &[&cutoff.0, &limit],
            |row| Ok((ProjectId(row.get(0)?), thing(row.get(1)?))),
        )?);
    }
    Ok(found)
}
