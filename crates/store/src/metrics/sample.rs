//! A bounded choice of a key's points, evenly over its steps, as MLflow's charts ask for.

use modelry_core::Result;
use modelry_core::ids::KeyId;
use modelry_core::points::Point;
use modelry_core::points::series::Range;
use modelry_db::Tx;

use super::stream::each_point;
use crate::candidates::Place;

/// Which points to choose.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// The first step that counts.
    pub first_step: i64,
    /// The last step that counts.
    pub last_step: i64,
    /// The most points to answer, at least 1.
    pub most: usize,
}

impl Sample {
    /// Over all steps.
    pub fn of_all(most: usize) -> Self {
        Self { first_step: i64::MIN, last_step: i64::MAX, most }
    }
}

/// Chooses points of one key: all where they are few, else one for each of `most` equal ranges of steps, with the first
/// and the last among them. Ordered by step.
pub fn sample(tx: &mut Tx<'_>, place: Place, key: KeyId, sample: Sample) -> Result<Vec<Point>> {
    let wanted = |point: &Point| (sample.first_step..=sample.last_step).contains(&point.step());
    let mut count = 0_usize;
    let mut ends: Option<(Point, Point)> = None;
    let mut few = Vec::new();
    for_each(tx, place, key, |point| {
        if !wanted(&point) {
            return;
        }
        count += 1;
        let (first, last) = ends.unwrap_or((point, point));
        ends = Some((earlier(first, point), later(last, point)));
        if count <= sample.most {
            few.push(point);
        }
    })?;
    let Some((first, last)) = ends else { return Ok(Vec::new()) };
    if count > sample.most {
        few = by_ranges(tx, place, key, (first, last), sample.most, wanted)?;
    }
    few.sort_unstable_by_key(|point| (point.step(), point.position()));
    Ok(few)
}

/// One point for each range of steps, first come first chosen; the first and the last point have their places.
fn by_ranges(
    tx: &mut Tx<'_>,
    place: Place,
    key: KeyId,
    (first, last): (Point, Point),
    most: usize,
    wanted: impl Fn(&Point) -> bool,
) -> Result<Vec<Point>> {
    let ranges = most.saturating_sub(2);
    let mut chosen: Vec<Option<Point>> = vec![None; ranges];
    let width = i128::from(last.step()) - i128::from(first.step()) + 1;
    for_each(tx, place, key, |point| {
        if ranges == 0 || point == first || point == last || !wanted(&point) {
            return;
        }
        let offset = i128::from(point.step()) - i128::from(first.step());
        let range = usize::try_from(offset * ranges as i128 / width).unwrap_or(0).min(ranges - 1);
        chosen[range].get_or_insert(point);
    })?;
    let ends = [first, last].into_iter().take(most);
    Ok(ends.chain(chosen.into_iter().flatten()).collect())
}

fn earlier(left: Point, right: Point) -> Point {
    if (right.step(), right.position()) < (left.step(), left.position()) { right } else { left }
}

fn later(left: Point, right: Point) -> Point {
    if (right.step(), right.position()) > (left.step(), left.position()) { right } else { left }
}

fn for_each(tx: &mut Tx<'_>, place: Place, key: KeyId, mut each: impl FnMut(Point)) -> Result<()> {
    each_point(tx, place, key, Range::<i64>::ALL, |points| points.iter().copied().for_each(&mut each))
}
