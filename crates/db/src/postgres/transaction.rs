//! One try of a transaction, and how it is cancelled.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use modelry_core::{Error, Result};
use tokio::runtime::Handle;
use tokio_postgres::{CancelToken, NoTls};

use super::pool::Pool;
use super::session::Session;
use crate::Tx;
use crate::fault::{Damage, Fault, LOST};
use crate::job::{Answer, Work, attempt, run_effects};
use crate::tx::Link;

/// What a transaction may see of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// One snapshot, and no writing.
    Snapshot,
    /// As if it ran alone.
    Serializable,
    /// What is committed when each statement begins.
    ReadCommitted,
}

/// How a try ended.
pub(crate) enum Ending {
    /// With an answer.
    Settled(Result<Answer>),
    /// It lost against another transaction: nothing is kept, and it may be tried again.
    Lost,
    /// The connection had been lost while nobody used it: nothing is done yet, and another one may do it.
    Gone,
}

impl Isolation {
    fn begin(self) -> &'static str {
        match self {
            Self::Snapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Self::Serializable => "BEGIN ISOLATION LEVEL SERIALIZABLE",
            Self::ReadCommitted => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }
}

/// Runs `work` in a transaction of its own, on a thread that may block.
pub(crate) fn run_once(session: &mut Session, pool: &Pool, isolation: Isolation, work: &Work) -> Ending {
    match isolation {
        // One statement that reads does no harm outside a transaction, so it need not wait for the beginning of one.
        Isolation::Snapshot => session.begin_with(isolation.begin()),
        Isolation::Serializable | Isolation::ReadCommitted => {
            if session.control(isolation.begin()).is_err() {
                return gone(session);
            }
        }
    }
    // Only what reads one snapshot can be helped by a connection that reads the same.
    let others = (isolation == Isolation::Snapshot).then_some(pool);
    let mut tx = Tx::new(Link::Postgres { session, others });
    let answer = attempt(&mut tx, work);
    let damage = tx.damage();
    let effects = tx.into_effects();
    let began = !session.never_began();
    let value = match answer {
        Ok(value) => value,
        Err(error) if began => return undo(session, damage, error),
        Err(_) if session.is_useless() => return gone(session),
        Err(error) => return Ending::Settled(Err(error)),
    };
    if isolation == Isolation::Snapshot {
        // What was read stands, whatever comes of the end.
        if began {
            session.end_read();
        }
        return Ending::Settled(run_effects(effects).map(|()| value));
    }
    match session.control("COMMIT") {
        Ok(()) => Ending::Settled(run_effects(effects).map(|()| value)),
        // The server says that nothing is kept.
        Err(fault) if fault.damage == Some(Damage::Conflict) => Ending::Lost,
        // Nobody knows whether it is kept, so trying again might keep it twice.
        Err(fault) => {
            session.spoil();
            Ending::Settled(Err(in_doubt(fault)))
        }
    }
}

fn gone(session: &mut Session) -> Ending {
    session.spoil();
    Ending::Gone
}

fn undo(session: &mut Session, damage: Option<Damage>, error: Error) -> Ending {
    if session.control("ROLLBACK").is_err() {
        // Without a connection the server undoes it by itself.
        session.spoil();
        return Ending::Settled(Err(error));
    }
    match damage {
        Some(Damage::Conflict) => Ending::Lost,
        Some(Damage::Unavailable | Damage::Disk | Damage::Defect) | None => Ending::Settled(Err(error)),
    }
}

fn in_doubt(fault: Fault) -> Error {
    match fault.damage {
        Some(Damage::Unavailable) => fault.error,
        _ => Error::unavailable(LOST).with_source(fault.error),
    }
}

const RUNNING: u8 = 0;
const FINISHED: u8 = 1;
const CANCELLED: u8 = 2;

/// Pause between two tries to cancel; a try that meets the connection between two statements does nothing.
const CANCEL_PAUSE: Duration = Duration::from_millis(20);

/// Cancels a read when it is dropped before the read has finished. Writes run to their end.
pub(crate) struct Watch {
    state: Arc<AtomicU8>,
    token: Option<CancelToken>,
}

/// The side of the thread that runs what is watched.
pub(crate) struct Watched(Arc<AtomicU8>);

impl Watch {
    /// Watches what is about to run on `session`.
    pub(crate) fn over(isolation: Isolation, session: &Session) -> (Self, Watched) {
        let state = Arc::new(AtomicU8::new(RUNNING));
        let token = (isolation == Isolation::Snapshot).then(|| session.cancel_token());
        (Self { state: Arc::clone(&state), token }, Watched(state))
    }
}

impl Watched {
    /// Says that the work is over. False when it is being cancelled: the cancelling may still arrive.
    pub(crate) fn finish(&self) -> bool {
        self.0.swap(FINISHED, Ordering::AcqRel) == RUNNING
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let Some(token) = self.token.take() else { return };
        let running =
            self.state.compare_exchange(RUNNING, CANCELLED, Ordering::AcqRel, Ordering::Acquire).is_ok();
        // Without a runtime the connection is about to end anyway.
        if running && let Ok(runtime) = Handle::try_current() {
            runtime.spawn(cancel(Arc::clone(&self.state), token));
        }
    }
}

/// Asks the server to stop what runs on the connection of `token`, until it has.
async fn cancel(state: Arc<AtomicU8>, token: CancelToken) {
    while state.load(Ordering::Acquire) == CANCELLED {
        if let Err(error) = token.cancel_query(NoTls).await {
            tracing::debug!(%error, "the server could not be asked to cancel");
        }
        tokio::time::sleep(CANCEL_PAUSE).await;
    }
}
