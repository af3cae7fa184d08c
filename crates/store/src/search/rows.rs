//! Searching for what a project has few of, or what one index puts in order: a statement filters, sorts and keeps a page.
//!
//! Candidates and logged models, of which there are many, have searches of their own.

#[cfg(test)]
mod plans;

use std::fmt::Debug;

use modelry_core::ids::ProjectId;
use modelry_core::search::expr::{Condition, Expr, Field, Test};
use modelry_core::search::order::{Order, OrderKey};
use modelry_core::{Error, Result};
use modelry_db::{Row, Tx};

use super::View;
use super::binds::Binds;
use super::condition;
use super::keyset::{self, SortValue, Term};

/// A kind of thing that is searched in this way.
pub trait Searched {
    /// What it can be searched by.
    type Attribute: Copy + Debug + Eq + 'static;

    /// `SELECT` its columns, up to and with a condition: more follow after `AND`.
    fn select() -> String;

    /// SQL for its project.
    const PROJECT: &'static str;

    /// SQL for when it was put into the bin.
    const DELETED_AT: &'static str;

    /// What decides what an order leaves open: together they are different for each row.
    const LAST_KEYS: &'static [SortKey<Self::Attribute>];

    /// Reads a row.
    fn read(row: &Row<'_>) -> Result<Self>
    where
        Self: Sized;

    /// SQL for an attribute, for orders.
    fn column(attribute: Self::Attribute) -> &'static str;

    /// SQL for an attribute that is tested as text.
    fn text_column(attribute: Self::Attribute) -> &'static str {
        Self::column(attribute)
    }

    /// Its place in an order.
    fn sort_value(&self, attribute: Self::Attribute) -> SortValue;

    /// Whether an attribute is ordered by as text; it is a whole number otherwise.
    fn sorts_as_text(attribute: Self::Attribute) -> bool;

    /// SQL for the rows `d` of its metadata of a name, which is a placeholder.
    fn has_metadata(name: &str) -> String;

    /// SQL for a test of metadata that is not metadata alone, if this is one.
    fn special_metadata(_binds: &mut Binds, _name: &str, _condition: &Condition) -> Option<String> {
        None
    }

    /// A condition that all that is found satisfies anyway, said so that an engine finds the index that has few rows,
    /// or that has them in the order that starts with `first`.
    fn narrowed(
        _binds: &mut Binds,
        _project: ProjectId,
        _filter: Option<&Expr<Self::Attribute>>,
        _first: Self::Attribute,
    ) -> Option<String> {
        None
    }

    /// A condition that a filter stands under, if it does.
    fn unless_asked(_filter: Option<&Expr<Self::Attribute>>) -> Option<&'static str> {
        None
    }
}

/// One key of an order.
#[derive(Clone, Copy, Debug)]
pub struct SortKey<A> {
    /// What is compared.
    pub attribute: A,
    /// Greatest first.
    pub descending: bool,
}

/// What is searched for.
#[derive(Clone, Debug)]
pub struct Query<A> {
    /// Which ones.
    pub filter: Option<Expr<A>>,
    /// In which order. What it leaves open is decided by [`Searched::LAST_KEYS`].
    pub order: Vec<Order<A>>,
    /// In the bin or not.
    pub view: View,
    /// How many at most.
    pub limit: usize,
    /// Where the page starts: what the page before said of it.
    pub page_token: Option<String>,
}

// Not derived, which would ask it of `A`.
impl<A> Default for Query<A> {
    fn default() -> Self {
        Self { filter: None, order: Vec::new(), view: View::default(), limit: 0, page_token: None }
    }
}

impl<A: Debug> Query<A> {
    /// All that tells this search from others.
    fn identity(&self) -> impl Debug {
        (&self.filter, &self.order, self.view)
    }
}

/// A part of what was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The rows, in order.
    pub rows: Vec<T>,
    /// What the next page starts with, if there is one.
    pub next_page_token: Option<String>,
}

/// What `query` finds in a project.
///
/// Fails with `Invalid` when the page token does not belong to the same search.
pub fn page<T: Searched>(
    tx: &mut Tx<'_>,
    project: ProjectId,
    query: &Query<T::Attribute>,
) -> Result<Page<T>> {
    let keys = sort_keys(&query.order, T::LAST_KEYS);
    let mut binds = Binds::default();
    let text = statement::<T>(&mut binds, project, query, &keys)?;
    let mut rows = tx.query(&text, &binds.as_params(), T::read)?;
    let more = rows.len() > query.limit;
    rows.truncate(query.limit);
    let last = rows.last().filter(|_| more);
    let next_page_token = last.map(|last| {
        let place: Vec<SortValue> = keys.iter().map(|key| last.sort_value(key.attribute)).collect();
        keyset::write_token(&query.identity(), place)
    });
    Ok(Page { rows, next_page_token })
}

/// The statement for one page and one row more, which tells whether there is a next page.
fn statement<T: Searched>(
    binds: &mut Binds,
    project: ProjectId,
    query: &Query<T::Attribute>,
    keys: &[SortKey<T::Attribute>],
) -> Result<String> {
    let mut conditions = vec![format!("{} = {}", T::PROJECT, binds.add(project.0))];
    conditions.extend(match query.view {
        View::Active => Some(format!("{} IS NULL", T::DELETED_AT)),
        View::Deleted => Some(format!("{} IS NOT NULL", T::DELETED_AT)),
        View::All => None,
    });
    conditions.extend(T::unless_asked(query.filter.as_ref()).map(str::to_owned));
    let first = keys.first().map(|key| key.attribute);
    conditions.extend(first.and_then(|first| T::narrowed(binds, project, query.filter.as_ref(), first)));
    if let Some(filter) = &query.filter {
        conditions.push(format!("({})", expr::<T>(binds, filter)));
    }
    let terms: Vec<Term> = keys
        .iter()
        .map(|key| Term { sql: T::column(key.attribute).to_owned(), descending: key.descending })
        .collect();
    if let Some(token) = &query.page_token {
        let place: Vec<SortValue> = keyset::read_token(&query.identity(), token)?;
        if !fits::<T>(keys, &place) {
            return Err(Error::invalid("Invalid page token"));
        }
        conditions.push(keyset::behind(binds, &terms, &place));
    }
    let limit = binds.add(i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1));
    let (select, conditions, order) = (T::select(), conditions.join(" AND "), keyset::order_by(&terms));
    Ok(format!("{select} AND {conditions} ORDER BY {order} LIMIT {limit}"))
}

/// Whether a place read from a token is one in this order. Its texts and numbers may be any, its types may not.
fn fits<T: Searched>(keys: &[SortKey<T::Attribute>], place: &[SortValue]) -> bool {
    let is_text = |key: &SortKey<T::Attribute>| T::sorts_as_text(key.attribute);
    place.len() == keys.len()
        && keys.iter().zip(place).all(|(key, value)| match value {
            SortValue::Text(_) => is_text(key),
            SortValue::Integer(_) => !is_text(key),
            SortValue::Number(_) => false,
        })
}

/// What is ordered by: as asked for, then the last keys; each attribute once.
fn sort_keys<A: Copy + Eq>(orders: &[Order<A>], last: &[SortKey<A>]) -> Vec<SortKey<A>> {
    let asked = orders.iter().filter_map(|order| match order.key {
        OrderKey::Attribute(attribute) => Some(SortKey { attribute, descending: order.descending }),
        // These are ordered by nothing else: the grammar lets it through for no entity without it.
        OrderKey::Metric(_) | OrderKey::Param(_) | OrderKey::Metadata(_) => None,
    });
    let mut keys: Vec<SortKey<A>> = Vec::new();
    for key in asked.chain(last.iter().copied()) {
        if keys.iter().all(|other| other.attribute != key.attribute) {
            keys.push(key);
        }
    }
    keys
}

fn expr<T: Searched>(binds: &mut Binds, filter: &Expr<T::Attribute>) -> String {
    match filter {
        Expr::And(parts) => joined::<T>(binds, parts, " AND "),
        Expr::Or(parts) => joined::<T>(binds, parts, " OR "),
        // What is null, because something is missing, is false here, so that its negation is true.
        Expr::Not(inner) => format!("NOT coalesce(({}), FALSE)", expr::<T>(binds, inner)),
        Expr::Test(test) => compile::<T>(binds, test),
    }
}

fn joined<T: Searched>(binds: &mut Binds, parts: &[Expr<T::Attribute>], operator: &str) -> String {
    let parts: Vec<_> = parts.iter().map(|part| format!("({})", expr::<T>(binds, part))).collect();
    parts.join(operator)
}

fn compile<T: Searched>(binds: &mut Binds, test: &Test<T::Attribute>) -> String {
    match &test.field {
        Field::Attribute(attribute) => {
            let is_text = matches!(test.condition, Condition::Text { .. } | Condition::TextIn { .. });
            let value = if is_text { T::text_column(*attribute) } else { T::column(*attribute) };
            condition::compile(binds, value, &test.condition)
        }
        Field::Metadata(name) => match T::special_metadata(binds, name, &test.condition) {
            Some(special) => special,
            None => metadata::<T>(binds, name, &test.condition),
        },
        // These have neither: the grammar lets none through.
        Field::Metric(_) | Field::Param(_) | Field::Dataset(_) => "FALSE".to_owned(),
    }
}

fn metadata<T: Searched>(binds: &mut Binds, name: &str, condition: &Condition) -> String {
    let there = T::has_metadata(&binds.add(name.to_owned()));
    match condition {
        Condition::Null { negated: false } => format!("NOT EXISTS ({there})"),
        Condition::Null { negated: true } => format!("EXISTS ({there})"),
        condition => format!("EXISTS ({there} AND {})", condition::compile(binds, "d.value", condition)),
    }
}

/// The tests that all hold where the filter does.
pub(super) fn conjuncts<A>(filter: &Expr<A>) -> Vec<&Test<A>> {
    match filter {
        Expr::And(parts) => parts.iter().flat_map(conjuncts).collect(),
        Expr::Test(test) => vec![test],
        Expr::Or(_) | Expr::Not(_) => Vec::new(),
    }
}

/// Whether a filter says anything of metadata of this name.
pub(super) fn mentions<A>(filter: &Expr<A>, wanted: &str) -> bool {
    match filter {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().any(|part| mentions(part, wanted)),
        Expr::Not(inner) => mentions(inner, wanted),
        Expr::Test(test) => matches!(&test.field, Field::Metadata(name) if name == wanted),
    }
}
