//! What may change of a version after it was made.

use modelry_core::ids::{ProjectId, VersionId};
use modelry_core::time::Timestamp;
use modelry_core::version::stage::Stage;
use modelry_core::{Error, Result};
use modelry_db::Tx;

use super::aliases::{self, Mover};
use super::number::{self, next_free};
use super::{COLUMNS, FROM, ModelVersion, read_row};
use crate::models;

/// Metadata that says which version it is, and so never says something else.
const VERSION_METADATA: [&str; 2] = ["gitlab.version", "modelry.version"];

/// Sets what is said of a version.
pub fn set_description(
    tx: &mut Tx<'_>,
    project: ProjectId,
    version: ModelVersion,
    description: &str,
    now: Timestamp,
) -> Result<ModelVersion> {
    tx.execute(
        "UPDATE versions SET description = $3, updated_at = $4 WHERE project_id = $1 AND id = $2",
        &[&project.0, &version.id.0, &description, &now.0],
    )?;
    Ok(ModelVersion { description: description.to_owned(), updated_at: now, ..version })
}

/// Moves a version to a stage. With `archive_others`, the versions that are in that stage go to `Archived`.
pub fn set_stage(
    tx: &mut Tx<'_>,
    project: ProjectId,
    version: ModelVersion,
    (stage, archive_others): (Stage, bool),
    now: Timestamp,
) -> Result<ModelVersion> {
    if archive_others {
        tx.execute(
            "UPDATE versions SET stage = $5, updated_at = $6
             WHERE project_id = $1 AND id <> $3 AND deleted_at IS NULL
               AND id IN (SELECT i.id FROM versions i WHERE i.project_id = $1 AND i.model_id = $2 AND i.stage = $4)",
            &[
                &project.0,
                &version.model_id.0,
                &version.id.0,
                &stage.as_str(),
                &Stage::Archived.as_str(),
                &now.0,
            ],
        )?;
    }
    tx.execute(
        "UPDATE versions SET stage = $3, updated_at = $4 WHERE project_id = $1 AND id = $2",
        &[&project.0, &version.id.0, &stage.as_str(), &now.0],
    )?;
    models::touch(tx, project, version.model_id, now)?;
    Ok(ModelVersion { stage, updated_at: now, ..version })
}

/// Whether a version is to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Nothing speaks against it.
    Fine,
    /// It should not be used any more; it is found as before.
    Deprecated,
    /// It must not be used any more: only who names it exactly finds it.
    Yanked,
}

/// Says whether a version is to be used, and why not.
pub fn set_advice(
    tx: &mut Tx<'_>,
    project: ProjectId,
    version: ModelVersion,
    (advice, warning): (Advice, &str),
    now: Timestamp,
) -> Result<ModelVersion> {
    let deprecated_at = (advice == Advice::Deprecated).then(|| version.deprecated_at.unwrap_or(now));
    let yanked_at = (advice == Advice::Yanked).then(|| version.yanked_at.unwrap_or(now));
    tx.execute(
        "UPDATE versions SET deprecated_at = $3, yanked_at = $4, warning = $5, updated_at = $6
         WHERE project_id = $1 AND id = $2",
        &[
            &project.0,
            &version.id.0,
            &deprecated_at.map(|time| time.0),
            &yanked_at.map(|time| time.0),
            &warning,
            &now.0,
        ],
    )?;
    models::touch(tx, project, version.model_id, now)?;
    Ok(ModelVersion { deprecated_at, yanked_at, warning: warning.to_owned(), updated_at: now, ..version })
}

/// Puts a version into the bin, and removes the aliases that point at it.
pub fn delete(tx: &mut Tx<'_>, project: ProjectId, version: &ModelVersion, mover: &Mover) -> Result<()> {
    aliases::delete_all_of(tx, project, version, mover)?;
    tx.execute(
        "UPDATE versions SET deleted_at = $3, updated_at = $3 WHERE project_id = $1 AND id = $2",
        &[&project.0, &version.id.0, &mover.now.0],
    )?;
    models::touch(tx, project, version.model_id, mover.now)
}

/// Takes a version out of the bin. Fails with `Conflict` when its semantic version was given to another one in between;
/// that of a draft may have been published by another one, which is in the bin itself by now.
pub fn restore(tx: &mut Tx<'_>, project: ProjectId, id: VersionId, now: Timestamp) -> Result<ModelVersion> {
    let found = tx.query_opt(
        &format!(
            "SELECT {COLUMNS} {FROM} AND v.project_id = $1 AND v.id = $2 AND v.deleted_at IS NOT NULL
                AND v.purged_at IS NULL"
        ),
        &[&project.0, &id.0],
        read_row,
    )?;
    let version = found.ok_or_else(|| Error::not_found(format!("no version {id} is in the bin")))?;
    let taken = tx.query_opt(
        "SELECT number FROM versions
         WHERE project_id = $1 AND model_id = $2 AND version = $3 AND deleted_at IS NULL",
        &[&project.0, &version.model_id.0, &version.version.to_string()],
        |row| row.get::<i64>(0),
    )?;
    if let Some(other) = taken {
        let free = next_free(tx, project, version.model_id)?;
        return Err(Error::conflict(format!(
            "version {} cannot be restored: number {other} has that version by now. The next free one is {free}",
            version.label()
        )));
    }
    if version.is_draft() && number::was_published(tx, project, version.model_id, &version.version)? {
        let free = next_free(tx, project, version.model_id)?;
        return Err(Error::conflict(format!(
            "draft {} cannot be restored: that version was published by another one, and is not given again. The next \
             free one is {free}",
            version.label()
        )));
    }
    tx.execute(
        "UPDATE versions SET deleted_at = NULL, updated_at = $3 WHERE project_id = $1 AND id = $2",
        &[&project.0, &id.0, &now.0],
    )?;
    Ok(ModelVersion { deleted_at: None, updated_at: now, ..version })
}

/// Sets one metadata value; the last write wins. Fails with `Invalid` where it would say that the version is another.
pub fn set_metadata(
    tx: &mut Tx<'_>,
    project: ProjectId,
    version: &ModelVersion,
    (name, value): (&str, &str),
    now: Timestamp,
) -> Result<()> {
    if VERSION_METADATA.contains(&name) && value != version.version.to_string() {
        return Err(Error::invalid(format!(
            "{name} cannot be set to {value:?}: this is version {}, which stays so; make another version instead",
            version.version
        )));
    }
    write_metadata(tx, project, version.id, name, value)?;
    touch(tx, project, version.id, now)
}

pub(super) fn write_metadata(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: VersionId,
    name: &str,
    value: &str,
) -> Result<()> {
    tx.execute(
        "INSERT INTO version_metadata (project_id, version_id, name, value)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (project_id, version_id, name) DO UPDATE SET value = excluded.value",
        &[&project.0, &id.0, &name, &value],
    )?;
    Ok(())
}

/// Removes one metadata value; answers whether it was there.
pub fn delete_metadata(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: VersionId,
    name: &str,
    now: Timestamp,
) -> Result<bool> {
    let deleted = tx.execute(
        "DELETE FROM version_metadata WHERE project_id = $1 AND version_id = $2 AND name = $3",
        &[&project.0, &id.0, &name],
    )?;
    touch(tx, project, id, now)?;
    Ok(deleted > 0)
}

fn touch(tx: &mut Tx<'_>, project: ProjectId, id: VersionId, now: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE versions SET updated_at = $3 WHERE project_id = $1 AND id = $2 AND updated_at < $3",
        &[&project.0, &id.0, &now.0],
    )?;
    Ok(())
}
