//! What holds for every filter.

use proptest::prelude::*;

use super::super::entity::{
    Attribute, CANDIDATES, CandidateAttribute, EXPERIMENTS, Entity, LOGGED_MODELS, MODELS, VERSIONS,
    ValueKind,
};
use super::super::expr::{Condition, DatasetField, Expr, Field, NumberOp, Test, TextOp};
use super::super::order::{Order, OrderKey};
use super::super::{parse_filter, parse_order_by, parse_order_field};

/// Pieces of which most filters consist, so that random rows of them get deep into the parser.
const PIECES: [&str; 43] = [
    "AND",
    "or",
    "NOT",
    "IN",
    "LIKE",
    "ilike",
    "IS",
    "NULL",
    "(",
    ")",
    ",",
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "'x'",
    "\"y\"",
    "`z`",
    "1",
    "-2.5",
    "1e999",
    "run_id",
    "run name",
    "start_time",
    "experiment_id",
    "name",
    "metrics.a",
    "params.b",
    "tags.`c d`",
    "datasets.name",
    "attributes.status",
    "creation_time",
    "version_number",
    "source_path",
    "last_updated_timestamp",
    "é",
    "\0",
    "'",
    "`",
    ".",
    " ",
];

fn number_op() -> impl Strategy<Value = NumberOp> {
    prop::sample::select(vec![
        NumberOp::Eq,
        NumberOp::Ne,
        NumberOp::Lt,
        NumberOp::Le,
        NumberOp::Gt,
        NumberOp::Ge,
    ])
}

/// A text as it can be written: without NUL, and without one of the quotes.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[^\"\0]{0,12}", "[^'\0]{0,12}", "[a-z%_]{0,6}"]
}

/// A key as it can be written.
fn key() -> impl Strategy<Value = String> {
    prop_oneof!["[^`\0]{1,12}", "[^\"\0]{1,12}", "[^'\0]{1,12}", "[a-zA-Z0-9_./:-]{1,12}"]
}

fn text_condition() -> impl Strategy<Value = Condition> {
    let op = prop::sample::select(vec![TextOp::Eq, TextOp::Ne, TextOp::Like, TextOp::ILike]);
    prop_oneof![
        (op, text()).prop_map(|(op, value)| Condition::Text { op, value }),
        (any::<bool>(), prop::collection::vec(text(), 1..4))
            .prop_map(|(negated, values)| Condition::TextIn { negated, values }),
    ]
}

fn optional_text_condition() -> impl Strategy<Value = Condition> {
    prop_oneof![4 => text_condition(), 1 => any::<bool>().prop_map(|negated| Condition::Null { negated })]
}

fn number_condition() -> impl Strategy<Value = Condition> {
    let stored =
        prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::POSITIVE | prop::num::f64::ZERO;
    let value = stored.prop_map(|value| value.clamp(f64::MIN, f64::MAX) + 0.0);
    (number_op(), value).prop_map(|(op, value)| Condition::Number { op, value })
}

fn integer_condition() -> impl Strategy<Value = Condition> {
    (number_op(), any::<i64>()).prop_map(|(op, value)| Condition::Integer { op, value })
}

fn id_condition() -> impl Strategy<Value = Condition> {
    let op = prop::sample::select(vec![NumberOp::Eq, NumberOp::Ne]);
    let pattern_op = prop::sample::select(vec![TextOp::Like, TextOp::ILike]);
    prop_oneof![
        (op, any::<i64>()).prop_map(|(op, value)| Condition::Integer { op, value }),
        (any::<bool>(), prop::collection::vec(any::<i64>(), 1..4))
            .prop_map(|(negated, values)| Condition::IntegerIn { negated, values }),
        (pattern_op, text()).prop_map(|(op, value)| Condition::Text { op, value }),
    ]
}

fn ordinal_condition() -> impl Strategy<Value = Condition> {
    let values = prop::collection::vec(any::<i64>(), 1..4);
    prop_oneof![
        integer_condition(),
        (any::<bool>(), values).prop_map(|(negated, values)| Condition::IntegerIn { negated, values }),
    ]
}

fn attribute_test<A: Attribute>(entity: &'static Entity<A>) -> impl Strategy<Value = Test<A>> {
    let searchable: Vec<_> =
        entity.attributes.iter().filter(|row| row.kind != ValueKind::Unsearchable).collect();
    prop::sample::select(searchable).prop_flat_map(|row| {
        let condition = match row.kind {
            ValueKind::Text => text_condition().boxed(),
            ValueKind::Integer => integer_condition().boxed(),
            ValueKind::Id => id_condition().boxed(),
            ValueKind::Ordinal => ordinal_condition().boxed(),
            ValueKind::Unsearchable => unreachable!("they are filtered out above"),
        };
        condition.prop_map(move |condition| Test { field: Field::Attribute(row.attribute), condition })
    })
}

/// Tests of an entity that has attributes and metadata, and nothing else.
fn plain_test<A: Attribute>(entity: &'static Entity<A>) -> impl Strategy<Value = Test<A>> {
    prop_oneof![
        attribute_test(entity),
        (key(), optional_text_condition())
            .prop_map(|(key, condition)| Test { field: Field::Metadata(key), condition }),
    ]
}

fn candidate_test() -> impl Strategy<Value = Test<CandidateAttribute>> {
    let dataset = prop::sample::select(DatasetField::ALL.to_vec());
    prop_oneof![
        attribute_test(&CANDIDATES),
        (key(), number_condition())
            .prop_map(|(key, condition)| Test { field: Field::Metric(key), condition }),
        (key(), optional_text_condition())
            .prop_map(|(key, condition)| Test { field: Field::Param(key), condition }),
        (key(), optional_text_condition())
            .prop_map(|(key, condition)| Test { field: Field::Metadata(key), condition }),
        (dataset, text_condition())
            .prop_map(|(field, condition)| Test { field: Field::Dataset(field), condition }),
    ]
}

/// Expressions of `test`s in the one form that the parser makes.
fn expression<A: Attribute>(
    test: impl Strategy<Value = Test<A>> + 'static,
) -> impl Strategy<Value = Expr<A>> {
    test.prop_map(Expr::Test).prop_recursive(4, 24, 4, |inner| {
        let parts = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            parts.clone().prop_map(|parts| Expr::And(parts.into_iter().flat_map(conjuncts).collect())),
            parts.prop_map(|parts| Expr::Or(parts.into_iter().flat_map(disjuncts).collect())),
            inner.prop_map(negated),
        ]
    })
}

fn conjuncts<A>(expr: Expr<A>) -> Vec<Expr<A>> {
    if let Expr::And(parts) = expr { parts } else { vec![expr] }
}

fn disjuncts<A>(expr: Expr<A>) -> Vec<Expr<A>> {
    if let Expr::Or(parts) = expr { parts } else { vec![expr] }
}

fn negated<A>(expr: Expr<A>) -> Expr<A> {
    if let Expr::Not(inner) = expr { *inner } else { Expr::Not(Box::new(expr)) }
}

fn order() -> impl Strategy<Value = Order<CandidateAttribute>> {
    let attribute =
        prop::sample::select(CANDIDATES.attributes).prop_map(|row| OrderKey::Attribute(row.attribute));
    let key = prop_oneof![
        attribute,
        key().prop_map(OrderKey::Metric),
        key().prop_map(OrderKey::Param),
        key().prop_map(OrderKey::Metadata),
    ];
    (key, any::<bool>()).prop_map(|(key, descending)| Order { key, descending })
}

/// Reads `text` in every way there is, and what could be read a second time from its canonical form.
fn assert_reads_without_panic<A: Attribute>(entity: &'static Entity<A>, text: &str) {
    if let Ok(Some(expr)) = parse_filter(entity, text) {
        assert_eq!(parse_filter(entity, &expr.to_string()).expect("the canonical form is valid"), Some(expr));
    }
    if let Ok(orders) = parse_order_by(entity, &[text.to_owned()]) {
        let printed: Vec<_> = orders.iter().map(Order::to_string).collect();
        assert_eq!(parse_order_by(entity, &printed).expect("the canonical form is valid"), orders);
    }
    let _answer = parse_order_field(entity, text);
}

fn assert_reads_for_every_entity(text: &str) {
    assert_reads_without_panic(&CANDIDATES, text);
    assert_reads_without_panic(&EXPERIMENTS, text);
    assert_reads_without_panic(&LOGGED_MODELS, text);
    assert_reads_without_panic(&MODELS, text);
    assert_reads_without_panic(&VERSIONS, text);
}

proptest! {
    #[test]
    fn a_printed_filter_of_candidates_is_read_as_the_same_filter(expr in expression(candidate_test())) {
        let text = expr.to_string();
        prop_assert_eq!(parse_filter(&CANDIDATES, &text).expect("a printed filter is valid"), Some(expr), "{}", text);
    }

    #[test]
    fn a_printed_filter_of_experiments_is_read_as_the_same_filter(expr in expression(attribute_test(&EXPERIMENTS))) {
        let text = expr.to_string();
        prop_assert_eq!(parse_filter(&EXPERIMENTS, &text).expect("a printed filter is valid"), Some(expr), "{}", text);
    }

    #[test]
    fn a_printed_filter_of_logged_models_is_read_as_the_same_filter(
        expr in expression(attribute_test(&LOGGED_MODELS))
    ) {
        let text = expr.to_string();
        prop_assert_eq!(parse_filter(&LOGGED_MODELS, &text).expect("a printed filter is valid"), Some(expr), "{}", text);
    }

    #[test]
    fn a_printed_filter_of_models_is_read_as_the_same_filter(expr in expression(plain_test(&MODELS))) {
        let text = expr.to_string();
        prop_assert_eq!(parse_filter(&MODELS, &text).expect("a printed filter is valid"), Some(expr), "{}", text);
    }

    #[test]
    fn a_printed_filter_of_versions_is_read_as_the_same_filter(expr in expression(plain_test(&VERSIONS))) {
        let text = expr.to_string();
        prop_assert_eq!(parse_filter(&VERSIONS, &text).expect("a printed filter is valid"), Some(expr), "{}", text);
    }

    #[test]
    fn a_printed_order_is_read_as_the_same_order(order in order()) {
        let printed = vec![order.to_string()];
        prop_assert_eq!(parse_order_by(&CANDIDATES, &printed).expect("a printed order is valid"), vec![order]);
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        assert_reads_for_every_entity(&text);
    }

    #[test]
    fn any_row_of_tokens_is_read_or_refused(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..24)) {
        assert_reads_for_every_entity(&pieces.join(" "));
        assert_reads_for_every_entity(&pieces.concat());
    }
}
