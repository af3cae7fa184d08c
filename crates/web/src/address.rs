//! Where a page's address names its project.
//!
//! A project's full path has any number of segments, so no route can name it as one of them. Its end is known: `/-/`
//! or `/edit` follows, or nothing. The full path then becomes one encoded segment, and what follows stays, which is
//! what the routes of [`crate::router`] match: `/a/b/-/ml/experiments` becomes `/a%2Fb/-/ml/experiments`.

use axum::http::Uri;
use axum::http::uri::PathAndQuery;

use crate::links;

/// The inner address of a project's page; `None` when this cannot be one.
pub(crate) fn of_project(uri: &Uri) -> Option<Uri> {
    let path = uri.path().strip_prefix('/')?;
    let path = path.strip_suffix('/').unwrap_or(path);
    let (full_path, rest) = split(path);
    let is_full_path = full_path.contains('/') && full_path.split('/').all(is_segment);
    if !is_full_path {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let inner = format!("/{}{rest}{query}", links::segment(full_path));
    Some(inner.parse::<PathAndQuery>().ok()?.into())
}

/// The full path, and what follows it.
fn split(path: &str) -> (&str, &str) {
    if let Some(at) = path.find("/-/") {
        return path.split_at(at);
    }
    match path.strip_suffix("/edit") {
        // With two segments, `edit` is the project's own name.
        Some(before) if before.contains('/') => path.split_at(before.len()),
        _ => (path, ""),
    }
}

/// Whether this may be a part of a full path: the characters that names of namespaces and projects have.
fn is_segment(text: &str) -> bool {
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    starts_well && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inner(path: &str) -> Option<String> {
        of_project(&path.parse().expect("a URI")).map(|uri| uri.to_string())
    }

    #[test]
    fn a_full_path_becomes_one_segment() {
        assert_eq!(inner("/root/playground").as_deref(), Some("/root%2Fplayground"));
        assert_eq!(
            inner("/a/b/c/-/ml/experiments?x=1%2F").as_deref(),
            Some("/a%2Fb%2Fc/-/ml/experiments?x=1%2F")
        );
        assert_eq!(inner("/a/b/edit").as_deref(), Some("/a%2Fb/edit"));
    }

    #[test]
    fn a_project_may_be_called_edit() {
        assert_eq!(inner("/a/edit").as_deref(), Some("/a%2Fedit"));
        assert_eq!(inner("/a/edit/edit").as_deref(), Some("/a%2Fedit/edit"));
    }

    #[test]
    fn what_follows_the_project_stays_as_it_was_encoded() {
        assert_eq!(
            inner("/a/b/-/ml/candidates/1/artifacts/x%2F-%2Fy/-/z").as_deref(),
            Some("/a%2Fb/-/ml/candidates/1/artifacts/x%2F-%2Fy/-/z")
        );
    }

    #[test]
    fn other_addresses_are_no_projects() {
        for path in ["/", "/a", "/a//b", "/a/b%20c", "/-/x", "//a/b"] {
            assert_eq!(inner(path), None, "{path}");
        }
    }
}
