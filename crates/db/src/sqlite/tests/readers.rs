//! Reads: snapshots, panics, callers that leave.

use std::sync::{Arc, mpsc};
use std::thread::{self, ThreadId};
use std::time::Duration;

use futures_util::FutureExt;
use modelry_core::{Error, Kind};

use super::{Bench, LIMITS, insert, kind};
use crate::job::{forget, recall};
use crate::{Connections, Tx};

async fn one_reader() -> Bench {
    Bench::with(LIMITS.wal_bytes, |options| options.readers = 1).await
}

fn count(tx: &mut Tx<'_>) -> modelry_core::Result<i64> {
    tx.query_one("SELECT count(*) FROM rows", &[], |row| row.get(0))
}

#[tokio::test]
async fn a_reader_lives_on_after_work_that_panics() {
    let bench = one_reader().await;
    let panicked = bench.read(|tx| if count(tx)? >= 0 { panic!("on purpose") } else { Ok(()) }).await;
    assert_eq!((kind(&panicked), bench.ids().await), (Some(Kind::Internal), vec![]));
}

#[tokio::test]
async fn new_reads_wait_while_they_are_held_back() {
    let bench = one_reader().await;
    let permit = bench.sqlite.readers.hold_back(Duration::MAX).await;
    let mut read = Box::pin(bench.read(count));
    assert!((&mut read).now_or_never().is_none());
    drop(permit);
    assert_eq!(read.await.unwrap(), 0);
}

#[tokio::test]
async fn holding_reads_back_gives_up_on_one_that_does_not_end() {
    let bench = one_reader().await;
    let (go_on, gate) = mpsc::channel::<()>();
    let read = tokio::spawn({
        let readers = std::sync::Arc::clone(&bench.sqlite.readers);
        let gate = std::sync::Mutex::new(gate);
        async move {
            readers
                .read(
                    Connections::One,
                    forget(move |tx| {
                        let _ = gate.lock().unwrap().recv();
                        count(tx)
                    }),
                )
                .await
        }
    });
    // The test has one thread: after this the read has begun.
    tokio::task::yield_now().await;
    assert!(bench.sqlite.readers.hold_back(Duration::ZERO).await.is_none());
    drop(go_on);
    assert_eq!(recall::<i64>(read.await.unwrap().unwrap()), 0);
}

/// The threads that work on a query with two lists, and how many rows each of them sees.
fn halves(tx: &mut Tx<'_>) -> modelry_core::Result<Vec<(ThreadId, i64)>> {
    let count = "SELECT count(*) FROM rows WHERE id > $1";
    tx.query_twice(count, [&[&0_i64], &[&0_i64]], |row| Ok((thread::current().id(), row.get(0)?)))
}

async fn halves_with(readers: usize, connections: Connections) -> Vec<(ThreadId, i64)> {
    let bench = Bench::with(LIMITS.wal_bytes, |options| options.readers = readers).await;
    recall(bench.sqlite.read(connections, forget(halves)).await.unwrap())
}

#[tokio::test]
async fn two_connections_work_on_a_query_with_two_lists_where_another_one_is_left() {
    let both = halves_with(3, Connections::Two).await;
    assert!(matches!(both.as_slice(), [ours, theirs] if ours.0 != theirs.0), "{both:?}");
    for (readers, connections) in [(2, Connections::Two), (1, Connections::Two), (3, Connections::One)] {
        let alone = halves_with(readers, connections).await;
        assert!(matches!(alone.as_slice(), [ours, theirs] if ours.0 == theirs.0), "{alone:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn both_connections_see_the_same_while_others_write() {
    let bench = Arc::new(Bench::with(LIMITS.wal_bytes, |options| options.readers = 3).await);
    let writing = tokio::spawn({
        let bench = Arc::clone(&bench);
        async move {
            for id in 1.. {
                bench.write(move |tx| insert(tx, id, 1)).await.unwrap();
            }
        }
    });
    let (mut last, mut together) = (0, 0);
    for _ in 0..1_000 {
        let both: Vec<(ThreadId, i64)> =
            recall(bench.sqlite.read(Connections::Two, forget(halves)).await.unwrap());
        let [ours, theirs] = both[..] else { panic!("{both:?}") };
        assert_eq!(ours.1, theirs.1);
        assert!(ours.1 >= last);
        last = ours.1;
        together += i32::from(ours.0 != theirs.0);
    }
    writing.abort();
    assert!(last > 0 && together > 0, "{last} rows, {together} times together");
}

#[tokio::test]
async fn what_fails_on_the_second_connection_fails_the_read_and_nothing_after_it() {
    let bench = Bench::with(LIMITS.wal_bytes, |options| options.readers = 3).await;
    for panics in [true, false] {
        let failed = bench.sqlite.read(
            Connections::Two,
            forget(move |tx| {
                let main = thread::current().id();
                tx.query_twice("SELECT $1", [&[&1_i64], &[&2_i64]], |_| {
                    match thread::current().id() == main {
                        true => Ok(()),
                        false if panics => panic!("on purpose"),
                        false => Err(Error::not_found("it")),
                    }
                })
            }),
        );
        let kind = failed.await.err().map(|error| error.kind());
        assert_eq!(kind, Some(if panics { Kind::Internal } else { Kind::NotFound }));
    }
    let both: Vec<(ThreadId, i64)> =
        recall(bench.sqlite.read(Connections::Two, forget(halves)).await.unwrap());
    assert!(matches!(both.as_slice(), [ours, theirs] if ours.0 != theirs.0), "{both:?}");
}

#[tokio::test]
async fn the_longest_read_is_remembered() {
    let bench = one_reader().await;
    let before = bench.sqlite.stats().longest_read_ms;
    bench
        .read(|tx| {
            std::thread::sleep(Duration::from_millis(20));
            count(tx)
        })
        .await
        .unwrap();
    bench.read(count).await.unwrap();
    assert!(before < 20 && bench.sqlite.stats().longest_read_ms >= 20);
}

#[tokio::test]
async fn the_queue_says_how_long_it_is() {
    let bench = Bench::new().await;
    let gate = bench.hold_writer().await;
    let answer = bench.queue(|tx| insert(tx, 1, 1));
    let waiting = bench.sqlite.stats().queue_length;
    drop(gate);
    answer.await.unwrap().unwrap();
    assert_eq!((waiting, bench.sqlite.stats().queue_length), (1, 0));
}
