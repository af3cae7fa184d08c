//! Help with bodies that stock clients or curl may send and JSON does not know, and with saying what is wrong.

use serde_json::Value;

/// Puts quotes around `NaN`, `Infinity`, `-Infinity` and numbers too large for a double, outside of texts, so that a JSON
/// parser takes them and a double's reader knows them.
pub(super) fn quote_bare_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '"' => string_length(rest),
            '-' | 'N' | 'I' | '0'..='9' => number_length(rest),
            _ => c.len_utf8(),
        };
        let (piece, after) = rest.split_at(length);
        let bare = matches!(piece, "NaN" | "Infinity" | "-Infinity")
            || (c == '-' || c.is_ascii_digit()) && piece.parse::<f64>().is_ok_and(f64::is_infinite);
        if bare {
            out.push('"');
            out.push_str(piece);
            out.push('"');
        } else {
            out.push_str(piece);
        }
        rest = after;
    }
    out
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn number_length(text: &str) -> usize {
    let in_number = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    text.bytes().position(|byte| !in_number(byte)).unwrap_or(text.len()).max(1)
}

/// The JSON at a path such as `metrics[0].value`; nothing at the root.
pub(super) fn value_at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    if path == "." {
        return None;
    }
    let mut found = value;
    let parts = path.split(['.', '[']).map(|part| part.trim_end_matches(']'));
    for part in parts.filter(|part| !part.is_empty()) {
        found = match part.parse::<usize>() {
            Ok(index) => found.get(index)?,
            Err(_) => found.get(part)?,
        };
    }
    Some(found)
}

/// A parser's message without its line and column, which count in a body that the reader does not see.
pub(super) fn without_position(message: &str) -> String {
    message.split(" at line ").next().unwrap_or(message).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_numbers_are_quoted_outside_of_texts_only() {
        let text = r#"{"a":NaN,"b":[-Infinity,1e999,-1.5e3],"NaN":"NaN \" NaN","c":Infinity}"#;
        let quoted = r#"{"a":"NaN","b":["-Infinity","1e999",-1.5e3],"NaN":"NaN \" NaN","c":"Infinity"}"#;
        assert_eq!(quote_bare_numbers(text), quoted);
    }

    #[test]
    fn a_broken_text_ends_where_it_ends() {
        assert_eq!(quote_bare_numbers(r#"{"a: NaN"#), r#"{"a: NaN"#);
    }

    #[test]
    fn the_value_at_a_path_is_found() {
        let value = serde_json::json!({"metrics": [{"value": "abc"}]});
        assert_eq!(value_at(&value, "metrics[0].value"), Some(&Value::from("abc")));
        assert_eq!(value_at(&value, "metrics[1].value"), None);
    }
}
