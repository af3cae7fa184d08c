use std::fmt::Write as _;

use modelry_core::ids::CandidateId;
use modelry_db::Db;
use modelry_testkit::both;

use super::*;
use crate::candidates;
use crate::search::candidates::along::tests::{NOW, PROJECT, seed, with_step};
use crate::search::keyset::SortValue;

/// What a trial finds of a page, and what the whole search finds of it.
async fn page(
    db: &Db,
    search: (&'static str, &'static str),
    start: Option<Place>,
    legs: Legs,
) -> (Option<Vec<Place>>, Vec<Place>) {
    let found = db.read(move |tx| {
        with_step(tx, search, start.as_ref(), |tx, step| {
            let along = Along::of(step).expect("an index has the order");
            Ok((run(tx, &along, legs)?, step.run(tx)?))
        })
    });
    found.await.expect("the search can be made")
}

fn numbers(places: &[Place]) -> Vec<i64> {
    places.iter().map(|place| place.id.0).collect()
}

/// What a trial of so many rows finds of a page of those with `acc` above 0.5, and what the whole search finds of it.
async fn tried(
    db: &Db,
    (order, start): (&'static str, Option<Place>),
    first: usize,
    all: usize,
) -> (Option<Vec<i64>>, Vec<i64>) {
    let (trial, whole) = page(db, ("metrics.acc > 0.5", order), start, Legs { first, all }).await;
    (trial.map(|places| numbers(&places)), numbers(&whole))
}

/// Goes through all pages of a search, which a trial finds if it finds anything, and answers how many it did not.
async fn untold(db: &Db, search: (&'static str, &'static str), legs: Legs) -> usize {
    let (mut start, mut untold) = (None, 0);
    loop {
        let (trial, whole) = page(db, search, start.clone(), legs).await;
        match trial {
            Some(trial) => assert_eq!(numbers(&trial), numbers(&whole), "{search:?} behind {start:?}"),
            None => untold += 1,
        }
        if whole.len() < 5 {
            return untold;
        }
        start = whole.last().cloned();
    }
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

    async fn a_trial_gives_up_where_a_further_key_decides_between_too_many(db: Db) {
        seed(&db).await;
        assert_eq!(tried(&db, ("metrics.coarse ASC, metrics.loss DESC", None), 12, 12).await.0, None);
        let (trial, whole) = tried(&db, ("metrics.triple ASC, metrics.loss DESC", None), 20, 20).await;
        assert_eq!(trial, Some(whole));
    }

    async fn every_page_of_every_order_is_what_the_whole_search_finds(db: Db) {
        seed(&db).await;
        let mut lines = String::new();
        for filter in ["metrics.acc > 0.5", "metrics.acc > 0.5 AND status = 'FAILED'", "run_name IN ('name 0', 'name 2', 'name 3') AND metrics.size >= 20"] {
            for order in [
                "start_time ASC", "start_time DESC", "run_name ASC", "run_name DESC", "user_id ASC", "status ASC", "status DESC",
                "end_time ASC", "end_time DESC", "metrics.loss ASC", "metrics.coarse ASC", "metrics.coarse DESC",
                "metrics.triple ASC", "metrics.coarse ASC, metrics.loss DESC", "run_name ASC, metrics.loss ASC",
            ] {
                if filter.starts_with("run_name") && order.starts_with("run_name") {
                    // It bounds the walk and does not drive.
                    continue;
                }
                let mut counts = Vec::new();
                for (first, all) in [(60, 60), (20, 40), (12, 24)] {
                    counts.push(untold(&db, (filter, order), Legs { first, all }).await);
                }
                writeln!(lines, "{filter} by {order}: {counts:?}").expect("a String takes all text");
            }
        }
        // How many pages a trial of all rows, of up to 40 and of up to 24 did not tell.
        insta::assert_snapshot!("pages_untold", lines);
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
