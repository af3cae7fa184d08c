//! How a database is opened.

use std::path::PathBuf;

/// What a read may keep busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connections {
    /// One connection; PostgreSQL lends another one when [`crate::Tx::query_twice`] asks for it.
    One,
    /// On SQLite a second one too, which sees the same from the beginning, where one can be spared.
    Two,
}

/// How to open a SQLite database.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// The file; its folder exists.
    pub path: PathBuf,
    /// How many transactions may read at once.
    pub readers: usize,
    /// How many writes may wait; more are refused with `Unavailable`.
    pub queue: usize,
}

impl SqliteOptions {
    /// The file at `path`, with 4 readers and a queue of 4,096 writes.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), readers: 4, queue: 4096 }
    }
}

/// How to reach a PostgreSQL database.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// A connection URL, or `key=value` words.
    pub url: String,
    /// How many connections are used at most.
    pub connections: usize,
    /// The schema that holds the tables; `None` leaves it to the server.
    pub schema: Option<String>,
}

impl PostgresOptions {
    /// The server at `url`, with 16 connections and the server's own choice of schema.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), connections: 16, schema: None }
    }
}
