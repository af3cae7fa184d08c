//! Reads: snapshots, panics, callers that leave.

use std::sync::mpsc;
use std::time::Duration;

use futures_util::FutureExt;
use modelry_core::Kind;

use super::{Bench, LIMITS, insert, kind};
use crate::Tx;
use crate::job::{forget, recall};

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
                .read(forget(move |tx| {
                    let _ = gate.lock().unwrap().recv();
                    count(tx)
                }))
                .await
        }
    });
    // The test has one thread: after this the read has begun.
    tokio::task::yield_now().await;
    assert!(bench.sqlite.readers.hold_back(Duration::ZERO).await.is_none());
    drop(go_on);
    assert_eq!(recall::<i64>(read.await.unwrap().unwrap()), 0);
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
