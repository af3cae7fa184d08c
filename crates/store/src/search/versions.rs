//! Searching for model versions.

use modelry_core::Result;
use modelry_core::ids::ProjectId;
use modelry_core::search::entity::VersionAttribute;
use modelry_core::search::expr::{Condition, Expr, Field, TextOp};
use modelry_db::Row;

use super::binds::Binds;
use super::condition;
use super::keyset::SortValue;
use super::prompts::{self, IS_PROMPT};
use super::rows::{Searched, SortKey, conjuncts, mentions};
use crate::versions::{COLUMNS, FROM, ModelVersion, read_row};

/// Metadata that every version has, set or not: its semantic version.
const SEMANTIC_VERSION: [&str; 2] = ["gitlab.version", "modelry.version"];

impl Searched for ModelVersion {
    type Attribute = VersionAttribute;

    fn select() -> String {
        format!("SELECT {COLUMNS} {FROM} AND m.deleted_at IS NULL")
    }

    const PROJECT: &'static str = "v.project_id";

    const DELETED_AT: &'static str = "v.deleted_at";

    const LAST_KEYS: &'static [SortKey<VersionAttribute>] = &[
        SortKey { attribute: VersionAttribute::Name, descending: false },
        SortKey { attribute: VersionAttribute::Number, descending: true },
    ];

    fn read(row: &Row<'_>) -> Result<Self> {
        read_row(row)
    }

    fn column(attribute: VersionAttribute) -> &'static str {
        match attribute {
            VersionAttribute::Name => "m.name",
            VersionAttribute::Number => "v.number",
            VersionAttribute::RunId => "coalesce(v.run_eid, '')",
            VersionAttribute::Source => "v.source",
            VersionAttribute::CreationTime => "v.created_at",
            VersionAttribute::LastUpdateTime => "v.updated_at",
        }
    }

    fn text_column(attribute: VersionAttribute) -> &'static str {
        match attribute {
            // An index has the column as it is.
            VersionAttribute::RunId => "v.run_eid",
            other => Self::column(other),
        }
    }

    fn sort_value(&self, attribute: VersionAttribute) -> SortValue {
        match attribute {
            VersionAttribute::Name => SortValue::Text(self.model.clone()),
            VersionAttribute::Number => SortValue::Integer(self.number),
            VersionAttribute::RunId => SortValue::Text(self.run_eid.clone().unwrap_or_default()),
            VersionAttribute::Source => SortValue::Text(self.source.clone()),
            VersionAttribute::CreationTime => SortValue::Integer(self.created_at.ms()),
            VersionAttribute::LastUpdateTime => SortValue::Integer(self.updated_at.ms()),
        }
    }

    fn sorts_as_text(attribute: VersionAttribute) -> bool {
        match attribute {
            VersionAttribute::Name | VersionAttribute::RunId | VersionAttribute::Source => true,
            VersionAttribute::Number | VersionAttribute::CreationTime | VersionAttribute::LastUpdateTime => {
                false
            }
        }
    }

    fn has_metadata(name: &str) -> String {
        format!(
            "SELECT 1 FROM version_metadata d
              WHERE d.project_id = v.project_id AND d.version_id = v.id AND d.name = {name}"
        )
    }

    fn special_metadata(binds: &mut Binds, name: &str, condition: &Condition) -> Option<String> {
        if SEMANTIC_VERSION.contains(&name) {
            return Some(condition::compile(binds, "v.version", condition));
        }
        (name == IS_PROMPT).then(|| prompts::test(binds, condition))
    }

    fn narrowed(
        binds: &mut Binds,
        project: ProjectId,
        filter: Option<&Expr<VersionAttribute>>,
        first: VersionAttribute,
    ) -> Option<String> {
        let tests = filter.map(conjuncts).unwrap_or_default();
        let few = tests.into_iter().filter(|test| names_few(&test.condition));
        let of_few = few.filter_map(|test| match test.field {
            Field::Attribute(VersionAttribute::Name) => Some(of_models(binds, project, &test.condition)),
            Field::Attribute(VersionAttribute::RunId) => Some(of_runs(binds, project, &test.condition)),
            _ => None,
        });
        let of_few = of_few.collect::<Vec<_>>().join(" AND ");
        if !of_few.is_empty() {
            return Some(of_few);
        }
        (first == VersionAttribute::LastUpdateTime).then(|| "v.updated_at >= 0".to_owned())
    }

    fn unless_asked(filter: Option<&Expr<VersionAttribute>>) -> Option<&'static str> {
        let asked = filter.is_some_and(|filter| mentions(filter, IS_PROMPT));
        (!asked).then_some(prompts::HIDDEN)
    }
}

/// Whether a condition names what it is satisfied by.
fn names_few(condition: &Condition) -> bool {
    matches!(condition, Condition::Text { op: TextOp::Eq, .. } | Condition::TextIn { negated: false, .. })
}

/// SQL for being a version of the models whose names satisfy a condition.
///
/// One name is one model, whose versions an index has in the order that is asked for most. Of several SQLite, which takes
/// all rows of a project for few, would of itself look through those; what an index covers it takes from there.
fn of_models(binds: &mut Binds, project: ProjectId, condition: &Condition) -> String {
    let project = binds.add(project.0);
    let is_named = condition::compile(binds, "n.name", condition);
    let models = format!(
        "SELECT n.id FROM models n WHERE n.project_id = {project} AND {is_named} AND n.deleted_at IS NULL"
    );
    match condition {
        Condition::Text { op: TextOp::Eq, .. } => format!("v.model_id = ({models})"),
        _ => format!(
            "v.id IN (SELECT i.id FROM versions i WHERE i.project_id = {project} AND i.model_id IN ({models}))"
        ),
    }
}

/// As [`of_models`], for the versions of runs.
fn of_runs(binds: &mut Binds, project: ProjectId, condition: &Condition) -> String {
    let project = binds.add(project.0);
    let is_run = condition::compile(binds, "i.run_eid", condition);
    format!("v.id IN (SELECT i.id FROM versions i WHERE i.project_id = {project} AND {is_run})")
}
