//! A short walk along the order before a condition drives.
//!
//! A condition that some thousands of candidates satisfy costs as many look-ups and a sort, though a page may be full
//! after a few thousand steps along the order. How many it takes cannot be known: the condition may hold at the other end
//! of the order only. So the start of the order is tried: each step along the order's index is a look at the numbers of
//! those that satisfy the condition, which were gathered, and at no table. What is found comes before everything else, so
//! it is the answer if it fills the page; if not, little was lost.

#[cfg(test)]
mod tests;

use modelry_core::Result;
use modelry_db::Tx;

use super::along::{Along, Begin, Piece};
use super::order::Place;

/// With fewer matches than this, looking all of them up is as fast.
const MANY: usize = 2_000;

/// A step of a trial costs a twentieth of a look-up and its part of the sort, so that a vain one costs half as much again.
const STEPS_PER_MATCH: usize = 10;

/// The longest trial: in 1,000,000 candidates it fills a page where 2,000 satisfy the condition.
const LONGEST: usize = 50_000;

/// A trial goes so far first, and on, to where the page should be full, if matches that go on to come as often fill it
/// before the end.
const FIRST_LEG: usize = 2_000;

/// How many rows of the order a trial walks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Legs {
    /// At first.
    first: usize,
    /// In all.
    all: usize,
}

/// How far to try the order before the `matches` of a condition drive; not at all where they are few.
pub(super) fn legs(matches: usize) -> Option<Legs> {
    let all = (matches * STEPS_PER_MATCH).min(LONGEST);
    (matches >= MANY).then_some(Legs { first: FIRST_LEG, all })
}

/// What the step finds, if the first entries of the order tell it.
pub(super) fn run(tx: &mut Tx<'_>, along: &Along<'_>, legs: Legs) -> Result<Option<Vec<Place>>> {
    let wanted = along.step.wanted;
    let start = along.step.start().and_then(Place::first_value);
    let begin = start.map_or(Begin::Start, Begin::With);
    let mut leg = legs.first;
    loop {
        let numbers = along.numbers(tx, Piece { begin, to: None, is_backward: false, steps: leg })?;
        let (is_over, end) = (numbers.len() < leg, numbers.last().copied());
        let matching = along.matching(numbers);
        let mut count = matching.len();
        if is_over {
            return along.find(tx, matching).map(Some);
        }
        if let Some(end) = end.filter(|_| count >= wanted) {
            let found = along.find(tx, matching)?;
            if found.len() == wanted {
                return Ok(along.is_settled(tx, &found, end)?.then_some(found));
            }
            // The rest of the filter, or the bin, has the others.
            count = found.len();
        }
        if leg == legs.all || count * legs.all < wanted * leg {
            return Ok(None);
        }
        // Half as far again as is to be expected, lest it stops just before.
        leg = (leg * wanted * 3 / (count * 2)).min(legs.all);
    }
}
