//! Runs one statement on a SQLite connection.

use std::cell::RefCell;
use std::rc::Rc;

use hashlink::LruCache;
use modelry_core::{Error, Result};
use rusqlite::types::{ToSql, ToSqlOutput, Value, ValueRef};
use rusqlite::{CachedStatement, Connection, Statement};

use crate::fault::{Fault, NUL_IN_TEXT};
use crate::row::RowOf;
use crate::scan::{Piece, pieces};
use crate::tx::EachRow;
use crate::{Param, Row};

/// How many rewritten texts a thread remembers, and of which length at most.
const REMEMBERED: usize = 128;
const REMEMBERED_BYTES: usize = 4 * 1024;

thread_local! {
    /// What [`numbered`] made of the texts used last: to go through a text takes as long as to run a small statement.
    static NUMBERED: RefCell<LruCache<Box<str>, Rc<str>>> = RefCell::new(LruCache::new(REMEMBERED));
}

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
    let mut statement = connection.prepare_cached(&known_numbered(sql))?;
    if statement.parameter_count() != params.len() {
        return Err(mismatch(params));
    }
    for (index, param) in (1..).zip(params) {
        bind(&mut statement, index, *param)?;
    }
    Ok(statement)
}

/// As [`numbered`], remembered.
fn known_numbered(sql: &str) -> Rc<str> {
    if sql.len() > REMEMBERED_BYTES {
        return numbered(sql).into();
    }
    NUMBERED.with_borrow_mut(|known| {
        if let Some(text) = known.get(sql) {
            return Rc::clone(text);
        }
        let text: Rc<str> = numbered(sql).into();
        known.insert(sql.into(), Rc::clone(&text));
        text
    })
}

/// `sql` with `?n` for each `$n`, which SQLite would take for a name: it goes through all names of a statement to find
/// one, and a list may hold thousands.
fn numbered(sql: &str) -> String {
    let holds_text = sql.contains(['\'', '"']) || sql.contains("--") || sql.contains("/*");
    if !holds_text {
        return sql.replace('$', "?");
    }
    let mut rewritten = String::with_capacity(sql.len());
    for piece in pieces(sql) {
        match piece {
            Piece::Word(word) if word.starts_with('$') => {
                rewritten.push('?');
                rewritten.push_str(&word[1..]);
            }
            other => rewritten.push_str(other.text()),
        }
    }
    rewritten
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbers_wherever_they_stand() {
        assert_eq!(numbered("SELECT $2, $1 WHERE a IN ($1,$10)"), "SELECT ?2, ?1 WHERE a IN (?1,?10)");
        assert_eq!(
            numbered("SELECT '$1', \"$2\", $3 -- $4\n/* $5 */ , $6"),
            "SELECT '$1', \"$2\", ?3 -- $4\n/* $5 */ , ?6"
        );
    }
}
