//! Two metrics against each other: the values that both have for the same step.

use crate::points::Point;

/// No y: a NaN that no point has, for a point's NaN is always the same.
const NOTHING: f64 = f64::from_bits(f64::NAN.to_bits() | 1);

/// Two keys of a candidate, put together step by step: the value of a step is the last that was logged for it.
///
/// A window holds as many steps as memory is granted for, 16 bytes each where they are evenly spaced. It reads the points
/// of one key, then those of the other, and gives the pairs; where [`Window::next`] says so, another one goes on behind
/// it.
#[derive(Debug)]
pub struct Window {
    most: usize,
    /// The steps before this window, which count no more.
    after: Option<i64>,
    /// The steps behind this window, which do not count yet, where there are any.
    until: Option<i64>,
    /// Sorted and distinct once the first key is read.
    steps: Steps,
    is_sorted: bool,
    /// The x of each step.
    xs: Vec<f64>,
    /// The y of each step, or [`NOTHING`].
    ys: Vec<f64>,
    /// Where the last step was found: the next one mostly follows it.
    found: usize,
}

impl Window {
    /// A window of at most `most` steps, from the first one on, or after those that are done.
    pub fn new(most: usize, after: Option<i64>) -> Self {
        let steps = Steps::default();
        Self { most, after, until: None, steps, is_sorted: true, xs: Vec::new(), ys: Vec::new(), found: 0 }
    }

    /// Reads points of the key that gives x, in their order.
    pub fn add_xs(&mut self, points: &[Point]) {
        for point in points {
            if !self.is_inside(point.step()) {
                continue;
            }
            match (self.steps.last(), self.xs.last_mut()) {
                (Some(step), Some(x)) if step == point.step() => *x = point.value(),
                (last, _) => {
                    self.is_sorted &= last.is_none_or(|step| step < point.step());
                    self.steps.push(point.step());
                    self.xs.push(point.value());
                }
            }
            // A quarter more than is granted: so sorting again and again stays rare.
            if self.xs.len() > self.most + self.most / 4 {
                self.settle();
            }
        }
    }

    /// Reads points of the key that gives y, in their order, after all that give x.
    pub fn add_ys(&mut self, points: &[Point]) {
        self.settle();
        self.ys.resize(self.xs.len(), NOTHING);
        for point in points {
            if let Some(index) = self.find(point.step()) {
                self.ys[index] = point.value();
            }
        }
    }

    /// Hands over the pairs, x first, by their steps.
    pub fn pairs(&self) -> impl Iterator<Item = (f64, f64)> {
        let pairs = self.xs.iter().copied().zip(self.ys.iter().copied());
        pairs.filter(|(_, y)| y.to_bits() != NOTHING.to_bits())
    }

    /// The step after which another window goes on, unless this was the last.
    pub fn next(&self) -> Option<i64> {
        self.until
    }

    fn is_inside(&self, step: i64) -> bool {
        self.after.is_none_or(|after| step > after) && self.until.is_none_or(|until| step <= until)
    }

    /// Sorts the steps, keeps the last x of each, and leaves those that are too many to the next window.
    fn settle(&mut self) {
        if !self.is_sorted {
            let mut sorted: Vec<(i64, f64)> = self.steps.iter().zip(self.xs.drain(..)).collect();
            // A stable sort: what was read last of a step stays the last.
            sorted.sort_by_key(|(step, _)| *step);
            sorted.dedup_by(|later, kept| {
                let is_same = later.0 == kept.0;
                if is_same {
                    kept.1 = later.1;
                }
                is_same
            });
            self.steps = Steps::default();
            for (step, x) in sorted {
                self.steps.push(step);
                self.xs.push(x);
            }
            self.is_sorted = true;
        }
        if self.xs.len() > self.most {
            self.steps.truncate(self.most);
            self.xs.truncate(self.most);
            self.until = self.steps.last();
        }
    }

    fn find(&mut self, step: i64) -> Option<usize> {
        let near = [self.found, self.found + 1];
        let is_near = near.into_iter().find(|index| self.steps.get(*index) == Some(step));
        let found = is_near.or_else(|| self.steps.find(step))?;
        self.found = found;
        Some(found)
    }
}

/// A list of steps. As a rule they are evenly spaced and rise, and take no memory.
#[derive(Debug)]
enum Steps {
    /// From `first` on in strides of `stride`, which means something from two steps on.
    Even {
        first: i64,
        stride: i64,
        count: usize,
    },
    Listed(Vec<i64>),
}

impl Default for Steps {
    fn default() -> Self {
        Self::Even { first: 0, stride: 0, count: 0 }
    }
}

impl Steps {
    fn len(&self) -> usize {
        match self {
            Self::Even { count, .. } => *count,
            Self::Listed(steps) => steps.len(),
        }
    }

    fn get(&self, index: usize) -> Option<i64> {
        match self {
            Self::Even { first, stride, count } => {
                // What was put in does not overflow.
                (index < *count).then(|| first.wrapping_add(stride.wrapping_mul(index.cast_signed() as i64)))
            }
            Self::Listed(steps) => steps.get(index).copied(),
        }
    }

    fn last(&self) -> Option<i64> {
        self.get(self.len().wrapping_sub(1))
    }

    fn iter(&self) -> impl Iterator<Item = i64> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    fn push(&mut self, step: i64) {
        let rise = self.last().and_then(|last| step.checked_sub(last)).filter(|rise| *rise > 0);
        match self {
            Self::Even { first, count: count @ 0, .. } => (*first, *count) = (step, 1),
            Self::Even { stride, count, .. } if rise.is_some() && (*count == 1 || rise == Some(*stride)) => {
                *stride = rise.unwrap_or_default();
                *count += 1;
            }
            Self::Even { .. } => {
                let mut listed: Vec<i64> = self.iter().collect();
                listed.push(step);
                *self = Self::Listed(listed);
            }
            Self::Listed(steps) => steps.push(step),
        }
    }

    fn truncate(&mut self, most: usize) {
        match self {
            Self::Even { count, .. } => *count = most.min(*count),
            Self::Listed(steps) => steps.truncate(most),
        }
    }

    /// Where a step is, of steps that rise.
    fn find(&self, step: i64) -> Option<usize> {
        match self {
            Self::Even { first, stride, .. } => {
                let index = step.checked_sub(*first)?.checked_div(*stride).unwrap_or(0);
                let index = usize::try_from(index).ok()?;
                (self.get(index) == Some(step)).then_some(index)
            }
            Self::Listed(steps) => steps.binary_search(&step).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    use proptest::prelude::*;

    /// All pairs, in windows of `most` steps.
    fn pairs(most: usize, xs: &[Point], ys: &[Point]) -> Vec<(f64, f64)> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let mut window = Window::new(most, after);
            xs.chunks(3).for_each(|points| window.add_xs(points));
            ys.chunks(5).for_each(|points| window.add_ys(points));
            all.extend(window.pairs());
            after = window.next();
            if after.is_none() {
                return all;
            }
        }
    }

    fn points(values: &[(i64, f64)]) -> Vec<Point> {
        (0..).zip(values).map(|(time, (step, value))| Point::new(time, *step, *value)).collect()
    }

    #[test]
    fn a_step_that_one_of_the_two_lacks_makes_no_pair() {
        let (epoch, loss) = (points(&[(1, 10.0), (3, 30.0)]), points(&[(1, 0.5), (2, 0.4), (3, 0.3)]));
        assert_eq!(pairs(9, &epoch, &loss), [(10.0, 0.5), (30.0, 0.3)]);
    }

    #[test]
    fn the_last_value_of_a_step_counts() {
        let (epoch, loss) =
            (points(&[(2, 1.0), (1, 7.0), (2, 3.0)]), points(&[(2, 0.5), (1, 0.2), (2, 0.4)]));
        assert_eq!(pairs(9, &epoch, &loss), [(7.0, 0.2), (3.0, 0.4)]);
    }

    #[test]
    fn a_window_holds_no_more_than_it_was_granted() {
        let backwards: Vec<Point> = (0..100).map(|time| Point::new(time, -time, 0.5)).collect();
        let mut window = Window::new(8, None);
        for point in &backwards {
            window.add_xs(std::slice::from_ref(point));
        }
        assert!(window.xs.len() <= 10);
        assert_eq!(window.xs.len(), window.steps.len());
        window.add_ys(&backwards);
        assert_eq!((window.pairs().count(), window.next()), (8, Some(-92)));
    }

    #[test]
    fn without_one_of_the_two_there_is_no_pair() {
        let some = points(&[(1, 0.5)]);
        assert_eq!(pairs(9, &some, &[]), []);
        assert_eq!(pairs(9, &[], &some), []);
    }

    #[test]
    fn evenly_spaced_steps_take_no_memory() {
        let even: Vec<Point> = (0..100).map(|time| Point::new(time, 50 * time - 7, 0.5)).collect();
        let mut window = Window::new(1_000, None);
        window.add_xs(&even);
        assert!(matches!(window.steps, Steps::Even { first: -7, stride: 50, count: 100 }));
        window.add_ys(&even[90..]);
        assert_eq!(window.pairs().count(), 10);
    }

    #[test]
    fn steps_as_far_apart_as_can_be_are_told_apart() {
        let far = points(&[(i64::MIN, 1.0), (0, 2.0), (i64::MAX, 3.0)]);
        assert_eq!(pairs(9, &far, &far), [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]);
        let ends = points(&[(i64::MIN, 1.0), (i64::MAX, 3.0)]);
        assert_eq!(pairs(9, &far, &ends), [(1.0, 1.0), (3.0, 3.0)]);
    }

    #[test]
    fn a_y_that_is_no_number_makes_a_pair() {
        let found = pairs(9, &points(&[(1, 0.5)]), &points(&[(1, f64::NAN)]));
        assert_eq!(found.len(), 1);
        assert!(found[0].1.is_nan());
    }

    fn logged() -> impl Strategy<Value = Vec<Point>> {
        prop::collection::vec((-20..40_i64, -9.0..9.0_f64), 0..80).prop_map(|values| points(&values))
    }

    proptest! {
        #[test]
        fn a_list_of_steps_holds_what_was_put_in(
            (first, stride) in (any::<i64>(), 1_i64..9),
            even in 0_i64..9,
            others in prop::collection::vec(any::<i64>(), 0..4),
        ) {
            let mut expected: Vec<i64> = (0..even).filter_map(|at| first.checked_add(at * stride)).collect();
            expected.extend(others);
            let mut steps = Steps::default();
            for step in &expected {
                steps.push(*step);
            }
            prop_assert_eq!(steps.iter().collect::<Vec<_>>(), expected.clone());
            if expected.is_sorted_by(|left, right| left < right) {
                for step in expected.iter().flat_map(|step| [step.wrapping_sub(1), *step, step.wrapping_add(1)]) {
                    prop_assert_eq!(steps.find(step), expected.binary_search(&step).ok());
                }
            }
        }

        #[test]
        fn windows_of_any_size_give_the_same_pairs(xs in logged(), ys in logged(), most in 1_usize..50) {
            let last = |points: &[Point]| -> BTreeMap<i64, f64> {
                points.iter().map(|point| (point.step(), point.value())).collect()
            };
            let by_step = last(&ys);
            let expected: Vec<(f64, f64)> = last(&xs)
                .into_iter()
                .filter_map(|(step, x)| Some((x, *by_step.get(&step)?)))
                .collect();
            prop_assert_eq!(pairs(most, &xs, &ys), expected);
        }
    }
}
