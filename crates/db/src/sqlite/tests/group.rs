//! Many jobs, one commit: answers, effects, the queue, what a job may not do.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use modelry_core::{Error, Kind, Result};

use super::{Bench, insert, kind};
use crate::Tx;

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

/// How often a job runs that shares its group with `other`.
async fn runs_beside(other: impl Fn(&mut Tx<'_>) -> Result<()> + Send + 'static) -> usize {
    let bench = Bench::new().await;
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let gate = bench.hold_writer().await;
    let kept = bench.queue(move |tx| {
        counted.fetch_add(1, Ordering::SeqCst);
        insert(tx, 1, 1)
    });
    let other = bench.queue(other);
    drop(gate);
    kept.await.unwrap().unwrap();
    other.await.unwrap().unwrap_err();
    runs.load(Ordering::SeqCst)
}

#[tokio::test]
async fn the_others_run_again_only_where_a_job_has_written_and_then_fails() {
    let refuses = |_: &mut Tx<'_>| Err(Error::conflict("no"));
    let has_written = |tx: &mut Tx<'_>| insert(tx, 2, 1).and(Err(Error::conflict("no")));
    // What a statement did before it failed is not known.
    let has_failed = |tx: &mut Tx<'_>| insert(tx, 1, 1);
    let runs = [runs_beside(refuses).await, runs_beside(has_written).await, runs_beside(has_failed).await];
    assert_eq!(runs, [1, 2, 2]);
}

#[tokio::test]
async fn whatever_a_job_has_changed_is_undone_when_it_fails() {
    let bench = Bench::new().await;
    bench
        .write(|tx| {
            tx.execute("CREATE TABLE pairs (id INTEGER PRIMARY KEY, data BLOB) WITHOUT ROWID", &[])?;
            tx.execute("INSERT INTO pairs (id, data) VALUES (1, x'07'), (2, x'07')", &[])?;
            insert(tx, 1, 1).and_then(|()| insert(tx, 2, 1))
        })
        .await
        .unwrap();
    for table in ["rows", "pairs"] {
        for (change, kept) in [
            "INSERT INTO {} (id, data) VALUES (3, x'00')",
            "INSERT INTO {} (id, data) VALUES (1, x'00') ON CONFLICT (id) DO UPDATE SET data = excluded.data",
            "INSERT INTO {} (id, data) VALUES (1, x'00') ON CONFLICT (id) DO UPDATE SET data = x'00' RETURNING id",
            "INSERT OR REPLACE INTO {} (id, data) VALUES (2, x'00')",
            "UPDATE {} SET data = x'00'",
            "UPDATE {} SET data = x'00' RETURNING id",
            "DELETE FROM {} WHERE id = 2",
            "DELETE FROM {} RETURNING id",
            "ALTER TABLE {} RENAME TO renamed",
            "CREATE INDEX renamed ON {} (data)",
            "DELETE FROM {}",
        ]
        .into_iter()
        .zip(10..)
        {
            let change = change.replace("{}", table);
            let gate = bench.hold_writer().await;
            let other = bench.queue(move |tx| insert(tx, kept, 1));
            let failing = change.clone();
            let failed = bench.queue(move |tx| {
                // Of the rows that it answers one is read.
                tx.query_opt(&failing, &[], |_| Ok(()))?;
                Err::<(), _>(Error::conflict("no"))
            });
            drop(gate);
            other.await.unwrap().unwrap();
            assert_eq!(kind(&failed.await.unwrap()), Some(Kind::Conflict), "{change}");
            let whole = format!("SELECT count(*) FROM {table} WHERE id < 10 AND data = x'07'");
            let read = move |tx: &mut Tx<'_>| tx.query_one(&whole, &[], |row| row.get::<i64>(0));
            assert_eq!(bench.read(read).await.unwrap(), 2, "{change}");
            let renamed = |tx: &mut Tx<'_>| {
                tx.query_opt("SELECT 1 FROM sqlite_schema WHERE name = 'renamed'", &[], |_| Ok(()))
            };
            assert_eq!(bench.read(renamed).await.unwrap(), None, "{change}");
            bench.write(move |tx| tx.execute("DELETE FROM rows WHERE id = $1", &[&kept])).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_job_that_undoes_all_when_it_runs_again_leaves_the_others_an_answer() {
    let bench = Bench::new().await;
    bench.write(|tx| insert(tx, 0, 1)).await.unwrap();
    let runs = AtomicUsize::new(0);
    let gate = bench.hold_writer().await;
    let undoes_all = bench.queue(move |tx| {
        let is_first = runs.fetch_add(1, Ordering::SeqCst) == 0;
        job(tx, if is_first { Does::Write } else { Does::UndoAll }, 1)
    });
    let kept = bench.queue(|tx| job(tx, Does::Write, 2));
    let refused = bench.queue(|tx| job(tx, Does::WriteAndRefuse, 3));
    drop(gate);
    let kinds = [undoes_all, kept, refused].map(|answer| async { kind(&answer.await.unwrap()) });
    assert_eq!(
        (futures_util::future::join_all(kinds).await, bench.ids().await),
        (vec![Some(Kind::Exists), None, Some(Kind::Conflict)], vec![0, 2])
    );
}

/// What a job of [`whatever_the_jobs_of_a_group_do_each_keeps_its_own`] does.
#[derive(Clone, Copy)]
enum Does {
    Write,
    Refuse,
    WriteAndRefuse,
    WriteAndPanic,
    UndoAll,
}

const ALL: [Does; 5] = [Does::Write, Does::Refuse, Does::WriteAndRefuse, Does::WriteAndPanic, Does::UndoAll];

fn job(tx: &mut Tx<'_>, does: Does, id: i64) -> Result<()> {
    if !matches!(does, Does::Refuse) {
        insert(tx, id, 1)?;
    }
    match does {
        Does::Write => Ok(()),
        Does::Refuse | Does::WriteAndRefuse => Err(Error::conflict("no")),
        Does::WriteAndPanic => panic!("on purpose"),
        Does::UndoAll => {
            tx.execute("INSERT OR ROLLBACK INTO rows (id, data) VALUES (0, x'00')", &[]).map(drop)
        }
    }
}

#[tokio::test]
async fn whatever_the_jobs_of_a_group_do_each_keeps_its_own() {
    let bench = Bench::new().await;
    bench.write(|tx| insert(tx, 0, 1)).await.unwrap();
    let groups = ALL.iter().flat_map(|a| ALL.iter().flat_map(move |b| ALL.map(|c| [*a, *b, c])));
    let (mut expected, mut effects) = (vec![0], vec![]);
    let (done, seen) = mpsc::channel();
    for (does, first) in groups.zip((1..).step_by(3)) {
        let jobs = || does.into_iter().zip(first..);
        let gate = bench.hold_writer().await;
        let answers: Vec<_> = jobs()
            .map(|(does, id)| {
                let done = done.clone();
                bench.queue(move |tx| {
                    let done = done.clone();
                    tx.on_commit(move || done.send(id).unwrap());
                    job(tx, does, id)
                })
            })
            .collect();
        drop(gate);
        for ((does, id), answer) in jobs().zip(answers) {
            let wanted = match does {
                Does::Write => None,
                Does::Refuse | Does::WriteAndRefuse => Some(Kind::Conflict),
                Does::WriteAndPanic => Some(Kind::Internal),
                Does::UndoAll => Some(Kind::Exists),
            };
            assert_eq!(kind(&answer.await.unwrap()), wanted);
            if wanted.is_none() {
                expected.push(id);
            }
        }
        effects.extend(seen.try_iter());
    }
    effects.sort_unstable();
    assert_eq!((bench.ids().await, effects), (expected.clone(), expected[1..].to_vec()));
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
