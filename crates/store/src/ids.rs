//! Numbers for new rows. They are drawn before a transaction starts, so that running it again writes the same rows.
//!
//! Numbers rise and are never given twice; they may have gaps. One SQLite process owns its database, so it counts in
//! memory from what is there; each PostgreSQL process reserves a block of numbers at a time.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use modelry_core::Result;
use modelry_core::ids::ProjectId;
use modelry_core::time::Timestamp;
use modelry_db::{Db, Engine, Tx};

/// How many numbers a PostgreSQL process reserves at a time.
const BLOCK: i64 = 64;

/// The number of a project's first model version: so great that a sequence number is never taken for one.
pub const FIRST_VERSION: i64 = 1_000_001;

/// The project that holds the global series.
const GLOBAL: ProjectId = ProjectId(0);

/// A sequence of numbers: global, or one per project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Series {
    /// Users; global.
    User,
    /// Personal access tokens; global.
    Token,
    /// Namespaces; global.
    Namespace,
    /// Projects; global.
    Project,
    /// Blobs; global.
    Blob,
    /// Experiments of a project.
    Experiment,
    /// Candidates of a project.
    Candidate,
    /// Logged models of a project.
    LoggedModel,
    /// Datasets of a project.
    Dataset,
    /// Registered models, and prompts, of a project.
    Model,
    /// Model versions of a project; from [`FIRST_VERSION`].
    Version,
    /// Names of metrics, params and metadata of a project.
    Key,
}

impl Series {
    fn name(self) -> &'static str {
        match self {
            Self::User => "users",
            Self::Token => "tokens",
            Self::Namespace => "namespaces",
            Self::Project => "projects",
            Self::Blob => "blobs",
            Self::Experiment => "experiments",
            Self::Candidate => "candidates",
            Self::LoggedModel => "logged_models",
            Self::Dataset => "datasets",
            Self::Model => "models",
            Self::Version => "versions",
            Self::Key => "keys",
        }
    }

    fn highest_used(self) -> &'static str {
        match self {
            Self::User => "SELECT max(id) FROM users WHERE $1 = 0",
            Self::Token => "SELECT max(id) FROM tokens WHERE $1 = 0",
            Self::Namespace => "SELECT max(id) FROM namespaces WHERE $1 = 0",
            Self::Project => "SELECT max(id) FROM projects WHERE $1 = 0",
            Self::Blob => "SELECT max(id) FROM blobs WHERE $1 = 0",
            Self::Experiment => "SELECT max(id) FROM experiments WHERE project_id = $1",
            Self::Candidate => "SELECT max(id) FROM candidates WHERE project_id = $1",
            Self::LoggedModel => "SELECT max(id) FROM logged_models WHERE project_id = $1",
            Self::Dataset => "SELECT max(id) FROM datasets WHERE project_id = $1",
            Self::Model => "SELECT max(id) FROM models WHERE project_id = $1",
            Self::Version => "SELECT max(id) FROM versions WHERE project_id = $1",
            Self::Key => "SELECT max(id) FROM keys WHERE project_id = $1",
        }
    }

    /// The number that it starts with.
    fn first(self) -> i64 {
        if self == Self::Version { FIRST_VERSION } else { 1 }
    }
}

/// Gives out numbers.
pub struct Ids {
    db: Db,
    counters: RwLock<HashMap<(ProjectId, Series), Arc<Counter>>>,
    last_append: AtomicI64,
}

/// The numbers of one series that are free.
#[derive(Default)]
struct Counter {
    free: Mutex<Range<i64>>,
    /// Held by whoever fetches more of them.
    refill: tokio::sync::Mutex<()>,
}

impl Counter {
    fn take(&self) -> Option<i64> {
        self.free.lock().expect("no holder of this lock panics").next()
    }

    fn put(&self, range: Range<i64>) {
        *self.free.lock().expect("no holder of this lock panics") = range;
    }
}

impl Ids {
    /// Numbers for the rows of `db`.
    pub fn new(db: Db) -> Self {
        Self { db, counters: RwLock::default(), last_append: AtomicI64::new(0) }
    }

    /// The next number of a global series.
    pub async fn next_global(&self, series: Series) -> Result<i64> {
        self.next(GLOBAL, series).await
    }

    /// The next number of a project's series.
    pub async fn next(&self, project: ProjectId, series: Series) -> Result<i64> {
        let counter = self.counter(project, series);
        if let Some(id) = counter.take() {
            return Ok(id);
        }
        // One caller fetches: a second one would, on SQLite, count from the same rows.
        let _turn = counter.refill.lock().await;
        if let Some(id) = counter.take() {
            return Ok(id);
        }
        let mut range = self.db.write(move |tx| reserve(tx, project, series)).await?;
        let id = range.next().expect("a reserved range is not empty");
        counter.put(range);
        Ok(id)
    }

    fn counter(&self, project: ProjectId, series: Series) -> Arc<Counter> {
        let known =
            self.counters.read().expect("no holder of this lock panics").get(&(project, series)).cloned();
        known.unwrap_or_else(|| {
            let mut counters = self.counters.write().expect("no holder of this lock panics");
            counters.entry((project, series)).or_default().clone()
        })
    }

    /// An id for an append-only row: it rises with time, and is unique in all processes but for a chance of 1 in
    /// 2^22 per millisecond, against which the candidate in the row's key stands.
    pub fn append_id(&self, now: Timestamp, random: u32) -> i64 {
        let fresh = (now.ms() << 22) | i64::from(random & 0x3f_ffff);
        let previous = self
            .last_append
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(fresh.max(last + 1)))
            .expect("the update always succeeds");
        fresh.max(previous + 1)
    }
}

/// Remembers that a number was given, when the row that says so goes.
pub(crate) fn keep_used(tx: &mut Tx<'_>, project: ProjectId, series: Series, id: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO counters (project_id, series, next) VALUES ($1, $2, $3)
         ON CONFLICT (project_id, series) DO UPDATE
            SET next = CASE WHEN counters.next < excluded.next THEN excluded.next ELSE counters.next END",
        &[&project.0, &series.name(), &(id + 1)],
    )?;
    Ok(())
}

fn reserve(tx: &mut Tx<'_>, project: ProjectId, series: Series) -> Result<Range<i64>> {
    match tx.engine() {
        Engine::Sqlite => {
            let floor = tx.query_opt(
                "SELECT next FROM counters WHERE project_id = $1 AND series = $2",
                &[&project.0, &series.name()],
                |row| row.get::<i64>(0),
            )?;
            let used = tx.query_one(series.highest_used(), &[&project.0], |row| row.get::<Option<i64>>(0))?;
            Ok(floor.unwrap_or(1).max(series.first()).max(used.unwrap_or(0) + 1)..i64::MAX)
        }
        Engine::Postgres => {
            let end = tx.query_one(
                "INSERT INTO counters (project_id, series, next)
                 VALUES ($1, $2, $3)
                 ON CONFLICT (project_id, series) DO UPDATE
                    SET next = counters.next + $4
                 RETURNING next",
                &[&project.0, &series.name(), &(series.first() + BLOCK), &BLOCK],
                |row| row.get::<i64>(0),
            )?;
            Ok(end - BLOCK..end)
        }
    }
}
