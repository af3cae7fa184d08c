//! The order of a search, its phases, and a candidate's place in it.

use std::cmp::Ordering;

use modelry_core::ids::{CandidateId, ProjectId};
use modelry_core::search::entity::CandidateAttribute;
use modelry_core::search::order::{Order, OrderKey};
use modelry_core::{Error, Result};
use modelry_db::Tx;
use serde::{Deserialize, Serialize};

use super::key::{LoggedKey, Table};
use crate::keys;
use crate::search::keyset::SortValue;

/// A part of the order, by what the first key is: each part is a statement of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// It is there, and a number where it is a metric.
    Present = 0,
    /// It is NaN.
    NotANumber = 1,
    /// It is not there.
    Missing = 2,
}

impl Phase {
    /// The number that stands for it, as `metric_latest.rank` has it.
    pub(super) fn rank(self) -> i64 {
        self as i64
    }

    /// The condition that row `alias` of `metric_latest` is in this phase: by the rank too where the index of the values is
    /// walked, and by the value alone, which says as much, where a row is looked up by its key. The rank does not stand
    /// beside that.
    pub(super) fn of_metric(self, alias: &str, is_walked: bool) -> String {
        match (self, is_walked) {
            (Self::Present, true) => format!("{alias}.rank = {}", self.rank()),
            (Self::Present, false) => format!("{alias}.value IS NOT NULL"),
            // That the value is null is said for the order of the index, which goes on with the start behind it.
            (Self::NotANumber, true) => format!("{alias}.rank = {} AND {alias}.value IS NULL", self.rank()),
            (Self::NotANumber, false) => format!("{alias}.value IS NULL"),
            (Self::Missing, _) => "FALSE".to_owned(),
        }
    }
}

/// What is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// An attribute.
    Attribute(CandidateAttribute),
    /// The latest value of a metric, or the first 128 characters of a param or metadata.
    Logged(LoggedKey),
    /// A key that nobody ever logged.
    Nothing,
}

/// One key of the order.
#[derive(Clone, Copy, Debug)]
pub(super) struct SortKey {
    pub(super) source: Source,
    pub(super) descending: bool,
}

/// A whole order: some keys, then the start, then the number.
#[derive(Clone, Debug)]
pub(super) struct Sorting {
    pub(super) keys: Vec<SortKey>,
    /// The direction of the start and the number: newest first, unless the order ends with the start.
    pub(super) newest_first: bool,
}

/// A candidate's place in an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Place {
    /// Each key's rank (what [`Phase::rank`] says) and value; any value of the right kind where it has none.
    pub(super) keys: Vec<(i64, SortValue)>,
    pub(super) start_time: i64,
    pub(super) id: CandidateId,
}

impl Place {
    /// The value of the first key.
    pub(super) fn first_value(&self) -> Option<&SortValue> {
        self.keys.first().map(|(_, value)| value)
    }

    /// What the index of the order has it by: the value of the first key, or the start where there is none.
    pub(super) fn indexed(&self) -> SortValue {
        self.first_value().cloned().unwrap_or(SortValue::Integer(self.start_time))
    }

    /// The rank of the phase that it is in.
    pub(super) fn rank(&self) -> i64 {
        self.keys.first().map_or(Phase::Present.rank(), |(rank, _)| *rank)
    }
}

impl Sorting {
    /// The order that is asked for, with the numbers of its keys. In one experiment the artifacts of candidates stand in
    /// the order of their public ids.
    pub(super) fn resolve(
        tx: &mut Tx<'_>,
        project: ProjectId,
        orders: &[Order<CandidateAttribute>],
        in_one_experiment: bool,
    ) -> Result<Self> {
        let mut keys = Vec::with_capacity(orders.len());
        for order in orders {
            let (table, name) = match &order.key {
                OrderKey::Attribute(CandidateAttribute::StartTime) => {
                    // What follows the start can only decide between equal starts, and there the number decides.
                    return Ok(Self { keys, newest_first: order.descending });
                }
                OrderKey::Attribute(attribute) => {
                    let source = Source::Attribute(match attribute {
                        CandidateAttribute::ArtifactUri if in_one_experiment => CandidateAttribute::Eid,
                        other => *other,
                    });
                    keys.push(SortKey { source, descending: order.descending });
                    if source == Source::Attribute(CandidateAttribute::Eid) {
                        // An id is there once, so that nothing is left to decide.
                        return Ok(Self { keys, newest_first: true });
                    }
                    continue;
                }
                OrderKey::Metric(name) => (Table::Metrics, name),
                OrderKey::Param(name) => (Table::Params, name),
                OrderKey::Metadata(name) => (Table::Metadata, name),
            };
            let found = keys::find(tx, project, name)?;
            let source = found.map_or(Source::Nothing, |id| Source::Logged(LoggedKey { table, id }));
            keys.push(SortKey { source, descending: order.descending });
        }
        Ok(Self { keys, newest_first: true })
    }

    /// The logged key that comes first, if one does.
    pub(super) fn first_logged(&self) -> Option<LoggedKey> {
        match self.keys.first()?.source {
            Source::Logged(key) => Some(key),
            Source::Attribute(_) | Source::Nothing => None,
        }
    }

    /// The attribute whose index has the order: that of the first key, or the start where there is none.
    pub(super) fn first_attribute(&self) -> Option<CandidateAttribute> {
        match self.keys.first().map(|key| key.source) {
            None | Some(Source::Nothing) => Some(CandidateAttribute::StartTime),
            Some(Source::Attribute(attribute)) => Some(attribute),
            Some(Source::Logged(_)) => None,
        }
    }

    /// Whether no two candidates are equal in the first key.
    pub(super) fn has_no_ties(&self) -> bool {
        self.first_attribute() == Some(CandidateAttribute::Eid)
    }

    /// Whether the direction of the only key is not that of the start and the number: no index has such an order.
    pub(super) fn turns(&self) -> bool {
        matches!(self.keys.as_slice(), [key] if key.descending != self.newest_first) && !self.has_no_ties()
    }

    /// Fails when a place that a client sent is not one of this order.
    pub(super) fn check(&self, place: Place) -> Result<Place> {
        let fits = |(key, (rank, value)): (&SortKey, &(i64, SortValue))| {
            (0..=Phase::Missing.rank()).contains(rank) && key.source.fits(value)
        };
        if place.keys.len() == self.keys.len() && self.keys.iter().zip(&place.keys).all(fits) {
            Ok(place)
        } else {
            Err(Error::invalid("Invalid page token"))
        }
    }

    /// The phases that are left behind `start`, in order.
    pub(super) fn phases(&self, start: Option<&Place>) -> Vec<Phase> {
        let all: &[Phase] = match self.keys.first().map(|key| key.source) {
            Some(Source::Logged(LoggedKey { table: Table::Metrics, .. })) => {
                &[Phase::Present, Phase::NotANumber, Phase::Missing]
            }
            Some(Source::Logged(_) | Source::Attribute(CandidateAttribute::EndTime)) => {
                &[Phase::Present, Phase::Missing]
            }
            Some(Source::Nothing) => &[Phase::Missing],
            Some(Source::Attribute(_)) | None => &[Phase::Present],
        };
        let reached = start.map_or(Phase::Present.rank(), Place::rank);
        all.iter().copied().filter(|phase| phase.rank() >= reached).collect()
    }

    /// The order of two places, as the statements have it.
    pub(super) fn compare(&self, left: &Place, right: &Place) -> Ordering {
        for (key, (left, right)) in self.keys.iter().zip(left.keys.iter().zip(&right.keys)) {
            let values = left.1.compare(&right.1);
            let values = if key.descending { values.reverse() } else { values };
            let ordering = left.0.cmp(&right.0).then(values);
            if ordering != Ordering::Equal {
                return ordering;
            }
        }
        let ends = (left.start_time, left.id).cmp(&(right.start_time, right.id));
        if self.newest_first { ends.reverse() } else { ends }
    }
}

impl Source {
    /// A value of its kind, for where a candidate has none: what the statements' `coalesce` says too.
    pub(super) fn blank(self) -> SortValue {
        match self {
            Self::Logged(LoggedKey { table: Table::Metrics, .. }) => SortValue::Number(0.0),
            Self::Attribute(CandidateAttribute::StartTime | CandidateAttribute::EndTime) => {
                SortValue::Integer(0)
            }
            Self::Attribute(_) | Self::Logged(_) | Self::Nothing => SortValue::Text(String::new()),
        }
    }

    fn fits(self, value: &SortValue) -> bool {
        std::mem::discriminant(&self.blank()) == std::mem::discriminant(value)
    }
}
