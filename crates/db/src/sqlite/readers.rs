//! The connections that read.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use modelry_core::{Error, Result};
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use super::beside;
use super::connection::open_reader;
use crate::fault::{CLOSED, Fault};
use crate::job::{Answer, Work, attempt};
use crate::tx::Link;
use crate::{Connections, Tx};

/// Steps of SQLite's machine between two looks at whether the caller is still there: about a millisecond.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// The connections that read, and who may use one.
pub(crate) struct Readers {
    count: u32,
    slots: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
    longest_ms: AtomicU64,
}

impl Readers {
    /// Opens `count` connections to the file at `path`.
    pub(crate) fn open(path: &Path, count: usize) -> Result<Self> {
        let idle = (0..count).map(|_| open_reader(path)).collect::<Result<Vec<_>>>()?;
        let count = u32::try_from(count).map_err(|_| Error::invalid("too many readers"))?;
        let slots = Arc::new(Semaphore::new(idle.len()));
        Ok(Self { count, slots, idle: Mutex::new(idle), longest_ms: AtomicU64::new(0) })
    }

    /// Runs `work` on a snapshot, once a connection is free.
    pub(crate) async fn read(self: &Arc<Self>, connections: Connections, work: Work) -> Result<Answer> {
        self.run(connections, move |connection, beside| snapshot(connection, beside, &work)).await
    }

    /// Runs `work` on a connection, once one is free. It is interrupted when the returned future is dropped.
    pub(crate) async fn with_connection<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.run(Connections::One, |connection, _| work(connection)).await
    }

    /// Waits until nobody reads, and lets nobody read while the returned permit lives. `None` when that takes longer
    /// than `patience`, or the readers are closed.
    pub(crate) async fn hold_back(&self, patience: Duration) -> Option<OwnedSemaphorePermit> {
        let everybody = self.slots.clone().acquire_many_owned(self.count);
        tokio::time::timeout(patience, everybody).await.ok()?.ok()
    }

    /// Waits until nobody reads, and lets nobody read any more.
    pub(crate) async fn close(&self) {
        let everybody = self.slots.acquire_many(self.count).await;
        self.slots.close();
        drop(everybody);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The longest read since the connections were opened.
    pub(crate) fn longest_ms(&self) -> u64 {
        self.longest_ms.load(Ordering::Relaxed)
    }

    /// As [`Readers::with_connection`], with another one where it is asked for and can be spared.
    async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        connections: Connections,
        work: impl FnOnce(&Connection, Option<&mut Connection>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let slot = self.slots.clone().acquire_owned().await.map_err(|_| Error::unavailable(CLOSED))?;
        let readers = Arc::clone(self);
        let caller = Caller::default();
        let left = Arc::clone(&caller.left);
        let answer = spawn_blocking(move || {
            let first = readers.lend(slot, &left)?;
            let mut second = match connections {
                Connections::One => None,
                Connections::Two => readers.spare().and_then(|slot| readers.lend(slot, &left).ok()),
            };
            let started = Instant::now();
            let answer = work(&first.connection, second.as_mut().map(|reader| &mut reader.connection));
            let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            readers.longest_ms.fetch_max(took_ms, Ordering::Relaxed);
            [Some(first), second].into_iter().flatten().for_each(|reader| readers.take_back(reader));
            answer
        });
        answer.await.map_err(|error| Error::unavailable(CLOSED).with_source(error))?
    }

    /// What stands for a second connection of one read, unless it is the last.
    fn spare(&self) -> Option<OwnedSemaphorePermit> {
        let slots = self.slots.clone().try_acquire_many_owned(2).ok();
        slots.and_then(|mut slots| slots.split(1))
    }

    /// A connection, which is interrupted once the caller has left.
    fn lend(&self, slot: OwnedSemaphorePermit, left: &Arc<AtomicBool>) -> Result<Reader> {
        let mut connection = self.idle().pop().expect("a permit stands for an idle connection");
        let left = Arc::clone(left);
        let watch =
            connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || left.load(Ordering::Relaxed)));
        let reader = Reader { connection, slot };
        match watch {
            Ok(()) => Ok(reader),
            Err(error) => {
                self.take_back(reader);
                Err(Fault::from(error).error)
            }
        }
    }

    fn take_back(&self, Reader { connection, slot }: Reader) {
        self.idle().push(connection);
        drop(slot);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that is in use, and what stands for it.
struct Reader {
    connection: Connection,
    slot: OwnedSemaphorePermit,
}

/// Whoever waits for an answer: dropped with the future that they wait on.
#[derive(Default)]
struct Caller {
    left: Arc<AtomicBool>,
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.left.store(true, Ordering::Relaxed);
    }
}

/// Runs `work` on a snapshot, with a connection `beside` it that sees the same, if that can be had.
fn snapshot(connection: &Connection, beside: Option<&mut Connection>, work: &Work) -> Result<Answer> {
    let Some(beside) = beside else {
        control(connection, "BEGIN").map_err(|fault| fault.error)?;
        let answer = attempt(&mut Tx::new(Link::Sqlite { connection, beside: None }), work);
        return end(connection).and(answer);
    };
    let answer = beside::begin(connection, beside).map_err(|fault| fault.error).and_then(|sees_the_same| {
        let beside = sees_the_same.then_some(&mut *beside);
        attempt(&mut Tx::new(Link::Sqlite { connection, beside }), work)
    });
    [end(connection), end(beside)].into_iter().collect::<Result<()>>().and(answer)
}

/// Ends a read, if it was begun.
fn end(connection: &Connection) -> Result<()> {
    match control(connection, "ROLLBACK") {
        Err(fault) if !connection.is_autocommit() => Err(fault.error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Runs a statement that begins or ends a transaction.
pub(super) fn control(connection: &Connection, sql: &str) -> Result<(), Fault> {
    connection.prepare_cached(sql)?.raw_execute()?;
    Ok(())
}
