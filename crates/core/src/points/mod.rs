//! Points of metrics: what one is, how points are ordered, and (in the modules below) how they are packed, sealed
//! and read. What lives here knows bytes and order, never a table.
//!
//! A request leaves its points as one row of the [`tail`]; sealing ([`seal`]) moves them into [`block`]s, which
//! are sorted and disjoint within a key; [`history`] reads both as one, [`series`] puts that into buckets for charts,
//! and [`latest`] keeps the last value.
//! Equal points are one point, everywhere: that is what makes a repeated request harmless.

pub mod block;
mod codec;
pub mod history;
pub mod latest;
pub mod seal;
pub mod series;
pub mod tail;
#[cfg(test)]
mod testing;

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// What [`value_bits`] answers for NaN: right behind zero.
const NAN_BITS: i64 = 1;

/// One value of a metric, at a time and a step. The value is [normalised](normalise).
///
/// Points are equal when time, step and value are (NaN equals NaN), and ordered by their [`Position`].
#[derive(Clone, Copy, Debug)]
pub struct Point {
    timestamp: i64,
    step: i64,
    value: f64,
}

impl Point {
    /// A point at `timestamp` (milliseconds, as the client sent it) and `step`, with the value normalised.
    pub fn new(timestamp: i64, step: i64, value: f64) -> Self {
        Self { timestamp, step, value: normalise(value) }
    }

    /// The point with exactly this value, or `None` where no point can have it, because it is not normalised.
    fn from_normalised(timestamp: i64, step: i64, value: f64) -> Option<Self> {
        (value.to_bits() == normalise(value).to_bits()).then_some(Self { timestamp, step, value })
    }

    /// The time in milliseconds, as the client sent it.
    pub fn timestamp(&self) -> i64 {
        self.timestamp
    }

    /// The step; may be negative.
    pub fn step(&self) -> i64 {
        self.step
    }

    /// The value: finite, or NaN; never an infinity or -0.0.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// The place of this point in the history of its key.
    pub fn position(&self) -> Position {
        Position { timestamp: self.timestamp, step: self.step, value_bits: value_bits(self.value) }
    }
}

impl Ord for Point {
    fn cmp(&self, other: &Self) -> Ordering {
        // Not `position().cmp(..)`: time and step nearly always decide, and then no bits need be computed.
        (self.timestamp, self.step)
            .cmp(&(other.timestamp, other.step))
            .then_with(|| value_bits(self.value).cmp(&value_bits(other.value)))
    }
}

impl PartialOrd for Point {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Point {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Point {}

/// A place in the history of a key: by time, then step, then value. Identifies a point, names the start of a
/// block, and is what a page token of a history carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Milliseconds, as the client sent them.
    pub timestamp: i64,
    /// The step.
    pub step: i64,
    /// The value as an integer that sorts as the values do: [`value_bits`].
    pub value_bits: i64,
}

/// The value as it is kept: infinities become the greatest finite number of their sign, -0.0 becomes 0.0, and
/// every NaN the same NaN.
pub fn normalise(value: f64) -> f64 {
    if value.is_nan() {
        return f64::NAN;
    }
    // Adding a positive zero changes -0.0 and nothing else.
    value.clamp(f64::MIN, f64::MAX) + 0.0
}

/// Maps normalised values to integers that sort as the values do, different for different values.
///
/// NaN sorts right behind zero, before every positive number: MLflow stores it as a zero with a flag, and its
/// histories and latest values follow that order.
pub fn value_bits(value: f64) -> i64 {
    if value.is_nan() {
        return NAN_BITS;
    }
    let bits = value.to_bits().cast_signed();
    match bits.cmp(&0) {
        Ordering::Equal => 0,
        // The bits of positive numbers sort as the numbers; one higher makes room for NaN.
        Ordering::Greater => bits + NAN_BITS,
        // The bits of negative numbers sort backwards.
        Ordering::Less => bits ^ i64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    #[test]
    fn infinities_become_the_greatest_finite_numbers() {
        let normalised = [f64::INFINITY, f64::NEG_INFINITY].map(|value| normalise(value).to_bits());
        assert_eq!(normalised, [f64::MAX, f64::MIN].map(f64::to_bits));
    }

    #[test]
    fn negative_zero_becomes_zero() {
        assert_eq!(normalise(-0.0).to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn every_nan_is_one_nan() {
        let odd_nan = f64::from_bits(0xfff8_0000_dead_beef);
        assert_eq!(Point::new(1, 2, odd_nan), Point::new(1, 2, f64::NAN));
        assert_eq!(normalise(odd_nan).to_bits(), f64::NAN.to_bits());
    }

    #[test]
    fn nan_sorts_between_zero_and_the_least_positive_number() {
        let mut points = [5e-324, f64::NAN, 0.0, -5e-324].map(|value| Point::new(0, 0, value));
        points.sort();
        let sorted = points.map(|point| point.value().to_string());
        assert_eq!(sorted, [-5e-324, 0.0, f64::NAN, 5e-324].map(|value| value.to_string()));
    }

    #[test]
    fn time_comes_before_step_and_step_before_value() {
        assert!(Point::new(1, 9, 9.0) < Point::new(2, 0, 0.0));
        assert!(Point::new(1, 1, 9.0) < Point::new(1, 2, 0.0));
        assert!(Point::new(1, 1, 1.0) < Point::new(1, 1, 2.0));
    }

    /// Every number but the infinities.
    fn finite() -> impl Strategy<Value = f64> {
        use prop::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
        POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO
    }

    proptest! {
        #[test]
        fn normalising_changes_no_other_number(value in finite().prop_filter("not zero", |value| *value != 0.0)) {
            prop_assert_eq!(normalise(value).to_bits(), value.to_bits());
        }

        #[test]
        fn bits_sort_as_the_numbers_do(left in finite(), right in finite()) {
            let (left, right) = (normalise(left), normalise(right));
            prop_assert_eq!(Some(value_bits(left).cmp(&value_bits(right))), left.partial_cmp(&right));
        }

        #[test]
        fn points_sort_as_their_positions_do(left in testing::point(), right in testing::point()) {
            prop_assert_eq!(left.cmp(&right), left.position().cmp(&right.position()));
        }
    }
}
