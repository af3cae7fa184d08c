//! Steps along the index that has the order, where a condition drives.
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
use modelry_db::{Numbers, Tx};

use super::driver::{Driver, Gathered};
use super::key::{LoggedKey, Table};
use super::order::{Phase, Place, SortKey, Source};
use super::statement::Step;
use crate::search::binds::Binds;
use crate::search::keyset::SortValue;

/// The order of a step, which one logged key has the index of, and those that satisfy the condition that drives it.
pub(super) struct Along<'q> {
    pub(super) step: Step<'q>,
    pub(super) gathered: Gathered<'q>,
    key: LoggedKey,
    sort: SortKey,
}

/// A piece of an order's index.
#[derive(Clone, Copy)]
pub(super) struct Piece<'v> {
    /// Where it begins; at the start of the order if nowhere.
    pub(super) begin: Begin<'v>,
    /// The last value that it has, if it does not go on to the end.
    pub(super) to: Option<&'v SortValue>,
    /// Whether it is walked from its beginning towards the start of the order.
    pub(super) is_backward: bool,
    /// How many entries it has at most.
    pub(super) steps: usize,
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
    /// What a step walks, unless it is more than one index, or what it is asked for ends before the order does.
    pub(super) fn of(step: Step<'q>) -> Option<Self> {
        let Driver::Gathered(gathered) = step.driver else { return None };
        match step.search.sorting.keys.as_slice() {
            [sort] if step.phase == Phase::Present && step.before.is_none() => match sort.source {
                Source::Logged(key) => Some(Self { step, gathered, key, sort: *sort }),
                Source::Attribute(_) | Source::Nothing => None,
            },
            _ => None,
        }
    }

    /// The candidates of a piece, in the order of the index.
    pub(super) fn numbers(&self, tx: &mut Tx<'_>, piece: Piece<'_>) -> Result<Vec<i64>> {
        let (text, binds) = self.numbers_statement(piece);
        tx.query_numbers(&text, &binds.as_params())
    }

    /// Reads entries of one index and looks nothing up.
    pub(super) fn numbers_statement(&self, piece: Piece<'_>) -> (String, Binds) {
        let mut binds = Binds::default();
        let (project, experiment) =
            (binds.add(self.step.search.project.0), binds.add(self.step.experiment.id.0));
        let mut walk = self.key.walk(&mut binds, &project, &experiment, "o");
        walk.push_str(self.is_present());
        let (table, column) = (self.key.table.name(), self.key.table.indexed());
        let descends = self.sort.descending != piece.is_backward;
        let (behind, ahead, direction) = if descends { ("<", ">", "DESC") } else { (">", "<", "ASC") };
        let bounds = match piece.begin {
            Begin::Start => None,
            Begin::With(value) => Some((format!("{behind}="), value)),
            Begin::Beyond(value) => Some((behind.to_owned(), value)),
        };
        for (sign, value) in bounds.into_iter().chain(piece.to.map(|to| (format!("{ahead}="), to))) {
            let value = value.bind(&mut binds);
            write!(walk, " AND o.{column} {sign} {value}").expect("a String takes all text");
        }
        let steps = binds.add(i64::try_from(piece.steps).unwrap_or(i64::MAX));
        let text = format!(
            "SELECT o.candidate_id FROM {table} o WHERE {walk}
             ORDER BY o.{column} {direction}, o.start_time {direction}, o.candidate_id {direction} LIMIT {steps}"
        );
        (text, binds)
    }

    /// The condition that `o` has a value that is ordered by.
    fn is_present(&self) -> &'static str {
        match self.key.table {
            Table::Metrics => " AND o.rank = 0",
            Table::Params | Table::Metadata => "",
        }
    }

    /// Those of `numbers` that satisfy the condition, in their order.
    pub(super) fn matching(&self, mut numbers: Vec<i64>) -> Vec<i64> {
        numbers.retain(|number| self.gathered.numbers.0.binary_search(number).is_ok());
        numbers
    }

    /// The places of those of `numbers` that are in this phase of the order, in any order.
    pub(super) fn look_up(&self, tx: &mut Tx<'_>, numbers: Vec<i64>) -> Result<Vec<Place>> {
        let mut binds = Binds::default();
        let (project, numbers) = (binds.add(self.step.search.project.0), binds.add(Numbers(numbers)));
        let numbers = Numbers::rows(self.step.search.engine, &numbers);
        let probe = self.key.probe(&mut binds, &project, "f.number", "o");
        let (table, column) = (self.key.table.name(), self.key.table.indexed());
        let text = format!(
            "SELECT o.candidate_id, o.start_time, o.{column} FROM ({numbers}) f CROSS JOIN {table} o
             WHERE {probe}{}",
            self.is_present()
        );
        tx.query(&text, &binds.as_params(), |row| {
            let value = match self.key.table {
                Table::Metrics => SortValue::Number(row.get(2)?),
                Table::Params | Table::Metadata => SortValue::Text(row.get(2)?),
            };
            let keys = vec![(Phase::Present.rank(), value)];
            Ok(Place { keys, start_time: row.get(1)?, id: CandidateId(row.get(0)?) })
        })
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

    /// Whether `found`, a page of what a piece has, stays the page whatever comes behind `end`, the last entry of the
    /// piece. Of those that are equal to it the piece has some only, and they need not be the first ones.
    pub(super) fn is_settled(&self, tx: &mut Tx<'_>, found: &[Place], end: i64) -> Result<bool> {
        let Some(last) = found.last().filter(|_| found.len() == self.step.wanted) else { return Ok(false) };
        if !self.step.search.sorting.turns() {
            // The index has the order to the last.
            return Ok(true);
        }
        let ends = self.look_up(tx, vec![end])?;
        Ok(ends.first().is_some_and(|end| self.compare(last, end).is_lt()))
    }

    /// The order of two places by their values alone.
    pub(super) fn compare(&self, left: &Place, right: &Place) -> Ordering {
        let order = match (left.first_value(), right.first_value()) {
            (Some(left), Some(right)) => left.compare(right),
            _ => Ordering::Equal,
        };
        if self.sort.descending { order.reverse() } else { order }
    }
}
