use modelry_core::ids::CandidateId;
use modelry_db::Db;
use modelry_testkit::both;

use super::*;
use crate::candidates;
use crate::search::candidates::along::tests::{NOW, PROJECT, seed, with_step};
use crate::search::keyset::SortValue;

/// What a trial of so many rows finds of a page of those with `acc` above 0.5, and what the whole search finds of it.
async fn tried(
    db: &Db,
    (order, start): (&'static str, Option<Place>),
    first: usize,
    all: usize,
) -> (Option<Vec<i64>>, Vec<i64>) {
    let found = db.read(move |tx| {
        with_step(tx, ("metrics.acc > 0.5", order), start.as_ref(), |tx, step| {
            let along = Along::of(step).expect("one index has the order");
            Ok((run(tx, &along, Legs { first, all })?, step.run(tx)?))
        })
    });
    let (trial, whole) = found.await.expect("the search can be made");
    let numbers = |places: Vec<Place>| places.into_iter().map(|place| place.id.0).collect::<Vec<_>>();
    (trial.map(numbers), numbers(whole))
}

both! {
    async fn a_trial_that_fills_the_page_finds_what_the_whole_search_finds(db: Db) {
        seed(&db).await;
        for order in ["metrics.loss ASC", "metrics.loss DESC", "metrics.triple ASC", "metrics.triple DESC"] {
            let (trial, whole) = tried(&db, (order, None), 20, 20).await;
            assert_eq!(trial, Some(whole), "{order}");
        }
    }

    async fn a_trial_of_a_later_page_begins_where_the_page_does(db: Db) {
        seed(&db).await;
        for (order, value, page) in [
            ("metrics.loss ASC", 30.0, [31, 33, 35, 37, 39]),
            ("metrics.loss DESC", 30.0, [29, 27, 25, 23, 21]),
        ] {
            let start = Place {
                keys: vec![(0, SortValue::Number(value))],
                start_time: NOW.ms(),
                id: CandidateId(30),
            };
            assert_eq!(tried(&db, (order, Some(start)), 12, 12).await.0, Some(page.to_vec()), "{order}");
        }
    }

    async fn a_trial_that_does_not_fill_the_page_finds_nothing(db: Db) {
        seed(&db).await;
        assert_eq!(tried(&db, ("metrics.loss ASC", None), 4, 4).await.0, None);
    }

    async fn what_satisfies_the_condition_and_is_in_the_bin_is_passed_over(db: Db) {
        seed(&db).await;
        assert_eq!(tried(&db, ("metrics.loss DESC", None), 4, 4).await.1, [59, 57, 55, 53, 51]);
        db.write(|tx| candidates::delete(tx, PROJECT, &format!("{:032x}", 57).parse()?, NOW)).await.expect("it is there");
        assert_eq!(tried(&db, ("metrics.loss DESC", None), 4, 4).await.1, [59, 55, 53, 51, 49]);
        assert_eq!(tried(&db, ("metrics.loss ASC", None), 4, 4).await.1, [1, 3, 5, 7, 9]);
    }

    async fn a_trial_goes_on_where_that_may_fill_the_page(db: Db) {
        seed(&db).await;
        let (trial, whole) = tried(&db, ("metrics.loss ASC", None), 4, 12).await;
        assert_eq!(trial, Some(whole));
        // Two of the five are among the first four rows, so that five are not to be expected among eight.
        assert_eq!(tried(&db, ("metrics.loss ASC", None), 4, 8).await.0, None);
    }

    async fn a_trial_gives_up_where_too_many_are_equal(db: Db) {
        seed(&db).await;
        assert_eq!(tried(&db, ("metrics.coarse ASC", None), 9, 9).await.0, None);
    }

    async fn an_order_that_is_over_before_the_trial_is_walked_to_its_end(db: Db) {
        seed(&db).await;
        let (trial, whole) = tried(&db, ("metrics.loss DESC", None), 60, 60).await;
        assert_eq!(trial, Some(whole));
    }
}

#[test]
fn few_matches_are_not_worth_a_trial() {
    let all = |matches| legs(matches).map(|legs| legs.all);
    assert_eq!([1_999, 2_000, 20_000].map(all), [None, Some(20_000), Some(50_000)]);
}
