//! The filter as SQL over `logged_models l` and `experiments e`.
//!
//! Every piece is true or false and never null, so that `NOT` is the opposite.

use modelry_core::search::entity::LoggedModelAttribute;
use modelry_core::search::expr::{Condition, Expr, Field, Test};

use super::DatasetFilter;
use crate::search::binds::Binds;
use crate::search::condition;

/// Makes SQL of a filter.
pub(super) struct Compiler<'q> {
    /// Takes the values that are compared with.
    pub(super) binds: &'q mut Binds,
    /// The placeholder of the project.
    pub(super) project: &'q str,
    /// What metrics have to be measured on, where there are any.
    pub(super) datasets: &'q [DatasetFilter],
}

impl Compiler<'_> {
    /// SQL that says whether a model satisfies `expr`.
    pub(super) fn expr(&mut self, expr: &Expr<LoggedModelAttribute>) -> String {
        match expr {
            Expr::And(parts) => self.joined(parts, " AND "),
            Expr::Or(parts) => self.joined(parts, " OR "),
            Expr::Not(inner) => format!("NOT ({})", self.expr(inner)),
            Expr::Test(test) => self.test(test),
        }
    }

    fn joined(&mut self, parts: &[Expr<LoggedModelAttribute>], operator: &str) -> String {
        let parts: Vec<_> = parts.iter().map(|part| format!("({})", self.expr(part))).collect();
        parts.join(operator)
    }

    fn test(&mut self, test: &Test<LoggedModelAttribute>) -> String {
        match &test.field {
            Field::Attribute(attribute) => self.attribute(*attribute, &test.condition),
            Field::Metric(name) => self.metric(name, &test.condition),
            Field::Param(name) => self.text("logged_model_params", name, &test.condition),
            Field::Metadata(name) => self.text("logged_model_metadata", name, &test.condition),
            // Models have no datasets of their own: the grammar lets none through.
            Field::Dataset(_) => "FALSE".to_owned(),
        }
    }

    fn attribute(&mut self, attribute: LoggedModelAttribute, condition: &Condition) -> String {
        let (value, presence) = column(attribute, condition);
        let holds = condition::compile(self.binds, value, condition);
        match presence {
            Presence::Always => holds,
            Presence::MayLack => format!("{value} IS NOT NULL AND {holds}"),
        }
    }

    /// Whether one of the metric's values, each the latest in its candidate and dataset, satisfies the condition.
    fn metric(&mut self, name: &str, condition: &Condition) -> String {
        let name = self.binds.add(name.to_owned());
        let condition = condition::compile(self.binds, "m.value", condition);
        let datasets = on_datasets(self.binds, self.datasets);
        self.measured(&format!(" AND m.name = {name} AND {condition}{datasets}"))
    }

    /// Where the search names datasets: whether the model was measured on one of them at all.
    pub(super) fn measured_on_datasets(&mut self) -> Option<String> {
        if self.datasets.is_empty() {
            return None;
        }
        let datasets = on_datasets(self.binds, self.datasets);
        Some(self.measured(&datasets))
    }

    fn measured(&self, conditions: &str) -> String {
        format!(
            "EXISTS (SELECT 1 FROM logged_model_metrics m
                     WHERE m.project_id = {} AND m.logged_model_id = l.id{conditions})",
            self.project
        )
    }

    fn text(&mut self, table: &str, name: &str, condition: &Condition) -> String {
        let name = self.binds.add(name.to_owned());
        let there = format!(
            "SELECT 1 FROM {table} t WHERE t.project_id = {} AND t.logged_model_id = l.id AND t.name = {name}",
            self.project
        );
        match condition {
            Condition::Null { negated: false } => format!("NOT EXISTS ({there})"),
            Condition::Null { negated: true } => format!("EXISTS ({there})"),
            Condition::Number { .. }
            | Condition::Integer { .. }
            | Condition::IntegerIn { .. }
            | Condition::Text { .. }
            | Condition::TextIn { .. } => {
                format!("EXISTS ({there} AND {})", condition::compile(self.binds, "t.value", condition))
            }
        }
    }
}

/// Whether every model has a value.
enum Presence {
    Always,
    MayLack,
}

/// The value of an attribute, of the type that the condition asks for.
fn column(attribute: LoggedModelAttribute, condition: &Condition) -> (&'static str, Presence) {
    match attribute {
        LoggedModelAttribute::Name => ("l.name", Presence::Always),
        LoggedModelAttribute::Eid => ("l.eid", Presence::Always),
        LoggedModelAttribute::ModelType => ("nullif(l.model_type, '')", Presence::MayLack),
        LoggedModelAttribute::Status => {
            ("CASE l.status WHEN 1 THEN 'PENDING' WHEN 2 THEN 'READY' ELSE 'FAILED' END", Presence::Always)
        }
        LoggedModelAttribute::SourceRunId => ("l.source_eid", Presence::MayLack),
        LoggedModelAttribute::ExperimentId => match condition {
            Condition::Text { .. } | Condition::TextIn { .. } => {
                ("CAST(l.experiment_id AS TEXT)", Presence::Always)
            }
            Condition::Number { .. }
            | Condition::Integer { .. }
            | Condition::IntegerIn { .. }
            | Condition::Null { .. } => ("l.experiment_id", Presence::Always),
        },
        // As `LoggedModel::artifact_uri` says it.
        LoggedModelAttribute::ArtifactLocation => (
            "('mlflow-artifacts:/' || coalesce(e.artifact_location, CAST(e.id AS TEXT)) || '/models/' || l.eid \
             || '/artifacts')",
            Presence::Always,
        ),
        LoggedModelAttribute::CreationTime => ("l.created_at", Presence::Always),
        LoggedModelAttribute::LastUpdateTime => ("l.updated_at", Presence::Always),
    }
}

/// `AND` with the condition that a metric `m` is measured on one of these datasets; nothing where there are none.
pub(super) fn on_datasets(binds: &mut Binds, datasets: &[DatasetFilter]) -> String {
    let one_of: Vec<String> = datasets
        .iter()
        .map(|dataset| {
            let name = format!("m.dataset_name = {}", binds.add(dataset.name.clone()));
            match &dataset.digest {
                Some(digest) => format!("({name} AND m.dataset_digest = {})", binds.add(digest.clone())),
                None => name,
            }
        })
        .collect();
    if one_of.is_empty() { String::new() } else { format!(" AND ({})", one_of.join(" OR ")) }
}
