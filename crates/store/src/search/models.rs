//! Searching for registered models and prompts.

use modelry_core::Result;
use modelry_core::search::entity::ModelAttribute;
use modelry_core::search::expr::{Condition, Expr};
use modelry_db::Row;

use super::binds::Binds;
use super::keyset::SortValue;
use super::prompts::{self, IS_PROMPT};
use super::rows::{Searched, SortKey, mentions};
use crate::models::{COLUMNS, Model, read_row};

impl Searched for Model {
    type Attribute = ModelAttribute;

    fn select() -> String {
        format!("SELECT {COLUMNS} FROM models m WHERE TRUE")
    }

    const PROJECT: &'static str = "m.project_id";

    const DELETED_AT: &'static str = "m.deleted_at";

    const LAST_KEYS: &'static [SortKey<ModelAttribute>] =
        &[SortKey { attribute: ModelAttribute::Name, descending: false }];

    fn read(row: &Row<'_>) -> Result<Self> {
        read_row(row)
    }

    fn column(attribute: ModelAttribute) -> &'static str {
        match attribute {
            ModelAttribute::Name => "m.name",
            ModelAttribute::LastUpdateTime => "m.updated_at",
        }
    }

    fn sort_value(&self, attribute: ModelAttribute) -> SortValue {
        match attribute {
            ModelAttribute::Name => SortValue::Text(self.name.clone()),
            ModelAttribute::LastUpdateTime => SortValue::Integer(self.updated_at.ms()),
        }
    }

    fn sorts_as_text(attribute: ModelAttribute) -> bool {
        attribute == ModelAttribute::Name
    }

    fn has_metadata(name: &str) -> String {
        format!(
            "SELECT 1 FROM model_metadata d
              WHERE d.project_id = m.project_id AND d.model_id = m.id AND d.name = {name}"
        )
    }

    fn special_metadata(binds: &mut Binds, name: &str, condition: &Condition) -> Option<String> {
        (name == IS_PROMPT).then(|| prompts::test(binds, condition))
    }

    fn unless_asked(filter: Option<&Expr<ModelAttribute>>) -> Option<&'static str> {
        let asked = filter.is_some_and(|filter| mentions(filter, IS_PROMPT));
        (!asked).then_some(prompts::HIDDEN)
    }
}
