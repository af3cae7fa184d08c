//! Two metrics against each other: the values that both have for the same step.

use crate::points::Point;

/// Two keys of a candidate, put together step by step: the value of a step is the last that was logged for it.
///
/// A window holds as many steps as memory is granted for. It reads the points of one key, then those of the other, and
/// gives the pairs; where [`Window::next`] says so, another one goes on behind it.
#[derive(Debug)]
pub struct Window {
    most: usize,
    /// The steps before this window, which count no more.
    after: Option<i64>,
    /// The steps behind this window, which do not count yet, where there are any.
    until: Option<i64>,
    /// Steps with their x; sorted and distinct once the first key is read.
    xs: Vec<(i64, f64)>,
    is_sorted: bool,
    ys: Vec<Option<f64>>,
    /// Where the last step was found: the next one mostly follows it.
    found: usize,
}

impl Window {
    /// A window of at most `most` steps, from the first one on, or after those that are done.
    pub fn new(most: usize, after: Option<i64>) -> Self {
        Self { most, after, until: None, xs: Vec::new(), is_sorted: true, ys: Vec::new(), found: 0 }
    }

    /// Reads points of the key that gives x, in their order.
    pub fn add_xs(&mut self, points: &[Point]) {
        for point in points {
            if !self.is_inside(point.step()) {
                continue;
            }
            match self.xs.last_mut() {
                Some((step, x)) if *step == point.step() => *x = point.value(),
                last => {
                    self.is_sorted &= last.is_none_or(|(step, _)| *step < point.step());
                    self.xs.push((point.step(), point.value()));
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
        self.ys.resize(self.xs.len(), None);
        for point in points {
            if let Some(index) = self.find(point.step()) {
                self.ys[index] = Some(point.value());
            }
        }
    }

    /// Hands over the pairs, x first, by their steps.
    pub fn pairs(&self) -> impl Iterator<Item = (f64, f64)> {
        self.xs.iter().zip(&self.ys).filter_map(|((_, x), y)| Some((*x, (*y)?)))
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
            // A stable sort: what was read last of a step stays the last.
            self.xs.sort_by_key(|(step, _)| *step);
            self.xs.dedup_by(|later, kept| {
                let is_same = later.0 == kept.0;
                if is_same {
                    kept.1 = later.1;
                }
                is_same
            });
            self.is_sorted = true;
        }
        if self.xs.len() > self.most {
            self.xs.truncate(self.most);
            self.until = self.xs.last().map(|(step, _)| *step);
        }
    }

    fn find(&mut self, step: i64) -> Option<usize> {
        let near = [self.found, self.found + 1];
        let is_near = near.into_iter().find(|index| self.xs.get(*index).is_some_and(|x| x.0 == step));
        let found = is_near.or_else(|| self.xs.binary_search_by_key(&step, |x| x.0).ok())?;
        self.found = found;
        Some(found)
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
        window.add_ys(&backwards);
        assert_eq!((window.pairs().count(), window.next()), (8, Some(-92)));
    }

    #[test]
    fn without_one_of_the_two_there_is_no_pair() {
        let some = points(&[(1, 0.5)]);
        assert_eq!(pairs(9, &some, &[]), []);
        assert_eq!(pairs(9, &[], &some), []);
    }

    fn logged() -> impl Strategy<Value = Vec<Point>> {
        prop::collection::vec((-20..40_i64, -9.0..9.0_f64), 0..80).prop_map(|values| points(&values))
    }

    proptest! {
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
