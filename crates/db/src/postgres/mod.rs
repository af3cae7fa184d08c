//! PostgreSQL: a bounded pool of connections, each driven by a thread that may block while it is used.

mod beside;
mod error;
mod lower;
mod migrate;
mod pool;
mod session;
mod transaction;

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use modelry_core::{Error, Result};
use tokio::task::spawn_blocking;

use self::transaction::{Ending, Watch, run_once};
use crate::fault::{BUSY, CLOSED};
use crate::job::{Answer, Work};
use crate::{Migrated, Migration, PostgresOptions, Stats};

pub(crate) use self::beside::query_twice;
pub(crate) use self::pool::Pool;
pub(crate) use self::session::Session;
pub(crate) use self::transaction::Isolation;

/// How often a transaction is tried that loses against others.
const ATTEMPTS: u32 = 30;
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// An open PostgreSQL database.
pub(crate) struct Postgres {
    pool: Arc<Pool>,
    longest_read_ms: AtomicU64,
}

impl Postgres {
    pub(crate) async fn open(options: PostgresOptions) -> Result<Self> {
        if options.connections == 0 {
            return Err(Error::invalid("a database needs a connection"));
        }
        Ok(Self { pool: Arc::new(Pool::open(options).await?), longest_read_ms: AtomicU64::new(0) })
    }

    /// Runs `work` in a transaction, and again as long as it loses against others.
    pub(crate) async fn run(&self, isolation: Isolation, work: Work) -> Result<Answer> {
        let started = Instant::now();
        let answer = self.run_until_settled(isolation, work).await;
        if isolation == Isolation::Snapshot {
            let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.longest_read_ms.fetch_max(took_ms, Ordering::Relaxed);
        }
        answer
    }

    async fn run_until_settled(&self, isolation: Isolation, mut work: Work) -> Result<Answer> {
        for attempt in 0..ATTEMPTS {
            let mut taken = self.pool.take().await?;
            let pool = Arc::clone(&self.pool);
            let (watch, watched) = Watch::over(isolation, &taken.session);
            let ran = spawn_blocking(move || {
                let ending = run_once(&mut taken.session, &pool, isolation, &work);
                // A connection that is being cancelled is dropped, or the next one to use it would be cancelled.
                if watched.finish() {
                    pool.put_back(taken);
                }
                (work, ending)
            });
            let (same_work, ending) =
                ran.await.map_err(|error| Error::unavailable(CLOSED).with_source(error))?;
            drop(watch);
            match ending {
                Ending::Settled(answer) => return answer,
                Ending::Gone => self.pool.forget_idle(),
                Ending::Lost => {}
            }
            work = same_work;
            tokio::time::sleep(pause(attempt)).await;
        }
        Err(Error::unavailable(BUSY))
    }

    pub(crate) async fn migrate(&self, migrations: &'static [Migration]) -> Result<Migrated> {
        let mut taken = self.pool.take().await?;
        let pool = Arc::clone(&self.pool);
        let migrate = spawn_blocking(move || {
            let migrated = migrate::migrate(&mut taken.session, migrations);
            if migrated.is_ok() {
                pool.put_back(taken);
            }
            migrated
        });
        migrate.await.map_err(|error| Error::unavailable(CLOSED).with_source(error))?
    }

    pub(crate) fn stats(&self) -> Stats {
        Stats { longest_read_ms: self.longest_read_ms.load(Ordering::Relaxed), ..Stats::default() }
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// How long to wait before the next try: longer each time, and not the same for two that lost against each other.
///
/// The randomness is that of a new hash map's keys; nothing but the length of a pause depends on it.
fn pause(attempt: u32) -> Duration {
    let longest = Duration::from_millis(1 << attempt.min(10)).min(LONGEST_PAUSE);
    let random = RandomState::new().hash_one(attempt) % 1_000;
    longest.mul_f64(f64::from(u32::try_from(random).expect("less than 1,000")) / 1_000.0)
}
