//! A second connection that does half of a query.
//!
//! What is looked up by number and is spread over all of a large table is a page of the file each, which has to be copied:
//! that takes a microsecond or two, and two connections take half the time.

use std::ops::ControlFlow;
use std::thread;

use modelry_core::Error;
use rusqlite::Connection;

use super::readers::control;
use super::statement::each_row;
use crate::fault::Fault;
use crate::{Param, Row};

/// Begins a read on both connections. Whether they see the same: a write may have come between them.
pub(super) fn begin(connection: &Connection, beside: &Connection) -> Result<bool, Fault> {
    // It changes for a connection whenever another one, of any process, has written (SQLite: PRAGMA data_version), and
    // stays in a transaction.
    let before = version(beside)?;
    control(connection, "BEGIN")?;
    version(connection)?;
    control(beside, "BEGIN")?;
    Ok(version(beside)? == before)
}

/// To ask for it begins to read, and so takes the snapshot of a transaction.
fn version(connection: &Connection) -> Result<i64, Fault> {
    Ok(connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?)
}

/// Runs a query with each of two lists of values, at the same time where there is a connection `beside` this one, and
/// returns the rows of both, mapped.
pub(crate) fn query_twice<T: Send>(
    connection: &Connection,
    beside: Option<&mut Connection>,
    sql: &str,
    [ours, theirs]: [&[&dyn Param]; 2],
    map: &(dyn Fn(&Row<'_>) -> modelry_core::Result<T> + Sync),
) -> Result<Vec<T>, Fault> {
    let Some(beside) = beside else {
        let mut found = rows(connection, sql, ours, map)?;
        found.append(&mut rows(connection, sql, theirs, map)?);
        return Ok(found);
    };
    let (ours, theirs) = thread::scope(|scope| {
        let theirs = scope.spawn(move || rows(beside, sql, theirs, map));
        (rows(connection, sql, ours, map), theirs.join())
    });
    let mut found = ours?;
    let panicked = |_| Err(Error::internal("work in a transaction panicked").into());
    found.append(&mut theirs.unwrap_or_else(panicked)?);
    Ok(found)
}

fn rows<T>(
    connection: &Connection,
    sql: &str,
    params: &[&dyn Param],
    map: &(dyn Fn(&Row<'_>) -> modelry_core::Result<T> + Sync),
) -> Result<Vec<T>, Fault> {
    let mut rows = Vec::new();
    each_row(connection, sql, params, &mut |row| {
        rows.push(map(row)?);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(rows)
}
