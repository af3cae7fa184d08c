//! What searches found out about experiments, and later ones rely on.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use modelry_core::ids::{ExperimentId, ProjectId};
use modelry_db::Connections;

use super::Query;
use super::key::LoggedKey;

/// So many lists are kept of those that lack something; one more takes the place of any of them.
const MOST_LISTS: usize = 64;

/// As [`MOST_LISTS`], of experiments that are known to be large.
const MOST_LARGE: usize = 100_000;

/// What searches found out about experiments. It is shared by all searches of a process, and lost with it: each of them
/// is as right without it, and slower.
#[derive(Clone, Default)]
pub struct Findings(Arc<Found>);

/// What was found out by some time. A transaction that begins afterwards can rely on it: it sees all that those saw which
/// found it out.
#[derive(Clone, Default)]
pub struct Known {
    pub(super) findings: Findings,
    pub(super) lists: Lists,
}

impl Known {
    /// What a search may keep busy: where there are large experiments, a condition may have thousands of candidates looked
    /// up that are far apart.
    pub fn connections(&self, query: &Query) -> Connections {
        if query.filter.is_some() && self.findings.has_large() { Connections::Two } else { Connections::One }
    }
}

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
/// stamp. So of those with a lesser stamp than the horizon nobody up to the frontier lacks it who is not in the list.
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
    /// What is known now, to be asked for before the transaction begins.
    pub fn known(&self) -> Known {
        let lists = self.0.lacking.read().unwrap_or_else(PoisonError::into_inner).clone();
        Known { findings: self.clone(), lists }
    }

    /// Keeps a list for later searches.
    pub(super) fn keep(&self, about: About, lacking: Arc<Lacking>) {
        let mut lists = self.0.lacking.write().unwrap_or_else(PoisonError::into_inner);
        let mut kept = HashMap::clone(&lists);
        if kept.len() >= MOST_LISTS && !kept.contains_key(&about) {
            let any = kept.keys().next().copied();
            any.and_then(|any| kept.remove(&any));
        }
        kept.insert(about, lacking);
        *lists = Arc::new(kept);
    }

    /// Whether any experiment was found to have many candidates.
    fn has_large(&self) -> bool {
        !self.0.large.read().unwrap_or_else(PoisonError::into_inner).is_empty()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_list_more_takes_the_place_of_one_other() {
        let findings = Findings::default();
        let about = |experiment| About {
            project: ProjectId(1),
            experiment: ExperimentId(experiment),
            key: None,
            newest_first: true,
        };
        let list = |horizon| Arc::new(Lacking { horizon, candidates: Vec::new(), frontier: None, added: 0 });
        for experiment in 0..64 {
            findings.keep(about(experiment), list(1));
        }
        findings.keep(about(7), list(2));
        let lists = findings.known().lists;
        assert_eq!((lists.len(), lists[&about(7)].horizon), (64, 2));
        findings.keep(about(64), list(3));
        let lists = findings.known().lists;
        assert_eq!((lists.len(), lists[&about(64)].horizon), (64, 3));
    }
}
