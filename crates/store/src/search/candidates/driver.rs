//! Which index a statement walks.

use modelry_core::Result;
use modelry_core::search::entity::CandidateAttribute;
use modelry_core::search::expr::{Condition, NumberOp, TextOp};
use modelry_db::Tx;

use super::filter::{Logged, Node, row_condition};
use super::{Search, trial};
use crate::experiments::Experiment;
use crate::search::binds::Binds;
use crate::search::condition;

/// A condition that at most this many candidates satisfy may drive: they are found and sorted. With more, walking the
/// order and probing is faster (figures in docs/ARCHITECTURE.md).
const FEW: i64 = 20_000;

/// What a statement walks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Driver<'q> {
    /// The index of the order's first key, or of the start where there is none.
    Order,
    /// An index of `candidates`, by a condition on an attribute.
    Candidates,
    /// The index of a condition on a logged key.
    Logged(&'q Logged),
}

/// How the candidates of an experiment are gone about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice<'q> {
    /// What is walked.
    pub(super) driver: Driver<'q>,
    /// How many rows of the order's index are tried before that; none where it is 0.
    pub(super) trial: i64,
}

impl<'q> From<Driver<'q>> for Choice<'q> {
    fn from(driver: Driver<'q>) -> Self {
        Self { driver, trial: 0 }
    }
}

/// What is fastest for a page of `wanted` candidates of the experiment.
///
/// Walking the condition that the fewest satisfy costs their number. Walking the order ends when the page is full, so
/// it costs what has to be passed over until then; how much that is can only be guessed, from how many satisfy each
/// condition and as if they had nothing to do with each other. Where a wrong guess would be dear, in an experiment with
/// more than [`FEW`] candidates, few matches drive, after a [`trial`] where they are not that few.
pub(super) fn choose<'q>(
    tx: &mut Tx<'_>,
    search: &Search<'q>,
    experiment: &Experiment,
    wanted: usize,
) -> Result<Choice<'q>> {
    let mut counts = Vec::new();
    for node in &search.plan.conditions {
        if let Some(driver) = driver_by(search, node) {
            counts.push((count(tx, search, experiment, node)?, driver));
        }
    }
    let Some((least, driver)) = counts.iter().min_by_key(|(count, _)| *count).copied() else {
        return Ok(Driver::Order.into());
    };
    if least > FEW {
        return Ok(Driver::Order.into());
    }
    let all = count_all(tx, search, experiment)?;
    if all > FEW {
        return Ok(Choice { driver, trial: trial::length(least) });
    }
    if !search.sorting.has_index() {
        return Ok(driver.into());
    }
    let wanted = i64::try_from(wanted).unwrap_or(all).min(all);
    let passed = counts.iter().fold(wanted, |passed, (count, _)| (passed * all / (*count).max(1)).min(all));
    Ok(if least <= passed { driver } else { Driver::Order }.into())
}

/// What walks a condition of the filter, if it is a range of an index. One on the order's first key is not asked for:
/// it bounds the walk along the order already.
fn driver_by<'q>(search: &Search<'q>, node: &'q Node) -> Option<Driver<'q>> {
    match node {
        Node::Logged(logged) if search.sorting.first_logged() != Some(logged.key) => {
            let is_range = match &logged.condition {
                Condition::Number { op, .. } => *op != NumberOp::Ne,
                Condition::Text { op, .. } => *op == TextOp::Eq,
                _ => false,
            };
            is_range.then_some(Driver::Logged(logged))
        }
        Node::Attribute(
            CandidateAttribute::Eid,
            Condition::Text { op: TextOp::Eq, .. } | Condition::TextIn { negated: false, .. },
        ) => Some(Driver::Candidates),
        Node::Attribute(CandidateAttribute::StartTime, Condition::Integer { op, .. })
            if *op != NumberOp::Ne =>
        {
            Some(Driver::Candidates)
        }
        _ => None,
    }
}

/// How many candidates of the experiment satisfy a condition, counted up to one more than [`FEW`].
fn count(tx: &mut Tx<'_>, search: &Search<'_>, experiment: &Experiment, node: &Node) -> Result<i64> {
    let mut binds = Binds::default();
    let (project, number) = (binds.add(search.project.0), binds.add(experiment.id.0));
    let rows = match node {
        Node::Logged(logged) => {
            let walk = logged.key.walk(&mut binds, &project, &number, "f");
            let holds = row_condition(&mut binds, "f", logged);
            format!("{} f WHERE {walk} AND {holds}", logged.key.table.name())
        }
        Node::Attribute(CandidateAttribute::StartTime, condition) => {
            let holds = condition::compile(&mut binds, "c.start_time", condition);
            format!("candidates c WHERE c.project_id = {project} AND c.experiment_id = {number} AND {holds}")
        }
        // As many as there are values: an id is there once.
        Node::Attribute(_, Condition::TextIn { values, .. }) => {
            return Ok(i64::try_from(values.len()).unwrap_or(i64::MAX));
        }
        _ => return Ok(1),
    };
    capped_count(tx, binds, &rows)
}

fn count_all(tx: &mut Tx<'_>, search: &Search<'_>, experiment: &Experiment) -> Result<i64> {
    let mut binds = Binds::default();
    let (project, number) = (binds.add(search.project.0), binds.add(experiment.id.0));
    let rows = format!("candidates c WHERE c.project_id = {project} AND c.experiment_id = {number}");
    capped_count(tx, binds, &rows)
}

fn capped_count(tx: &mut Tx<'_>, mut binds: Binds, rows: &str) -> Result<i64> {
    let most = binds.add(FEW + 1);
    let text = format!("SELECT count(*) FROM (SELECT 1 FROM {rows} LIMIT {most}) AS few");
    tx.query_one(&text, &binds.as_params(), |row| row.get(0))
}
