//! What a model takes and gives, as an `MLmodel` says it: JSON in YAML.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Refusal;

/// What a model takes and gives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// What it takes; `None` where the signature does not say.
    pub inputs: Option<Vec<Column>>,
    /// What it gives; `None` where the signature does not say.
    pub outputs: Option<Vec<Column>>,
    /// What a caller may set for each prediction; each has a default.
    pub params: Option<Vec<Param>>,
}

/// A column of a table, or a tensor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name; a tensor or the only column may have none.
    pub name: Option<String>,
    /// Its type in one canonical text: `double`, `array(string)`, `map(float)`, `object(a: long, b?: string)` with
    /// its properties in the order of their names, `tensor(float64, [-1, 3])`.
    pub r#type: String,
    /// Whether a caller has to give it.
    pub required: bool,
}

/// A parameter of a prediction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Its type, as of a [`Column`]; a list of them ends in its shape, `long[-1]`.
    pub r#type: String,
    /// The default as JSON.
    pub default: String,
}

impl Signature {
    /// Reads the JSON texts of the three parts of a signature; `None` and `null` are parts that are not there.
    pub fn parse(inputs: Option<&str>, outputs: Option<&str>, params: Option<&str>) -> Result<Self, Refusal> {
        let columns = |part, json: Option<&str>| -> Result<Option<Vec<Column>>, Refusal> {
            let raw: Option<Vec<RawColumn>> = parse_part(part, json)?;
            Ok(raw.map(|raw| raw.into_iter().map(Column::from).collect()))
        };
        let params: Option<Vec<RawParam>> = parse_part("params", params)?;
        Ok(Self {
            inputs: columns("inputs", inputs)?,
            outputs: columns("outputs", outputs)?,
            params: params.map(|raw| raw.into_iter().map(Param::from).collect()),
        })
    }
}

fn parse_part<T: for<'de> Deserialize<'de>>(part: &str, json: Option<&str>) -> Result<Option<T>, Refusal> {
    serde_json::from_str(json.unwrap_or("null")).map_err(|error| {
        Refusal::new(format!("the {part} of its signature are not as they must be: {error}"))
    })
}

#[derive(Deserialize)]
struct RawColumn {
    name: Option<String>,
    required: Option<bool>,
    /// Written by MLflow 2.0 to 2.3 in place of `required`.
    optional: Option<bool>,
    /// The type, spread over several keys where it is not a simple one.
    #[serde(flatten)]
    shape: serde_json::Map<String, Value>,
}

impl From<RawColumn> for Column {
    fn from(raw: RawColumn) -> Self {
        let required = raw.required.unwrap_or(!raw.optional.unwrap_or(false));
        Self { name: raw.name, r#type: type_text(&raw.shape), required }
    }
}

#[derive(Deserialize)]
struct RawParam {
    name: String,
    #[serde(default)]
    default: Value,
    #[serde(default)]
    shape: Option<Vec<i64>>,
    /// Before MLflow 2.10 the type is called so.
    dtype: Option<Value>,
    #[serde(flatten)]
    rest: serde_json::Map<String, Value>,
}

impl From<RawParam> for Param {
    fn from(mut raw: RawParam) -> Self {
        if let Some(dtype) = raw.dtype {
            raw.rest.entry("type").or_insert(dtype);
        }
        let shape = raw.shape.map(|shape| list_text(&shape)).unwrap_or_default();
        Self { name: raw.name, r#type: type_text(&raw.rest) + &shape, default: raw.default.to_string() }
    }
}

/// The canonical text of a type. What is not known here stays JSON, so that a change of it is still seen.
fn type_text(keys: &serde_json::Map<String, Value>) -> String {
    let inner = |key: &str| keys.get(key).and_then(Value::as_object).map(type_text);
    match keys.get("type").and_then(Value::as_str) {
        Some("array") => inner("items").map(|items| format!("array({items})")),
        Some("map") => inner("values").map(|values| format!("map({values})")),
        Some("object") => keys.get("properties").and_then(Value::as_object).map(object_text),
        Some("tensor") => keys.get("tensor-spec").and_then(tensor_text),
        Some(simple) => Some(simple.to_owned()),
        None => None,
    }
    .unwrap_or_else(|| Value::Object(keys.clone()).to_string())
}

fn object_text(properties: &serde_json::Map<String, Value>) -> String {
    let mut properties: Vec<_> = properties.iter().collect();
    properties.sort_by_key(|(name, _)| name.as_str());
    let texts: Vec<_> = properties
        .into_iter()
        .map(|(name, property)| {
            let mark = if property.get("required") == Some(&Value::Bool(false)) { "?" } else { "" };
            format!("{name}{mark}: {}", property.as_object().map_or_else(|| property.to_string(), type_text))
        })
        .collect();
    format!("object({})", texts.join(", "))
}

fn tensor_text(spec: &Value) -> Option<String> {
    let shape: Vec<i64> = spec.get("shape")?.as_array()?.iter().map(Value::as_i64).collect::<Option<_>>()?;
    Some(format!("tensor({}, {})", spec.get("dtype")?.as_str()?, list_text(&shape)))
}

fn list_text(shape: &[i64]) -> String {
    let shape: Vec<_> = shape.iter().map(i64::to_string).collect();
    format!("[{}]", shape.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(inputs: &str) -> Vec<String> {
        let signature = Signature::parse(Some(inputs), None, None).unwrap();
        signature.inputs.unwrap().into_iter().map(|column| column.r#type).collect()
    }

    #[test]
    fn a_type_has_one_text_however_its_json_is_ordered() {
        let inputs = r#"[
            {"type": "object", "properties": {"b": {"type": "string", "required": false}, "a": {"type": "long"}}},
            {"properties": {"a": {"type": "long"}, "b": {"required": false, "type": "string"}}, "type": "object"},
            {"type": "array", "items": {"type": "array", "items": {"type": "any"}}},
            {"type": "map", "values": {"type": "float"}},
            {"type": "tensor", "tensor-spec": {"shape": [-1, 3], "dtype": "float64"}},
            {"type": "sparkml_vector"},
            {"type": {"new": 1}},
            {"type": "tensor"}
        ]"#;
        let object = "object(a: long, b?: string)";
        let expected = [
            object,
            object,
            "array(array(any))",
            "map(float)",
            "tensor(float64, [-1, 3])",
            "sparkml_vector",
            r#"{"type":{"new":1}}"#,
            r#"{"type":"tensor"}"#,
        ];
        assert_eq!(types(inputs), expected);
    }

    #[test]
    fn a_column_is_required_unless_it_says_otherwise() {
        let inputs =
            r#"[{"type": "long"}, {"type": "long", "required": false}, {"type": "long", "optional": true}]"#;
        let columns = Signature::parse(Some(inputs), None, None).unwrap().inputs.unwrap();
        assert_eq!(columns.iter().map(|column| column.required).collect::<Vec<_>>(), [true, false, false]);
    }

    #[test]
    fn parameters_are_read_as_old_and_new_clients_write_them() {
        let params = r#"[{"name": "t", "default": 0.5, "shape": null, "type": "double"},
            {"name": "k", "default": [1], "shape": [-1], "dtype": "long"}]"#;
        let params = Signature::parse(None, None, Some(params)).unwrap().params.unwrap();
        let texts: Vec<_> = params
            .iter()
            .map(|param| (param.name.as_str(), param.r#type.as_str(), param.default.as_str()))
            .collect();
        assert_eq!(texts, [("t", "double", "0.5"), ("k", "long[-1]", "[1]")]);
    }

    #[test]
    fn a_part_of_another_form_is_refused_by_its_name() {
        for bad in ["[{", "{}", "[1]", r#"[{"name": 1}]"#, &"[".repeat(100_000)] {
            let refusal = Signature::parse(None, Some(bad), None).unwrap_err();
            assert!(
                refusal.reason().starts_with("the outputs of its signature are not as they must be"),
                "{refusal}"
            );
        }
        assert_eq!(Signature::parse(Some("null"), None, None).unwrap(), Signature::default());
    }
}
