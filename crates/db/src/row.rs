//! A row of a query.

use modelry_core::{Error, Result};

/// One row of a query's answer.
pub struct Row<'r>(pub(crate) RowOf<'r>);

/// The row of either driver.
pub(crate) enum RowOf<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r tokio_postgres::Row),
}

impl Row<'_> {
    /// Reads `column`, counted from 0.
    ///
    /// `T` is `i64`, `f64`, `bool`, `String`, `Vec<u8>` or an `Option` of one of them. Fails with `Internal` when the
    /// column is of another type, is null without an `Option`, or is not there.
    pub fn get<T>(&self, column: usize) -> Result<T>
    where
        T: rusqlite::types::FromSql + for<'a> tokio_postgres::types::FromSql<'a>,
    {
        match self.0 {
            RowOf::Sqlite(row) => row.get(column).map_err(|error| unreadable(column, error)),
            RowOf::Postgres(row) => row.try_get(column).map_err(|error| unreadable(column, error)),
        }
    }

    /// Reads the only column, an array of numbers. Only PostgreSQL has arrays.
    pub(crate) fn numbers(&self) -> Result<Vec<i64>> {
        let RowOf::Postgres(row) = self.0 else { return Err(Error::internal("SQLite has no arrays")) };
        row.try_get(0).map_err(|error| unreadable(0, error))
    }
}

fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::internal(format!("column {column} of a row cannot be read")).with_source(error)
}
