//! A short walk along the order before a condition drives.
//!
//! A condition that some thousands of candidates satisfy costs as many look-ups and a sort, though a page may be full
//! after a few thousand steps along the order. How many it takes cannot be known: the condition may hold at the other end
//! of the order only. So the start of the order is tried: each step along the order's index is a look at the numbers of
//! those that satisfy the condition, which were gathered, and at no table. What is found comes before everything else, so
//! it is the answer if it fills the page; if not, little was lost.
//!
//! Candidates of one value stand in the index by their start, which the search may want the other way round. So those are
//! walked by themselves whose value is that of the place where the page starts, or of the last entry that was read.

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

/// What a walk along a piece of the order comes to.
enum Walked {
    /// The piece is over, and these are all of it.
    Over(Vec<Place>),
    /// The first ones, as many as were wanted, and the last entry that was read. Further on there may be some that are equal
    /// to that one and come before it in the order of the search.
    Full(Vec<Place>, i64),
    /// It would take too long.
    Vain,
}

/// What the step finds, if the first entries of the order tell it.
pub(super) fn run(tx: &mut Tx<'_>, along: &Along<'_>, legs: Legs) -> Result<Option<Vec<Place>>> {
    let wanted = along.step.wanted;
    if let Some(value) = along.step.pinned() {
        let piece = Piece::Ties { value: &value, behind: along.step.start() };
        return Ok(match legs.walk(tx, along, piece, wanted)? {
            Walked::Over(places) | Walked::Full(places, _) => Some(places),
            Walked::Vain => None,
        });
    }
    let start = along.step.start().map(|start| (start.indexed(), start));
    let mut found = Vec::new();
    let mut begin = start.as_ref().map_or(Begin::Start, |(value, _)| Begin::With(value));
    if let Some((value, start)) = start.as_ref().filter(|_| along.has_ties()) {
        match legs.walk(tx, along, Piece::Ties { value, behind: Some(start) }, wanted)? {
            Walked::Over(places) => found = places,
            Walked::Full(places, _) => return Ok(Some(places)),
            Walked::Vain => return Ok(None),
        }
        begin = Begin::Beyond(value);
    }
    let room = wanted - found.len();
    match legs.walk(tx, along, Piece::Values { begin, to: None, is_backward: false }, room)? {
        Walked::Over(mut places) => found.append(&mut places),
        Walked::Full(mut places, _) if along.has_order() => found.append(&mut places),
        Walked::Full(places, end) => {
            let Some(mut places) = settled(tx, along, legs, (places, end), room)? else { return Ok(None) };
            found.append(&mut places);
        }
        Walked::Vain => return Ok(None),
    }
    found.truncate(wanted);
    Ok(Some(found))
}

/// The first of these in the order of the search, where entries that are equal to the last one that was read are still to
/// come, if a walk among those tells it.
fn settled(
    tx: &mut Tx<'_>,
    along: &Along<'_>,
    legs: Legs,
    (mut places, end): (Vec<Place>, i64),
    room: usize,
) -> Result<Option<Vec<Place>>> {
    let Some(value) = along.value_of(tx, end)? else { return Ok(None) };
    places.retain(|place| place.indexed() != value);
    if places.len() >= room {
        return Ok(Some(places));
    }
    if !along.has_ties() {
        return Ok(None);
    }
    Ok(match legs.walk(tx, along, Piece::Ties { value: &value, behind: None }, room - places.len())? {
        Walked::Full(mut equal, _) => {
            places.append(&mut equal);
            Some(places)
        }
        Walked::Over(_) | Walked::Vain => None,
    })
}

impl Legs {
    /// Goes along a piece until `room` candidates are found that the step is for.
    fn walk(self, tx: &mut Tx<'_>, along: &Along<'_>, piece: Piece<'_>, room: usize) -> Result<Walked> {
        let mut leg = self.first;
        loop {
            let numbers = along.numbers(tx, piece, leg)?;
            let (is_over, end) = (numbers.len() < leg, numbers.last().copied());
            let matching = along.matching(numbers);
            let mut count = matching.len();
            let Some(end) = end.filter(|_| !is_over) else {
                return Ok(Walked::Over(along.find(tx, matching)?));
            };
            if count >= room {
                let found = along.find(tx, matching)?;
                if found.len() >= room {
                    return Ok(Walked::Full(found, end));
                }
                // The rest of the filter, or the bin, has the others.
                count = found.len();
            }
            if leg == self.all || count * self.all < room * leg {
                return Ok(Walked::Vain);
            }
            // Half as far again as is to be expected, lest it stops just before.
            leg = (leg * room * 3 / (count * 2)).min(self.all);
        }
    }
}
