//! What is a requirement, what it matches, and where that lies.

use proptest::prelude::*;

use super::super::requirement::Requirement;
use super::super::{MAX_CHARS, Version};
use super::{number, prerelease, version, version_text};
use crate::Kind;

fn requirement(text: &str) -> Requirement {
    text.parse().expect(text)
}

/// The message for `text`, from the place on.
fn complaint(text: &str) -> String {
    let error = text.parse::<Requirement>().expect_err(text);
    assert_eq!(error.kind(), Kind::Invalid);
    let start = format!("{} is not a version requirement: at character ", serde_json::Value::from(text));
    error.message().strip_prefix(&start).unwrap_or_else(|| panic!("{error}")).to_owned()
}

#[test]
fn requirements_are_printed_in_one_form() {
    for (text, expected) in [
        ("*", "*"),
        ("x", "*"),
        (" X ", "*"),
        ("^1.2", "^1.2"),
        ("^1", "^1"),
        ("^1.x", "^1"),
        ("~1.2.3", "~1.2.3"),
        ("1.2", "1.2.*"),
        ("1.2.x", "1.2.*"),
        ("1.x", "1.*"),
        ("1.x.*", "1.*"),
        ("1.*", "1.*"),
        ("1.2.3", "=1.2.3"),
        ("=1.2", "=1.2"),
        (">=1,<2", ">=1, <2"),
        (">= 1.2 <\t2", ">=1.2, <2"),
        (" > 1.2.3-rc.1 , <= 2.0.0 ", ">1.2.3-rc.1, <=2.0.0"),
        ("1.2 1.2.3", "1.2.*, =1.2.3"),
    ] {
        assert_eq!(requirement(text).to_string(), expected, "{text:?}");
    }
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    for (text, expected) in [
        ("", "1, expected an operator or a number, found the end"),
        ("latest", "1, expected an operator or a number, found \"l\""),
        ("v1.2", "1, expected an operator or a number, found \"v\""),
        ("1", "1, a single number is a sequence number; write ^1 or 1.*"),
        ("<3, 1", "5, a single number is a sequence number; write ^1 or 1.*"),
        ("^", "2, expected a number, found the end"),
        ("==1.2", "2, expected a number, found \"=\""),
        ("^v1", "2, expected a number, found \"v\""),
        ("!=1.2", "1, expected an operator or a number, found \"!\""),
        ("1.", "3, expected a number, `*` or `x`, found the end"),
        ("1.2.y", "5, expected a number, `*` or `x`, found \"y\""),
        ("1.x.3", "5, expected `*` or `x` behind a wildcard, found \"3\""),
        ("1.2.3.4", "6, expected a comma, a blank or the end, found \".\""),
        (">=1<2", "4, expected a comma, a blank or the end, found \"<\""),
        ("1.2-rc", "4, expected a comma, a blank or the end, found \"-\""),
        ("^1,", "4, expected an operator or a number, found the end"),
        ("^1,,^2", "4, expected an operator or a number, found \",\""),
        ("^1 || ^2", "4, expected an operator or a number, found \"|\""),
        ("é", "1, expected an operator or a number, found \"é\""),
        ("^1 é", "4, expected an operator or a number, found \"é\""),
        ("^1, *", "5, `*` in place of the major number stands alone"),
        (">x", "2, `*` in place of the major number stands alone"),
        ("^01", "2, the number \"01\" has a leading zero"),
        ("^9223372036854775808", "2, the number is greater than 9223372036854775807"),
        (">=1.0.0-", "9, the pre-release has an empty part, or a number with a leading zero"),
        (">=1.0.0-a.01", "9, the pre-release has an empty part, or a number with a leading zero"),
        (">=1.0.0-9223372036854775808", "9, the pre-release has a number greater than 9223372036854775807"),
        ("=1.2.3+b", "7, build metadata has no place in the order, so a requirement names none"),
        ("=1.2.3-rc+b", "10, build metadata has no place in the order, so a requirement names none"),
    ] {
        assert_eq!(complaint(text), expected, "{text:?}");
    }
}

#[test]
fn a_requirement_has_as_many_comparators_as_allowed_and_not_one_more() {
    assert_eq!(requirement(&["<1"; 32].join(",")).to_string().matches("<1").count(), 32);
    let error = ["<1"; 33].join(",").parse::<Requirement>().expect_err("one is too many");
    assert!(error.message().ends_with("at character 97, there are more than 32 comparators"), "{error}");
}

#[test]
fn a_requirement_has_as_many_characters_as_allowed_and_not_one_more() {
    let of_length = |length: usize| format!("^1{}", " ".repeat(length - 2));

    assert!(of_length(MAX_CHARS).parse::<Requirement>().is_ok());
    let error = of_length(MAX_CHARS + 1).parse::<Requirement>().expect_err("too long");
    assert_eq!(
        error.message(),
        "a version requirement has at most 255 characters, this one has 256 when it is written out"
    );
}

#[test]
fn a_requirement_that_would_be_too_long_when_printed_is_refused() {
    let long = |count: usize| vec![format!("1.{}", "9".repeat(18)); count].join(",");

    assert!(long(10).parse::<Requirement>().is_ok());
    assert!(long(11).len() <= MAX_CHARS);
    assert!(long(11).parse::<Requirement>().is_err());
}

type Texts = &'static [&'static str];

/// For each requirement what matches, what does not, and what does not lie in its range either.
const MATCHES: &[(&str, Texts, Texts, Texts)] = &[
    ("*", &["0.0.0", "9223372036854775807.0.0", "1.0.0+b"], &["1.0.0-rc.1"], &[]),
    ("^1.2", &["1.2.0", "1.2.9", "1.9.0"], &["1.3.0-rc.1"], &["1.1.9", "2.0.0", "2.0.0-alpha"]),
    ("^1", &["1.0.0", "1.9.9"], &["1.0.0-rc.1"], &["0.9.9", "2.0.0-0"]),
    ("^0.2.3", &["0.2.3", "0.2.9"], &[], &["0.2.2", "0.3.0", "0.3.0-a", "0.2.3-a"]),
    ("^0.0.3", &["0.0.3"], &[], &["0.0.2", "0.0.4", "0.0.4-a"]),
    ("^0.0", &["0.0.0", "0.0.9"], &[], &["0.1.0", "0.1.0-a"]),
    ("^0.0.0", &["0.0.0"], &[], &["0.0.1", "0.0.1-a"]),
    ("^0", &["0.0.0", "0.9.0"], &[], &["1.0.0-a"]),
    ("~1.2.3", &["1.2.3", "1.2.9"], &[], &["1.2.2", "1.3.0-a", "1.2.3-a"]),
    ("~1.2", &["1.2.0", "1.2.9"], &[], &["1.1.9", "1.3.0-a"]),
    ("~1", &["1.0.0", "1.9.9"], &[], &["2.0.0-a", "0.9.9"]),
    ("1.2", &["1.2.0", "1.2.9"], &["1.2.0-rc.1"], &["1.1.9", "1.3.0", "1.3.0-a"]),
    ("1.x", &["1.0.0", "1.9.9"], &[], &["0.9.9", "2.0.0-a"]),
    ("=1.2.3", &["1.2.3", "1.2.3+b"], &[], &["1.2.4-a", "1.2.3-a", "1.2.2"]),
    (">=1, <2", &["1.0.0", "1.9.9"], &[], &["0.9.9", "2.0.0", "2.0.0-a"]),
    (">1.2", &["1.3.0", "2.0.0"], &["1.3.0-a"], &["1.2.0", "1.2.9"]),
    (">1.2.3", &["1.2.4", "2.0.0"], &["1.2.4-a"], &["1.2.3", "1.2.3+b"]),
    ("<1.2.3", &["1.2.2", "0.0.0"], &["1.2.3-a"], &["1.2.3", "1.2.4"]),
    ("<=1.2", &["1.2.9", "0.0.0"], &["1.2.0-a"], &["1.3.0", "1.3.0-a"]),
    ("<=1.2.3", &["1.2.3", "1.2.3+b"], &[], &["1.2.4-a", "1.2.4"]),
    (">=1.2.3-rc.2", &["1.2.3-rc.2", "1.2.3-rc.10", "1.2.3", "2.0.0"], &["1.2.4-rc.3"], &["1.2.3-rc.1"]),
    ("^1.2.3-rc.2 <1.3", &["1.2.3-rc.3", "1.2.9"], &["1.2.4-rc.3"], &["1.3.0-a", "1.3.0"]),
    (">2, <1", &[], &[], &["0.9.0", "1.0.0", "1.5.0", "2.0.0", "2.5.0", "3.0.0"]),
];

#[test]
fn a_requirement_matches_what_it_says_and_nothing_else() {
    for (text, matching, others, outside) in MATCHES {
        let matches = |candidate: &&&str| requirement(text).matches(&version(candidate));
        assert_eq!(matching.iter().find(|candidate| !matches(candidate)), None, "{text}");
        assert_eq!(others.iter().chain(*outside).find(matches), None, "{text}");
    }
}

#[test]
fn a_range_leaves_out_what_is_below_and_above() {
    for (text, .., outside) in MATCHES {
        let range = requirement(text).range();
        let inside = outside.iter().find(|candidate| range.contains(&version(candidate).precedence()));
        assert_eq!(inside, None, "{text}");
    }
}

#[test]
fn only_a_requirement_that_names_a_prerelease_can_match_one() {
    assert!(requirement("<2, >=1.2.3-rc.1").names_prerelease());
    assert!(!requirement("<2, >=1.2.3").names_prerelease());
}

/// The text of one comparator with an operator.
fn comparator() -> impl Strategy<Value = String> {
    let operator = prop::sample::select(vec!["=", ">", ">=", "<", "<=", "^", "~"]);
    let partial = prop_oneof![
        number().prop_map(|major| major.to_string()),
        (number(), number()).prop_map(|(major, minor)| format!("{major}.{minor}")),
        (number(), number(), number(), prop::option::of(prerelease())).prop_map(
            |(major, minor, patch, pre)| {
                let pre = pre.map_or(String::new(), |pre| format!("-{pre}"));
                format!("{major}.{minor}.{patch}{pre}")
            }
        ),
    ];
    (operator, partial).prop_map(|(operator, partial)| format!("{operator}{partial}"))
}

fn requirement_text() -> impl Strategy<Value = String> {
    let wildcard = (number(), prop::option::of(number())).prop_map(|(major, minor)| match minor {
        Some(minor) => format!("{major}.{minor}.*"),
        None => format!("{major}.*"),
    });
    let part = prop_oneof![4 => comparator(), 1 => wildcard];
    let separator = prop::sample::select(vec![",", " ", ", ", " , "]);
    prop_oneof![
        1 => Just("*".to_owned()),
        9 => (prop::collection::vec(part, 1..4), separator).prop_map(|(parts, separator)| parts.join(separator)),
    ]
}

/// Versions with the numbers that most requirements of [`requirement_text`] have, so that some are at their ends.
fn neighbours() -> Vec<Version> {
    let numbers = 0..4_u32.pow(3);
    let releases = numbers.map(|digits| format!("{}.{}.{}", digits / 16, digits / 4 % 4, digits % 4));
    let all = releases.flat_map(|release| ["", "-0", "-a", "-alpha.1"].map(|pre| format!("{release}{pre}")));
    all.map(|text| version(&text)).collect()
}

proptest! {
    #[test]
    fn a_printed_requirement_is_read_as_the_same(text in requirement_text()) {
        prop_assert_eq!(requirement(&requirement(&text).to_string()), requirement(&text));
    }

    #[test]
    fn all_that_matches_lies_in_the_range(text in requirement_text(), other in version_text()) {
        let requirement = requirement(&text);
        let range = requirement.range();
        for candidate in neighbours().into_iter().chain([version(&other)]) {
            if requirement.matches(&candidate) {
                prop_assert!(range.contains(&candidate.precedence()), "{} {}", text, candidate);
                prop_assert!(requirement.names_prerelease() || !candidate.is_prerelease());
            }
        }
    }

    #[test]
    fn both_ends_of_a_caret_are_where_they_belong(text in version_text()) {
        let least = Version::release(&version(&text));
        let requirement = requirement(&format!("^{least}"));

        prop_assert!(requirement.matches(&least));
        prop_assert!(requirement.range().contains(&least.precedence()));
    }

    #[test]
    fn any_text_is_read_or_refused(text in prop_oneof![any::<String>(), "[\\^~<>=1-3.x*, a-]{0,12}"]) {
        if let Ok(read) = text.parse::<Requirement>() {
            prop_assert_eq!(requirement(&read.to_string()), read);
        }
    }
}
