//! The latest value of a key, as MLflow defines it, with the least and the greatest number beside it.

use super::{Point, value_bits};

/// The latest point of some points, with their least and greatest number.
///
/// The latest is the greatest by step, then time, then value, where NaN counts as zero and follows zero. Merging is
/// the same in any order and grouping, and merging equal points changes nothing. A statement that merges in
/// the database compares `(step, timestamp, coalesce(value, 0.0), rank)` to the same effect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latest {
    /// The latest point.
    pub point: Point,
    /// The least number, unless all are NaN.
    pub min: Option<f64>,
    /// The greatest number, unless all are NaN.
    pub max: Option<f64>,
}

impl Latest {
    /// The latest of `points`, or `None` where there are none.
    pub fn of(points: &[Point]) -> Option<Self> {
        points.iter().copied().map(Self::of_one).reduce(Self::merge)
    }

    fn of_one(point: Point) -> Self {
        let number = Some(point.value()).filter(|value| !value.is_nan());
        Self { point, min: number, max: number }
    }

    /// What [`Latest::of`] says of the points of both.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        let order = |point: Point| (point.step(), point.timestamp(), value_bits(point.value()));
        Self {
            point: if order(self.point) < order(other.point) { other.point } else { self.point },
            min: self.min.into_iter().chain(other.min).reduce(f64::min),
            max: self.max.into_iter().chain(other.max).reduce(f64::max),
        }
    }

    /// The latest value where it is a number, `None` where it is NaN.
    pub fn number(&self) -> Option<f64> {
        Some(self.point.value()).filter(|value| !value.is_nan())
    }

    /// 0 for a number, 1 for NaN: in searches numbers come first.
    pub fn rank(&self) -> i64 {
        i64::from(self.point.value().is_nan())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::points::testing;

    use proptest::prelude::*;

    fn latest(points: &[(i64, i64, f64)]) -> Latest {
        let points: Vec<Point> =
            points.iter().map(|&(step, time, value)| Point::new(time, step, value)).collect();
        Latest::of(&points).unwrap()
    }

    #[test]
    fn step_decides_before_time_and_time_before_value() {
        assert_eq!(latest(&[(2, 1, 5.0), (1, 9, 6.0)]).number(), Some(5.0));
        assert_eq!(latest(&[(1, 2, 5.0), (1, 1, 6.0)]).number(), Some(5.0));
        assert_eq!(latest(&[(1, 1, 5.0), (1, 1, 6.0)]).number(), Some(6.0));
    }

    #[test]
    fn nan_competes_as_zero() {
        assert_eq!(latest(&[(1, 1, f64::NAN), (1, 1, 1.0)]).number(), Some(1.0));
        assert_eq!(latest(&[(1, 1, -1.0), (1, 1, f64::NAN)]).number(), None);
    }

    #[test]
    fn least_and_greatest_follow_points_that_are_not_the_latest() {
        let latest = latest(&[(3, 0, 1.0), (1, 0, -7.0), (2, 0, 9.0)]);
        assert_eq!((latest.min, latest.max), (Some(-7.0), Some(9.0)));
    }

    #[test]
    fn nan_is_neither_least_nor_greatest() {
        let mixed = latest(&[(1, 0, 2.0), (2, 0, f64::NAN)]);
        assert_eq!((mixed.min, mixed.max), (Some(2.0), Some(2.0)));
        let nan_only = latest(&[(2, 0, f64::NAN)]);
        assert_eq!((nan_only.min, nan_only.max), (None, None));
    }

    #[test]
    fn numbers_rank_before_nan() {
        assert!(latest(&[(1, 0, 2.0)]).rank() < latest(&[(1, 0, f64::NAN)]).rank());
    }

    #[test]
    fn no_points_have_no_latest() {
        assert_eq!(Latest::of(&[]), None);
    }

    proptest! {
        #[test]
        fn merging_parts_in_either_order_is_taking_all(left in testing::points(6), right in testing::points(6)) {
            let all = Latest::of(&[left.clone(), right.clone()].concat());
            let (left, right) = (Latest::of(&left), Latest::of(&right));
            prop_assert_eq!(left.into_iter().chain(right).reduce(Latest::merge), all);
            prop_assert_eq!(right.into_iter().chain(left).reduce(Latest::merge), all);
        }

        #[test]
        fn merging_with_itself_changes_nothing(points in testing::points(6)) {
            let latest = Latest::of(&points);
            prop_assert_eq!(latest.map(|latest| latest.merge(latest)), latest);
        }
    }
}
