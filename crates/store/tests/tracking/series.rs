use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use modelry_core::ids::KeyId;
use modelry_core::points::Point;
use modelry_core::points::series::{Place as OnAxis, Range, bucket::Bucket};
use modelry_db::Db;
use modelry_store::metrics::{self, Over, Series, Tails, Wanted};
use modelry_testkit::both;

use crate::given::{self, PLACE, append, write};

const LOSS: KeyId = KeyId(1);
const EPOCH: KeyId = KeyId(2);

/// When the first point of [`history`] was logged.
const START: i64 = 1_000;

/// 30,000 points of the first key in several blocks and the tail, 10 ms apart, one in 100 of them not a number; some
/// are logged twice. The steps rise with the time, except that those of the second half begin again.
fn history() -> Vec<Point> {
    let value = |n: i64| if n % 100 == 7 { f64::NAN } else { 0.5 };
    (0..30_000).map(|n| Point::new(START + 10 * n, n % 15_000, value(n))).collect()
}

async fn logged(db: &Db, points: &[Point]) {
    given::candidate(db).await;
    let tails = Tails::default();
    for (number, some) in (0..).zip(points.chunks(500)) {
        let request: Vec<_> = some.iter().map(|point| (LOSS, *point)).collect();
        append(db, &tails, number * 10, vec![request.clone()]).await;
        if number % 7 == 0 {
            append(db, &tails, number * 10 + 1, vec![request]).await;
        }
    }
    // Equal to points that are in blocks by now, and itself not.
    let repeated = points.iter().take(3).map(|point| (LOSS, *point)).collect();
    append(db, &tails, 999_999, vec![repeated]).await;
}

fn wanted(over: Over, range: Option<(f64, f64)>, most: usize) -> Wanted {
    let range = range.map(|(from, to)| Range { from, to });
    Wanted { over, range, most: NonZeroUsize::new(most).expect("not zero") }
}

async fn read(db: &Db, wanted: Wanted) -> Series {
    write(db, move |tx| metrics::series(tx, PLACE, LOSS, &wanted)).await
}

async fn whole(db: &Db, wanted: Wanted) -> Vec<Bucket<i64>> {
    match read(db, wanted).await {
        Series::Whole(buckets) => buckets,
        Series::Real(_) => panic!("steps and times are whole numbers"),
    }
}

async fn real(db: &Db, wanted: Wanted) -> Vec<Bucket<f64>> {
    match read(db, wanted).await {
        Series::Real(buckets) => buckets,
        Series::Whole(_) => panic!("the values of a metric are real numbers"),
    }
}

/// How many numbers and how many NaN there are.
fn counts<X: OnAxis>(buckets: &[Bucket<X>]) -> (u64, u64) {
    (buckets.iter().map(Bucket::count).sum(), buckets.iter().map(Bucket::nans).sum())
}

fn ends(buckets: &[Bucket<i64>]) -> Option<(i64, i64)> {
    Some((buckets.first()?.from(), buckets.last()?.to()))
}

both! {
    async fn every_distinct_point_counts_once_in_blocks_and_tail(db: Db) {
        logged(&db, &history()).await;
        let by_step = whole(&db, wanted(Over::Step, None, 1_000)).await;
        assert_eq!((counts(&by_step), ends(&by_step)), ((29_700, 300), Some((0, 14_999))));
        let by_time = whole(&db, wanted(Over::Time, None, 1_000)).await;
        assert_eq!((counts(&by_time), ends(&by_time)), ((29_700, 300), Some((START, START + 299_990))));
    }

    async fn a_range_of_times_has_the_points_in_it_and_no_others(db: Db) {
        logged(&db, &history()).await;
        for (from, to) in [(0, 999), (0, 1_000), (51_234, 51_236), (77_005, 203_330), (300_000, i64::MAX)] {
            #[expect(clippy::cast_precision_loss, reason = "the ends are small, or mean everything")]
            let range = Some((from as f64, to as f64));
            let buckets = whole(&db, wanted(Over::Time, range, 4_000)).await;
            let inside = history().iter().filter(|point| (from..=to).contains(&point.timestamp())).count();
            let (numbers, nans) = counts(&buckets);
            assert_eq!(usize::try_from(numbers + nans), Ok(inside), "{from} to {to}");
        }
    }

    async fn a_range_of_steps_is_found_wherever_it_was_logged(db: Db) {
        logged(&db, &history()).await;
        let buckets = whole(&db, wanted(Over::Step, Some((99.5, 110.0)), 100)).await;
        assert_eq!((buckets.len(), counts(&buckets), ends(&buckets)), (11, (20, 2), Some((100, 110))));
    }

    async fn relative_time_begins_with_the_first_point_of_the_key(db: Db) {
        logged(&db, &history()[..20_000]).await;
        let buckets = whole(&db, wanted(Over::RelativeTime, Some((0.0, 90.0)), 100)).await;
        assert_eq!((buckets.len(), ends(&buckets)), (10, Some((0, 90))));
        append(&db, &Tails::default(), 1_000_000, vec![vec![(LOSS, Point::new(400, 0, 0.5))]]).await;
        let earlier = whole(&db, wanted(Over::RelativeTime, None, 100_000)).await;
        assert_eq!((earlier[0].to(), earlier[1].to()), (0, 600), "the tail may begin before the blocks");
    }

    async fn over_a_metric_each_step_counts_once_with_its_last_values(db: Db) {
        logged(&db, &history()).await;
        let epochs = (0..15_000).map(|step| (EPOCH, Point::new(step, step, if step < 10_000 { 1.0 } else { 2.0 })));
        append(&db, &Tails::default(), 2_000_000, vec![epochs.collect()]).await;
        let buckets = real(&db, wanted(Over::Metric(Some(EPOCH)), None, 100)).await;
        assert_eq!(counts(&buckets), (14_850, 150));
        assert_eq!(buckets.iter().map(Bucket::from).collect::<Vec<_>>(), [1.0, 2.0]);
        let part = real(&db, wanted(Over::Metric(Some(EPOCH)), Some((1.5, 9.0)), 100)).await;
        assert_eq!(counts(&part), (4_950, 50));
    }

    async fn what_nobody_logged_has_no_buckets(db: Db) {
        given::candidate(&db).await;
        for over in [Over::Step, Over::Time, Over::RelativeTime] {
            assert_eq!(whole(&db, wanted(over, None, 9)).await, []);
        }
        logged_epoch_alone(&db).await;
        for x in [None, Some(EPOCH)] {
            assert_eq!(real(&db, wanted(Over::Metric(x), None, 9)).await, []);
        }
    }

    async fn steps_that_go_back_do_not_hide_a_later_value(db: Db) {
        let values: Vec<(i64, f64)> = (0..9_000).map(|n| (n % 3_000, if n == 8_000 { 7.0 } else { 0.5 })).collect();
        let points: Vec<Point> = (0..).zip(&values).map(|(time, (step, value))| Point::new(time, *step, *value)).collect();
        logged(&db, &points).await;
        let spiked: BTreeSet<i64> =
            whole(&db, wanted(Over::Step, None, 3_000)).await.iter().filter(|bucket| bucket.last() == Some(7.0)).map(Bucket::from).collect();
        let by_step: BTreeMap<i64, f64> = values.into_iter().collect();
        assert_eq!(spiked, by_step.into_iter().filter(|(_, value)| *value > 1.0).map(|(step, _)| step).collect());
    }
}

async fn logged_epoch_alone(db: &Db) {
    append(db, &Tails::default(), 1, vec![vec![(EPOCH, Point::new(0, 0, 1.0))]]).await;
}
