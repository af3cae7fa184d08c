//! The datasets of an experiment, and who used them.

use modelry_core::Result;
use modelry_core::ids::{CandidateId, DatasetId, ExperimentId, ProjectId};
use modelry_db::Tx;

use super::Dataset;
use super::read::read_row;

/// What tells a dataset from the others of its experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its number in the project.
    pub id: DatasetId,
    /// Its name.
    pub name: String,
    /// What tells its content from that of another of this name.
    pub digest: String,
    /// What kind of source it comes from.
    pub source_type: String,
}

/// Up to `limit` datasets of an experiment by name and digest, those after the name and digest `after`.
pub fn list(
    tx: &mut Tx<'_>,
    project: ProjectId,
    experiment: ExperimentId,
    (name, digest): (&str, &str),
    limit: i64,
) -> Result<Vec<Listed>> {
    tx.query(
        "SELECT id, name, digest, source_type FROM datasets
         WHERE project_id = $1 AND experiment_id = $2 AND (name, digest) > ($3, $4)
         ORDER BY name, digest
         LIMIT $5",
        &[&project.0, &experiment.0, &name, &digest, &limit],
        |row| {
            Ok(Listed {
                id: DatasetId(row.get(0)?),
                name: row.get(1)?,
                digest: row.get(2)?,
                source_type: row.get(3)?,
            })
        },
    )
}

/// The dataset of this number, and the experiment that it belongs to.
pub fn find(tx: &mut Tx<'_>, project: ProjectId, id: DatasetId) -> Result<Option<(ExperimentId, Dataset)>> {
    tx.query_opt(
        "SELECT id, name, digest, source_type, source, schema, profile, experiment_id FROM datasets
         WHERE project_id = $1 AND id = $2",
        &[&project.0, &id.0],
        |row| Ok((ExperimentId(row.get(7)?), read_row(row)?)),
    )
}

/// A use of a dataset, told from the dataset's side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The number of the candidate.
    pub candidate: CandidateId,
    /// Its public id.
    pub eid: String,
    /// Its name.
    pub name: String,
    /// What it used the dataset for, if it said so.
    pub context: Option<String>,
}

/// Up to `limit` uses of a dataset by active candidates below the number `before`, those of the newest first.
pub fn list_uses(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: DatasetId,
    before: Option<CandidateId>,
    limit: i64,
) -> Result<Vec<Use>> {
    let before = before.map_or(i64::MAX, |candidate| candidate.0);
    tx.query(USES, &[&project.0, &id.0, &before, &limit], |row| {
        Ok(Use {
            candidate: CandidateId(row.get(0)?),
            eid: row.get(1)?,
            name: row.get(2)?,
            context: row.get(3)?,
        })
    })
}

/// Left to itself SQLite would look through the uses of all datasets; what an index covers it takes from there.
const USES: &str = "SELECT u.candidate_id, c.eid, c.name, u.context
     FROM candidate_datasets i CROSS JOIN candidate_datasets u CROSS JOIN candidates c
     WHERE i.project_id = $1 AND i.dataset_id = $2 AND i.candidate_id < $3
       AND u.project_id = $1 AND u.candidate_id = i.candidate_id AND u.dataset_id = $2
       AND c.project_id = $1 AND c.id = i.candidate_id AND c.deleted_at IS NULL
     ORDER BY i.candidate_id DESC
     LIMIT $4";

#[cfg(test)]
mod tests {
    use modelry_testkit::{Schema, sqlite};

    use super::*;

    #[tokio::test]
    async fn the_uses_of_a_dataset_are_looked_up() {
        let database = sqlite(Schema::Product).await;
        let db = database.db();
        let steps = db.read(move |tx| {
            let params: [&dyn modelry_db::Param; 4] = [&1_i64, &2_i64, &3_i64, &4_i64];
            tx.query(&format!("EXPLAIN QUERY PLAN {USES}"), &params, |row| row.get::<String>(3))
        });
        let steps = steps.await.expect("the statement has a plan").join("\n");
        database.finish().await;
        insta::assert_snapshot!(steps, @r"
        SEARCH i USING COVERING INDEX candidate_datasets_by_dataset (project_id=? AND dataset_id=? AND candidate_id<?)
        SEARCH u USING PRIMARY KEY (project_id=? AND candidate_id=? AND dataset_id=?)
        SEARCH c USING PRIMARY KEY (project_id=? AND id=?)
        ");
    }
}
