//! What a bucket says of the points in it.

/// How the points in a stretch of the x axis lie.
///
/// The value of a point is a number, NaN or an infinity ([`f64::MAX`] of either sign, see
/// [`normalise`](crate::points::normalise)). Least, greatest, first and last are those of the numbers; what is none is
/// counted apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket<X> {
    from: X,
    to: X,
    numbers: Numbers<X>,
    nans: u64,
    positive_infinities: u64,
    negative_infinities: u64,
}

/// How the numbers lie; means something where `count` is not 0.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Numbers<X> {
    count: u64,
    min: f64,
    max: f64,
    first: (X, f64),
    last: (X, f64),
}

impl<X: Copy + PartialOrd> Bucket<X> {
    /// A bucket at `x` that no point is in yet.
    pub(super) fn at(x: X) -> Self {
        let nothing = (x, 0.0);
        let numbers =
            Numbers { count: 0, min: f64::INFINITY, max: f64::NEG_INFINITY, first: nothing, last: nothing };
        Self { from: x, to: x, numbers, nans: 0, positive_infinities: 0, negative_infinities: 0 }
    }

    /// Puts a point in. Of two points at one x the one that comes later is the last.
    pub(super) fn add(&mut self, x: X, value: f64) {
        if x < self.from {
            self.from = x;
        }
        if x > self.to {
            self.to = x;
        }
        // NaN is not less than anything.
        if value.abs() < f64::MAX {
            self.numbers.add(x, value);
        } else if value.is_nan() {
            self.nans += 1;
        } else if value > 0.0 {
            self.positive_infinities += 1;
        } else {
            self.negative_infinities += 1;
        }
    }

    /// Puts in what is in a bucket further along the axis.
    pub(super) fn append(&mut self, further: &Self) {
        self.to = further.to;
        self.numbers.append(&further.numbers);
        self.nans += further.nans;
        self.positive_infinities += further.positive_infinities;
        self.negative_infinities += further.negative_infinities;
    }

    /// The least x of its points.
    pub fn from(&self) -> X {
        self.from
    }

    /// The greatest x of its points.
    pub fn to(&self) -> X {
        self.to
    }

    /// How many of its points are numbers.
    pub fn count(&self) -> u64 {
        self.numbers.count
    }

    /// How many of its points are NaN.
    pub fn nans(&self) -> u64 {
        self.nans
    }

    /// How many of its points are infinite and positive.
    pub fn positive_infinities(&self) -> u64 {
        self.positive_infinities
    }

    /// How many of its points are infinite and negative.
    pub fn negative_infinities(&self) -> u64 {
        self.negative_infinities
    }

    /// The least number, if any point is a number.
    pub fn min(&self) -> Option<f64> {
        self.number(self.numbers.min)
    }

    /// The greatest number, if any point is a number.
    pub fn max(&self) -> Option<f64> {
        self.number(self.numbers.max)
    }

    /// The number of the least x, if any point is a number.
    pub fn first(&self) -> Option<f64> {
        self.number(self.numbers.first.1)
    }

    /// The number of the greatest x, if any point is a number.
    pub fn last(&self) -> Option<f64> {
        self.number(self.numbers.last.1)
    }

    fn number(&self, number: f64) -> Option<f64> {
        (self.numbers.count > 0).then_some(number)
    }
}

impl<X: Copy + PartialOrd> Numbers<X> {
    fn add(&mut self, x: X, value: f64) {
        if self.count == 0 || x < self.first.0 {
            self.first = (x, value);
        }
        if self.count == 0 || x >= self.last.0 {
            self.last = (x, value);
        }
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.count += 1;
    }

    fn append(&mut self, further: &Self) {
        if self.count == 0 {
            self.first = further.first;
        }
        if further.count > 0 {
            self.last = further.last;
        }
        self.min = self.min.min(further.min);
        self.max = self.max.max(further.max);
        self.count += further.count;
    }
}
