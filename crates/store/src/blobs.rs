//! Rows of blobs: which bytes there are, who refers to them, and the collection of those nobody refers to.
//!
//! The bytes lie elsewhere, under `store_key`. They are durable before their row is written, and they are removed
//! before their row is, so a row that can be reached always has its bytes.
//!
//! A blob is live, or dying. It is born without a reference, gets one with the file that it was made for, and is dying
//! when it has had none for a while. A dying blob is never given out again; once its bytes are gone, so is its row.
//!
//! A live blob whose bytes were found not to be those that were stored is damaged: it keeps its files, is not read, and
//! is not shared with new ones, until its bytes are right again.

use std::collections::HashSet;
use std::ops::Range;

use modelry_core::checksums::{Checksums, blocks_of};
use modelry_core::digest::Sha256;
use modelry_core::ids::{BlobId, ProjectId};
use modelry_core::store_key::StoreKey;
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::{Param, Row, Tx};

use crate::facts;
use crate::sql::placeholders;

/// Bytes that are durable in the store and have no row yet.
#[derive(Clone, Debug)]
pub struct NewBlob {
    /// A fresh number.
    pub id: BlobId,
    /// The digest of the bytes.
    pub sha256: Sha256,
    /// The checksums of their blocks.
    pub checksums: Checksums,
    /// How many bytes there are.
    pub size_bytes: u64,
    /// Where they lie.
    pub store_key: StoreKey,
    /// Now.
    pub created_at: Timestamp,
}

/// What became of a [`NewBlob`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It has a row.
    Inserted(BlobId),
    /// This live blob has the same bytes. The new ones are to be removed once the transaction is durable.
    Shared(BlobId),
}

impl Stored {
    /// The blob that has the bytes.
    pub fn id(self) -> BlobId {
        match self {
            Self::Inserted(id) | Self::Shared(id) => id,
        }
    }
}

/// A blob that nobody can reach any more and whose bytes are to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dying {
    /// Its number.
    pub id: BlobId,
    /// Where its bytes lie.
    pub store_key: StoreKey,
}

/// Where the bytes of a file lie, as long as they are not known to be damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    store_key: StoreKey,
    is_damaged: bool,
}

impl Whereabouts {
    /// Reads the columns `store_key` and `state` from `column` on.
    pub(crate) fn read(row: &Row<'_>, column: usize) -> Result<Self> {
        let state: i64 = row.get(column + 1)?;
        Ok(Self { store_key: row.get::<String>(column)?.parse()?, is_damaged: state == DAMAGED })
    }

    /// Bytes that were just stored.
    pub fn sound(store_key: StoreKey) -> Self {
        Self { store_key, is_damaged: false }
    }

    /// The key of the bytes; `path` is what the file is called. Fails with `Unavailable` where they are damaged.
    pub fn intact(&self, path: &str) -> Result<&StoreKey> {
        if self.is_damaged {
            return Err(Error::unavailable(format!(
                "the bytes of {path} are damaged on the server's disk: they have to be restored from a backup \
                 (`modelry fsck` says which)"
            )));
        }
        Ok(&self.store_key)
    }
}

pub(crate) const LIVE: i64 = 0;
pub(crate) const DYING: i64 = 1;
pub(crate) const DAMAGED: i64 = 2;

/// Gives `new` a row, or finds the live blob with the same bytes.
///
/// Either way the caller makes a file refer to it in the same transaction.
pub fn insert_or_share(tx: &mut Tx<'_>, new: &NewBlob) -> Result<Stored> {
    let size_bytes = to_column(new.size_bytes)?;
    let digest = new.sha256.0.as_slice();
    if let Some(id) = find_same(tx, new.sha256, new.size_bytes)? {
        return Ok(Stored::Shared(id));
    }
    tx.execute(
        "INSERT INTO blobs (id, sha256, size_bytes, store_key, state, created_at, unreferenced_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6)",
        &[&new.id.0, &digest, &size_bytes, &new.store_key.as_str(), &LIVE, &new.created_at.0],
    )?;
    set_checksums(tx, new.id, &new.checksums)?;
    Ok(Stored::Inserted(new.id))
}

/// Notes the checksums of a blob.
pub(crate) fn set_checksums(tx: &mut Tx<'_>, id: BlobId, checksums: &Checksums) -> Result<()> {
    tx.execute(
        "INSERT INTO blob_checksums (blob_id, checksums) VALUES ($1, $2)
         ON CONFLICT (blob_id) DO UPDATE SET checksums = excluded.checksums",
        &[&id.0, &checksums.to_bytes().as_slice()],
    )?;
    Ok(())
}

/// The checksums of the blocks in which the bytes `range` of the blob under `store_key` lie. `None` where there are none of
/// it, and where no byte is asked for.
pub fn checksums(tx: &mut Tx<'_>, store_key: &StoreKey, range: &Range<u64>) -> Result<Option<Checksums>> {
    if range.is_empty() {
        return Ok(None);
    }
    let (blocks, bytes) = (blocks_of(range), Checksums::STORED_BYTES as u64);
    // The first byte of a value is its byte 1.
    let (first, count) =
        (to_column(blocks.start * bytes + 1)?, to_column((blocks.end - blocks.start) * bytes)?);
    let found = tx.query_opt(
        "SELECT substr(c.checksums, CAST(CAST($2 AS BIGINT) AS INTEGER), CAST(CAST($3 AS BIGINT) AS INTEGER))
           FROM blobs b CROSS JOIN blob_checksums c
          WHERE b.store_key = $1 AND c.blob_id = b.id LIMIT 1",
        &[&store_key.as_str(), &first, &count],
        |row| row.get::<Vec<u8>>(0),
    )?;
    found.as_deref().map(Checksums::from_bytes).transpose()
}

/// The live blob with these bytes.
pub fn find_same(tx: &mut Tx<'_>, sha256: Sha256, size_bytes: u64) -> Result<Option<BlobId>> {
    tx.query_opt(
        "SELECT id FROM blobs WHERE sha256 = $1 AND size_bytes = $2 AND state = $3 ORDER BY id LIMIT 1",
        &[&sha256.0.as_slice(), &to_column(size_bytes)?, &LIVE],
        |row| row.get(0).map(BlobId),
    )
}

/// Up to `limit` projects with files that refer to a blob.
pub fn projects_with(tx: &mut Tx<'_>, blob: BlobId, limit: i64) -> Result<Vec<ProjectId>> {
    tx.query(
        "SELECT project_id FROM project_blobs WHERE blob_id = $1 ORDER BY project_id LIMIT $2",
        &[&blob.0, &limit],
        |row| row.get(0).map(ProjectId),
    )
}

/// Whether files of `project` refer to a blob.
pub fn is_in_project(tx: &mut Tx<'_>, project: ProjectId, blob: BlobId) -> Result<bool> {
    let found = tx.query_opt(
        "SELECT files FROM project_blobs WHERE project_id = $1 AND blob_id = $2",
        &[&project.0, &blob.0],
        |row| row.get::<i64>(0),
    )?;
    Ok(found.is_some())
}

/// Counts one more file of `project` that refers to `blob`.
pub(crate) fn refer(tx: &mut Tx<'_>, project: ProjectId, blob: BlobId) -> Result<()> {
    tx.execute(
        "INSERT INTO project_blobs (project_id, blob_id, files)
         VALUES ($1, $2, $3)
         ON CONFLICT (project_id, blob_id) DO UPDATE
            SET files = project_blobs.files + excluded.files",
        &[&project.0, &blob.0, &1_i64],
    )?;
    tx.execute(
        "UPDATE blobs SET unreferenced_at = NULL WHERE id = $1 AND unreferenced_at IS NOT NULL",
        &[&blob.0],
    )?;
    Ok(())
}

/// Counts `files` files of `project` less that refer to `blob`, and notes when nobody does any more.
pub(crate) fn release(
    tx: &mut Tx<'_>,
    (project, blob): (ProjectId, BlobId),
    files: i64,
    now: Timestamp,
) -> Result<()> {
    tx.execute(
        "UPDATE project_blobs SET files = files - $3 WHERE project_id = $1 AND blob_id = $2",
        &[&project.0, &blob.0, &files],
    )?;
    let last_of_project = tx.execute(
        "DELETE FROM project_blobs WHERE project_id = $1 AND blob_id = $2 AND files <= 0",
        &[&project.0, &blob.0],
    )?;
    if last_of_project > 0 {
        tx.execute(
            "UPDATE blobs SET unreferenced_at = $2
              WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM project_blobs p WHERE p.blob_id = blobs.id)",
            &[&blob.0, &now.0],
        )?;
    }
    Ok(())
}

/// Marks up to `limit` blobs of each kind as dying that nobody has referred to since before `cutoff`, and answers how
/// many.
pub fn mark_dying(tx: &mut Tx<'_>, cutoff: Timestamp, limit: i64) -> Result<u64> {
    Ok(mark_dying_of(tx, LIVE, cutoff, limit)? + mark_dying_of(tx, DAMAGED, cutoff, limit)?)
}

fn mark_dying_of(tx: &mut Tx<'_>, state: i64, cutoff: Timestamp, limit: i64) -> Result<u64> {
    // The column says who is unreferenced; what decides over bytes is that there really is no reference.
    tx.execute(
        "UPDATE blobs SET state = $1
          WHERE id IN (SELECT b.id FROM blobs b
                        WHERE b.state = $2 AND b.unreferenced_at IS NOT NULL AND b.unreferenced_at < $3
                        ORDER BY b.unreferenced_at LIMIT $4)
            AND NOT EXISTS (SELECT 1 FROM project_blobs p WHERE p.blob_id = blobs.id)",
        &[&DYING, &state, &cutoff.0, &limit],
    )
}

/// Up to `limit` dying blobs, those without a reference for longest first.
pub fn list_dying(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Dying>> {
    tx.query(
        "SELECT id, store_key FROM blobs
          WHERE state = $1 AND unreferenced_at IS NOT NULL
          ORDER BY unreferenced_at LIMIT $2",
        &[&DYING, &limit],
        |row| Ok(Dying { id: BlobId(row.get(0)?), store_key: row.get::<String>(1)?.parse()? }),
    )
}

/// Deletes the row of a dying blob whose bytes are gone; answers whether there was one.
pub fn delete_dying(tx: &mut Tx<'_>, id: BlobId) -> Result<bool> {
    let is_gone = tx.execute("DELETE FROM blobs WHERE id = $1 AND state = $2", &[&id.0, &DYING])? > 0;
    if is_gone {
        facts::delete(tx, id)?;
        tx.execute("DELETE FROM blob_checksums WHERE blob_id = $1", &[&id.0])?;
    }
    Ok(is_gone)
}

/// Those of `keys` that no row names: their bytes belong to nobody.
pub fn without_row(tx: &mut Tx<'_>, keys: &[StoreKey]) -> Result<Vec<StoreKey>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let texts: Vec<&str> = keys.iter().map(StoreKey::as_str).collect();
    let params: Vec<&dyn Param> = texts.iter().map(|text| text as &dyn Param).collect();
    let mut known = HashSet::new();
    for table in ["blobs", "uploads", "upload_parts"] {
        let list = placeholders(1, texts.len());
        let sql = format!("SELECT store_key FROM {table} WHERE store_key IN ({list})");
        known.extend(tx.query(&sql, &params, |row| row.get::<String>(0))?);
    }
    Ok(keys.iter().filter(|key| !known.contains(key.as_str())).cloned().collect())
}

/// A size as its column has it.
pub(crate) fn to_column(size_bytes: u64) -> Result<i64> {
    i64::try_from(size_bytes).map_err(|_| Error::internal("a blob is larger than a column can say"))
}

/// A size as its column has it, read back.
pub(crate) fn from_column(size_bytes: i64) -> Result<u64> {
    u64::try_from(size_bytes).map_err(|_| Error::internal("a size is negative"))
}
