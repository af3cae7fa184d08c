//! MLflow's JSON: protobuf messages as its server reads and writes them.
//!
//! Reading is generous where stock clients are (numbers as strings, camelCase names, raw `NaN`) and strict otherwise: what
//! does not fit is a 400 that names the parameter.

use std::fmt;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use modelry_core::{Error, Result};
use serde::de::{DeserializeOwned, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::App;
use crate::error::MlflowFailure;
use crate::extract::{read_body, read_query, require_json};

use super::lenient;

/// What a handler of the protocol answers.
pub type Answer<T> = Result<Reply<T>, MlflowFailure>;

/// A message of the protocol in a request: from the query of a GET, else from the JSON body.
pub struct Message<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Message<T> {
    type Rejection = MlflowFailure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Self::Rejection> {
        if matches!(*request.method(), Method::GET | Method::HEAD) {
            return Ok(Self(read_query(request.uri().query().unwrap_or_default())?));
        }
        require_json(request.headers())?;
        let bytes = read_body(request, app).await?;
        Ok(Self(read_message(&bytes)?))
    }
}

/// Reads a message from JSON.
///
/// Fails with MLflow's `Invalid value ... for parameter ...` when a field does not fit.
pub fn read_message<T: DeserializeOwned>(bytes: &Bytes) -> Result<T> {
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
    let deserializer = &mut serde_json::Deserializer::from_str(&text);
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        let found = lenient::value_at(&value, &path);
        let reason = lenient::without_position(&error.into_inner().to_string());
        Error::invalid(match found {
            Some(found) => format!("Invalid value {found} for parameter '{path}' supplied: {reason}"),
            None => format!("Invalid request: {reason}"),
        })
    })
}

/// A JSON answer.
#[derive(Debug)]
pub struct Reply<T>(pub T);

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
pub struct Empty {}

/// The answer of a call that answers nothing.
pub fn done() -> Answer<Empty> {
    Ok(Reply(Empty {}))
}

/// The value of a parameter that must be sent.
pub fn required<T>(value: Option<T>, name: &str) -> Result<T> {
    value.ok_or_else(|| {
        Error::invalid(format!(
            "Missing value for required parameter '{name}'. See the API docs for more information about request \
             parameters."
        ))
    })
}

/// As [`required`], for texts that must not be empty either.
pub fn required_text(value: Option<String>, name: &str) -> Result<String> {
    required(value.filter(|text| !text.is_empty()), name)
}

/// The run that a request names, as `run_id` or by the older name `run_uuid`.
pub fn required_run(run_id: Option<String>, run_uuid: Option<String>) -> Result<modelry_core::ids::Eid> {
    let id = run_id.filter(|id| !id.is_empty()).or(run_uuid);
    required_text(id, "run_id")?.parse()
}

/// An experiment's number, as the text that MLflow makes of it.
pub fn experiment_id(text: &str) -> Result<modelry_core::ids::ExperimentId> {
    text.parse().map(modelry_core::ids::ExperimentId).map_err(|_| {
        Error::invalid(format!("Invalid experiment ID: '{text}'. An experiment ID is an integer, as text"))
    })
}

/// A protobuf int64: a JSON number, or a text that holds one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Int64(pub i64);

impl<'de> Deserialize<'de> for Int64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Int64Visitor)
    }
}

struct Int64Visitor;

impl Visitor<'_> for Int64Visitor {
    type Value = Int64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a 64-bit integer")
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Int64, E> {
        Ok(Int64(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Int64, E> {
        i64::try_from(value).map(Int64).map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::float_cmp,
        reason = "only what survives the trip is taken"
    )]
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Int64, E> {
        let integral = value.trunc() == value && value.abs() < 9_007_199_254_740_992.0;
        if integral {
            Ok(Int64(value as i64))
        } else {
            Err(E::invalid_value(Unexpected::Float(value), &self))
        }
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Int64, E> {
        text.trim().parse().map(Int64).map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// A protobuf double: a JSON number, or a text that holds one, `NaN`, `Infinity` or `-Infinity`. Written as a number, or
/// as the text `NaN`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Double(pub f64);

impl<'de> Deserialize<'de> for Double {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DoubleVisitor)
    }
}

impl Serialize for Double {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_nan() { serializer.serialize_str("NaN") } else { serializer.serialize_f64(self.0) }
    }
}

struct DoubleVisitor;

impl Visitor<'_> for DoubleVisitor {
    type Value = Double;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E>(self, value: f64) -> Result<Double, E> {
        Ok(Double(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "a JSON integer for a double is the nearest double")]
    fn visit_i64<E>(self, value: i64) -> Result<Double, E> {
        Ok(Double(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "a JSON integer for a double is the nearest double")]
    fn visit_u64<E>(self, value: u64) -> Result<Double, E> {
        Ok(Double(value as f64))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Double, E> {
        Ok(Double(f64::from(u8::from(value))))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Double, E> {
        text.trim().parse().map(Double).map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// A protobuf enum: its name or its number.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
pub enum EnumValue {
    /// Its number.
    Number(i64),
    /// Its name, or its number as text.
    Name(String),
}

impl EnumValue {
    /// The value that is meant, by number or name.
    pub fn read<T>(
        &self,
        from_number: impl Fn(i64) -> Result<T>,
        from_name: impl Fn(&str) -> Result<T>,
    ) -> Result<T> {
        match self {
            Self::Number(number) => from_number(*number),
            Self::Name(name) => match name.parse() {
                Ok(number) => from_number(number),
                Err(_) => from_name(name),
            },
        }
    }
}

/// A key and a text: a param, tag or metadata value.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Pair {
    /// The key.
    pub key: Option<String>,
    /// The text.
    pub value: Option<String>,
}

impl Pair {
    /// The key and the text, both of which must be there; `of` names the list in the message.
    pub fn read(self, of: &str) -> Result<(String, String)> {
        Ok((required(self.key, &format!("{of}.key"))?, required(self.value, &format!("{of}.value"))?))
    }
}

/// A key and a text, as answered.
#[derive(Clone, Debug, Serialize)]
pub struct KeyValue<'a> {
    /// The key.
    pub key: &'a str,
    /// The text.
    pub value: &'a str,
}

/// Which things a listing shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ViewType {
    /// Those that are not in the bin.
    #[default]
    ActiveOnly,
    /// Those in the bin.
    DeletedOnly,
    /// All.
    All,
}

impl ViewType {
    /// The view that a request asks for; active ones when it does not say.
    pub fn read(value: Option<&EnumValue>) -> Result<Self> {
        let Some(value) = value else { return Ok(Self::default()) };
        let unknown = || {
            Error::invalid(
                "Invalid value for parameter 'view_type' supplied: it is ACTIVE_ONLY, DELETED_ONLY or ALL",
            )
        };
        value.read(
            |number| match number {
                1 => Ok(Self::ActiveOnly),
                2 => Ok(Self::DeletedOnly),
                3 => Ok(Self::All),
                _ => Err(unknown()),
            },
            |name| match name {
                "ACTIVE_ONLY" => Ok(Self::ActiveOnly),
                "DELETED_ONLY" => Ok(Self::DeletedOnly),
                "ALL" => Ok(Self::All),
                _ => Err(unknown()),
            },
        )
    }
}

/// Cuts a text at `max` characters, as MLflow does silently with long values.
pub fn truncated(mut text: String, max: usize) -> String {
    if text.len() > max
        && let Some((end, _)) = text.char_indices().nth(max)
    {
        text.truncate(end);
    }
    text
}

/// The number of results asked for, between 1 and `max`.
pub fn max_results(asked: Option<Int64>, default: usize, max: usize) -> Result<usize> {
    let Some(Int64(asked)) = asked else { return Ok(default) };
    match usize::try_from(asked) {
        Ok(asked) if (1..=max).contains(&asked) => Ok(asked),
        _ => Err(Error::invalid(format!(
            "Invalid value {asked} for parameter 'max_results' supplied: It must be a positive integer, at most {max}"
        ))),
    }
}
