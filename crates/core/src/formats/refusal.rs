//! Why a file cannot be read.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::cut;

/// The longest reason, in characters: a reason may quote the file.
const MOST_CHARACTERS: usize = 300;

/// Why a file cannot be read, for people: lower case start, no full stop.
///
/// Displayed as `cannot be read: ...`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Refusal(String);

impl Refusal {
    pub(super) fn new(reason: impl AsRef<str>) -> Self {
        Self(cut(reason.as_ref(), MOST_CHARACTERS))
    }

    /// The reason alone.
    pub fn reason(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot be read: {}", self.0)
    }
}
