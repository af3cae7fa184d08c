//! Which index a statement walks.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use modelry_core::Result;
use modelry_core::search::entity::CandidateAttribute;
use modelry_db::{Engine, Numbers, Tx};

use super::Search;
use super::filter::Node;
use super::range::{self, Range};
use super::trial::{self, Legs};
use crate::experiments::Experiment;
use crate::search::binds::Binds;

/// A condition that at most this many candidates satisfy may drive: they are found and sorted. With more, walking the
/// order and probing is faster (figures in docs/ARCHITECTURE.md).
pub(super) const FEW: i64 = 20_000;

/// So many that an index has in the order of the search are walked to the end gladly.
const SHORT: i64 = 1_000;

/// How the candidates of an experiment are gone about.
#[derive(Debug)]
pub(super) struct Choice<'q> {
    /// What they are come by.
    pub(super) way: Way<'q>,
    /// Those that satisfy the condition, where they are gathered, unless they are to be gathered each time.
    pub(super) gathered: Option<Numbers>,
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
    /// The index of an attribute that a condition is on, in its order.
    Attribute(CandidateAttribute),
    /// The index of a condition, from which the numbers of candidates are gathered.
    Range(Range<'q>),
}

impl<'q> From<Way<'q>> for Choice<'q> {
    fn from(way: Way<'q>) -> Self {
        Self { way, gathered: None, trial: None }
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
    /// What [`Way::Range`] comes by.
    Gathered(Gathered<'q>),
}

/// Some candidates of an experiment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gathered<'q> {
    /// The condition that they are known to satisfy.
    pub(super) condition: Option<Range<'q>>,
    /// They rise, so that rows that are looked up by them one after the other are near each other.
    pub(super) numbers: &'q Numbers,
}

impl Gathered<'_> {
    /// Whether they are known to satisfy this condition of the filter.
    pub(super) fn is_known_of(&self, node: &Node) -> bool {
        self.condition.is_some_and(|condition| condition.is(node))
    }
}

impl Choice<'_> {
    /// The candidates of the experiment that satisfy the condition, where they are gathered.
    pub(super) fn gathered(
        &self,
        tx: &mut Tx<'_>,
        search: &Search<'_>,
        experiment: &Experiment,
    ) -> Result<Cow<'_, Numbers>> {
        Ok(match (self.way, &self.gathered) {
            (_, Some(numbers)) => Cow::Borrowed(numbers),
            (Way::Range(range), None) => Cow::Owned(range.gather(tx, search, experiment, i64::MAX)?),
            (Way::Order | Way::Experiment | Way::Attribute(_), None) => Cow::Owned(Numbers::default()),
        })
    }
}

impl<'q> Way<'q> {
    /// What is walked, with what was gathered.
    pub(super) fn driver<'n>(self, numbers: &'n Numbers) -> Driver<'n>
    where
        'q: 'n,
    {
        match self {
            Self::Order => Driver::Order,
            Self::Experiment => Driver::Experiment,
            Self::Attribute(attribute) => Driver::Attribute(attribute),
            Self::Range(range) => Driver::Gathered(Gathered { condition: Some(range), numbers }),
        }
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
    if search.sorting.has_no_ties() && count_up_to_few(tx, search, experiment)? <= FEW {
        // The public ids of all experiments are in one index, in which those of a small one may be far apart.
        return Ok(Way::Experiment.into());
    }
    let ranges = search.plan.conditions.iter().filter_map(|node| Range::of(node, search.sorting));
    let mut ranges: Vec<_> = ranges.collect();
    let mut order = Way::Order;
    if search.sorting.keys.is_empty()
        && let Some(at) = ranges.iter().position(|range| range.has_starts().is_some())
    {
        // This index has the order as well, of those alone that satisfy the condition.
        let range = ranges.remove(at);
        order = range.has_starts().map_or(Way::Order, Way::Attribute);
        if ranges.is_empty() || range.count(tx, search, experiment, SHORT)? <= SHORT {
            return Ok(order.into());
        }
    }
    let is_large = search.known.findings.is_large(search.project, experiment.id);
    let mut counts = Vec::new();
    let mut fewest: Option<(i64, Choice<'q>)> = None;
    for range in ranges {
        // Where it is decided already that the order is not walked at once, only fewer are of interest.
        let most = fewest.as_ref().filter(|_| is_large).map_or(FEW, |(least, _)| *least);
        let (count, choice) = if let Some(count) = range.ids() {
            (count, Some(Way::Attribute(CandidateAttribute::Eid).into()))
        } else {
            let numbers = range.gather_few(tx, search, experiment, most)?;
            let count = numbers.as_ref().map_or(most + 1, range::length);
            let gathered = |numbers| Choice { way: Way::Range(range), gathered: Some(numbers), trial: None };
            (count, numbers.map(gathered))
        };
        counts.push(count);
        if let Some(choice) = choice.filter(|_| fewest.as_ref().is_none_or(|(least, _)| count < *least)) {
            fewest = Some((count, choice));
        }
    }
    let Some((least, choice)) = fewest.filter(|(least, _)| *least <= FEW) else {
        return Ok(order.into());
    };
    let wanted = i64::try_from(wanted).unwrap_or(i64::MAX);
    if least <= wanted {
        // The page has room for all of them, so that no order is over sooner.
        return Ok(choice);
    }
    let all = count_up_to_few(tx, search, experiment)?;
    if all > FEW {
        return Ok(Choice { trial: trial::legs(usize::try_from(least).unwrap_or(usize::MAX)), ..choice });
    }
    let wanted = wanted.min(all);
    let passed = counts.iter().fold(wanted, |passed, count| (passed * all / (*count).max(1)).min(all));
    Ok(if least <= passed { choice } else { order.into() })
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

/// `candidates c`, by the index of the stamp.
pub(super) fn candidates_by_stamp(engine: Engine) -> String {
    by_index(engine, "stamp")
}

/// How many candidates the experiment has, counted up to one more than [`FEW`]. That it has more is kept in mind: only what
/// is fastest depends on it.
fn count_up_to_few(tx: &mut Tx<'_>, search: &Search<'_>, experiment: &Experiment) -> Result<i64> {
    if search.known.findings.is_large(search.project, experiment.id) {
        return Ok(FEW + 1);
    }
    let all = count_all(tx, search, experiment, FEW + 1)?;
    if all > FEW {
        search.known.findings.keep_large(search.project, experiment.id);
    }
    Ok(all)
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

pub(super) fn capped_count(tx: &mut Tx<'_>, mut binds: Binds, rows: &str, most: i64) -> Result<i64> {
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
    by_index(engine, index)
}

fn by_index(engine: Engine, index: &str) -> String {
    match engine {
        Engine::Sqlite => format!("candidates c INDEXED BY candidates_by_{index}"),
        Engine::Postgres => "candidates c".to_owned(),
    }
}
