//! Stamps: what a later search has to look at that a former one has not seen.
//!
//! Numbers of candidates do not say it, because they are drawn before the transactions that use them, which do not end
//! in their order. On PostgreSQL a stamp is the number of the transaction: those before the oldest one that still runs
//! have ended, so that what they did is seen or was undone. SQLite runs one transaction that writes after the other, so
//! there stamps are counted.

use modelry_core::Result;
use modelry_db::{Engine, Tx};

/// Draws the stamp of a transaction that writes, and answers SQL for it.
pub(crate) fn draw(tx: &mut Tx<'_>) -> Result<&'static str> {
    match tx.engine() {
        Engine::Sqlite => {
            tx.execute(
                "INSERT INTO counters (project_id, series, next) VALUES (0, 'stamps', 2)
                 ON CONFLICT (project_id, series) DO UPDATE SET next = counters.next + 1",
                &[],
            )?;
            Ok("(SELECT next - 1 FROM counters WHERE project_id = 0 AND series = 'stamps')")
        }
        Engine::Postgres => Ok("CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)"),
    }
}

/// All with a lesser stamp is seen by this transaction, or was undone. What it does not see has this one or a greater.
pub(crate) fn horizon(tx: &mut Tx<'_>) -> Result<i64> {
    let sql = match tx.engine() {
        Engine::Sqlite => {
            "SELECT coalesce(max(next), 1) FROM counters WHERE project_id = 0 AND series = 'stamps'"
        }
        Engine::Postgres => "SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT)",
    };
    tx.query_one(sql, &[], |row| row.get(0))
}

/// Clears stamps that are greater than any that this database has given: they came with rows that were copied from
/// another one, and would be looked at by every search until it has given as many.
pub fn clear_foreign(tx: &mut Tx<'_>) -> Result<()> {
    let next = match tx.engine() {
        Engine::Sqlite => {
            "(SELECT coalesce(max(next), 1) FROM counters WHERE project_id = 0 AND series = 'stamps')"
        }
        Engine::Postgres => "CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS TEXT) AS BIGINT)",
    };
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
    use modelry_testkit::both;

    use super::*;

    /// Two candidates in the order of their numbers: one with the stamp of the transaction, and one that was copied here.
    const ROWS: [&str; 2] = [
        "INSERT INTO experiments (project_id, id, name, created_at, updated_at) VALUES (1, 1, 'Default', 0, 0)",
        "INSERT INTO candidates
            (project_id, id, experiment_id, eid, name, user_name, status, start_time, created_at, stamp)
         VALUES (1, 1, 1, 'a', 'a', '', 1, 0, 0, STAMP), (1, 2, 1, 'b', 'b', '', 1, 0, 0, 1000000000000)",
    ];

    both! {
        async fn only_stamps_of_another_database_are_cleared(db: Db) {
            let insert = db.write(|tx| {
                let stamp = draw(tx)?;
                ROWS.iter().try_for_each(|row| tx.execute(&row.replace("STAMP", stamp), &[]).map(drop))
            });
            insert.await.expect("the rows can be written");
            let stamps = async || {
                let read = db.read(|tx| {
                    let stamps = "SELECT stamp FROM candidates ORDER BY id";
                    Ok((tx.query(stamps, &[], |row| row.get::<i64>(0))?, horizon(tx)?))
                });
                read.await.expect("they can be read")
            };
            let (before, horizon) = stamps().await;
            assert!(before[0] > 0 && horizon < before[1]);
            db.write(clear_foreign).await.expect("stamps can be cleared");
            assert_eq!(stamps().await.0, [before[0], 0]);
        }
    }
}
