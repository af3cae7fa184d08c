//! Lists of experiments, the newest first.

use modelry_core::Result;
use modelry_core::ids::{ExperimentId, ProjectId};
use modelry_core::time::Timestamp;
use modelry_db::Tx;

use super::{COLUMNS, Experiment, read_row};
use crate::search::{View, escape_like};

/// A page of experiments whose name contains `part` in any case, those below number `before`, each with the user name of
/// its maker, if known.
pub fn list(
    tx: &mut Tx<'_>,
    project: ProjectId,
    (part, view): (&str, View),
    before: Option<ExperimentId>,
    limit: i64,
) -> Result<Vec<(Experiment, Option<String>)>> {
    let pattern = format!("%{}%", escape_like(&part.to_lowercase()));
    let before = before.map_or(i64::MAX, |id| id.0);
    let in_view = match view {
        View::Active => "AND e.deleted_at IS NULL",
        View::Deleted => "AND e.deleted_at IS NOT NULL",
        View::All => "",
    };
    tx.query(
        &format!(
            "SELECT {COLUMNS}, u.username FROM experiments e
             LEFT JOIN users u ON u.id = e.creator_id
             WHERE e.project_id = $1 AND e.id < $2 {in_view}
               AND lower(e.name) LIKE $3 ESCAPE '\\'
             ORDER BY e.id DESC
             LIMIT $4"
        ),
        &[&project.0, &before, &pattern, &limit],
        |row| Ok((read_row(row)?, row.get::<Option<String>>(7)?)),
    )
}

/// An experiment with what its list page shows of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The experiment.
    pub experiment: Experiment,
    /// The user name of its maker, if known.
    pub creator: Option<String>,
    /// How many active candidates it has.
    pub candidates: i64,
    /// When its newest candidate started, if it has any.
    pub last_candidate_at: Option<Timestamp>,
}

/// A page of active experiments, as [`list`], with what their list page shows of them.
pub fn list_summaries(
    tx: &mut Tx<'_>,
    project: ProjectId,
    part: &str,
    before: Option<ExperimentId>,
    limit: i64,
) -> Result<Vec<Summary>> {
    let experiments = list(tx, project, (part, View::Active), before, limit)?;
    experiments
        .into_iter()
        .map(|(experiment, creator)| {
            let (candidates, last) = tx.query_one(
                "SELECT count(*), max(start_time) FROM candidates
                 WHERE project_id = $1 AND experiment_id = $2 AND deleted_at IS NULL",
                &[&project.0, &experiment.id.0],
                |row| Ok((row.get::<i64>(0)?, row.get::<Option<i64>>(1)?)),
            )?;
            Ok(Summary { experiment, creator, candidates, last_candidate_at: last.map(Timestamp) })
        })
        .collect()
}
