//! The rules of the writer, tested on a disk that can be told to fail.

mod group;
mod log;
mod readers;
mod trouble;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use modelry_core::{Kind, Result};
use rusqlite::{Connection, ffi};
use tempfile::TempDir;
use tokio::sync::mpsc as tokio_mpsc;
use tokio::sync::oneshot;

use super::disk::{Checkpoint, Disk, RealDisk};
use super::wal::PAGES_BETWEEN_CHECKPOINTS;
use super::writer::Message;
use super::{LIMITS, Limits, Sqlite};
use crate::job::{Answer, Job, forget, recall};
use crate::{Connections, SqliteOptions, Tx};

/// More bytes than the log grows by between two checkpoints.
const BETWEEN_CHECKPOINTS: usize = 35_000_000;
const _: () = assert!(BETWEEN_CHECKPOINTS as u64 > 4_096 * PAGES_BETWEEN_CHECKPOINTS);

/// A database in a folder of its own, on a disk that fails when it is told to.
struct Bench {
    sqlite: Sqlite,
    faults: Faults,
    checkpoints: tokio_mpsc::UnboundedReceiver<Checkpoint>,
    _folder: TempDir,
}

type BeforeCommit = Box<dyn FnMut() + Send>;

/// What the disk is told.
#[derive(Clone, Default)]
struct Faults {
    /// Codes with which the next commits fail.
    commits: Arc<Mutex<VecDeque<i32>>>,
    /// Codes with which the next checkpoints fail.
    checkpoints: Arc<Mutex<VecDeque<i32>>>,
    /// Called before each commit.
    before_commit: Arc<Mutex<Option<BeforeCommit>>>,
    /// Whether the process would have ended.
    gave_up: Arc<AtomicBool>,
}

struct FaultyDisk {
    faults: Faults,
    checkpoints: tokio_mpsc::UnboundedSender<Checkpoint>,
}

impl Disk for FaultyDisk {
    fn commit(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if let Some(before) = self.faults.before_commit.lock().unwrap().as_mut() {
            before();
        }
        fail_with(&self.faults.commits)?;
        RealDisk.commit(connection)
    }

    fn checkpoint(&mut self, connection: &Connection, reach: Checkpoint) -> rusqlite::Result<bool> {
        fail_with(&self.faults.checkpoints)?;
        let complete = RealDisk.checkpoint(connection, reach);
        let _ = self.checkpoints.send(reach);
        complete
    }

    fn give_up(&mut self, _why: &str) {
        self.faults.gave_up.store(true, Ordering::Release);
    }
}

fn fail_with(codes: &Mutex<VecDeque<i32>>) -> rusqlite::Result<()> {
    match codes.lock().unwrap().pop_front() {
        None => Ok(()),
        Some(code) => Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)),
    }
}

impl Bench {
    async fn new() -> Self {
        Self::with(LIMITS.wal_bytes, |_| {}).await
    }

    /// A bench with the table `rows (id, data)`.
    async fn with(wal_bytes: u64, change: impl FnOnce(&mut SqliteOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = SqliteOptions::new(folder.path().join("test.db"));
        change(&mut options);
        let faults = Faults::default();
        let (sender, checkpoints) = tokio_mpsc::unbounded_channel();
        // However slow the machine is, what waits is one group.
        let limits = Limits { wal_bytes, group_time: Duration::MAX };
        let disk = FaultyDisk { faults: faults.clone(), checkpoints: sender };
        let sqlite = Sqlite::open_on(options, Box::new(disk), limits).unwrap();
        let table = "CREATE TABLE rows (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT";
        let bench = Self { sqlite, faults, checkpoints, _folder: folder };
        bench.write(|tx| tx.execute(table, &[])).await.unwrap();
        bench
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.sqlite.write(forget(work)).await.map(recall)
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.sqlite.read(Connections::One, forget(work)).await.map(recall)
    }

    /// Stops the writer until the returned sender is used or dropped. What is queued meanwhile is one group.
    async fn hold_writer(&self) -> mpsc::Sender<()> {
        let (go_on, gate) = mpsc::channel();
        let (arrived, held) = oneshot::channel();
        let wait = Box::new(move |_: &Connection| {
            let _ = arrived.send(());
            let _ = gate.recv();
        });
        assert!(self.sqlite.writer.send(Message::Alone(wait)).await.is_ok());
        held.await.unwrap();
        go_on
    }

    /// Puts work in the queue now; its answer arrives at the receiver.
    fn queue<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> oneshot::Receiver<Result<Answer>> {
        let (job, answer) = Job::queued(forget(work));
        assert!(self.sqlite.writer.try_send(Message::Job(job)).is_ok());
        answer
    }

    /// The ids in the table, in order.
    async fn ids(&self) -> Vec<i64> {
        self.read(|tx| tx.query("SELECT id FROM rows ORDER BY id", &[], |row| row.get(0))).await.unwrap()
    }

    /// Lets the file grow by `pages` pages and no more.
    async fn leave_room(&self, pages: i64) {
        let limit = move |connection: &Connection| {
            let used: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
            connection.pragma_update_and_check(None, "max_page_count", used + pages, |_| Ok(())).unwrap();
            Ok(())
        };
        self.sqlite.alone(limit).await.unwrap();
    }

    fn gave_up(&self) -> bool {
        self.faults.gave_up.load(Ordering::Acquire)
    }
}

/// Inserts a row of `bytes` bytes.
fn insert(tx: &mut Tx<'_>, id: i64, bytes: usize) -> Result<()> {
    tx.execute("INSERT INTO rows (id, data) VALUES ($1, $2)", &[&id, &vec![7_u8; bytes]])?;
    Ok(())
}

/// What kind of error an answer is, if it is one.
fn kind<T>(answer: &Result<T>) -> Option<Kind> {
    answer.as_ref().err().map(modelry_core::Error::kind)
}
