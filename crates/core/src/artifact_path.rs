//! Paths of artifacts. Every path of a file enters through [`ArtifactPath`], whatever protocol it came by.
//!
//! A path is kept exactly as HTTP decoded it, once. But code behind a proxy, or a client that writes the file to its
//! disk, may decode it again, so the rules hold for what is left after any number of further decodings.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use serde::Serialize;

use crate::{Error, Result};

/// The most bytes of a path.
const MAX_BYTES: usize = 1_024;

/// The most bytes of one segment: what common file systems allow for a name.
const MAX_SEGMENT_BYTES: usize = 255;

/// How much of a refused path a message repeats.
const MAX_SHOWN_CHARS: usize = 120;

/// A relative path of an artifact, of one or more segments, which stays below whatever folder it is put in.
///
/// There is no backslash, no `#` and no control character. No segment is empty, `.` or `..`; there is no NUL, no leading
/// drive letter and no leading scheme (`file:` in any form, `s3:/...`), these also not in disguise of percent-encoding. A `%` as such is an
/// ordinary character, as are a `:` elsewhere and any letter of any script. At most 1,024 bytes, 255 a segment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ArtifactPath(String);

impl ArtifactPath {
    /// Reads the path of a directory as clients send it, where the root, `None`, is no path, an empty one or `.`; one
    /// slash at the end is dropped.
    ///
    /// Fails with `Invalid` like [`ArtifactPath::from_str`].
    pub fn parse_dir(path: Option<&str>) -> Result<Option<Self>> {
        let path = path.unwrap_or("");
        match path.strip_suffix('/').filter(|dir| !dir.is_empty()).unwrap_or(path) {
            "" | "." => Ok(None),
            dir => dir.parse().map(Some),
        }
    }

    /// The path, with `/` between segments.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments from the top; at least one.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The last segment.
    pub fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }

    /// The directory that holds this, or `None` where that is the root.
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.to_owned()))
    }

    /// `below`, seen from the folder in which this directory lies.
    ///
    /// Fails with `Invalid` when the whole is too long.
    pub fn join(&self, below: &Self) -> Result<Self> {
        let whole = format!("{self}/{below}");
        // Nothing but the length can go wrong: no rule looks past a slash, except for the start of a path.
        match check_length(&whole) {
            Ok(()) => Ok(Self(whole)),
            Err(reason) => Err(refusal(&whole, reason)),
        }
    }

    /// Whether this is `dir` itself or lies below it.
    pub fn starts_with_dir(&self, dir: &Self) -> bool {
        self.0.strip_prefix(&dir.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl FromStr for ArtifactPath {
    type Err = Error;

    /// Fails with `Invalid` and a message that starts, as MLflow's, with "Invalid path".
    fn from_str(text: &str) -> Result<Self> {
        match check(text) {
            Ok(()) => Ok(Self(text.to_owned())),
            Err(reason) => Err(refusal(text, reason)),
        }
    }
}

impl fmt::Display for ArtifactPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn refusal(text: &str, reason: &str) -> Error {
    let shown: String = text.chars().take(MAX_SHOWN_CHARS).collect();
    Error::invalid(format!("Invalid path {shown:?}: {reason}"))
}

/// Checks the text and what it becomes by decoding it again and again; the error is the reason for people.
fn check(text: &str) -> Result<(), &'static str> {
    check_length(text)?;
    check_level(text)?;
    check_as_written(text)?;
    let mut level = Cow::Borrowed(text);
    loop {
        // Bytes that are no UTF-8 are replaced; all that the rules look for is ASCII or a whole character.
        let decoded = percent_decode_str(&level).decode_utf8_lossy().into_owned();
        // Every decoding that changes anything leaves fewer `%`, so this ends.
        if decoded == *level {
            return Ok(());
        }
        check_level(&decoded)?;
        level = Cow::Owned(decoded);
    }
}

fn check_length(text: &str) -> Result<(), &'static str> {
    if text.len() > MAX_BYTES {
        return Err("it is longer than 1,024 bytes");
    }
    if text.split('/').any(|segment| segment.len() > MAX_SEGMENT_BYTES) {
        return Err("a segment is longer than 255 bytes");
    }
    Ok(())
}

fn check_level(path: &str) -> Result<(), &'static str> {
    if path.is_empty() {
        return Err("it is empty");
    }
    if path.starts_with('/') {
        return Err("it is absolute");
    }
    if path.contains('\0') {
        return Err("it contains a control character");
    }
    // A backslash separates on some systems.
    let mut parts = path.split(['/', '\\']);
    if path.contains('\\') && (path.starts_with('\\') || parts.any(|part| part == "." || part == "..")) {
        return Err("it contains a backslash");
    }
    if path.split('/').any(str::is_empty) {
        return Err("a segment is empty");
    }
    if path.split('/').any(|segment| segment == "." || segment == "..") {
        return Err("a segment is `.` or `..`");
    }
    check_start(path)
}

/// Refuses what no name holds as it is written. What only becomes this by another decoding leads nowhere, and names do
/// have it: 2.x clients write an image to `loss%step%3%timestamp%1795309018923%....png`.
fn check_as_written(path: &str) -> Result<(), &'static str> {
    if path.contains(char::is_control) {
        return Err("it contains a control character");
    }
    if path.contains('\\') {
        return Err("it contains a backslash");
    }
    if path.contains('#') {
        return Err("it contains `#`");
    }
    Ok(())
}

/// Refuses what some system takes for the start of a place elsewhere.
fn check_start(path: &str) -> Result<(), &'static str> {
    let Some((scheme, rest)) = path.split_once(':') else {
        return Ok(());
    };
    let is_letter = |byte: u8| byte.is_ascii_alphabetic();
    if scheme.len() == 1 && scheme.bytes().all(is_letter) {
        return Err("it starts with a drive letter");
    }
    let is_scheme = scheme.bytes().next().is_some_and(is_letter)
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    // `step:10.png` is a good name. The colon of an address that leads elsewhere ends its segment.
    let ends_segment = rest.is_empty() || rest.starts_with('/');
    if scheme.eq_ignore_ascii_case("file") || is_scheme && ends_segment {
        return Err("it starts with a scheme");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    fn path(text: &str) -> ArtifactPath {
        text.parse().unwrap()
    }

    fn refused(text: &str, reason: &str) {
        let error = text.parse::<ArtifactPath>().expect_err(text);
        assert_eq!(error.kind(), Kind::Invalid);
        assert_eq!(error.message(), format!("Invalid path {text:?}: {reason}"));
    }

    /// Encodes all but letters and digits, `rounds` times over.
    fn disguised(text: &str, rounds: usize) -> String {
        (0..rounds).fold(text.to_owned(), |text, _| utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string())
    }

    #[test]
    fn attacks_are_refused_with_the_reason() {
        let table = [
            ("", "it is empty"),
            ("/etc/passwd", "it is absolute"),
            ("/", "it is absolute"),
            ("//host/share", "it is absolute"),
            ("..", "a segment is `.` or `..`"),
            ("../x", "a segment is `.` or `..`"),
            ("a/../b", "a segment is `.` or `..`"),
            ("a/..", "a segment is `.` or `..`"),
            (".", "a segment is `.` or `..`"),
            ("a/./b", "a segment is `.` or `..`"),
            ("a//b", "a segment is empty"),
            ("a/", "a segment is empty"),
            ("a\\..\\b", "it contains a backslash"),
            ("\\\\host\\share", "it contains a backslash"),
            ("a\0b", "it contains a control character"),
            ("a\nb", "it contains a control character"),
            ("a\u{7f}b", "it contains a control character"),
            ("a\u{85}b", "it contains a control character"),
            ("a#b", "it contains `#`"),
            ("C:", "it starts with a drive letter"),
            ("C:/windows", "it starts with a drive letter"),
            ("c:windows", "it starts with a drive letter"),
            ("file:etc/passwd", "it starts with a scheme"),
            ("FILE:x", "it starts with a scheme"),
            ("file:///etc/passwd", "a segment is empty"),
            ("s3:", "it starts with a scheme"),
            ("s3:/bucket/x", "it starts with a scheme"),
            ("mlflow-artifacts:/1/x", "it starts with a scheme"),
            ("https://host/x", "a segment is empty"),
        ];
        for (text, reason) in table {
            refused(text, reason);
        }
    }

    #[test]
    fn encoded_attacks_are_refused_with_the_reason() {
        let table = [
            ("%2e%2e/x", "a segment is `.` or `..`"),
            ("a/%2E./b", "a segment is `.` or `..`"),
            ("a%2f..%2fb", "a segment is `.` or `..`"),
            ("%252e%252e/x", "a segment is `.` or `..`"),
            ("%25252e%25252e%25252fx", "a segment is `.` or `..`"),
            ("%2fetc", "it is absolute"),
            ("%252fetc", "it is absolute"),
            ("a%5c..%5cb", "it contains a backslash"),
            ("a%00b", "it contains a control character"),
            ("a%2500b", "it contains a control character"),
            ("C%3a/x", "it starts with a drive letter"),
            ("%43:x", "it starts with a drive letter"),
            ("f%69le%3Ax", "it starts with a scheme"),
            ("s3%3a%2fbucket", "it starts with a scheme"),
            ("a%2f%2fb", "a segment is empty"),
            ("a%2f", "a segment is empty"),
            ("%252E%252E%255Cx", "it contains a backslash"),
            ("%ff/%2e%2e/x", "a segment is `.` or `..`"),
        ];
        for (text, reason) in table {
            refused(text, reason);
        }
    }

    #[test]
    fn ordinary_names_are_kept_as_they_are() {
        let names = [
            "model.pkl",
            "models/m-1/artifacts/MLmodel",
            "100%.txt",
            "a%20b",
            "a%2",
            "%",
            "%zz",
            "50%2525 off.png",
            "a%2Fb",
            "...",
            "..a/b..",
            ".gitignore",
            "step:10.png",
            "12:30:00.log",
            "1:x",
            "at 10:/log.txt",
            "plots/x:y",
            "logs/file:1",
            "a b/c+d&e=f?g*h|i\"j'k~l",
            "Größe/表/مثال.csv",
            "100%ff.txt",
            " ",
        ];
        for name in names {
            assert_eq!(path(name).as_str(), name);
        }
    }

    #[test]
    fn a_path_may_have_1024_bytes_and_no_more() {
        let longest = format!("{}{}", "12345/".repeat(170), "last");
        assert_eq!(path(&longest).as_str().len(), 1_024);
        let error = format!("{longest}!").parse::<ArtifactPath>().unwrap_err();
        assert!(error.message().ends_with("it is longer than 1,024 bytes"), "{error}");
    }

    #[test]
    fn a_segment_may_have_255_bytes_and_no_more() {
        assert_eq!(path(&"ü".repeat(127)).as_str().len(), 254);
        let error = "ü".repeat(128).parse::<ArtifactPath>().unwrap_err();
        assert!(error.message().ends_with("a segment is longer than 255 bytes"), "{error}");
    }

    #[test]
    fn a_message_repeats_only_the_start_of_a_long_path() {
        let error = "é".repeat(9_000).parse::<ArtifactPath>().unwrap_err();
        assert_eq!(error.message().chars().filter(|&c| c == 'é').count(), 120);
    }

    #[test]
    fn the_root_is_no_directory_path_an_empty_one_or_a_dot() {
        for root in [None, Some(""), Some("."), Some("./")] {
            assert_eq!(ArtifactPath::parse_dir(root).unwrap(), None, "{root:?}");
        }
    }

    #[test]
    fn a_directory_may_end_with_one_slash() {
        assert_eq!(ArtifactPath::parse_dir(Some("a/b/")).unwrap(), Some(path("a/b")));
        assert!(ArtifactPath::parse_dir(Some("a//")).is_err());
    }

    #[test]
    fn an_absolute_directory_is_refused() {
        assert!(ArtifactPath::parse_dir(Some("/")).is_err());
        assert!(ArtifactPath::parse_dir(Some("/a/")).is_err());
    }

    #[test]
    fn a_path_knows_its_parts() {
        let deep = path("a/b/c.txt");
        assert_eq!(deep.segments().collect::<Vec<_>>(), ["a", "b", "c.txt"]);
        assert_eq!((deep.file_name(), path("c").file_name()), ("c.txt", "c"));
        assert_eq!((deep.parent(), path("c").parent()), (Some(path("a/b")), None));
    }

    #[test]
    fn a_directory_starts_itself_and_what_is_below_it_only() {
        assert!(path("a/b").starts_with_dir(&path("a/b")));
        assert!(path("a/b/c").starts_with_dir(&path("a/b")));
        assert!(!path("a/bc").starts_with_dir(&path("a/b")));
        assert!(!path("a").starts_with_dir(&path("a/b")));
    }

    #[test]
    fn an_image_of_a_2_client_has_a_legal_name() {
        let name = "images/loss%step%3%timestamp%1795309018923%5c2f230a.png";
        assert_eq!(path(name).as_str(), name);
    }

    #[test]
    fn a_joined_path_that_is_too_long_is_refused() {
        let half = path(&["x".repeat(255), "y".repeat(255)].join("/"));
        let whole = half.join(&half).unwrap();
        assert_eq!(whole.as_str().len(), 1_023);
        assert_eq!(whole.join(&path("z")).unwrap_err().kind(), Kind::Invalid);
    }

    proptest! {
        #[test]
        fn an_attack_is_refused_under_any_number_of_disguises(
            attack in prop::sample::select(vec!["../x", "a/../../b", "/x", "a\\..\\b", "a\0", "C:x", "file:x", "a//b"]),
            rounds in 0_usize..4,
        ) {
            prop_assert!(disguised(attack, rounds).parse::<ArtifactPath>().is_err());
        }

        #[test]
        fn any_text_is_refused_or_stays_below_its_root(text in "[a.%/\\\\:#25eEfFcC\u{0}é]{0,12}") {
            if let Ok(path) = text.parse::<ArtifactPath>() {
                let plain = std::path::Path::new(path.as_str())
                    .components()
                    .all(|component| matches!(component, std::path::Component::Normal(_)));
                prop_assert!(plain, "{}", path);
                prop_assert_eq!(path.as_str(), text);
            }
        }

        #[test]
        fn what_is_accepted_leads_nowhere_after_any_decoding(text in "[a.%/\\\\:#025eEfFcC]{1,12}") {
            if text.parse::<ArtifactPath>().is_ok() {
                let mut level = text.clone();
                // Every decoding takes two characters at least, or is the last.
                for _ in 0..text.len() {
                    let leads_away = level.split(['/', '\\']).any(|part| part == "." || part == "..")
                        || level.starts_with(['/', '\\'])
                        || level.contains('\0')
                        || level.to_lowercase().starts_with("c:");
                    prop_assert!(!leads_away, "{text:?} becomes {level:?}");
                    level = percent_decode_str(&level).decode_utf8_lossy().into_owned();
                }
            }
        }

        #[test]
        fn a_joined_path_is_a_path(left in "[a.%/:25efC]{1,8}", right in "[a.%/:25efC]{1,8}") {
            if let (Ok(left), Ok(right)) = (left.parse::<ArtifactPath>(), right.parse::<ArtifactPath>()) {
                let joined = left.join(&right).unwrap();
                prop_assert_eq!(joined.as_str().parse::<ArtifactPath>().unwrap(), joined.clone());
                prop_assert!(joined.starts_with_dir(&left));
            }
        }
    }
}
