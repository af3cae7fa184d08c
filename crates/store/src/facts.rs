//! What the bytes of blobs say of themselves. It belongs to the bytes, so every file that shares them shares it.

use modelry_core::formats::Facts;
use modelry_core::ids::BlobId;
use modelry_core::{Error, Result};
use modelry_db::Tx;

/// What a blob says of itself when it is read as `format`, where that was noted.
pub fn find(tx: &mut Tx<'_>, blob: BlobId, format: &str) -> Result<Option<Facts>> {
    let found = tx.query_opt(
        "SELECT facts FROM blob_facts WHERE blob_id = $1 AND format = $2",
        &[&blob.0, &format],
        |row| row.get::<String>(0),
    )?;
    let read = |json: String| {
        serde_json::from_str(&json)
            .map_err(|error| Error::internal("the facts of a file are not readable").with_source(error))
    };
    found.map(read).transpose()
}

/// Notes what a live blob says of itself when it is read as `format`.
pub fn insert(tx: &mut Tx<'_>, blob: BlobId, format: &str, facts: &Facts) -> Result<()> {
    let json = serde_json::to_string(facts)
        .map_err(|error| Error::internal("the facts of a file have no JSON form").with_source(error))?;
    tx.execute(
        "INSERT INTO blob_facts (blob_id, format, facts)
         SELECT id, CAST($2 AS TEXT), CAST($3 AS TEXT) FROM blobs WHERE id = $1
         ON CONFLICT (blob_id, format) DO NOTHING",
        &[&blob.0, &format, &json],
    )?;
    Ok(())
}

/// Forgets what a blob said.
pub(crate) fn delete(tx: &mut Tx<'_>, blob: BlobId) -> Result<()> {
    tx.execute("DELETE FROM blob_facts WHERE blob_id = $1", &[&blob.0])?;
    Ok(())
}
