//! A condition of the filter that an index has the candidates of.

use std::fmt::Write as _;

use modelry_core::Result;
use modelry_core::search::entity::CandidateAttribute;
use modelry_core::search::expr::{Condition, NumberOp, TextOp};
use modelry_db::{Engine, Numbers, Tx};

use super::Search;
use super::attribute::Attributes;
use super::driver::{candidates_by, capped_count};
use super::filter::{Logged, Node, attribute_condition, row_condition};
use super::key::Table;
use super::order::{Phase, Sorting};
use crate::experiments::Experiment;
use crate::search::binds::Binds;

/// A condition that is one piece, or few pieces, of an index.
#[derive(Clone, Copy, Debug)]
pub(super) enum Range<'q> {
    Logged(&'q Logged),
    Attribute(CandidateAttribute, &'q Condition),
}

impl<'q> Range<'q> {
    /// The condition, if it is one and on something else than what the order walks: that bounds the walk already.
    pub(super) fn of(node: &'q Node, sorting: &Sorting) -> Option<Self> {
        let (range, condition) = match node {
            Node::Logged(logged) if sorting.first_logged() != Some(logged.key) => {
                (Self::Logged(logged), &logged.condition)
            }
            Node::Attribute(attribute, condition)
                if sorting.first_attribute() != Some(*attribute)
                    && *attribute != CandidateAttribute::ArtifactUri =>
            {
                (Self::Attribute(*attribute, condition), condition)
            }
            _ => return None,
        };
        let is_range = match condition {
            Condition::Number { op, .. } | Condition::Integer { op, .. } => *op != NumberOp::Ne,
            Condition::Text { op, .. } => *op == TextOp::Eq,
            Condition::TextIn { negated, .. } | Condition::IntegerIn { negated, .. } => !negated,
            Condition::Null { .. } => false,
        };
        is_range.then_some(range)
    }

    /// Whether it is this condition of the filter.
    pub(super) fn is(self, node: &Node) -> bool {
        match (self, node) {
            (Self::Logged(this), Node::Logged(other)) => std::ptr::eq(this, other),
            (Self::Attribute(_, this), Node::Attribute(_, other)) => std::ptr::eq(this, other),
            _ => false,
        }
    }

    /// How many public ids it asks for, if it is about those: there is one candidate for each at most.
    pub(super) fn ids(self) -> Option<i64> {
        match self {
            Self::Attribute(CandidateAttribute::Eid, Condition::TextIn { values, .. }) => {
                Some(i64::try_from(values.len()).unwrap_or(i64::MAX))
            }
            Self::Attribute(CandidateAttribute::Eid, _) => Some(1),
            Self::Attribute(..) | Self::Logged(_) => None,
        }
    }

    /// The attribute, if all that have one value of it stand in the order of their start in its index.
    pub(super) fn has_starts(self) -> Option<CandidateAttribute> {
        match self {
            Self::Attribute(attribute, Condition::Text { .. }) => Some(attribute),
            Self::Attribute(..) | Self::Logged(_) => None,
        }
    }

    /// The rows that satisfy it, and which column of them has the candidate's number.
    fn rows(self, binds: &mut Binds, search: &Search<'_>, experiment: &Experiment) -> (&'static str, String) {
        let (project, number) = (binds.add(search.project.0), binds.add(experiment.id.0));
        match self {
            Self::Logged(logged) => {
                let walk = logged.key.walk(binds, &project, &number, "f");
                let mut holds = row_condition(binds, "f", logged);
                if logged.key.table == Table::Metrics {
                    write!(holds, " AND {}", Phase::Present.of_metric("f", true))
                        .expect("a String takes all text");
                }
                ("f.candidate_id", format!("{} f WHERE {walk} AND {holds}", logged.key.table.name()))
            }
            Self::Attribute(attribute, condition) => {
                let attributes = Attributes::of(search.engine, experiment);
                let holds = attribute_condition(binds, attribute, condition, &attributes);
                let candidates = candidates_by(search.engine, attribute);
                let walk = format!("c.project_id = {project} AND c.experiment_id = {number}");
                ("c.id", format!("{candidates} WHERE {walk} AND {holds}"))
            }
        }
    }

    /// The candidates of the experiment that satisfy it, `most` of them at most.
    pub(super) fn gather(
        self,
        tx: &mut Tx<'_>,
        search: &Search<'_>,
        experiment: &Experiment,
        most: i64,
    ) -> Result<Numbers> {
        let (text, binds) = self.numbers_statement(search, experiment, most);
        let mut numbers = tx.query_numbers(&text, &binds.as_params())?;
        numbers.sort_unstable();
        Ok(Numbers(numbers))
    }

    /// The candidates of the experiment that satisfy it, unless they are more than `most`.
    pub(super) fn gather_few(
        self,
        tx: &mut Tx<'_>,
        search: &Search<'_>,
        experiment: &Experiment,
        most: i64,
    ) -> Result<Option<Numbers>> {
        if let (Engine::Sqlite, Self::Logged(_)) = (search.engine, self) {
            // It counts five times as fast as it hands rows over, unless it looks each row up, as for an expression.
            // PostgreSQL's count would cost as much as the array.
            if self.count(tx, search, experiment, most)? > most {
                return Ok(None);
            }
        }
        let numbers = self.gather(tx, search, experiment, most + 1)?;
        Ok((length(&numbers) <= most).then_some(numbers))
    }

    /// How many candidates of the experiment satisfy it, counted up to one more than `most`.
    pub(super) fn count(
        self,
        tx: &mut Tx<'_>,
        search: &Search<'_>,
        experiment: &Experiment,
        most: i64,
    ) -> Result<i64> {
        let mut binds = Binds::default();
        let (_, rows) = self.rows(&mut binds, search, experiment);
        capped_count(tx, binds, &rows, most + 1)
    }

    /// The numbers of those that satisfy it, from its index alone unless it is on a long text, or on an attribute that is
    /// indexed as an expression.
    pub(super) fn numbers_statement(
        self,
        search: &Search<'_>,
        experiment: &Experiment,
        most: i64,
    ) -> (String, Binds) {
        let mut binds = Binds::default();
        let (number, rows) = self.rows(&mut binds, search, experiment);
        let text = format!("SELECT {number} FROM {rows} LIMIT {}", binds.add(most));
        (text, binds)
    }
}

/// How many numbers there are.
pub(super) fn length(numbers: &Numbers) -> i64 {
    i64::try_from(numbers.0.len()).unwrap_or(i64::MAX)
}
