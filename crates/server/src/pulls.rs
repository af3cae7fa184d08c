//! Who fetches files of versions: counted in memory, so that no download waits for a write, and written down by the
//! background once a minute. A crash loses what was counted since.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use modelry_core::Result;
use modelry_core::lineage::Door;
use modelry_db::Db;
use modelry_store::files::{Owner, Tree};
use modelry_store::pulls::{self, Count, PullKey, Puller};

use crate::App;
use crate::access::{Caller, Granted, Key};

/// How many callers of versions are counted between two writes; what more there are is not counted.
const CAPACITY: usize = 20_000;

/// How many are written in one transaction.
const AT_ONCE: usize = 500;

/// What is counted and not written yet.
pub struct Pulls {
    db: Db,
    pending: Mutex<HashMap<PullKey, Count>>,
}

impl Pulls {
    /// Counts nothing yet, and writes to `db`.
    pub fn new(db: Db) -> Self {
        Self { db, pending: Mutex::default() }
    }

    /// Writes down what was counted. What cannot be written is kept for the next time.
    pub async fn write(&self) -> Result<()> {
        let mut rest = Rest { pulls: self, counts: self.lock().drain().collect() };
        // In the order of keys, as from every process, so that no two of them wait for each other in a circle.
        rest.counts.sort_unstable_by_key(|(key, _)| std::cmp::Reverse(*key));
        while !rest.counts.is_empty() {
            let start = rest.counts.len().saturating_sub(AT_ONCE);
            let mut some = rest.counts.split_off(start);
            some.reverse();
            let counts = some.clone();
            let write = self
                .db
                .write(move |tx| counts.iter().try_for_each(|(key, count)| pulls::record(tx, key, count)));
            if let Err(error) = write.await {
                rest.counts.extend(some);
                return Err(error);
            }
        }
        Ok(())
    }

    fn add(&self, counts: impl IntoIterator<Item = (PullKey, Count)>) {
        let mut pending = self.lock();
        for (key, count) in counts {
            let has_room = pending.len() < CAPACITY;
            match pending.entry(key) {
                Entry::Occupied(mut known) => {
                    let known = known.get_mut();
                    known.first_at = known.first_at.min(count.first_at);
                    known.last_at = known.last_at.max(count.last_at);
                    known.files += count.files;
                }
                Entry::Vacant(free) if has_room => drop(free.insert(count)),
                Entry::Vacant(_) => {
                    tracing::warn!(?key, "too many pulls in a minute: this one is not counted");
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PullKey, Count>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was taken to be written, and goes back unless it is: also where nobody waits for the write any more.
struct Rest<'p> {
    pulls: &'p Pulls,
    counts: Vec<(PullKey, Count)>,
}

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        self.pulls.add(self.counts.drain(..));
    }
}

/// Counts that the caller fetches this many files of a tree through a door. Only the files of published versions count:
/// those of a draft are its candidate's.
pub fn note(app: &App, granted: &Granted, (tree, door): (Tree, Door), files: u64) {
    let Owner::Version(version) = tree.owner else { return };
    let now = app.clock.now();
    let key = PullKey { project: tree.project, version, puller: puller(&granted.caller), door };
    let files = i64::try_from(files).unwrap_or(i64::MAX);
    app.pulls.add([(key, Count { first_at: now, last_at: now, files })]);
}

/// The door behind the artifact proxy: pages link to it as well.
pub fn proxy_door(caller: &Caller) -> Door {
    match caller.0.as_ref().map(|identity| identity.key) {
        Some(Key::Session(_)) => Door::Pages,
        Some(Key::Token(_)) | None => Door::Mlflow,
    }
}

fn puller(caller: &Caller) -> Puller {
    match caller.0.as_deref() {
        None => Puller::Anonymous,
        Some(identity) => match identity.token {
            Some(token) => Puller::Token(token, identity.user),
            None => Puller::User(identity.user),
        },
    }
}
