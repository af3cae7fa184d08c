//! Tests of the grammar, seen from outside: text in, value or message out.

mod columns;
mod errors;
mod expressions;
mod fields;
mod orders;
mod properties;
mod registry;

use super::entity::{Attribute, CANDIDATES, EXPERIMENTS, Entity, LOGGED_MODELS, MODELS, VERSIONS};
use super::parse_filter;

/// The canonical form of `text`, or the message.
fn canonical<A: Attribute>(entity: &'static Entity<A>, text: &str) -> String {
    match parse_filter(entity, text) {
        Ok(Some(expr)) => expr.to_string(),
        Ok(None) => "no filter".to_owned(),
        Err(error) => error.message().to_owned(),
    }
}

fn of_candidates(text: &str) -> String {
    canonical(&CANDIDATES, text)
}

fn of_experiments(text: &str) -> String {
    canonical(&EXPERIMENTS, text)
}

fn of_logged_models(text: &str) -> String {
    canonical(&LOGGED_MODELS, text)
}

fn of_models(text: &str) -> String {
    canonical(&MODELS, text)
}

fn of_versions(text: &str) -> String {
    canonical(&VERSIONS, text)
}

/// Fails with every row of `(text, expected)` that `read` does not answer as expected.
fn assert_rows(read: impl Fn(&str) -> String, rows: &[(&str, &str)]) {
    let differing: Vec<_> = rows
        .iter()
        .map(|&(text, expected)| (text, read(text), expected))
        .filter(|(_, answer, expected)| answer != expected)
        .collect();
    assert!(differing.is_empty(), "(text, answer, expected): {differing:#?}");
}

/// Fails with every text that `read` does not refuse.
fn assert_refused(read: impl Fn(&str) -> String, texts: &[&str]) {
    let accepted: Vec<_> = texts.iter().filter(|text| !read(text).starts_with("Invalid ")).collect();
    assert!(accepted.is_empty(), "accepted: {accepted:#?}");
}
