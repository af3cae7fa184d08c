//! What of a file a request asks for: conditions and ranges of RFC 9110.

use std::ops::Range;
use std::time::UNIX_EPOCH;

use axum::http::HeaderMap;
use axum::http::header::{HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE};

/// The state of a file that conditions are compared with.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// Its strong entity tag, quotes included, where its digest is known.
    pub(super) etag: Option<String>,
    /// When it was written, in seconds since 1970: what fits into `Last-Modified`.
    pub(super) modified_secs: u64,
    /// How many bytes it has.
    pub(super) size_bytes: u64,
}

/// What to answer with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// The whole file.
    Whole,
    /// These bytes, at least one.
    Part(Range<u64>),
    /// Nothing: the client has it.
    NotModified,
    /// An error: the file has none of the bytes.
    OutOfRange,
}

/// What a GET or HEAD with these headers asks for.
///
/// Ranges that are malformed or more than one are as good as none, which the RFC allows; so is a range under a
/// condition that does not hold.
pub(super) fn extent(headers: &HeaderMap, state: &State) -> Extent {
    if is_known(headers, state) {
        return Extent::NotModified;
    }
    let range = text(headers, RANGE).and_then(single_range);
    match range {
        Some(range) if applies(headers, state) => cut(range, state.size_bytes),
        Some(_) | None => Extent::Whole,
    }
}

/// Whether the client says that it has this state of the file.
fn is_known(headers: &HeaderMap, state: &State) -> bool {
    if headers.contains_key(IF_NONE_MATCH) {
        let mut lists = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        return lists.any(|list| {
            let mut tags = list.split(',').map(str::trim);
            // A weak tag of the same name is good enough here.
            tags.any(|tag| tag == "*" || Some(tag.strip_prefix("W/").unwrap_or(tag)) == state.etag.as_deref())
        });
    }
    seconds(headers, IF_MODIFIED_SINCE).is_some_and(|since| state.modified_secs <= since)
}

/// Whether `If-Range`, where it is sent, still names this state of the file.
fn applies(headers: &HeaderMap, state: &State) -> bool {
    match text(headers, IF_RANGE) {
        None => !headers.contains_key(IF_RANGE),
        Some(tag) if tag.starts_with('"') => Some(tag) == state.etag.as_deref(),
        Some(_) => seconds(headers, IF_RANGE) == Some(state.modified_secs),
    }
}

/// A range as it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    /// From the first to the last byte, both of which belong to it, or to the end.
    From(u64, Option<u64>),
    /// So many bytes at the end.
    Suffix(u64),
}

fn single_range(text: &str) -> Option<Sent> {
    let (first, last) = text.trim().strip_prefix("bytes=")?.split_once('-')?;
    let (first, last) = (first.trim(), last.trim());
    if first.is_empty() {
        return number(last).map(Sent::Suffix);
    }
    let first = number(first)?;
    if last.is_empty() {
        return Some(Sent::From(first, None));
    }
    let last = number(last)?;
    (first <= last).then_some(Sent::From(first, Some(last)))
}

fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number beyond u64 is beyond every file as well.
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

fn cut(range: Sent, size_bytes: u64) -> Extent {
    let (start, end) = match range {
        Sent::From(first, None) => (first, size_bytes),
        Sent::From(first, Some(last)) => (first, size_bytes.min(last.saturating_add(1))),
        Sent::Suffix(length) => (size_bytes.saturating_sub(length), size_bytes),
    };
    if start < end { Extent::Part(start..end) } else { Extent::OutOfRange }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn seconds(headers: &HeaderMap, name: HeaderName) -> Option<u64> {
    let date = httpdate::parse_http_date(text(headers, name)?).ok()?;
    Some(date.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODIFIED: &str = "Tue, 14 Nov 2023 22:13:20 GMT";
    const BEFORE: &str = "Tue, 14 Nov 2023 22:13:19 GMT";
    const AFTER: &str = "Tue, 14 Nov 2023 22:13:21 GMT";

    fn asked(sent: &[(HeaderName, &str)]) -> Extent {
        asked_of(100, sent)
    }

    fn asked_of(size_bytes: u64, sent: &[(HeaderName, &str)]) -> Extent {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(name, value.parse().unwrap());
        }
        let state = State { etag: Some("\"abc\"".to_owned()), modified_secs: 1_700_000_000, size_bytes };
        extent(&headers, &state)
    }

    #[test]
    fn a_range_gives_its_bytes() {
        for (range, expected) in [
            ("bytes=0-0", 0..1),
            ("bytes=10-19", 10..20),
            ("bytes=90-", 90..100),
            ("bytes=90-1000", 90..100),
            ("bytes=0-99999999999999999999999999", 0..100),
            ("bytes=-10", 90..100),
            ("bytes=-1000", 0..100),
            (" bytes= 1 - 2 ", 1..3),
        ] {
            assert_eq!(asked(&[(RANGE, range)]), Extent::Part(expected), "{range}");
        }
    }

    #[test]
    fn a_range_beyond_the_end_is_refused() {
        for range in ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=99999999999999999999999999-"] {
            assert_eq!(asked(&[(RANGE, range)]), Extent::OutOfRange, "{range}");
        }
        assert_eq!(asked_of(0, &[(RANGE, "bytes=0-")]), Extent::OutOfRange);
        assert_eq!(asked_of(0, &[(RANGE, "bytes=-1")]), Extent::OutOfRange);
    }

    #[test]
    fn what_is_no_single_range_is_as_good_as_none() {
        for range in
            ["bytes=5-4", "bytes=", "bytes=-", "bytes=a-b", "bytes=+1-2", "items=0-1", "bytes=0-1,5-6", "0-1"]
        {
            assert_eq!(asked(&[(RANGE, range)]), Extent::Whole, "{range}");
        }
    }

    #[test]
    fn a_known_tag_is_not_sent_again() {
        for tags in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*"] {
            assert_eq!(asked(&[(IF_NONE_MATCH, tags)]), Extent::NotModified, "{tags}");
        }
        assert_eq!(asked(&[(IF_NONE_MATCH, "\"x\""), (IF_NONE_MATCH, "\"abc\"")]), Extent::NotModified);
        for tags in ["\"x\"", "abc", ""] {
            assert_eq!(asked(&[(IF_NONE_MATCH, tags)]), Extent::Whole, "{tags}");
        }
    }

    #[test]
    fn a_file_that_is_no_newer_is_not_sent_again() {
        assert_eq!(asked(&[(IF_MODIFIED_SINCE, MODIFIED)]), Extent::NotModified);
        assert_eq!(asked(&[(IF_MODIFIED_SINCE, AFTER)]), Extent::NotModified);
        assert_eq!(asked(&[(IF_MODIFIED_SINCE, BEFORE)]), Extent::Whole);
        assert_eq!(asked(&[(IF_MODIFIED_SINCE, "yesterday")]), Extent::Whole);
    }

    #[test]
    fn a_tag_weighs_more_than_a_date() {
        let sent = [(IF_NONE_MATCH, "\"x\""), (IF_MODIFIED_SINCE, AFTER)];
        assert_eq!(asked(&sent), Extent::Whole);
    }

    #[test]
    fn a_range_holds_only_for_the_state_it_was_asked_of() {
        let part = Extent::Part(0..10);
        for (condition, expected) in [
            ("\"abc\"", part.clone()),
            (MODIFIED, part),
            ("\"x\"", Extent::Whole),
            ("W/\"abc\"", Extent::Whole),
            (BEFORE, Extent::Whole),
            (AFTER, Extent::Whole),
            ("nonsense", Extent::Whole),
        ] {
            assert_eq!(asked(&[(RANGE, "bytes=0-9"), (IF_RANGE, condition)]), expected, "{condition}");
        }
    }

    #[test]
    fn a_file_without_a_tag_matches_none() {
        let headers = HeaderMap::from_iter([
            (IF_RANGE, "\"abc\"".parse().unwrap()),
            (RANGE, "bytes=0-1".parse().unwrap()),
        ]);
        let state = State { etag: None, modified_secs: 0, size_bytes: 9 };
        assert_eq!(extent(&headers, &state), Extent::Whole);
    }
}
