//! Searches: the filter grammar compiled to SQL that touches what it must and no more.

mod binds;
pub mod candidates;
mod condition;
mod experiments;
mod keyset;
pub mod logged_models;
mod models;
mod prompts;
pub mod rows;
mod versions;

/// Which things a search shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum View {
    /// Those that are not in the bin.
    #[default]
    Active,
    /// Those in the bin.
    Deleted,
    /// All.
    All,
}

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
