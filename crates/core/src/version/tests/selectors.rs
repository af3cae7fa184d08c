//! What a text selects, for readers and for writers.

use proptest::prelude::*;

use super::super::selector::{Selector, Target};
use super::super::stage::Stage;
use super::{version, version_text};
use crate::Kind;

/// What kind of selector `text` is, and what it selects by.
fn shown(read: fn(&str) -> crate::Result<Selector>, text: &str) -> String {
    match read(text) {
        Ok(Selector::Number(number)) => format!("number {number}"),
        Ok(Selector::Latest) => "latest".to_owned(),
        Ok(Selector::Exact(version)) => format!("exact {version}"),
        Ok(Selector::Requirement(requirement)) => format!("requirement {requirement}"),
        Ok(Selector::Stage(stage)) => format!("stage {stage}"),
        Ok(Selector::Alias(alias)) => format!("alias {alias}"),
        Err(error) => {
            assert_eq!(error.kind(), Kind::Invalid);
            error.message().to_owned()
        }
    }
}

#[test]
fn what_goes_by_versions_reads_alike_behind_slash_and_at_sign() {
    for (text, expected) in [
        ("1", "number 1"),
        ("007", "number 7"),
        ("9223372036854775807", "number 9223372036854775807"),
        ("latest", "latest"),
        ("LATEST", "latest"),
        ("1.2.0", "exact 1.2.0"),
        ("v1.2.0", "exact 1.2.0"),
        ("V1.2.0-rc.1+b", "exact 1.2.0-rc.1+b"),
        ("^1.2", "requirement ^1.2"),
        ("~1.2.3", "requirement ~1.2.3"),
        ("1.2", "requirement 1.2.*"),
        ("1.x", "requirement 1.*"),
        ("*", "requirement *"),
        ("x", "requirement *"),
        (">=1,<2", "requirement >=1, <2"),
        ("champion", "alias champion"),
        ("2024-best", "alias 2024-best"),
        ("v1a", "alias v1a"),
    ] {
        assert_eq!(shown(Selector::after_slash, text), expected, "{text:?}");
        assert_eq!(shown(Selector::after_at, text), expected, "{text:?}");
    }
}

#[test]
fn the_name_of_a_stage_is_a_stage_behind_a_slash_and_an_alias_behind_an_at_sign() {
    assert_eq!(shown(Selector::after_slash, "pRODUCTION"), "stage Production");
    assert_eq!(shown(Selector::after_at, "pRODUCTION"), "alias pRODUCTION");
}

#[test]
fn an_alias_that_is_not_set_may_be_a_stage() {
    let alias = |text: &str| text.parse().expect(text);

    assert_eq!(Stage::of_alias(&alias("staging")), Some(Stage::Staging));
    assert_eq!(Stage::of_alias(&alias("champion")), None);
}

#[test]
fn what_selects_nothing_is_refused_as_what_it_looks_most_like() {
    for (text, expected) in [
        ("", "Registered model alias name cannot be empty."),
        ("99999999999999999999", "\"99999999999999999999\" is greater than any sequence number"),
        (
            "v1.2",
            "\"v1.2\" is not a semantic version: it starts with \"v\" and has no patch number; did you mean 1.2.0?",
        ),
        (
            "1.2.3.4",
            "\"1.2.3.4\" is not a version requirement: at character 6, expected a comma, a blank or the end, found \".\"",
        ),
        (
            "^x",
            "\"^x\" is not a version requirement: at character 2, `*` in place of the major number stands alone",
        ),
        ("v3", "Version alias name 'v3' is reserved."),
        (
            "my champion",
            "Invalid alias name: 'my champion'. Names may only contain alphanumerics, underscores (_), and dashes (-).",
        ),
    ] {
        assert_eq!(shown(Selector::after_slash, text), expected, "{text:?}");
        assert_eq!(shown(Selector::after_at, text), expected, "{text:?}");
    }
}

#[test]
fn a_write_takes_a_number_or_a_full_version() {
    for (text, expected) in [
        ("3", Target::Number(3)),
        ("1.2.0", Target::Exact(version("1.2.0"))),
        ("v1.2.0-rc.1", Target::Exact(version("1.2.0-rc.1"))),
    ] {
        assert_eq!(text.parse::<Target>().expect(text), expected);
    }
}

#[test]
fn a_write_takes_nothing_that_could_mean_another_version_tomorrow() {
    let rule = "a write takes a sequence number such as 3 or a full semantic version such as 1.2.0";
    for (text, suggestion) in [
        ("^1", ""),
        ("1.*", ""),
        ("*", ""),
        (">=1", ""),
        ("=1.2.3", ""),
        ("latest", ""),
        ("Production", ""),
        ("champion", ""),
        ("", ""),
        ("-1", ""),
        ("1.2", "; did you mean 1.2.0?"),
    ] {
        let error = text.parse::<Target>().expect_err(text);
        assert_eq!(error.kind(), Kind::Invalid);
        assert_eq!(error.message(), format!("\"{text}\" does not name one version: {rule}{suggestion}"));
    }
}

proptest! {
    #[test]
    fn a_full_version_is_always_exact(text in version_text()) {
        for written in [text.clone(), format!("v{text}")] {
            prop_assert_eq!(Selector::after_slash(&written).ok(), Some(Selector::Exact(version(&text))));
            prop_assert_eq!(Selector::after_at(&written).ok(), Some(Selector::Exact(version(&text))));
        }
    }

    #[test]
    fn a_printed_selector_is_read_as_the_same(
        text in prop_oneof![any::<String>(), version_text(), "[\\^~<>=1-3.x*, a-]{0,8}", "[a-zA-Z0-9_-]{1,8}"]
    ) {
        for read in [Selector::after_slash, Selector::after_at] {
            if let Ok(selector) = read(&text) {
                prop_assert_eq!(read(&selector.to_string()).ok(), Some(selector));
            }
        }
        if let Ok(target) = text.parse::<Target>() {
            prop_assert_eq!(target.to_string().parse().ok(), Some(target));
        }
    }
}
