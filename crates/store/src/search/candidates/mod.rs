//! Searching for candidates.
//!
//! A statement has one *driver*, an index that is walked, and *probes*, look-ups by primary key. The driver is the index
//! of the first key of the order; or, where few candidates satisfy one condition of the filter, that condition's index,
//! followed by a sort. Only the driver names the experiment, and a probe names exactly the primary key, so neither
//! engine's planner can do anything else (docs/ARCHITECTURE.md, with the figures).
//!
//! What is ordered by is there as a number or text, or NaN, or missing: three phases of one order, each a statement of
//! its own. Candidates of several experiments are searched one experiment after the other and merged.

mod driver;
mod filter;
mod order;
mod statement;

use modelry_core::Result;
use modelry_core::ids::{CandidateId, ExperimentId, ProjectId};
use modelry_core::search::entity::CandidateAttribute;
use modelry_core::search::expr::Expr;
use modelry_core::search::order::Order;
use modelry_db::Tx;

use self::filter::Plan;
use self::order::{Place, Sorting};
use super::{View, keyset};
use crate::experiments::{self, Experiment};

/// What is searched for.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Where; unknown ones are passed over.
    pub experiments: Vec<ExperimentId>,
    /// Which candidates.
    pub filter: Option<Expr<CandidateAttribute>>,
    /// In which order. What it leaves open is decided by the start, newest first, then by the number.
    pub order: Vec<Order<CandidateAttribute>>,
    /// In the bin or not; the candidates of a deleted experiment count as deleted.
    pub view: View,
    /// How many at most.
    pub limit: usize,
    /// Where the page starts: what the page before said of it.
    pub page_token: Option<String>,
}

/// A part of what was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The candidates, in order.
    pub candidates: Vec<CandidateId>,
    /// What the next page starts with, if there is one.
    pub next_page_token: Option<String>,
}

impl Query {
    /// All that tells this search from others.
    fn identity(&self) -> impl std::fmt::Debug {
        (&self.experiments, &self.filter, &self.order, self.view)
    }
}

/// The candidates that `query` finds.
///
/// Fails with `Invalid` when the page token does not belong to the same search.
pub fn page(tx: &mut Tx<'_>, project: ProjectId, query: &Query) -> Result<Page> {
    let sorting = Sorting::resolve(tx, project, &query.order)?;
    let start = match &query.page_token {
        None => None,
        Some(token) => Some(sorting.check(keyset::read_token(&query.identity(), token)?)?),
    };
    let Some(plan) = filter::plan(tx, project, query.filter.as_ref())? else {
        return Ok(Page::default());
    };
    let experiments = shown_experiments(tx, project, query)?;
    let search = Search { project, sorting: &sorting, plan: &plan, view: query.view, start: start.as_ref() };
    let mut found = Vec::new();
    for phase in sorting.phases(start.as_ref()) {
        let wanted = query.limit + 1 - found.len();
        found.append(&mut search.phase(tx, &experiments, phase, wanted)?);
        if found.len() > query.limit {
            break;
        }
    }
    let more = found.len() > query.limit;
    found.truncate(query.limit);
    let last = found.last().filter(|_| more);
    Ok(Page {
        next_page_token: last.map(|last| keyset::write_token(&query.identity(), last)),
        candidates: found.into_iter().map(|place| place.id).collect(),
    })
}

/// The experiments whose candidates the view can show, each once.
fn shown_experiments(tx: &mut Tx<'_>, project: ProjectId, query: &Query) -> Result<Vec<Experiment>> {
    let mut ids = query.experiments.clone();
    ids.sort_unstable();
    ids.dedup();
    let mut shown = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(experiment) = experiments::find(tx, project, id)? else { continue };
        if query.view != View::Active || experiment.deleted_at.is_none() {
            shown.push(experiment);
        }
    }
    Ok(shown)
}

/// A search whose keys are known.
struct Search<'q> {
    project: ProjectId,
    sorting: &'q Sorting,
    plan: &'q Plan,
    view: View,
    start: Option<&'q Place>,
}

impl Search<'_> {
    /// The first `wanted` candidates of one phase, in all experiments.
    fn phase(
        &self,
        tx: &mut Tx<'_>,
        experiments: &[Experiment],
        phase: order::Phase,
        wanted: usize,
    ) -> Result<Vec<Place>> {
        let mut best: Vec<Place> = Vec::new();
        for experiment in experiments {
            let driver = driver::choose(tx, self.project, experiment.id, self.plan)?;
            let mut found = statement::run(tx, self, experiment, phase, driver, wanted)?;
            if best.is_empty() {
                best = found;
                continue;
            }
            best.append(&mut found);
            best.sort_by(|left, right| self.sorting.compare(left, right));
            best.truncate(wanted);
        }
        Ok(best)
    }
}
