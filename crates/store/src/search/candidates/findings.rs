//! What searches found out about experiments, and later ones rely on.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use modelry_core::ids::{ExperimentId, ProjectId};

use super::key::LoggedKey;

/// So many lists are kept of those that lack something, and then none; they are found out again.
const MOST_LISTS: usize = 64;

/// As [`MOST_LISTS`], of experiments that are known to be large.
const MOST_LARGE: usize = 100_000;

/// What searches found out about experiments. It is shared by all searches of a process, and lost with it: each of them
/// is as right without it, and slower.
#[derive(Clone, Default)]
pub struct Findings(Arc<Found>);

#[derive(Default)]
struct Found {
    lacking: RwLock<Lists>,
    large: RwLock<HashSet<(ProjectId, ExperimentId)>>,
}

/// All lists at one time.
pub(super) type Lists = Arc<HashMap<About, Arc<Lacking>>>;

/// What a list is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct About {
    pub(super) project: ProjectId,
    pub(super) experiment: ExperimentId,
    /// What those in the list lack: what was logged under a key, or else their end.
    pub(super) key: Option<LoggedKey>,
    pub(super) newest_first: bool,
}

/// The candidates of an experiment that lack something, in the bin or not.
///
/// What is logged under a key stays, and so does an end; only metadata can be taken away, which gives the candidate a new
/// stamp. So of those with a lesser stamp than the horizon nobody lacks it who is not in the list.
#[derive(Debug)]
pub(super) struct Lacking {
    /// The stamp from which on candidates are not looked at yet.
    pub(super) horizon: i64,
    /// The start and the number of each, in order. Some may have it by now, or be gone.
    pub(super) candidates: Vec<(i64, i64)>,
    /// Behind this one there may be more, if they were too many to list.
    pub(super) frontier: Option<(i64, i64)>,
    /// How many were added since all in the list were looked at.
    pub(super) added: usize,
}

impl Findings {
    /// The lists as they are. A transaction that begins afterwards can rely on them.
    pub(super) fn lists(&self) -> Lists {
        self.0.lacking.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps a list for later searches.
    pub(super) fn keep(&self, about: About, lacking: Arc<Lacking>) {
        let mut lists = self.0.lacking.write().unwrap_or_else(PoisonError::into_inner);
        let mut kept = HashMap::clone(&lists);
        if kept.len() >= MOST_LISTS {
            kept.clear();
        }
        kept.insert(about, lacking);
        *lists = Arc::new(kept);
    }

    /// Whether an experiment was found to have many candidates.
    pub(super) fn is_large(&self, project: ProjectId, experiment: ExperimentId) -> bool {
        let large = self.0.large.read().unwrap_or_else(PoisonError::into_inner);
        large.contains(&(project, experiment))
    }

    /// Keeps in mind that an experiment has many candidates.
    pub(super) fn keep_large(&self, project: ProjectId, experiment: ExperimentId) {
        let mut large = self.0.large.write().unwrap_or_else(PoisonError::into_inner);
        if large.len() >= MOST_LARGE {
            large.clear();
        }
        large.insert((project, experiment));
    }
}
