//! Searches: the filter grammar compiled to SQL that touches what it must and no more.

pub mod logged_models;

/// Escapes what `LIKE` treats as a wildcard; the statement says `ESCAPE '\'`.
pub fn escape_like(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
