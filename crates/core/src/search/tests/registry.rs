//! Models and their versions: fields, operators and orders.

use super::super::entity::{Attribute, Entity, MODELS, VERSIONS};
use super::super::order::{self, Order};
use super::super::parse_order_by;
use super::{assert_refused, assert_rows, of_models, of_versions};

const TEXT_CONDITIONS: [&str; 6] =
    ["= 'x'", "!= 'x'", "LIKE 'x%'", "ILIKE 'x%'", "IN ('x', 'y')", "NOT IN ('x')"];

/// The canonical form of an order in full, or the message.
fn ordered<A: Attribute>(
    entity: &'static Entity<A>,
    completed: fn(Vec<Order<A>>) -> Vec<Order<A>>,
    items: &[&str],
) -> String {
    let items: Vec<_> = items.iter().map(|&item| item.to_owned()).collect();
    match parse_order_by(entity, &items).map(completed) {
        Ok(orders) => orders.iter().map(Order::to_string).collect::<Vec<_>>().join(", "),
        Err(error) => error.message().to_owned(),
    }
}

fn models_ordered(items: &[&str]) -> String {
    ordered(&MODELS, order::of_models, items)
}

fn versions_ordered(items: &[&str]) -> String {
    ordered(&VERSIONS, order::of_versions, items)
}

#[test]
fn models_are_searched_by_name() {
    for condition in TEXT_CONDITIONS {
        let expected = format!("name {condition}");
        for word in ["", "attribute.", "attributes."] {
            assert_eq!(of_models(&format!("{word}name {condition}")), expected);
        }
    }
    assert_refused(of_models, &["name > 'x'", "name = 1", "name = x", "name IS NULL"]);
}

#[test]
fn versions_are_searched_by_the_name_of_their_model_their_candidate_and_their_source() {
    for attribute in ["name", "run_id", "source_path"] {
        for condition in TEXT_CONDITIONS {
            let expected = format!("{attribute} {condition}");
            assert_eq!(of_versions(&expected), expected);
            assert_eq!(of_versions(&format!("attribute.{expected}")), expected);
        }
        assert_refused(of_versions, &[&format!("{attribute} > 'x'"), &format!("{attribute} IS NULL")]);
    }
}

#[test]
fn versions_are_searched_by_number_in_quotes_or_not() {
    for operator in ["=", "!=", "<", "<=", ">", ">="] {
        let expected = format!("version_number {operator} 12");
        assert_eq!(of_versions(&expected), expected);
        assert_eq!(of_versions(&format!("version_number {operator} '12'")), expected);
    }
    assert_rows(
        of_versions,
        &[
            ("version_number IN (1, '2')", "version_number IN (1, 2)"),
            ("version_number NOT IN ('1')", "version_number NOT IN (1)"),
        ],
    );
    assert_refused(
        of_versions,
        &[
            "version_number = 'x'",
            "version_number = 1.5",
            "version_number = `1`",
            "version_number LIKE '1%'",
            "version_number IS NULL",
            "version_number IN ('1', 'x')",
        ],
    );
}

#[test]
fn models_and_versions_are_searched_by_metadata_and_no_other_keys() {
    for read in [of_models, of_versions] {
        for condition in TEXT_CONDITIONS.into_iter().chain(["IS NULL", "IS NOT NULL"]) {
            let expected = format!("tags.`a b` {condition}");
            for word in ["tags", "tag", "metadata"] {
                assert_eq!(read(&format!("{word}.`a b` {condition}")), expected);
            }
        }
        assert_refused(read, &["metrics.a > 1", "params.a = 'x'", "datasets.name = 'x'", "tags.a > 'x'"]);
    }
}

#[test]
fn filters_of_models_and_versions_are_joined_like_all_others() {
    assert_rows(of_models, &[("not (name = 'a' or name = 'b') and", "NOT (name = 'a' OR name = 'b')")]);
    assert_rows(
        of_versions,
        &[(
            "run_id = 'a' and (name = 'b' or version_number > 1)",
            "run_id = 'a' AND (name = 'b' OR version_number > 1)",
        )],
    );
}

#[test]
fn what_can_only_be_ordered_by_is_no_field_of_a_filter() {
    let unknown = |key: &str, valid: &str| {
        format!(
            "Invalid filter. Could not be parsed at column 1: Invalid attribute key '{key}' specified. Valid keys are \
             {valid}"
        )
    };
    for key in ["last_updated_timestamp", "timestamp", "creation_timestamp"] {
        assert_eq!(of_models(&format!("{key} > 1")), unknown(key, "'name'"));
        assert_eq!(of_models(&format!("attributes.{key} > 1")), unknown(key, "'name'"));
    }
    for key in
        ["last_updated_timestamp", "creation_timestamp", "current_stage", "status", "aliases", "model_id"]
    {
        let valid = "'name', 'version_number', 'run_id', 'source_path'";
        assert_eq!(of_versions(&format!("{key} = 1")), unknown(key, valid));
    }
}

#[test]
fn models_are_ordered_by_name_or_the_time_of_the_last_change() {
    for (items, expected) in [
        (&[][..], "name ASC"),
        (&["name DESC"], "name DESC"),
        (&["timestamp"], "last_updated_timestamp ASC, name ASC"),
        (&["last_updated_timestamp DESC"], "last_updated_timestamp DESC, name ASC"),
        (&["attribute.timestamp DESC", "name DESC"], "last_updated_timestamp DESC, name DESC"),
    ] {
        assert_eq!(models_ordered(items), expected, "{items:?}");
    }
}

#[test]
fn versions_are_ordered_by_name_number_or_time() {
    for (items, expected) in [
        (&[][..], "last_updated_timestamp DESC, name ASC, version_number DESC"),
        (&["name DESC"], "name DESC, version_number DESC"),
        (&["version_number"], "version_number ASC, name ASC"),
        (&["creation_timestamp"], "creation_timestamp ASC, name ASC, version_number DESC"),
        (
            &["version_number", "last_updated_timestamp"],
            "version_number ASC, last_updated_timestamp ASC, name ASC",
        ),
    ] {
        assert_eq!(versions_ordered(items), expected, "{items:?}");
    }
}

#[test]
fn what_models_and_versions_cannot_be_ordered_by_is_refused() {
    for item in ["creation_timestamp", "tags.a", "version_number", "metrics.a"] {
        assert_refused(|item| models_ordered(&[item]), &[item]);
    }
    for item in ["run_id", "source_path", "timestamp", "tags.a", "status"] {
        assert_refused(|item| versions_ordered(&[item]), &[item]);
    }
    assert_eq!(
        versions_ordered(&["run_id"]),
        "Invalid order_by clause. Could not be parsed at column 1: Invalid order by key 'run_id' specified. Valid keys \
         are 'name', 'version_number', 'creation_timestamp', 'last_updated_timestamp'"
    );
    assert_eq!(
        models_ordered(&["timestamp", "last_updated_timestamp"]),
        "order_by contains the field last_updated_timestamp twice"
    );
}
