//! Fields of messages: what must be there, what form it has, and MLflow's words where it has not.

use modelry_core::ids::{Eid, ExperimentId};
use modelry_core::{Error, Result};
use serde::Deserialize;

use super::scalar::{EnumValue, Int64};
use crate::tracking::truncated;

/// The value of a parameter that must be sent.
pub(crate) fn required<T>(value: Option<T>, name: &str) -> Result<T> {
    value.ok_or_else(|| missing(name))
}

/// As [`required`], for texts that must not be empty either.
pub(crate) fn required_text(value: Option<String>, name: &str) -> Result<String> {
    required(value.filter(|text| !text.is_empty()), name)
}

/// MLflow's words for a parameter that is not there.
pub(crate) fn missing(name: &str) -> Error {
    Error::invalid(format!(
        "Missing value for required parameter '{name}'. See the API docs for more information about request \
         parameters."
    ))
}

/// The run that a request names, as `run_id` or by the older name `run_uuid`.
///
/// What cannot be the id of any run is `NotFound`, as an id that no run has.
pub(crate) fn required_run(run_id: Option<String>, run_uuid: Option<String>) -> Result<Eid> {
    let text = required_run_text(run_id, run_uuid)?;
    text.parse().map_err(|_| Error::not_found(format!("Run with id={} not found", truncated(text, 256))))
}

/// As [`required_run`], not read.
pub(crate) fn required_run_text(run_id: Option<String>, run_uuid: Option<String>) -> Result<String> {
    required_text(run_id.filter(|id| !id.is_empty()).or(run_uuid), "run_id")
}

/// An experiment's number, as the text that MLflow makes of it.
pub(crate) fn experiment_id(text: &str) -> Result<ExperimentId> {
    let number = text.parse().map(ExperimentId);
    number.map_err(|_| {
        let text = truncated(text.to_owned(), 256);
        Error::invalid(format!("Invalid experiment ID: '{text}'. Experiment ID must be a valid integer."))
    })
}

/// A key and a text: a param, tag or metadata value.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Pair {
    /// The key.
    pub key: Option<String>,
    /// The text.
    pub value: Option<String>,
}

impl Pair {
    /// The key and the text, both of which must be there; `of` names the list in the message.
    pub(crate) fn read(self, of: &str) -> Result<(String, String)> {
        Ok((required(self.key, &format!("{of}.key"))?, required(self.value, &format!("{of}.value"))?))
    }
}

/// Which things a listing shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ViewType {
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
    pub(crate) fn read(value: Option<&EnumValue>) -> Result<Self> {
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

/// The number of results asked for, between 1 and `max`.
pub(crate) fn max_results(asked: Option<Int64>, default: usize, max: usize) -> Result<usize> {
    let Some(Int64(asked)) = asked else { return Ok(default) };
    match usize::try_from(asked) {
        Ok(asked) if (1..=max).contains(&asked) => Ok(asked),
        _ => Err(Error::invalid(format!(
            "Invalid value {asked} for parameter 'max_results' supplied: It must be a positive integer, at most {max}"
        ))),
    }
}
