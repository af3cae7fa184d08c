//! Who is sending to an upload: one request at a time, the newest.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use modelry_blob::Summed;
use tokio::sync::{OwnedMutexGuard, watch};

/// How many uploads are remembered at most; the digests of others are taken anew when they are whole.
const CAPACITY: usize = 10_000;

/// The uploads that are under way in this process.
#[derive(Default)]
pub struct Turns(Mutex<HashMap<String, Turn>>);

#[derive(Clone)]
struct Turn {
    /// Counts requests: whoever sees it change is not the newest any more.
    newest: Arc<watch::Sender<u64>>,
    /// What the bytes that have arrived come to, if it is at hand. Held by who is sending.
    summed: Arc<tokio::sync::Mutex<Option<Summed>>>,
}

/// The right to send to an upload.
pub(super) struct Held {
    /// What the bytes that have arrived come to, if it is at hand.
    pub(super) summed: OwnedMutexGuard<Option<Summed>>,
    overtaken: watch::Receiver<u64>,
}

impl Turns {
    /// Takes the turn at an upload. Who has it is told, and ends: a client that lost its connection may come back before the
    /// server has noticed.
    pub(super) async fn take(&self, id: &str) -> Held {
        let turn = self.turn(id);
        turn.newest.send_modify(|count| *count += 1);
        let overtaken = turn.newest.subscribe();
        Held { summed: turn.summed.lock_owned().await, overtaken }
    }

    fn turn(&self, id: &str) -> Turn {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.len() >= CAPACITY && !turns.contains_key(id) {
            turns.retain(|_, turn| Arc::strong_count(&turn.summed) > 1);
        }
        let new = || Turn { newest: Arc::new(watch::Sender::new(0)), summed: Arc::default() };
        turns.entry(id.to_owned()).or_insert_with(new).clone()
    }

    /// Forgets an upload that is finished or given up.
    pub fn forget(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

impl Held {
    /// Ends when somebody else wants the turn.
    pub(super) async fn overtaken(&mut self) {
        // The sender lives as long as anybody has the upload; without it nobody can come.
        if self.overtaken.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
