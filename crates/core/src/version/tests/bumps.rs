//! Which version comes next, and how far one is from another.

use proptest::prelude::*;

use super::super::bump::{Proposals, Step, declared_step, next};
use super::super::{MAX_NUMBER, Version};
use super::{version, version_text};
use crate::Kind;

/// The version that follows `existing`, all of which are taken, and `also_taken`.
fn following(wish: Option<Step>, existing: &[&str], also_taken: &[&str]) -> String {
    let versions: Vec<Version> = existing.iter().map(|text| version(text)).collect();
    let taken: Vec<Version> = also_taken.iter().map(|text| version(text)).chain(versions.clone()).collect();
    let greatest = |versions: Vec<&Version>| -> Option<Version> {
        versions.into_iter().max_by(|one, other| one.cmp_precedence(other)).cloned()
    };
    let stable = greatest(versions.iter().filter(|version| !version.is_prerelease()).collect());
    let all = greatest(versions.iter().collect());
    next(wish, stable.as_ref(), all.as_ref(), |version| taken.contains(version))
        .expect("one is left")
        .to_string()
}

#[test]
fn the_first_version_is_1_0_0_whatever_step_is_wished_for() {
    for wish in [None, Some(Step::Patch), Some(Step::Minor), Some(Step::Major)] {
        assert_eq!(following(wish, &[], &[]), "1.0.0");
    }
}

#[test]
fn without_a_wish_the_patch_number_of_the_greatest_stable_version_is_raised() {
    assert_eq!(following(None, &["1.2.3", "1.10.0", "1.9.9"], &[]), "1.10.1");
    assert_eq!(following(None, &["1.2.3", "2.0.0-rc.1"], &[]), "1.2.4");
    assert_eq!(following(None, &["1.2.3+build"], &[]), "1.2.4");
}

#[test]
fn a_wish_is_a_step_from_the_greatest_stable_version() {
    assert_eq!(following(Some(Step::Patch), &["1.2.3"], &[]), "1.2.4");
    assert_eq!(following(Some(Step::Minor), &["1.2.3", "1.4.0-a"], &[]), "1.3.0");
    assert_eq!(following(Some(Step::Major), &["1.2.3"], &[]), "2.0.0");
}

#[test]
fn while_there_are_only_prereleases_the_release_that_they_announce_comes_next() {
    assert_eq!(following(None, &["0.3.0-a", "1.1.0-rc.2", "1.1.0-rc.10"], &[]), "1.1.0");
    assert_eq!(following(None, &["2.0.0-rc.1+b"], &[]), "2.0.0");
}

#[test]
fn an_announced_release_that_is_less_than_the_wish_is_stepped_from() {
    for (prerelease, [patch, minor, major]) in [
        ("2.0.0-rc.1", ["2.0.0", "2.0.0", "2.0.0"]),
        ("1.1.0-rc.1", ["1.1.0", "1.1.0", "2.0.0"]),
        ("1.1.1-rc.1", ["1.1.1", "1.2.0", "2.0.0"]),
    ] {
        assert_eq!(following(Some(Step::Patch), &[prerelease], &[]), patch, "patch after {prerelease}");
        assert_eq!(following(Some(Step::Minor), &[prerelease], &[]), minor, "minor after {prerelease}");
        assert_eq!(following(Some(Step::Major), &[prerelease], &[]), major, "major after {prerelease}");
    }
}

#[test]
fn what_is_taken_is_passed_over_by_the_same_step() {
    assert_eq!(following(None, &["1.0.0"], &["1.0.1", "1.0.2", "1.0.4"]), "1.0.3");
    assert_eq!(following(Some(Step::Minor), &["1.0.0"], &["1.1.0", "1.2.0"]), "1.3.0");
    assert_eq!(following(Some(Step::Major), &["1.5.0"], &["2.0.0"]), "3.0.0");
    assert_eq!(following(None, &[], &["1.0.0"]), "1.0.1");
    assert_eq!(following(None, &["1.1.0-rc.1"], &["1.1.0"]), "1.1.1");
}

#[test]
fn where_the_number_to_raise_is_the_greatest_no_version_is_left() {
    let greatest = version(&format!("{MAX_NUMBER}.{MAX_NUMBER}.{MAX_NUMBER}"));
    for step in [Step::Patch, Step::Minor, Step::Major] {
        let error = next(Some(step), Some(&greatest), Some(&greatest), |_| false).expect_err("none is left");
        assert_eq!(error.kind(), Kind::Conflict);
        assert_eq!(
            error.message(),
            format!("no version is left: the {step} number cannot be greater than 9223372036854775807")
        );
    }
}

#[test]
fn proposals_end_at_the_greatest_number() {
    let stable = version(&format!("1.0.{}", MAX_NUMBER - 2));

    assert_eq!(Proposals::new(None, Some(&stable), Some(&stable)).count(), 2);
}

#[test]
fn a_step_is_declared_by_the_first_number_that_differs() {
    for (from, to, expected) in [
        ("1.2.3", "2.0.0", Some(Step::Major)),
        ("1.2.3", "1.3.0", Some(Step::Minor)),
        ("1.2.3", "1.2.4", Some(Step::Patch)),
        ("1.2.3", "1.3.0-rc.1", Some(Step::Minor)),
        ("1.2.3-rc.1", "1.2.3", None),
        ("1.2.3", "1.2.3+b", None),
        ("1.2.3", "1.1.9", None),
        ("2.0.0", "1.9.9", None),
    ] {
        assert_eq!(declared_step(&version(from), &version(to)), expected, "{from} -> {to}");
    }
}

#[test]
fn steps_are_read_by_their_names() {
    for step in [Step::Patch, Step::Minor, Step::Major] {
        assert_eq!(step.to_string().parse::<Step>().expect("its own name"), step);
    }
    let error = "Minor".parse::<Step>().expect_err("names are in lower case");
    assert_eq!(error.message(), "\"Minor\" is no step between versions: it is major, minor or patch");
}

proptest! {
    #[test]
    fn proposals_rise_above_the_greatest_stable_version(
        stable in version_text().prop_map(|text| version(&text).release()),
        wish in prop::sample::select(vec![None, Some(Step::Patch), Some(Step::Minor), Some(Step::Major)]),
    ) {
        let proposals: Vec<_> = Proposals::new(wish, Some(&stable), Some(&stable)).take(3).collect();

        let mut before = stable;
        for proposal in proposals {
            prop_assert_eq!(declared_step(&before, &proposal), Some(wish.unwrap_or(Step::Patch)));
            before = proposal;
        }
    }
}
