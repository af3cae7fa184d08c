//! Brings a PostgreSQL schema to that of this program.

use std::ops::ControlFlow;

use modelry_core::{Error, Result};

use super::lower::with_collation;
use super::session::Session;
use crate::migrate::{Applied, LIST, RECORD, TABLE, checksum, pending, refuse_deferred};
use crate::{Engine, Migrated, Migration, rewrite_ddl};

/// Puts the row in place that processes queue up behind.
const GUARD: &str = "INSERT INTO modelry_migrations (position, name, checksum) VALUES (0, 'guard', '')
ON CONFLICT (position) DO NOTHING";
/// Waits for whoever migrates, and makes the next one wait until the end of this transaction.
const QUEUE_UP: &str = "UPDATE modelry_migrations SET checksum = '' WHERE position = 0";

/// Runs what is missing in one transaction. The session is of no use after an error.
pub(crate) fn migrate(session: &mut Session, known: &'static [Migration]) -> Result<Migrated> {
    make_table(session)?;
    batch(session, GUARD)?;
    // At read committed, the list below is read after the wait and shows what the one before has done.
    batch(session, "BEGIN ISOLATION LEVEL READ COMMITTED")?;
    batch(session, QUEUE_UP)?;
    let applied = applied(session)?;
    let mut names = Vec::new();
    for (position, migration) in pending(&applied, known)? {
        refuse_deferred(migration)?;
        let sql = with_collation(&rewrite_ddl(Engine::Postgres, migration.sql), session.collation());
        batch(session, &sql).map_err(|error| {
            Error::internal(format!("the migration `{}` failed", migration.name)).with_source(error)
        })?;
        session
            .execute(RECORD, &[&position, &migration.name, &checksum(migration)])
            .map_err(|fault| fault.error)?;
        names.push(migration.name);
    }
    batch(session, "COMMIT")?;
    Ok(Migrated { applied: names, total: known.len() })
}

/// Makes the table of migrations. Two processes that do it at once meet in the catalogue: the second one tries again
/// and finds it.
fn make_table(session: &mut Session) -> Result<()> {
    let table = rewrite_ddl(Engine::Postgres, TABLE);
    match batch(session, &table) {
        Ok(()) => Ok(()),
        Err(_) => batch(session, &table),
    }
}

fn applied(session: &mut Session) -> Result<Vec<Applied>> {
    let mut applied = Vec::new();
    let read = session.each_row(LIST, &[], &mut |row| {
        applied.push(Applied { name: row.get(0)?, checksum: row.get(1)? });
        Ok(ControlFlow::Continue(()))
    });
    read.map_err(|fault| fault.error)?;
    Ok(applied)
}

fn batch(session: &mut Session, sql: &str) -> Result<()> {
    session.control(sql).map_err(|fault| fault.error)
}
