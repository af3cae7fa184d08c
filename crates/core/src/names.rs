//! Names that people choose, each checked once, at the edge. Inside, a value of one of these types is valid.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::version::requirement::Requirement;
use crate::{Error, Result};

/// First segments of our own URLs, which therefore name no user and no group.
const RESERVED: &[&str] = &[
    "-",
    "admin",
    "api",
    "assets",
    "dashboard",
    "explore",
    "groups",
    "health",
    "help",
    "login",
    "logout",
    "metrics",
    "projects",
    "public",
    "ready",
    "search",
    "static",
    "users",
];

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The name as its owner wrote it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name_type! {
    /// A user's name in URLs and on the sign-in page. Unique without regard to case.
    Username
}

impl FromStr for Username {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        check_path_segment("username", text)?;
        if RESERVED.contains(&text.to_lowercase().as_str()) {
            return Err(Error::invalid(format!("username `{text}` is reserved")));
        }
        Ok(Self(text.to_owned()))
    }
}

name_type! {
    /// The last segment of a project's URL. Unique in its namespace without regard to case.
    ProjectPath
}

impl FromStr for ProjectPath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        check_path_segment("project path", text)?;
        Ok(Self(text.to_owned()))
    }
}

impl ProjectPath {
    /// The path a project gets when only its name is given: lower case, every other character a dash.
    pub fn from_name(name: &ProjectName) -> Result<Self> {
        let mut path = String::new();
        for c in name.as_str().chars().flat_map(char::to_lowercase) {
            let keep = c.is_ascii_alphanumeric() || c == '_' || c == '.';
            if keep {
                path.push(c);
            } else if !path.is_empty() && !path.ends_with('-') {
                path.push('-');
            }
        }
        path.trim_end_matches(['-', '.']).trim_start_matches(['.', '_']).parse()
    }
}

name_type! {
    /// What a project is called on pages.
    ProjectName
}

impl FromStr for ProjectName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        check_display_name("project name", text, 255).map(Self)
    }
}

name_type! {
    /// The name of an experiment: 1 to 500 characters, not blank (MLflow's rule).
    ExperimentName
}

impl FromStr for ExperimentName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.trim().is_empty() {
            return Err(Error::invalid(
                "Invalid value \"\" for parameter 'name' supplied: an experiment's name cannot be empty",
            ));
        }
        check_length("name", text, 500)?;
        Ok(Self(text.to_owned()))
    }
}

name_type! {
    /// The name of a logged model: 1 to 500 characters, none of them `/ : . % " '` (MLflow's rule).
    LoggedModelName
}

impl FromStr for LoggedModelName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.is_empty()
            || text.contains(['/', ':', '.', '%', '"', '\''])
            || text.contains(char::is_control)
        {
            return Err(Error::invalid(format!(
                "Invalid logged model name {}: it cannot be empty and cannot contain control characters or any of \
                 / : . % \" '",
                serde_json::Value::from(text)
            )));
        }
        check_length("name", text, 500)?;
        Ok(Self(text.to_owned()))
    }
}

name_type! {
    /// The name of a model: 1 to 255 characters, not blank, no `/`, no `:`, and equal to itself when read as a path
    /// (MLflow's rules). Not `Default` either, because a model has an experiment of its name.
    ModelName
}

impl FromStr for ModelName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.trim().is_empty() {
            return Err(Error::invalid(
                "Missing value for required parameter 'name'. See the API docs for more information about request \
                 parameters.",
            ));
        }
        let invalid = |rule: &str| Err(Error::invalid(format!("Invalid model name '{text}'. {rule}")));
        if text.contains(['/', ':']) {
            return invalid("Names cannot contain '/' or ':'.");
        }
        if text.contains('\0') {
            return invalid("Names cannot contain NUL.");
        }
        if text == "Default" {
            return invalid(
                "The default experiment has this name, and a model shares its name with an experiment.",
            );
        }
        if text == "." || text.starts_with("..") {
            return Err(Error::invalid(format!(
                "Invalid value {} for parameter 'name' supplied: Names may be treated as files in certain cases, and \
                 must not resolve to other names when treated as such. This name would resolve to '{text}'",
                serde_json::Value::from(text)
            )));
        }
        check_length("name", text, 255)?;
        Ok(Self(text.to_owned()))
    }
}

name_type! {
    /// The name of an alias of a model's versions: 1 to 255 word characters and dashes (MLflow's rule), and nothing that
    /// selects a version by itself: no number, version or requirement, not `latest`, not `v` with a number.
    AliasName
}

impl FromStr for AliasName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::invalid("Registered model alias name cannot be empty."));
        }
        let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        if !text.chars().all(allowed) {
            return Err(Error::invalid(format!(
                "Invalid alias name: '{text}'. Names may only contain alphanumerics, underscores (_), and dashes (-)."
            )));
        }
        check_length("Registered model alias name", text, 255)?;
        if text.eq_ignore_ascii_case("latest") {
            return Err(Error::invalid("'latest' alias name (case insensitive) is reserved."));
        }
        let number = text.strip_prefix(['v', 'V']).unwrap_or("");
        if !number.is_empty() && number.chars().all(char::is_numeric) {
            return Err(Error::invalid(format!("Version alias name '{text}' is reserved.")));
        }
        let is_number = text.chars().all(char::is_numeric);
        if is_number || text.parse::<Requirement>().is_ok() {
            return Err(Error::invalid(format!(
                "Invalid alias name: '{text}'. It selects versions by itself, as a number or a requirement."
            )));
        }
        Ok(Self(text.to_owned()))
    }
}

name_type! {
    /// The key of a metric, param or metadata, by MLflow's rule: at most 250 word characters, `/ - . :` and spaces,
    /// and equal to itself when read as a path.
    Key
}

impl FromStr for Key {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        check_length("key", text, 250)?;
        let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '/' | '.' | '-' | ' ' | ':');
        let quoted = || serde_json::Value::from(text).to_string();
        if text.is_empty() || !text.chars().all(allowed) {
            return Err(Error::invalid(format!(
                "Invalid value {} for parameter 'key' supplied: Names may only contain alphanumerics, underscores \
                 (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).",
                quoted()
            )));
        }
        let is_own_path = text.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if !is_own_path || text.starts_with("..") {
            return Err(Error::invalid(format!(
                "Invalid value {} for parameter 'key' supplied: Names may be treated as files in certain cases, and \
                 must not resolve to other names when treated as such.",
                quoted()
            )));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Fails with MLflow's words when `text` has more than `max` characters.
pub fn check_length(field: &str, text: &str, max: usize) -> Result<()> {
    if text.len() > max && text.chars().count() > max {
        return Err(Error::invalid(format!("'{field}' exceeds the maximum length of {max} characters")));
    }
    Ok(())
}

/// Trims `text` and checks that it is a name for people: not blank, no control characters, at most `max` characters.
pub fn check_display_name(what: &str, text: &str, max: usize) -> Result<String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::invalid(format!("{what} cannot be blank")));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::invalid(format!("{what} cannot contain control characters")));
    }
    if text.chars().count() > max {
        return Err(Error::invalid(format!("{what} has at most {max} characters")));
    }
    Ok(text.to_owned())
}

fn check_path_segment(what: &str, text: &str) -> Result<()> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let starts_well = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    let lower = text.to_ascii_lowercase();
    let ends_well = ![".", "-", ".git", ".atom"].iter().any(|end| lower.ends_with(end));
    if starts_well && ends_well && text.len() <= 100 && text.bytes().all(allowed) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{what} `{text}` is not valid: 1 to 100 letters, digits, `_`, `-` and `.`, starting with a letter, digit or \
         `_`, not ending in `.`, `-`, `.git` or `.atom`"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reserved_first_segments_are_no_usernames() {
        assert!("Admin".parse::<Username>().is_err());
        assert!("-".parse::<Username>().is_err());
        assert_eq!("ann.b-c_1".parse::<Username>().expect("valid").as_str(), "ann.b-c_1");
    }

    #[test]
    fn a_project_path_is_made_from_its_name() {
        let path =
            |name: &str| ProjectPath::from_name(&name.parse().expect("name")).map(|path| path.to_string());
        assert_eq!(path("Churn Model (2026)").expect("path"), "churn-model-2026");
        assert!(path("???").is_err());
    }

    #[test]
    fn keys_follow_mlflows_rule() {
        for good in ["a", "train/loss", "a b:c.d-e_f", "größe", "..a/b".trim_start_matches('.')] {
            assert!(good.parse::<Key>().is_ok(), "{good}");
        }
        for bad in ["", "/a", "a/", "a//b", "./a", "a/../b", "..", "..a", "a\\b", "a\0", "a#b"] {
            assert!(bad.parse::<Key>().is_err(), "{bad:?}");
        }
        assert!("k".repeat(250).parse::<Key>().is_ok());
        let error = "k".repeat(251).parse::<Key>().expect_err("too long");
        assert_eq!(error.message(), "'key' exceeds the maximum length of 250 characters");
    }

    #[test]
    fn a_logged_models_name_follows_mlflows_rule() {
        for good in ["model", "my model-1", "größe", "m_1"] {
            assert!(good.parse::<LoggedModelName>().is_ok(), "{good}");
        }
        for bad in ["", "a/b", "a:b", "a.b", "a%b", "a\"b", "a'b", "a\0b"] {
            assert!(bad.parse::<LoggedModelName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_models_name_follows_mlflows_rule() {
        for good in ["churn", "churn model (2026)", "a%2Fb", "a\tb", "größe", "a@b", ".a", "a..", "default"]
        {
            assert!(good.parse::<ModelName>().is_ok(), "{good}");
        }
        let message = |text: &str| text.parse::<ModelName>().expect_err(text).message().to_owned();
        for blank in ["", " \t"] {
            assert!(message(blank).starts_with("Missing value for required parameter 'name'."), "{blank:?}");
        }
        for bad in ["a/b", "a:b", "/", "models:"] {
            let expected = format!("Invalid model name '{bad}'. Names cannot contain '/' or ':'.");
            assert_eq!(message(bad), expected);
        }
        for bad in [".", "..", "..a"] {
            assert!(
                message(bad).starts_with(&format!("Invalid value \"{bad}\" for parameter 'name'")),
                "{bad}"
            );
        }
        for bad in ["Default", "a\0b"] {
            assert!(message(bad).starts_with(&format!("Invalid model name '{bad}'.")), "{bad:?}");
        }
        assert!("é".repeat(255).parse::<ModelName>().is_ok());
        assert_eq!(message(&"é".repeat(256)), "'name' exceeds the maximum length of 255 characters");
    }

    #[test]
    fn an_alias_has_word_characters_and_dashes() {
        for good in
            ["champion", "Production", "a-b_c", "-", "größe", "2024-best", "v1a", "v", "latest-1", "xx"]
        {
            assert!(good.parse::<AliasName>().is_ok(), "{good}");
        }
        let message = |text: &str| text.parse::<AliasName>().expect_err(text).message().to_owned();
        assert_eq!(message(""), "Registered model alias name cannot be empty.");
        for bad in ["a b", "a.b", "a/b", "^1", "a@b", "a\n", "1.2.0", "*"] {
            let expected = format!(
                "Invalid alias name: '{bad}'. Names may only contain alphanumerics, underscores (_), and dashes (-)."
            );
            assert_eq!(message(bad), expected);
        }
        assert!("é".repeat(255).parse::<AliasName>().is_ok());
        let length = "'Registered model alias name' exceeds the maximum length of 255 characters";
        assert_eq!(message(&"é".repeat(256)), length);
    }

    #[test]
    fn an_alias_is_nothing_that_selects_a_version_by_itself() {
        let message = |text: &str| text.parse::<AliasName>().expect_err(text).message().to_owned();
        for reserved in ["latest", "LATEST", "Latest"] {
            assert_eq!(message(reserved), "'latest' alias name (case insensitive) is reserved.");
        }
        for reserved in ["v1", "V20", "v٣"] {
            assert_eq!(message(reserved), format!("Version alias name '{reserved}' is reserved."));
        }
        for selecting in ["1", "007", "99999999999999999999", "٣", "x", "X"] {
            assert!(message(selecting).contains("selects versions by itself"), "{selecting}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_name_panic(text in ".{0,300}") {
            let _ = text.parse::<Username>();
            let _ = text.parse::<Key>();
            let _ = text.parse::<ExperimentName>();
            let _ = text.parse::<ModelName>();
            let _ = text.parse::<AliasName>();
            if let Ok(name) = text.parse::<ProjectName>() {
                let _ = ProjectPath::from_name(&name);
            }
        }
    }
}
