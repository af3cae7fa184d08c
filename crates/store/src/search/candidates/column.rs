//! What a statement says of each key of the order, as SQL.

use modelry_core::Result;
use modelry_core::ids::CandidateId;
use modelry_core::search::entity::CandidateAttribute;
use modelry_db::Row;

use super::attribute::Attributes;
use super::key::Table;
use super::order::{Phase, Place, Sorting, Source};
use super::statement::Reach;
use crate::search::binds::Binds;
use crate::search::keyset::{SortValue, Term};

/// One key of the order in one statement. Neither side is ever null.
pub(super) struct Column {
    rank: Rank,
    /// The value, unless the phase says that there is none.
    value: Option<String>,
}

enum Rank {
    Known(i64),
    Sql(String),
}

impl Column {
    /// The first key, whose rank the phase says. `o` is its row, where it has one.
    pub(super) fn of_first(binds: &mut Binds, source: Source, phase: Phase, attributes: &Attributes) -> Self {
        let value = match (phase, source) {
            (Phase::NotANumber | Phase::Missing, _) | (Phase::Present, Source::Nothing) => None,
            (Phase::Present, Source::Attribute(attribute)) => Some(attributes.sortable(binds, attribute)),
            (Phase::Present, Source::Logged(key)) => Some(format!("o.{}", key.table.indexed())),
        };
        Self { rank: Rank::Known(phase.rank()), value }
    }

    /// A further key. `alias` is its row, joined where there is one.
    pub(super) fn of_further(
        binds: &mut Binds,
        source: Source,
        alias: &str,
        attributes: &Attributes,
    ) -> Self {
        let (rank, value) = match source {
            Source::Nothing => return Self { rank: Rank::Known(Phase::Missing.rank()), value: None },
            Source::Attribute(CandidateAttribute::EndTime) => {
                (missing_where("c.end_time IS NULL"), "coalesce(c.end_time, 0)".to_owned())
            }
            Source::Attribute(attribute) => {
                (Rank::Known(Phase::Present.rank()), attributes.sortable(binds, attribute))
            }
            Source::Logged(key) => match key.table {
                Table::Metrics => (rank_of_metric(alias), format!("coalesce({alias}.value, 0.0)")),
                Table::Params | Table::Metadata => (
                    missing_where(&format!("{alias}.candidate_id IS NULL")),
                    format!("coalesce({alias}.sort, '')"),
                ),
            },
        };
        Self { rank, value: Some(value) }
    }

    /// The expressions to select, in the order in which [`Columns::read`] reads them.
    pub(super) fn selected(&self) -> impl Iterator<Item = &str> {
        let rank = match &self.rank {
            Rank::Known(_) => None,
            Rank::Sql(sql) => Some(sql),
        };
        rank.into_iter().chain(&self.value).map(String::as_str)
    }

    fn read(&self, row: &Row<'_>, at: &mut usize, source: Source) -> Result<(i64, SortValue)> {
        let mut next = || {
            *at += 1;
            *at - 1
        };
        let rank = match self.rank {
            Rank::Known(rank) => rank,
            Rank::Sql(_) => row.get(next())?,
        };
        let value = match (&self.value, source.blank()) {
            (None, blank) => blank,
            (Some(_), SortValue::Integer(_)) => SortValue::Integer(row.get(next())?),
            (Some(_), SortValue::Number(_)) => SortValue::Number(row.get(next())?),
            (Some(_), SortValue::Text(_)) => SortValue::Text(row.get(next())?),
        };
        Ok((rank, value))
    }
}

/// `CAST`, because PostgreSQL takes a bare number for 32 bits.
fn missing_where(condition: &str) -> Rank {
    let (missing, present) = (Phase::Missing.rank(), Phase::Present.rank());
    Rank::Sql(format!("CAST(CASE WHEN {condition} THEN {missing} ELSE {present} END AS BIGINT)"))
}

/// The phase that row `alias` of `metric_latest` is in, where it is joined if there is one.
fn rank_of_metric(alias: &str) -> Rank {
    let [present, nan, missing] = [Phase::Present, Phase::NotANumber, Phase::Missing].map(Phase::rank);
    Rank::Sql(format!(
        "CAST(CASE WHEN {alias}.value IS NOT NULL THEN {present} WHEN {alias}.candidate_id IS NOT NULL THEN {nan}
              ELSE {missing} END AS BIGINT)"
    ))
}

/// All that a statement orders by: the columns, then the start and the number.
pub(super) struct Columns<'q> {
    pub(super) sorting: &'q Sorting,
    /// One for each key of the order.
    pub(super) keys: Vec<Column>,
    /// The start and the number, as the table has them whose index is walked.
    pub(super) ties: [&'static str; 2],
}

impl Columns<'_> {
    /// What is selected: the number, the start, then what the columns say.
    pub(super) fn select(&self) -> String {
        let keys = self.keys.iter().flat_map(Column::selected);
        let [start, id] = self.ties;
        [id, start].into_iter().chain(keys).collect::<Vec<_>>().join(", ")
    }

    /// The place of the candidate in a row of what [`Columns::select`] says.
    pub(super) fn read(&self, row: &Row<'_>) -> Result<Place> {
        let mut at = 2;
        let keys = self.keys.iter().zip(&self.sorting.keys);
        let keys = keys.map(|(column, key)| column.read(row, &mut at, key.source)).collect::<Result<_>>()?;
        Ok(Place { keys, start_time: row.get(1)?, id: CandidateId(row.get(0)?) })
    }

    /// What is ordered by; what the phase says of every row is left out.
    pub(super) fn terms(&self) -> Vec<Term> {
        let mut terms = Vec::new();
        for (column, key) in self.keys.iter().zip(&self.sorting.keys) {
            if let Rank::Sql(sql) = &column.rank {
                terms.push(Term::ascending(sql));
            }
            if let Some(value) = &column.value {
                terms.push(Term { sql: value.clone(), descending: key.descending });
            }
        }
        terms.extend(self.tie_terms());
        terms
    }

    /// What decides between equal values: nothing where there are none.
    pub(super) fn tie_terms(&self) -> Vec<Term> {
        let term = |sql: &str| Term { sql: sql.to_owned(), descending: self.sorting.newest_first };
        if self.sorting.has_no_ties() { Vec::new() } else { self.ties.map(term).to_vec() }
    }

    /// What a statement is ordered by.
    pub(super) fn ordered_by(&self, reach: Reach<'_>) -> Vec<Term> {
        match reach {
            Reach::All => self.terms(),
            Reach::Value(_) => self.tie_terms(),
            Reach::Beyond(_) => {
                let mut terms = self.terms();
                let descending = terms.first().is_some_and(|first| first.descending);
                for term in &mut terms {
                    term.descending = descending;
                }
                terms
            }
        }
    }

    /// What the first key is ordered by, where the phase does not say that it is missing.
    pub(super) fn first_value(&self) -> Option<&str> {
        self.keys.first()?.value.as_deref()
    }

    /// The values of a place, one for each of [`Columns::terms`].
    pub(super) fn values(&self, place: &Place) -> Vec<SortValue> {
        let mut values = Vec::new();
        for (column, (rank, value)) in self.keys.iter().zip(&place.keys) {
            if let Rank::Sql(_) = column.rank {
                values.push(SortValue::Integer(*rank));
            }
            if column.value.is_some() {
                values.push(value.clone());
            }
        }
        values.extend(self.tie_values(place));
        values
    }

    /// The values of a place, one for each of [`Columns::tie_terms`].
    pub(super) fn tie_values(&self, place: &Place) -> Vec<SortValue> {
        if self.sorting.has_no_ties() {
            return Vec::new();
        }
        vec![SortValue::Integer(place.start_time), SortValue::Integer(place.id.0)]
    }
}
