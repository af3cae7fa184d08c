//! Downloads: a file, or a part of it, streamed piece by piece.

use std::convert::Infallible;
use std::ops::Range;
use std::time::{Duration, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, LAST_MODIFIED, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, TryStreamExt, stream};
use modelry_core::{Error, Result};
use modelry_store::files::Found;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::conditions::{self, Extent, State};
use crate::App;

/// How a download is asked for.
pub struct Asked {
    method: Method,
    headers: HeaderMap,
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let (method, mut headers) = (parts.method.clone(), parts.headers.clone());
        if method != Method::GET {
            // Only a GET can ask for a part.
            headers.remove(RANGE);
        }
        Ok(Self { method, headers })
    }
}

impl Asked {
    /// Whether `answer`, which this was answered with, gives the file away: its bytes from the first one on. Who fetches a
    /// file in parts asks for the first byte once.
    pub fn got_file(&self, answer: &Response) -> bool {
        let range = || answer.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
        let starts = match answer.status() {
            StatusCode::OK => true,
            StatusCode::PARTIAL_CONTENT => range().is_some_and(|range| range.starts_with("bytes 0-")),
            _ => false,
        };
        starts && self.method == Method::GET
    }
}

/// Answers with `file`, or with what is asked for of it.
///
/// What people upload is never shown as a page of this server, whatever its type: it is an attachment, in a sandbox.
///
/// It is verified on the way: where the bytes on the disk are not those that were stored, the answer breaks off before
/// them, or, where they are the first, is `Unavailable`.
pub async fn download(app: &App, file: Found, asked: &Asked) -> Result<Response> {
    let state = State {
        etag: file.sha256.map(|sha256| format!("\"{sha256}\"")),
        modified_secs: u64::try_from(file.file.modified_at.ms() / 1_000).unwrap_or(0),
        size_bytes: file.file.size_bytes,
    };
    let size_bytes = state.size_bytes;
    let (status, range) = match conditions::extent(&asked.headers, &state) {
        Extent::Whole => (StatusCode::OK, 0..size_bytes),
        Extent::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Extent::NotModified => return Ok((StatusCode::NOT_MODIFIED, state_headers(&state)?).into_response()),
        Extent::OutOfRange => {
            let unsatisfied = [(CONTENT_RANGE, format!("bytes */{size_bytes}"))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, unsatisfied).into_response());
        }
    };
    let mut headers = state_headers(&state)?;
    content_headers(&mut headers, file_name(&file.file.path))?;
    headers.insert(CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    if status == StatusCode::PARTIAL_CONTENT {
        let value = format!("bytes {}-{}/{size_bytes}", range.start, range.end - 1);
        headers.insert(CONTENT_RANGE, value_of(&value)?);
    }
    let body = if asked.method == Method::HEAD { Body::empty() } else { body_of(app, file, range).await? };
    Ok((status, headers, body).into_response())
}

async fn body_of(app: &App, file: Found, range: Range<u64>) -> Result<Body> {
    let path = file.file.path;
    let mut bytes = super::read(app, (&path, &file.bytes, file.file.size_bytes), range).await?;
    // As long as the status is not sent, it can tell what is wrong; then the log is the only place that can.
    let logged = move |error: &Error| tracing::error!(%error, path, "a download broke off");
    let first = bytes.try_next().await.inspect_err(&logged)?;
    let first = stream::iter(first.map(Ok));
    Ok(Body::from_stream(first.chain(bytes.inspect_err(logged))))
}

/// Headers that tell one state of a file from the next.
fn state_headers(state: &State) -> Result<HeaderMap> {
    let modified = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(state.modified_secs));
    let mut headers = HeaderMap::new();
    if let Some(etag) = &state.etag {
        headers.insert(ETAG, value_of(etag)?);
    }
    headers.insert(LAST_MODIFIED, value_of(&modified)?);
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    // Whoever keeps it asks each time whether it is still there, and still theirs to see.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    Ok(headers)
}

fn content_headers(headers: &mut HeaderMap, name: &str) -> Result<()> {
    headers.insert(CONTENT_TYPE, value_of(&content_type(name))?);
    headers.insert(CONTENT_DISPOSITION, value_of(&attachment(name))?);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    Ok(())
}

fn value_of(text: &str) -> Result<HeaderValue> {
    text.parse().map_err(|error| Error::internal("a header of a download is no header").with_source(error))
}

fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// The type that a file's name suggests, as long as no browser runs what has that type.
fn content_type(name: &str) -> String {
    let guessed = mime_guess::from_path(name).first_or_octet_stream();
    let is_active =
        ["html", "xml", "svg", "script", "rfc822"].iter().any(|word| guessed.essence_str().contains(word));
    match (guessed.type_() == mime_guess::mime::TEXT, is_active) {
        (true, true) => "text/plain; charset=utf-8".to_owned(),
        (true, false) => format!("{}; charset=utf-8", guessed.essence_str()),
        (false, true) => "application/octet-stream".to_owned(),
        (false, false) => guessed.essence_str().to_owned(),
    }
}

/// All but RFC 5987's `attr-char`.
const NOT_IN_EXTENDED_VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// `Content-Disposition` with the file's name: quoted, and in the extended form where it is not plain ASCII.
pub(crate) fn attachment(name: &str) -> String {
    let is_plain = |c: char| c == ' ' || c.is_ascii_graphic() && c != '"' && c != '\\';
    if name.chars().all(is_plain) {
        return format!("attachment; filename=\"{name}\"");
    }
    let fallback: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let extended = utf8_percent_encode(name, NOT_IN_EXTENDED_VALUE);
    format!("attachment; filename=\"{fallback}\"; filename*=UTF-8''{extended}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_type_is_active() {
        for (name, expected) in [
            ("page.html", "text/plain; charset=utf-8"),
            ("page.XHTML", "application/octet-stream"),
            ("plot.svg", "application/octet-stream"),
            ("code.js", "text/plain; charset=utf-8"),
            ("doc.xml", "text/plain; charset=utf-8"),
            ("feed.rss", "application/octet-stream"),
            ("page.mht", "application/octet-stream"),
        ] {
            assert_eq!(content_type(name), expected, "{name}");
        }
    }

    #[test]
    fn a_type_is_guessed_by_the_name() {
        for (name, expected) in [
            ("notes.txt", "text/plain; charset=utf-8"),
            ("data.csv", "text/csv; charset=utf-8"),
            ("plot.png", "image/png"),
            ("model.json", "application/json"),
            ("MLmodel", "application/octet-stream"),
        ] {
            assert_eq!(content_type(name), expected, "{name}");
        }
    }

    #[test]
    fn a_name_goes_into_the_header_in_a_form_that_every_client_reads() {
        for (name, expected) in [
            ("model 1.pkl", "attachment; filename=\"model 1.pkl\""),
            ("größe\".txt", "attachment; filename=\"gr__e_.txt\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%22.txt"),
            ("100%.txt", "attachment; filename=\"100%.txt\""),
        ] {
            assert_eq!(attachment(name), expected);
        }
    }
}
