use modelry_core::ids::KeyId;
use modelry_core::points::Point;
use modelry_db::Db;
use modelry_store::metrics::{self, Sample, Tails};
use modelry_testkit::both;

use crate::given::{self, PLACE, append, write};

/// The steps chosen of a key that was logged at these steps, at times that run the other way.
async fn steps(db: &Db, logged: impl IntoIterator<Item = i64>, sample: Sample) -> Vec<i64> {
    given::candidate(db).await;
    let points: Vec<_> =
        (0..).zip(logged).map(|(n, step)| (KeyId(1), Point::new(1_000_000 - n, step, 0.5))).collect();
    append(db, &Tails::default(), 1, vec![points]).await;
    chosen(db, sample).await
}

async fn chosen(db: &Db, sample: Sample) -> Vec<i64> {
    let points = write(db, move |tx| metrics::sample(tx, PLACE, KeyId(1), sample)).await;
    points.iter().map(Point::step).collect()
}

both! {
    async fn few_points_are_all_chosen(db: Db) {
        assert_eq!(steps(&db, [3, 1, 2], Sample::of_all(3)).await, [1, 2, 3]);
    }

    async fn many_points_are_chosen_evenly_with_both_ends(db: Db) {
        let chosen = steps(&db, 0..1_000, Sample::of_all(12)).await;
        assert_eq!((chosen.len(), chosen[0], chosen[11]), (12, 0, 999));
        let gaps: Vec<i64> = chosen.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.iter().all(|gap| (1..=200).contains(gap)), "{gaps:?}");
    }

    async fn an_interval_leaves_out_what_is_not_in_it(db: Db) {
        let sample = Sample { first_step: 10, last_step: 20, most: 100 };
        assert_eq!(steps(&db, 0..1_000, sample).await, (10..=20).collect::<Vec<_>>());
        assert_eq!(chosen(&db, Sample { most: 2, ..sample }).await, [10, 20]);
        assert_eq!(chosen(&db, Sample { most: 1, ..sample }).await, [10]);
        assert_eq!(chosen(&db, Sample { first_step: 2_000, last_step: 3_000, most: 5 }).await, [0; 0]);
    }

    async fn the_widest_range_of_steps_does_not_overflow(db: Db) {
        let logged = [i64::MIN, -5, 0, 5, 7, i64::MAX];
        assert_eq!(steps(&db, logged, Sample::of_all(6)).await, logged);
        let fewer = chosen(&db, Sample::of_all(4)).await;
        assert_eq!((fewer[0], *fewer.last().expect("some")), (i64::MIN, i64::MAX));
        assert!(fewer.len() <= 4, "{fewer:?}");
    }

    async fn points_of_one_step_are_no_more_than_asked_for(db: Db) {
        let chosen = steps(&db, std::iter::repeat_n(7, 500), Sample::of_all(10)).await;
        assert!((2..=10).contains(&chosen.len()) && chosen.iter().all(|step| *step == 7), "{chosen:?}");
    }
}
