//! Copies of a tree that share its bytes.

use modelry_core::Result;
use modelry_core::artifact_path::ArtifactPath;
use modelry_db::Tx;

use super::Tree;
use super::listing::Span;

/// Gives `to`, a tree of the same project without files, the files that `from` has below `dir` now, or the one file at
/// `dir`; no byte moves. Answers how many there are.
pub fn snapshot(tx: &mut Tx<'_>, from: Tree, dir: Option<&ArtifactPath>, to: Tree) -> Result<u64> {
    let (owner, owner_id) = from.owner.columns();
    let (new_owner, new_owner_id) = to.owner.columns();
    let span = Span::below(dir);
    let after_cut = i64::try_from(span.from.chars().count() + 1).expect("a path is short");
    let copied = tx.execute(
        "INSERT INTO files (project_id, owner, owner_id, path, blob_id, size_bytes, modified_at)
         SELECT project_id, CAST($4 AS BIGINT), CAST($5 AS BIGINT), substr(path, CAST(CAST($8 AS BIGINT) AS INTEGER)),
                blob_id, size_bytes, modified_at
           FROM files
          WHERE project_id = $1 AND owner = $2 AND owner_id = $3 AND path >= $6 AND path < $7",
        &[
            &from.project.0,
            &owner,
            &owner_id,
            &new_owner,
            &new_owner_id,
            &span.from,
            &span.to,
            &after_cut,
        ],
    )?;
    let copied = match dir {
        Some(file) if copied == 0 => tx.execute(
            "INSERT INTO files (project_id, owner, owner_id, path, blob_id, size_bytes, modified_at)
             SELECT project_id, CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($7 AS TEXT), blob_id, size_bytes,
                    modified_at
               FROM files
              WHERE project_id = $1 AND owner = $2 AND owner_id = $3 AND path = $6",
            &[
                &from.project.0,
                &owner,
                &owner_id,
                &new_owner,
                &new_owner_id,
                &file.as_str(),
                &file.file_name(),
            ],
        )?,
        _ => copied,
    };
    // The project refers to these bytes already, so no blob comes back to life.
    tx.execute(
        "INSERT INTO project_blobs (project_id, blob_id, files)
         SELECT project_id, blob_id, count(*) FROM files
          WHERE project_id = $1 AND owner = $2 AND owner_id = $3
          GROUP BY project_id, blob_id
          ORDER BY blob_id
         ON CONFLICT (project_id, blob_id) DO UPDATE SET files = project_blobs.files + excluded.files",
        &[&to.project.0, &new_owner, &new_owner_id],
    )?;
    Ok(copied)
}
