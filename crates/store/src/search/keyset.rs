//! Places in an order, and the SQL that goes on behind one: what page tokens are made of.

use std::cmp::Ordering;

use modelry_core::{Error, Result, paging};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::binds::Binds;

/// A value that rows are ordered by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SortValue {
    /// A whole number.
    #[serde(rename = "i")]
    Integer(i64),
    /// A finite number.
    #[serde(rename = "n")]
    Number(f64),
    /// A text.
    #[serde(rename = "t")]
    Text(String),
}

impl SortValue {
    /// The order of values of one kind, as both engines have it.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => left.cmp(right),
            (Self::Number(left), Self::Number(right)) => left.total_cmp(right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            (Self::Integer(_) | Self::Number(_) | Self::Text(_), _) => Ordering::Equal,
        }
    }

    /// Adds it to the values of a statement, and answers its placeholder.
    pub(super) fn bind(&self, binds: &mut Binds) -> String {
        match self {
            Self::Integer(value) => binds.add(*value),
            Self::Number(value) => binds.add(*value),
            Self::Text(value) => binds.add(value.clone()),
        }
    }
}

/// One expression of an `ORDER BY`, never null.
#[derive(Clone, Debug)]
pub(super) struct Term {
    /// SQL for the value.
    pub(super) sql: String,
    /// Greatest first.
    pub(super) descending: bool,
}

impl Term {
    /// Least first.
    pub(super) fn ascending(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), descending: false }
    }
}

/// What follows `ORDER BY`.
pub(super) fn order_by(terms: &[Term]) -> String {
    let term = |term: &Term| format!("{} {}", term.sql, if term.descending { "DESC" } else { "ASC" });
    terms.iter().map(term).collect::<Vec<_>>().join(", ")
}

/// The condition that a row comes behind the one that has these values.
///
/// An index can use all of it where the terms have one direction. Where not, it starts with a bound on the first term
/// alone, which an index can use.
pub(super) fn behind(binds: &mut Binds, terms: &[Term], values: &[SortValue]) -> String {
    if let [first, _, ..] = terms
        && terms.iter().all(|term| term.descending == first.descending)
    {
        let values: Vec<_> = values.iter().map(|value| value.bind(binds)).collect();
        let terms: Vec<_> = terms.iter().map(|term| term.sql.as_str()).collect();
        let sign = if first.descending { "<" } else { ">" };
        return format!("({}) {sign} ({})", terms.join(", "), values.join(", "));
    }
    let mut pairs = terms.iter().zip(values).map(|(term, value)| (term, value.bind(binds)));
    let Some((first, value)) = pairs.next() else { return "FALSE".to_owned() };
    let rest: Vec<_> = pairs.collect();
    let mut condition = "FALSE".to_owned();
    for (term, value) in rest.into_iter().rev() {
        let sign = if term.descending { "<" } else { ">" };
        condition = format!("({0} {sign} {value} OR ({0} = {value} AND {condition}))", term.sql);
    }
    let sign = if first.descending { "<" } else { ">" };
    format!("{0} {sign}= {value} AND ({0} {sign} {value} OR {condition})", first.sql)
}

/// The condition that a row comes before the one that has these values.
pub(super) fn ahead(binds: &mut Binds, terms: &[Term], values: &[SortValue]) -> String {
    let reversed = terms.iter().map(|term| Term { sql: term.sql.clone(), descending: !term.descending });
    behind(binds, &reversed.collect::<Vec<_>>(), values)
}

/// A page token: the last row's place, and which search it belongs to.
#[derive(Serialize, Deserialize)]
struct Token<P> {
    search: String,
    last: P,
}

/// The token for the page behind `last`. `search` is whatever tells this search from others.
pub(super) fn write_token<P: Serialize>(search: &impl std::fmt::Debug, last: P) -> String {
    paging::encode_token(&Token { search: fingerprint(search), last })
}

/// The place that a token names. Fails when it is the token of another search.
pub(super) fn read_token<P: DeserializeOwned>(search: &impl std::fmt::Debug, token: &str) -> Result<P> {
    let token: Token<P> = paging::decode_token(token)?;
    if token.search == fingerprint(search) {
        return Ok(token.last);
    }
    Err(Error::invalid(
        "Invalid page token: it belongs to a search with another filter, order or set of experiments",
    ))
}

/// Only its being the same matters, so it is made of the debug form.
fn fingerprint(search: &impl std::fmt::Debug) -> String {
    hex::encode(&Sha256::digest(format!("{search:?}"))[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_condition_behind_a_place_bounds_the_first_term_alone() {
        let descending = |sql: &str| Term { sql: sql.to_owned(), descending: true };
        let terms = [Term::ascending("a"), descending("b"), descending("id")];
        let values = [SortValue::Number(1.5), SortValue::Integer(7), SortValue::Integer(9)];
        let condition = behind(&mut Binds::default(), &terms, &values);
        assert_eq!(
            condition,
            "a >= $1 AND (a > $1 OR (b < $2 OR (b = $2 AND (id < $3 OR (id = $3 AND FALSE)))))"
        );
    }

    #[test]
    fn with_one_direction_the_condition_is_one_comparison() {
        let terms = [Term::ascending("a"), Term::ascending("id")];
        let values = [SortValue::Number(1.5), SortValue::Integer(9)];
        assert_eq!(behind(&mut Binds::default(), &terms, &values), "(a, id) > ($1, $2)");
        assert_eq!(ahead(&mut Binds::default(), &terms, &values), "(a, id) < ($1, $2)");
    }

    #[test]
    fn a_token_of_another_search_is_refused() {
        let token = write_token(&("filter", 1), SortValue::Integer(3));
        assert_eq!(read_token::<SortValue>(&("filter", 1), &token).unwrap(), SortValue::Integer(3));
        assert!(read_token::<SortValue>(&("filter", 2), &token).is_err());
    }
}
