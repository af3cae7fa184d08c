//! Uploads that take more than one request: how far they are, and where their bytes lie meanwhile.
//!
//! Bytes are durable before a row says so. A row that goes leaves its bytes to the sweep, unless the caller removes them.

use modelry_core::digest::Sha256;
use modelry_core::ids::{ProjectId, UserId};
use modelry_core::store_key::StoreKey;
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::{Row, Tx};

use crate::blobs;

/// An upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Its id: random, so that only who began it knows it.
    pub id: String,
    /// Who began it; only they go on with it.
    pub user: Option<UserId>,
    /// What the file is to belong to, in the words of the protocol.
    pub target: String,
    /// The path of the file below the target.
    pub path: String,
    /// How many bytes the file has, where that was announced.
    pub size_bytes: Option<u64>,
    /// The digest of its bytes, where that was announced.
    pub sha256: Option<Sha256>,
    /// Where the bytes lie; an upload in parts has none of its own.
    pub store_key: Option<StoreKey>,
    /// How many of them are durable.
    pub received_bytes: u64,
    /// The hash of what lets parts in.
    pub secret: Option<Sha256>,
    /// Whether the file is there.
    pub is_done: bool,
    /// When it was begun.
    pub created_at: Timestamp,
}

/// A part of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its place: 1, 2, 3 and so on.
    pub number: i64,
    /// Where its bytes lie.
    pub store_key: StoreKey,
    /// How many there are.
    pub size_bytes: u64,
    /// Their digest.
    pub sha256: Sha256,
}

const COLUMNS: &str =
    "id, user_id, target, path, size_bytes, sha256, store_key, received_bytes, secret, is_done, created_at";

fn read_row(row: &Row<'_>) -> Result<Upload> {
    Ok(Upload {
        id: row.get(0)?,
        user: row.get::<Option<i64>>(1)?.map(UserId),
        target: row.get(2)?,
        path: row.get(3)?,
        size_bytes: row.get::<Option<i64>>(4)?.map(blobs::from_column).transpose()?,
        sha256: read_digest(row, 5)?,
        store_key: row.get::<Option<String>>(6)?.map(|key| key.parse()).transpose()?,
        received_bytes: blobs::from_column(row.get(7)?)?,
        secret: read_digest(row, 8)?,
        is_done: row.get(9)?,
        created_at: Timestamp(row.get(10)?),
    })
}

fn read_digest(row: &Row<'_>, column: usize) -> Result<Option<Sha256>> {
    row.get::<Option<Vec<u8>>>(column)?.map(|bytes| Sha256::from_slice(&bytes)).transpose()
}

/// Notes an upload that begins.
pub fn insert(tx: &mut Tx<'_>, project: ProjectId, new: &Upload) -> Result<()> {
    tx.execute(
        "INSERT INTO uploads
            (project_id, id, user_id, target, path, size_bytes, sha256, store_key, received_bytes, secret, is_done,
             created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)",
        &[
            &project.0,
            &new.id,
            &new.user.map(|user| user.0),
            &new.target,
            &new.path,
            &new.size_bytes.map(blobs::to_column).transpose()?,
            &new.sha256.map(|digest| digest.0.to_vec()),
            &new.store_key.as_ref().map(ToString::to_string),
            &blobs::to_column(new.received_bytes)?,
            &new.secret.map(|digest| digest.0.to_vec()),
            &new.is_done,
            &new.created_at.0,
        ],
    )?;
    Ok(())
}

/// The upload of this id.
pub fn find(tx: &mut Tx<'_>, project: ProjectId, id: &str) -> Result<Option<Upload>> {
    tx.query_opt(
        &format!("SELECT {COLUMNS} FROM uploads WHERE project_id = $1 AND id = $2"),
        &[&project.0, &id],
        read_row,
    )
}

/// As [`find`], for who began it: everybody else's are as if they did not exist.
pub fn get_own(tx: &mut Tx<'_>, project: ProjectId, user: Option<UserId>, id: &str) -> Result<Upload> {
    find(tx, project, id)?
        .filter(|upload| upload.user == user)
        .ok_or_else(|| Error::not_found(format!("there is no upload {id}, or it was given up")))
}

/// The open upload that the same user began of the same file with the same bytes, to go on with. An upload in parts is none.
pub fn find_same(tx: &mut Tx<'_>, project: ProjectId, new: &Upload) -> Result<Option<Upload>> {
    let begun = tx.query(
        &format!(
            "SELECT {COLUMNS} FROM uploads
              WHERE project_id = $1 AND target = $2 AND path = $3 AND store_key IS NOT NULL
              ORDER BY created_at DESC, id LIMIT 100"
        ),
        &[&project.0, &new.target, &new.path],
        read_row,
    )?;
    let same = |begun: &Upload| {
        (begun.user, begun.size_bytes, begun.sha256) == (new.user, new.size_bytes, new.sha256)
    };
    Ok(begun.into_iter().find(same))
}

/// Notes how many bytes are durable.
pub fn set_received(tx: &mut Tx<'_>, project: ProjectId, id: &str, bytes: u64, now: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE uploads SET received_bytes = $3, updated_at = $4 WHERE project_id = $1 AND id = $2",
        &[&project.0, &id, &blobs::to_column(bytes)?, &now.0],
    )?;
    Ok(())
}

/// Adds a part; one of the same number is replaced. Answers whether there is such an open upload, and where the bytes of the
/// replaced part lie.
pub fn put_part(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: &str,
    part: &Part,
    now: Timestamp,
) -> Result<(bool, Option<StoreKey>)> {
    let touched = tx.execute(
        "UPDATE uploads SET updated_at = $3 WHERE project_id = $1 AND id = $2 AND NOT is_done",
        &[&project.0, &id, &now.0],
    )?;
    if touched == 0 {
        return Ok((false, None));
    }
    let replaced = tx.query_opt(
        "SELECT store_key FROM upload_parts WHERE project_id = $1 AND upload_id = $2 AND number = $3",
        &[&project.0, &id, &part.number],
        |row| row.get::<String>(0),
    )?;
    tx.execute(
        "INSERT INTO upload_parts (project_id, upload_id, number, store_key, size_bytes, sha256)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (project_id, upload_id, number) DO UPDATE
            SET store_key = excluded.store_key, size_bytes = excluded.size_bytes, sha256 = excluded.sha256",
        &[
            &project.0,
            &id,
            &part.number,
            &part.store_key.as_str(),
            &blobs::to_column(part.size_bytes)?,
            &part.sha256.0.as_slice(),
        ],
    )?;
    Ok((true, replaced.map(|key| key.parse()).transpose()?))
}

/// Up to `limit` parts of an upload, those after the number `after`, in order.
pub fn list_parts(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<Part>> {
    tx.query(
        "SELECT number, store_key, size_bytes, sha256 FROM upload_parts
          WHERE project_id = $1 AND upload_id = $2 AND number > $3 ORDER BY number LIMIT $4",
        &[&project.0, &id, &after, &limit],
        |row| {
            Ok(Part {
                number: row.get(0)?,
                store_key: row.get::<String>(1)?.parse()?,
                size_bytes: blobs::from_column(row.get(2)?)?,
                sha256: Sha256::from_slice(&row.get::<Vec<u8>>(3)?)?,
            })
        },
    )
}

/// Notes that the file is there, and that the bytes are not the upload's any more.
pub fn set_done(tx: &mut Tx<'_>, project: ProjectId, id: &str, bytes: u64, now: Timestamp) -> Result<()> {
    tx.execute("DELETE FROM upload_parts WHERE project_id = $1 AND upload_id = $2", &[&project.0, &id])?;
    tx.execute(
        "UPDATE uploads SET is_done = TRUE, store_key = NULL, received_bytes = $3, updated_at = $4
          WHERE project_id = $1 AND id = $2",
        &[&project.0, &id, &blobs::to_column(bytes)?, &now.0],
    )?;
    Ok(())
}

/// Deletes an upload with its parts; answers whether there was one. Its bytes stay.
pub fn delete(tx: &mut Tx<'_>, project: ProjectId, id: &str) -> Result<bool> {
    tx.execute("DELETE FROM upload_parts WHERE project_id = $1 AND upload_id = $2", &[&project.0, &id])?;
    Ok(tx.execute("DELETE FROM uploads WHERE project_id = $1 AND id = $2", &[&project.0, &id])? > 0)
}

/// Deletes up to `limit` uploads that nothing came for since `cutoff`, and answers their ids. Their bytes are left to the
/// sweep.
pub fn prune(tx: &mut Tx<'_>, cutoff: Timestamp, limit: i64) -> Result<Vec<String>> {
    let old = tx.query(
        "SELECT project_id, id FROM uploads WHERE updated_at < $1 ORDER BY updated_at LIMIT $2",
        &[&cutoff.0, &limit],
        |row| Ok((ProjectId(row.get(0)?), row.get::<String>(1)?)),
    )?;
    for (project, id) in &old {
        delete(tx, *project, id)?;
    }
    Ok(old.into_iter().map(|(_, id)| id).collect())
}
