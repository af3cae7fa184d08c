//! The cells of an axis: stretches of equal width, each width twice the one before.

use std::cmp::Ordering;

use crate::points::value_bits;

/// How many bits of a number lie behind its first one: a cell this much smaller than a number holds no other.
const FRACTION_BITS: i32 = 52;

/// The exponent from which on every finite number lies in the cell right above or right below zero.
const WIDEST: i32 = 1_024;

/// A place on an axis that can be cut into cells.
///
/// Cells nest: those of one width are the halves of those of the next. So which cells there are does not depend on
/// the order in which places come.
pub trait Place: Copy + PartialOrd {
    /// How wide cells are; the default is so narrow that each holds one place.
    type Width: Copy + Default;

    /// The cell of this place: a number that rises along the axis.
    fn cell(self, width: Self::Width) -> i64;

    /// Whether cells of this width can be told apart where this place is.
    fn fits(self, width: Self::Width) -> bool;

    /// The next width, for an axis whose places are those between `first` and `last`.
    fn wider(width: Self::Width, first: Self, last: Self) -> Self::Width;
}

impl Place for i64 {
    /// How many low bits do not matter.
    type Width = u32;

    fn cell(self, width: u32) -> i64 {
        self.checked_shr(width).unwrap_or(0)
    }

    fn fits(self, _: u32) -> bool {
        true
    }

    fn wider(width: u32, _: i64, _: i64) -> u32 {
        width + 1
    }
}

impl Place for f64 {
    /// The exponent of two; nothing where each number has a cell of its own.
    type Width = Option<i32>;

    fn cell(self, width: Option<i32>) -> i64 {
        match width {
            None => value_bits(self),
            Some(exponent) if exponent > WIDEST => 0,
            Some(exponent) => floor_of_quotient(self, exponent),
        }
    }

    fn fits(self, width: Option<i32>) -> bool {
        width.is_none_or(|exponent| exponent >= exponent_of(self) - FRACTION_BITS)
    }

    fn wider(width: Option<i32>, first: f64, last: f64) -> Option<i32> {
        let narrowest = exponent_of(first).max(exponent_of(last)) - FRACTION_BITS;
        Some(width.map_or(narrowest, |exponent| narrowest.max(exponent + 1)))
    }
}

/// The exponent of the greatest power of two that is no greater than the number, or -1,023 where that is less.
fn exponent_of(number: f64) -> i32 {
    let biased = number.to_bits() >> FRACTION_BITS & 0x7ff;
    i32::try_from(biased).expect("it has 11 bits") - 1_023
}

/// Two to a power between -1,022 and 1,023.
fn power_of_two(exponent: i32) -> f64 {
    let biased = u64::try_from(exponent + 1_023).expect("it is not below the least");
    f64::from_bits(biased << FRACTION_BITS)
}

/// The greatest whole number that is no greater than `number` divided by two to the `exponent`, which is at least the
/// exponent of the number less 52.
#[expect(clippy::cast_possible_truncation, reason = "such a quotient has at most 53 bits")]
fn floor_of_quotient(number: f64, exponent: i32) -> i64 {
    // In two steps, for neither is beyond what a double can tell.
    let half = exponent / 2;
    let quotient = number * power_of_two(-half) * power_of_two(half - exponent);
    match quotient.partial_cmp(&0.0) {
        // What is too small to be told from zero still lies below it.
        Some(Ordering::Equal) if number < 0.0 => -1,
        _ => quotient.floor() as i64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    /// A number, and one near it or anywhere, the less one first.
    fn two_numbers() -> impl Strategy<Value = (f64, f64)> {
        let number = || prop_oneof![-100.0..100.0_f64, -1e-300..1e-300, prop::num::f64::NORMAL, Just(0.0)];
        (number(), number()).prop_map(|(one, other)| if one <= other { (one, other) } else { (other, one) })
    }

    #[test]
    fn whole_numbers_below_zero_lie_in_cells_below_it() {
        assert_eq!([-9, -8, -1, 0, 7, 8].map(|x: i64| x.cell(3)), [-2, -1, -1, 0, 0, 1]);
    }

    #[test]
    fn the_widest_cell_holds_every_whole_number() {
        assert_eq!([i64::MIN, -1, 0, i64::MAX].map(|x| x.cell(64)), [0; 4]);
    }

    #[test]
    fn numbers_lie_in_cells_as_wide_as_the_power_of_two() {
        assert_eq!([-0.51, -0.5, -0.1, 0.0, 0.49, 0.5].map(|x: f64| x.cell(Some(-1))), [-2, -1, -1, 0, 0, 1]);
    }

    #[test]
    fn the_least_number_below_zero_is_never_above_it() {
        assert_eq!((-5e-324_f64).cell(Some(900)), -1);
    }

    #[test]
    fn the_widest_cell_holds_every_number() {
        assert_eq!([-1e308, -5e-324, 0.0, 1e308].map(|x: f64| x.cell(Some(1_025))), [0; 4]);
    }

    proptest! {
        #[test]
        fn cells_rise_with_the_numbers_and_nest((less, greater) in two_numbers(), wider in 0..2_200) {
            let mut width = f64::wider(None, less, greater);
            for _ in 0..wider {
                width = f64::wider(width, less, greater);
            }
            prop_assert!(less.fits(width) && greater.fits(width));
            prop_assert!(less.cell(width) <= greater.cell(width), "{width:?}");
            if less.cell(width) == greater.cell(width) {
                let next = f64::wider(width, less, greater);
                prop_assert_eq!(less.cell(next), greater.cell(next), "{:?}", width);
            }
        }
    }
}
