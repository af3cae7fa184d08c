//! Searching for experiments: a project has few, so a statement sorts them and keeps a page.

use modelry_core::ids::ProjectId;
use modelry_core::search::entity::ExperimentAttribute;
use modelry_core::search::expr::{Condition, Expr, Field, Test};
use modelry_core::search::order::{Order, OrderKey};
use modelry_core::{Error, Result};
use modelry_db::Tx;

use super::View;
use super::binds::Binds;
use super::condition;
use super::keyset::{self, SortValue, Term};
use crate::experiments::{COLUMNS, Experiment, read_row};

/// What is searched for.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Which experiments.
    pub filter: Option<Expr<ExperimentAttribute>>,
    /// In which order. What it leaves open is decided by the time of creation, newest first, then by the number.
    pub order: Vec<Order<ExperimentAttribute>>,
    /// In the bin or not.
    pub view: View,
    /// How many at most.
    pub limit: usize,
    /// Where the page starts: what the page before said of it.
    pub page_token: Option<String>,
}

/// A part of what was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The experiments, in order.
    pub experiments: Vec<Experiment>,
    /// What the next page starts with, if there is one.
    pub next_page_token: Option<String>,
}

impl Query {
    /// All that tells this search from others.
    fn identity(&self) -> impl std::fmt::Debug {
        (&self.filter, &self.order, self.view)
    }
}

/// The experiments that `query` finds.
///
/// Fails with `Invalid` when the page token does not belong to the same search.
pub fn page(tx: &mut Tx<'_>, project: ProjectId, query: &Query) -> Result<Page> {
    let keys = sort_keys(&query.order);
    let start = query.page_token.as_ref().map(|token| read_start(&keys, query, token)).transpose()?;
    let mut binds = Binds::default();
    let text = statement(&mut binds, project, query, &keys, start.as_deref());
    let mut found = tx.query(&text, &binds.as_params(), read_row)?;
    let more = found.len() > query.limit;
    found.truncate(query.limit);
    let last = found.last().filter(|_| more);
    let next_page_token = last.map(|last| {
        let place: Vec<SortValue> = keys.iter().map(|key| value_of(key.attribute, last)).collect();
        keyset::write_token(&query.identity(), place)
    });
    Ok(Page { experiments: found, next_page_token })
}

/// The place that a page token names.
fn read_start(keys: &[SortKey], query: &Query, token: &str) -> Result<Vec<SortValue>> {
    let place: Vec<SortValue> = keyset::read_token(&query.identity(), token)?;
    if place.len() == keys.len() && keys.iter().zip(&place).all(|(key, value)| fits(key.attribute, value)) {
        Ok(place)
    } else {
        Err(Error::invalid("Invalid page token"))
    }
}

/// The statement for one page and one experiment more, which tells whether there is a next page.
fn statement(
    binds: &mut Binds,
    project: ProjectId,
    query: &Query,
    keys: &[SortKey],
    start: Option<&[SortValue]>,
) -> String {
    let project = binds.add(project.0);
    let mut conditions = vec![format!("e.project_id = {project}")];
    conditions.extend(match query.view {
        View::Active => Some("e.deleted_at IS NULL".to_owned()),
        View::Deleted => Some("e.deleted_at IS NOT NULL".to_owned()),
        View::All => None,
    });
    if let Some(filter) = &query.filter {
        conditions.push(format!("({})", expr(binds, &project, filter)));
    }
    let terms =
        keys.iter().map(|key| Term { sql: column(key.attribute).to_owned(), descending: key.descending });
    let terms: Vec<Term> = terms.collect();
    conditions.extend(start.map(|start| keyset::behind(binds, &terms, start)));
    let limit = binds.add(i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1));
    let (conditions, order) = (conditions.join(" AND "), keyset::order_by(&terms));
    format!("SELECT {COLUMNS} FROM experiments e WHERE {conditions} ORDER BY {order} LIMIT {limit}")
}

/// One key of the order.
struct SortKey {
    attribute: ExperimentAttribute,
    descending: bool,
}

/// What is ordered by: as asked for, then the time of creation, then the number. What follows the number is left out,
/// because it can decide nothing.
fn sort_keys(orders: &[Order<ExperimentAttribute>]) -> Vec<SortKey> {
    let asked = orders.iter().filter_map(|order| match order.key {
        OrderKey::Attribute(attribute) => Some(SortKey { attribute, descending: order.descending }),
        // Experiments are ordered by nothing else: the grammar lets it through for no entity without it.
        OrderKey::Metric(_) | OrderKey::Param(_) | OrderKey::Metadata(_) => None,
    });
    let ends = [
        SortKey { attribute: ExperimentAttribute::CreationTime, descending: true },
        SortKey { attribute: ExperimentAttribute::Id, descending: false },
    ];
    let mut keys: Vec<SortKey> = Vec::new();
    for key in asked.chain(ends) {
        if !keys.iter().any(|other| [key.attribute, ExperimentAttribute::Id].contains(&other.attribute)) {
            keys.push(key);
        }
    }
    keys
}

fn column(attribute: ExperimentAttribute) -> &'static str {
    match attribute {
        ExperimentAttribute::Name => "e.name",
        ExperimentAttribute::Id => "e.id",
        ExperimentAttribute::CreationTime => "e.created_at",
        ExperimentAttribute::LastUpdateTime => "e.updated_at",
    }
}

fn value_of(attribute: ExperimentAttribute, experiment: &Experiment) -> SortValue {
    match attribute {
        ExperimentAttribute::Name => SortValue::Text(experiment.name.clone()),
        ExperimentAttribute::Id => SortValue::Integer(experiment.id.0),
        ExperimentAttribute::CreationTime => SortValue::Integer(experiment.created_at.ms()),
        ExperimentAttribute::LastUpdateTime => SortValue::Integer(experiment.updated_at.ms()),
    }
}

fn fits(attribute: ExperimentAttribute, value: &SortValue) -> bool {
    match attribute {
        ExperimentAttribute::Name => matches!(value, SortValue::Text(_)),
        ExperimentAttribute::Id | ExperimentAttribute::CreationTime | ExperimentAttribute::LastUpdateTime => {
            matches!(value, SortValue::Integer(_))
        }
    }
}

fn expr(binds: &mut Binds, project: &str, filter: &Expr<ExperimentAttribute>) -> String {
    match filter {
        Expr::And(parts) => joined(binds, project, parts, " AND "),
        Expr::Or(parts) => joined(binds, project, parts, " OR "),
        Expr::Not(inner) => format!("NOT ({})", expr(binds, project, inner)),
        Expr::Test(test) => compile(binds, project, test),
    }
}

fn joined(binds: &mut Binds, project: &str, parts: &[Expr<ExperimentAttribute>], operator: &str) -> String {
    let parts: Vec<_> = parts.iter().map(|part| format!("({})", expr(binds, project, part))).collect();
    parts.join(operator)
}

fn compile(binds: &mut Binds, project: &str, test: &Test<ExperimentAttribute>) -> String {
    match &test.field {
        Field::Attribute(attribute) => {
            let is_text = matches!(test.condition, Condition::Text { .. } | Condition::TextIn { .. });
            let value = match attribute {
                ExperimentAttribute::Id if is_text => "CAST(e.id AS TEXT)",
                other => column(*other),
            };
            condition::compile(binds, value, &test.condition)
        }
        Field::Metadata(name) => metadata(binds, project, name, &test.condition),
        // Experiments have neither: the grammar lets none through.
        Field::Metric(_) | Field::Param(_) | Field::Dataset(_) => "FALSE".to_owned(),
    }
}

fn metadata(binds: &mut Binds, project: &str, name: &str, condition: &Condition) -> String {
    let name = binds.add(name.to_owned());
    let there = format!(
        "SELECT 1 FROM experiment_metadata m
         WHERE m.project_id = {project} AND m.experiment_id = e.id AND m.name = {name}"
    );
    match condition {
        Condition::Null { negated: false } => format!("NOT EXISTS ({there})"),
        Condition::Null { negated: true } => format!("EXISTS ({there})"),
        condition => format!("EXISTS ({there} AND {})", condition::compile(binds, "m.value", condition)),
    }
}
