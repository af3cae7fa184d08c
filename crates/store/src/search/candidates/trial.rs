//! A short walk along the order before a condition drives.
//!
//! A condition that some thousands of candidates satisfy costs as many look-ups and a sort, though a page may be full
//! after a few thousand steps along the order. How many it takes cannot be known: the condition may hold at the other end
//! of the order only. So the start of the order is tried: each step along the order's index is a look at the numbers of
//! those that satisfy the condition, which were gathered, and at no table. What is found comes before everything else, so
//! it is the answer if it fills the page; if not, little was lost.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use modelry_core::Result;
use modelry_core::ids::CandidateId;
use modelry_db::Tx;

use super::driver::Driver;
use super::key::{LoggedKey, Table};
use super::order::{Phase, Place, SortKey, Source};
use super::statement::Step;
use crate::search::binds::Binds;
use crate::search::keyset::SortValue;

/// With fewer matches than this, looking all of them up is as fast.
const MANY: i64 = 2_000;

/// A step of a trial costs a twentieth of a look-up and its part of the sort, so that a vain one costs half as much again.
const STEPS_PER_MATCH: i64 = 10;

/// The longest trial: in 1,000,000 candidates it fills a page where 2,000 satisfy the condition.
const LONGEST: i64 = 50_000;

/// A trial goes so far first, and on if the page would be full at its end if matches went on to come as often.
const FIRST_LEG: i64 = 10_000;

/// How many rows of the order a trial walks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Legs {
    /// At first.
    first: i64,
    /// In all.
    all: i64,
}

/// How far to try the order before the `matches` of a condition drive; not at all where they are few.
pub(super) fn legs(matches: i64) -> Option<Legs> {
    let all = (matches * STEPS_PER_MATCH).min(LONGEST);
    (matches >= MANY).then_some(Legs { first: FIRST_LEG, all })
}

/// What `step` finds, if the first rows of the order tell it.
pub(super) fn run(tx: &mut Tx<'_>, step: Step<'_>, legs: Legs) -> Result<Option<Vec<Place>>> {
    let Some((key, sort)) = walked(&step) else { return Ok(None) };
    let among = match step.driver {
        Driver::Gathered(gathered) => Some(gathered),
        Driver::Order | Driver::Experiment | Driver::Attribute(..) => None,
    };
    let by_order = Step { driver: Driver::Order, among, ..step };
    let mut leg = legs.first;
    loop {
        let Some(end) = value_at(tx, &step, (key, sort), None, leg)? else {
            // The order is over before the trial is.
            return by_order.run(tx).map(Some);
        };
        if value_at(tx, &step, (key, sort), Some(&end), leg)?.as_ref() == Some(&end) {
            // All that are equal to the last one belong to the trial, and these are too many.
            return Ok(None);
        }
        let last = if step.search.sorting.newest_first { i64::MIN } else { i64::MAX };
        let end = Place { keys: vec![(step.phase.rank(), end)], start_time: last, id: CandidateId(last) };
        let found = Step { before: Some(&end), ..by_order }.run(tx)?;
        if found.len() == step.wanted {
            return Ok(Some(found));
        }
        let expected = found.len() * usize::try_from(legs.all / leg).unwrap_or(1);
        if leg == legs.all || expected < step.wanted {
            return Ok(None);
        }
        leg = legs.all;
    }
}

/// The key whose index is the whole order, where the step walks it from its start and to no other end.
fn walked(step: &Step<'_>) -> Option<(LoggedKey, SortKey)> {
    match step.search.sorting.keys.as_slice() {
        [sort] if step.phase == Phase::Present && step.before.is_none() => match sort.source {
            Source::Logged(key) => Some((key, *sort)),
            Source::Attribute(_) | Source::Nothing => None,
        },
        _ => None,
    }
}

/// The value behind so many rows of the order's index, from the first one with the value `from`, or else from where the
/// page starts.
fn value_at(
    tx: &mut Tx<'_>,
    step: &Step<'_>,
    (key, sort): (LoggedKey, SortKey),
    from: Option<&SortValue>,
    rows: i64,
) -> Result<Option<SortValue>> {
    let start = step.search.start.filter(|start| start.rank() == step.phase.rank());
    let from = from.or_else(|| Some(&start?.keys.first()?.1));
    let (text, binds) = value_statement(step, (key, sort), from, rows);
    tx.query_opt(&text, &binds.as_params(), |row| match key.table {
        Table::Metrics => row.get(0).map(SortValue::Number),
        Table::Params | Table::Metadata => row.get(0).map(SortValue::Text),
    })
}

/// `OFFSET` steps over entries of one index and looks nothing up.
fn value_statement(
    step: &Step<'_>,
    (key, sort): (LoggedKey, SortKey),
    from: Option<&SortValue>,
    rows: i64,
) -> (String, Binds) {
    let mut binds = Binds::default();
    let (project, experiment) = (binds.add(step.search.project.0), binds.add(step.experiment.id.0));
    let mut walk = key.walk(&mut binds, &project, &experiment, "o");
    let column = format!("o.{}", key.table.indexed());
    if key.table == Table::Metrics {
        walk.push_str(" AND o.rank = 0");
    }
    let (sign, direction) = if sort.descending { ("<=", "DESC") } else { (">=", "ASC") };
    if let Some(from) = from {
        let value = from.bind(&mut binds);
        write!(walk, " AND {column} {sign} {value}").expect("a String takes all text");
    }
    let (table, rows) = (key.table.name(), binds.add(rows));
    let text = format!(
        "SELECT {column} FROM {table} o WHERE {walk} ORDER BY {column} {direction} LIMIT 1 OFFSET {rows}"
    );
    (text, binds)
}
