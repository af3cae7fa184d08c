//! What is a version, what is said of a text that is none, and which version is the greater.

use std::cmp::Ordering;

use proptest::prelude::*;

use super::super::{MAX_CHARS, Version, explain};
use super::{version, version_text};
use crate::Kind;

/// The message for `text`, from behind the text itself.
fn complaint(text: &str) -> String {
    let error = text.parse::<Version>().expect_err(text);
    assert_eq!(error.kind(), Kind::Invalid);
    let start = format!("{} is not a semantic version: it ", serde_json::Value::from(text));
    error.message().strip_prefix(&start).unwrap_or_else(|| panic!("{error}")).to_owned()
}

#[test]
fn versions_are_read_strictly_and_printed_as_they_were_written() {
    for text in [
        "0.0.0",
        "1.2.3",
        "9223372036854775807.0.0",
        "1.0.0-alpha.1",
        "1.0.0-0a.-.--",
        "1.0.0-9223372036854775807",
        "1.0.0+007.a",
        "1.0.0-rc.1+99999999999999999999",
    ] {
        assert_eq!(version(text).to_string(), text);
    }
}

#[test]
fn a_version_is_serialised_as_its_text() {
    let json = serde_json::to_string(&version("1.0.0-rc.1+b")).expect("a text can be serialised");

    assert_eq!(json, "\"1.0.0-rc.1+b\"");
}

#[test]
fn versions_of_equal_precedence_differ_by_their_build_metadata() {
    let (one, other) = (version("1.0.0+a"), version("1.0.0+b"));

    assert_ne!(one, other);
    assert_eq!(one.cmp_precedence(&other), Ordering::Equal);
    assert_eq!(one.precedence(), other.precedence());
}

#[test]
fn the_release_of_a_prerelease_is_stable() {
    let prerelease = version("1.2.3-rc.1+b");

    assert!(prerelease.is_prerelease());
    assert_eq!(prerelease.release(), version("1.2.3"));
    assert!(!version("1.2.3+b").is_prerelease());
}

#[test]
fn a_message_says_what_is_wrong_and_what_was_probably_meant() {
    let error = "v1.2".parse::<Version>().expect_err("two faults");

    assert_eq!(
        error.message(),
        "\"v1.2\" is not a semantic version: it starts with \"v\" and has no patch number; did you mean 1.2.0?"
    );
}

#[test]
fn every_fault_is_named() {
    for (text, expected) in [
        ("", "is blank"),
        (" ", "is blank"),
        ("latest", "has no number at its start"),
        ("v", "starts with \"v\" and has no number at its start"),
        ("^1.2", "has no number at its start"),
        ("-1.0.0", "has no number at its start"),
        ("1", "has no minor and no patch number; did you mean 1.0.0?"),
        ("1.2", "has no patch number; did you mean 1.2.0?"),
        (" 1.2.3\n", "has blanks around it; did you mean 1.2.3?"),
        (
            " V1",
            "has blanks around it, starts with \"V\" and has no minor and no patch number; did you mean 1.0.0?",
        ),
        ("1..3", "has no minor number"),
        ("1.2.", "has no patch number; did you mean 1.2.0?"),
        ("1.2.3.4", "has more than three numbers; did you mean 1.2.3+4?"),
        ("1.02.3", "has a minor number with a leading zero; did you mean 1.2.3?"),
        ("1.2.x", "has \"x\" as its patch number"),
        ("1.2.3rc1", "has \"3rc1\" as its patch number; did you mean 1.2.3-rc1?"),
        ("9223372036854775808.0.0", "has a major number greater than 9223372036854775807"),
        ("1.0.99999999999999999999", "has a patch number greater than 9223372036854775807"),
        ("1.0.0-9223372036854775808", "has a number greater than 9223372036854775807 in its pre-release"),
        ("1.0.0-01", "has a number with a leading zero in its pre-release; did you mean 1.0.0-1?"),
        ("1.0.0-", "has an empty part in its pre-release; did you mean 1.0.0?"),
        ("1.0.0-a..b", "has an empty part in its pre-release; did you mean 1.0.0-a.b?"),
        ("1.0.0-a_b", "has the character \"_\" in its pre-release; did you mean 1.0.0-a-b?"),
        ("1.0.0-é", "has the character \"é\" in its pre-release"),
        ("1.0.0+", "has an empty part in its build metadata; did you mean 1.0.0?"),
        ("1.0.0+a+b", "has the character \"+\" in its build metadata"),
    ] {
        assert_eq!(complaint(text), expected, "{text:?}");
    }
}

#[test]
fn the_nearest_version_keeps_what_was_written() {
    for (text, expected) in [
        ("1.0rc1", Some("1.0.0-rc1")),
        ("1.0.0.dev3", Some("1.0.0-dev3")),
        ("v2-beta", Some("2.0.0-beta")),
        ("1.2.3.4-rc+b", Some("1.2.3-4-rc+b")),
        ("1.2.3.04.5+b", Some("1.2.3+4.5.b")),
        ("1.2_final", Some("1.2.0--final")),
        ("2024.01.05", Some("2024.1.5")),
        ("1.0+build", Some("1.0.0+build")),
        ("000", Some("0.0.0")),
        ("1.*", None),
        ("1.x", None),
        (">=1.2", None),
        ("1.2, <2", None),
        ("1.0 beta", None),
        ("champion", None),
        ("99999999999999999999", None),
    ] {
        assert_eq!(
            Version::nearest(text).map(|version| version.to_string()).as_deref(),
            expected,
            "{text:?}"
        );
    }
}

#[test]
fn a_version_has_as_many_characters_as_allowed_and_not_one_more() {
    let of_length = |length: usize| format!("1.0.0-{}", "a".repeat(length - "1.0.0-".len()));

    assert_eq!(version(&of_length(MAX_CHARS)).to_string().len(), MAX_CHARS);
    let message = of_length(MAX_CHARS + 1).parse::<Version>().expect_err("too long").to_string();
    assert!(
        message.ends_with("...\" is not a semantic version: it has 256 characters, at most 255 are allowed")
    );
}

#[test]
fn versions_are_ordered_as_semver_says() {
    let ascending = [
        "0.9.9",
        "1.0.0-0",
        "1.0.0-2",
        "1.0.0-10",
        "1.0.0--",
        "1.0.0-1a",
        "1.0.0-A",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.1.0",
        "1.0.0-alpha.beta",
        "1.0.0-alpha-",
        "1.0.0-alpha0",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.1-a",
        "1.0.1",
        "1.0.10",
        "1.2.0",
        "1.10.0",
        "2.0.0",
        "10.0.0",
        "9223372036854775807.0.0",
    ]
    .map(|text| version(text).precedence());

    assert!(ascending.is_sorted_by(|less, greater| less < greater));
}

proptest! {
    #[test]
    fn bytes_are_ordered_as_versions_are(one in version_text(), other in version_text()) {
        let read = |text: &str| semver::Version::parse(text).expect("the generator makes versions");
        let expected = read(&one).cmp_precedence(&read(&other));

        prop_assert_eq!(version(&one).precedence().cmp(&version(&other).precedence()), expected);
        prop_assert_eq!(version(&one).cmp_precedence(&version(&other)), expected);
    }

    #[test]
    fn a_release_starts_before_what_has_its_numbers_and_behind_what_comes_before(
        one in version_text(), other in version_text(),
    ) {
        let (one, other) = (version(&one), version(&other));
        let numbers = |version: &Version| (version.major(), version.minor(), version.patch());
        let comes_before = numbers(&other) < numbers(&one);

        prop_assert_eq!(other.precedence() < one.release_start(), comes_before);
    }

    #[test]
    fn a_version_reads_back_and_is_its_own_nearest(text in version_text()) {
        let read = version(&text);
        prop_assert_eq!(read.to_string(), text.clone());
        prop_assert_eq!(Version::nearest(&text), Some(read));
    }

    #[test]
    fn a_text_is_a_version_or_something_is_wrong_with_it(
        text in prop_oneof![
            any::<String>(),
            "[v ]?[0-9]{0,2}([.][0-9x]{0,2}){0,4}[-+]?[a-z0-9._+-]{0,6}[ é]?",
            version_text(),
        ]
    ) {
        let problems = explain::problems(&text);
        prop_assert_eq!(text.parse::<Version>().is_ok(), problems.is_empty(), "{:?} {:?}", text, problems);
        if let Some(nearest) = Version::nearest(&text) {
            prop_assert_eq!(version(&nearest.to_string()), nearest);
        }
    }
}
