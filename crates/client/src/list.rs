//! Lists of models and of versions.

use modelry_core::Result;
use modelry_core::address::segment;
use modelry_core::names::ModelName;
use serde_json::Value;

use crate::http::Api;
use crate::name::model_path;

/// Things as the API answers them, which print as a table of the columns that matter.
#[derive(Debug)]
pub struct Listed {
    /// The things.
    pub items: Vec<Value>,
    columns: &'static [Column],
}

/// A column: its title, and what of a thing it shows.
type Column = (&'static str, fn(&Value) -> String);

const MODELS: &[Column] = &[
    ("MODEL", |model| text(&model["name"])),
    ("LATEST", |model| text(&model["latest"]["version"])),
    ("VERSIONS", |model| text(&model["versions"])),
    ("ABOUT", |model| first_line(&model["description"])),
];

const VERSIONS: &[Column] = &[
    ("VERSION", |version| text(&version["version"])),
    ("NUMBER", |version| format!("#{}", text(&version["number"]))),
    ("STATE", state),
    ("STAGE", |version| text(&version["stage"])),
    ("ALIASES", |version| words(&version["aliases"])),
    ("ABOUT", |version| first_line(&version["description"])),
];

/// The project's models whose names contain `search`, the newest first.
pub fn models(api: &Api, search: &str) -> Result<Listed> {
    let query = if search.is_empty() { String::new() } else { format!("&search={}", segment(search)) };
    Ok(Listed { items: api.list("/models", &query, "id")?, columns: MODELS })
}

/// The versions of a model, the last made first.
pub fn versions(api: &Api, model: &ModelName) -> Result<Listed> {
    let path = format!("{}/versions", model_path(model.as_str()));
    Ok(Listed { items: api.list(&path, "", "number")?, columns: VERSIONS })
}

impl Listed {
    /// A line of titles and one for each thing, in columns.
    pub fn table(&self) -> String {
        let mut rows: Vec<Vec<String>> =
            vec![self.columns.iter().map(|(title, _)| (*title).to_owned()).collect()];
        rows.extend(self.items.iter().map(|item| self.columns.iter().map(|(_, show)| show(item)).collect()));
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        rows.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

fn state(version: &Value) -> String {
    let advice = ["yanked", "deprecated"].into_iter().find(|word| !version[format!("{word}_at")].is_null());
    advice.map_or_else(|| text(&version["state"]), str::to_owned)
}

/// A value without anything that would move a terminal's cursor.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.chars().filter(|c| !c.is_control()).collect(),
        other => other.to_string(),
    }
}

fn words(values: &Value) -> String {
    let words: Vec<String> = values.as_array().into_iter().flatten().map(text).collect();
    words.join(", ")
}

/// The first line of a text, cut where it is long.
fn first_line(value: &Value) -> String {
    const MOST: usize = 60;
    let line = text(&Value::from(value.as_str().and_then(|text| text.lines().next()).unwrap_or_default()));
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_has_its_columns_in_line() {
        let items = vec![
            json!({"name": "churn", "latest": {"version": "1.2.0"}, "versions": 3, "description": "Who goes\nand who stays"}),
            json!({"name": "größe", "latest": null, "versions": 0, "description": "\u{1b}[2J"}),
        ];
        assert_eq!(
            Listed { items, columns: MODELS }.table(),
            "MODEL  LATEST  VERSIONS  ABOUT\nchurn  1.2.0   3         Who goes\ngröße  -       0         [2J"
        );
    }

    #[test]
    fn a_yanked_version_says_so() {
        assert_eq!(state(&json!({"state": "published", "yanked_at": 1, "deprecated_at": 1})), "yanked");
        assert_eq!(state(&json!({"state": "draft", "yanked_at": null})), "draft");
    }
}
