//! A transaction, as the work in it sees it.

use std::ops::ControlFlow;

use modelry_core::{Error, Result};
use rusqlite::Connection;

use crate::fault::{Damage, Fault};
use crate::postgres::{self, Pool, Session};
use crate::scan::{Piece, pieces};
use crate::sqlite::{self, statement};
use crate::{Engine, Param, Row};

/// Something to do once the transaction is durable.
pub(crate) type Effect = Box<dyn FnOnce() + Send>;

/// What is done with each row; `Break` asks for no more rows.
pub(crate) type EachRow<'f> = &'f mut dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>>;

/// A running transaction.
///
/// It is kept when the work returns `Ok`, undone when it returns `Err` or panics. A statement that fails, fails the
/// transaction on both engines: work that goes on after it gets an error from every further statement and is not
/// kept. So a conflict is met with `ON CONFLICT`, not by catching the error.
pub struct Tx<'c> {
    link: Link<'c>,
    effects: Vec<Effect>,
    damage: Option<Damage>,
    changes_schema: bool,
}

/// The connection that a transaction runs on.
pub(crate) enum Link<'c> {
    Sqlite {
        connection: &'c Connection,
        /// Another one that sees the same.
        beside: Option<&'c mut Connection>,
    },
    Postgres {
        session: &'c mut Session,
        /// Connections that may help with a read.
        others: Option<&'c Pool>,
    },
}

impl<'c> Tx<'c> {
    pub(crate) fn new(link: Link<'c>) -> Self {
        Self { link, effects: Vec::new(), damage: None, changes_schema: false }
    }

    /// What a failed statement did to the transaction, if one failed.
    pub(crate) fn damage(&self) -> Option<Damage> {
        self.damage
    }

    /// Whether a statement may have changed the schema.
    pub(crate) fn changes_schema(&self) -> bool {
        self.changes_schema
    }

    /// Takes what is to be done once the transaction is durable.
    pub(crate) fn into_effects(self) -> Vec<Effect> {
        self.effects
    }

    /// Pretends that a sync failed under a statement.
    #[cfg(test)]
    pub(crate) fn break_disk(&mut self) {
        self.damage = Some(Damage::Disk);
    }

    fn run<T>(
        &mut self,
        sql: &[&str],
        statement: impl FnOnce(&mut Link<'_>) -> Result<T, Fault>,
    ) -> Result<T> {
        if let Some(damage) = self.damage {
            return Err(damage.overlooked());
        }
        for word in sql.iter().filter_map(|sql| first_word(sql)) {
            if is_one_of(word, &CONTROL) {
                return Err(Error::internal(format!("{word} is no statement for work in a transaction")));
            }
            self.changes_schema |= is_one_of(word, &SCHEMA);
        }
        statement(&mut self.link).map_err(|fault| {
            self.damage = fault.damage;
            fault.error
        })
    }

    fn each_row(&mut self, sql: &str, params: &[&dyn Param], each: EachRow<'_>) -> Result<()> {
        self.run(&[sql], |link| match link {
            Link::Sqlite { connection, .. } => statement::each_row(connection, sql, params, each),
            Link::Postgres { session, .. } => session.each_row(sql, params, each),
        })
    }
}

impl Tx<'_> {
    /// Runs a statement that answers no rows, and returns how many rows it touched.
    pub fn execute(&mut self, sql: &str, params: &[&dyn Param]) -> Result<u64> {
        self.run(&[sql], |link| match link {
            Link::Sqlite { connection, .. } => statement::execute(connection, sql, params),
            Link::Postgres { session, .. } => session.execute(sql, params),
        })
    }

    /// Runs a query and returns every row, mapped.
    pub fn query<T>(
        &mut self,
        sql: &str,
        params: &[&dyn Param],
        mut map: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        self.query_each(sql, params, |row| {
            rows.push(map(row)?);
            Ok(())
        })?;
        Ok(rows)
    }

    /// Runs a query and hands each row to `each`, without keeping them.
    pub fn query_each(
        &mut self,
        sql: &str,
        params: &[&dyn Param],
        mut each: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        self.each_row(sql, params, &mut |row| each(row).map(ControlFlow::Continue))
    }

    /// Runs several queries and hands over each row with the index of its query: all rows of the first one, then those
    /// of the next. PostgreSQL is sent all of them at once, and works on one while the rows of another are read.
    pub fn query_all(
        &mut self,
        queries: &[(&str, &[&dyn Param])],
        mut each: impl FnMut(usize, &Row<'_>) -> Result<()>,
    ) -> Result<()> {
        let texts: Vec<&str> = queries.iter().map(|(sql, _)| *sql).collect();
        self.run(&texts, |link| match link {
            Link::Sqlite { connection, .. } => {
                queries.iter().enumerate().try_for_each(|(index, (sql, params))| {
                    statement::each_row(connection, sql, params, &mut |row| {
                        each(index, row).map(ControlFlow::Continue)
                    })
                })
            }
            Link::Postgres { session, .. } => session.each_row_of_all(queries, &mut each),
        })
    }

    /// Runs a query with each of two lists of values and returns all rows, mapped: those of the first list, then those of
    /// the second. In a read both run at the same time where another connection is free, on SQLite if the read was begun on
    /// [`crate::Connections::Two`].
    pub fn query_twice<T: Send>(
        &mut self,
        sql: &str,
        [first, second]: [&[&dyn Param]; 2],
        map: impl Fn(&Row<'_>) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        self.run(&[sql], |link| match link {
            Link::Sqlite { connection, beside } => {
                sqlite::query_twice(connection, beside.as_deref_mut(), sql, [first, second], &map)
            }
            Link::Postgres { session, others } => {
                postgres::query_twice(session, *others, sql, [first, second], &map)
            }
        })
    }

    /// Runs a query of one column of numbers, none of them null, and returns these. PostgreSQL sends them as one row,
    /// which costs a fraction of as many rows.
    pub fn query_numbers(&mut self, sql: &str, params: &[&dyn Param]) -> Result<Vec<i64>> {
        self.run(&[sql], |link| match link {
            Link::Sqlite { connection, .. } => {
                let mut numbers = Vec::new();
                statement::each_row(connection, sql, params, &mut |row| {
                    numbers.push(row.get(0)?);
                    Ok(ControlFlow::Continue(()))
                })?;
                Ok(numbers)
            }
            Link::Postgres { session, .. } => session.numbers(sql, params),
        })
    }

    /// Runs a query and returns its first row, mapped, if there is one.
    pub fn query_opt<T>(
        &mut self,
        sql: &str,
        params: &[&dyn Param],
        mut map: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut first = None;
        self.each_row(sql, params, &mut |row| {
            first = Some(map(row)?);
            Ok(ControlFlow::Break(()))
        })?;
        Ok(first)
    }

    /// Runs a query and returns the first of its rows that `choose` makes something of; it reads no further.
    pub fn query_find<T>(
        &mut self,
        sql: &str,
        params: &[&dyn Param],
        mut choose: impl FnMut(&Row<'_>) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        let mut chosen = None;
        self.each_row(sql, params, &mut |row| {
            chosen = choose(row)?;
            Ok(if chosen.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        Ok(chosen)
    }

    /// Runs a query that always answers a row and returns it, mapped. Fails with `Internal` when there is none.
    pub fn query_one<T>(
        &mut self,
        sql: &str,
        params: &[&dyn Param],
        map: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        let first = self.query_opt(sql, params, map)?;
        first.ok_or_else(|| Error::internal("a query that always answers a row answered none"))
    }

    /// Runs `effect` once the transaction is durable, before the caller is answered; never when it is undone.
    ///
    /// This is the only place where work may change anything outside the database, because work may run more than
    /// once.
    pub fn on_commit(&mut self, effect: impl FnOnce() + Send + 'static) {
        self.effects.push(Box::new(effect));
    }

    /// The engine that the transaction runs on.
    pub fn engine(&self) -> Engine {
        match self.link {
            Link::Sqlite { .. } => Engine::Sqlite,
            Link::Postgres { .. } => Engine::Postgres,
        }
    }
}

/// Words that begin, end or bend a transaction, which belongs to the whole group of jobs and not to one.
const CONTROL: [&str; 13] = [
    "ABORT",
    "ATTACH",
    "BEGIN",
    "COMMIT",
    "DETACH",
    "END",
    "PRAGMA",
    "RELEASE",
    "ROLLBACK",
    "SAVEPOINT",
    "SET",
    "START",
    "VACUUM",
];

/// Words that begin a change of the schema.
const SCHEMA: [&str; 5] = ["ALTER", "ANALYZE", "CREATE", "DROP", "REINDEX"];

fn first_word(sql: &str) -> Option<&str> {
    match pieces(sql).find(|piece| piece.is_code()) {
        Some(Piece::Word(word)) => Some(word),
        _ => None,
    }
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|one| word.eq_ignore_ascii_case(one))
}
