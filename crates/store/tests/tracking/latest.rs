use modelry_core::ids::KeyId;
use modelry_core::points::Point;
use modelry_core::points::latest::Latest;
use modelry_db::Db;
use modelry_store::candidates::{self, LatestMetric};
use modelry_store::keys::Keys;
use modelry_store::metrics::Tails;
use modelry_testkit::both;

use crate::given::{self, PLACE, PROJECT, append, name_keys, write};

/// The latest value of key 1.
async fn latest(db: &Db) -> LatestMetric {
    let mut logged =
        write(db, |tx| candidates::logged(tx, &Keys::default(), PROJECT, &[PLACE.candidate])).await;
    logged.remove(&PLACE.candidate).expect("asked for").metrics.remove(0)
}

/// Logs points one request after the other, and answers the latest value then.
async fn log(db: &Db, points: &[(i64, i64, f64)]) -> LatestMetric {
    given::candidate(db).await;
    name_keys(db, 1..=1).await;
    let requests =
        points.iter().map(|(step, time, value)| vec![(KeyId(1), Point::new(*time, *step, *value))]).collect();
    append(db, &Tails::default(), 1, requests).await;
    latest(db).await
}

both! {
    async fn the_latest_value_is_the_greatest_by_step_then_time_then_value(db: Db) {
        let points = [(1, 9, 1.0), (2, 5, 2.0), (2, 6, 3.0), (2, 6, 4.0), (2, 6, 3.5), (0, 99, 7.0)];
        let latest = log(&db, &points).await;
        assert_eq!((latest.step, latest.timestamp, latest.value), (2, 6, 4.0));
    }

    async fn the_extremes_follow_points_that_are_not_the_latest(db: Db) {
        let latest = log(&db, &[(9, 1, 0.5), (3, 1, -2.0), (4, 1, 8.0), (5, 1, f64::NAN)]).await;
        assert_eq!((latest.minimum, latest.maximum), (Some(-2.0), Some(8.0)));
    }

    async fn nan_is_the_latest_value_where_it_comes_last_and_no_extreme(db: Db) {
        let latest = log(&db, &[(1, 1, 3.0), (2, 1, f64::NAN)]).await;
        assert!(latest.value.is_nan(), "{latest:?}");
        assert_eq!((latest.step, latest.minimum, latest.maximum), (2, Some(3.0), Some(3.0)));
    }

    async fn nothing_but_nan_has_no_extremes(db: Db) {
        let latest = log(&db, &[(1, 1, f64::NAN), (2, 1, f64::NAN)]).await;
        assert_eq!((latest.step, latest.minimum, latest.maximum), (2, None, None));
    }

    async fn nan_counts_as_zero_in_a_tie(db: Db) {
        let latest = log(&db, &[(1, 1, f64::NAN), (1, 1, -1.0), (1, 1, 0.0)]).await;
        assert!(latest.value.is_nan(), "{latest:?}");
        let one = vec![(KeyId(1), Point::new(1, 1, 1.0))];
        append(&db, &Tails::default(), 9, vec![one]).await;
        assert_eq!(self::latest(&db).await.value.to_bits(), 1.0_f64.to_bits());
    }

    async fn merging_in_the_database_is_merging_in_memory(db: Db) {
        let values = [f64::NAN, -1.0, 0.0, 1.0, f64::INFINITY];
        // Every pair of step and time with a value, in an order in which each of them rises and falls.
        let points: Vec<(i64, i64, f64)> = (0..60_i64)
            .map(|n| ((n * 7) % 3 - 1, (n * 11) % 4, values[usize::try_from((n * 13) % 5).expect("small")]))
            .collect();
        given::candidate(&db).await;
        name_keys(&db, 1..=1).await;
        for (id, point) in (0..).zip(&points) {
            let points: Vec<Point> =
                points[..=usize::try_from(id).expect("small")].iter().map(|(s, t, v)| Point::new(*t, *s, *v)).collect();
            let expected = Latest::of(&points).expect("there are some");
            let request = vec![(KeyId(1), Point::new(point.1, point.0, point.2))];
            append(&db, &Tails::default(), id, vec![request]).await;
            let latest = latest(&db).await;
            assert_eq!(Point::new(latest.timestamp, latest.step, latest.value), expected.point, "{id}");
            assert_eq!((latest.minimum, latest.maximum), (expected.min, expected.max), "{id}");
        }
    }
}
