//! Series: the points of a key, put into so many buckets that a chart shows everything and draws little.
//!
//! A [`bucket`] says how the points in a stretch of the x axis lie: no spike is lost, however many points there are.
//! [`buckets`] finds the stretches in one pass over the points, in any order and in bounded memory; [`pairs`] puts
//! the values of two keys together that were logged for the same step.

pub mod bucket;
pub mod buckets;
pub mod pairs;
mod place;

pub use place::Place;

use super::Point;
use buckets::Buckets;

/// Where a point lies on the x axis, by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Across {
    /// At its step.
    Step,
    /// At its time, in milliseconds.
    Time,
    /// At its time after this moment, in milliseconds.
    TimeSince(i64),
}

/// A part of the x axis, ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range<X> {
    /// The least x.
    pub from: X,
    /// The greatest x.
    pub to: X,
}

impl<X: Copy + PartialOrd> Range<X> {
    /// Whether `x` lies in it.
    pub fn contains(&self, x: X) -> bool {
        self.from <= x && x <= self.to
    }
}

impl Range<i64> {
    /// All whole numbers.
    pub const ALL: Self = Self { from: i64::MIN, to: i64::MAX };
}

impl Range<f64> {
    /// All numbers that are finite: the greatest ones stand for infinities (see [`normalise`](super::normalise)).
    pub const ALL: Self = Self { from: f64::MIN.next_up(), to: f64::MAX.next_down() };

    /// The whole numbers in it.
    #[expect(clippy::cast_possible_truncation, reason = "beyond 64 bits there is no step and no time")]
    pub fn whole(self) -> Range<i64> {
        Range { from: self.from.ceil() as i64, to: self.to.floor() as i64 }
    }
}

/// Puts those of `points` into buckets that lie in `range`.
pub fn add_points(buckets: &mut Buckets<i64>, range: Range<i64>, across: Across, points: &[Point]) {
    let mut add = |x: i64, point: &Point| {
        if range.contains(x) {
            buckets.add(x, point.value());
        }
    };
    match across {
        Across::Step => {
            for point in points {
                add(point.step(), point);
            }
        }
        Across::Time => {
            for point in points {
                add(point.timestamp(), point);
            }
        }
        Across::TimeSince(start) => {
            for point in points {
                add(point.timestamp().saturating_sub(start), point);
            }
        }
    }
}
