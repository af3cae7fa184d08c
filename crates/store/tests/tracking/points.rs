use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use modelry_core::ids::KeyId;
use modelry_core::points::{Point, Position};
use modelry_db::Db;
use modelry_store::metrics::{self, Tails};
use modelry_testkit::both;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::given::{self, PLACE, PROJECT, append, write};

/// No tail that is sealed in time has this many rows: the threshold is 64, give or take 16.
const TOO_LONG: i64 = 80;

/// The whole history of a key, in pages of `limit`.
async fn history(db: &Db, key: KeyId, limit: usize) -> Vec<Point> {
    let limit = NonZeroUsize::new(limit).expect("not zero");
    let mut all = Vec::new();
    let mut after: Option<Position> = None;
    loop {
        let page = write(db, move |tx| metrics::history(tx, PLACE, key, after, limit)).await;
        assert!(page.points.len() == limit.get() || page.next.is_none(), "only the last page is short");
        all.extend(page.points);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

/// How many rows the tail has, and in how many blocks the rest is.
async fn shape(db: &Db) -> (i64, i64) {
    write(db, |tx| {
        let mut count = |table: &str| {
            let sql = format!("SELECT count(*) FROM {table} WHERE project_id = $1 AND candidate_id = $2");
            tx.query_one(&sql, &[&PROJECT.0, &PLACE.candidate.0], |row| row.get::<i64>(0))
        };
        Ok((count("metric_tail")?, count("metric_block")?))
    })
    .await
}

/// Draws from a strategy, the same in every run of the test.
fn draw<S: Strategy>(strategy: &S) -> S::Value {
    strategy.new_tree(&mut TestRunner::deterministic()).expect("nothing is rejected").current()
}

/// Points of two keys in any order, with repetitions, ties and every kind of value, in requests of any length.
fn requests(count: usize) -> Vec<Vec<(KeyId, Point)>> {
    let value =
        prop_oneof![8 => -1e3..1e3_f64, 1 => Just(f64::NAN), 1 => Just(0.0), 1 => Just(f64::INFINITY)];
    let time = prop_oneof![20 => 0..9_000_i64, 1 => Just(i64::MAX)];
    let step = prop_oneof![20 => 0..3_i64, 1 => Just(i64::MIN), 1 => Just(i64::MAX)];
    let point = (1..=2_i64, time, step, value)
        .prop_map(|(key, time, step, value)| (KeyId(key), Point::new(time, step, value)));
    draw(&proptest::collection::vec(proptest::collection::vec(point, 1..60), count))
}

fn of(requests: &[Vec<(KeyId, Point)>], key: KeyId) -> Vec<Point> {
    let distinct: BTreeSet<Point> =
        requests.iter().flatten().filter(|logged| logged.0 == key).map(|logged| logged.1).collect();
    distinct.into_iter().collect()
}

fn one_point(time: i64) -> Vec<(KeyId, Point)> {
    vec![(KeyId(1), Point::new(time, 0, 0.5))]
}

both! {
    async fn a_history_is_the_set_of_points_however_often_they_were_sealed(db: Db) {
        given::candidate(&db).await;
        let requests = requests(600);
        let tails = Tails::default();
        for (number, some) in (0..).zip(requests.chunks(25)) {
            append(&db, &tails, number * 25, some.to_vec()).await;
        }
        let (tail, blocks) = shape(&db).await;
        assert!(tail < TOO_LONG && blocks > 2, "{tail} rows in the tail, {blocks} blocks");
        for (key, limit) in [(KeyId(1), 997), (KeyId(2), 100_000)] {
            assert_eq!(history(&db, key, limit).await, of(&requests, key));
        }
    }

    async fn a_request_sent_again_changes_nothing(db: Db) {
        given::candidate(&db).await;
        let requests = requests(120);
        let tails = Tails::default();
        for round in 0..2 {
            append(&db, &tails, round * 1_000, requests.clone()).await;
        }
        assert_eq!(history(&db, KeyId(1), 100_000).await, of(&requests, KeyId(1)));
    }

    async fn a_key_without_points_has_an_empty_history(db: Db) {
        given::candidate(&db).await;
        append(&db, &Tails::default(), 1, vec![one_point(1)]).await;
        assert_eq!(history(&db, KeyId(2), 10).await, []);
    }

    async fn a_page_starts_behind_a_position_that_no_point_has(db: Db) {
        given::candidate(&db).await;
        append(&db, &Tails::default(), 0, (0..100).map(|time| one_point(2 * time)).collect()).await;
        let after = Position { timestamp: 151, step: 0, value_bits: 0 };
        let limit = NonZeroUsize::new(3).expect("not zero");
        let page = write(&db, move |tx| metrics::history(tx, PLACE, KeyId(1), Some(after), limit)).await;
        let times: Vec<i64> = page.points.iter().map(Point::timestamp).collect();
        assert_eq!((times, page.next.map(|next| next.timestamp)), (vec![152, 154, 156], Some(156)));
    }

    async fn a_tail_is_counted_again_after_a_restart(db: Db) {
        given::candidate(&db).await;
        for time in 0..100 {
            append(&db, &Tails::default(), time, vec![one_point(time)]).await;
        }
        let (tail, blocks) = shape(&db).await;
        assert!(tail < TOO_LONG && blocks == 1, "{tail} rows in the tail, {blocks} blocks");
        assert_eq!(history(&db, KeyId(1), 1_000).await.len(), 100);
    }

    async fn a_tail_that_two_processes_write_is_sealed_too(db: Db) {
        given::candidate(&db).await;
        let processes = [Tails::default(), Tails::default()];
        for (time, process) in (0..300).zip(processes.iter().cycle()) {
            append(&db, process, time, vec![one_point(time)]).await;
        }
        let (tail, blocks) = shape(&db).await;
        assert!(tail < 2 * TOO_LONG && blocks == 1, "{tail} rows in the tail, {blocks} blocks");
        assert_eq!(history(&db, KeyId(1), 1_000).await.len(), 300);
    }

    async fn nothing_is_lost_and_the_tail_stays_short_when_many_write_at_once(db: Db) {
        given::candidate(&db).await;
        let tails = Tails::default();
        append(&db, &tails, 0, vec![one_point(0)]).await;
        let mut writers = tokio::task::JoinSet::new();
        for time in 1..=300 {
            let (db, tails) = (db.clone(), tails.clone());
            writers.spawn(async move { append(&db, &tails, time, vec![one_point(time)]).await });
        }
        writers.join_all().await;
        // What one commit brought is counted afterwards, so that the next write seals it.
        append(&db, &tails, 301, vec![one_point(301)]).await;
        let (tail, blocks) = shape(&db).await;
        assert!(tail < TOO_LONG && blocks == 1, "{tail} rows in the tail, {blocks} blocks");
        assert_eq!(history(&db, KeyId(1), 1_000).await.len(), 302);
    }

    async fn large_requests_are_sealed_before_there_are_many(db: Db) {
        given::candidate(&db).await;
        let tails = Tails::default();
        let request = |number: i64| -> Vec<_> {
            let points = 0..5_000;
            points.map(|time| (KeyId(1), Point::new(number * 5_000 + time, 0, 0.1))).collect()
        };
        append(&db, &tails, 0, (0..15).map(request).collect()).await;
        let (tail, blocks) = shape(&db).await;
        assert!(tail < 15 && blocks > 0, "{tail} rows in the tail, {blocks} blocks");
        assert_eq!(history(&db, KeyId(1), 25_000).await.len(), 75_000);
    }
}
