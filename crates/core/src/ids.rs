//! Numbers and public ids of things.
//!
//! `ProjectId` and `UserId` are global; every other number counts inside its project and is, with the project, the
//! key of its row.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;
use crate::{Error, Result};

macro_rules! number {
    ($(#[$doc:meta] $name:ident)*) => {$(
        #[$doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    )*};
}

number! {
    /// A project; global.
    ProjectId
    /// A user; global.
    UserId
    /// A namespace; global.
    NamespaceId
    /// A personal access token; global.
    TokenId
    /// An experiment within its project; 0 is `Default`.
    ExperimentId
    /// A candidate within its project, from 1.
    CandidateId
    /// A logged model within its project, from 1.
    LoggedModelId
    /// A dataset within its project, from 1.
    DatasetId
    /// A registered model, or a prompt, within its project, from 1.
    ModelId
    /// A model version within its project, from 1,000,001, so that a sequence number is never taken for one.
    VersionId
    /// The name of a metric, param or metadata within its project.
    KeyId
    /// Immutable bytes; global.
    BlobId
}

/// The public id of a candidate (MLflow's run id): 32 lower-case hex digits of a UUIDv7.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Eid(String);

impl Eid {
    /// Makes an id from the time and 10 random bytes (RFC 9562, UUIDv7).
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        Self(uuid_v7_hex(now, random))
    }

    /// The 32 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Eid {
    type Err = Error;

    /// Accepts what MLflow accepts as a run id: `^[a-zA-Z0-9][\w\-]{0,255}$`, because imports keep foreign ids.
    fn from_str(text: &str) -> Result<Self> {
        let mut chars = text.chars();
        let starts = chars.next().is_some_and(|c| c.is_ascii_alphanumeric());
        let rest = chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if starts && rest && text.len() <= 256 {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::invalid(format!(
            "Invalid run ID: '{text}'. It starts with a letter or digit, followed by at most 255 letters, digits, \
             `_` or `-`"
        )))
    }
}

impl fmt::Display for Eid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The public id of a logged model: `m-` and 32 lower-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct LoggedModelEid(String);

impl LoggedModelEid {
    /// Makes an id from the time and 10 random bytes.
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        Self(format!("m-{}", uuid_v7_hex(now, random)))
    }

    /// The whole id, with `m-`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LoggedModelEid {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let digits = text.strip_prefix("m-").unwrap_or("");
        if digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()) {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::not_found(format!("Logged model with ID '{text}' not found.")))
    }
}

impl fmt::Display for LoggedModelEid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn uuid_v7_hex(now: Timestamp, random: [u8; 10]) -> String {
    let ms = u64::try_from(now.ms()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(ms, &random).into_uuid().simple().to_string()
}
