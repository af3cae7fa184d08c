//! Two SQL engines behind one door: SQLite and PostgreSQL, one text, one meaning.
//!
//! Work is a synchronous closure over a [`Tx`]; [`Db`] runs it where it may block. What lives here is *how* statements
//! run, are committed, retried and cancelled. What they say is none of this crate's business.
//!
//! # What work may rely on
//!
//! * [`Db::read`] is one snapshot, [`Db::write`] is serializable, on both engines.
//! * An answer `Ok` to a write means that it is durable. On SQLite many jobs share one commit, and run
//!   again where one of them has to be undone; on PostgreSQL a transaction that lost against another one is run again.
//!   So work may run more than once: ids, time and randomness are drawn before, and memory changes only in
//!   [`Tx::on_commit`].
//! * Work takes at most 5 ms and touches at most 1,000 rows: on SQLite everybody waits for it.
//!
//! # The portable subset of SQL
//!
//! * Placeholders are `$1` to `$n`; each may stand in several places. PostgreSQL must be able to tell their types:
//!   write `CAST($1 AS BIGINT)` where nothing else does. Literals and sums are cast as well, where they are read:
//!   `CAST(1 AS BIGINT)`, `CAST(SUM(x) AS BIGINT)`.
//! * Types are `BIGINT`, `BOOLEAN`, `DOUBLE PRECISION`, `TEXT` and `BYTEA`; see [`rewrite_ddl`].
//! * Text sorts by its bytes. `LIKE` minds case, its escape is a backslash unless `ESCAPE` says otherwise, and
//!   `lower()` knows all of Unicode, so `lower(x) LIKE lower($1)` forgets case.
//! * Text never contains NUL: binding it is `Invalid`.
//! * A list of any length is bound as [`Numbers`] and read by [`Numbers::rows`]; PostgreSQL compares with [`Numbers::any`].
//! * Conflicts are met with `ON CONFLICT`; a violated constraint fails the transaction.

mod ddl;
mod fault;
mod job;
mod migrate;
mod options;
mod param;
mod postgres;
mod row;
mod scan;
mod sqlite;
mod tx;

use std::sync::Arc;

use modelry_core::Result;

pub use ddl::rewrite_ddl;
pub use migrate::{Migrated, Migration};
pub use options::{Connections, PostgresOptions, SqliteOptions};
pub use param::{Numbers, Param};
pub use row::Row;
pub use tx::Tx;

use job::{forget, recall};
use postgres::{Isolation, Postgres};
use sqlite::Sqlite;

/// The two engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// One file on this machine.
    Sqlite,
    /// A server.
    Postgres,
}

/// Figures for the operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes of SQLite's write-ahead log; 0 on PostgreSQL.
    pub wal_bytes: u64,
    /// The longest transaction that only read, since the database was opened, in milliseconds.
    pub longest_read_ms: u64,
    /// Writes that wait for SQLite's writer; 0 on PostgreSQL.
    pub queue_length: usize,
}

/// An open database. Clones are the same database.
#[derive(Clone)]
pub struct Db {
    backend: Backend,
}

#[derive(Clone)]
enum Backend {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
}

impl Db {
    /// Opens the file, and makes it when it is missing. Call it inside a tokio runtime.
    ///
    /// Fails with `Unavailable` when the file cannot be opened.
    pub fn open_sqlite(options: SqliteOptions) -> Result<Self> {
        Ok(Self { backend: Backend::Sqlite(Arc::new(Sqlite::open(options)?)) })
    }

    /// Connects to a server.
    ///
    /// Fails with `Invalid` when the URL is malformed or asks for TLS, and with `Unavailable` when there is no
    /// connection.
    pub async fn open_postgres(options: PostgresOptions) -> Result<Self> {
        Ok(Self { backend: Backend::Postgres(Arc::new(Postgres::open(options).await?)) })
    }

    /// The engine behind this database.
    pub fn engine(&self) -> Engine {
        match self.backend {
            Backend::Sqlite(_) => Engine::Sqlite,
            Backend::Postgres(_) => Engine::Postgres,
        }
    }

    /// Runs the `migrations` that the database does not have yet, all or none.
    ///
    /// Fails with `Conflict` when the database has migrations that are not among these or whose text differs: it
    /// was made by another version.
    pub async fn migrate(&self, migrations: &'static [Migration]) -> Result<Migrated> {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.migrate(migrations).await,
            Backend::Postgres(postgres) => postgres.migrate(migrations).await,
        }
    }

    /// Runs `work` on a snapshot that does not change meanwhile. It cannot write.
    ///
    /// A caller that drops the future interrupts the work.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.read_on(Connections::One, work).await
    }

    /// Runs `work` as [`Db::read`] does, for a read that may have to look much up.
    pub async fn read_on<T: Send + 'static>(
        &self,
        connections: Connections,
        work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let work = forget(work);
        let answer = match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.read(connections, work).await,
            Backend::Postgres(postgres) => postgres.run(Isolation::Snapshot, work).await,
        };
        answer.map(recall)
    }

    /// Runs `work` in a serializable transaction; the answer `Ok` means that it is durable.
    ///
    /// Work may run more than once: see [`Tx::on_commit`]. A caller that drops the future does not stop it. Fails
    /// with `Unavailable` when the database is busy, full or gone.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let work = forget(work);
        let answer = match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.write(work).await,
            Backend::Postgres(postgres) => postgres.run(Isolation::Serializable, work).await,
        };
        answer.map(recall)
    }

    /// Runs `work` as [`Db::write`] does, but on PostgreSQL at read committed: for rows that are only added to, and
    /// whose rules bear it.
    pub async fn append<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let work = forget(work);
        let answer = match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.write(work).await,
            Backend::Postgres(postgres) => postgres.run(Isolation::ReadCommitted, work).await,
        };
        answer.map(recall)
    }

    /// Figures for the operator.
    pub fn stats(&self) -> Stats {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.stats(),
            Backend::Postgres(postgres) => postgres.stats(),
        }
    }

    /// What is wrong with the database, one finding an entry; empty where nothing is. PostgreSQL looks after itself:
    /// it is always empty there.
    pub async fn integrity_check(&self) -> Result<Vec<String>> {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.integrity_check().await,
            Backend::Postgres(_) => Ok(Vec::new()),
        }
    }

    /// Finishes what is waiting and lets go of the database. Everything after it fails with `Unavailable`.
    pub async fn close(&self) {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.close().await,
            Backend::Postgres(postgres) => postgres.close().await,
        }
    }
}
