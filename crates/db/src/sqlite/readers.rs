//! The connections that read.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use modelry_core::{Error, Result};
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use super::connection::open_reader;
use crate::Tx;
use crate::fault::{CLOSED, Fault};
use crate::job::{Answer, Work, attempt};
use crate::tx::Link;

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
    pub(crate) async fn read(self: &Arc<Self>, work: Work) -> Result<Answer> {
        self.with_connection(move |connection| snapshot(connection, &work)).await
    }

    /// Runs `work` on a connection, once one is free. It is interrupted when the returned future is dropped.
    pub(crate) async fn with_connection<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let slot = self.slots.clone().acquire_owned().await.map_err(|_| Error::unavailable(CLOSED))?;
        let readers = Arc::clone(self);
        let caller = Caller::default();
        let left = Arc::clone(&caller.left);
        let answer = spawn_blocking(move || readers.run(slot, left, work)).await;
        answer.map_err(|error| Error::unavailable(CLOSED).with_source(error))?
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

    fn run<T>(
        &self,
        slot: OwnedSemaphorePermit,
        left: Arc<AtomicBool>,
        work: impl FnOnce(&Connection) -> Result<T>,
    ) -> Result<T> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut connection = idle().pop().expect("a permit stands for an idle connection");
        let started = Instant::now();
        let watch = connection
            .progress_handler(STEPS_BETWEEN_LOOKS, Some(move || left.load(Ordering::Relaxed)))
            .map_err(|error| Fault::from(error).error);
        let answer = watch.and_then(|()| work(&connection));
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.longest_ms.fetch_max(took_ms, Ordering::Relaxed);
        idle().push(connection);
        drop(slot);
        answer
    }
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

fn snapshot(connection: &Connection, work: &Work) -> Result<Answer> {
    let control = |sql| connection.prepare_cached(sql).and_then(|mut statement| statement.raw_execute());
    control("BEGIN").map_err(|error| Fault::from(error).error)?;
    let answer = attempt(&mut Tx::new(Link::Sqlite(connection)), work);
    if let Err(error) = control("ROLLBACK")
        && !connection.is_autocommit()
    {
        return Err(Fault::from(error).error);
    }
    answer
}
