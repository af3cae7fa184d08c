//! SQLite: one thread that writes, several connections that read, one write-ahead log between them.

mod beside;
mod connection;
mod disk;
mod error;
mod functions;
mod migrate;
mod readers;
pub(crate) mod statement;
#[cfg(test)]
mod tests;
mod wal;
mod writer;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use modelry_core::{Error, Result};
use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

pub(crate) use self::beside::query_twice;
use self::disk::{Disk, RealDisk};
use self::readers::Readers;
use self::wal::WalMeter;
use self::writer::{Message, Writer};
use crate::fault::{BUSY, CLOSED, Fault};
use crate::job::{Answer, Job, Work};
use crate::{Connections, Migrated, Migration, SqliteOptions, Stats};

/// What the writer holds to.
#[derive(Clone, Copy)]
struct Limits {
    /// The write-ahead log is cut when it is longer than this.
    wal_bytes: u64,
    /// A group of jobs takes no further ones in after this time.
    group_time: Duration,
}

const LIMITS: Limits = Limits { wal_bytes: 64 * 1024 * 1024, group_time: Duration::from_millis(10) };

/// An open SQLite database.
pub(crate) struct Sqlite {
    writer: mpsc::Sender<Message>,
    readers: Arc<Readers>,
    wal_path: PathBuf,
}

impl Sqlite {
    /// Opens the file and starts the thread that writes.
    pub(crate) fn open(options: SqliteOptions) -> Result<Self> {
        Self::open_on(options, Box::new(RealDisk), LIMITS)
    }

    /// As [`Sqlite::open`], on a `disk` that may fail and with other limits.
    fn open_on(options: SqliteOptions, disk: Box<dyn Disk>, limits: Limits) -> Result<Self> {
        if options.readers == 0 || options.queue == 0 {
            return Err(Error::invalid("a database needs a reader and room for a write"));
        }
        let runtime = Handle::try_current()
            .map_err(|error| Error::internal("a database is opened inside a runtime").with_source(error))?;
        let mut connection = connection::open_writer(&options.path)?;
        let wal =
            WalMeter::watch(&mut connection, limits.wal_bytes).map_err(|error| Fault::from(error).error)?;
        let readers = Arc::new(Readers::open(&options.path, options.readers)?);
        let (sender, queue) = mpsc::channel(options.queue);
        let writer = Writer {
            connection,
            queue,
            to_self: sender.downgrade(),
            readers: Arc::clone(&readers),
            runtime,
            wal,
            disk,
            group_time: limits.group_time,
            truncating: false,
        };
        thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(|| writer.run())
            .map_err(|error| Error::unavailable("no thread for the database").with_source(error))?;
        let mut wal_path = OsString::from(options.path);
        wal_path.push("-wal");
        Ok(Self { writer: sender, readers, wal_path: wal_path.into() })
    }

    pub(crate) async fn read(&self, connections: Connections, work: Work) -> Result<Answer> {
        self.readers.read(connections, work).await
    }

    pub(crate) async fn write(&self, work: Work) -> Result<Answer> {
        let (job, answer) = Job::queued(work);
        self.writer.try_send(Message::Job(job)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::unavailable(BUSY),
            mpsc::error::TrySendError::Closed(_) => Error::unavailable(CLOSED),
        })?;
        answer.await.map_err(|_| Error::unavailable(CLOSED))?
    }

    pub(crate) async fn migrate(&self, migrations: &'static [Migration]) -> Result<Migrated> {
        self.alone(|connection| migrate::migrate(connection, migrations)).await
    }

    pub(crate) fn stats(&self) -> Stats {
        Stats {
            wal_bytes: std::fs::metadata(&self.wal_path).map_or(0, |file| file.len()),
            longest_read_ms: self.readers.longest_ms(),
            queue_length: self.writer.max_capacity() - self.writer.capacity(),
        }
    }

    pub(crate) async fn integrity_check(&self) -> Result<Vec<String>> {
        self.readers
            .with_connection(|connection| findings(connection).map_err(|error| Fault::from(error).error))
            .await
    }

    pub(crate) async fn close(&self) {
        self.readers.close().await;
        let (done, closed) = oneshot::channel();
        if self.writer.send(Message::Close(done)).await.is_ok() {
            // The sender is gone without a word only when the writer has ended already.
            let _ = closed.await;
        }
    }

    /// Runs `work` on the connection that writes, between two groups of jobs.
    async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (caller, answer) = oneshot::channel();
        let work = Box::new(|connection: &Connection| {
            // A caller that has left does not want to know.
            let _ = caller.send(work(connection));
        });
        self.writer.send(Message::Alone(work)).await.map_err(|_| Error::unavailable(CLOSED))?;
        answer.await.map_err(|_| Error::unavailable(CLOSED))?
    }
}

fn findings(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("PRAGMA integrity_check")?;
    let mut findings: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    findings.retain(|finding| finding != "ok");
    findings.extend(dangling_references(connection)?);
    Ok(findings)
}

fn dangling_references(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let rows = statement.query_map([], |row| {
        let (table, parent) = (row.get::<_, String>(0)?, row.get::<_, String>(2)?);
        Ok(format!("a row of {table} refers to a row of {parent} that is not there"))
    })?;
    rows.collect()
}
