//! Buckets for points that come one by one, in any order.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use super::Place;
use super::bucket::Bucket;

/// At most so many buckets over all points that were put in.
///
/// As long as no more places have points than there may be buckets, each place is a bucket. Beyond that, a bucket is
/// a stretch whose width is the least power of two that does. So between half of the buckets and all of them are used,
/// stretches without points cost none, and the order in which points come does not matter.
#[derive(Clone, Debug)]
pub struct Buckets<X: Place> {
    most: NonZeroUsize,
    width: X::Width,
    /// The cells that have points, with the numbers of their buckets.
    cells: BTreeMap<i64, usize>,
    /// In the order in which they came to be.
    made: Vec<Bucket<X>>,
    /// Cells met before with the numbers of their buckets, each at the place that its low bits say.
    met: Vec<Option<(i64, usize)>>,
}

/// How many cells are remembered, and more where there may be more buckets; a power of two. Cells next to each other have
/// places next to each other.
const MET: usize = 2_048;

impl<X: Place> Buckets<X> {
    /// No points, and at most `most` buckets for them.
    pub fn new(most: NonZeroUsize) -> Self {
        let met = vec![None; most.get().next_power_of_two().clamp(MET, 8 * MET)];
        Self { most, width: X::Width::default(), cells: BTreeMap::new(), made: Vec::new(), met }
    }

    /// Puts a point in. Of two points at one x the one that comes later is the last.
    pub fn add(&mut self, x: X, value: f64) {
        let cell = x.cell(self.width);
        let number = match self.met[self.place(cell)] {
            Some((met, number)) if met == cell => number,
            _ => self.find_or_make(x, cell),
        };
        self.made[number].add(x, value);
    }

    /// The buckets along the axis; none is empty.
    pub fn finish(self) -> Vec<Bucket<X>> {
        self.cells.values().map(|number| self.made[*number]).collect()
    }

    fn find_or_make(&mut self, x: X, cell: i64) -> usize {
        let number = match self.cells.get(&cell) {
            Some(number) => *number,
            None => self.make(x),
        };
        let (cell, place) = (x.cell(self.width), self.place(x.cell(self.width)));
        self.met[place] = Some((cell, number));
        number
    }

    /// Where it is remembered what is known of a cell.
    fn place(&self, cell: i64) -> usize {
        let low = cell.cast_unsigned() & (self.met.len() as u64 - 1);
        usize::try_from(low).expect("it is less than the length of a vector")
    }

    /// Makes a bucket for `x`, and where these are too many, or `x` is too far off, makes all of them wider first.
    fn make(&mut self, x: X) -> usize {
        while !x.fits(self.width) {
            self.widen(x);
        }
        loop {
            let cell = x.cell(self.width);
            if let Some(number) = self.cells.get(&cell) {
                return *number;
            }
            if self.made.len() < self.most.get() {
                self.cells.insert(cell, self.made.len());
                self.made.push(Bucket::at(x));
                return self.made.len() - 1;
            }
            self.widen(x);
        }
    }

    /// Whether cells of the width hold `x` besides the `sorted` buckets.
    fn has_room(&self, sorted: &[Bucket<X>], x: X) -> bool {
        let mut cells: Vec<i64> = sorted.iter().map(|bucket| bucket.from().cell(self.width)).collect();
        cells.dedup();
        cells.len() < self.most.get() || cells.contains(&x.cell(self.width))
    }

    /// Doubles the width as often as it takes to have room for `x`.
    fn widen(&mut self, x: X) {
        let sorted = std::mem::take(&mut self.cells).into_values().map(|number| self.made[number]);
        let sorted: Vec<Bucket<X>> = sorted.collect();
        let first = sorted.first().map(Bucket::from).filter(|first| *first < x).unwrap_or(x);
        let last = sorted.last().map(Bucket::to).filter(|last| *last > x).unwrap_or(x);
        self.width = X::wider(self.width, first, last);
        while !self.has_room(&sorted, x) {
            self.width = X::wider(self.width, first, last);
        }
        self.met.fill(None);
        self.made.clear();
        for bucket in sorted {
            let cell = bucket.from().cell(self.width);
            if let Some(number) = self.cells.get(&cell) {
                self.made[*number].append(&bucket);
            } else {
                self.cells.insert(cell, self.made.len());
                self.made.push(bucket);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::points::normalise;

    use proptest::prelude::*;

    fn buckets<X: Place>(most: usize, points: &[(X, f64)]) -> Vec<Bucket<X>> {
        let mut buckets = Buckets::new(NonZeroUsize::new(most).unwrap());
        for (x, value) in points {
            buckets.add(*x, *value);
        }
        buckets.finish()
    }

    fn extents<X: Place>(buckets: &[Bucket<X>]) -> Vec<(X, X)> {
        buckets.iter().map(|bucket| (bucket.from(), bucket.to())).collect()
    }

    fn at(steps: impl IntoIterator<Item = i64>) -> Vec<(i64, f64)> {
        steps.into_iter().map(|step| (step, 0.5)).collect()
    }

    #[test]
    fn a_million_steps_take_nearly_all_buckets() {
        assert_eq!(buckets(1_000, &at(0..1_000_000)).len(), 977);
    }

    #[test]
    fn a_step_far_off_takes_one_bucket_and_not_the_room_between() {
        let found = buckets(1_000, &at((0..1_000).chain([1_000_000_000])));
        assert_eq!((found.len(), found[500].from()), (501, 1_000_000_000));
    }

    #[test]
    fn one_bucket_holds_everything() {
        assert_eq!(extents(&buckets(1, &at([i64::MIN, -1, 0, i64::MAX]))), [(i64::MIN, i64::MAX)]);
        assert_eq!(extents(&buckets(1, &[(-1e300, 0.0), (1e-300, 0.0)])), [(-1e300, 1e-300)]);
    }

    #[test]
    fn a_spike_among_a_million_points_is_the_greatest_of_its_bucket() {
        let flat = (0..1_000_000).map(|step| (step, if step == 654_321 { 9.0 } else { 0.5 }));
        let found = buckets(100, &flat.collect::<Vec<_>>());
        let spiked: Vec<_> = found.iter().filter(|bucket| bucket.max() == Some(9.0)).collect();
        assert_eq!(spiked.len(), 1);
        assert!((spiked[0].from()..=spiked[0].to()).contains(&654_321));
    }

    #[test]
    fn what_is_no_number_is_counted_apart_and_has_its_place() {
        let odd = [f64::NAN, f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(normalise);
        let points: Vec<_> = (0..).zip(odd.into_iter().chain([2.0, 3.0])).collect();
        let found = buckets(1, &points)[0];
        assert_eq!((found.nans(), found.positive_infinities(), found.negative_infinities()), (2, 1, 1));
        assert_eq!((found.count(), found.from(), found.to()), (2, 0, 5));
        let of_numbers = (found.min(), found.max(), found.first(), found.last());
        assert_eq!(of_numbers, (Some(2.0), Some(3.0), Some(2.0), Some(3.0)));
    }

    #[test]
    fn a_bucket_without_numbers_has_none_to_tell() {
        let found = buckets(1, &[(7, f64::NAN)])[0];
        assert_eq!((found.min(), found.max(), found.first(), found.last()), (None, None, None, None));
    }

    #[test]
    fn of_points_at_one_place_the_last_to_come_is_the_last() {
        let found = buckets(9, &[(1, 5.0), (1, 6.0), (1, 4.0)])[0];
        assert_eq!((found.first(), found.last()), (Some(5.0), Some(4.0)));
    }

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![6 => -1e3..1e3_f64, 1 => Just(f64::NAN), 1 => Just(f64::MAX), 1 => Just(f64::MIN)]
    }

    fn steps() -> impl Strategy<Value = Vec<(i64, f64)>> {
        let step =
            prop_oneof![8 => -50..500_i64, 2 => any::<i64>(), 1 => Just(i64::MIN), 1 => Just(i64::MAX)];
        prop::collection::vec((step, value()), 0..300)
    }

    fn places() -> impl Strategy<Value = Vec<(f64, f64)>> {
        let place =
            prop_oneof![8 => -1.0..1.0_f64, 4 => 1e5..1e6_f64, 1 => prop::num::f64::NORMAL, 1 => Just(0.0)];
        prop::collection::vec((place, value()), 0..300)
    }

    /// What holds of the buckets of any points.
    fn check<X: Place + std::fmt::Debug>(most: usize, points: &[(X, f64)]) {
        let found = buckets(most, points);
        assert!(found.len() <= most);
        assert!(found.windows(2).all(|pair| pair[0].to() < pair[1].from()), "{found:?}");
        let (mut counted, mut odd) = (0, 0);
        for bucket in &found {
            let inside: Vec<f64> = points
                .iter()
                .filter(|(x, _)| bucket.from() <= *x && *x <= bucket.to())
                .map(|(_, value)| *value)
                .collect();
            let numbers = || inside.iter().copied().filter(|value| value.abs() < f64::MAX);
            assert_eq!(bucket.min(), numbers().reduce(f64::min));
            assert_eq!(bucket.max(), numbers().reduce(f64::max));
            counted += bucket.count();
            odd += bucket.nans() + bucket.positive_infinities() + bucket.negative_infinities();
        }
        assert_eq!(usize::try_from(counted + odd), Ok(points.len()), "every point is in one bucket");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_point_is_in_one_bucket_and_no_extreme_is_lost(points in steps(), most in 1_usize..60) {
            check(most, &points);
        }

        #[test]
        fn every_pair_is_in_one_bucket_and_no_extreme_is_lost(points in places(), most in 1_usize..60) {
            check(most, &points);
        }

        #[test]
        fn few_places_have_a_bucket_each(points in steps()) {
            let distinct: BTreeSet<i64> = points.iter().map(|(step, _)| *step).collect();
            let found = extents(&buckets(distinct.len().max(1), &points));
            prop_assert_eq!(found, distinct.into_iter().map(|step| (step, step)).collect::<Vec<_>>());
        }

        #[test]
        fn the_order_of_the_points_does_not_move_the_buckets(
            (points, shuffled) in places().prop_flat_map(|points| (Just(points.clone()), Just(points).prop_shuffle())),
            most in 1_usize..60,
        ) {
            prop_assert_eq!(extents(&buckets(most, &points)), extents(&buckets(most, &shuffled)));
        }
    }
}
