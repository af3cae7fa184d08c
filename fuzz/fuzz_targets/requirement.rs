//! Versions, requirements and selectors are refused, or printed so that they are read as the same; versions compare as
//! their bytes do; and what a requirement matches lies in its range.
//!
//! The input is a text for each line: the first one is read as everything, the others as versions to try.
#![no_main]

use std::fmt::Display;

use libfuzzer_sys::fuzz_target;
use modelry_core::names::AliasName;
use modelry_core::version::bump::{Proposals, declared_step};
use modelry_core::version::requirement::Requirement;
use modelry_core::version::selector::{Selector, Target};
use modelry_core::version::{MAX_CHARS, Version};

fuzz_target!(|text: &str| {
    let first = text.split('\n').next().unwrap_or("");
    reads_back(first, str::parse::<Version>);
    reads_back(first, str::parse::<Requirement>);
    reads_back(first, str::parse::<Target>);
    reads_back(first, Selector::after_slash);
    reads_back(first, Selector::after_at);
    suggests_what_is_valid(first);
    if first.parse::<AliasName>().is_ok() {
        let selector = Selector::after_at(first);
        assert!(matches!(selector, Ok(Selector::Alias(_))), "the alias {first:?} cannot be selected");
    }

    let versions: Vec<Version> = text.split('\n').take(8).filter_map(|line| line.parse().ok()).collect();
    for one in &versions {
        for other in &versions {
            let bytes = one.precedence().cmp(&other.precedence());
            assert_eq!(bytes, one.cmp_precedence(other), "{one} {other}");
            assert!(
                declared_step(one, other).is_none() || declared_step(other, one).is_none(),
                "{one} {other}"
            );
        }
        for proposal in Proposals::new(None, Some(one), Some(one)).take(2) {
            assert!(proposal.cmp_precedence(one).is_gt(), "{proposal} follows {one}");
        }
    }
    let Ok(requirement) = first.parse::<Requirement>() else { return };
    let range = requirement.range();
    for version in versions.iter().chain(&versions.iter().map(Version::release).collect::<Vec<_>>()) {
        if requirement.matches(version) {
            assert!(range.contains(&version.precedence()), "{requirement} matches {version}");
        }
    }
});

/// Whatever `read` makes of `text` is printed so that it reads the same again.
fn reads_back<T: Display + PartialEq + std::fmt::Debug>(
    text: &str,
    read: impl Fn(&str) -> modelry_core::Result<T>,
) {
    if let Ok(value) = read(text) {
        let printed = value.to_string();
        assert_eq!(read(&printed).expect("what is printed is valid"), value, "{printed:?}");
    }
}

/// A version is its own suggestion; for anything else the suggestion is a version, and stands in the message.
fn suggests_what_is_valid(text: &str) {
    let nearest = Version::nearest(text);
    match (text.parse::<Version>(), nearest) {
        (Ok(version), nearest) => assert_eq!(nearest, Some(version)),
        (Err(error), Some(nearest)) => {
            assert_eq!(nearest.to_string().parse::<Version>().expect("a suggestion is valid"), nearest);
            let is_long = text.chars().count() > MAX_CHARS;
            assert!(is_long || error.message().ends_with(&format!("did you mean {nearest}?")), "{error}");
        }
        (Err(_), None) => {}
    }
}
