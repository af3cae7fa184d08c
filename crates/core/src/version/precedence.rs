//! SemVer's order as the order of bytes, so that a database can sort and scan by it.
//!
//! The three numbers take eight bytes each, the greatest first. Behind them stands [`RELEASE`], or the identifiers of
//! the prerelease, each led by what it is, with [`END`] behind the last: a version with fewer identifiers comes first
//! because [`END`] is the least of these bytes, and prereleases come before their release because [`RELEASE`] is the
//! greatest.

use super::is_digits;

/// Behind the last identifier of a prerelease, and behind each identifier that is text.
const END: u8 = 0;
/// A numeric identifier: eight bytes follow. Numbers come before texts.
const NUMBER: u8 = 1;
/// An identifier that is text: its characters follow, all of them greater than [`END`].
const TEXT: u8 = 2;
/// There is no prerelease.
const RELEASE: u8 = 3;

/// The bytes for `version`.
pub(super) fn encode(version: &semver::Version) -> Vec<u8> {
    let mut bytes = first(&[version.major, version.minor, version.patch]);
    if version.pre.is_empty() {
        bytes.push(RELEASE);
        return bytes;
    }
    for identifier in version.pre.split('.') {
        if is_digits(identifier) {
            let number: u64 = identifier.parse().expect("numbers of a version fit 63 bits");
            bytes.push(NUMBER);
            bytes.extend(number.to_be_bytes());
        } else {
            bytes.push(TEXT);
            bytes.extend(identifier.bytes());
            bytes.push(END);
        }
    }
    bytes.push(END);
    bytes
}

/// The lower bound of all versions that begin with `numbers` (one to three), prereleases included.
pub(super) fn first(numbers: &[u64]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// The exclusive upper bound of all versions that begin with `numbers` (one to three), each at most `MAX_NUMBER`.
pub(super) fn behind(numbers: &[u64]) -> Vec<u8> {
    let (last, leading) = numbers.split_last().expect("there is at least a major number");
    let mut bytes = first(leading);
    bytes.extend((last + 1).to_be_bytes());
    bytes
}

/// The exclusive upper bound of what has the precedence `bytes`: there is nothing between the two.
pub(super) fn behind_exactly(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.push(0);
    bytes
}
