//! How much of each candidate's points waits in the tail.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use modelry_core::Result;
use modelry_core::ids::{CandidateId, ProjectId};
use modelry_db::Tx;

use crate::candidates::Place;

/// A tail of this many rows is sealed, give or take [`STAGGER`].
const SEAL_ROWS: i64 = 64;

/// Candidates seal at different lengths, so that many that log in step do not seal in one commit.
const STAGGER: i64 = 32;

/// A tail of this many bytes is sealed, however few its rows: about 16,000 points, which take the writer 5 ms.
const SEAL_BYTES: i64 = 160 << 10;

/// Counts of more candidates than this are not kept: they are counted again when they are needed.
const MOST_COUNTED: usize = 100_000;

/// The length of a tail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Length {
    /// Its rows.
    rows: i64,
    /// Their bytes.
    bytes: i64,
}

impl Length {
    /// The length that the tail of a candidate has in its table.
    pub(super) fn count(tx: &mut Tx<'_>, place: Place) -> Result<Self> {
        tx.query_one(
            "SELECT count(*), coalesce(CAST(sum(length(data)) AS BIGINT), 0) FROM metric_tail
             WHERE project_id = $1 AND candidate_id = $2",
            &[&place.project.0, &place.candidate.0],
            |row| Ok(Self { rows: row.get(0)?, bytes: row.get(1)? }),
        )
    }

    fn with_row(self, bytes: i64) -> Self {
        Self { rows: self.rows + 1, bytes: self.bytes + bytes }
    }

    /// Whether the tail of this candidate is long enough to be sealed.
    pub(super) fn is_full(self, candidate: CandidateId) -> bool {
        self.rows >= SEAL_ROWS - STAGGER / 2 + candidate.0.rem_euclid(STAGGER) || self.bytes >= SEAL_BYTES
    }
}

/// The lengths of tails, as far as this process knows them.
///
/// What the jobs of one commit and other processes add is not in there at once, so a tail that is full in here is counted
/// in its table before it is sealed.
#[derive(Clone, Debug, Default)]
pub struct Tails(Arc<Mutex<HashMap<(ProjectId, CandidateId), Length>>>);

impl Tails {
    /// Whether one more row, of so many bytes, leaves the tail of a candidate short, as far as is known.
    pub(super) fn stays_short(&self, place: Place, bytes: usize) -> bool {
        let known = self.lock().get(&(place.project, place.candidate)).copied();
        known.is_some_and(|length| !length.with_row(count_of(bytes)).is_full(place.candidate))
    }

    /// Notes, once the transaction is committed, that the tail has one more row.
    pub(super) fn add_on_commit(&self, tx: &mut Tx<'_>, place: Place, bytes: usize) {
        let tails = self.clone();
        tx.on_commit(move || {
            if let Some(length) = tails.lock().get_mut(&(place.project, place.candidate)) {
                *length = length.with_row(count_of(bytes));
            }
        });
    }

    /// Notes, once the transaction is committed, that the tail has this length.
    pub(super) fn set_on_commit(&self, tx: &mut Tx<'_>, place: Place, length: Length) {
        let tails = self.clone();
        tx.on_commit(move || {
            let mut lengths = tails.lock();
            if lengths.len() >= MOST_COUNTED {
                lengths.clear();
            }
            lengths.insert((place.project, place.candidate), length);
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(ProjectId, CandidateId), Length>> {
        self.0.lock().expect("no holder of this lock panics")
    }
}

fn count_of(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
