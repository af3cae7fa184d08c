//! What a candidate's page says of the data sets it used. Clients describe them in JSON of their own making; what is
//! not in the form that MLflow's clients write is shown as it came.

use modelry_store::datasets::{CONTEXT_TAG, DatasetInput};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::format;
use crate::views::candidate::DatasetRow;

/// One data set of the page.
pub(super) fn dataset_row(input: &DatasetInput) -> DatasetRow {
    let dataset = &input.dataset;
    let context = input.tags.iter().find(|(name, _)| name == CONTEXT_TAG).map(|(_, value)| value.clone());
    DatasetRow {
        name: dataset.name.clone(),
        digest: dataset.digest.clone(),
        context,
        source_type: dataset.source_type.clone(),
        profile: dataset.profile.as_deref().and_then(profile),
        schema: dataset.schema.as_deref().filter(|schema| !schema.is_empty()).map(schema),
    }
}

/// `{"num_rows": 442, "num_elements": 4862}` as `442 rows, 4,862 elements`.
fn profile(json: &str) -> Option<String> {
    let figures: Map<String, Value> = serde_json::from_str(json).ok()?;
    let figure = |(name, value): (&String, &Value)| {
        let what = name.strip_prefix("num_").unwrap_or(name).replace('_', " ");
        match value.as_u64() {
            Some(number) => format!("{} {what}", format::count(number)),
            None => format!("{what} {value}"),
        }
    };
    let text = figures.iter().map(figure).collect::<Vec<_>>().join(", ");
    (!text.is_empty()).then_some(text)
}

#[derive(Deserialize)]
struct Schema {
    mlflow_colspec: Vec<Column>,
}

#[derive(Deserialize)]
struct Column {
    name: Option<String>,
    r#type: String,
}

/// One line for each column.
fn schema(json: &str) -> String {
    let Ok(schema) = serde_json::from_str::<Schema>(json) else { return json.to_owned() };
    let line = |column: &Column| format!("{}: {}\n", column.name.as_deref().unwrap_or("–"), column.r#type);
    schema.mlflow_colspec.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_read_as_figures() {
        assert_eq!(
            profile(r#"{"num_rows": 442, "num_elements": 4862}"#).as_deref(),
            Some("4,862 elements, 442 rows")
        );
        assert_eq!(profile("{}"), None);
        assert_eq!(profile("nonsense"), None);
    }

    #[test]
    fn a_schema_has_a_line_for_each_column() {
        let json =
            r#"{"mlflow_colspec": [{"type": "double", "name": "bmi", "required": true}, {"type": "long"}]}"#;
        assert_eq!(schema(json), "bmi: double\n–: long\n");
    }

    #[test]
    fn a_schema_of_another_form_is_shown_as_it_came() {
        let json = r#"{"mlflow_tensorspec": {"features": "..."}}"#;
        assert_eq!(schema(json), json);
    }
}
