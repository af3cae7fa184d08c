//! SHA-256 digests of bytes.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// The SHA-256 of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256(pub [u8; 32]);

impl Sha256 {
    /// Reads 32 raw bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Self> {
        let array = bytes.try_into().map_err(|_| Error::invalid("a sha256 digest has 32 bytes"))?;
        Ok(Self(array))
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{self}")
    }
}

impl FromStr for Sha256 {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bytes = hex::decode(text)
            .map_err(|_| Error::invalid(format!("`{text}` is not a sha256 digest: it has 64 hex digits")))?;
        Self::from_slice(&bytes)
    }
}
