//! What holds of the facts of any file.

use modelry_core::formats::compare::compare;
use modelry_core::formats::{Facts, FileKind, Reading, read};

/// Reads a file of `size` bytes that begins with `given`, in steps and at once; gives up where more is needed.
pub fn check(kind: FileKind, given: &[u8], size: u64) {
    let mut length = 0;
    let facts = loop {
        match read(kind, &given[..length], size) {
            Reading::Done(facts) => break facts,
            Reading::NeedsMore(bytes) => {
                assert!(bytes > length && bytes as u64 <= size, "{bytes} asked for after {length} of {size}");
                if bytes > given.len() && length == given.len() {
                    return;
                }
                length = bytes.min(given.len());
            }
        }
    };
    assert_eq!(read(kind, given, size), Reading::Done(facts.clone()), "the same facts at once");
    let stored = serde_json::to_string(&facts).expect("facts are JSON");
    assert!(stored.len() < (1 << 20) + 64 * given.len(), "facts are bounded by what they are read from");
    assert_eq!(serde_json::from_str::<Facts>(&stored).expect("stored facts are read back"), facts);
    if let Some(comparison) = compare(&facts, &facts) {
        assert!(comparison.is_empty(), "{comparison:?}");
    }
}
