//! Metadata of candidates that refers to other things.

use modelry_core::Result;
use modelry_core::ids::{ExperimentId, ProjectId};
use modelry_db::Tx;

use crate::candidates::{self, Candidate};
use crate::{keys, sql};

/// The metadata that names the candidate that one is within, by public id.
pub(super) const PARENT: &str = "mlflow.parentRunId";
/// The metadata that names the commit of the code that a candidate ran.
pub(super) const COMMIT: &str = "mlflow.source.git.commit";

/// What a candidate says under a key; nothing where it says an empty text.
pub(super) fn value(
    tx: &mut Tx<'_>,
    project: ProjectId,
    candidate: &Candidate,
    key: &str,
) -> Result<Option<String>> {
    let Some(key) = keys::find(tx, project, key)? else { return Ok(None) };
    let value = candidates::find_metadata(tx, candidate.place(project), key)?;
    Ok(value.filter(|value| !value.is_empty()))
}

/// Up to `limit` candidates of an experiment that say this under a key, in the order of numbers.
pub(super) fn in_experiment(
    tx: &mut Tx<'_>,
    project: ProjectId,
    experiment: ExperimentId,
    (key, value): (&str, &str),
    limit: i64,
) -> Result<Vec<i64>> {
    let Some(key) = keys::find(tx, project, key)? else { return Ok(Vec::new()) };
    tx.query(
        IN_EXPERIMENT,
        &[&project.0, &experiment.0, &key.0, &sql::sort_prefix(value), &value, &limit],
        |row| row.get(0),
    )
}

// A query with an offset: PostgreSQL makes no join of it, for which it might read the key of all candidates.
pub(super) const IN_EXPERIMENT: &str = "SELECT i.candidate_id FROM metadata i
     WHERE i.project_id = $1 AND i.experiment_id = $2 AND i.key_id = $3 AND i.sort = $4
       AND EXISTS (SELECT 1 FROM metadata d
                   WHERE d.project_id = i.project_id AND d.candidate_id = i.candidate_id AND d.key_id = i.key_id
                     AND d.value = $5 LIMIT 1 OFFSET 0)
     ORDER BY i.start_time, i.candidate_id
     LIMIT $6";

/// As [`in_experiment`], of all experiments: a look-up in each. Only what is no candidate itself is looked for in this
/// way, so that a walk does it once or twice.
pub(super) fn in_project(
    tx: &mut Tx<'_>,
    project: ProjectId,
    (key, value): (&str, &str),
    limit: i64,
) -> Result<Vec<i64>> {
    let Some(key) = keys::find(tx, project, key)? else { return Ok(Vec::new()) };
    tx.query(IN_PROJECT, &[&project.0, &key.0, &sql::sort_prefix(value), &value, &limit], |row| row.get(0))
}

pub(super) const IN_PROJECT: &str = "SELECT i.candidate_id FROM experiments e CROSS JOIN metadata i
     WHERE e.project_id = $1
       AND i.project_id = e.project_id AND i.experiment_id = e.id AND i.key_id = $2 AND i.sort = $3
       AND EXISTS (SELECT 1 FROM metadata d
                   WHERE d.project_id = i.project_id AND d.candidate_id = i.candidate_id AND d.key_id = i.key_id
                     AND d.value = $4 LIMIT 1 OFFSET 0)
     ORDER BY e.id, i.start_time, i.candidate_id
     LIMIT $5";
