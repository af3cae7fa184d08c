//! The steps that reach the disk, in one place, so that a test can make them fail.

use rusqlite::Connection;

/// How much of the write-ahead log a checkpoint goes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checkpoint {
    /// As far as no reader still needs it.
    Passive,
    /// All of it, and cuts the file.
    Truncate,
}

/// The steps whose failure concerns more than one job.
pub(crate) trait Disk: Send {
    /// Commits the open transaction and waits until it is durable.
    fn commit(&mut self, connection: &Connection) -> rusqlite::Result<()>;

    /// Moves what the write-ahead log holds into the database. Returns whether that was all of it.
    fn checkpoint(&mut self, connection: &Connection, reach: Checkpoint) -> rusqlite::Result<bool>;

    /// Ends the process, because nothing about the database can be believed any more.
    fn give_up(&mut self, why: &str);
}

/// The disk there is.
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    fn commit(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        connection.prepare_cached("COMMIT")?.raw_execute().map(drop)
    }

    fn checkpoint(&mut self, connection: &Connection, reach: Checkpoint) -> rusqlite::Result<bool> {
        let sql = match reach {
            Checkpoint::Passive => "PRAGMA wal_checkpoint(PASSIVE)",
            Checkpoint::Truncate => "PRAGMA wal_checkpoint(TRUNCATE)",
        };
        let mut statement = connection.prepare_cached(sql)?;
        statement.query_row([], |row| {
            let (busy, in_log, moved) =
                (row.get::<_, bool>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?);
            Ok(!busy && in_log == moved)
        })
    }

    fn give_up(&mut self, why: &str) {
        tracing::error!(
            why,
            "the disk failed under the database: ending the process, so that it starts anew"
        );
        std::process::abort();
    }
}
