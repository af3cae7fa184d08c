//! MLflow's stages of a version.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::names::AliasName;
use crate::{Error, Result};

/// How far a version has come, in MLflow's words. Read in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// In none of the others; every version starts here.
    None,
    /// Being tried out.
    Staging,
    /// In use.
    Production,
    /// No longer in use.
    Archived,
}

impl Stage {
    /// Each of them once, in the order in which MLflow lists them.
    pub const ALL: [Self; 4] = [Self::None, Self::Staging, Self::Production, Self::Archived];

    /// The name as MLflow answers it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Staging => "Staging",
            Self::Production => "Production",
            Self::Archived => "Archived",
        }
    }

    /// The stage that `alias` means where no alias of that name is set.
    pub fn of_alias(alias: &AliasName) -> Option<Self> {
        Self::of_name(alias.as_str())
    }

    fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str().eq_ignore_ascii_case(name))
    }
}

impl FromStr for Stage {
    type Err = Error;

    /// Fails with [`Kind::Invalid`](crate::Kind::Invalid) in MLflow's words.
    fn from_str(text: &str) -> Result<Self> {
        Self::of_name(text).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            Error::invalid(format!("Invalid Model Version stage: {text}. Value must be one of {names}."))
        })
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Stage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
