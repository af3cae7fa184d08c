//! Runs one statement on a SQLite connection.

use modelry_core::{Error, Result};
use rusqlite::types::{ToSql, ToSqlOutput, Value, ValueRef};
use rusqlite::{CachedStatement, Connection, Statement};

use crate::fault::{Fault, NUL_IN_TEXT};
use crate::row::RowOf;
use crate::tx::EachRow;
use crate::{Param, Row};

/// Runs a statement that answers no rows, and returns how many it touched.
pub(crate) fn execute(connection: &Connection, sql: &str, params: &[&dyn Param]) -> Result<u64, Fault> {
    let touched = prepare(connection, sql, params)?.raw_execute()?;
    Ok(u64::try_from(touched).expect("a count of rows fits 64 bits"))
}

/// Runs a query and hands its rows to `each` until that asks for no more.
pub(crate) fn each_row(
    connection: &Connection,
    sql: &str,
    params: &[&dyn Param],
    each: EachRow<'_>,
) -> Result<(), Fault> {
    let mut statement = prepare(connection, sql, params)?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        if each(&Row(RowOf::Sqlite(row)))?.is_break() {
            break;
        }
    }
    Ok(())
}

fn prepare<'c>(
    connection: &'c Connection,
    sql: &str,
    params: &[&dyn Param],
) -> Result<CachedStatement<'c>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut highest = 0;
    for index in 1..=statement.parameter_count() {
        // SQLite takes `$2` for a name and counts names as they appear, so the number is read from the name.
        let number = number_of(&statement, index).ok_or_else(|| mismatch(params))?;
        let param = params.get(number - 1).ok_or_else(|| mismatch(params))?;
        bind(&mut statement, index, *param)?;
        highest = highest.max(number);
    }
    if highest != params.len() {
        return Err(mismatch(params));
    }
    Ok(statement)
}

fn number_of(statement: &Statement<'_>, index: usize) -> Option<usize> {
    let number = statement.parameter_name(index)?.strip_prefix('$')?.parse().ok()?;
    (number > 0).then_some(number)
}

fn bind(statement: &mut Statement<'_>, index: usize, param: &dyn ToSql) -> Result<(), Fault> {
    let value = param.to_sql()?;
    if text_of(&value).is_some_and(|text| text.contains(&0)) {
        return Err(Fault::invalid(NUL_IN_TEXT));
    }
    Ok(statement.raw_bind_parameter(index, value)?)
}

fn text_of<'v>(value: &'v ToSqlOutput<'_>) -> Option<&'v [u8]> {
    match value {
        ToSqlOutput::Borrowed(ValueRef::Text(text)) => Some(text),
        ToSqlOutput::Owned(Value::Text(text)) => Some(text.as_bytes()),
        _ => None,
    }
}

fn mismatch(params: &[&dyn Param]) -> Fault {
    let message =
        format!("the placeholders of a statement are not $1 to ${}, as its values are", params.len());
    Fault { error: Error::internal(message), damage: Some(crate::fault::Damage::Defect) }
}
