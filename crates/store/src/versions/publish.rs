//! From draft to published.

use modelry_core::artifact_path::ArtifactPath;
use modelry_core::ids::{CandidateId, ProjectId, VersionId};
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::Tx;

use super::find::find_by_id;
use super::number::next_free;
use super::step::require_step;
use super::{COLUMNS, FROM, ModelVersion, OF_CANDIDATE, read_row, record};
use crate::files::{self, Owner, Tree};
use crate::models;

/// Where a version's files are: a draft's among the artifacts of its candidate, others in a tree of their own. `None`
/// for a draft without a candidate.
pub fn place(project: ProjectId, version: &ModelVersion) -> Result<Option<(Tree, Option<ArtifactPath>)>> {
    if !version.is_draft() {
        return Ok(Some((Tree { project, owner: Owner::Version(version.id) }, None)));
    }
    let Some(candidate) = version.candidate_id else { return Ok(None) };
    let dir = version.draft_dir.as_deref().map(str::parse).transpose()?;
    Ok(Some((Tree { project, owner: Owner::Candidate(candidate) }, dir)))
}

/// Publishes a draft: takes a snapshot of its files, which do not change any more.
///
/// Publishing again changes nothing. Fails with `Conflict` when there are no files.
pub fn publish(
    tx: &mut Tx<'_>,
    project: ProjectId,
    version: ModelVersion,
    now: Timestamp,
) -> Result<ModelVersion> {
    if !version.is_draft() {
        return Ok(version);
    }
    let own = Tree { project, owner: Owner::Version(version.id) };
    let copied = match place(project, &version)? {
        Some((tree, dir)) => files::snapshot(tx, tree, dir.as_ref(), own)?,
        None => 0,
    };
    if copied == 0 {
        return Err(Error::conflict(format!(
            "version {} of model {} has no files yet: log or upload them first",
            version.version, version.model
        )));
    }
    tx.execute(
        "UPDATE versions SET published_at = $3, updated_at = $3 WHERE project_id = $1 AND id = $2",
        &[&project.0, &version.id.0, &now.0],
    )?;
    models::touch(tx, project, version.model_id, now)?;
    let published = ModelVersion { published_at: Some(now), updated_at: now, ..version };
    note_published(tx, project, &published)?;
    Ok(published)
}

/// The error for a write to the files of a version that is published.
pub fn is_published(tx: &mut Tx<'_>, project: ProjectId, id: VersionId) -> Result<Error> {
    let Some(version) = find_by_id(tx, project, id)? else {
        return Ok(Error::not_found(format!("there is no model version {id}")));
    };
    let free = next_free(tx, project, version.model_id)?;
    Ok(Error::conflict(format!(
        "version {} of model {} is published, so its files do not change any more. The next free version is {free}",
        version.version, version.model
    )))
}

/// Notes that a version is published, so that its semantic version is never given to other bytes, and what its candidate
/// holds at this moment. Fails with `Conflict` where the project refuses its step.
pub(super) fn note_published(tx: &mut Tx<'_>, project: ProjectId, version: &ModelVersion) -> Result<()> {
    require_step(tx, project, version)?;
    tx.execute(
        "INSERT INTO published_versions (project_id, model_id, version)
         VALUES ($1, $2, $3)
         ON CONFLICT (project_id, model_id, version) DO NOTHING",
        &[&project.0, &version.model_id.0, &version.version.to_string()],
    )?;
    match version.candidate_id {
        Some(candidate) => record::write(tx, project, version.id, candidate),
        None => Ok(()),
    }
}

/// Publishes the drafts that a candidate was made for, now that it has ended well; one without files stays a draft.
pub fn publish_drafts_of(
    tx: &mut Tx<'_>,
    project: ProjectId,
    candidate: CandidateId,
    now: Timestamp,
) -> Result<Vec<VersionId>> {
    let drafts = tx.query(
        &format!(
            "SELECT {COLUMNS} {FROM} AND v.project_id = $1 AND v.id IN ({OF_CANDIDATE})
                AND v.published_at IS NULL AND v.deleted_at IS NULL AND m.deleted_at IS NULL
              ORDER BY v.id"
        ),
        &[&project.0, &candidate.0],
        read_row,
    )?;
    let mut published = Vec::new();
    for draft in drafts {
        let Some((tree, dir)) = place(project, &draft)? else { continue };
        if has_files(tx, tree, dir.as_ref())? {
            published.push(publish(tx, project, draft, now)?.id);
        }
    }
    Ok(published)
}

/// Whether there are files below `dir`, or the one file at `dir`.
fn has_files(tx: &mut Tx<'_>, tree: Tree, dir: Option<&ArtifactPath>) -> Result<bool> {
    if !files::list_all(tx, tree, dir, None, 1)?.is_empty() {
        return Ok(true);
    }
    match dir {
        Some(file) => Ok(files::find(tx, tree, file)?.is_some()),
        None => Ok(false),
    }
}
