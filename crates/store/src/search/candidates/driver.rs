//! Which index a statement walks.

use modelry_core::Result;
use modelry_core::search::entity::CandidateAttribute;
use modelry_core::search::expr::{Condition, NumberOp, TextOp};
use modelry_db::{Engine, Numbers, Tx};

use super::Search;
use super::filter::{Logged, Node, attribute_condition, row_condition};
use super::trial::{self, Legs};
use crate::experiments::Experiment;
use crate::search::binds::Binds;

/// A condition that at most this many candidates satisfy may drive: they are found and sorted. With more, walking the
/// order and probing is faster (figures in docs/ARCHITECTURE.md).
pub(super) const FEW: i64 = 20_000;

/// How the candidates of an experiment are gone about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice<'q> {
    /// What they are come by.
    pub(super) way: Way<'q>,
    /// How far the order's index is tried before that.
    pub(super) trial: Option<Legs>,
}

/// What candidates are come by.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way<'q> {
    /// The index of the order's first key, or of the start where there is none.
    Order,
    /// All candidates of the experiment, which are then sorted.
    Experiment,
    /// The index of a condition on an attribute.
    Attribute(CandidateAttribute, &'q Condition),
    /// The index of a condition on a logged key.
    Logged(&'q Logged),
}

impl<'q> From<Way<'q>> for Choice<'q> {
    fn from(way: Way<'q>) -> Self {
        Self { way, trial: None }
    }
}

/// What a statement walks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Driver<'q> {
    /// As [`Way::Order`].
    Order,
    /// As [`Way::Experiment`].
    Experiment,
    /// As [`Way::Attribute`].
    Attribute(CandidateAttribute),
    /// What [`Way::Logged`] comes by.
    Gathered(Gathered<'q>),
}

/// The candidates of an experiment that satisfy a condition.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gathered<'q> {
    pub(super) condition: &'q Logged,
    /// They rise, so that rows that are looked up by them one after the other are near each other.
    pub(super) numbers: &'q Numbers,
}

impl<'q> Way<'q> {
    /// The candidates of the experiment that satisfy the condition, where one on a logged key drives.
    pub(super) fn gather(
        self,
        tx: &mut Tx<'_>,
        search: &Search<'_>,
        experiment: &Experiment,
    ) -> Result<Numbers> {
        let Self::Logged(logged) = self else { return Ok(Numbers::default()) };
        let (text, binds) = numbers_statement(search, experiment, logged);
        let mut numbers = tx.query(&text, &binds.as_params(), |row| row.get(0))?;
        numbers.sort_unstable();
        Ok(Numbers(numbers))
    }

    /// What is walked, with what was gathered.
    pub(super) fn driver<'n>(self, numbers: &'n Numbers) -> Driver<'n>
    where
        'q: 'n,
    {
        match self {
            Self::Order => Driver::Order,
            Self::Experiment => Driver::Experiment,
            Self::Attribute(attribute, _) => Driver::Attribute(attribute),
            Self::Logged(condition) => Driver::Gathered(Gathered { condition, numbers }),
        }
    }
}

/// The numbers of those that satisfy a condition, from its index alone unless the condition is on a long text.
pub(super) fn numbers_statement(
    search: &Search<'_>,
    experiment: &Experiment,
    logged: &Logged,
) -> (String, Binds) {
    let mut binds = Binds::default();
    let (project, number) = (binds.add(search.project.0), binds.add(experiment.id.0));
    let text = format!("SELECT f.candidate_id FROM {}", rows(&mut binds, logged, &project, &number));
    (text, binds)
}

/// The rows `f` of a key that satisfy a condition.
fn rows(binds: &mut Binds, logged: &Logged, project: &str, experiment: &str) -> String {
    let walk = logged.key.walk(binds, project, experiment, "f");
    let holds = row_condition(binds, "f", logged);
    format!("{} f WHERE {walk} AND {holds}", logged.key.table.name())
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
        return Ok(Way::Experiment.into());
    }
    let mut counts = Vec::new();
    for node in &search.plan.conditions {
        if let Some(way) = way_by(search, node) {
            counts.push((count(tx, search, experiment, way)?, way));
        }
    }
    let Some((least, way)) = counts.iter().min_by_key(|(count, _)| *count).copied() else {
        return Ok(Way::Order.into());
    };
    if least > FEW {
        return Ok(Way::Order.into());
    }
    let wanted = i64::try_from(wanted).unwrap_or(i64::MAX);
    if least <= wanted {
        // The page has room for all of them, so that no order is over sooner.
        return Ok(way.into());
    }
    let all = count_all(tx, search, experiment, FEW + 1)?;
    if all > FEW {
        return Ok(Choice { way, trial: trial::legs(least) });
    }
    let wanted = wanted.min(all);
    let passed = counts.iter().fold(wanted, |passed, (count, _)| (passed * all / (*count).max(1)).min(all));
    Ok(if least <= passed { way } else { Way::Order }.into())
}

/// What walks a condition of the filter, if it is a range of an index. One on what the order walks is not asked for: it
/// bounds that walk already.
fn way_by<'q>(search: &Search<'q>, node: &'q Node) -> Option<Way<'q>> {
    match node {
        Node::Logged(logged) if search.sorting.first_logged() != Some(logged.key) => {
            is_range(&logged.condition).then_some(Way::Logged(logged))
        }
        Node::Attribute(attribute, condition)
            if search.sorting.first_attribute() != Some(*attribute)
                && *attribute != CandidateAttribute::ArtifactUri =>
        {
            is_range(condition).then_some(Way::Attribute(*attribute, condition))
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

/// How many candidates of the experiment are come by, counted up to one more than [`FEW`].
fn count(tx: &mut Tx<'_>, search: &Search<'_>, experiment: &Experiment, way: Way<'_>) -> Result<i64> {
    let mut binds = Binds::default();
    let (project, number) = (binds.add(search.project.0), binds.add(experiment.id.0));
    let rows = match way {
        Way::Order | Way::Experiment => return count_all(tx, search, experiment, FEW + 1),
        Way::Logged(logged) => rows(&mut binds, logged, &project, &number),
        // As many as there are values: an id is there once.
        Way::Attribute(CandidateAttribute::Eid, Condition::TextIn { values, .. }) => {
            return Ok(i64::try_from(values.len()).unwrap_or(i64::MAX));
        }
        Way::Attribute(CandidateAttribute::Eid, _) => return Ok(1),
        Way::Attribute(attribute, condition) => {
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
