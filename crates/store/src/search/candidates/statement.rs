//! One statement: one phase of an order, in one experiment.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt::Write as _;

use modelry_core::Result;
use modelry_core::search::entity::CandidateAttribute;
use modelry_db::{Engine, Numbers, Tx};

use super::Search;
use super::attribute::Attributes;
use super::column::{Column, Columns};
use super::driver::{self, Driver, Gathered};
use super::filter::{Compiler, Node, row_condition};
use super::key::{LoggedKey, Table};
use super::order::{Phase, Place, Source};
use crate::experiments::Experiment;
use crate::search::View;
use crate::search::binds::Binds;
use crate::search::keyset::{self, SortValue};
use crate::sql;

/// So many that were gathered are looked up in two halves, which can be done at the same time.
const HALVED: usize = 2_000;

/// What a statement finds.
#[derive(Clone, Copy)]
pub(super) struct Step<'q> {
    pub(super) search: &'q Search<'q>,
    pub(super) experiment: &'q Experiment,
    pub(super) driver: Driver<'q>,
    /// Whether the table of candidates is left out, so that those in the bin are found too.
    pub(super) unseen: bool,
    pub(super) phase: Phase,
    /// Only what comes before this place.
    pub(super) before: Option<&'q Place>,
    pub(super) wanted: usize,
}

/// Which candidates of a phase a statement is for.
#[derive(Clone, Copy)]
pub(super) enum Reach<'q> {
    /// All that are behind the start, in the order of the search.
    All,
    /// Those of one value of the first key, in the order of the search.
    Value(&'q SortValue),
    /// Those with a value behind this one, or with any, in the order of the first key and against that of the ties.
    Beyond(Option<&'q SortValue>),
}

/// SQL and its values.
pub(super) struct Statement<'q> {
    pub(super) text: String,
    pub(super) binds: Binds,
    columns: Columns<'q>,
}

impl<'q> Step<'q> {
    /// The candidates of one statement, `wanted` of them at most.
    pub(super) fn query(self, tx: &mut Tx<'_>, reach: Reach<'_>) -> Result<Vec<Place>> {
        if let Driver::Gathered(gathered) = self.driver
            && gathered.numbers.0.len() >= HALVED
        {
            return self.query_halves(tx, gathered, reach);
        }
        let statement = self.statement(reach);
        tx.query(&statement.text, &statement.binds.as_params(), |row| statement.columns.read(row))
    }

    /// As [`Step::query`], with the first half of those that were gathered and with the second one.
    fn query_halves(self, tx: &mut Tx<'_>, gathered: Gathered<'_>, reach: Reach<'_>) -> Result<Vec<Place>> {
        let (first, second) = gathered.numbers.0.split_at(gathered.numbers.0.len() / 2);
        let halves = [first, second].map(|half| Numbers(half.to_vec()));
        let [first, second] = halves.each_ref().map(|numbers| {
            Step { driver: Driver::Gathered(Gathered { numbers, ..gathered }), ..self }.statement(reach)
        });
        let binds = [&first.binds.as_params()[..], &second.binds.as_params()[..]];
        let mut found = tx.query_twice(&first.text, binds, |row| first.columns.read(row))?;
        found.sort_unstable_by(|left, right| self.search.sorting.compare(left, right));
        found.truncate(self.wanted);
        Ok(found)
    }

    /// The statement.
    pub(super) fn statement(self, reach: Reach<'_>) -> Statement<'q> {
        let mut binds = Binds::default();
        let project = binds.add(self.search.project.0);
        let attributes = Attributes::of(self.search.engine, self.experiment);
        let candidate = self.candidate();
        let mut builder = Builder {
            step: self,
            binds,
            project,
            attributes,
            candidate,
            number: candidate.into(),
            from: Vec::new(),
            conditions: Vec::new(),
        };
        builder.walk();
        builder.show();
        builder.filter();
        let columns = builder.columns();
        builder.bound(&columns, reach);
        builder.finish(columns, reach)
    }

    /// The attribute whose index is walked, where it is not that of a logged key.
    fn walked(&self) -> CandidateAttribute {
        match (self.driver, self.search.sorting.first_attribute()) {
            (Driver::Attribute(attribute), _) => attribute,
            // In one of several experiments artifacts are sorted: where they are says little of the others.
            (Driver::Order, Some(first))
                if first != CandidateAttribute::ArtifactUri && self.phase != Phase::Missing =>
            {
                first
            }
            _ => CandidateAttribute::StartTime,
        }
    }

    /// Where the page starts, if in this phase.
    pub(super) fn start(&self) -> Option<&'q Place> {
        self.search.start.filter(|start| start.rank() == self.phase.rank())
    }

    /// The key of whose rows `o` is one: the first of the order, unless it is missing.
    fn first(&self) -> Option<LoggedKey> {
        self.search.sorting.first_logged().filter(|_| self.phase != Phase::Missing)
    }

    /// Whether the first row that is looked up is looked up by all numbers that were gathered at once, and not by one after
    /// the other: where nothing else is asked of these, which would make the look-ups fewer.
    fn is_looked_up_at_once(&self) -> bool {
        let Driver::Gathered(gathered) = self.driver else { return false };
        let mut conditions = self.search.plan.conditions.iter();
        self.search.engine == Engine::Postgres
            && self.phase != Phase::Missing
            && conditions.all(|node| gathered.is_known_of(node))
    }

    /// The candidate's number, as what drives has it, or what is looked up first.
    fn candidate(&self) -> &'static str {
        let is_of_key = match self.driver {
            Driver::Gathered(_) if !self.is_looked_up_at_once() => return "f.number",
            Driver::Gathered(_) => self.unseen,
            Driver::Order => self.first().is_some(),
            Driver::Experiment | Driver::Attribute(_) => false,
        };
        if is_of_key { "o.candidate_id" } else { "c.id" }
    }
}

/// A statement that is being put together.
struct Builder<'q> {
    step: Step<'q>,
    binds: Binds,
    /// The placeholder of the project.
    project: String,
    attributes: Attributes,
    /// The candidate's number, as what is asked of it names it.
    candidate: &'static str,
    /// What the next row is looked up by.
    number: Cow<'static, str>,
    /// Tables in the order in which they are looked at.
    from: Vec<String>,
    conditions: Vec<String>,
}

impl<'q> Builder<'q> {
    /// The driver, which alone names the experiment, then look-ups of the candidate and of the order's first key.
    fn walk(&mut self) {
        let experiment = self.step.experiment.id.0;
        let project = self.project.clone();
        let first = self.step.first();
        match (self.step.driver, first) {
            (Driver::Gathered(gathered), _) => {
                let placeholder = self.binds.add(gathered.numbers.clone());
                if self.step.is_looked_up_at_once() {
                    self.number = Numbers::any(&placeholder).into();
                } else {
                    let numbers = Numbers::rows(self.step.search.engine, &placeholder);
                    self.from.push(format!("({numbers}) f"));
                }
            }
            (Driver::Order, Some(key)) => {
                self.from.push(format!("{} o", key.table.name()));
                let experiment = self.binds.add(experiment);
                let walk = key.walk(&mut self.binds, &project, &experiment, "o");
                self.conditions.push(walk);
            }
            (Driver::Order, None) | (Driver::Experiment | Driver::Attribute(..), _) => {
                self.from.push(driver::candidates_by(self.step.search.engine, self.step.walked()));
                let experiment = self.binds.add(experiment);
                self.conditions.push(format!("c.project_id = {project} AND c.experiment_id = {experiment}"));
            }
        }
        if !self.walks_candidates() && !self.step.unseen {
            let probe = format!("c.project_id = {project} AND c.id = {}", self.number);
            self.look_up(("candidates", "c"), probe);
        }
        if let (Some(key), Driver::Experiment | Driver::Attribute(..) | Driver::Gathered(_)) =
            (first, self.step.driver)
        {
            let probe = key.probe(&mut self.binds, &project, &self.number, "o");
            self.look_up((key.table.name(), "o"), probe);
        }
    }

    /// Whether the driver is an index of candidates.
    fn walks_candidates(&self) -> bool {
        match self.step.driver {
            Driver::Gathered(_) => false,
            Driver::Order => self.step.first().is_none(),
            Driver::Experiment | Driver::Attribute(_) => true,
        }
    }

    /// The row that a primary key has, for each candidate.
    fn look_up(&mut self, row: (&str, &str), probe: String) {
        let (table, condition) = sql::look_up(self.step.search.engine, row, probe);
        self.from.push(table);
        self.conditions.push(condition);
        self.number = self.candidate.into();
    }

    /// The view and the phase.
    fn show(&mut self) {
        let is_deleted = self.step.experiment.deleted_at.is_some();
        match self.step.search.view {
            _ if self.step.unseen => {}
            View::Active => self.conditions.push("c.deleted_at IS NULL".to_owned()),
            View::Deleted if !is_deleted => self.conditions.push("c.deleted_at IS NOT NULL".to_owned()),
            // The candidates of a deleted experiment all are.
            View::Deleted | View::All => {}
        }
        let source = self.step.search.sorting.keys.first().map(|key| key.source);
        match (source, self.step.phase) {
            (Some(Source::Logged(key)), Phase::Missing) => {
                self.conditions.push(key.lacked(&mut self.binds, &self.project, self.candidate));
            }
            (Some(Source::Logged(LoggedKey { table: Table::Metrics, .. })), phase) => {
                let is_walked = matches!(self.step.driver, Driver::Order);
                self.conditions.push(phase.of_metric("o", is_walked));
            }
            (Some(Source::Attribute(CandidateAttribute::EndTime)), phase) => {
                let is = if phase == Phase::Missing { "IS NULL" } else { "IS NOT NULL" };
                self.conditions.push(format!("c.end_time {is}"));
            }
            _ => {}
        }
    }

    /// The filter, but for the condition that drives.
    fn filter(&mut self) {
        let first = self.step.first();
        for node in &self.step.search.plan.conditions {
            let condition = match (node, self.step.driver) {
                (node, Driver::Gathered(gathered)) if gathered.is_known_of(node) => continue,
                (Node::Logged(logged), _) if Some(logged.key) == first => {
                    row_condition(&mut self.binds, "o", logged)
                }
                (node, _) => {
                    let mut compiler = Compiler {
                        binds: &mut self.binds,
                        project: &self.project,
                        candidate: self.candidate,
                        attributes: &self.attributes,
                    };
                    format!("({})", compiler.node(node))
                }
            };
            self.conditions.push(condition);
        }
    }

    fn columns(&mut self) -> Columns<'q> {
        let sorting = self.step.search.sorting;
        let column = |(index, key): (usize, &super::order::SortKey)| match index {
            0 => Column::of_first(&mut self.binds, key.source, self.step.phase, &self.attributes),
            _ => Column::of_further(&mut self.binds, key.source, &further(index), &self.attributes),
        };
        let keys = sorting.keys.iter().enumerate().map(column).collect();
        let ties = match (self.step.driver, self.step.first()) {
            (Driver::Order, Some(_)) => ["o.start_time", "o.candidate_id"],
            _ if self.step.unseen => ["o.start_time", "o.candidate_id"],
            _ => ["c.start_time", "c.id"],
        };
        Columns { sorting, keys, ties }
    }

    /// Where the page starts, and where there is no need to go on.
    fn bound(&mut self, columns: &Columns<'_>, reach: Reach<'_>) {
        let (step, terms) = (self.step, columns.terms());
        let start = step.start();
        match reach {
            Reach::All => {
                if let Some(start) = start {
                    self.conditions.push(keyset::behind(&mut self.binds, &terms, &columns.values(start)));
                }
            }
            Reach::Value(value) => {
                self.compare_first(columns, "=", value);
                if let Some(start) = start.filter(|start| start.first_value() == Some(value)) {
                    let ties = (columns.tie_terms(), columns.tie_values(start));
                    self.conditions.push(keyset::behind(&mut self.binds, &ties.0, &ties.1));
                }
            }
            Reach::Beyond(Some(value)) => {
                let sign = if terms.first().is_some_and(|first| first.descending) { "<" } else { ">" };
                self.compare_first(columns, sign, value);
            }
            Reach::Beyond(None) => {}
        }
        if let Some(end) = step.before {
            self.conditions.push(keyset::ahead(&mut self.binds, &terms, &columns.values(end)));
        }
    }

    fn compare_first(&mut self, columns: &Columns<'_>, sign: &str, value: &SortValue) {
        if let Some(first) = columns.first_value() {
            let value = value.bind(&mut self.binds);
            self.conditions.push(format!("{first} {sign} {value}"));
        }
    }

    fn finish(mut self, columns: Columns<'q>, reach: Reach<'_>) -> Statement<'q> {
        let mut from = self.from.join(" CROSS JOIN ");
        for (index, key) in columns.sorting.keys.iter().enumerate().skip(1) {
            let Source::Logged(key) = key.source else { continue };
            let (table, alias) = (key.table.name(), further(index));
            let probe = key.probe(&mut self.binds, &self.project, self.candidate, &alias);
            let (row, condition) = sql::look_up(self.step.search.engine, (table, &alias), probe);
            write!(from, " LEFT JOIN {row} ON {condition}").expect("a String takes all text");
        }
        let limit = self.binds.add(i64::try_from(self.step.wanted).unwrap_or(i64::MAX));
        let text = format!(
            "SELECT {} FROM {from} WHERE {} ORDER BY {} LIMIT {limit}",
            columns.select(),
            self.conditions.join(" AND "),
            keyset::order_by(&columns.ordered_by(reach)),
        );
        Statement { text, binds: self.binds, columns }
    }
}

/// The row of a further key of the order.
fn further(index: usize) -> String {
    format!("s{index}")
}
