//! Tests of versions, seen from outside; and texts for properties, made of few pieces, so that they collide often.

mod bumps;
mod requirements;
mod selectors;
mod stages;
mod versions;

use proptest::prelude::*;

use super::Version;

fn version(text: &str) -> Version {
    text.parse().expect(text)
}

/// Identifiers that are easily compared wrongly: as texts what are numbers, or by length what are texts.
const IDENTIFIERS: [&str; 18] = [
    "0",
    "1",
    "2",
    "10",
    "9223372036854775807",
    "-",
    "--",
    "-1",
    "0a",
    "1a",
    "10a",
    "A",
    "a",
    "a-",
    "a0",
    "alpha",
    "beta",
    "x",
];

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0..3_u64, 1 => 9..12_u64, 1 => Just(super::MAX_NUMBER)]
}

fn prerelease() -> impl Strategy<Value = String> {
    let identifier = prop_oneof![
        3 => prop::sample::select(&IDENTIFIERS[..]).prop_map(str::to_owned),
        1 => "[a-zA-Z-][a-zA-Z0-9-]{0,3}",
    ];
    prop::collection::vec(identifier, 1..4).prop_map(|identifiers| identifiers.join("."))
}

fn version_text() -> impl Strategy<Value = String> {
    let pre = prop::option::of(prerelease());
    let build = prop::option::weighted(0.2, "[a-z0-9-]{1,3}");
    (number(), number(), number(), pre, build).prop_map(|(major, minor, patch, pre, build)| {
        let pre = pre.map_or(String::new(), |pre| format!("-{pre}"));
        let build = build.map_or(String::new(), |build| format!("+{build}"));
        format!("{major}.{minor}.{patch}{pre}{build}")
    })
}
