//! Aliases: names that point at one version each, and where they pointed before.

use std::collections::HashMap;

use modelry_core::Result;
use modelry_core::ids::{ModelId, ProjectId, UserId, VersionId};
use modelry_core::time::Timestamp;
use modelry_db::Tx;

use super::ModelVersion;
use crate::models::{self, Model};
use crate::sql;

/// Who moves an alias, and when.
#[derive(Clone, Copy, Debug)]
pub struct Mover {
    /// An id for the row in the alias's history, from [`crate::ids::Ids::append_id`].
    pub append_id: i64,
    /// The user, if known.
    pub user: Option<UserId>,
    /// Now.
    pub now: Timestamp,
}

/// An alias and the version that it points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// Its name.
    pub name: String,
    /// The version.
    pub version: VersionId,
    /// The version's sequence number.
    pub number: i64,
}

/// Points an alias of the version's model at the version; it points nowhere else then.
pub fn set_alias(
    tx: &mut Tx<'_>,
    project: ProjectId,
    version: &ModelVersion,
    name: &str,
    mover: Mover,
) -> Result<()> {
    let before = target(tx, project, version.model_id, name)?;
    if before == Some(version.id) {
        return Ok(());
    }
    tx.execute(
        "INSERT INTO aliases (project_id, model_id, name, version_id)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (project_id, model_id, name) DO UPDATE SET version_id = excluded.version_id",
        &[&project.0, &version.model_id.0, &name, &version.id.0],
    )?;
    note_move(tx, project, version.model_id, name, (before, Some(version.id)), mover)?;
    models::touch(tx, project, version.model_id, mover.now)
}

/// Removes an alias of a model; answers whether it was there.
pub fn delete_alias(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: &Model,
    name: &str,
    mover: Mover,
) -> Result<bool> {
    let Some(before) = target(tx, project, model.id, name)? else { return Ok(false) };
    tx.execute(
        "DELETE FROM aliases WHERE project_id = $1 AND model_id = $2 AND name = $3",
        &[&project.0, &model.id.0, &name],
    )?;
    note_move(tx, project, model.id, name, (Some(before), None), mover)?;
    models::touch(tx, project, model.id, mover.now)?;
    Ok(true)
}

/// Removes all aliases that point at a version.
pub(super) fn delete_all_of(
    tx: &mut Tx<'_>,
    project: ProjectId,
    version: &ModelVersion,
    mover: Mover,
) -> Result<()> {
    let names = tx.query(
        "SELECT name FROM aliases WHERE project_id = $1 AND version_id = $2 ORDER BY name",
        &[&project.0, &version.id.0],
        |row| row.get::<String>(0),
    )?;
    for name in &names {
        note_move(tx, project, version.model_id, name, (Some(version.id), None), mover)?;
    }
    tx.execute(
        "DELETE FROM aliases WHERE project_id = $1 AND version_id = $2",
        &[&project.0, &version.id.0],
    )?;
    Ok(())
}

/// The version that an alias points at.
pub(super) fn target(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: ModelId,
    name: &str,
) -> Result<Option<VersionId>> {
    tx.query_opt(
        "SELECT version_id FROM aliases WHERE project_id = $1 AND model_id = $2 AND name = $3",
        &[&project.0, &model.0, &name],
        |row| row.get(0).map(VersionId),
    )
}

fn note_move(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: ModelId,
    name: &str,
    (from, to): (Option<VersionId>, Option<VersionId>),
    mover: Mover,
) -> Result<()> {
    tx.execute(
        "INSERT INTO alias_moves
            (project_id, model_id, name, id, from_version_id, to_version_id, user_id, moved_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &[
            &project.0,
            &model.0,
            &name,
            &mover.append_id,
            &from.map(|id| id.0),
            &to.map(|id| id.0),
            &mover.user.map(|id| id.0),
            &mover.now.0,
        ],
    )?;
    Ok(())
}

/// The aliases of some models, by name; a model without any is not there.
pub fn aliases(
    tx: &mut Tx<'_>,
    project: ProjectId,
    models: &[ModelId],
) -> Result<HashMap<ModelId, Vec<Alias>>> {
    let numbers: Vec<i64> = models.iter().map(|id| id.0).collect();
    let mut all: HashMap<ModelId, Vec<Alias>> = HashMap::new();
    for chunk in sql::padded(&numbers) {
        let places = sql::placeholders(2, chunk.len());
        tx.query_each(
            &format!(
                "SELECT a.model_id, a.name, a.version_id, v.number FROM aliases a
                 CROSS JOIN versions v
                 WHERE v.project_id = a.project_id AND v.id = a.version_id
                   AND a.project_id = $1 AND a.model_id IN ({places})
                 ORDER BY a.model_id, a.name"
            ),
            &sql::bind(&[&project.0], &chunk),
            |row| {
                let alias = Alias { name: row.get(1)?, version: VersionId(row.get(2)?), number: row.get(3)? };
                all.entry(ModelId(row.get(0)?)).or_default().push(alias);
                Ok(())
            },
        )?;
    }
    Ok(all)
}
