//! The filter as SQL over `candidates c`: every piece is true or false and never null, so that `NOT` is the opposite.

use std::collections::BTreeSet;

use modelry_core::Result;
use modelry_core::ids::ProjectId;
use modelry_core::search::entity::CandidateAttribute;
use modelry_core::search::expr::{Condition, DatasetField, Expr, Field, NumberOp, Test, TextOp};
use modelry_db::Tx;

use super::attribute::Attributes;
use super::key::{LoggedKey, Table};
use super::order::{Phase, Source};
use crate::search::binds::Binds;
use crate::search::condition;
use crate::search::keyset::SortValue;
use crate::{keys, sql};

/// A filter whose keys are known: conditions that all hold.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) conditions: Vec<Node>,
}

/// A condition.
#[derive(Debug)]
pub(super) enum Node {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    /// Always or never true, as a test on a key that nobody ever logged is.
    Constant(bool),
    Attribute(CandidateAttribute, Condition),
    Logged(Logged),
    Dataset(DatasetField, Condition),
}

/// A condition on a metric, param or metadata.
#[derive(Debug)]
pub(super) struct Logged {
    pub(super) key: LoggedKey,
    pub(super) condition: Condition,
}

/// Looks the keys of a filter up. Answers `None` when it can find nothing.
pub(super) fn plan(
    tx: &mut Tx<'_>,
    project: ProjectId,
    filter: Option<&Expr<CandidateAttribute>>,
) -> Result<Option<Plan>> {
    let Some(filter) = filter else { return Ok(Some(Plan::default())) };
    Ok(match resolve(tx, project, filter)? {
        Node::Constant(false) => None,
        Node::Constant(true) => Some(Plan::default()),
        Node::All(conditions) => Some(Plan { conditions }),
        node => Some(Plan { conditions: vec![node] }),
    })
}

impl Plan {
    /// The one text that all candidates have as the first key of the order, as the index has it, if the filter asks for one.
    pub(super) fn pinned(&self, first: Source) -> Option<SortValue> {
        self.conditions.iter().find_map(|node| {
            let (source, condition) = match node {
                Node::Logged(logged) => (Source::Logged(logged.key), &logged.condition),
                Node::Attribute(attribute, condition) => (Source::Attribute(*attribute), condition),
                _ => return None,
            };
            match condition {
                Condition::Text { op: TextOp::Eq, value } if source == first => {
                    Some(SortValue::Text(sql::sort_prefix(value).to_owned()))
                }
                _ => None,
            }
        })
    }

    /// Whether candidates whose first key of the order is `key` can be in `phase`.
    pub(super) fn allows(&self, key: LoggedKey, phase: Phase) -> bool {
        let on_key = self.conditions.iter().filter_map(|node| match node {
            Node::Logged(logged) if logged.key == key => Some(&logged.condition),
            _ => None,
        });
        on_key.into_iter().all(|condition| match condition {
            Condition::Null { negated: false } => phase == Phase::Missing,
            Condition::Number { op, .. } if *op != NumberOp::Ne => phase == Phase::Present,
            _ => phase != Phase::Missing,
        })
    }
}

fn resolve(tx: &mut Tx<'_>, project: ProjectId, expr: &Expr<CandidateAttribute>) -> Result<Node> {
    let mut list = |parts: &[Expr<CandidateAttribute>]| {
        parts.iter().map(|part| resolve(tx, project, part)).collect::<Result<Vec<_>>>()
    };
    Ok(match expr {
        Expr::And(parts) => Node::joined(list(parts)?, false, Node::All),
        Expr::Or(parts) => Node::joined(list(parts)?, true, Node::Any),
        Expr::Not(inner) => match resolve(tx, project, inner)? {
            Node::Constant(value) => Node::Constant(!value),
            node => Node::Not(Box::new(node)),
        },
        Expr::Test(test) => resolve_test(tx, project, test)?,
    })
}

impl Node {
    /// Parts joined by an operator for which the part `deciding` settles the whole, and its opposite nothing.
    fn joined(mut parts: Vec<Self>, deciding: bool, join: fn(Vec<Self>) -> Self) -> Self {
        if parts.iter().any(|part| matches!(part, Self::Constant(value) if *value == deciding)) {
            return Self::Constant(deciding);
        }
        parts.retain(|part| !matches!(part, Self::Constant(_)));
        if parts.is_empty() { Self::Constant(!deciding) } else { join(parts) }
    }
}

fn resolve_test(tx: &mut Tx<'_>, project: ProjectId, test: &Test<CandidateAttribute>) -> Result<Node> {
    let condition = test.condition.clone();
    let (table, name) = match &test.field {
        Field::Attribute(attribute) => return Ok(Node::Attribute(*attribute, condition)),
        Field::Dataset(field) => return Ok(Node::Dataset(*field, condition)),
        Field::Metric(name) => (Table::Metrics, name),
        Field::Param(name) => (Table::Params, name),
        Field::Metadata(name) => (Table::Metadata, name),
    };
    Ok(match keys::find(tx, project, name)? {
        Some(id) => Node::Logged(Logged { key: LoggedKey { table, id }, condition }),
        None => Node::Constant(condition == Condition::Null { negated: false }),
    })
}

/// What a condition is compiled for.
pub(super) struct Compiler<'q> {
    pub(super) binds: &'q mut Binds,
    /// The placeholder of the project.
    pub(super) project: &'q str,
    /// The candidate's number, as the table that drives has it: what is only about it is settled before further tables
    /// are looked at.
    pub(super) candidate: &'q str,
    pub(super) attributes: &'q Attributes,
}

impl Compiler<'_> {
    /// SQL that says whether a candidate satisfies `node`.
    pub(super) fn node(&mut self, node: &Node) -> String {
        match node {
            Node::All(parts) => self.joined(parts, " AND "),
            Node::Any(parts) => self.joined(parts, " OR "),
            Node::Not(inner) => format!("NOT ({})", self.node(inner)),
            Node::Constant(value) => if *value { "TRUE" } else { "FALSE" }.to_owned(),
            Node::Attribute(attribute, condition) => {
                attribute_condition(self.binds, *attribute, condition, self.attributes)
            }
            Node::Logged(logged) => self.logged(logged),
            Node::Dataset(field, condition) => self.dataset(*field, condition),
        }
    }

    fn joined(&mut self, parts: &[Node], operator: &str) -> String {
        let parts: Vec<_> = parts.iter().map(|part| format!("({})", self.node(part))).collect();
        parts.join(operator)
    }

    /// A probe by primary key. `LIMIT` and `OFFSET` keep planners from making a join of it.
    fn logged(&mut self, logged: &Logged) -> String {
        let table = logged.key.table.name();
        let probe = logged.key.probe(self.binds, self.project, self.candidate, "p");
        let (negation, holds) = match &logged.condition {
            Condition::Null { negated: false } => ("NOT ", None),
            Condition::Null { negated: true } => ("", None),
            _ => ("", Some(row_condition(self.binds, "p", logged))),
        };
        let holds = holds.map(|holds| format!(" AND {holds}")).unwrap_or_default();
        format!("{negation}EXISTS (SELECT 1 FROM {table} p WHERE {probe}{holds} LIMIT 1 OFFSET 0)")
    }

    fn dataset(&mut self, field: DatasetField, condition: &Condition) -> String {
        let column = match field {
            DatasetField::Name => "t.name",
            DatasetField::Digest => "t.digest",
            DatasetField::Context => "d.context",
        };
        let holds = condition::compile(self.binds, column, condition);
        let (project, candidate) = (self.project, self.candidate);
        format!(
            "EXISTS (SELECT 1 FROM candidate_datasets d CROSS JOIN datasets t
                     WHERE d.project_id = {project} AND d.candidate_id = {candidate}
                       AND t.project_id = {project} AND t.id = d.dataset_id
                       AND {column} IS NOT NULL AND {holds} LIMIT 1 OFFSET 0)"
        )
    }
}

/// The condition on an attribute of `candidates c`, by what its index holds where that says enough.
pub(super) fn attribute_condition(
    binds: &mut Binds,
    attribute: CandidateAttribute,
    condition: &Condition,
    attributes: &Attributes,
) -> String {
    let whole = attributes.whole(binds, attribute);
    match (attribute, condition) {
        (
            CandidateAttribute::Name | CandidateAttribute::UserId,
            Condition::Text { op: TextOp::Eq, value },
        ) => {
            let start = attributes.sortable(binds, attribute);
            one_of(binds, &start, &whole, std::slice::from_ref(value))
        }
        (
            CandidateAttribute::Name | CandidateAttribute::UserId,
            Condition::TextIn { negated: false, values },
        ) => {
            let start = attributes.sortable(binds, attribute);
            one_of(binds, &start, &whole, values)
        }
        (CandidateAttribute::EndTime, _) => {
            let holds = condition::compile(binds, &whole, condition);
            format!("(c.end_time IS NOT NULL AND {holds})")
        }
        _ => condition::compile(binds, &whole, condition),
    }
}

/// The condition on the row `alias` of its table, in the columns of the covering index where they say enough.
pub(super) fn row_condition(binds: &mut Binds, alias: &str, logged: &Logged) -> String {
    match (&logged.condition, logged.key.table) {
        (Condition::Number { op: NumberOp::Ne, value }, _) => {
            let value = binds.add(*value);
            // NaN, which differs from all numbers, is stored as no value.
            format!("({alias}.value IS NULL OR {alias}.value != {value})")
        }
        (Condition::Text { op: TextOp::Eq, value }, Table::Params | Table::Metadata) => {
            let (start, whole) = (format!("{alias}.sort"), format!("{alias}.value"));
            one_of(binds, &start, &whole, std::slice::from_ref(value))
        }
        (Condition::TextIn { negated: false, values }, Table::Params | Table::Metadata) => {
            one_of(binds, &format!("{alias}.sort"), &format!("{alias}.value"), values)
        }
        _ => condition::compile(binds, &format!("{alias}.value"), &logged.condition),
    }
}

/// That a text is one of `values`: by its start, which an index holds, and as a whole where the start is not all of it.
fn one_of(binds: &mut Binds, start: &str, whole: &str, values: &[String]) -> String {
    let starts: BTreeSet<&str> = values.iter().map(|value| sql::sort_prefix(value)).collect();
    let is_short = starts.iter().all(|start| start.chars().count() < sql::SORT_CHARACTERS);
    let starts = equals(binds, start, starts.into_iter().map(str::to_owned).collect());
    if is_short {
        return starts;
    }
    let wholes: BTreeSet<&String> = values.iter().collect();
    let wholes = equals(binds, whole, wholes.into_iter().cloned().collect());
    format!("{starts} AND {wholes}")
}

/// One value is compared with `=`, behind which the order of an index goes on.
fn equals(binds: &mut Binds, sql: &str, values: Vec<String>) -> String {
    match <[String; 1]>::try_from(values) {
        Ok([value]) => format!("{sql} = {}", binds.add(value)),
        Err(values) => format!("{sql} IN ({})", binds.add_all(values)),
    }
}
