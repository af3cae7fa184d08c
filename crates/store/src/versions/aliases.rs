//! Aliases: names that point at one version each, and where they pointed before.

use std::collections::HashMap;

use modelry_core::ids::{ModelId, ProjectId, UserId, VersionId};
use modelry_core::time::Timestamp;
use modelry_core::{Error, Kind, Result};
use modelry_db::Tx;

use super::ModelVersion;
use super::find::find_by_id;
use crate::models::{self, Model};
use crate::sql;

/// Who moves an alias, when and why.
#[derive(Clone, Debug)]
pub struct Mover {
    /// An id for the row in the alias's history, from [`crate::ids::Ids::append_id`].
    pub append_id: i64,
    /// The user, if known.
    pub user: Option<UserId>,
    /// Why, in the user's words; empty where nothing was said.
    pub reason: String,
    /// Whether the user may move protected aliases.
    pub may_move_protected: bool,
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
    /// The version's semantic version.
    pub semantic_version: String,
    /// Whether only those may move it who may move protected ones.
    pub is_protected: bool,
}

/// Points an alias of the version's model at the version; it points nowhere else then.
pub fn set_alias(
    tx: &mut Tx<'_>,
    project: ProjectId,
    version: &ModelVersion,
    name: &str,
    mover: &Mover,
) -> Result<()> {
    let before = target(tx, project, version.model_id, name)?;
    if before == Some(version.id) {
        return Ok(());
    }
    refuse_protected(tx, project, version.model_id, name, mover)?;
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
    mover: &Mover,
) -> Result<bool> {
    let Some(before) = target(tx, project, model.id, name)? else { return Ok(false) };
    refuse_protected(tx, project, model.id, name, mover)?;
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
    mover: &Mover,
) -> Result<()> {
    let names = tx.query(
        "SELECT name FROM aliases WHERE project_id = $1 AND version_id = $2 ORDER BY name",
        &[&project.0, &version.id.0],
        |row| row.get::<String>(0),
    )?;
    for name in &names {
        refuse_protected(tx, project, version.model_id, name, mover)?;
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

fn refuse_protected(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: ModelId,
    name: &str,
    mover: &Mover,
) -> Result<()> {
    if mover.may_move_protected || !is_protected(tx, project, model, name)? {
        return Ok(());
    }
    Err(is_protected_error(name))
}

/// Fails with `Forbidden` where a protected alias of the model points anywhere and `mover` may not move those: deleting
/// the model would remove it.
pub fn refuse_protected_of(tx: &mut Tx<'_>, project: ProjectId, model: &Model, mover: &Mover) -> Result<()> {
    let aliases = aliases(tx, project, &[model.id])?.remove(&model.id).unwrap_or_default();
    match aliases.into_iter().find(|alias| alias.is_protected) {
        Some(alias) if !mover.may_move_protected => Err(is_protected_error(&alias.name)),
        _ => Ok(()),
    }
}

fn is_protected_error(name: &str) -> Error {
    Error::new(Kind::Forbidden, format!("the alias {name} is protected: only maintainers may move it"))
}

/// Whether an alias of a model is protected, whether or not it points anywhere.
fn is_protected(tx: &mut Tx<'_>, project: ProjectId, model: ModelId, name: &str) -> Result<bool> {
    tx.query_one(
        "SELECT EXISTS (SELECT 1 FROM protected_aliases
                         WHERE project_id = $1 AND model_id = $2 AND name = $3)",
        &[&project.0, &model.0, &name],
        |row| row.get(0),
    )
}

/// Protects an alias of a model, or ends that. Who calls it has checked that the user may.
pub fn protect_alias(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: &Model,
    name: &str,
    protected: bool,
) -> Result<()> {
    let sql = if protected {
        "INSERT INTO protected_aliases (project_id, model_id, name) VALUES ($1, $2, $3)
         ON CONFLICT (project_id, model_id, name) DO NOTHING"
    } else {
        "DELETE FROM protected_aliases WHERE project_id = $1 AND model_id = $2 AND name = $3"
    };
    tx.execute(sql, &[&project.0, &model.id.0, &name])?;
    Ok(())
}

/// One move of an alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Its id; ids rise with time.
    pub id: i64,
    /// The semantic version and the sequence number where it pointed before; `None` is nowhere.
    pub from: Option<(String, i64)>,
    /// The semantic version and the sequence number where it points afterwards; `None` is nowhere.
    pub to: Option<(String, i64)>,
    /// The name of the user, if known.
    pub username: Option<String>,
    /// When.
    pub moved_at: Timestamp,
    /// Why, in the user's words.
    pub reason: String,
}

/// Where an alias was moved, the newest move first, those before the move `before`.
pub fn alias_history(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: &Model,
    name: &str,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Move>> {
    tx.query(
        "SELECT a.id, f.version, f.number, t.version, t.number, u.username, a.moved_at, a.reason
           FROM alias_moves a
           LEFT JOIN versions f ON f.project_id = a.project_id AND f.id = a.from_version_id
           LEFT JOIN versions t ON t.project_id = a.project_id AND t.id = a.to_version_id
           LEFT JOIN users u ON u.id = a.user_id
          WHERE a.project_id = $1 AND a.model_id = $2 AND a.name = $3 AND a.id < $4
          ORDER BY a.id DESC LIMIT $5",
        &[&project.0, &model.id.0, &name, &before.unwrap_or(i64::MAX), &limit],
        |row| {
            let version = |at: usize| {
                let text: Option<String> = row.get(at)?;
                Ok::<_, Error>(text.zip(row.get::<Option<i64>>(at + 1)?))
            };
            Ok(Move {
                id: row.get(0)?,
                from: version(1)?,
                to: version(3)?,
                username: row.get(5)?,
                moved_at: Timestamp(row.get(6)?),
                reason: row.get(7)?,
            })
        },
    )
}

/// The version where an alias pointed after one of its moves.
///
/// Fails with `NotFound` when it has no such move, and with `Conflict` when it pointed nowhere, or the version is gone.
pub fn target_after(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: &Model,
    (name, move_id): (&str, i64),
) -> Result<ModelVersion> {
    let target = tx.query_opt(
        "SELECT to_version_id FROM alias_moves
          WHERE project_id = $1 AND model_id = $2 AND name = $3 AND id = $4",
        &[&project.0, &model.id.0, &name, &move_id],
        |row| row.get::<Option<i64>>(0),
    )?;
    let target = target.ok_or_else(|| Error::not_found(format!("the alias {name} has no move {move_id}")))?;
    let gone =
        || Error::conflict(format!("the alias {name} pointed nowhere then, or its version is deleted"));
    find_by_id(tx, project, VersionId(target.ok_or_else(gone)?))?.ok_or_else(gone)
}

fn note_move(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: ModelId,
    name: &str,
    (from, to): (Option<VersionId>, Option<VersionId>),
    mover: &Mover,
) -> Result<()> {
    tx.execute(
        "INSERT INTO alias_moves
            (project_id, model_id, name, id, from_version_id, to_version_id, user_id, moved_at, reason)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            &project.0,
            &model.0,
            &name,
            &mover.append_id,
            &from.map(|id| id.0),
            &to.map(|id| id.0),
            &mover.user.map(|id| id.0),
            &mover.now.0,
            &mover.reason,
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
                "SELECT a.model_id, a.name, a.version_id, v.number, v.version, EXISTS
                    (SELECT 1 FROM protected_aliases p
                      WHERE p.project_id = a.project_id AND p.model_id = a.model_id AND p.name = a.name)
                 FROM aliases a
                 CROSS JOIN versions v
                 WHERE v.project_id = a.project_id AND v.id = a.version_id
                   AND a.project_id = $1 AND a.model_id IN ({places})
                 ORDER BY a.model_id, a.name"
            ),
            &sql::bind(&[&project.0], &chunk),
            |row| {
                let alias = Alias {
                    name: row.get(1)?,
                    version: VersionId(row.get(2)?),
                    number: row.get(3)?,
                    semantic_version: row.get(4)?,
                    is_protected: row.get(5)?,
                };
                all.entry(ModelId(row.get(0)?)).or_default().push(alias);
                Ok(())
            },
        )?;
    }
    Ok(all)
}
