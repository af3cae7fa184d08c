//! Stamps: what a later search of an experiment has to look at that a former one has not seen.
//!
//! Numbers of candidates do not say it, because they are drawn before the transactions that use them, which do not end
//! in their order. On PostgreSQL a stamp is the number of the transaction: those before the oldest one that still runs
//! have ended, so that what they did is seen or was undone. SQLite runs one transaction that writes after the other, so
//! there a stamp is one more than the last one of the experiment.

use modelry_core::Result;
use modelry_core::ids::{CandidateId, ExperimentId, ProjectId};
use modelry_db::{Engine, Tx};

/// SQL for the stamp that a transaction gives to candidates of an experiment, which are both SQL too.
pub(crate) fn next(engine: Engine, project: &str, experiment: &str) -> String {
    match engine {
        Engine::Sqlite => format!(
            "max((SELECT coalesce(max(last.stamp), 0) + 1 FROM candidates last INDEXED BY candidates_by_stamp
                   WHERE last.project_id = {project} AND last.experiment_id = {experiment}),
                 (SELECT coalesce(max(next), 1) FROM counters WHERE project_id = {project} AND series = 'stamps'))"
        ),
        Engine::Postgres => "CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)".to_owned(),
    }
}

/// All in the experiment with a lesser stamp is seen by this transaction, or was undone. What it does not see has this one
/// or a greater.
pub(crate) fn horizon(tx: &mut Tx<'_>, project: ProjectId, experiment: ExperimentId) -> Result<i64> {
    match tx.engine() {
        Engine::Sqlite => {
            let next = next(Engine::Sqlite, "$1", "$2");
            tx.query_one(&format!("SELECT {next}"), &[&project.0, &experiment.0], |row| row.get(0))
        }
        Engine::Postgres => {
            let oldest = "SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT)";
            tx.query_one(oldest, &[], |row| row.get(0))
        }
    }
}

/// Remembers the stamp of a candidate that goes, so that it is not given again.
pub(crate) fn keep_used(tx: &mut Tx<'_>, project: ProjectId, candidate: CandidateId) -> Result<()> {
    if tx.engine() == Engine::Sqlite {
        tx.execute(
            "INSERT INTO counters (project_id, series, next)
             SELECT project_id, 'stamps', stamp + 1 FROM candidates WHERE project_id = $1 AND id = $2
             ON CONFLICT (project_id, series) DO UPDATE SET next = max(counters.next, excluded.next)",
            &[&project.0, &candidate.0],
        )?;
    }
    Ok(())
}

/// Clears stamps that are greater than any that this server has given: they came with rows that were copied from another
/// one, and would be looked at by every search until it has given as many.
pub fn clear_foreign(tx: &mut Tx<'_>) -> Result<()> {
    if tx.engine() == Engine::Sqlite {
        return Ok(());
    }
    let next = "CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS TEXT) AS BIGINT)";
    let experiments = tx.query(
        &format!(
            "SELECT e.project_id, e.id FROM experiments e
              WHERE (SELECT max(c.stamp) FROM candidates c
                      WHERE c.project_id = e.project_id AND c.experiment_id = e.id) >= {next}"
        ),
        &[],
        |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)),
    )?;
    for (project, experiment) in experiments {
        tx.execute(
            &format!(
                "UPDATE candidates SET stamp = 0 WHERE project_id = $1 AND experiment_id = $2 AND stamp >= {next}"
            ),
            &[&project, &experiment],
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use modelry_core::time::Timestamp;
    use modelry_testkit::both;

    use super::*;
    use crate::purge::{self, Thing};

    const PROJECT: ProjectId = ProjectId(1);
    const EXPERIMENT: ExperimentId = ExperimentId(1);

    fn insert(tx: &mut Tx<'_>, id: i64, stamp: &str) -> Result<()> {
        let row = format!(
            "INSERT INTO candidates
                (project_id, id, experiment_id, eid, name, user_name, status, start_time, created_at, deleted_at, stamp)
             VALUES ($1, $2, $3, 'eid{id}', '', '', 1, 0, 0, 0, {stamp})"
        );
        tx.execute(&row, &[&PROJECT.0, &id, &EXPERIMENT.0]).map(drop)
    }

    fn insert_next(tx: &mut Tx<'_>, id: i64) -> Result<()> {
        let stamp = next(tx.engine(), "$1", "$3");
        insert(tx, id, &stamp)
    }

    fn stamp(tx: &mut Tx<'_>, id: i64) -> Result<i64> {
        tx.query_one("SELECT stamp FROM candidates WHERE id = $1", &[&id], |row| row.get(0))
    }

    both! {
        async fn a_stamp_is_not_given_again(db: Db) {
            let remove = |id: i64| db.write(move |tx| purge::begin(tx, PROJECT, Thing::Candidate(CandidateId(id)), Timestamp(0)));
            for id in 1..5 {
                db.write(move |tx| insert_next(tx, id)).await.expect("a row can be written");
            }
            let before = db.read(|tx| Ok((stamp(tx, 4)?, horizon(tx, PROJECT, EXPERIMENT)?)));
            let (last, before) = before.await.expect("it can be read");
            for id in [4, 2, 3] {
                remove(id).await.expect("it is in the bin");
            }
            db.write(|tx| insert_next(tx, 5)).await.expect("a row can be written");
            let new = db.read(|tx| stamp(tx, 5)).await.expect("it can be read");
            assert!(new > last && new >= before);
        }

        async fn only_stamps_of_another_server_are_cleared(db: Db) {
            let experiment = "INSERT INTO experiments (project_id, id, name, created_at, updated_at) VALUES (1, 1, 'a', 0, 0)";
            let write = db.write(|tx| {
                tx.execute(experiment, &[])?;
                insert_next(tx, 1)?;
                insert(tx, 2, "1000000000000")
            });
            write.await.expect("the rows can be written");
            let stamps = async || db.read(|tx| Ok([stamp(tx, 1)?, stamp(tx, 2)?])).await.expect("they can be read");
            let before = stamps().await;
            assert!(before[0] > 0);
            db.write(clear_foreign).await.expect("stamps can be cleared");
            let foreign = if db.engine() == Engine::Postgres { 0 } else { before[1] };
            assert_eq!(stamps().await, [before[0], foreign]);
        }
    }
}
