use modelry_core::ids::CandidateId;
use modelry_db::Db;
use modelry_testkit::both;

use super::*;
use crate::candidates;
use crate::search::candidates::along::tests::{NOW, PROJECT, seed, with_step};
use crate::search::keyset::SortValue;

/// What is found of a page behind `start` by way of a stretch, and what the whole search finds of it.
async fn pages(
    db: &Db,
    search: (&'static str, &'static str),
    start: Option<Place>,
) -> (Option<Vec<Place>>, Vec<Place>) {
    let found = db.read(move |tx| {
        with_step(tx, search, start.as_ref(), |tx, step| {
            let along = Along::of(step).expect("an index has the order");
            Ok((run(tx, &along, 8)?, step.run(tx)?))
        })
    });
    found.await.expect("the search can be made")
}

/// As [`pages`], by numbers.
async fn found(
    db: &Db,
    search: (&'static str, &'static str),
    start: Option<Place>,
) -> (Option<Vec<i64>>, Vec<i64>) {
    let (stretch, whole) = pages(db, search, start).await;
    let numbers = |places: Vec<Place>| places.into_iter().map(|place| place.id.0).collect::<Vec<_>>();
    (stretch.map(numbers), numbers(whole))
}

fn place(value: f64, id: i64) -> Place {
    Place { keys: vec![(0, SortValue::Number(value))], start_time: NOW.ms(), id: CandidateId(id) }
}

both! {
    async fn by_a_stretch_the_same_is_found_as_by_look_ups(db: Db) {
        seed(&db).await;
        for filter in ["metrics.size >= 40", "metrics.acc > 0.5", "metrics.size >= 40 AND metrics.acc > 0.5"] {
            for metric in ["loss", "triple", "coarse", "cost"] {
                for order in ["ASC", "DESC"] {
                    let order: &'static str = format!("metrics.{metric} {order}").leak();
                    for start in [None, Some((0.0, 1)), Some((1.0, 5)), Some((16.0, 48)), Some((45.0, 45)), Some((58.0, 58))] {
                        let start = start.map(|(value, id)| place(value, id));
                        let (stretch, whole) = found(&db, (filter, order), start.clone()).await;
                        // What has three values only need not stand close together.
                        if metric != "coarse" || stretch.is_some() {
                            assert_eq!(stretch, Some(whole), "{filter} by {order} from {start:?}");
                        }
                    }
                }
            }
        }
    }

    async fn pages_by_attributes_and_by_several_keys_are_found_by_a_stretch_too(db: Db) {
        seed(&db).await;
        for order in [
            "run_name DESC", "end_time ASC", "metrics.loss DESC, metrics.acc ASC",
            "metrics.triple ASC, metrics.loss DESC",
        ] {
            let (mut start, mut by_stretch) = (None, 0);
            loop {
                let (stretch, whole) = pages(&db, ("metrics.size >= 20", order), start).await;
                if let Some(stretch) = stretch {
                    assert_eq!(stretch, whole, "{order}");
                    by_stretch += 1;
                }
                if whole.len() < 5 {
                    break;
                }
                start = whole.last().cloned();
            }
            assert!(by_stretch > 0, "{order}");
        }
    }

    async fn what_stands_in_a_stretch_and_is_in_the_bin_is_passed_over(db: Db) {
        seed(&db).await;
        let search = ("metrics.size >= 40", "metrics.loss ASC");
        assert_eq!(found(&db, search, None).await.0, Some(vec![3, 7, 40, 41, 42]));
        for number in [7, 41] {
            let eid = format!("{number:032x}").parse().expect("it is an id");
            db.write(move |tx| candidates::delete(tx, PROJECT, &eid, NOW)).await.expect("it is there");
        }
        assert_eq!(found(&db, search, None).await.0, Some(vec![3, 40, 42, 43, 44]));
    }

    async fn what_stands_far_apart_is_looked_up(db: Db) {
        seed(&db).await;
        assert_eq!(found(&db, ("metrics.tenth > 0.5", "metrics.loss ASC"), None).await.0, None);
    }
}
