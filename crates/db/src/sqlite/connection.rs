//! Opens connections, each with the settings that it needs for itself.

use std::path::Path;
use std::time::Duration;

use modelry_core::{Error, Result};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::functions;

/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 512;
/// Page cache of the writer, in KiB: upserts jump about in their tables, and 8 MiB halve them.
const WRITER_CACHE_KIB: i64 = 64 * 1024;
/// Page cache of a reader, in KiB: more does not make searches faster.
const READER_CACHE_KIB: i64 = 8 * 1024;
/// How long to wait for another process, such as a backup, before giving up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens the connection that writes, and makes the file when it is missing.
pub(crate) fn open_writer(path: &Path) -> Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags);
    connection.and_then(as_writer).map_err(|error| cannot_open(path, error))
}

/// Opens a connection that only reads; the writer's is open already.
pub(crate) fn open_reader(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags);
    connection.and_then(as_reader).map_err(|error| cannot_open(path, error))
}

fn as_writer(connection: Connection) -> rusqlite::Result<Connection> {
    prepare(&connection, WRITER_CACHE_KIB)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))?;
    // The default of the WAL mode loses the last commits when the power fails.
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

fn as_reader(connection: Connection) -> rusqlite::Result<Connection> {
    prepare(&connection, READER_CACHE_KIB)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn prepare(connection: &Connection, cache_kib: i64) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // A negative size is one in KiB.
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    // Mapped pages count as resident memory of the process: 1 GB on a large database.
    connection.pragma_update_and_check(None, "mmap_size", 0, |_| Ok(()))?;
    // Without this a bound value may shape a plan, and a statement whose plan one shaped is prepared anew for every
    // other value: that halved the writer's speed. Plans here are given by the text.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    rusqlite::vtab::array::load_module(connection)?;
    functions::register(connection)
}

fn cannot_open(path: &Path, error: rusqlite::Error) -> Error {
    Error::unavailable(format!("the database {} cannot be opened: {error}", path.display()))
        .with_source(error)
}
