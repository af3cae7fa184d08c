//! What a look at all bytes needs: every blob, the mark of those that are damaged, and every file with its blob.

use modelry_core::Result;
use modelry_core::checksums::Checksums;
use modelry_core::digest::Sha256;
use modelry_core::ids::{BlobId, ProjectId};
use modelry_core::store_key::StoreKey;
use modelry_db::Tx;

use crate::blobs::{self, DAMAGED, DYING, LIVE};
use crate::files::{Owner, Tree};
use crate::projects;

/// A blob with what its bytes have to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Its number.
    pub id: BlobId,
    /// Where its bytes lie.
    pub store_key: StoreKey,
    /// How many there are.
    pub size_bytes: u64,
    /// Their digest, where known.
    pub sha256: Option<Sha256>,
    /// Whether it is marked as damaged.
    pub is_damaged: bool,
    /// Whether there are checksums of it: what was stored before there were any has none.
    pub has_checksums: bool,
}

/// A file with its blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobFile {
    /// Whose file it is.
    pub tree: Tree,
    /// Its path in the tree.
    pub path: String,
    /// Its blob.
    pub blob: BlobId,
    /// Whether there is a row of the blob.
    pub has_blob: bool,
}

/// Where a file is, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The full path of the project.
    pub project: String,
    /// What in the project the file belongs to: `churn 1.2.0`, `candidate 5`.
    pub owner: String,
}

/// Up to `limit` blobs in the order of their numbers, those after `after`; dying ones are left out.
pub fn list_blobs(tx: &mut Tx<'_>, after: BlobId, limit: i64) -> Result<Vec<Blob>> {
    tx.query(
        "SELECT b.id, b.store_key, b.size_bytes, b.sha256, b.state, c.blob_id
           FROM blobs b LEFT JOIN blob_checksums c ON c.blob_id = b.id
          WHERE b.id > $1 AND b.state <> $2
          ORDER BY b.id LIMIT $3",
        &[&after.0, &DYING, &limit],
        |row| {
            let sha256: Option<Vec<u8>> = row.get(3)?;
            Ok(Blob {
                id: BlobId(row.get(0)?),
                store_key: row.get::<String>(1)?.parse()?,
                size_bytes: blobs::from_column(row.get(2)?)?,
                sha256: sha256.map(|bytes| Sha256::from_slice(&bytes)).transpose()?,
                is_damaged: row.get::<i64>(4)? == DAMAGED,
                has_checksums: row.get::<Option<i64>>(5)?.is_some(),
            })
        },
    )
}

/// Notes the checksums of a blob that was stored before there were any, if it is still there.
pub fn add_checksums(tx: &mut Tx<'_>, id: BlobId, checksums: &Checksums) -> Result<()> {
    let is_there =
        tx.query_opt("SELECT id FROM blobs WHERE id = $1 AND state <> $2", &[&id.0, &DYING], |row| {
            row.get::<i64>(0)
        })?;
    if is_there.is_some() {
        blobs::set_checksums(tx, id, checksums)?;
    }
    Ok(())
}

/// Marks a blob as damaged. Answers `false` where it is gone, or on its way.
pub fn mark(tx: &mut Tx<'_>, id: BlobId) -> Result<bool> {
    set_state(tx, id, DAMAGED)
}

/// Takes the mark off a blob. Answers `false` where it is gone, or on its way.
pub fn clear(tx: &mut Tx<'_>, id: BlobId) -> Result<bool> {
    set_state(tx, id, LIVE)
}

fn set_state(tx: &mut Tx<'_>, id: BlobId, state: i64) -> Result<bool> {
    let changed =
        tx.execute("UPDATE blobs SET state = $2 WHERE id = $1 AND state <> $3", &[&id.0, &state, &DYING])?;
    Ok(changed > 0)
}

/// Up to `limit` files of all projects with their blobs, in one order, those after `after`.
pub fn list_files(tx: &mut Tx<'_>, after: Option<&BlobFile>, limit: i64) -> Result<Vec<BlobFile>> {
    let (project, (owner, owner_id), path) = match after {
        Some(file) => (file.tree.project.0, file.tree.owner.columns(), file.path.as_str()),
        None => (0, (0, 0), ""),
    };
    tx.query(
        "SELECT f.project_id, f.owner, f.owner_id, f.path, f.blob_id, b.id
           FROM files f LEFT JOIN blobs b ON b.id = f.blob_id
          WHERE (f.project_id, f.owner, f.owner_id, f.path) > ($1, $2, $3, $4)
          ORDER BY f.project_id, f.owner, f.owner_id, f.path LIMIT $5",
        &[&project, &owner, &owner_id, &path, &limit],
        |row| {
            let owner = Owner::from_columns((row.get(1)?, row.get(2)?))?;
            Ok(BlobFile {
                tree: Tree { project: ProjectId(row.get(0)?), owner },
                path: row.get(3)?,
                blob: BlobId(row.get(4)?),
                has_blob: row.get::<Option<i64>>(5)?.is_some(),
            })
        },
    )
}

/// Names the project and the owner of a tree, also where they are in the bin.
pub fn name(tx: &mut Tx<'_>, tree: Tree) -> Result<Named> {
    let project = projects::find(tx, tree.project)?;
    let project = project.map_or_else(|| format!("project {}", tree.project), |project| project.full_path);
    let owner = match tree.owner {
        Owner::Project => "the project itself".to_owned(),
        Owner::Candidate(id) => format!("candidate {id}"),
        Owner::LoggedModel(id) => tx
            .query_opt(
                "SELECT eid FROM logged_models WHERE project_id = $1 AND id = $2",
                &[&tree.project.0, &id.0],
                |row| Ok(format!("logged model {}", row.get::<String>(0)?)),
            )?
            .unwrap_or_else(|| format!("logged model {id}, which is gone")),
        Owner::Version(id) => tx
            .query_opt(
                "SELECT m.name, v.version FROM versions v CROSS JOIN models m
                  WHERE v.project_id = $1 AND v.id = $2 AND m.project_id = v.project_id AND m.id = v.model_id",
                &[&tree.project.0, &id.0],
                |row| Ok(format!("{} {}", row.get::<String>(0)?, row.get::<String>(1)?)),
            )?
            .unwrap_or_else(|| format!("version {id}, which is gone")),
    };
    Ok(Named { project, owner })
}
