//! Searching for candidates.
//!
//! A statement has one *driver*, an index that is walked, and *probes*, look-ups by primary key. The driver is the index
//! of the first key of the order; or, where few candidates satisfy one condition of the filter, that condition's index,
//! from which their numbers are gathered, looked up and sorted (and, where few are some thousands, only after a [`trial`]
//! of the order). Only the driver names the experiment, and a probe names exactly the primary key, so neither engine's
//! planner can do anything else (docs/ARCHITECTURE.md, with the figures).
//!
//! What is ordered by is there as a number or text, or NaN, or missing: three phases of one order, each a statement of
//! its own. Candidates of several experiments are searched one experiment after the other and merged.

mod along;
mod attribute;
mod column;
mod driver;
mod filter;
mod findings;
pub(crate) mod key;
mod lacking;
mod order;
#[cfg(test)]
mod plans;
mod range;
mod statement;
mod stretch;
mod trial;
mod walk;

use std::collections::BTreeSet;

use modelry_core::Result;
use modelry_core::ids::{CandidateId, ExperimentId, ProjectId};
use modelry_core::search::entity::CandidateAttribute;
use modelry_core::search::expr::Expr;
use modelry_core::search::order::Order;
use modelry_db::{Engine, Tx};

use self::driver::Choice;
use self::filter::Plan;
use self::order::{Phase, Place, Sorting};
use self::statement::Step;
use super::{View, keyset};
use crate::experiments::{self, Experiment};

pub use self::findings::{Findings, Known};

/// So many numbers of candidates that satisfy conditions are kept at most between the phases of an order. What
/// experiments beyond that come by is gathered for each phase anew, so that a search of thousands stays small.
const GATHERED: usize = 200_000;

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
        let experiments: BTreeSet<_> = self.experiments.iter().copied().collect();
        (experiments, &self.filter, &self.order, self.view)
    }
}

/// The candidates that `query` finds.
///
/// The transaction only reads, because what it finds out is kept at once, and begins after `known` was asked for.
/// Fails with `Invalid` when the page token does not belong to the same search.
pub fn page(tx: &mut Tx<'_>, known: &Known, project: ProjectId, query: &Query) -> Result<Page> {
    let in_one_experiment = query.experiments.len() == 1;
    let sorting = Sorting::resolve(tx, project, &query.order, in_one_experiment)?;
    let start = match &query.page_token {
        None => None,
        Some(token) => Some(sorting.check(keyset::read_token(&query.identity(), token)?)?),
    };
    let Some(plan) = filter::plan(tx, project, query.filter.as_ref())? else {
        return Ok(Page::default());
    };
    let (engine, view, start) = (tx.engine(), query.view, start.as_ref());
    let search = Search { engine, project, known, sorting: &sorting, plan: &plan, view, start };
    // One more than asked for tells whether there is a next page.
    let mut found = search.first(tx, query, query.limit + 1)?;
    let more = found.len() > query.limit;
    found.truncate(query.limit);
    let last = found.last().filter(|_| more);
    Ok(Page {
        next_page_token: last.map(|last| keyset::write_token(&query.identity(), last)),
        candidates: found.into_iter().map(|place| place.id).collect(),
    })
}

/// A search whose keys are known.
#[derive(Clone)]
struct Search<'q> {
    engine: Engine,
    project: ProjectId,
    known: &'q Known,
    sorting: &'q Sorting,
    plan: &'q Plan,
    view: View,
    start: Option<&'q Place>,
}

/// An experiment that is searched, and how.
struct Part<'q> {
    experiment: Experiment,
    choice: Choice<'q>,
}

impl<'q> Search<'q> {
    /// The first `wanted` candidates behind the start, phase by phase.
    fn first(&self, tx: &mut Tx<'_>, query: &Query, wanted: usize) -> Result<Vec<Place>> {
        let parts = self.parts(tx, query, wanted)?;
        let mut found = Vec::new();
        for phase in self.phases() {
            let mut places = self.phase(tx, &parts, phase, wanted - found.len())?;
            found.append(&mut places);
            if found.len() == wanted {
                break;
            }
        }
        Ok(found)
    }

    /// The experiments whose candidates the view can show, each once.
    fn parts(&self, tx: &mut Tx<'_>, query: &Query, wanted: usize) -> Result<Vec<Part<'q>>> {
        let mut parts = Vec::new();
        let mut room = GATHERED;
        for id in query.experiments.iter().copied().collect::<BTreeSet<_>>() {
            let Some(experiment) = experiments::find(tx, self.project, id)? else { continue };
            if self.view != View::Active || experiment.deleted_at.is_none() {
                let mut choice = driver::choose(tx, self, &experiment, wanted)?;
                let gathered = choice.gathered.as_ref().map_or(0, |numbers| numbers.0.len());
                if gathered > room {
                    choice.gathered = None;
                } else {
                    room -= gathered;
                }
                parts.push(Part { experiment, choice });
            }
        }
        Ok(parts)
    }

    /// The phases that can have something to find.
    fn phases(&self) -> Vec<Phase> {
        let mut phases = self.sorting.phases(self.start);
        if let Some(key) = self.sorting.first_logged() {
            phases.retain(|phase| self.plan.allows(key, *phase));
        }
        phases
    }

    /// The first `wanted` candidates of one phase. Each experiment is asked only for what comes before the last of the
    /// best so far, so that most of many experiments say after one look-up that they have nothing.
    fn phase(&self, tx: &mut Tx<'_>, parts: &[Part<'q>], phase: Phase, wanted: usize) -> Result<Vec<Place>> {
        let mut best: Vec<Place> = Vec::new();
        for Part { experiment, choice } in parts {
            let before = best.last().filter(|_| best.len() == wanted);
            let numbers = choice.gathered(tx, self, experiment)?;
            let driver = choice.way.driver(&numbers);
            let step = Step { search: self, experiment, driver, unseen: false, phase, before, wanted };
            let mut found = match choice.trial {
                Some(legs) => step.shortened(tx, legs)?,
                None => step.run(tx)?,
            };
            best.append(&mut found);
            // Two sorted runs: a merge.
            best.sort_by(|left, right| self.sorting.compare(left, right));
            best.truncate(wanted);
        }
        Ok(best)
    }
}
