//! A second connection that does half of a query.
//!
//! The server runs a statement on one core. What is looked up by number and is spread over all of a large table costs it
//! microseconds a row, for the pages that are in no cache of the core; two connections take half the time.

use std::thread;

use super::pool::{Pool, Taken};
use super::session::Session;
use crate::fault::{Damage, Fault};
use crate::{Param, Row};

/// Runs a query with each of two lists of values, at the same time where another connection is free, and returns the rows
/// of both, mapped.
pub(crate) fn query_twice<T: Send>(
    session: &mut Session,
    others: Option<&Pool>,
    sql: &str,
    [ours, theirs]: [&[&dyn Param]; 2],
    map: &(dyn Fn(&Row<'_>) -> modelry_core::Result<T> + Sync),
) -> Result<Vec<T>, Fault> {
    let helper = match others.and_then(|pool| Some((pool, pool.take_spare()?))) {
        Some((pool, taken)) => join(session, taken)?.map(|taken| (pool, taken)),
        None => None,
    };
    let Some((pool, mut taken)) = helper else {
        let mut rows = session.rows(sql, ours, map)?;
        rows.append(&mut session.rows(sql, theirs, map)?);
        return Ok(rows);
    };
    let (ours, found) = thread::scope(|scope| {
        let found = scope.spawn(|| taken.session.rows(sql, theirs, map));
        (session.rows(sql, ours, map), found.join())
    });
    let found =
        found.unwrap_or_else(|_| Err(modelry_core::Error::internal("work in a transaction panicked").into()));
    if found.is_ok() {
        taken.session.end_read();
        pool.put_back(taken);
    }
    let mut rows = ours?;
    rows.append(&mut match found {
        Ok(found) => found,
        // The connection may have been lost while nobody used it.
        Err(Fault { damage: Some(Damage::Unavailable), .. }) => session.rows(sql, theirs, map)?,
        Err(fault) => return Err(fault),
    });
    Ok(rows)
}

/// Lets another connection see what this one's transaction sees. It is of no use where it cannot.
fn join(session: &mut Session, mut taken: Taken) -> Result<Option<Taken>, Fault> {
    let snapshot = session.rows("SELECT pg_export_snapshot()", &[], &|row| row.get::<String>(0))?;
    // The server made it up, of digits and hyphens.
    let Some(snapshot) = snapshot.first() else { return Ok(None) };
    let begin =
        format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT '{snapshot}'");
    Ok(taken.session.control(&begin).is_ok().then_some(taken))
}
