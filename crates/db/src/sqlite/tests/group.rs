//! Many jobs, one commit: answers, effects, the queue, what a job may not do.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use modelry_core::{Error, Kind};

use super::{Bench, insert, kind};

#[tokio::test]
async fn jobs_that_wait_share_one_commit() {
    let bench = Bench::new().await;
    let commits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&commits);
    *bench.faults.before_commit.lock().unwrap() = Some(Box::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
    }));
    let gate = bench.hold_writer().await;
    let answers: Vec<_> = (1..=100).map(|id| bench.queue(move |tx| insert(tx, id, 1))).collect();
    drop(gate);
    for answer in answers {
        answer.await.unwrap().unwrap();
    }
    assert_eq!(commits.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_job_is_answered_after_its_commit_and_not_before() {
    let bench = Bench::new().await;
    let (entered, at_commit) = mpsc::channel();
    let (go_on, gate) = mpsc::channel::<()>();
    *bench.faults.before_commit.lock().unwrap() = Some(Box::new(move || {
        let _ = entered.send(());
        let _ = gate.recv();
    }));
    let mut answer = bench.queue(|tx| insert(tx, 1, 1));
    at_commit.recv().unwrap();
    assert!(answer.try_recv().is_err(), "answered before the commit");
    drop(go_on);
    answer.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_job_that_says_no_takes_back_only_its_own() {
    let bench = Bench::new().await;
    let gate = bench.hold_writer().await;
    let first = bench.queue(|tx| insert(tx, 1, 1));
    let refused = bench.queue(|tx| {
        insert(tx, 2, 1)?;
        Err::<(), _>(Error::conflict("no"))
    });
    let last = bench.queue(|tx| insert(tx, 3, 1));
    drop(gate);
    first.await.unwrap().unwrap();
    last.await.unwrap().unwrap();
    assert_eq!((kind(&refused.await.unwrap()), bench.ids().await), (Some(Kind::Conflict), vec![1, 3]));
}

#[tokio::test]
async fn a_job_that_panics_takes_back_only_its_own_and_the_writer_lives() {
    let bench = Bench::new().await;
    let gate = bench.hold_writer().await;
    let first = bench.queue(|tx| insert(tx, 1, 1));
    let panicked = bench.queue(|tx| {
        insert(tx, 2, 1)?;
        let rows = tx.query_one("SELECT count(*) FROM rows", &[], |row| row.get::<i64>(0))?;
        assert!(rows == 0, "on purpose");
        Ok(())
    });
    drop(gate);
    first.await.unwrap().unwrap();
    assert_eq!(kind(&panicked.await.unwrap()), Some(Kind::Internal));
    bench.write(|tx| insert(tx, 3, 1)).await.unwrap();
    assert_eq!(bench.ids().await, [1, 3]);
}

#[tokio::test]
async fn effects_run_once_the_job_is_durable_and_only_then() {
    let bench = Bench::new().await;
    let (ran, effects) = mpsc::channel();
    let gate = bench.hold_writer().await;
    let says = |name: &'static str, keep: bool| {
        let ran = ran.clone();
        bench.queue(move |tx| {
            let ran = ran.clone();
            tx.on_commit(move || ran.send(name).unwrap());
            if keep { Ok(()) } else { Err(Error::conflict("no")) }
        })
    };
    let (kept, undone) = (says("kept", true), says("undone", false));
    let committing = ran.clone();
    *bench.faults.before_commit.lock().unwrap() = Some(Box::new(move || committing.send("commit").unwrap()));
    drop(gate);
    kept.await.unwrap().unwrap();
    undone.await.unwrap().unwrap_err();
    assert_eq!(effects.try_iter().collect::<Vec<_>>(), ["commit", "kept"]);
}

#[tokio::test]
async fn an_effect_has_run_when_its_job_is_answered() {
    let bench = Bench::new().await;
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let write = bench.write(move |tx| {
        let counted = Arc::clone(&counted);
        tx.on_commit(move || {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        insert(tx, 1, 1)
    });
    write.await.unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let bench = Bench::with(super::LIMITS.wal_bytes, |options| options.queue = 2).await;
    let gate = bench.hold_writer().await;
    let waiting = [bench.queue(|tx| insert(tx, 1, 1)), bench.queue(|tx| insert(tx, 2, 1))];
    let refused = bench.write(|tx| insert(tx, 3, 1)).await;
    drop(gate);
    for answer in waiting {
        answer.await.unwrap().unwrap();
    }
    assert_eq!(kind(&refused), Some(Kind::Unavailable));
}

#[tokio::test]
async fn a_job_cannot_end_or_bend_the_transaction_of_its_group() {
    let bench = Bench::new().await;
    let mut accepted = Vec::new();
    for sql in
        ["COMMIT", " rollback", "-- x\nPRAGMA defer_foreign_keys = ON", "/**/SAVEPOINT a", "ATTACH 'x' AS y"]
    {
        if bench.write(move |tx| tx.execute(sql, &[])).await.is_ok() {
            accepted.push(sql);
        }
    }
    assert_eq!(accepted, [""; 0]);
}

#[tokio::test]
async fn closing_finishes_what_waits_and_refuses_what_comes_after() {
    let bench = Bench::new().await;
    let gate = bench.hold_writer().await;
    let waiting = bench.queue(|tx| insert(tx, 1, 1));
    drop(gate);
    bench.sqlite.close().await;
    waiting.await.unwrap().unwrap();
    let late = bench.write(|tx| insert(tx, 2, 1)).await;
    let late_read = bench.read(|tx| tx.execute("SELECT 1", &[])).await;
    assert_eq!((kind(&late), kind(&late_read)), (Some(Kind::Unavailable), Some(Kind::Unavailable)));
}
