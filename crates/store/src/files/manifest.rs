//! Files with their digests.

use modelry_core::Result;
use modelry_core::artifact_path::ArtifactPath;
use modelry_core::digest::Sha256;
use modelry_db::Tx;

use super::Tree;
use super::listing::Span;
use crate::blobs;

/// A file as a manifest tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestEntry {
    /// Its path in its tree.
    pub path: String,
    /// How many bytes it has.
    pub size_bytes: u64,
    /// The digest of its bytes, where known.
    pub sha256: Option<Sha256>,
    /// Where its bytes lie.
    pub bytes: blobs::Whereabouts,
}

/// Up to `limit` files below `dir` (or of the whole tree) in the order of paths, those after the path `after`.
pub fn manifest(
    tx: &mut Tx<'_>,
    tree: Tree,
    dir: Option<&ArtifactPath>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<ManifestEntry>> {
    let span = Span::below(dir).after(after);
    let (owner, owner_id) = tree.owner.columns();
    tx.query(
        "SELECT f.path, f.size_bytes, b.sha256, b.store_key, b.state FROM files f JOIN blobs b ON b.id = f.blob_id
          WHERE f.project_id = $1 AND f.owner = $2 AND f.owner_id = $3 AND f.path >= $4 AND f.path < $5
          ORDER BY f.path LIMIT $6",
        &[&tree.project.0, &owner, &owner_id, &span.from, &span.to, &limit],
        |row| {
            let sha256: Option<Vec<u8>> = row.get(2)?;
            Ok(ManifestEntry {
                path: row.get(0)?,
                size_bytes: blobs::from_column(row.get(1)?)?,
                sha256: sha256.map(|bytes| Sha256::from_slice(&bytes)).transpose()?,
                bytes: blobs::Whereabouts::read(row, 3)?,
            })
        },
    )
}
