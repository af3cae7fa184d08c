//! Brings a SQLite file to the schema of this program.

use modelry_core::{Error, Result};
use rusqlite::Connection;

use super::dangling_references;
use crate::fault::Fault;
use crate::migrate::{Applied, LIST, RECORD, TABLE, checksum, pending, refuse_deferred};
use crate::{Engine, Migrated, Migration, rewrite_ddl};

/// Runs what is missing, all or nothing.
pub(crate) fn migrate(connection: &Connection, known: &'static [Migration]) -> Result<Migrated> {
    // A table that others refer to is rebuilt under a new name, which foreign keys would take for a deletion. They
    // are looked at before the commit instead. The setting cannot change inside a transaction.
    batch(connection, "PRAGMA foreign_keys = OFF")?;
    let migrated = in_transaction(connection, known);
    batch(connection, "PRAGMA foreign_keys = ON")?;
    migrated
}

fn in_transaction(connection: &Connection, known: &'static [Migration]) -> Result<Migrated> {
    batch(connection, "BEGIN EXCLUSIVE")?;
    let migrated = run_pending(connection, known);
    let migrated = migrated.and_then(|migrated| batch(connection, "COMMIT").map(|()| migrated));
    if !connection.is_autocommit() {
        batch(connection, "ROLLBACK")?;
    }
    migrated
}

fn run_pending(connection: &Connection, known: &'static [Migration]) -> Result<Migrated> {
    batch(connection, &rewrite_ddl(Engine::Sqlite, TABLE))?;
    let applied = applied(connection).map_err(|error| Fault::from(error).error)?;
    let mut names = Vec::new();
    for (position, migration) in pending(&applied, known)? {
        refuse_deferred(migration)?;
        batch(connection, &rewrite_ddl(Engine::Sqlite, migration.sql)).map_err(|error| {
            Error::internal(format!("the migration `{}` failed", migration.name)).with_source(error)
        })?;
        connection
            .execute(RECORD, (position, migration.name, checksum(migration)))
            .map_err(|error| Fault::from(error).error)?;
        names.push(migration.name);
    }
    if !names.is_empty() {
        refuse_dangling(connection)?;
    }
    Ok(Migrated { applied: names, total: known.len() })
}

fn refuse_dangling(connection: &Connection) -> Result<()> {
    let findings = dangling_references(connection).map_err(|error| Fault::from(error).error)?;
    match findings.first() {
        None => Ok(()),
        Some(first) => {
            Err(Error::internal(format!("the migrations would leave a damaged database: {first}")))
        }
    }
}

fn applied(connection: &Connection) -> rusqlite::Result<Vec<Applied>> {
    let mut statement = connection.prepare(LIST)?;
    let rows = statement.query_map([], |row| Ok(Applied { name: row.get(0)?, checksum: row.get(1)? }))?;
    rows.collect()
}

fn batch(connection: &Connection, sql: &str) -> Result<()> {
    connection.execute_batch(sql).map_err(|error| Fault::from(error).error)
}
