//! Points for property tests.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::Point;

/// Any point, extremes, NaN and infinities included; near ones often enough to collide.
pub(super) fn point() -> impl Strategy<Value = Point> {
    let number = || prop_oneof![-3_i64..3, Just(i64::MIN), Just(i64::MAX), any::<i64>()];
    let value = prop_oneof![Just(0.0), Just(-0.0), Just(f64::NAN), Just(1.0), prop::num::f64::ANY];
    (number(), number(), value).prop_map(|(timestamp, step, value)| Point::new(timestamp, step, value))
}

/// Up to `most` points in any order, repetitions included.
pub(super) fn points(most: usize) -> impl Strategy<Value = Vec<Point>> {
    prop::collection::vec(point(), 0..=most)
}

/// The different points of `points`, in order: what every way of storing them must give back.
pub(super) fn distinct(points: impl IntoIterator<Item = Point>) -> Vec<Point> {
    points.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}
