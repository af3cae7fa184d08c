//! Searching for experiments.

use modelry_core::Result;
use modelry_core::search::entity::ExperimentAttribute;
use modelry_db::Row;

use super::keyset::SortValue;
use super::rows::{Searched, SortKey};
use crate::experiments::{COLUMNS, Experiment, read_row};

impl Searched for Experiment {
    type Attribute = ExperimentAttribute;

    fn select() -> String {
        format!("SELECT {COLUMNS} FROM experiments e WHERE TRUE")
    }

    const PROJECT: &'static str = "e.project_id";

    const DELETED_AT: &'static str = "e.deleted_at";

    /// MLflow's order: the newest first.
    const LAST_KEYS: &'static [SortKey<ExperimentAttribute>] = &[
        SortKey { attribute: ExperimentAttribute::CreationTime, descending: true },
        SortKey { attribute: ExperimentAttribute::Id, descending: false },
    ];

    fn read(row: &Row<'_>) -> Result<Self> {
        read_row(row)
    }

    fn column(attribute: ExperimentAttribute) -> &'static str {
        match attribute {
            ExperimentAttribute::Name => "e.name",
            ExperimentAttribute::Id => "e.id",
            ExperimentAttribute::CreationTime => "e.created_at",
            ExperimentAttribute::LastUpdateTime => "e.updated_at",
        }
    }

    fn text_column(attribute: ExperimentAttribute) -> &'static str {
        match attribute {
            ExperimentAttribute::Id => "CAST(e.id AS TEXT)",
            other => Self::column(other),
        }
    }

    fn sort_value(&self, attribute: ExperimentAttribute) -> SortValue {
        match attribute {
            ExperimentAttribute::Name => SortValue::Text(self.name.clone()),
            ExperimentAttribute::Id => SortValue::Integer(self.id.0),
            ExperimentAttribute::CreationTime => SortValue::Integer(self.created_at.ms()),
            ExperimentAttribute::LastUpdateTime => SortValue::Integer(self.updated_at.ms()),
        }
    }

    fn sorts_as_text(attribute: ExperimentAttribute) -> bool {
        attribute == ExperimentAttribute::Name
    }

    fn has_metadata(name: &str) -> String {
        format!(
            "SELECT 1 FROM experiment_metadata d
              WHERE d.project_id = e.project_id AND d.experiment_id = e.id AND d.name = {name}"
        )
    }
}
