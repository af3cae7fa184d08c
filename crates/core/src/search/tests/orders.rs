//! `order_by` and field names that stand alone.

use super::super::entity::{Attribute, CANDIDATES, CandidateAttribute, EXPERIMENTS, Entity, LOGGED_MODELS};
use super::super::order::{Order, OrderKey};
use super::super::{MAX_ORDER_KEYS, parse_order_by, parse_order_field};
use super::{assert_refused, assert_rows};

/// The canonical form of an `order_by` with one element, or the message.
fn ordered<A: Attribute>(entity: &'static Entity<A>, item: &str) -> String {
    match parse_order_by(entity, &[item.to_owned()]) {
        Ok(orders) => orders.iter().map(Order::to_string).collect(),
        Err(error) => error.message().to_owned(),
    }
}

/// The canonical form of a field name, or the message.
fn field_name(name: &str) -> String {
    parse_order_field(&LOGGED_MODELS, name)
        .map_or_else(|error| error.message().to_owned(), |key| key.to_string())
}

fn owned(items: &[&str]) -> Vec<String> {
    items.iter().map(|&item| item.to_owned()).collect()
}

#[test]
fn no_elements_are_no_order() {
    assert_eq!(parse_order_by(&CANDIDATES, &[]).expect("an empty order is valid"), []);
}

#[test]
fn elements_keep_their_sequence_and_ascend_unless_told_otherwise() {
    let items = owned(&["metrics.loss DESC", "attributes.start_time", "tags.team asc"]);

    let orders = parse_order_by(&CANDIDATES, &items).expect("the order is valid");

    assert_eq!(
        orders,
        [
            Order { key: OrderKey::Metric("loss".into()), descending: true },
            Order { key: OrderKey::Attribute(CandidateAttribute::StartTime), descending: false },
            Order { key: OrderKey::Metadata("team".into()), descending: false },
        ]
    );
}

#[test]
fn candidates_are_ordered_by_attributes_metrics_params_and_metadata() {
    assert_rows(
        |item| ordered(&CANDIDATES, item),
        &[
            ("run_id", "run_id ASC"),
            ("run_name desc", "run_name DESC"),
            ("attribute.user_id", "user_id ASC"),
            ("attr.status", "status ASC"),
            ("run.artifact_uri", "artifact_uri ASC"),
            ("attributes.start_time Desc", "start_time DESC"),
            ("end_time ASC", "end_time ASC"),
            ("Created DESC", "start_time DESC"),
            ("run name desc", "run_name DESC"),
            ("`Run Name` desc", "run_name DESC"),
            ("metrics.`val loss` DESC", "metrics.`val loss` DESC"),
            ("metrics.\"val loss\"", "metrics.`val loss` ASC"),
            ("params.lr", "params.lr ASC"),
            (" tags.mlflow.source.name  DESC ", "tags.mlflow.source.name DESC"),
            ("metadata.desc desc", "tags.desc DESC"),
        ],
    );
    assert_refused(
        |item| ordered(&CANDIDATES, item),
        &["experiment_id", "datasets.name", "Metrics.a", "START_TIME", "", " ", "1", "desc DESC DESC"],
    );
}

#[test]
fn experiments_are_ordered_by_attributes_only() {
    assert_rows(
        |item| ordered(&EXPERIMENTS, item),
        &[
            ("name", "name ASC"),
            ("experiment_id DESC", "experiment_id DESC"),
            ("creation_time", "creation_time ASC"),
            ("attributes.last_update_time DESC", "last_update_time DESC"),
            (
                "tags.team",
                "Invalid order_by clause. Could not be parsed at column 1: Invalid order by key 'tags.team' \
                 specified. Valid keys are 'name', 'experiment_id', 'creation_time', 'last_update_time'",
            ),
        ],
    );
}

#[test]
fn an_element_is_one_field_and_one_direction() {
    let prefix = "Invalid order_by clause. Could not be parsed at column";
    for (item, problem) in [
        ("run_id DOWN", "8: expected ASC, DESC or the end of the order_by clause, found `DOWN`"),
        ("run_id DESC ASC", "13: expected ASC, DESC or the end of the order_by clause, found `ASC`"),
        ("run_id ASC DESC", "12: expected ASC, DESC or the end of the order_by clause, found `DESC`"),
        ("run_id, status", "7: expected ASC, DESC or the end of the order_by clause, found `,`"),
        ("", "1: expected the name of a field, found the end of the order_by clause"),
    ] {
        assert_eq!(ordered(&CANDIDATES, item), format!("{prefix} {problem}"));
    }
}

#[test]
fn a_field_named_twice_is_refused_whatever_it_is_called() {
    for items in [["metrics.a", "metrics.`a` DESC"], ["start_time", "attributes.Created"]] {
        let error = parse_order_by(&CANDIDATES, &owned(&items)).expect_err("the field is there twice");
        assert!(error.message().starts_with("order_by contains the field "), "{error}");
    }
}

#[test]
fn keys_of_one_name_in_two_families_are_two_fields() {
    let items = owned(&["metrics.a", "params.a", "tags.a"]);

    assert_eq!(parse_order_by(&CANDIDATES, &items).expect("the fields differ").len(), 3);
}

#[test]
fn as_many_elements_as_allowed_are_read_and_one_more_is_refused() {
    let items = |count: usize| (0..count).map(|n| format!("metrics.m{n}")).collect::<Vec<_>>();

    assert_eq!(
        parse_order_by(&CANDIDATES, &items(MAX_ORDER_KEYS)).expect("they are allowed").len(),
        MAX_ORDER_KEYS
    );
    let error = parse_order_by(&CANDIDATES, &items(MAX_ORDER_KEYS + 1)).expect_err("one is too many");
    assert_eq!(error.message(), "order_by has 21 elements, at most 20 are allowed");
}

#[test]
fn logged_models_are_ordered_by_a_field_name() {
    assert_rows(
        field_name,
        &[
            ("name", "name"),
            ("creation_timestamp", "creation_timestamp"),
            ("creation_time", "creation_timestamp"),
            ("last_updated_timestamp", "last_updated_timestamp"),
            ("attributes.name", "name"),
            ("metrics.loss", "metrics.loss"),
            ("metrics.val loss.'x' DESC", "metrics.`val loss.'x' DESC`"),
            ("metrics.`val loss`", "metrics.`val loss`"),
        ],
    );
    assert_refused(
        field_name,
        &["params.lr", "tags.team", "model_id", "unknown", "", "metrics.", "metrics.a\0"],
    );
}
