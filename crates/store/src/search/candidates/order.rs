//! The order of a search, its phases, and a candidate's place in it.

use std::cmp::Ordering;

use modelry_core::ids::{CandidateId, KeyId, ProjectId};
use modelry_core::search::entity::CandidateAttribute;
use modelry_core::search::order::{Order, OrderKey};
use modelry_core::{Error, Result};
use modelry_db::{Row, Tx};
use serde::{Deserialize, Serialize};

use crate::keys;
use crate::search::binds::Binds;
use crate::search::keyset::{SortValue, Term};

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
}

/// What is ordered by, with the number of its key.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// An attribute that every candidate has, as SQL over `candidates c`.
    Attribute(CandidateAttribute),
    /// The latest value of a metric; `None` is a key that nobody ever logged.
    Metric(Option<KeyId>),
    /// A param (`params`) or metadata (`metadata`), by its first 128 characters.
    Text(&'static str, Option<KeyId>),
}

/// One key of the order.
#[derive(Clone, Debug)]
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
    /// Each key's phase and value.
    pub(super) keys: Vec<(i64, SortValue)>,
    pub(super) start_time: i64,
    pub(super) id: CandidateId,
}

impl Sorting {
    /// The order that is asked for, with the numbers of its keys.
    pub(super) fn resolve(
        tx: &mut Tx<'_>,
        project: ProjectId,
        orders: &[Order<CandidateAttribute>],
    ) -> Result<Self> {
        let mut keys = Vec::with_capacity(orders.len());
        for order in orders {
            let source = match &order.key {
                OrderKey::Attribute(CandidateAttribute::StartTime) => {
                    // What follows the start can only decide between equal starts, and there the number decides.
                    return Ok(Self { keys, newest_first: order.descending });
                }
                OrderKey::Attribute(attribute) => Source::Attribute(*attribute),
                OrderKey::Metric(name) => Source::Metric(keys::find(tx, project, name)?),
                OrderKey::Param(name) => Source::Text("params", keys::find(tx, project, name)?),
                OrderKey::Metadata(name) => Source::Text("metadata", keys::find(tx, project, name)?),
            };
            keys.push(SortKey { source, descending: order.descending });
        }
        Ok(Self { keys, newest_first: true })
    }

    /// Fails when a place that a client sent is not one of this order.
    pub(super) fn check(&self, place: Place) -> Result<Place> {
        let fits = place.keys.len() == self.keys.len()
            && self.keys.iter().zip(&place.keys).all(|(key, (rank, value))| key.fits(*rank, value));
        if fits { Ok(place) } else { Err(Error::invalid("Invalid page token")) }
    }

    /// The phases that are left behind `start`, in order.
    pub(super) fn phases(&self, start: Option<&Place>) -> Vec<Phase> {
        let all: &[Phase] = match self.keys.first().map(|key| &key.source) {
            None => &[Phase::Present],
            Some(Source::Attribute(CandidateAttribute::EndTime)) => &[Phase::Present, Phase::Missing],
            Some(Source::Attribute(_)) => &[Phase::Present],
            Some(Source::Metric(Some(_))) => &[Phase::Present, Phase::NotANumber, Phase::Missing],
            Some(Source::Text(_, Some(_))) => &[Phase::Present, Phase::Missing],
            Some(Source::Metric(None) | Source::Text(_, None)) => &[Phase::Missing],
        };
        let reached = start.and_then(|place| place.keys.first()).map_or(0, |(rank, _)| *rank);
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

    /// The start and the number, which end every order.
    pub(super) fn ends(&self) -> [Term; 2] {
        ["c.start_time", "c.id"].map(|sql| Term { sql: sql.to_owned(), descending: self.newest_first })
    }

    /// The place of the candidate in a row: number, start, then phase and value of each key.
    pub(super) fn read_place(&self, row: &Row<'_>) -> Result<Place> {
        let keys = self.keys.iter().enumerate().map(|(index, key)| {
            let rank: i64 = row.get(2 + 2 * index)?;
            let value = if rank == 0 { key.read(row, 3 + 2 * index)? } else { SortValue::Nothing };
            Ok((rank, value))
        });
        Ok(Place {
            keys: keys.collect::<Result<_>>()?,
            id: CandidateId(row.get(0)?),
            start_time: row.get(1)?,
        })
    }
}

impl SortKey {
    fn read(&self, row: &Row<'_>, column: usize) -> Result<SortValue> {
        Ok(match self.source {
            Source::Metric(_) => SortValue::Number(row.get(column)?),
            Source::Attribute(CandidateAttribute::StartTime | CandidateAttribute::EndTime) => {
                SortValue::Integer(row.get(column)?)
            }
            Source::Attribute(_) | Source::Text(..) => SortValue::Text(row.get(column)?),
        })
    }

    fn fits(&self, rank: i64, value: &SortValue) -> bool {
        match (rank, value) {
            (0, SortValue::Number(_)) => matches!(self.source, Source::Metric(_)),
            (0, SortValue::Integer(_)) => {
                matches!(self.source, Source::Attribute(CandidateAttribute::EndTime))
            }
            (0, SortValue::Text(_)) => match self.source {
                Source::Text(..) => true,
                Source::Attribute(attribute) => attribute != CandidateAttribute::EndTime,
                Source::Metric(_) => false,
            },
            (1 | 2, SortValue::Nothing) => true,
            _ => false,
        }
    }

    /// The phase and the value of a key that does not drive, as SQL that is never null; `alias` is its joined row.
    pub(super) fn columns(&self, binds: &mut Binds, alias: &str, artifact_root: &str) -> (String, String) {
        match &self.source {
            Source::Metric(Some(_)) => {
                (format!("coalesce({alias}.rank, 2)"), format!("coalesce({alias}.value, 0.0)"))
            }
            Source::Text(_, Some(_)) => (
                format!("CASE WHEN {alias}.candidate_id IS NULL THEN 2 ELSE 0 END"),
                format!("coalesce({alias}.sort, '')"),
            ),
            Source::Metric(None) | Source::Text(_, None) => ("2".to_owned(), "0".to_owned()),
            Source::Attribute(CandidateAttribute::EndTime) => (
                "CASE WHEN c.end_time IS NULL THEN 2 ELSE 0 END".to_owned(),
                "coalesce(c.end_time, 0)".to_owned(),
            ),
            Source::Attribute(attribute) => ("0".to_owned(), attribute_sql(binds, *attribute, artifact_root)),
        }
    }
}

/// An attribute as SQL over `candidates c`.
pub(super) fn attribute_sql(binds: &mut Binds, attribute: CandidateAttribute, artifact_root: &str) -> String {
    match attribute {
        CandidateAttribute::Eid => "c.eid".to_owned(),
        CandidateAttribute::Name => "c.name".to_owned(),
        CandidateAttribute::UserId => "c.user_name".to_owned(),
        CandidateAttribute::Status => {
            "CASE c.status WHEN 1 THEN 'RUNNING' WHEN 2 THEN 'SCHEDULED' WHEN 3 THEN \
                                       'FINISHED' WHEN 4 THEN 'FAILED' ELSE 'KILLED' END"
                .to_owned()
        }
        CandidateAttribute::ArtifactUri => {
            // As `Candidate::artifact_uri` says it.
            let start = binds.add(format!("mlflow-artifacts:/{artifact_root}/"));
            format!("(CAST({start} AS TEXT) || c.eid || '/artifacts')")
        }
        CandidateAttribute::StartTime => "c.start_time".to_owned(),
        CandidateAttribute::EndTime => "c.end_time".to_owned(),
    }
}
