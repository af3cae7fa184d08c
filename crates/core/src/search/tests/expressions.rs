//! How tests are joined, and what the values look like.

use super::super::entity::{CANDIDATES, CandidateAttribute};
use super::super::expr::{Condition, Expr, Field, NumberOp, Test, TextOp};
use super::super::{MAX_LIST_VALUES, MAX_NESTING, MAX_TESTS, parse_filter};
use super::{assert_rows, of_candidates};
use crate::Kind;

fn parsed(text: &str) -> Expr<CandidateAttribute> {
    parse_filter(&CANDIDATES, text).expect("the filter is valid").expect("the filter is not empty")
}

fn metric(key: &str, op: NumberOp, value: f64) -> Expr<CandidateAttribute> {
    Expr::Test(Test { field: Field::Metric(key.into()), condition: Condition::Number { op, value } })
}

#[test]
fn an_empty_text_is_no_filter() {
    assert_eq!(parse_filter(&CANDIDATES, "").expect("the empty filter is valid"), None);
}

#[test]
fn not_binds_tighter_than_and_and_and_tighter_than_or() {
    let expected = Expr::Or(vec![
        Expr::And(vec![Expr::Not(Box::new(metric("a", NumberOp::Gt, 1.0))), metric("b", NumberOp::Gt, 2.0)]),
        metric("c", NumberOp::Gt, 3.0),
    ]);

    assert_eq!(parsed("NOT metrics.a > 1 AND metrics.b > 2 OR metrics.c > 3"), expected);
}

#[test]
fn parentheses_outrank_every_operator() {
    let expected = Expr::And(vec![
        metric("a", NumberOp::Gt, 1.0),
        Expr::Not(Box::new(Expr::Or(vec![metric("b", NumberOp::Gt, 2.0), metric("c", NumberOp::Gt, 3.0)]))),
    ]);

    assert_eq!(parsed("metrics.a > 1 AND NOT (metrics.b > 2 OR metrics.c > 3)"), expected);
}

#[test]
fn parentheses_and_negations_that_change_nothing_are_dropped() {
    assert_rows(
        of_candidates,
        &[
            ("((run_id = 'a'))", "run_id = 'a'"),
            (
                "(run_id = 'a' AND run_id = 'b') AND run_id = 'c'",
                "run_id = 'a' AND run_id = 'b' AND run_id = 'c'",
            ),
            (
                "run_id = 'a' AND (run_id = 'b' AND run_id = 'c')",
                "run_id = 'a' AND run_id = 'b' AND run_id = 'c'",
            ),
            (
                "run_id = 'a' OR (run_id = 'b' OR run_id = 'c')",
                "run_id = 'a' OR run_id = 'b' OR run_id = 'c'",
            ),
            (
                "(run_id = 'a' AND run_id = 'b') OR run_id = 'c'",
                "run_id = 'a' AND run_id = 'b' OR run_id = 'c'",
            ),
            ("NOT NOT run_id = 'a'", "run_id = 'a'"),
            ("NOT (NOT (run_id = 'a'))", "run_id = 'a'"),
            ("NOT NOT NOT run_id = 'a'", "NOT run_id = 'a'"),
        ],
    );
}

#[test]
fn a_double_negation_inside_a_conjunction_joins_it() {
    let expected = Expr::And(vec![
        metric("a", NumberOp::Gt, 1.0),
        metric("b", NumberOp::Gt, 2.0),
        metric("c", NumberOp::Gt, 3.0),
    ]);

    assert_eq!(parsed("metrics.a > 1 AND NOT NOT (metrics.b > 2 AND metrics.c > 3)"), expected);
}

#[test]
fn keywords_are_read_in_any_case() {
    assert_rows(
        of_candidates,
        &[
            (
                "not run_id = 'a' and run_id = 'b' oR run_id = 'c'",
                "NOT run_id = 'a' AND run_id = 'b' OR run_id = 'c'",
            ),
            ("run_id like 'a'", "run_id LIKE 'a'"),
            ("run_id iLike 'a'", "run_id ILIKE 'a'"),
            ("run_id not in ('a')", "run_id NOT IN ('a')"),
            ("tags.a is not null", "tags.a IS NOT NULL"),
        ],
    );
}

#[test]
fn blanks_and_lines_between_tokens_do_not_matter() {
    assert_rows(
        of_candidates,
        &[
            ("\n metrics.a>1\tAND\r\nmetrics.b<=-2 ", "metrics.a > 1.0 AND metrics.b <= -2.0"),
            ("NOT(run_id='a')AND(run_id IN('b','c'))", "NOT run_id = 'a' AND run_id IN ('b', 'c')"),
        ],
    );
}

#[test]
fn one_and_at_the_end_is_forgiven() {
    assert_rows(
        of_candidates,
        &[
            ("run_id = 'a' AND", "run_id = 'a'"),
            ("run_id = 'a' AND run_id = 'b' and  ", "run_id = 'a' AND run_id = 'b'"),
        ],
    );
}

#[test]
fn a_text_keeps_everything_between_its_quotes() {
    let patterns = parsed(r#"tags.a LIKE '100\%_"" ' OR tags.a LIKE "it's ""#);

    let values: Vec<_> = patterns
        .tests()
        .into_iter()
        .map(|test| match &test.condition {
            Condition::Text { op: TextOp::Like, value } => value.as_str(),
            other => panic!("no pattern: {other:?}"),
        })
        .collect();
    assert_eq!(values, [r#"100\%_"" "#, "it's "]);
}

#[test]
fn a_metric_is_compared_with_a_number_in_the_form_in_which_metrics_are_stored() {
    for (written, expected) in [
        ("1", 1.0_f64),
        ("-0.5", -0.5),
        (".5", 0.5),
        ("-.5", -0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("2.5E+2", 250.0),
        ("25e-1", 2.5),
        ("-1e-2", -0.01),
        ("1e999", f64::MAX),
        ("-1e999", f64::MIN),
        ("-0", 0.0),
        ("0.1", 0.1),
    ] {
        let Expr::Test(Test { condition: Condition::Number { value, .. }, .. }) =
            parsed(&format!("metrics.a = {written}"))
        else {
            panic!("{written} is no comparison of a number");
        };
        assert_eq!(value.to_bits(), expected.to_bits(), "{written}");
    }
}

#[test]
fn a_time_is_a_whole_number_of_64_bits() {
    assert_rows(
        of_candidates,
        &[
            ("start_time > 9223372036854775807", "start_time > 9223372036854775807"),
            ("start_time > -9223372036854775808", "start_time > -9223372036854775808"),
            ("start_time > 9007199254740993", "start_time > 9007199254740993"),
            ("start_time > -1e18", "start_time > -1000000000000000000"),
            ("start_time > 1.7e12", "start_time > 1700000000000"),
            ("start_time > 1700000000000.0", "start_time > 1700000000000"),
        ],
    );
}

#[test]
fn every_test_of_an_expression_is_listed_from_left_to_right() {
    let expr = parsed("metrics.a > 1 AND NOT (params.b = 'x' OR tags.c IS NULL) AND run_id = 'd'");

    let fields: Vec<_> = expr.tests().into_iter().map(|test| test.field.to_string()).collect();
    assert_eq!(fields, ["metrics.a", "params.b", "tags.c", "run_id"]);
}

#[test]
fn as_many_levels_of_nesting_as_allowed_are_read_and_one_more_is_refused() {
    let nested = |levels| format!("{}run_id = 'a'{}", "(".repeat(levels), ")".repeat(levels));
    let negated = |levels| format!("{}run_id = 'a'", "NOT ".repeat(levels));

    assert_eq!(of_candidates(&nested(MAX_NESTING)), "run_id = 'a'");
    assert_eq!(of_candidates(&negated(MAX_NESTING)), "run_id = 'a'");
    let column = MAX_NESTING + 1;
    assert_eq!(
        of_candidates(&nested(MAX_NESTING + 1)),
        format!(
            "Invalid filter. Could not be parsed at column {column}: parentheses and NOT are nested deeper than \
             {MAX_NESTING} levels"
        )
    );
    assert!(of_candidates(&negated(MAX_NESTING + 1)).contains("are nested deeper than"));
}

#[test]
fn levels_beside_each_other_are_not_nested() {
    let text = vec!["(NOT run_id = 'a')"; MAX_NESTING + 1].join(" AND ");

    assert_eq!(parsed(&text).tests().len(), MAX_NESTING + 1);
}

#[test]
fn as_many_tests_as_allowed_are_read_and_one_more_is_refused() {
    let tests = |count| vec!["metrics.a > 1"; count].join(" OR ");

    assert_eq!(parsed(&tests(MAX_TESTS)).tests().len(), MAX_TESTS);
    assert!(of_candidates(&tests(MAX_TESTS + 1)).ends_with("a filter has at most 500 conditions"));
}

#[test]
fn as_many_values_as_allowed_are_listed_and_one_more_is_refused() {
    let list = |count| format!("run_id IN ({})", vec!["'a'"; count].join(","));

    assert_eq!(of_candidates(&list(MAX_LIST_VALUES)).matches("'a'").count(), MAX_LIST_VALUES);
    assert!(of_candidates(&list(MAX_LIST_VALUES + 1)).ends_with("a list has at most 1000 values"));
}

#[test]
fn a_text_longer_than_allowed_is_refused_unread() {
    let text = format!("run_id = '{}'", "é".repeat(40_000));

    let error = parse_filter(&CANDIDATES, &text).expect_err("the text is too long");
    assert_eq!(error.kind(), Kind::Invalid);
    assert_eq!(error.message(), "Invalid filter. It is 80011 bytes long, at most 65536 are allowed");
}
