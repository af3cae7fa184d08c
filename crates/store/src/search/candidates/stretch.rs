//! Reading a stretch of the order in which those that satisfy a condition stand close together.
//!
//! What a [`trial`](super::trial) does not find at the start of the order may stand close together further on: at the
//! other end, where what is ordered by is low where the condition asks for what is high. So some of them are looked up,
//! which tells where most are; if they stand close there, that stretch of the order is read. Then only those have to be
//! looked up that are not in it, and those of it that the page needs.

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use modelry_core::Result;
use modelry_db::Tx;

use super::along::{Along, Begin, Piece};
use super::order::Place;

/// So many are looked up to tell where the others are.
pub(super) const SAMPLE: usize = 64;

/// Of so many of a sample one at either end is taken for a stray, which would make the stretch too long.
const ONE_STRAY_IN: usize = 20;

/// They stand close together where one comes in so many steps along the order.
const STEPS_PER_MATCH: usize = 3;

/// What the step finds, if most of what drives it stands close together in its order.
pub(super) fn run(tx: &mut Tx<'_>, along: &Along<'_>, sample: usize) -> Result<Option<Vec<Place>>> {
    let Some(stretch) = stretch(tx, along, sample)? else { return Ok(None) };
    let there: HashSet<i64> = stretch.iter().copied().collect();
    let all = &along.gathered.numbers.0;
    let elsewhere = all.iter().copied().filter(|number| !there.contains(number)).collect();
    let mut found = along.find(tx, elsewhere)?;
    found.append(&mut first(tx, along, &stretch)?);
    found.sort_unstable_by(|left, right| along.step.search.sorting.compare(left, right));
    found.truncate(along.step.wanted);
    Ok(Some(found))
}

/// Those that stand close together, in the order of the index.
fn stretch(tx: &mut Tx<'_>, along: &Along<'_>, sample: usize) -> Result<Option<Vec<i64>>> {
    let all = &along.gathered.numbers.0;
    let places = along.look_up(tx, every(all, sample))?;
    let mut values: Vec<_> = places.iter().map(Place::indexed).collect();
    values.sort_unstable_by(|left, right| along.compare(left, right));
    let strays = values.len() / ONE_STRAY_IN;
    let last = values.len().saturating_sub(strays + 1);
    let (Some(first), Some(middle), Some(last)) =
        (values.get(strays), values.get(values.len() / 2), values.get(last))
    else {
        return Ok(None);
    };
    let behind = |begin, to| Piece::Values { begin, to, is_backward: false };
    let near = along.numbers(tx, behind(Begin::With(middle), None), (all.len() / 8).max(sample))?;
    let steps = near.len();
    if along.matching(near).len() * STEPS_PER_MATCH < steps {
        return Ok(None);
    }
    // Beyond the ends that the sample tells should be about as many as it has there.
    let beyond = all.len() * (strays + 1) * STEPS_PER_MATCH / values.len();
    let ahead = Piece::Values { begin: Begin::Beyond(first), to: None, is_backward: true };
    let mut numbers = along.numbers(tx, ahead, beyond)?;
    numbers.reverse();
    let inside = behind(Begin::With(first), Some(last));
    numbers.append(&mut along.numbers(tx, inside, all.len() * STEPS_PER_MATCH)?);
    numbers.append(&mut along.numbers(tx, behind(Begin::Beyond(last), None), beyond)?);
    Ok(Some(along.matching(numbers)))
}

/// What the step finds among these, which stand in the order of the index.
fn first(tx: &mut Tx<'_>, along: &Along<'_>, stretch: &[i64]) -> Result<Vec<Place>> {
    let rest = &stretch[passed(tx, along, stretch)?..];
    let mut count = along.step.wanted.min(rest.len());
    loop {
        let found = along.find(tx, rest[..count].to_vec())?;
        if count == rest.len() || along.is_settled(tx, &found, rest[count - 1])? {
            return Ok(found);
        }
        count = (count * 2).min(rest.len());
    }
}

/// How many of these are left behind, because they come before the page: not all of them, but most.
fn passed(tx: &mut Tx<'_>, along: &Along<'_>, stretch: &[i64]) -> Result<usize> {
    let Some(start) = along.step.start().map(Place::indexed) else { return Ok(0) };
    let some = every(stretch, SAMPLE);
    let places = along.look_up(tx, some.clone())?;
    let ahead = places.iter().filter(|place| along.compare(&place.indexed(), &start).is_lt());
    let ahead: HashSet<i64> = ahead.map(|place| place.id.0).collect();
    let last = some.into_iter().take_while(|number| ahead.contains(number)).last();
    Ok(last.and_then(|last| stretch.iter().position(|number| *number == last)).unwrap_or(0))
}

/// About `count` of these, at equal distances.
fn every(numbers: &[i64], count: usize) -> Vec<i64> {
    numbers.iter().copied().step_by((numbers.len() / count).max(1)).collect()
}
