//! What the native API answers, as far as the commands need it.

use modelry_core::digest::Sha256;
use modelry_core::{Error, Result};
use serde::{Deserialize, Serialize};

/// A project.
#[derive(Debug, Deserialize)]
pub(crate) struct Project {
    /// Its full path.
    pub(crate) path_with_namespace: String,
}

/// A version of a model.
#[derive(Clone, Debug, Deserialize)]
pub struct Version {
    /// Its number in the project.
    pub(crate) id: i64,
    /// The model's name.
    pub model: String,
    /// Its semantic version.
    pub version: String,
    /// Its sequence number in the model.
    pub number: i64,
    /// `draft` or `published`.
    pub state: String,
    /// Since when only who names it exactly finds it, in milliseconds since 1970.
    #[serde(default)]
    pub(crate) yanked_at: Option<i64>,
    /// Why it is deprecated or yanked.
    #[serde(default)]
    pub(crate) warning: Option<String>,
    /// Since when it should not be used any more, in milliseconds since 1970.
    #[serde(default)]
    pub(crate) deprecated_at: Option<i64>,
    /// Where the signature changed by more than the step from the version before says: what changed.
    #[serde(default)]
    pub(crate) step_warning: Option<String>,
}

impl Version {
    /// `churn 1.2.0 (#2)`.
    pub fn label(&self) -> String {
        format!("{} {} (#{})", self.model, self.version, self.number)
    }

    /// Whether its files may still change.
    pub(crate) fn is_draft(&self) -> bool {
        self.state == "draft"
    }

    /// What its maker warns of: that it is yanked or deprecated, and why.
    pub(crate) fn advice(&self) -> Option<String> {
        let word = match (self.yanked_at, self.deprecated_at) {
            (Some(_), _) => "yanked",
            (None, Some(_)) => "deprecated",
            (None, None) => return None,
        };
        let why = self.warning.as_ref().map(|warning| format!(": {warning}")).unwrap_or_default();
        Some(format!("{} is {word}{why}", self.label()))
    }
}

/// A file of a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its path.
    pub path: String,
    /// How many bytes it has.
    pub size: u64,
    /// The SHA-256 of its bytes, in hex.
    pub sha256: Option<String>,
}

impl File {
    /// The digest of its bytes. Fails with `Conflict` where the server does not know it yet.
    pub(crate) fn digest(&self) -> Result<Sha256> {
        let sha256 = self.sha256.as_deref().ok_or_else(|| {
            Error::conflict(format!("the server has not hashed {} yet; try again later", self.path))
        })?;
        sha256.parse()
    }
}

/// An upload that was begun.
#[derive(Debug, Deserialize)]
pub(crate) struct Upload {
    /// What it is called in its address.
    pub(crate) id: String,
    /// How many bytes the server has.
    pub(crate) received: u64,
    /// Whether the file is there.
    pub(crate) done: bool,
}
