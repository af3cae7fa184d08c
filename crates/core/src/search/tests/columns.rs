//! Columns of tables of candidates.

use super::super::column::{Column, Figure, KeyKind};
use super::super::parse_column;
use super::{assert_refused, assert_rows};

use proptest::prelude::*;

fn canonical(text: &str) -> String {
    match parse_column(text) {
        Ok(column) => column.to_string(),
        Err(error) => error.message().to_owned(),
    }
}

#[test]
fn a_column_is_a_field_as_filters_have_it() {
    assert_rows(
        canonical,
        &[
            ("metrics.loss", "metrics.loss"),
            (" metric.`val loss` ", "metrics.`val loss`"),
            ("params.\"learning rate\"", "params.`learning rate`"),
            ("metadata.team", "tags.team"),
            ("tags.mlflow.source.name", "tags.mlflow.source.name"),
            ("attributes.start_time", "start_time"),
            ("eid", "run_id"),
        ],
    );
}

#[test]
fn the_words_of_the_native_api_are_attributes() {
    assert_rows(canonical, &[("name", "run_name"), ("user", "user_id"), ("status", "status")]);
}

#[test]
fn a_figure_stands_around_the_metric() {
    let column = parse_column("min(metrics.loss.min)").expect("a column");
    assert_eq!(column, Column::Metric("loss.min".to_owned(), Figure::Minimum));
    assert_rows(
        canonical,
        &[
            ("metrics.loss.min", "metrics.loss.min"),
            ("MAX ( metrics.`val loss` )", "max(metrics.`val loss`)"),
            ("min(metrics.loss.min)", "min(metrics.loss.min)"),
        ],
    );
}

#[test]
fn only_a_metric_has_figures() {
    let message = "Invalid column name. Could not be parsed at column 5: only a metric has a least and a greatest \
                   value, not `params.lr`";
    assert_eq!(canonical("min(params.lr)"), message);
    assert_refused(canonical, &["max(start_time)", "min(name)", "min(tags.team)"]);
}

#[test]
fn what_is_no_column_is_refused() {
    assert_refused(
        canonical,
        &[
            "",
            "loss",
            "metrics",
            "metrics.",
            "metrics.a b",
            "metrics.a, metrics.b",
            "metrics.a DESC",
            "min",
            "min(metrics.a",
            "metrics.a)",
            "sum(metrics.a)",
            "min(max(metrics.a))",
            "datasets.name",
            "artifacts.a",
        ],
    );
}

#[test]
fn a_kind_of_key_is_one_of_three_words() {
    for kind in KeyKind::ALL {
        assert_eq!(kind.as_str().parse::<KeyKind>().ok(), Some(kind));
    }
    assert!("tags".parse::<KeyKind>().is_err());
}

proptest! {
    #[test]
    fn a_printed_column_reads_back(key in "[a-z_/:. -]{1,20}", figure in 0_usize..3, kind in 0_usize..3) {
        let column = match KeyKind::ALL[kind].column(&key) {
            Column::Metric(key, _) => Column::Metric(key, Figure::ALL[figure]),
            column => column,
        };
        prop_assert_eq!(parse_column(&column.to_string()).expect("it was printed"), column);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,60}") {
        let _ = parse_column(&text);
    }
}
