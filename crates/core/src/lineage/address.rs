//! Where a dataset comes from, read out of what clients say of its source.

use serde_json::Value;

/// Characters of an address; a longer text is none.
const ADDRESS: usize = 2_000;

/// What MLflow's kinds of sources call the place of the data.
const FIELDS: [&str; 5] = ["uri", "url", "path", "delta_table_name", "table_name"];

/// The address of the data, where the source of a dataset has one.
///
/// Clients send JSON whose fields depend on the kind of source. One that names no place is an address as a whole, as it
/// was sent; a piece of code (MLflow's kind for data that was made by the program itself) is none.
pub fn dataset_address(source_type: &str, source: &str) -> Option<String> {
    if source_type == "code" {
        return None;
    }
    let address = match serde_json::from_str::<Value>(source) {
        Ok(Value::Object(fields)) if fields.is_empty() => return None,
        Ok(Value::Object(fields)) => {
            FIELDS.iter().find_map(|name| fields.get(*name)?.as_str().map(str::to_owned))
        }
        _ => None,
    };
    let address = address.unwrap_or_else(|| source.to_owned());
    let is_short = address.chars().nth(ADDRESS).is_none();
    (!address.is_empty() && is_short).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_in_what_each_kind_of_source_says() {
        for (source_type, source, expected) in [
            ("local", r#"{"uri": "customers.csv"}"#, Some("customers.csv")),
            ("http", r#"{"url": "https://a.example/b.csv"}"#, Some("https://a.example/b.csv")),
            ("hugging_face", r#"{"path": "org/data", "revision": "main"}"#, Some("org/data")),
            ("delta_table", r#"{"path": null, "delta_table_name": "a.b"}"#, Some("a.b")),
            ("own", r#"{"shelf": 3}"#, Some(r#"{"shelf": 3}"#)),
            ("own", "s3://bucket/data", Some("s3://bucket/data")),
            ("local", "{}", None),
            ("local", "", None),
            ("local", r#"{"uri": ""}"#, None),
            ("code", r#"{"tags": {"mlflow.user": "ann"}}"#, None),
        ] {
            assert_eq!(dataset_address(source_type, source).as_deref(), expected, "{source}");
        }
    }

    #[test]
    fn what_is_too_long_is_no_address() {
        assert!(dataset_address("own", &"é".repeat(ADDRESS)).is_some());
        assert_eq!(dataset_address("own", &"é".repeat(ADDRESS + 1)), None);
    }
}
