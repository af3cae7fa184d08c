//! Requirements: which versions a reader would take.
//!
//! ```text
//! requirement := "*" | comparator ([","] comparator)*    all of them hold; a comma, blanks or both between two
//! comparator  := [operator] partial
//! operator    := = | > | >= | < | <= | ^ | ~             blanks may follow
//! partial     := major ["." minor ["." patch ["-" pre-release]]]
//! ```
//!
//! From the right on, numbers may be left out or be `*` or `x`. Without an operator `1.2` is `1.2.*` and `1.2.3` is
//! `=1.2.3`; a single number is none, because it is a sequence number.

use std::fmt;
use std::str::FromStr;

use semver::{Comparator, Op, VersionReq};
use serde::{Serialize, Serializer};

use super::precedence::{behind, behind_exactly, encode, first};
use super::{MAX_CHARS, Version, comparators};
use crate::{Error, Result};

/// Which versions would do. `Display` prints it in one canonical form, which is read as the same requirement.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Requirement(VersionReq);

/// A part of the order of versions, by [`Version::precedence`]. A side without a bound is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrecedenceRange {
    /// The least that is in it.
    pub from: Option<Vec<u8>>,
    /// The least that is behind it.
    pub to: Option<Vec<u8>>,
}

impl Requirement {
    /// Whether `version` would do. A prerelease does only where a comparator names a prerelease of the same release.
    pub fn matches(&self, version: &Version) -> bool {
        self.0.matches(&version.0)
    }

    /// Whether a prerelease can match at all.
    pub fn names_prerelease(&self) -> bool {
        self.0.comparators.iter().any(|comparator| !comparator.pre.is_empty())
    }

    /// Where all that matches lies. Not all that lies there matches, and where nothing can match it may be empty.
    pub fn range(&self) -> PrecedenceRange {
        let mut range = PrecedenceRange::default();
        for comparator in &self.0.comparators {
            let own = comparator_range(comparator);
            range.from = range.from.max(own.from);
            range.to = match (range.to, own.to) {
                (Some(to), Some(own)) => Some(to.min(own)),
                (to, own) => to.or(own),
            };
        }
        range
    }
}

impl PrecedenceRange {
    /// Whether `precedence` lies in it.
    pub fn contains(&self, precedence: &[u8]) -> bool {
        self.from.as_deref().is_none_or(|from| from <= precedence)
            && self.to.as_deref().is_none_or(|to| precedence < to)
    }
}

/// Where all that matches `comparator` lies.
fn comparator_range(comparator: &Comparator) -> PrecedenceRange {
    let (from, to) = equals(comparator);
    match comparator.op {
        Op::Exact | Op::Wildcard => PrecedenceRange { from: Some(from), to: Some(to) },
        Op::Greater => PrecedenceRange { from: Some(to), to: None },
        Op::GreaterEq => PrecedenceRange { from: Some(from), to: None },
        Op::Less => PrecedenceRange { from: None, to: Some(from) },
        Op::LessEq => PrecedenceRange { from: None, to: Some(to) },
        Op::Tilde => {
            let fixed = numbers(comparator).len().min(2);
            PrecedenceRange { from: Some(from), to: Some(behind(&numbers(comparator)[..fixed])) }
        }
        Op::Caret => {
            let numbers = numbers(comparator);
            let significant =
                numbers.iter().position(|number| *number > 0).map_or(numbers.len(), |at| at + 1);
            PrecedenceRange { from: Some(from), to: Some(behind(&numbers[..significant])) }
        }
        // The type is open to new operators; the parser below makes none, and no bound is too narrow.
        _ => PrecedenceRange::default(),
    }
}

/// The numbers that `comparator` gives.
fn numbers(comparator: &Comparator) -> Vec<u64> {
    [Some(comparator.major), comparator.minor, comparator.patch]
        .into_iter()
        .map_while(|number| number)
        .collect()
}

/// Where the versions lie that `comparator` would match with `=`: the least of them, and the least behind them.
fn equals(comparator: &Comparator) -> (Vec<u8>, Vec<u8>) {
    let numbers = numbers(comparator);
    let [major, minor, patch] = numbers[..] else { return (first(&numbers), behind(&numbers)) };
    let pre = comparator.pre.clone();
    let exactly = encode(&semver::Version { pre, ..semver::Version::new(major, minor, patch) });
    (exactly.clone(), behind_exactly(exactly))
}

impl FromStr for Requirement {
    type Err = Error;

    /// Fails with [`Kind::Invalid`](crate::Kind::Invalid) and a message that names the place, in characters from 1.
    fn from_str(text: &str) -> Result<Self> {
        check_length(text.chars().count())?;
        let requirement = Self(VersionReq { comparators: comparators::parse(text)? });
        // What is printed has to be readable again, and may be longer: `1.2,1.3` becomes `1.2.*, 1.3.*`.
        check_length(requirement.to_string().len())?;
        Ok(requirement)
    }
}

fn check_length(length: usize) -> Result<()> {
    if length <= MAX_CHARS {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "a version requirement has at most {MAX_CHARS} characters, this one has {length} when it is written out"
    )))
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Requirement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
