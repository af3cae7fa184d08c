//! Series of buckets as the API tells them.

use modelry_core::points::series::bucket::Bucket;
use modelry_store::metrics::Series;
use serde::Serialize;
use utoipa::ToSchema;

/// What was read.
#[derive(Serialize, ToSchema)]
#[schema(as = SeriesList)]
pub(super) struct SeriesListView {
    /// A series for each candidate and key: those of the first candidate first, in the order asked for.
    pub(super) series: Vec<SeriesView>,
}

/// A metric of a candidate.
#[derive(Serialize, ToSchema)]
#[schema(as = Series)]
pub(super) struct SeriesView {
    /// The number of the candidate.
    pub(super) candidate: i64,
    /// Its public id.
    pub(super) run_id: String,
    /// The key.
    pub(super) key: String,
    /// The buckets along the x axis, column by column; none where the candidate has no such metric.
    pub(super) buckets: Columns,
}

/// Buckets, column by column. A bucket holds the points of a stretch of the x axis; stretches without points have none.
/// Where there are no more places with points than buckets, each place is a bucket.
#[derive(Serialize, ToSchema)]
#[schema(as = Buckets)]
pub(super) struct Columns {
    /// The least x of the points in the bucket.
    from: Places,
    /// The greatest x of the points in the bucket.
    to: Places,
    /// How many of the points are numbers. Equal points are one.
    count: Vec<u64>,
    /// The least number, `null` where no point is one.
    min: Vec<Option<f64>>,
    /// The greatest number.
    max: Vec<Option<f64>>,
    /// The number with the least x.
    first: Vec<Option<f64>>,
    /// The number with the greatest x; of several there, the one that was measured last.
    last: Vec<Option<f64>>,
    /// How many of the points are NaN.
    nan: Vec<u64>,
    /// How many of the points are `Infinity`.
    positive_infinity: Vec<u64>,
    /// How many of the points are `-Infinity`.
    negative_infinity: Vec<u64>,
}

/// Places on the x axis: whole numbers for steps and times.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = SeriesPlaces)]
pub(super) enum Places {
    Whole(Vec<i64>),
    Real(Vec<f64>),
}

impl Columns {
    fn new<X: Copy + PartialOrd>(buckets: &[Bucket<X>], places: impl Fn(Vec<X>) -> Places) -> Self {
        let numbers = |of: fn(&Bucket<X>) -> Option<f64>| buckets.iter().map(of).collect();
        let counts = |of: fn(&Bucket<X>) -> u64| buckets.iter().map(of).collect();
        Self {
            from: places(buckets.iter().map(Bucket::from).collect()),
            to: places(buckets.iter().map(Bucket::to).collect()),
            count: counts(Bucket::count),
            min: numbers(Bucket::min),
            max: numbers(Bucket::max),
            first: numbers(Bucket::first),
            last: numbers(Bucket::last),
            nan: counts(Bucket::nans),
            positive_infinity: counts(Bucket::positive_infinities),
            negative_infinity: counts(Bucket::negative_infinities),
        }
    }
}

impl From<Series> for Columns {
    fn from(series: Series) -> Self {
        match series {
            Series::Whole(buckets) => Self::new(&buckets, Places::Whole),
            Series::Real(buckets) => Self::new(&buckets, Places::Real),
        }
    }
}
