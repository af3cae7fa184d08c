//! What the files of a tree are together.

use modelry_core::Result;
use modelry_core::artifact_path::ArtifactPath;
use modelry_db::Tx;

use super::Tree;
use super::listing::Span;
use crate::blobs;

/// How many files there are, and how large they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many.
    pub files: i64,
    /// How many bytes they have together.
    pub size_bytes: u64,
}

/// What there is below `dir`, or in the whole tree.
pub fn totals(tx: &mut Tx<'_>, tree: Tree, dir: Option<&ArtifactPath>) -> Result<Totals> {
    let (owner, owner_id) = tree.owner.columns();
    let span = Span::below(dir);
    tx.query_one(
        "SELECT count(*), coalesce(CAST(sum(size_bytes) AS BIGINT), 0) FROM files
          WHERE project_id = $1 AND owner = $2 AND owner_id = $3 AND path >= $4 AND path < $5",
        &[&tree.project.0, &owner, &owner_id, &span.from, &span.to],
        |row| Ok(Totals { files: row.get(0)?, size_bytes: blobs::from_column(row.get(1)?)? }),
    )
}

/// How many bytes nothing else in the project refers to than the files of this tree: what is freed when they go.
///
/// It is told as if there were no other project, so that nobody learns what others have.
pub fn only_here(tx: &mut Tx<'_>, tree: Tree) -> Result<u64> {
    let (owner, owner_id) = tree.owner.columns();
    let size_bytes = tx.query_one(
        "SELECT coalesce(CAST(sum(t.size_bytes) AS BIGINT), 0)
           FROM (SELECT blob_id, max(size_bytes) AS size_bytes, count(*) AS files FROM files
                  WHERE project_id = $1 AND owner = $2 AND owner_id = $3
                  GROUP BY blob_id) t
          CROSS JOIN project_blobs p
          WHERE p.project_id = $1 AND p.blob_id = t.blob_id AND p.files = t.files",
        &[&tree.project.0, &owner, &owner_id],
        |row| row.get(0),
    )?;
    blobs::from_column(size_bytes)
}
