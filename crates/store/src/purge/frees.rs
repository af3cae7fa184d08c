//! What a purge frees.

use modelry_core::Result;
use modelry_core::ids::ProjectId;
use modelry_db::Tx;

use super::Thing;
use crate::blobs;

/// How many bytes nothing else in the project refers to than the files of a thing: what is freed when it is purged. It is
/// told as if there were no other project.
pub fn frees(tx: &mut Tx<'_>, project: ProjectId, thing: Thing) -> Result<u64> {
    let (_, id) = thing.columns();
    let owners = match thing {
        Thing::Candidate(_) => "SELECT 1 AS owner, CAST($2 AS BIGINT) AS id",
        Thing::LoggedModel(_) => "SELECT 2 AS owner, CAST($2 AS BIGINT) AS id",
        Thing::Version(_) => "SELECT 3 AS owner, CAST($2 AS BIGINT) AS id",
        Thing::Model(_) => {
            "SELECT 3 AS owner, v.id FROM versions v WHERE v.project_id = $1 AND v.model_id = $2
             UNION ALL
             SELECT 1, c.id FROM models m CROSS JOIN candidates c
              WHERE m.project_id = $1 AND m.id = $2 AND m.made_experiment
                AND c.project_id = $1 AND c.experiment_id = m.experiment_id
             UNION ALL
             SELECT 2, l.id FROM models m CROSS JOIN logged_models l
              WHERE m.project_id = $1 AND m.id = $2 AND m.made_experiment
                AND l.project_id = $1 AND l.experiment_id = m.experiment_id"
        }
        Thing::Experiment(_) => {
            "SELECT 1 AS owner, c.id FROM candidates c WHERE c.project_id = $1 AND c.experiment_id = $2
             UNION ALL
             SELECT 2, l.id FROM logged_models l WHERE l.project_id = $1 AND l.experiment_id = $2"
        }
    };
    let size_bytes = tx.query_one(
        &format!(
            "SELECT coalesce(CAST(sum(t.size_bytes) AS BIGINT), 0)
               FROM (SELECT f.blob_id, max(f.size_bytes) AS size_bytes, count(*) AS files
                       FROM ({owners}) o CROSS JOIN files f
                      WHERE f.project_id = $1 AND f.owner = o.owner AND f.owner_id = o.id
                      GROUP BY f.blob_id) t
              CROSS JOIN project_blobs p
              WHERE p.project_id = $1 AND p.blob_id = t.blob_id AND p.files = t.files"
        ),
        &[&project.0, &id],
        |row| row.get(0),
    )?;
    blobs::from_column(size_bytes)
}
