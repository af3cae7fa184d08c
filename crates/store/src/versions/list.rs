//! Lists of versions and of their files, as pages show them.

use modelry_core::Result;
use modelry_core::digest::Sha256;
use modelry_core::ids::{CandidateId, ModelId, ProjectId};
use modelry_core::version::Version;
use modelry_db::Tx;

use super::publish::place;
use super::{COLUMNS, FROM, ModelVersion, number, read_row};
use crate::blobs;

/// A place among the versions of a model, between two of them: the precedence and the number of the one before.
pub type Position = (Vec<u8>, i64);

/// Up to `limit` versions of a model, drafts included, the greatest first, those behind `after`.
pub fn list(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: ModelId,
    after: Option<&Position>,
    limit: i64,
) -> Result<Vec<ModelVersion>> {
    let behind_all = (vec![u8::MAX], i64::MAX);
    let (precedence, number) = after.unwrap_or(&behind_all);
    tx.query(
        &format!(
            "SELECT {COLUMNS} {FROM} AND v.project_id = $1 AND v.model_id = $2 AND v.deleted_at IS NULL
                AND v.precedence <= $3 AND (v.precedence < $3 OR v.number < $4)
              ORDER BY v.precedence DESC, v.number DESC
              LIMIT $5"
        ),
        &[&project.0, &model.0, precedence, number, &limit],
        read_row,
    )
}

/// Up to `limit` versions of a model that are in the bin, the last deleted first.
pub fn list_deleted(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: ModelId,
    limit: i64,
) -> Result<Vec<ModelVersion>> {
    tx.query(
        &format!(
            "SELECT {COLUMNS} {FROM} AND v.project_id = $1 AND v.model_id = $2 AND v.deleted_at IS NOT NULL
              ORDER BY v.deleted_at DESC, v.number DESC
              LIMIT $3"
        ),
        &[&project.0, &model.0, &limit],
        read_row,
    )
}

/// Up to `limit` versions that were made from a candidate, the last made first.
pub fn list_of_candidate(
    tx: &mut Tx<'_>,
    project: ProjectId,
    candidate: CandidateId,
    limit: i64,
) -> Result<Vec<ModelVersion>> {
    tx.query(
        &format!(
            "SELECT {COLUMNS} {FROM} AND v.project_id = $1 AND v.candidate_id = $2
                AND v.deleted_at IS NULL AND m.deleted_at IS NULL
              ORDER BY v.id DESC
              LIMIT $3"
        ),
        &[&project.0, &candidate.0, &limit],
        read_row,
    )
}

/// The semantic version that the next version of a model gets where nothing is wished for.
pub fn next_version(tx: &mut Tx<'_>, project: ProjectId, model: ModelId) -> Result<Version> {
    number::next_free(tx, project, model)
}

/// A file of a version, with what tells its bytes from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestFile {
    /// Where it is below the version's files.
    pub path: String,
    /// How many bytes it has.
    pub size_bytes: u64,
    /// The digest of its bytes, where known.
    pub sha256: Option<Sha256>,
}

/// Up to `limit` files of a version in the order of paths.
pub fn manifest(
    tx: &mut Tx<'_>,
    project: ProjectId,
    version: &ModelVersion,
    limit: i64,
) -> Result<Vec<ManifestFile>> {
    let Some((tree, dir)) = place(project, version)? else { return Ok(Vec::new()) };
    let (owner, owner_id) = tree.owner.columns();
    let below = dir.map(|dir| format!("{dir}/")).unwrap_or_default();
    // `0` follows on `/`: this is everything below the directory.
    let end =
        if below.is_empty() { char::MAX.to_string() } else { format!("{}0", below.trim_end_matches('/')) };
    tx.query(
        "SELECT f.path, f.size_bytes, b.sha256
           FROM files f JOIN blobs b ON b.id = f.blob_id
          WHERE f.project_id = $1 AND f.owner = $2 AND f.owner_id = $3 AND f.path >= $4 AND f.path < $5
          ORDER BY f.path LIMIT $6",
        &[&project.0, &owner, &owner_id, &below, &end, &limit],
        |row| {
            let path: String = row.get(0)?;
            let sha256: Option<Vec<u8>> = row.get(2)?;
            Ok(ManifestFile {
                path: path.strip_prefix(&below).unwrap_or(&path).to_owned(),
                size_bytes: blobs::from_column(row.get(1)?)?,
                sha256: sha256.map(|bytes| Sha256::from_slice(&bytes)).transpose()?,
            })
        },
    )
}
