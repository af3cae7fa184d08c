//! Which version a reader or a writer names.
//!
//! Readers may name one by much: `models:/churn/^1`, `models:/churn@champion`. Writers name exactly one, so that nothing
//! is changed that merely matches.

use std::fmt;
use std::str::FromStr;

use super::requirement::Requirement;
use super::stage::Stage;
use super::{Version, explain, is_digits, quoted};
use crate::names::AliasName;
use crate::{Error, Result};

/// What a reader wants. `Display` prints it so that it is read as the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// The version of this sequence number.
    Number(i64),
    /// The greatest stable version, with none the greatest prerelease.
    Latest,
    /// This very version, yanked or not.
    Exact(Version),
    /// The greatest version that would do.
    Requirement(Requirement),
    /// The greatest version in this stage.
    Stage(Stage),
    /// The version that the alias is at. Where no such alias is set, what [`Stage::of_alias`] says.
    Alias(AliasName),
}

impl Selector {
    /// Reads what follows the slash in `models:/name/...`, where the name of a stage is that stage.
    ///
    /// Fails with [`Kind::Invalid`](crate::Kind::Invalid) on what can select nothing.
    pub fn after_slash(text: &str) -> Result<Self> {
        if let Some(selector) = Self::of_version(text)? {
            return Ok(selector);
        }
        if let Ok(stage) = text.parse() {
            return Ok(Self::Stage(stage));
        }
        Self::of_alias(text)
    }

    /// Reads what follows the at sign in `models:/name@...`, where the name of a stage may be an alias.
    ///
    /// Fails with [`Kind::Invalid`](crate::Kind::Invalid) on what can select nothing.
    pub fn after_at(text: &str) -> Result<Self> {
        match Self::of_version(text)? {
            Some(selector) => Ok(selector),
            None => Self::of_alias(text),
        }
    }

    /// What goes by versions alone.
    fn of_version(text: &str) -> Result<Option<Self>> {
        if let Some(target) = Target::read(text)? {
            return Ok(Some(match target {
                Target::Number(number) => Self::Number(number),
                Target::Exact(version) => Self::Exact(version),
            }));
        }
        if text.eq_ignore_ascii_case("latest") {
            return Ok(Some(Self::Latest));
        }
        Ok(text.parse().ok().map(Self::Requirement))
    }

    /// An alias, or the error of what `text` looks most like.
    fn of_alias(text: &str) -> Result<Self> {
        let alias = match text.parse() {
            Ok(alias) => return Ok(Self::Alias(alias)),
            Err(error) => error,
        };
        let starts_with_number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let unprefixed = explain::without_v(text);
        if unprefixed.len() < text.len() && starts_with_number(unprefixed) && unprefixed.contains('.') {
            return Err(explain::error(text));
        }
        if starts_with_number(text) || text.starts_with(['^', '~', '=', '<', '>', '*']) {
            return Err(Requirement::from_str(text).err().unwrap_or(alias));
        }
        Err(alias)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Latest => f.write_str("latest"),
            Self::Exact(version) => version.fmt(f),
            Self::Requirement(requirement) => requirement.fmt(f),
            Self::Stage(stage) => stage.fmt(f),
            Self::Alias(alias) => alias.fmt(f),
        }
    }
}

/// The one version that a writer names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The version of this sequence number.
    Number(i64),
    /// This very version.
    Exact(Version),
}

impl Target {
    /// `text` as a number or a full version, when it is one. Fails on a number that no version can have.
    fn read(text: &str) -> Result<Option<Self>> {
        if is_digits(text) {
            let number = text.parse().map_err(|_| {
                Error::invalid(format!("{} is greater than any sequence number", quoted(text)))
            })?;
            return Ok(Some(Self::Number(number)));
        }
        Ok(Version::read(explain::without_v(text)).map(Self::Exact))
    }
}

impl FromStr for Target {
    type Err = Error;

    /// Fails with [`Kind::Invalid`](crate::Kind::Invalid) on all that could mean another version tomorrow.
    fn from_str(text: &str) -> Result<Self> {
        Self::read(text)?.ok_or_else(|| {
            let suggestion = Version::nearest(text).map(|nearest| format!("; did you mean {nearest}?"));
            Error::invalid(format!(
                "{} does not name one version: a write takes a sequence number such as 3 or a full semantic version \
                 such as 1.2.0{}",
                quoted(text),
                suggestion.unwrap_or_default()
            ))
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Exact(version) => version.fmt(f),
        }
    }
}
