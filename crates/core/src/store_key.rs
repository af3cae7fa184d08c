//! Where the bytes of a blob lie in the store.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// Hex digits in front of the slash: what the sub-folder is called.
const FOLDER_DIGITS: usize = 2;
/// Hex digits of a key, without the slash.
const DIGITS: usize = 32;

/// The key of a blob in its store: `ab/cdef...`, 32 random hex digits, the first two of them a sub-folder.
///
/// It is never derived from the content, so that removing bytes cannot race with the same bytes arriving again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreKey(String);

impl StoreKey {
    /// Makes a key from 16 random bytes.
    pub fn new(random: [u8; 16]) -> Self {
        let mut key = hex::encode(random);
        key.insert(FOLDER_DIGITS, '/');
        Self(key)
    }

    /// The key as it is stored, with `/` after the sub-folder.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Every sub-folder that a key can name, in order.
    pub fn folders() -> impl Iterator<Item = String> {
        (0..=u8::MAX).map(|byte| hex::encode([byte]))
    }
}

impl fmt::Display for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for StoreKey {
    type Err = Error;

    /// Fails with an internal error: keys come from the database and from the store, never from a client.
    fn from_str(text: &str) -> Result<Self> {
        let is_hex = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let well_formed = text.split_once('/').is_some_and(|(folder, rest)| {
            folder.len() == FOLDER_DIGITS
                && rest.len() == DIGITS - FOLDER_DIGITS
                && is_hex(folder)
                && is_hex(rest)
        });
        if well_formed {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::internal(format!("`{text}` is not the key of a blob")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_what_its_text_says() {
        let key = StoreKey::new([0xab; 16]);
        assert_eq!(key.as_str(), "ab/ababababababababababababababab");
        assert_eq!(key.as_str().parse::<StoreKey>().expect("its own text"), key);
    }

    #[test]
    fn every_key_lies_in_one_of_the_folders() {
        let folders: Vec<String> = StoreKey::folders().collect();
        assert_eq!((folders.len(), folders[0].as_str(), folders[255].as_str()), (256, "00", "ff"));
    }

    #[test]
    fn other_names_are_no_keys() {
        for text in
            ["", "ab", "ab/", "../ababababababababababababababab", "AB/ababababababababababababababab"]
        {
            assert!(text.parse::<StoreKey>().is_err(), "{text:?}");
        }
        assert!("ab/abababababababababababababab/b".parse::<StoreKey>().is_err());
    }
}
