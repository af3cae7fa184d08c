//! Files: names for blobs. A file has an owner in a project and a path; directories are what paths share.
//!
//! Two rules hold at every moment: a path is a file or a directory, never both; and `project_blobs` counts exactly
//! the files that refer to each blob.

use std::collections::BTreeMap;

use modelry_core::artifact_path::ArtifactPath;
use modelry_core::digest::Sha256;
use modelry_core::ids::{BlobId, CandidateId, LoggedModelId, ProjectId, VersionId};
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::{Param, Tx};

use crate::blobs;
use crate::sql::placeholders;

mod listing;
mod manifest;
mod snapshot;
mod totals;
pub use listing::{Entry, Listing, Position, list_all, list_dir};
pub use manifest::{ManifestEntry, manifest};
pub use snapshot::snapshot;
pub use totals::{Totals, only_here, totals};

/// Who a file belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The project itself: files that clients keep outside of candidates and models.
    Project,
    /// A candidate.
    Candidate(CandidateId),
    /// A logged model.
    LoggedModel(LoggedModelId),
    /// A published model version.
    Version(VersionId),
}

impl Owner {
    /// The columns `owner` and `owner_id`.
    pub(crate) fn columns(self) -> (i64, i64) {
        match self {
            Self::Project => (0, 0),
            Self::Candidate(id) => (1, id.0),
            Self::LoggedModel(id) => (2, id.0),
            Self::Version(id) => (3, id.0),
        }
    }

    /// The owner that the columns `owner` and `owner_id` stand for.
    pub(crate) fn from_columns((owner, id): (i64, i64)) -> Result<Self> {
        match owner {
            0 => Ok(Self::Project),
            1 => Ok(Self::Candidate(CandidateId(id))),
            2 => Ok(Self::LoggedModel(LoggedModelId(id))),
            3 => Ok(Self::Version(VersionId(id))),
            _ => Err(Error::internal(format!("{owner} owns no files"))),
        }
    }
}

/// All files of one owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tree {
    /// The project.
    pub project: ProjectId,
    /// The owner in it.
    pub owner: Owner,
}

/// What [`put`] needs to know.
#[derive(Clone, Debug)]
pub struct NewFile {
    /// Where in its tree the file is to be.
    pub path: ArtifactPath,
    /// Its bytes.
    pub blob: BlobId,
    /// How many there are.
    pub size_bytes: u64,
    /// Now.
    pub modified_at: Timestamp,
}

/// A file, as listings tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path in its tree. It was an [`ArtifactPath`] when it was written.
    pub path: String,
    /// How many bytes it has.
    pub size_bytes: u64,
    /// When it was last written.
    pub modified_at: Timestamp,
}

/// A file with where its bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The file.
    pub file: File,
    /// Its blob.
    pub blob: BlobId,
    /// The digest of its bytes, where known.
    pub sha256: Option<Sha256>,
    /// Where its bytes lie.
    pub bytes: blobs::Whereabouts,
}

/// How far [`delete`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// There may be more: call it again.
    Some,
    /// Nothing is left.
    All,
}

/// Fails with `Conflict` where no file can be written: where the path is a directory, or leads through a file.
pub fn check_path(tx: &mut Tx<'_>, tree: Tree, path: &ArtifactPath) -> Result<()> {
    refuse_directory(tx, tree, path)?;
    refuse_file_above(tx, tree, path)
}

/// Writes a file; one that is there is replaced. Fails as [`check_path`] does.
pub fn put(tx: &mut Tx<'_>, tree: Tree, new: &NewFile) -> Result<()> {
    check_path(tx, tree, &new.path)?;
    let (owner, owner_id) = tree.owner.columns();
    let before = blob_at(tx, tree, &new.path)?;
    tx.execute(
        "INSERT INTO files (project_id, owner, owner_id, path, blob_id, size_bytes, modified_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (project_id, owner, owner_id, path) DO UPDATE
            SET blob_id = excluded.blob_id, size_bytes = excluded.size_bytes, modified_at = excluded.modified_at",
        &[
            &tree.project.0,
            &owner,
            &owner_id,
            &new.path.as_str(),
            &new.blob.0,
            &blobs::to_column(new.size_bytes)?,
            &new.modified_at.0,
        ],
    )?;
    if before == Some(new.blob) {
        return Ok(());
    }
    blobs::refer(tx, tree.project, new.blob)?;
    match before {
        Some(before) => blobs::release(tx, (tree.project, before), 1, new.modified_at),
        None => Ok(()),
    }
}

/// The file at `path`.
pub fn find(tx: &mut Tx<'_>, tree: Tree, path: &ArtifactPath) -> Result<Option<Found>> {
    let (owner, owner_id) = tree.owner.columns();
    tx.query_opt(
        "SELECT f.path, f.size_bytes, f.modified_at, b.sha256, b.store_key, b.state, b.id
           FROM files f JOIN blobs b ON b.id = f.blob_id
          WHERE f.project_id = $1 AND f.owner = $2 AND f.owner_id = $3 AND f.path = $4",
        &[&tree.project.0, &owner, &owner_id, &path.as_str()],
        |row| {
            let sha256: Option<Vec<u8>> = row.get(3)?;
            Ok(Found {
                file: listing::read_file(row)?,
                sha256: sha256.map(|bytes| Sha256::from_slice(&bytes)).transpose()?,
                bytes: blobs::Whereabouts::read(row, 4)?,
                blob: BlobId(row.get(6)?),
            })
        },
    )
}

/// Whether `path` is a directory: whether there are files below it.
pub fn is_directory(tx: &mut Tx<'_>, tree: Tree, path: &ArtifactPath) -> Result<bool> {
    Ok(!list_all(tx, tree, Some(path), None, 1)?.is_empty())
}

/// Deletes the file at `target`, or up to `limit` files of the directory at `target`; `None` is the whole tree.
///
/// What is not there is deleted already.
pub fn delete(
    tx: &mut Tx<'_>,
    tree: Tree,
    target: Option<&ArtifactPath>,
    limit: i64,
    now: Timestamp,
) -> Result<Deleted> {
    if let Some(path) = target
        && let Some(blob) = blob_at(tx, tree, path)?
    {
        delete_range(tx, tree, (path.as_str(), path.as_str()))?;
        blobs::release(tx, (tree.project, blob), 1, now)?;
        return Ok(Deleted::All);
    }
    let slice = listing::blobs_below(tx, tree, target, limit)?;
    let (Some((first, _)), Some((last, _))) = (slice.first(), slice.last()) else {
        return Ok(Deleted::All);
    };
    delete_range(tx, tree, (first, last))?;
    // In the order of their numbers, so that two deletions at once do not wait for each other in a circle.
    let mut released = BTreeMap::new();
    for (_, blob) in slice {
        *released.entry(blob.0).or_insert(0) += 1;
    }
    for (blob, files) in released {
        blobs::release(tx, (tree.project, BlobId(blob)), files, now)?;
    }
    Ok(Deleted::Some)
}

fn delete_range(tx: &mut Tx<'_>, tree: Tree, (first, last): (&str, &str)) -> Result<u64> {
    let (owner, owner_id) = tree.owner.columns();
    tx.execute(
        "DELETE FROM files
          WHERE project_id = $1 AND owner = $2 AND owner_id = $3 AND path >= $4 AND path <= $5",
        &[&tree.project.0, &owner, &owner_id, &first, &last],
    )
}

fn blob_at(tx: &mut Tx<'_>, tree: Tree, path: &ArtifactPath) -> Result<Option<BlobId>> {
    let (owner, owner_id) = tree.owner.columns();
    tx.query_opt(
        "SELECT blob_id FROM files WHERE project_id = $1 AND owner = $2 AND owner_id = $3 AND path = $4",
        &[&tree.project.0, &owner, &owner_id, &path.as_str()],
        |row| row.get(0).map(BlobId),
    )
}

fn refuse_directory(tx: &mut Tx<'_>, tree: Tree, path: &ArtifactPath) -> Result<()> {
    if is_directory(tx, tree, path)? {
        return Err(Error::conflict(format!("`{path}` is a directory, so no file can be stored there")));
    }
    Ok(())
}

fn refuse_file_above(tx: &mut Tx<'_>, tree: Tree, path: &ArtifactPath) -> Result<()> {
    let above: Vec<&str> = path.as_str().match_indices('/').map(|(end, _)| &path.as_str()[..end]).collect();
    if above.is_empty() {
        return Ok(());
    }
    let (owner, owner_id) = tree.owner.columns();
    let mut params: Vec<&dyn Param> = vec![&tree.project.0, &owner, &owner_id];
    params.extend(above.iter().map(|path| path as &dyn Param));
    let sql = format!(
        "SELECT path FROM files WHERE project_id = $1 AND owner = $2 AND owner_id = $3 AND path IN ({}) LIMIT 1",
        placeholders(4, above.len())
    );
    match tx.query_opt(&sql, &params, |row| row.get::<String>(0))? {
        Some(file) => Err(Error::conflict(format!("`{file}` is a file, so nothing can be stored below it"))),
        None => Ok(()),
    }
}
