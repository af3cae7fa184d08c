//! The write-ahead log stays short.

use std::sync::{Arc, Mutex, mpsc};

use super::{BETWEEN_CHECKPOINTS, Bench, insert};
use crate::Connections;
use crate::job::forget;
use crate::sqlite::disk::Checkpoint;

const LIMIT: u64 = 1_000_000;

#[tokio::test]
async fn a_log_over_its_limit_is_cut_once_the_running_read_has_ended() {
    let mut bench = Bench::with(LIMIT, |_| {}).await;
    let (go_on, gate) = mpsc::channel::<()>();
    let (starts, started) = mpsc::channel();
    let read = tokio::spawn({
        let readers = Arc::clone(&bench.sqlite.readers);
        let gate = Mutex::new(gate);
        async move {
            readers
                .read(
                    Connections::One,
                    forget(move |tx| {
                        tx.query("SELECT id FROM rows", &[], |row| row.get::<i64>(0))?;
                        starts.send(()).unwrap();
                        let _ = gate.lock().unwrap().recv();
                        Ok(())
                    }),
                )
                .await
        }
    });
    tokio::task::spawn_blocking(move || started.recv().unwrap()).await.unwrap();
    bench.write(|tx| insert(tx, 1, 2_000_000)).await.unwrap();
    let while_reading = bench.sqlite.stats().wal_bytes;
    drop(go_on);
    read.await.unwrap().unwrap();
    while bench.checkpoints.recv().await.unwrap() != Checkpoint::Truncate {}
    assert!(while_reading > LIMIT);
    assert_eq!((bench.sqlite.stats().wal_bytes, bench.ids().await), (0, vec![1]));
}

#[tokio::test]
async fn a_log_is_moved_into_the_database_as_it_grows() {
    let mut bench = Bench::new().await;
    bench.write(|tx| insert(tx, 1, BETWEEN_CHECKPOINTS)).await.unwrap();
    assert_eq!(bench.checkpoints.recv().await, Some(Checkpoint::Passive));
}

#[tokio::test]
async fn closing_empties_the_log() {
    let bench = Bench::new().await;
    bench.write(|tx| insert(tx, 1, 100)).await.unwrap();
    bench.sqlite.close().await;
    assert_eq!(bench.sqlite.stats().wal_bytes, 0);
}
