//! Paths of addresses, built so that no name in them can be mistaken for a part of the address.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What may stand in a segment of a path as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A path below `base`: each segment of `path` encoded, the slashes kept.
pub fn below(base: &str, path: &str) -> String {
    let mut address = base.to_owned();
    for segment in path.split('/') {
        address.push('/');
        address.extend(utf8_percent_encode(segment, SEGMENT));
    }
    address
}

/// One segment of a path.
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_cannot_leave_its_segment() {
        assert_eq!(below("/p", "a b/c?d#e/100%.txt"), "/p/a%20b/c%3Fd%23e/100%25.txt");
    }

    #[test]
    fn a_segment_has_no_slash() {
        assert_eq!(segment("root/playground"), "root%2Fplayground");
    }
}
