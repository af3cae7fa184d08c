//! Steps along the index that has the order, or the order of its first key, where a condition drives.
//!
//! A look-up of what satisfies the condition costs as much as twenty or more steps along an index. So it pays to read a
//! piece of the order where enough of those are: the numbers of the candidates in it are read, and compared with those that
//! were gathered, without a look at any table.

#[cfg(test)]
pub(super) mod tests;

use std::cmp::Ordering;
use std::fmt::Write as _;

use modelry_core::Result;
use modelry_core::ids::CandidateId;
use modelry_core::search::entity::CandidateAttribute;
use modelry_db::{Numbers, Tx};

use super::attribute::Attributes;
use super::driver::{Driver, Gathered, candidates_by};
use super::key::{LoggedKey, Table};
use super::order::{Phase, Place, SortKey, Source};
use super::statement::Step;
use crate::search::binds::Binds;
use crate::search::keyset::{self, SortValue, Term};
use crate::sql;

/// A step along an order that an index has, as far as its first key goes, and those that satisfy the condition that drives
/// it.
pub(super) struct Along<'q> {
    pub(super) step: Step<'q>,
    pub(super) gathered: Gathered<'q>,
    index: Index,
    /// Whether the values of the order fall along it.
    descends: bool,
}

/// What has the values of an order, those of its first key, each with the start and the number of its candidate.
#[derive(Clone, Copy)]
enum Index {
    Logged(LoggedKey),
    Attribute(CandidateAttribute),
}

/// A piece of an order's index.
#[derive(Clone, Copy)]
pub(super) enum Piece<'v> {
    /// In the order of the values.
    Values {
        begin: Begin<'v>,
        /// The last value that it has, if it does not go on to the end.
        to: Option<&'v SortValue>,
        /// Whether it is walked from its beginning towards the start of the order.
        is_backward: bool,
    },
    /// Those of one value in the order of the search, which decides between them by their start and number.
    Ties {
        value: &'v SortValue,
        /// Only those that come behind this one.
        behind: Option<&'v Place>,
    },
}

/// Where a piece begins.
#[derive(Clone, Copy)]
pub(super) enum Begin<'v> {
    Start,
    /// With the first entry of a value.
    With(&'v SortValue),
    /// Beyond all entries of a value.
    Beyond(&'v SortValue),
}

impl<'q> Along<'q> {
    /// What a step walks, unless no index has it, or what it is asked for ends before the order does.
    pub(super) fn of(step: Step<'q>) -> Option<Self> {
        let Driver::Gathered(gathered) = step.driver else { return None };
        if step.phase != Phase::Present || step.before.is_some() {
            return None;
        }
        let sorting = step.search.sorting;
        let (index, descends) = match sorting.keys.first() {
            None => (Index::Attribute(CandidateAttribute::StartTime), sorting.newest_first),
            Some(SortKey { source: Source::Logged(key), descending }) => (Index::Logged(*key), *descending),
            // Public ids stand in one index for all experiments.
            Some(SortKey { source: Source::Attribute(attribute), descending })
                if !matches!(attribute, CandidateAttribute::Eid | CandidateAttribute::ArtifactUri) =>
            {
                (Index::Attribute(*attribute), *descending)
            }
            Some(_) => return None,
        };
        Some(Self { step, gathered, index, descends })
    }

    /// The candidates of a piece, `steps` of them at most.
    pub(super) fn numbers(&self, tx: &mut Tx<'_>, piece: Piece<'_>, steps: usize) -> Result<Vec<i64>> {
        let (text, binds) = self.numbers_statement(piece, steps);
        tx.query_numbers(&text, &binds.as_params())
    }

    /// Reads entries of one index and looks nothing up.
    pub(super) fn numbers_statement(&self, piece: Piece<'_>, steps: usize) -> (String, Binds) {
        let mut binds = Binds::default();
        let (project, experiment) =
            (binds.add(self.step.search.project.0), binds.add(self.step.experiment.id.0));
        let (table, mut walk) = match self.index {
            Index::Logged(key) => {
                (format!("{} o", key.table.name()), key.walk(&mut binds, &project, &experiment, "o"))
            }
            Index::Attribute(attribute) => (
                candidates_by(self.step.search.engine, attribute),
                format!("c.project_id = {project} AND c.experiment_id = {experiment}"),
            ),
        };
        self.is_present(&mut walk, true);
        let (value, [start, number]) = (self.value_sql(&mut binds), self.ties());
        let mut ordered_by = Vec::new();
        let descends = match piece {
            Piece::Values { begin, to, is_backward } => {
                let descends = self.descends != is_backward;
                let (behind, ahead) = if descends { ("<", ">") } else { (">", "<") };
                let bounds = match begin {
                    Begin::Start => None,
                    Begin::With(value) => Some((format!("{behind}="), value)),
                    Begin::Beyond(value) => Some((behind.to_owned(), value)),
                };
                for (sign, bound) in bounds.into_iter().chain(to.map(|to| (format!("{ahead}="), to))) {
                    let bound = bound.bind(&mut binds);
                    write!(walk, " AND {value} {sign} {bound}").expect("a String takes all text");
                }
                if value != start {
                    ordered_by.push(Term { sql: value, descending: descends });
                }
                descends
            }
            Piece::Ties { value: one, behind } => {
                let one = one.bind(&mut binds);
                write!(walk, " AND {value} = {one}").expect("a String takes all text");
                let terms = self.tie_terms(self.step.search.sorting.newest_first);
                if let Some(behind) = behind {
                    let values = [SortValue::Integer(behind.start_time), SortValue::Integer(behind.id.0)];
                    let behind = keyset::behind(&mut binds, &terms, &values);
                    write!(walk, " AND {behind}").expect("a String takes all text");
                }
                self.step.search.sorting.newest_first
            }
        };
        ordered_by.extend(self.tie_terms(descends));
        let steps = binds.add(i64::try_from(steps).unwrap_or(i64::MAX));
        let ordered_by = keyset::order_by(&ordered_by);
        let text = format!("SELECT {number} FROM {table} WHERE {walk} ORDER BY {ordered_by} LIMIT {steps}");
        (text, binds)
    }

    /// What is ordered by, as the index has it.
    fn value_sql(&self, binds: &mut Binds) -> String {
        match self.index {
            Index::Logged(key) => format!("o.{}", key.table.indexed()),
            Index::Attribute(attribute) => {
                Attributes::of(self.step.search.engine, self.step.experiment).sortable(binds, attribute)
            }
        }
    }

    /// The start and the number, as the index has them.
    fn ties(&self) -> [&'static str; 2] {
        match self.index {
            Index::Logged(_) => ["o.start_time", "o.candidate_id"],
            Index::Attribute(_) => ["c.start_time", "c.id"],
        }
    }

    fn tie_terms(&self, descending: bool) -> [Term; 2] {
        self.ties().map(|sql| Term { sql: sql.to_owned(), descending })
    }

    /// Adds the condition that a row has a value that is ordered by.
    fn is_present(&self, conditions: &mut String, is_walked: bool) {
        match self.index {
            Index::Logged(LoggedKey { table: Table::Metrics, .. }) => {
                let is_present = Phase::Present.of_metric("o", is_walked);
                write!(conditions, " AND {is_present}").expect("a String takes all text");
            }
            Index::Attribute(CandidateAttribute::EndTime) => {
                conditions.push_str(" AND c.end_time IS NOT NULL");
            }
            Index::Logged(_) | Index::Attribute(_) => {}
        }
    }

    /// Those of `numbers` that satisfy the condition, in their order.
    pub(super) fn matching(&self, mut numbers: Vec<i64>) -> Vec<i64> {
        numbers.retain(|number| self.gathered.numbers.0.binary_search(number).is_ok());
        numbers
    }

    /// The places of those of `numbers` that are in this phase of the order, by its first key alone and in any order.
    pub(super) fn look_up(&self, tx: &mut Tx<'_>, numbers: Vec<i64>) -> Result<Vec<Place>> {
        let mut binds = Binds::default();
        let (project, numbers) = (binds.add(self.step.search.project.0), binds.add(Numbers(numbers)));
        let numbers = Numbers::rows(self.step.search.engine, &numbers);
        let (row, probe) = match self.index {
            Index::Logged(key) => ((key.table.name(), "o"), key.probe(&mut binds, &project, "f.number", "o")),
            Index::Attribute(_) => {
                (("candidates", "c"), format!("c.project_id = {project} AND c.id = f.number"))
            }
        };
        let (table, mut condition) = sql::look_up(self.step.search.engine, row, probe);
        self.is_present(&mut condition, false);
        let (value, [start, number]) = (self.value_sql(&mut binds), self.ties());
        let text = format!(
            "SELECT {number}, {start}, {value} FROM ({numbers}) f CROSS JOIN {table} WHERE {condition}"
        );
        let source = self.step.search.sorting.keys.first().map(|key| key.source);
        tx.query(&text, &binds.as_params(), |row| {
            let value = match source.map(Source::blank) {
                None => None,
                Some(SortValue::Integer(_)) => Some(SortValue::Integer(row.get(2)?)),
                Some(SortValue::Number(_)) => Some(SortValue::Number(row.get(2)?)),
                Some(SortValue::Text(_)) => Some(SortValue::Text(row.get(2)?)),
            };
            let keys = value.map(|value| (Phase::Present.rank(), value)).into_iter().collect();
            Ok(Place { keys, start_time: row.get(1)?, id: CandidateId(row.get(0)?) })
        })
    }

    /// The value of a candidate that the index has.
    pub(super) fn value_of(&self, tx: &mut Tx<'_>, number: i64) -> Result<Option<SortValue>> {
        Ok(self.look_up(tx, vec![number])?.first().map(Place::indexed))
    }

    /// What the step finds among these, which satisfy the condition.
    pub(super) fn find(&self, tx: &mut Tx<'_>, mut numbers: Vec<i64>) -> Result<Vec<Place>> {
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        numbers.sort_unstable();
        let gathered = Gathered { numbers: &Numbers(numbers), ..self.gathered };
        Step { driver: Driver::Gathered(gathered), ..self.step }.run(tx)
    }

    /// Whether candidates of one value stand in the index in the order of the search, in one direction or the other, and not
    /// in that of a further key.
    pub(super) fn has_ties(&self) -> bool {
        self.step.search.sorting.keys.len() <= 1
    }

    /// Whether the index has the order of the search to the last.
    pub(super) fn has_order(&self) -> bool {
        self.has_ties() && !self.step.search.sorting.turns()
    }

    /// Whether `found`, a page of what a piece has, stays the page whatever comes behind `end`, the last entry of the
    /// piece. Of those that are equal to it the piece has some only, and they need not be the first ones.
    pub(super) fn is_settled(&self, tx: &mut Tx<'_>, found: &[Place], end: i64) -> Result<bool> {
        let Some(last) = found.last().filter(|_| found.len() == self.step.wanted) else { return Ok(false) };
        if self.has_order() {
            return Ok(true);
        }
        let end = self.value_of(tx, end)?;
        Ok(end.is_some_and(|end| self.compare(&last.indexed(), &end).is_lt()))
    }

    /// The order of two values.
    pub(super) fn compare(&self, left: &SortValue, right: &SortValue) -> Ordering {
        let order = left.compare(right);
        if self.descends { order.reverse() } else { order }
    }
}
