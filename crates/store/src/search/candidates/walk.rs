//! What a step along an order is made of, where one statement would read more than a page.

use modelry_core::Result;
use modelry_core::search::entity::CandidateAttribute;
use modelry_db::Tx;

use super::along::Along;
use super::driver::Driver;
use super::filter::Node;
use super::order::{Phase, Place, SortKey, Source};
use super::statement::{Reach, Step};
use super::trial::Legs;
use super::{Search, stretch, trial};
use crate::search::View;
use crate::search::keyset::SortValue;
use crate::sql;

/// Of so many candidates at most that are found it is looked whether they are in the bin afterwards.
const SEEN_AFTERWARDS: usize = 1_000;

impl Step<'_> {
    /// The first candidates of the phase, `wanted` of them at most.
    pub(super) fn run(self, tx: &mut Tx<'_>) -> Result<Vec<Place>> {
        match (self.driver, self.phase) {
            (Driver::Order, Phase::Missing) => self.lacking(tx),
            (Driver::Order | Driver::Gathered(_), Phase::Present) if self.is_about_logged() => {
                self.seeing_last(tx)
            }
            _ => self.walk(tx),
        }
    }

    /// As [`Step::run`], where more satisfy the condition that drives than are looked up gladly.
    pub(super) fn shortened(self, tx: &mut Tx<'_>, legs: Legs) -> Result<Vec<Place>> {
        let Some(along) = Along::of(self) else { return self.run(tx) };
        if let Some(found) = trial::run(tx, &along, legs)? {
            return Ok(found);
        }
        match stretch::run(tx, &along, stretch::SAMPLE)? {
            Some(found) => Ok(found),
            None => self.run(tx),
        }
    }

    /// The first candidates of the phase, by walking the driver.
    fn walk(self, tx: &mut Tx<'_>) -> Result<Vec<Place>> {
        match (self.driver, self.phase) {
            (Driver::Order, Phase::Present) => match self.pinned() {
                Some(value) => self.query(tx, Reach::Value(&value)),
                None if self.search.sorting.turns() || self.starts_in_an_expression() => {
                    self.value_by_value(tx)
                }
                None => self.query(tx, Reach::All),
            },
            _ => self.query(tx, Reach::All),
        }
    }

    /// The value of the only key of the order, if the filter leaves one only. Engines do not see that what an index has as
    /// an expression is one value, and would sort all that have it.
    pub(super) fn pinned(&self) -> Option<SortValue> {
        match self.search.sorting.keys.as_slice() {
            [key] if !self.search.sorting.has_no_ties() => self.search.plan.pinned(key.source),
            _ => None,
        }
    }

    /// Whether the page starts within the values of an attribute that is indexed as an expression. SQLite seeks no place
    /// by several terms where the first is one: it would pass over all that have the value and stand before the page.
    fn starts_in_an_expression(&self) -> bool {
        let is_expression = match self.search.sorting.first_attribute() {
            Some(CandidateAttribute::Name | CandidateAttribute::UserId | CandidateAttribute::Status) => true,
            Some(
                CandidateAttribute::Eid
                | CandidateAttribute::StartTime
                | CandidateAttribute::EndTime
                | CandidateAttribute::ArtifactUri,
            )
            | None => false,
        };
        is_expression && self.search.sorting.keys.len() == 1 && self.start().is_some()
    }

    /// Along the values one way and along what decides between equal ones, as a rule, the other way. An index goes one way,
    /// so the values are walked first; of those that were begun before the page or do not end on it, the candidates are then
    /// walked the other way.
    fn value_by_value(self, tx: &mut Tx<'_>) -> Result<Vec<Place>> {
        let begun = self.start().and_then(Place::first_value);
        let mut found = match begun {
            Some(value) => self.query(tx, Reach::Value(value))?,
            None => Vec::new(),
        };
        let room = self.wanted - found.len();
        if room == 0 {
            return Ok(found);
        }
        let mut beyond = Step { wanted: room, ..self }.query(tx, Reach::Beyond(begun))?;
        let is_cut = self.search.sorting.turns() && beyond.len() == room;
        let unended = beyond.last().filter(|_| is_cut).and_then(Place::first_value).cloned();
        beyond.retain(|place| unended.is_none() || place.first_value() != unended.as_ref());
        beyond.sort_by(|left, right| self.search.sorting.compare(left, right));
        let room = room - beyond.len();
        found.append(&mut beyond);
        if let Some(value) = unended {
            found.append(&mut Step { wanted: room, ..self }.query(tx, Reach::Value(&value))?);
        }
        Ok(found)
    }

    /// Whether the order and the filter ask for nothing but what was logged, or is known already, so that candidates need
    /// not be seen.
    fn is_about_logged(&self) -> bool {
        let Search { sorting, plan, view, .. } = self.search;
        let is_about_logged = |node: &Node| {
            matches!(node, Node::Logged(_))
                || matches!(self.driver, Driver::Gathered(gathered) if gathered.is_known_of(node))
        };
        *view != View::Deleted
            && self.wanted <= SEEN_AFTERWARDS
            && matches!(sorting.keys.as_slice(), [SortKey { source: Source::Logged(_), .. }])
            && plan.conditions.iter().all(is_about_logged)
    }

    /// Only of those that make the page it is looked whether they are there, and not in the bin. As a rule all are; where
    /// one is not, all that are come by are looked up. What is logged to a candidate goes after it when it is removed.
    fn seeing_last(self, tx: &mut Tx<'_>) -> Result<Vec<Place>> {
        let found = Step { unseen: true, ..self }.walk(tx)?;
        if self.count_shown(tx, &found)? == found.len() {
            return Ok(found);
        }
        self.walk(tx)
    }

    /// How many of these the view shows.
    fn count_shown(&self, tx: &mut Tx<'_>, places: &[Place]) -> Result<usize> {
        let numbers: Vec<i64> = places.iter().map(|place| place.id.0).collect();
        let is_shown = if self.search.view == View::Active { " AND c.deleted_at IS NULL" } else { "" };
        let mut shown = 0;
        for chunk in sql::padded(&numbers) {
            let among = sql::placeholders(2, chunk.len());
            let text = format!(
                "SELECT count(*) FROM candidates c WHERE c.project_id = $1 AND c.id IN ({among}){is_shown}"
            );
            let values = sql::bind(&[&self.search.project.0], &chunk);
            shown += tx.query_one(&text, &values, |row| row.get::<i64>(0))?;
        }
        Ok(usize::try_from(shown).unwrap_or(0))
    }
}
