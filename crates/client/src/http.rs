//! Requests to one project of one server.
//!
//! The token goes to the address that was given and nowhere else: no redirect is followed, and a link in an answer is
//! never called, only what it says about the next page is used.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use modelry_core::{Error, Kind, Result};
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::http::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, IF_RANGE, LINK, LOCATION, RANGE,
};
use ureq::http::request::Builder;
use ureq::http::{Method, Request, Response};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body, SendBody};

use crate::THREADS;
use crate::place::Place;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(20);
/// How long a server may stand still. It syncs and hashes at the end of large uploads.
const STILL: Duration = Duration::from_mins(5);
/// The longest JSON that is read.
const MOST_JSON_BYTES: u64 = 64 << 20;
/// How many things a page is asked to have.
const PAGE: &str = "per_page=100";

/// The native API of one project.
#[derive(Clone, Debug)]
pub struct Api {
    agent: Agent,
    place: Place,
}

/// Bytes of a file on their way here.
pub(crate) struct Incoming {
    /// Whether these are the bytes that were asked for, or all of the file.
    pub(crate) is_part: bool,
    /// The bytes.
    pub(crate) bytes: Box<dyn Read>,
}

impl Api {
    /// Makes no connection yet.
    pub fn new(place: Place) -> Self {
        let tls = TlsConfig::builder()
            // What the machine trusts, so that a company's own authority counts.
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .tls_config(tls)
            .timeout_connect(Some(CONNECT))
            .timeout_per_read(Some(STILL))
            .timeout_per_write(Some(STILL))
            .max_idle_connections_per_host(THREADS)
            .user_agent(concat!("modelry/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.into(), place }
    }

    /// Where the requests go.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// GET of `path` below the project, with a query.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str, query: &str) -> Result<T> {
        decode(self.json(&Method::GET, path, query, None)?.0)
    }

    /// A request with a body of JSON.
    pub(crate) fn send<T: DeserializeOwned>(&self, method: &Method, path: &str, body: &Value) -> Result<T> {
        decode(self.json(method, path, "", Some(body))?.0)
    }

    /// DELETE of `path` below the project.
    pub(crate) fn delete(&self, path: &str) -> Result<()> {
        self.json(&Method::DELETE, path, "", None).map(drop)
    }

    /// All things of a list, page after page; `key` is the field that a page starts after.
    pub(crate) fn list(&self, path: &str, query: &str, key: &str) -> Result<Vec<Value>> {
        let mut all: Vec<Value> = Vec::new();
        loop {
            let mut asked = format!("{PAGE}{query}");
            if let Some(last) = all.last() {
                let after = last[key].as_str().map_or_else(|| last[key].to_string(), str::to_owned);
                asked = format!("{asked}&after={}", modelry_core::address::segment(&after));
            }
            let (page, has_next) = self.json(&Method::GET, path, &asked, None)?;
            let Value::Array(page) = page else { return Err(unreadable()) };
            let is_empty = page.is_empty();
            all.extend(page);
            if !has_next || is_empty {
                return Ok(all);
            }
        }
    }

    /// The bytes of a file from `start` up to before `end`, as long as its digest is `sha256`.
    ///
    /// They are asked for as a part even where they are all: whoever asks verifies them, so the server need not.
    pub(crate) fn download(&self, path: &str, (start, end): (u64, u64), sha256: &str) -> Result<Incoming> {
        let request = self
            .request(&Method::GET, path, "")
            .header(RANGE, format!("bytes={start}-{}", end - 1))
            .header(IF_RANGE, format!("\"{sha256}\""));
        let answer = self.run(request, SendBody::none())?;
        let is_part = answer.status().as_u16() == 206;
        Ok(Incoming { is_part, bytes: Box::new(answer.into_body().into_reader()) })
    }

    /// PUT of a whole of `size` bytes from `start` on.
    pub(crate) fn upload<T: DeserializeOwned>(
        &self,
        path: &str,
        (start, size): (u64, u64),
        mut bytes: impl Read,
    ) -> Result<T> {
        let mut request = self.request(&Method::PUT, path, "").header(CONTENT_LENGTH, size - start);
        if start > 0 {
            request = request.header(CONTENT_RANGE, format!("bytes {start}-{}/{size}", size - 1));
        }
        let mut answer = self.run(request, SendBody::from_reader(&mut bytes))?;
        decode(read_json(&mut answer)?)
    }

    /// A request of JSON for JSON, and whether there is a next page. An empty body is `null`.
    fn json(&self, method: &Method, path: &str, query: &str, body: Option<&Value>) -> Result<(Value, bool)> {
        let request = self.request(method, path, query);
        let mut answer = match body {
            None => self.run(request, SendBody::none())?,
            Some(body) => {
                let text = body.to_string();
                let request =
                    request.header(CONTENT_TYPE, "application/json").header(CONTENT_LENGTH, text.len());
                self.run(request, SendBody::from_reader(&mut text.as_bytes()))?
            }
        };
        let link = answer.headers().get(LINK).and_then(|link| link.to_str().ok());
        let has_next = link.is_some_and(|link| link.contains("rel=\"next\""));
        Ok((read_json(&mut answer)?, has_next))
    }

    fn request(&self, method: &Method, path: &str, query: &str) -> Builder {
        let mark = if query.is_empty() { "" } else { "?" };
        let mut request =
            Request::builder().method(method).uri(format!("{}{path}{mark}{query}", self.place.api()));
        if let Some(token) = &self.place.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        request
    }

    /// Sends it. Fails unless the answer says that it was done.
    fn run(&self, request: Builder, body: SendBody<'_>) -> Result<Response<Body>> {
        let request = request
            .body(body)
            .map_err(|error| Error::invalid(format!("the request cannot be made: {error}")))?;
        let answer = self.agent.run(request).map_err(|error| self.unreached(&error))?;
        match answer.status().as_u16() {
            200..=299 => Ok(answer),
            300..=399 => Err(self.redirected(&answer)),
            _ => Err(self.refused(answer)),
        }
    }

    fn unreached(&self, error: &ureq::Error) -> Error {
        Error::unavailable(format!("no answer from {}: {error}", self.place.server))
    }

    fn redirected(&self, answer: &Response<Body>) -> Error {
        let location = answer.headers().get(LOCATION).and_then(|location| location.to_str().ok());
        Error::invalid(format!(
            "{} answers with a redirect to {}, which is not followed, because the token is for the first address \
             alone; log in at the address that the server has",
            self.place.server,
            location.unwrap_or("nowhere")
        ))
    }

    fn refused(&self, mut answer: Response<Body>) -> Error {
        let status = answer.status();
        let detail = read_json(&mut answer).ok().and_then(|body| body["detail"].as_str().map(str::to_owned));
        let detail = detail.unwrap_or_else(|| format!("{} answers {status}", self.place.server));
        let kind = kind_of(status.as_u16());
        let advice = match (kind, &self.place.token) {
            (Kind::Unauthenticated, Some(_)) => {
                "; the token does not work (any more): store another with `modelry login`"
            }
            (Kind::Unauthenticated | Kind::NotFound, None) => {
                "; no token was sent: `modelry login` stores one"
            }
            _ => "",
        };
        Error::new(kind, format!("{detail}{advice}"))
    }
}

/// What a status of the native API means.
fn kind_of(status: u16) -> Kind {
    match status {
        401 => Kind::Unauthenticated,
        403 => Kind::Forbidden,
        404 => Kind::NotFound,
        409 => Kind::Conflict,
        413 => Kind::TooLarge,
        429 => Kind::RateLimited,
        501 => Kind::NotOffered,
        500..=599 => Kind::Unavailable,
        _ => Kind::Invalid,
    }
}

fn read_json(answer: &mut Response<Body>) -> Result<Value> {
    let bytes = answer.body_mut().with_config().limit(MOST_JSON_BYTES).read_to_vec();
    let bytes = bytes.map_err(|error| Error::unavailable(format!("the answer broke off: {error}")))?;
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&bytes).map_err(|_| unreadable())
}

/// JSON as a type. The types are small, so that little is compiled for each.
fn decode<T: DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|_| unreadable())
}

fn unreadable() -> Error {
    Error::invalid("the answer is not that of a Modelry server, or of one of another version")
}
