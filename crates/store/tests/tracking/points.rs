use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::mpsc;
use std::time::Duration;

use modelry_core::Error;
use modelry_core::ids::KeyId;
use modelry_core::points::tail::PointsByKey;
use modelry_core::points::{Point, Position};
use modelry_db::{Db, Engine};
use modelry_store::metrics::{self, Tails};
use modelry_testkit::both;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tokio::task::JoinHandle;

use crate::given::{self, PLACE, PROJECT, append, write};

/// No tail that is sealed in time has this many rows: the threshold is 64, give or take 16.
const TOO_LONG: i64 = 80;

/// The rows with which the tail of [`PLACE`] is sealed.
const ROWS_OF_CANDIDATE_7: i64 = 64 - 16 + 7;

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

/// Appends one point as one row, as the server does.
async fn append_alone(db: &Db, tails: &Tails, id: i64, key: KeyId) {
    let tails = tails.clone();
    let points = PointsByKey::from([(key, vec![Point::new(id, 0, 0.5)])]);
    db.append(move |tx| metrics::append(tx, &tails, PLACE, id, &points)).await.expect("appended");
}

/// Makes a transaction that has written the block which the tail that begins with `one_point(0)` will be sealed into, and
/// that is undone once the sender is used.
async fn hold_first_block(db: &Db) -> (mpsc::Sender<()>, JoinHandle<()>) {
    let (release, released) = mpsc::channel();
    let (arrived, mut held) = tokio::sync::mpsc::unbounded_channel();
    let first = one_point(0)[0].1.position();
    let work = db.clone();
    let blocker = tokio::spawn(async move {
        let undone = work.append(move |tx| {
            tx.execute(
                "INSERT INTO metric_block
                    (project_id, candidate_id, key_id, first_ts, first_step, first_bits, last_ts, points, data)
                 VALUES ($1, $2, 1, $3, $4, $5, 0, 0, '')",
                &[&PROJECT.0, &PLACE.candidate.0, &first.timestamp, &first.step, &first.value_bits],
            )?;
            arrived.send(()).expect("somebody waits for it");
            released.recv().expect("the sender is used");
            Err::<(), _>(Error::conflict("enough"))
        });
        undone.await.expect_err("it says so");
    });
    held.recv().await.expect("the block is written");
    (release, blocker)
}

/// Whether a transaction of this database waits for another one.
async fn somebody_waits(db: &Db) -> bool {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let waiting = db.read(|tx| tx.query_one(sql, &[], |row| row.get::<i64>(0)));
    waiting.await.expect("it can be asked") > 0
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

    async fn a_row_that_comes_while_a_tail_is_sealed_stays_in_it(db: Db) {
        if db.engine() == Engine::Sqlite {
            return; // One transaction comes after the other there.
        }
        given::candidate(&db).await;
        // The second process sees one row, so it will not seal; the first one seals with the next row.
        let (tails, others) = (Tails::default(), Tails::default());
        append(&db, &others, 0, vec![one_point(0)]).await;
        append(&db, &tails, 1, (1..ROWS_OF_CANDIDATE_7 - 1).map(one_point).collect()).await;

        let (release, blocker) = hold_first_block(&db).await;
        let sealing = tokio::spawn({
            let db = db.clone();
            async move { append_alone(&db, &tails, ROWS_OF_CANDIDATE_7, KeyId(1)).await }
        });
        while !sealing.is_finished() && !somebody_waits(&db).await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(!sealing.is_finished(), "it has read the tail and waits for its first block");
        append_alone(&db, &others, ROWS_OF_CANDIDATE_7 + 1, KeyId(2)).await;
        release.send(()).expect("the block is held until now");
        blocker.await.expect("it ends");
        sealing.await.expect("the tail is sealed");

        assert_eq!(shape(&db).await, (1, 1));
        assert_eq!(history(&db, KeyId(2), 10).await.len(), 1);
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
