//! Which index a statement walks.

use modelry_core::Result;
use modelry_core::search::entity::CandidateAttribute;
use modelry_core::search::expr::{Condition, NumberOp, TextOp};
use modelry_db::{Engine, Tx};

use super::Search;
use super::filter::{Logged, Node, attribute_condition, row_condition};
use super::trial::{self, Legs};
use crate::experiments::Experiment;
use crate::search::binds::Binds;

/// A condition that at most this many candidates satisfy may drive: they are found and sorted. With more, walking the
/// order and probing is faster (figures in docs/ARCHITECTURE.md).
pub(super) const FEW: i64 = 20_000;

/// What a statement walks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Driver<'q> {
    /// The index of the order's first key, or of the start where there is none.
    Order,
    /// All candidates of the experiment, which are then sorted.
    Experiment,
    /// The index of a condition on an attribute.
    Attribute(CandidateAttribute, &'q Condition),
    /// The index of a condition on a logged key.
    Logged(&'q Logged),
}

/// How the candidates of an experiment are gone about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice<'q> {
    /// What is walked.
    pub(super) driver: Driver<'q>,
    /// How far the order's index is tried before that.
    pub(super) trial: Option<Legs>,
}

impl<'q> From<Driver<'q>> for Choice<'q> {
    fn from(driver: Driver<'q>) -> Self {
        Self { driver, trial: None }
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
    if search.sorting.has_no_ties() && count_all(tx, search, experiment, FEW + 1)? <= FEW {
        // The public ids of all experiments are in one index, in which those of a small one may be far apart.
        return Ok(Driver::Experiment.into());
    }
    let mut counts = Vec::new();
    for node in &search.plan.conditions {
        if let Some(driver) = driver_by(search, node) {
            counts.push((count(tx, search, experiment, driver)?, driver));
        }
    }
    let Some((least, driver)) = counts.iter().min_by_key(|(count, _)| *count).copied() else {
        return Ok(Driver::Order.into());
    };
    if least > FEW {
        return Ok(Driver::Order.into());
    }
    let all = count_all(tx, search, experiment, FEW + 1)?;
    if all > FEW {
        return Ok(Choice { driver, trial: trial::legs(least) });
    }
    let wanted = i64::try_from(wanted).unwrap_or(all).min(all);
    let passed = counts.iter().fold(wanted, |passed, (count, _)| (passed * all / (*count).max(1)).min(all));
    Ok(if least <= passed { driver } else { Driver::Order }.into())
}

/// What walks a condition of the filter, if it is a range of an index. One on what the order walks is not asked for: it
/// bounds that walk already.
fn driver_by<'q>(search: &Search<'q>, node: &'q Node) -> Option<Driver<'q>> {
    match node {
        Node::Logged(logged) if search.sorting.first_logged() != Some(logged.key) => {
            is_range(&logged.condition).then_some(Driver::Logged(logged))
        }
        Node::Attribute(attribute, condition)
            if search.sorting.first_attribute() != Some(*attribute)
                && *attribute != CandidateAttribute::ArtifactUri =>
        {
            is_range(condition).then_some(Driver::Attribute(*attribute, condition))
        }
        _ => None,
    }
}

/// Whether what satisfies a condition is one piece, or few pieces, of an index.
fn is_range(condition: &Condition) -> bool {
    match condition {
        Condition::Number { op, .. } | Condition::Integer { op, .. } => *op != NumberOp::Ne,
        Condition::Text { op, .. } => *op == TextOp::Eq,
        Condition::TextIn { negated, .. } | Condition::IntegerIn { negated, .. } => !negated,
        Condition::Null { .. } => false,
    }
}

/// How many candidates of the experiment a driver finds, counted up to one more than [`FEW`].
fn count(tx: &mut Tx<'_>, search: &Search<'_>, experiment: &Experiment, driver: Driver<'_>) -> Result<i64> {
    let mut binds = Binds::default();
    let (project, number) = (binds.add(search.project.0), binds.add(experiment.id.0));
    let rows = match driver {
        Driver::Order | Driver::Experiment => return count_all(tx, search, experiment, FEW + 1),
        Driver::Logged(logged) => {
            let walk = logged.key.walk(&mut binds, &project, &number, "f");
            let holds = row_condition(&mut binds, "f", logged);
            format!("{} f WHERE {walk} AND {holds}", logged.key.table.name())
        }
        // As many as there are values: an id is there once.
        Driver::Attribute(CandidateAttribute::Eid, Condition::TextIn { values, .. }) => {
            return Ok(i64::try_from(values.len()).unwrap_or(i64::MAX));
        }
        Driver::Attribute(CandidateAttribute::Eid, _) => return Ok(1),
        Driver::Attribute(attribute, condition) => {
            let holds = attribute_condition(&mut binds, attribute, condition, &experiment.artifact_root());
            let candidates = candidates_by(search.engine, attribute);
            format!("{candidates} WHERE c.project_id = {project} AND c.experiment_id = {number} AND {holds}")
        }
    };
    capped_count(tx, binds, &rows, FEW + 1)
}

/// How many candidates have what the order is by first.
pub(super) fn count_first(tx: &mut Tx<'_>, search: &Search<'_>, experiment: &Experiment) -> Result<i64> {
    let mut binds = Binds::default();
    let (project, number) = (binds.add(search.project.0), binds.add(experiment.id.0));
    let rows = match (search.sorting.first_logged(), search.sorting.first_attribute()) {
        (Some(key), _) => {
            format!("{} o WHERE {}", key.table.name(), key.walk(&mut binds, &project, &number, "o"))
        }
        (None, Some(CandidateAttribute::EndTime)) => {
            let candidates = candidates_by(search.engine, CandidateAttribute::EndTime);
            let ended = "c.end_time IS NOT NULL";
            format!("{candidates} WHERE c.project_id = {project} AND c.experiment_id = {number} AND {ended}")
        }
        (None, _) => return count_all(tx, search, experiment, i64::MAX),
    };
    capped_count(tx, binds, &rows, i64::MAX)
}

/// How many candidates the experiment has, those in the bin with them, counted up to `most`.
pub(super) fn count_all(
    tx: &mut Tx<'_>,
    search: &Search<'_>,
    experiment: &Experiment,
    most: i64,
) -> Result<i64> {
    let mut binds = Binds::default();
    let (project, number) = (binds.add(search.project.0), binds.add(experiment.id.0));
    let candidates = candidates_by(search.engine, CandidateAttribute::StartTime);
    let rows = format!("{candidates} WHERE c.project_id = {project} AND c.experiment_id = {number}");
    capped_count(tx, binds, &rows, most)
}

fn capped_count(tx: &mut Tx<'_>, mut binds: Binds, rows: &str, most: i64) -> Result<i64> {
    let most = binds.add(most);
    let text = format!("SELECT count(*) FROM (SELECT 1 FROM {rows} LIMIT {most}) AS few");
    tx.query_one(&text, &binds.as_params(), |row| row.get(0))
}

/// `candidates c`, by the index of an attribute. SQLite, which does not count what is in an index, is told which one.
pub(super) fn candidates_by(engine: Engine, attribute: CandidateAttribute) -> String {
    let index = match attribute {
        CandidateAttribute::Eid | CandidateAttribute::ArtifactUri => "eid",
        CandidateAttribute::Name => "name",
        CandidateAttribute::UserId => "user",
        CandidateAttribute::Status => "status",
        CandidateAttribute::StartTime => "start",
        CandidateAttribute::EndTime => "end",
    };
    match engine {
        Engine::Sqlite => format!("candidates c INDEXED BY candidates_by_{index}"),
        Engine::Postgres => "candidates c".to_owned(),
    }
}
