//! Versions of models: what they are, which is the greater, which one a text selects, which one comes next.
//!
//! A version has a semantic version (strict SemVer 2.0) and a sequence number. Here is what follows from these alone;
//! which versions there are, and which of them are published or yanked, is known elsewhere.

pub mod bump;
mod comparators;
mod explain;
mod precedence;
pub mod requirement;
pub mod selector;
pub mod stage;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::{Error, Result};

/// Longest semantic version, and longest requirement, in characters.
pub const MAX_CHARS: usize = 255;
/// Greatest number in a semantic version. What is compared as a number has to fit a column of the database.
pub const MAX_NUMBER: u64 = i64::MAX as u64;

/// A semantic version by SemVer 2.0, as strictly as it is written there.
///
/// `Eq` and `Hash` go by the whole text. There is no `Ord`, because SemVer orders versions that differ in build metadata
/// alone as equals: see [`Version::cmp_precedence`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version(semver::Version);

impl Version {
    /// `1.0.0`, which the first version of a model is unless told otherwise.
    pub fn first() -> Self {
        Self(semver::Version::new(1, 0, 0))
    }

    /// The valid version that `text` probably means: `v1.2` is `1.2.0`, `1.0rc1` is `1.0.0-rc1`. `None` where there is
    /// none, as for words and ranges. What is valid is its own nearest version.
    pub fn nearest(text: &str) -> Option<Self> {
        explain::nearest(text)
    }

    /// The first of the three numbers.
    pub fn major(&self) -> u64 {
        self.0.major
    }

    /// The second of the three numbers.
    pub fn minor(&self) -> u64 {
        self.0.minor
    }

    /// The last of the three numbers.
    pub fn patch(&self) -> u64 {
        self.0.patch
    }

    /// Whether it announces a release, as `1.0.0-rc.1` does. All others are stable.
    pub fn is_prerelease(&self) -> bool {
        !self.0.pre.is_empty()
    }

    /// The three numbers alone: of a prerelease, the release that it announces.
    #[must_use]
    pub fn release(&self) -> Self {
        Self(semver::Version::new(self.0.major, self.0.minor, self.0.patch))
    }

    /// Which of the two is greater by SemVer. Build metadata does not count.
    pub fn cmp_precedence(&self, other: &Self) -> Ordering {
        self.0.cmp_precedence(&other.0)
    }

    /// Bytes that compare as [`Version::cmp_precedence`] does, for an index. Equal precedence gives equal bytes.
    pub fn precedence(&self) -> Vec<u8> {
        precedence::encode(&self.0)
    }

    /// Where its release begins in the order of [`Version::precedence`]: nothing before it, and every prerelease of its
    /// release at it or behind.
    pub fn release_start(&self) -> Vec<u8> {
        precedence::first(&[self.major(), self.minor(), self.patch()])
    }

    /// `text` as a version, when it is one.
    fn read(text: &str) -> Option<Self> {
        // A valid version consists of ASCII, so its bytes are its characters.
        if text.len() > MAX_CHARS {
            return None;
        }
        let version = semver::Version::parse(text).ok()?;
        let numbers = [version.major, version.minor, version.patch];
        let fits = numbers.into_iter().all(|number| number <= MAX_NUMBER)
            && version.pre.as_str().split('.').all(identifier_fits);
        fits.then_some(Self(version))
    }
}

impl FromStr for Version {
    type Err = Error;

    /// Fails with [`Kind::Invalid`](crate::Kind::Invalid) and a message that says what is wrong and, where there is
    /// one, which version is meant.
    fn from_str(text: &str) -> Result<Self> {
        Self::read(text).ok_or_else(|| explain::error(text))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Whether an identifier of a prerelease is none that is compared as a number, or one of bearable size.
fn identifier_fits(identifier: &str) -> bool {
    !is_digits(identifier) || number_of(identifier).is_some()
}

/// Whether `text` is one or more ASCII digits.
fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The number that `digits` are, when it is at most [`MAX_NUMBER`].
fn number_of(digits: &str) -> Option<u64> {
    digits.parse().ok().filter(|number| *number <= MAX_NUMBER)
}

/// `text` in double quotes for a message, escaped, and cut when long.
fn quoted(text: &str) -> String {
    const SHOWN_CHARS: usize = 60;
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => serde_json::Value::from(format!("{}...", &text[..end])).to_string(),
        None => serde_json::Value::from(text).to_string(),
    }
}
