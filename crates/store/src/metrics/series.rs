//! A key's points in buckets, for charts: read once, block by block, whatever their number.

use std::num::NonZeroUsize;

use modelry_core::Result;
use modelry_core::ids::KeyId;
use modelry_core::points::Point;
use modelry_core::points::series::bucket::Bucket;
use modelry_core::points::series::buckets::Buckets;
use modelry_core::points::series::pairs::Window;
use modelry_core::points::series::{Across, Range, add_points};
use modelry_db::Tx;

use super::history::tail_points;
use super::stream::each_point;
use crate::candidates::Place;

/// How many steps of two metrics are put together at a time, in about 16 MB of memory, or 24 where steps are not evenly
/// spaced. Longer histories are read once for each so many of their steps.
const PAIRED_STEPS: usize = 1 << 20;

/// What a series runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The step.
    Step,
    /// The time, in milliseconds since 1970.
    Time,
    /// The time since the first point of the same candidate and key, in milliseconds.
    RelativeTime,
    /// The value of this key that was logged last for the same step. A key that nobody logged is `None`.
    Metric(Option<KeyId>),
}

/// Which part of a series to read, and how finely.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wanted {
    /// What it runs over.
    pub over: Over,
    /// The part of the x axis, ends included; all of it where that is `None`.
    pub range: Option<Range<f64>>,
    /// The most buckets.
    pub most: NonZeroUsize,
}

/// Buckets along the x axis, none of them empty.
#[derive(Clone, Debug, PartialEq)]
pub enum Series {
    /// Over steps or milliseconds.
    Whole(Vec<Bucket<i64>>),
    /// Over the values of a metric.
    Real(Vec<Bucket<f64>>),
}

/// The buckets of one key of a candidate.
///
/// Every point counts once. Over a metric a step counts once, with the last value of either key; steps that one of the
/// two lacks, or whose x is no finite number, are left out.
pub fn series(tx: &mut Tx<'_>, place: Place, key: KeyId, wanted: &Wanted) -> Result<Series> {
    let range = wanted.range.map_or(Range::<i64>::ALL, Range::whole);
    let across = match wanted.over {
        Over::Step => Across::Step,
        Over::Time => Across::Time,
        Over::RelativeTime => match first_timestamp(tx, place, key)? {
            Some(start) => Across::TimeSince(start),
            None => return Ok(Series::Whole(Vec::new())),
        },
        Over::Metric(x) => {
            let range = wanted.range.unwrap_or(Range::<f64>::ALL);
            return against(tx, place, x.map(|x| (x, key)), range, wanted.most);
        }
    };
    let mut buckets = Buckets::new(wanted.most);
    each_point(tx, place, key, times(across, range), |points| {
        add_points(&mut buckets, range, across, points);
    })?;
    Ok(Series::Whole(buckets.finish()))
}

/// The second key over the first one.
fn against(
    tx: &mut Tx<'_>,
    place: Place,
    keys: Option<(KeyId, KeyId)>,
    range: Range<f64>,
    most: NonZeroUsize,
) -> Result<Series> {
    let mut buckets = Buckets::new(most);
    let mut after = None;
    while let Some((x, y)) = keys {
        let mut window = Window::new(PAIRED_STEPS, after);
        each_point(tx, place, x, Range::<i64>::ALL, |points| window.add_xs(points))?;
        each_point(tx, place, y, Range::<i64>::ALL, |points| window.add_ys(points))?;
        // The greatest numbers stand for infinities, which have no place on an axis.
        let placed = window.pairs().filter(|(x, _)| range.contains(*x) && Range::<f64>::ALL.contains(*x));
        placed.for_each(|(x, y)| buckets.add(x, y));
        after = window.next();
        if after.is_none() {
            break;
        }
    }
    Ok(Series::Real(buckets.finish()))
}

/// The times that a part of the axis may have points of. Blocks are ordered by time alone, and what steps are in one
/// nothing tells but the block itself: by step, all are read.
fn times(across: Across, range: Range<i64>) -> Range<i64> {
    match across {
        Across::Step => Range::<i64>::ALL,
        Across::Time => range,
        Across::TimeSince(start) => {
            Range { from: range.from.saturating_add(start), to: range.to.saturating_add(start) }
        }
    }
}

/// The time of the first point of a key.
fn first_timestamp(tx: &mut Tx<'_>, place: Place, key: KeyId) -> Result<Option<i64>> {
    let of_blocks = tx.query_opt(
        "SELECT first_ts FROM metric_block
         WHERE project_id = $1 AND candidate_id = $2 AND key_id = $3
         ORDER BY first_ts, first_step, first_bits
         LIMIT 1",
        &[&place.project.0, &place.candidate.0, &key.0],
        |row| row.get(0),
    )?;
    let of_tail = tail_points(tx, place, key)?.iter().map(Point::timestamp).min();
    Ok(of_blocks.into_iter().chain(of_tail).min())
}
