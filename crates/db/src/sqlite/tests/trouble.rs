//! Full and failing disks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use modelry_core::{Error, Kind};
use rusqlite::ffi;

use super::{BETWEEN_CHECKPOINTS, Bench, insert, kind};
use crate::fault::{Damage, Fault};

#[tokio::test]
async fn a_commit_that_fails_is_unavailable_to_the_whole_group_and_leaves_nothing() {
    let bench = Bench::new().await;
    bench.faults.commits.lock().unwrap().push_back(ffi::SQLITE_FULL);
    let gate = bench.hold_writer().await;
    let answers = [1, 2].map(|id| bench.queue(move |tx| insert(tx, id, 1)));
    let said_no = bench.queue(|_| Err::<(), _>(Error::conflict("no")));
    drop(gate);
    for answer in answers.into_iter().chain([said_no]) {
        assert_eq!(kind(&answer.await.unwrap()), Some(Kind::Unavailable));
    }
    assert_eq!(bench.ids().await, [0; 0]);
}

#[tokio::test]
async fn the_writer_goes_on_after_a_commit_that_failed() {
    let bench = Bench::new().await;
    bench.faults.commits.lock().unwrap().push_back(ffi::SQLITE_FULL);
    bench.write(|tx| insert(tx, 1, 1)).await.unwrap_err();
    bench.write(|tx| insert(tx, 2, 1)).await.unwrap();
    assert_eq!((bench.ids().await, bench.gave_up()), (vec![2], false));
}

#[tokio::test]
async fn a_disk_that_fills_in_one_job_keeps_the_others_of_its_group_whole() {
    let bench = Bench::new().await;
    bench.leave_room(4).await;
    let gate = bench.hold_writer().await;
    let before = bench.queue(|tx| insert(tx, 1, 100));
    let full = bench.queue(|tx| {
        insert(tx, 2, 100)?;
        insert(tx, 3, 1_000_000)
    });
    let after = bench.queue(|tx| insert(tx, 4, 100));
    drop(gate);
    before.await.unwrap().unwrap();
    after.await.unwrap().unwrap();
    assert_eq!((kind(&full.await.unwrap()), bench.ids().await), (Some(Kind::Unavailable), vec![1, 4]));
}

#[tokio::test]
async fn work_that_overlooks_the_full_disk_keeps_nothing_either() {
    let bench = Bench::new().await;
    bench.leave_room(4).await;
    let answer = bench.write(|tx| {
        let _ = insert(tx, 1, 1_000_000);
        let _ = insert(tx, 2, 1);
        Ok(())
    });
    assert_eq!((kind(&answer.await), bench.ids().await), (Some(Kind::Unavailable), vec![]));
}

#[tokio::test]
async fn a_statement_that_rolls_back_by_itself_keeps_the_others_of_its_group_whole() {
    let bench = Bench::new().await;
    let gate = bench.hold_writer().await;
    let before = bench.queue(|tx| insert(tx, 1, 1));
    let rolls_back =
        bench.queue(|tx| tx.execute("INSERT OR ROLLBACK INTO rows (id, data) VALUES (1, x'00')", &[]));
    let after = bench.queue(|tx| insert(tx, 2, 1));
    drop(gate);
    before.await.unwrap().unwrap();
    after.await.unwrap().unwrap();
    assert_eq!((kind(&rolls_back.await.unwrap()), bench.ids().await), (Some(Kind::Exists), vec![1, 2]));
}

#[tokio::test]
async fn the_effects_of_a_job_that_ran_twice_run_once() {
    let bench = Bench::new().await;
    let (runs, effects) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let gate = bench.hold_writer().await;
    let (counted_runs, counted_effects) = (Arc::clone(&runs), Arc::clone(&effects));
    let before = bench.queue(move |tx| {
        counted_runs.fetch_add(1, Ordering::SeqCst);
        let counted = Arc::clone(&counted_effects);
        tx.on_commit(move || {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        insert(tx, 1, 1)
    });
    bench.queue(|tx| tx.execute("INSERT OR ROLLBACK INTO rows (id, data) VALUES (1, x'00')", &[]));
    drop(gate);
    before.await.unwrap().unwrap();
    assert_eq!((runs.load(Ordering::SeqCst), effects.load(Ordering::SeqCst)), (2, 1));
}

#[tokio::test]
async fn on_a_disk_that_fills_up_every_acknowledged_job_is_whole_and_no_other_is_there() {
    let bench = Bench::new().await;
    bench.leave_room(100).await;
    let gate = bench.hold_writer().await;
    // Each job writes two rows, of sizes that go up and down.
    let size = |job: i64| usize::try_from((job * 7_919) % 30_000).unwrap();
    let jobs = (0..200).map(|job| {
        let answer = bench.queue(move |tx| {
            insert(tx, 2 * job, size(job))?;
            insert(tx, 2 * job + 1, size(job))
        });
        (job, answer)
    });
    let jobs: Vec<_> = jobs.collect();
    drop(gate);
    let mut acknowledged = Vec::new();
    for (job, answer) in jobs {
        if answer.await.unwrap().is_ok() {
            acknowledged.extend([2 * job, 2 * job + 1]);
        }
    }
    assert!(!acknowledged.is_empty() && acknowledged.len() < 400, "the disk has to fill up on the way");
    assert_eq!(bench.ids().await, acknowledged);
    assert_eq!(bench.sqlite.integrity_check().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_commit_that_cannot_reach_the_disk_ends_the_process_unanswered() {
    let bench = Bench::new().await;
    bench.faults.commits.lock().unwrap().push_back(ffi::SQLITE_IOERR_FSYNC);
    let answer = bench.queue(|tx| insert(tx, 1, 1)).await;
    assert!(answer.is_err() && bench.gave_up());
}

#[tokio::test]
async fn a_checkpoint_that_cannot_reach_the_disk_ends_the_process() {
    let bench = Bench::new().await;
    bench.faults.checkpoints.lock().unwrap().push_back(ffi::SQLITE_IOERR_FSYNC);
    bench.write(|tx| insert(tx, 1, BETWEEN_CHECKPOINTS)).await.unwrap();
    let next = bench.write(|tx| insert(tx, 2, 1)).await;
    assert_eq!((kind(&next), bench.gave_up()), (Some(Kind::Unavailable), true));
}

#[tokio::test]
async fn a_checkpoint_on_a_full_disk_leaves_everything_in_the_log() {
    let mut bench = Bench::new().await;
    bench.faults.checkpoints.lock().unwrap().push_back(ffi::SQLITE_FULL);
    bench.write(|tx| insert(tx, 1, BETWEEN_CHECKPOINTS)).await.unwrap();
    bench.write(|tx| insert(tx, 2, BETWEEN_CHECKPOINTS)).await.unwrap();
    assert!(bench.checkpoints.recv().await.is_some());
    assert_eq!((bench.ids().await, bench.gave_up()), (vec![1, 2], false));
}

#[test]
fn a_sync_that_fails_inside_a_job_puts_everything_in_doubt() {
    let fault = Fault::from(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR_FSYNC), None));
    assert_eq!(fault.damage, Some(Damage::Disk));
}

#[tokio::test]
async fn a_statement_that_puts_the_disk_in_doubt_ends_the_process_unanswered() {
    let bench = Bench::new().await;
    let answer = bench.queue(|tx| {
        tx.break_disk();
        Ok(())
    });
    assert!(answer.await.is_err() && bench.gave_up());
}
