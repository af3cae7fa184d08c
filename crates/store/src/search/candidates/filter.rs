//! The filter as SQL over `candidates c`: every piece is true or false and never null, so that `NOT` is the opposite.

use modelry_core::Result;
use modelry_core::ids::{KeyId, ProjectId};
use modelry_core::search::entity::CandidateAttribute;
use modelry_core::search::expr::{Condition, DatasetField, Expr, Field, NumberOp, Test, TextOp};
use modelry_db::Tx;

use super::order::attribute_sql;
use crate::search::binds::Binds;
use crate::search::condition;
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
    /// Never or always true: a test on a key that nobody ever logged.
    Constant(bool),
    Attribute(CandidateAttribute, Condition),
    /// On a row of a table whose primary key is project, candidate and key.
    Logged(Logged),
    Dataset(DatasetField, Condition),
}

/// A condition on a metric, param or metadata.
#[derive(Debug)]
pub(super) struct Logged {
    pub(super) table: &'static str,
    pub(super) key: KeyId,
    pub(super) condition: Condition,
}

/// Looks the keys of a filter up. Answers `None` when it can find nothing.
pub(super) fn plan(
    tx: &mut Tx<'_>,
    project: ProjectId,
    filter: Option<&Expr<CandidateAttribute>>,
) -> Result<Option<Plan>> {
    let Some(filter) = filter else { return Ok(Some(Plan::default())) };
    let conditions = match resolve(tx, project, filter)? {
        Node::All(nodes) => nodes,
        node => vec![node],
    };
    if conditions.iter().any(|node| matches!(node, Node::Constant(false))) {
        return Ok(None);
    }
    Ok(Some(Plan { conditions }))
}

fn resolve(tx: &mut Tx<'_>, project: ProjectId, expr: &Expr<CandidateAttribute>) -> Result<Node> {
    let mut list = |parts: &[Expr<CandidateAttribute>]| {
        parts.iter().map(|part| resolve(tx, project, part)).collect::<Result<Vec<_>>>()
    };
    Ok(match expr {
        Expr::And(parts) => Node::All(list(parts)?),
        Expr::Or(parts) => Node::Any(list(parts)?),
        Expr::Not(inner) => Node::Not(Box::new(resolve(tx, project, inner)?)),
        Expr::Test(test) => resolve_test(tx, project, test)?,
    })
}

fn resolve_test(tx: &mut Tx<'_>, project: ProjectId, test: &Test<CandidateAttribute>) -> Result<Node> {
    let condition = test.condition.clone();
    let (table, name) = match &test.field {
        Field::Attribute(attribute) => return Ok(Node::Attribute(*attribute, condition)),
        Field::Dataset(field) => return Ok(Node::Dataset(*field, condition)),
        Field::Metric(name) => ("metric_latest", name),
        Field::Param(name) => ("params", name),
        Field::Metadata(name) => ("metadata", name),
    };
    Ok(match keys::find(tx, project, name)? {
        Some(key) => Node::Logged(Logged { table, key, condition }),
        None => Node::Constant(condition == Condition::Null { negated: false }),
    })
}

/// What a condition is compiled for.
pub(super) struct Compiler<'q> {
    pub(super) binds: &'q mut Binds,
    /// The placeholder of the project.
    pub(super) project: &'q str,
    /// Where the experiment's artifacts are.
    pub(super) artifact_root: &'q str,
}

impl Compiler<'_> {
    /// SQL that says whether a candidate satisfies `node`.
    pub(super) fn node(&mut self, node: &Node) -> String {
        match node {
            Node::All(parts) => self.joined(parts, " AND "),
            Node::Any(parts) => self.joined(parts, " OR "),
            Node::Not(inner) => format!("NOT ({})", self.node(inner)),
            Node::Constant(value) => if *value { "TRUE" } else { "FALSE" }.to_owned(),
            Node::Attribute(attribute, condition) => self.attribute(*attribute, condition),
            Node::Logged(logged) => self.logged(logged),
            Node::Dataset(field, condition) => self.dataset(*field, condition),
        }
    }

    fn joined(&mut self, parts: &[Node], operator: &str) -> String {
        let parts: Vec<_> = parts.iter().map(|part| format!("({})", self.node(part))).collect();
        parts.join(operator)
    }

    fn attribute(&mut self, attribute: CandidateAttribute, condition: &Condition) -> String {
        let value = attribute_sql(self.binds, attribute, self.artifact_root);
        let holds = condition::compile(self.binds, &value, condition);
        match attribute {
            CandidateAttribute::EndTime => format!("(c.end_time IS NOT NULL AND {holds})"),
            _ => holds,
        }
    }

    /// A probe by primary key. `OFFSET 0` keeps PostgreSQL from turning it into a join of whole tables.
    fn logged(&mut self, logged: &Logged) -> String {
        let key = self.binds.add(logged.key.0);
        let row = format!(
            "SELECT 1 FROM {} p WHERE p.project_id = {} AND p.candidate_id = c.id AND p.key_id = {key}",
            logged.table, self.project
        );
        match &logged.condition {
            Condition::Null { negated: false } => format!("NOT EXISTS ({row} LIMIT 1 OFFSET 0)"),
            Condition::Null { negated: true } => format!("EXISTS ({row} LIMIT 1 OFFSET 0)"),
            condition => {
                let holds = row_condition(self.binds, "p", logged.table, condition);
                format!("EXISTS ({row} AND {holds} LIMIT 1 OFFSET 0)")
            }
        }
    }

    fn dataset(&mut self, field: DatasetField, condition: &Condition) -> String {
        let column = match field {
            DatasetField::Name => "t.name",
            DatasetField::Digest => "t.digest",
            DatasetField::Context => "d.context",
        };
        let holds = condition::compile(self.binds, column, condition);
        let project = self.project;
        format!(
            "EXISTS (SELECT 1 FROM candidate_datasets d CROSS JOIN datasets t
                     WHERE d.project_id = {project} AND d.candidate_id = c.id
                       AND t.project_id = {project} AND t.id = d.dataset_id
                       AND {column} IS NOT NULL AND {holds} LIMIT 1 OFFSET 0)"
        )
    }
}

/// The condition on a row `alias` of `table`, with what its index needs.
pub(super) fn row_condition(binds: &mut Binds, alias: &str, table: &str, condition: &Condition) -> String {
    match condition {
        Condition::Number { op: NumberOp::Ne, value } => {
            let value = binds.add(*value);
            format!("({alias}.rank = 1 OR {alias}.value != {value})")
        }
        Condition::Number { .. } => {
            let holds = condition::compile(binds, &format!("{alias}.value"), condition);
            format!("{alias}.rank = 0 AND {holds}")
        }
        Condition::Text { op: TextOp::Eq, value } if table != "metric_latest" => {
            let sort = binds.add(sql::sort_prefix(value).to_owned());
            let value = binds.add(value.clone());
            format!("{alias}.sort = {sort} AND {alias}.value = {value}")
        }
        _ => condition::compile(binds, &format!("{alias}.value"), condition),
    }
}
