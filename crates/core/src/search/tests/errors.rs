//! Messages: the column, what was expected there, what was found.

use super::super::entity::{CANDIDATES, LOGGED_MODELS};
use super::super::parse_filter;
use super::{of_candidates, of_experiments};
use crate::Kind;

/// Asserts that each text is refused with the column and the problem given.
fn assert_problems(rows: &[(&str, usize, &str)]) {
    for &(text, column, problem) in rows {
        let expected = format!("Invalid filter. Could not be parsed at column {column}: {problem}");
        assert_eq!(of_candidates(text), expected, "{text:?}");
    }
}

#[test]
fn a_filter_that_cannot_be_read_is_invalid() {
    let error = parse_filter(&CANDIDATES, "run_id").expect_err("there is no operator");

    assert_eq!(error.kind(), Kind::Invalid);
}

#[test]
fn a_missing_part_is_named_with_its_column() {
    let end = "found the end of the filter";
    assert_problems(&[
        ("   ", 4, &format!("expected the name of a field, {end}")),
        ("run_id", 7, &format!("expected =, !=, LIKE, ILIKE, IN or NOT IN, {end}")),
        ("run_id =", 9, &format!("expected a text in quotes, {end}")),
        ("metrics.a >", 12, &format!("expected a number without quotes, {end}")),
        ("metrics.a", 10, &format!("expected =, !=, <, <=, > or >=, {end}")),
        ("tags.a IS", 10, &format!("expected NULL, {end}")),
        ("tags.a NOT", 11, &format!("expected IN, {end}")),
        ("run_id IN", 10, &format!("expected `(`, {end}")),
        ("run_id IN (", 12, &format!("expected a text in quotes, {end}")),
        ("run_id IN ('a'", 15, &format!("expected `,` or `)`, {end}")),
        ("(run_id = 'a' AND", 18, &format!("expected AND, OR or `)`, {end}")),
        ("(run_id = 'a'", 14, &format!("expected AND, OR or `)`, {end}")),
        ("run_id = 'a' OR", 16, &format!("expected the name of a field, {end}")),
        ("NOT", 4, &format!("expected the name of a field, {end}")),
        ("tags. = 'a'", 1, "expected a key after `tags.`, found nothing"),
        ("tags.`` = 'a'", 1, "expected a key after `tags.`, found nothing"),
    ]);
}

#[test]
fn an_unexpected_token_is_named_with_its_column() {
    assert_problems(&[
        ("AND run_id = 'a'", 1, "expected the name of a field, found `AND`"),
        ("run_id = 'a' run_id = 'b'", 14, "expected AND, OR or the end of the filter, found `run_id`"),
        ("run_id = 'a' AND AND run_id = 'b'", 18, "expected the name of a field, found `AND`"),
        ("run_id = 'a')", 13, "expected AND, OR or the end of the filter, found `)`"),
        ("(run_id = 'a' AND)", 18, "expected the name of a field, found `)`"),
        ("()", 2, "expected the name of a field, found `)`"),
        ("run_id = b", 10, "expected a text in quotes, found `b`"),
        ("run_id = 1", 10, "expected a text in quotes, found `1`"),
        ("run_id > 'a'", 8, "expected =, !=, LIKE, ILIKE, IN or NOT IN, found `>`"),
        (
            "params.a BETWEEN 'a' AND 'b'",
            10,
            "expected =, !=, LIKE, ILIKE, IN, NOT IN, IS NULL or IS NOT NULL, found `BETWEEN`",
        ),
        ("run_id IS NULL", 8, "expected =, !=, LIKE, ILIKE, IN or NOT IN, found `IS`"),
        ("metrics.a LIKE 'x'", 11, "expected =, !=, <, <=, > or >=, found `LIKE`"),
        ("metrics.a > 'x'", 13, "expected a number without quotes, found `'x'`"),
        ("start_time > 1.5", 14, "expected a whole number of 64 bits without quotes, found `1.5`"),
        ("tags.a NOT LIKE 'x'", 12, "expected IN, found `LIKE`"),
        ("tags.a IS 'x'", 11, "expected NULL, found `'x'`"),
        ("run_id IN ('a' 'b')", 16, "expected `,` or `)`, found `'b'`"),
        ("run_id IN ('a',,)", 16, "expected a text in quotes, found `,`"),
        ("start_time > 'x' ;", 14, "expected a whole number of 64 bits without quotes, found `'x'`"),
        ("run_id IN ()", 12, "expected a text in quotes, found `)`"),
    ]);
}

#[test]
fn a_malformed_token_is_named_with_its_column() {
    assert_problems(&[
        (
            "run_id = 'a'; DROP TABLE runs",
            13,
            "expected a name, an operator, a text in quotes or a number, found the character `;`",
        ),
        (
            "metrics.a > +1",
            13,
            "expected a name, an operator, a text in quotes or a number, found the character `+`",
        ),
        (
            "metrics.a > -",
            13,
            "expected a name, an operator, a text in quotes or a number, found the character `-`",
        ),
        ("run_id == 'a'", 8, "`==` is not an operator, write `=`"),
        ("run_id <> 'a'", 8, "`<>` is not an operator, write `!=`"),
        ("!run_id = 'a'", 1, "`!` is not an operator, write `!=` or NOT"),
        ("run_id = 'a", 10, "the text that begins here has no closing '"),
        ("tags.`a = 'b'", 6, "the text that begins here has no closing `"),
        ("metrics.a > 1x", 13, "`1x` is not a number"),
        ("metrics.a > 1.2.3", 13, "`1.2.3` is not a number"),
        ("metrics.a > 1-2", 13, "`1-2` is not a number"),
        ("metrics.a > 1+2", 13, "`1+2` is not a number"),
        ("metrics.a > 1e", 13, "`1e` is not a number"),
        ("metrics.a > 0x10", 13, "`0x10` is not a number"),
        ("run_id = 'a\0'", 12, "unexpected character NUL"),
    ]);
}

#[test]
fn columns_count_characters_and_not_bytes() {
    assert_problems(&[("tags.größe = 'ä€😀' x", 20, "expected AND, OR or the end of the filter, found `x`")]);
}

#[test]
fn an_unknown_name_is_answered_with_the_known_ones() {
    assert_problems(&[
        (
            "run_id = 'a' AND experiment_id = '1'",
            18,
            "Invalid attribute key 'experiment_id' specified. Valid keys are 'run_id', 'run_name', 'user_id', \
             'status', 'artifact_uri', 'start_time', 'end_time'",
        ),
        (
            "attributes.`run id` = 'a'",
            1,
            "Invalid attribute key 'run id' specified. Valid keys are 'run_id', 'run_name', 'user_id', 'status', \
             'artifact_uri', 'start_time', 'end_time'",
        ),
        (
            "datasets.source = 'a'",
            1,
            "Invalid dataset key 'source' specified. Valid keys are 'name', 'digest', 'context'",
        ),
        (
            "Metrics.a > 1",
            1,
            "Invalid entity type 'Metrics'. Valid values are 'attributes', 'metrics', 'params', 'tags', \
             'datasets'",
        ),
    ]);
}

#[test]
fn a_family_that_the_entity_lacks_is_answered_with_those_that_it_has() {
    assert_eq!(
        of_experiments("metrics.a > 1"),
        "Invalid filter. Could not be parsed at column 1: Invalid entity type 'metrics'. Valid values are \
         'attributes', 'tags'"
    );
}

#[test]
fn a_long_token_is_cut_in_the_message() {
    let shown = "é".repeat(40);
    let long = "é".repeat(1000);

    assert_problems(&[
        (&format!("run_id = {long}"), 10, &format!("expected a text in quotes, found `{shown}...`")),
        (&format!("metrics.a = 1{long}"), 13, &format!("`1{}...` is not a number", "é".repeat(39))),
    ]);
}

#[test]
fn a_text_without_quotes_has_none_inside_either() {
    for text in [r#"tags.a = ga.'as "b"'"#, "tags.a = ga.`b`", "tags.a IN (a.'b', c)"] {
        let error = parse_filter(&LOGGED_MODELS, text).expect_err("it is partly in quotes");
        assert!(error.message().contains("expected a text in quotes"), "{text}: {error}");
    }
    assert!(parse_filter(&LOGGED_MODELS, "tags.a = ga.b").is_ok());
}
