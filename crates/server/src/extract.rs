//! Extractors with our own rejections: a body or query that does not fit is an [`Error`] that names what is wrong.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::request::Parts;
use axum::response::IntoResponse;
use http_body::Body as _;
use modelry_core::{Error, Kind, Result};
use serde::Deserializer;
use serde::de::DeserializeOwned;

use crate::App;
use crate::error::Problem;

/// The parameters of a path, each percent-decoded once.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let axum::extract::Path(value) = axum::extract::Path::from_request_parts(parts, app)
            .await
            .map_err(|_| Error::not_found("there is nothing at this address"))?;
        Ok(Self(value))
    }
}

/// A query string.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Self::Rejection> {
        Ok(Self(read_query(parts.uri.query().unwrap_or_default())?))
    }
}

/// A JSON body of the native API; as an answer, JSON.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Self::Rejection> {
        require_json(request.headers())?;
        let bytes = read_body(request, app).await?;
        Ok(Self(read_json(&bytes)?))
    }
}

impl<T: serde::Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> axum::response::Response {
        match serde_json::to_vec(&self.0) {
            Ok(text) => ([(CONTENT_TYPE, "application/json")], text).into_response(),
            Err(error) => {
                Problem(Error::internal("an answer could not be written as JSON").with_source(error))
                    .into_response()
            }
        }
    }
}

/// Reads a whole body. Fails with `TooLarge` beyond the limit for JSON and forms.
pub async fn read_body(request: Request, app: &App) -> Result<Bytes> {
    let limit = app.settings.limits.body_bytes;
    let too_large =
        || Error::new(Kind::TooLarge, format!("the request body has more than the allowed {limit} bytes"));
    // An announced length is believed before anything is read; one that is not announced is counted.
    if request.body().size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    axum::body::to_bytes(request.into_body(), limit).await.map_err(|error| {
        let cause = error.into_inner();
        if cause.is::<http_body_util::LengthLimitError>() {
            return too_large();
        }
        Error::invalid("the request body ended early").with_source(cause)
    })
}

/// Fails when the body does not say that it is JSON: a foreign page's form cannot say so.
pub fn require_json(headers: &HeaderMap) -> Result<()> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") || essence.to_lowercase().ends_with("+json") {
        return Ok(());
    }
    Err(Error::invalid("Bad Request. Content-Type must be 'application/json'"))
}

/// Reads JSON; an error names the place in the document.
pub fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    traced(&mut serde_json::Deserializer::from_slice(bytes)).map_err(|misfit| {
        let place = if misfit.path == "." { String::new() } else { format!(" at `{}`", misfit.path) };
        Error::invalid(format!("the request body does not fit{place}: {}", misfit.reason))
    })
}

/// Reads a query string; repeated names become lists.
pub fn read_query<T: DeserializeOwned>(query: &str) -> Result<T> {
    let deserializer = serde_html_form::Deserializer::from_bytes(query.as_bytes());
    erased(deserializer).map_err(|error| Error::invalid(format!("the query string does not fit: {error}")))
}

/// Why something sent does not fit.
pub(crate) struct Misfit {
    /// Where in the message; `.` for all of it.
    pub(crate) path: String,
    /// What is wrong there.
    pub(crate) reason: String,
}

/// Reads a message, and says where what does not fit stands.
pub(crate) fn traced<'de, T, D>(deserializer: D) -> Result<T, Misfit>
where
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    let mut track = serde_path_to_error::Track::new();
    let traced = serde_path_to_error::Deserializer::new(deserializer, &mut track);
    let read = erased(traced);
    read.map_err(|error| Misfit { path: track.path().to_string(), reason: error.to_string() })
}

/// Reads a message from whatever format: the reader of each type is compiled once, not once for each format.
fn erased<'de, T, D>(deserializer: D) -> Result<T, erased_serde::Error>
where
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    erased_serde::deserialize(&mut <dyn erased_serde::Deserializer<'_>>::erase(deserializer))
}

/// The address that links start with: what the operator set, else the host that the request names.
pub fn base_url(app: &App, headers: &HeaderMap) -> String {
    app.settings.public_url.clone().unwrap_or_else(|| {
        let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or("127.0.0.1:8080");
        format!("http://{host}")
    })
}
