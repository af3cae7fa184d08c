//! The one thread that writes: many jobs, one commit, and no answer before it.
//!
//! Jobs run one after the other in the transaction that all waiting jobs share. What goes wrong inside a job is that job's
//! own matter. Most jobs go well, and most of the others fail before they write anything, which leaves nothing to undo.
//! Only where a job may have written and then fails is the transaction undone, and all of its jobs run again, each in a
//! savepoint: one around every job from the start would cost a tenth of what the writer does.
//!
//! A full disk makes SQLite undo the *whole* transaction, after which the next statement would silently begin, and commit,
//! a transaction of its own. So [`Connection::is_autocommit`] is asked after every job, and where the transaction is gone,
//! the jobs before it run again, each alone.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use modelry_core::Error;
use rusqlite::{Connection, ErrorCode};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::disk::{Checkpoint, Disk};
use super::error::is_beyond_repair;
use super::readers::Readers;
use super::wal::WalMeter;
use crate::Tx;
use crate::fault::{DISK_FULL, Damage, Fault};
use crate::job::{Job, run_effects};
use crate::tx::{Effect, Link};

/// Jobs that share one commit at most.
const JOBS_PER_COMMIT: usize = 1_024;
/// How long running reads get to end before the log is cut.
const READERS_PATIENCE: Duration = Duration::from_secs(10);

/// What the writer's queue holds.
pub(crate) enum Message {
    /// Work to be committed with others.
    Job(Job),
    /// Something that needs the connection for itself, outside any transaction.
    Alone(Box<dyn FnOnce(&Connection) + Send>),
    /// Readers are held back by the permit, so the log can be cut; `None` when they did not end in time.
    Truncate(Option<OwnedSemaphorePermit>),
    /// Stop, and tell when it is done.
    Close(oneshot::Sender<()>),
}

/// The connection that writes, and what it works with.
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) queue: mpsc::Receiver<Message>,
    /// The way to its own queue, for whoever holds the readers back; weak, or the thread would never end.
    pub(crate) to_self: mpsc::WeakSender<Message>,
    pub(crate) readers: Arc<Readers>,
    pub(crate) runtime: Handle,
    pub(crate) wal: WalMeter,
    pub(crate) disk: Box<dyn Disk>,
    /// How long a group takes further jobs in, so that its first one does not wait for ever.
    pub(crate) group_time: Duration,
    pub(crate) truncating: bool,
}

/// A job that ran and is not answered yet, with what it wants done after the commit.
struct Ran {
    job: Job,
    effects: Vec<Effect>,
}

/// What keeps the jobs of a transaction apart.
#[derive(Clone, Copy)]
enum Apart {
    /// Nothing: where one has to be undone, all are.
    Nothing,
    /// A savepoint for each, by which that one alone is undone.
    Savepoints,
}

/// How a job left the transaction that it ran in.
enum Left {
    /// Whole: it holds nothing that is not to be kept.
    Whole,
    /// Spoilt: it may hold what is not to be kept.
    Spoilt,
    /// Gone: SQLite undid everything.
    Gone,
    /// In doubt: a sync failed.
    InDoubt,
}

/// Breaks when the database can no longer be believed.
type Flow<T = ()> = ControlFlow<(), T>;

impl Writer {
    /// Works until the queue is closed, a message says so, or the disk fails.
    pub(crate) fn run(mut self) {
        let mut next = None;
        while let Some(message) = next.take().or_else(|| self.queue.blocking_recv()) {
            let flow = match message {
                Message::Job(job) => self.group(job).map_continue(|left_over| next = left_over),
                Message::Alone(work) => {
                    work(&self.connection);
                    ControlFlow::Continue(())
                }
                Message::Truncate(permit) => self.truncate(permit),
                Message::Close(done) => return self.close(done),
            };
            if flow.is_break() {
                return;
            }
            if self.tend_log().is_break() {
                return;
            }
        }
    }

    /// Commits `first` together with every job that is waiting. Returns a message that is none, if it met one.
    fn group(&mut self, first: Job) -> Flow<Option<Message>> {
        let mut first = Some(first);
        let mut left_over = None;
        let mut room = JOBS_PER_COMMIT;
        let (started, group_time) = (Instant::now(), self.group_time);
        self.transaction(Apart::Nothing, |queue| {
            if first.is_some() {
                return first.take();
            }
            room -= 1;
            if room == 0 || started.elapsed() > group_time {
                return None;
            }
            match queue.try_recv().ok()? {
                Message::Job(job) => Some(job),
                other => {
                    left_over = Some(other);
                    None
                }
            }
        })?;
        ControlFlow::Continue(left_over)
    }

    /// Runs the jobs that `take` hands out in one transaction, commits it and answers them.
    fn transaction(
        &mut self,
        apart: Apart,
        mut take: impl FnMut(&mut mpsc::Receiver<Message>) -> Option<Job>,
    ) -> Flow {
        let mut group = Vec::new();
        while let Some(job) = take(&mut self.queue) {
            if group.is_empty()
                && let Err(error) = control(&self.connection, "BEGIN IMMEDIATE")
            {
                job.refuse(not_committed(Arc::new(error)));
                return ControlFlow::Continue(());
            }
            let (ran, left) = match apart {
                Apart::Nothing => self.as_it_is(job),
                Apart::Savepoints => self.in_savepoint(job),
            };
            match left {
                Left::Whole => group.push(ran),
                Left::Spoilt => {
                    if !self.undo() {
                        return self.give_up("a transaction could not be undone");
                    }
                    if group.is_empty() {
                        ran.job.answer();
                        return ControlFlow::Continue(());
                    }
                    group.push(ran);
                    return self.in_savepoints(group);
                }
                Left::Gone => {
                    ran.job.answer();
                    return self.each_alone(group);
                }
                Left::InDoubt => return self.give_up("a sync failed inside a transaction"),
            }
        }
        self.commit(group)
    }

    /// Runs one job, with nothing around it.
    fn as_it_is(&self, mut job: Job) -> (Ran, Left) {
        let before = self.connection.total_changes();
        let mut tx = Tx::new(Link::Sqlite { connection: &self.connection, beside: None });
        let keep = job.run(&mut tx);
        let (damage, changes_schema) = (tx.damage(), tx.changes_schema());
        let effects = if keep { tx.into_effects() } else { Vec::new() };
        let left = match damage {
            Some(Damage::Disk) => Left::InDoubt,
            _ if self.connection.is_autocommit() => Left::Gone,
            _ if keep => Left::Whole,
            // What a statement changes that fails halfway is not counted, nor is a change of the schema.
            Some(_) => Left::Spoilt,
            None if changes_schema || self.connection.total_changes() > before => Left::Spoilt,
            None => Left::Whole,
        };
        (Ran { job, effects }, left)
    }

    /// Runs one job in a savepoint of its own.
    fn in_savepoint(&self, mut job: Job) -> (Ran, Left) {
        if let Err(error) = control(&self.connection, "SAVEPOINT job") {
            job.fail(Fault::from(error).error);
            let left = if self.connection.is_autocommit() { Left::Gone } else { Left::Whole };
            return (Ran { job, effects: Vec::new() }, left);
        }
        let (mut ran, left) = self.as_it_is(job);
        if matches!(left, Left::Gone | Left::InDoubt) {
            return (ran, left);
        }
        let keep = ran.job.has_succeeded();
        let undone = if keep { Ok(()) } else { control(&self.connection, "ROLLBACK TO job") };
        if let Err(error) = undone.and_then(|()| control(&self.connection, "RELEASE job")) {
            // What the job wrote can no longer be told from what the others wrote.
            ran.job.fail(Fault::from(error).error);
            return (ran, if self.undo() { Left::Gone } else { Left::InDoubt });
        }
        (ran, Left::Whole)
    }

    /// Runs jobs again whose transaction was undone, in another one.
    fn in_savepoints(&mut self, group: Vec<Ran>) -> Flow {
        let mut jobs = again(group);
        // More than one transaction, where a job makes SQLite undo it.
        while jobs.len() > 0 {
            self.transaction(Apart::Savepoints, |_| jobs.next())?;
        }
        ControlFlow::Continue(())
    }

    /// Runs jobs again whose transaction is gone, each in one of its own.
    fn each_alone(&mut self, group: Vec<Ran>) -> Flow {
        for job in again(group) {
            let mut job = Some(job);
            self.transaction(Apart::Savepoints, |_| job.take())?;
        }
        ControlFlow::Continue(())
    }

    /// Commits what `group` wrote, then answers.
    fn commit(&mut self, group: Vec<Ran>) -> Flow {
        let Err(error) = self.disk.commit(&self.connection) else {
            group.into_iter().for_each(Ran::settle);
            return ControlFlow::Continue(());
        };
        if is_beyond_repair(&error) {
            return self.give_up(&error.to_string());
        }
        if !self.undo() {
            return self.give_up("a transaction could be neither committed nor undone");
        }
        let error = Arc::new(error);
        for ran in group {
            ran.job.refuse(not_committed(Arc::clone(&error)));
        }
        ControlFlow::Continue(())
    }

    /// Undoes the open transaction; false when even that fails.
    fn undo(&self) -> bool {
        self.connection.is_autocommit() || control(&self.connection, "ROLLBACK").is_ok()
    }

    /// Moves the log into the database when it is time to.
    fn tend_log(&mut self) -> Flow {
        if self.wal.checkpoint_is_due() {
            self.checkpoint(Checkpoint::Passive)?;
        }
        if self.wal.is_over_limit() && !self.truncating {
            self.truncating = true;
            let (readers, to_self) = (Arc::clone(&self.readers), self.to_self.clone());
            self.runtime.spawn(async move {
                let held_back = readers.hold_back(READERS_PATIENCE).await;
                if let Some(to_self) = to_self.upgrade() {
                    // A closed queue means that the writer has ended and checkpointed.
                    let _ = to_self.send(Message::Truncate(held_back)).await;
                }
            });
        }
        ControlFlow::Continue(())
    }

    /// Cuts the log while nobody reads; `held_back` is `None` when somebody still does.
    fn truncate(&mut self, held_back: Option<OwnedSemaphorePermit>) -> Flow {
        self.truncating = false;
        let cut = held_back.is_some() && self.checkpoint(Checkpoint::Truncate)?;
        drop(held_back);
        if cut {
            self.wal.truncated();
        } else {
            tracing::warn!(
                "the write-ahead log is over its limit and could not be cut, because it is still read"
            );
            self.wal.not_truncated();
        }
        ControlFlow::Continue(())
    }

    /// Makes a checkpoint. Returns whether all of the log is in the database.
    fn checkpoint(&mut self, reach: Checkpoint) -> Flow<bool> {
        match self.disk.checkpoint(&self.connection, reach) {
            Ok(complete) => ControlFlow::Continue(complete),
            Err(error) if is_beyond_repair(&error) => {
                self.give_up(&error.to_string())?;
                ControlFlow::Continue(false)
            }
            Err(error) => {
                tracing::warn!(%error, "a checkpoint failed; the write-ahead log keeps what it holds");
                ControlFlow::Continue(false)
            }
        }
    }

    fn give_up(&mut self, why: &str) -> Flow {
        self.disk.give_up(why);
        ControlFlow::Break(())
    }

    fn close(mut self, done: oneshot::Sender<()>) {
        // Opening the file again finishes what this leaves behind, so its outcome does not matter.
        let _ = self.checkpoint(Checkpoint::Truncate);
        drop(self);
        let _ = done.send(());
    }
}

/// The jobs of a group that is to run again. What they wanted done after the commit goes with their first run; they will
/// ask again.
fn again(group: Vec<Ran>) -> impl ExactSizeIterator<Item = Job> {
    group.into_iter().map(|ran| ran.job)
}

impl Ran {
    /// Does what the job wanted done once it is durable, then answers.
    fn settle(self) {
        match run_effects(self.effects) {
            Ok(()) => self.job.answer(),
            Err(error) => self.job.refuse(error),
        }
    }
}

fn control(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.raw_execute().map(drop)
}

fn not_committed(source: Arc<rusqlite::Error>) -> Error {
    let message = match source.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => DISK_FULL,
        _ => "the write could not be made durable; try again",
    };
    Error::unavailable(message).with_source(source)
}
