//! MLflow's JSON: protobuf messages as its server reads and writes them.
//!
//! Reading is generous where stock clients are (numbers as strings, camelCase names, raw `NaN`) and strict otherwise: what
//! does not fit is a 400 that names the parameter.

mod field;
mod lenient;
mod scalar;

use std::borrow::Cow;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use modelry_core::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::App;
use crate::error::MlflowFailure;
use crate::extract::{read_body, require_json, traced};
use crate::tracking::truncated;

pub(crate) use field::{
    Pair, ViewType, experiment_id, max_results, missing, required, required_run, required_run_text,
    required_text,
};
pub(crate) use scalar::{Double, EnumValue, Int64};

/// What a handler of the protocol answers.
pub(crate) type Answer<T> = Result<Reply<T>, MlflowFailure>;

/// A message of the protocol in a request: from the query of a GET, else from the JSON body.
pub(crate) struct Message<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Message<T> {
    type Rejection = MlflowFailure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Self::Rejection> {
        if matches!(*request.method(), Method::GET | Method::HEAD) {
            return Ok(Self(read_query(request.uri().query().unwrap_or_default())?));
        }
        require_json(request.headers())?;
        let bytes = read_body(request, app).await?;
        Ok(Self(read_body_message(&bytes)?))
    }
}

/// Reads a message from a query string. An empty value is none, whatever its type; repeated names are a list.
fn read_query<T: DeserializeOwned>(query: &str) -> Result<T> {
    let query = without_empty(query);
    traced(serde_html_form::Deserializer::from_bytes(query.as_bytes())).map_err(|misfit| {
        let pairs: Vec<(String, String)> = serde_html_form::from_str(&query).unwrap_or_default();
        let sent =
            pairs.into_iter().find(|pair| pair.0 == misfit.path).map(|pair| serde_json::Value::from(pair.1));
        refusal(&misfit.path, sent.as_ref(), &misfit.reason)
    })
}

fn without_empty(query: &str) -> Cow<'_, str> {
    let is_empty = |pair: &&str| !pair.contains('=') || pair.ends_with('=');
    if query.split('&').all(|pair| !is_empty(&pair)) {
        return Cow::Borrowed(query);
    }
    let sent: Vec<&str> = query.split('&').filter(|pair| !is_empty(pair)).collect();
    Cow::Owned(sent.join("&"))
}

/// Reads a message from JSON.
fn read_body_message<T: DeserializeOwned>(bytes: &Bytes) -> Result<T> {
    match serde_json::from_slice(bytes) {
        Ok(message) => Ok(message),
        Err(_) => read_leniently(bytes),
    }
}

/// The slow way, for the few bodies that are not plain JSON of the right types: empty ones, JSON in a JSON string, raw
/// `NaN`; and to say what is wrong with the others.
fn read_leniently<T: DeserializeOwned>(bytes: &Bytes) -> Result<T> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::invalid("the request body is not UTF-8"))?;
    let mut text = lenient::quote_bare_numbers(if text.trim().is_empty() { "{}" } else { text });
    if let Ok(inner) = serde_json::from_str::<String>(&text) {
        text = lenient::quote_bare_numbers(&inner);
    }
    let value: serde_json::Value = serde_json::from_str(&text)
        .map_err(|error| Error::invalid(format!("the request body is not valid JSON: {error}")))?;
    if !value.is_object() {
        return Err(Error::invalid("the request body is not a JSON object"));
    }
    traced(&mut serde_json::Deserializer::from_str(&text))
        .map_err(|misfit| refusal(&misfit.path, lenient::value_at(&value, &misfit.path), &misfit.reason))
}

/// Says in MLflow's form that what was sent at `path` does not fit.
fn refusal(path: &str, sent: Option<&serde_json::Value>, reason: &str) -> Error {
    let reason = lenient::without_position(reason);
    Error::invalid(match sent {
        Some(sent) => {
            let sent = truncated(sent.to_string(), 200);
            format!("Invalid value {sent} for parameter '{path}' supplied: {reason}")
        }
        None => format!("Invalid request: {reason}"),
    })
}

/// A JSON answer.
#[derive(Debug)]
pub(crate) struct Reply<T>(pub T);

impl<T: Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(text) => ([(CONTENT_TYPE, "application/json")], text).into_response(),
            Err(error) => {
                let error = Error::internal("an answer could not be written as JSON").with_source(error);
                MlflowFailure(error).into_response()
            }
        }
    }
}

/// `{}`.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Empty {}

/// The answer of a call that answers nothing.
#[expect(clippy::unnecessary_wraps, reason = "it is the last expression of handlers that may fail before")]
pub(crate) fn done() -> Answer<Empty> {
    Ok(Reply(Empty {}))
}
