//! Reading the file `MLmodel`, in which MLflow's clients describe a model: which libraries load it, and what it takes
//! and gives.
//!
//! The file is YAML as one library writes it: a mapping of two levels, in which a long text is folded over several
//! lines. That much is read here, and nothing else of YAML; what does not have this form is left out.

use serde::Deserialize;
use serde_json::Value;

use crate::views::artifacts::{SignatureColumn, SignatureHalf};

/// The name of the file.
pub(super) const FILE_NAME: &str = "MLmodel";

/// The largest file that is read, in bytes.
pub(super) const MOST_BYTES: u64 = 1 << 20;

/// What a page says of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Description {
    /// The libraries that can load it.
    pub(super) flavours: Vec<String>,
    /// What it takes and gives.
    pub(super) signature: Vec<SignatureHalf>,
}

/// Reads the text of the file.
pub(super) fn describe(text: &str) -> Description {
    let halves = [("inputs", "Inputs"), ("outputs", "Outputs"), ("params", "Parameters")];
    let signature = section(text, "signature");
    let half = |(key, title)| {
        let columns = columns(&signature.iter().find(|(name, _)| name == key)?.1)?;
        Some(SignatureHalf { title, columns })
    };
    Description {
        flavours: section(text, "flavors").into_iter().map(|(name, _)| name).collect(),
        signature: halves.into_iter().filter_map(half).collect(),
    }
}

/// The keys of the mapping below the top-level key `name`, each with its text.
fn section(text: &str, name: &str) -> Vec<(String, String)> {
    let mut lines = text.lines().skip_while(|line| line.trim_end() != format!("{name}:")).skip(1);
    let mut entries: Vec<(String, String)> = Vec::new();
    for line in lines.by_ref().take_while(|line| line.starts_with(' ') || line.is_empty()) {
        let is_key = line.starts_with("  ") && !line.starts_with("   ");
        match line.trim().split_once(':') {
            Some((key, value)) if is_key => entries.push((key.to_owned(), value.trim().to_owned())),
            _ => {
                if let Some((_, value)) = entries.last_mut() {
                    fold(value, line.trim());
                }
            }
        }
    }
    entries
}

/// Adds a line to a text that is folded: a line break is a space, and an empty line is a line break.
fn fold(value: &mut String, line: &str) {
    match line {
        "" => value.push('\n'),
        _ if value.ends_with('\n') => value.push_str(line),
        // In double quotes a backslash at the end joins two lines, and one at the start keeps a space.
        _ if value.ends_with('\\') => {
            value.pop();
            value.push_str(line.strip_prefix('\\').unwrap_or(line));
        }
        _ => {
            value.push(' ');
            value.push_str(line);
        }
    }
}

/// The text behind the quotes.
fn unquoted(scalar: &str) -> Option<String> {
    if let Some(inside) = scalar.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return Some(inside.replace("''", "'"));
    }
    if scalar.starts_with('"') {
        // What the writer escapes in double quotes it escapes as JSON does, but for rare control characters.
        return serde_json::from_str(scalar).ok();
    }
    Some(scalar.to_owned())
}

#[derive(Deserialize)]
struct Column {
    name: Option<String>,
    r#type: Option<Value>,
    dtype: Option<String>,
    #[serde(rename = "tensor-spec")]
    tensor: Option<Tensor>,
    #[serde(default = "yes")]
    required: bool,
}

#[derive(Deserialize)]
struct Tensor {
    dtype: String,
    shape: Vec<i64>,
}

fn yes() -> bool {
    true
}

fn columns(scalar: &str) -> Option<Vec<SignatureColumn>> {
    let columns: Vec<Column> = serde_json::from_str(&unquoted(scalar)?).ok()?;
    Some(columns.into_iter().map(SignatureColumn::from).collect())
}

impl From<Column> for SignatureColumn {
    fn from(column: Column) -> Self {
        let kind = match (column.tensor, column.r#type, column.dtype) {
            (Some(tensor), _, _) => {
                let shape: Vec<String> = tensor.shape.iter().map(i64::to_string).collect();
                format!("tensor({}, {})", tensor.dtype, shape.join(" × "))
            }
            (None, Some(Value::String(kind)), _) | (None, None, Some(kind)) => kind,
            (None, Some(other), _) => other.to_string(),
            (None, None, None) => "unknown".to_owned(),
        };
        Self { name: column.name.unwrap_or_else(|| "–".to_owned()), kind, is_required: column.required }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As MLflow 3 writes it, the lines of the signature included.
    const SAMPLE: &str = r#"artifact_path: mlflow-artifacts:/1/models/m-1/artifacts
flavors:
  python_function:
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: mlflow.sklearn
    python_version: 3.11.2
  sklearn:
    code: null
    pickled_model: model.pkl
mlflow_version: 3.17.2
signature:
  inputs: '[{"type": "double", "name": "age", "required": true}, {"type": "string", "name": "it''s
    plan", "required": false}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 3]}}]'
  params: null
type_hint: null
"#;

    #[test]
    fn the_flavours_are_the_keys_of_their_section() {
        assert_eq!(describe(SAMPLE).flavours, ["python_function", "sklearn"]);
    }

    #[test]
    fn a_signature_that_is_folded_over_lines_is_read() {
        let signature = describe(SAMPLE).signature;
        let written: Vec<_> = signature
            .iter()
            .flat_map(|half| half.columns.iter().map(move |column| (half.title, column)))
            .map(|(title, column)| format!("{title} {} {} {}", column.name, column.kind, column.is_required))
            .collect();
        assert_eq!(
            written,
            [
                "Inputs age double true",
                "Inputs it's plan string false",
                "Outputs – tensor(float64, -1 × 3) true"
            ]
        );
    }

    #[test]
    fn a_text_in_double_quotes_is_joined_at_its_backslashes() {
        let text = "signature:\n  inputs: \"[{\\\"type\\\": \\\"double\\\", \\\n    \\ \\\"name\\\": \\\"gr\\u00f6\\xdfe\\\"}]\"\n";
        // \x is no escape of JSON: the half is left out rather than shown wrongly.
        assert_eq!(describe(text), Description::default());
        let text = text.replace("\\xdf", "\\u00df");
        assert_eq!(describe(&text).signature[0].columns[0].name, "größe");
    }

    #[test]
    fn a_file_of_another_form_says_nothing() {
        for text in
            ["", "not yaml at all", "flavors: {}\n", "signature:\n  inputs: '[{'\n", "signature: null"]
        {
            assert_eq!(describe(text), Description::default(), "{text:?}");
        }
    }
}
