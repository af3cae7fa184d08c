//! How much one request may bring, whatever the protocol (MLflow 3.18's limits).

use modelry_core::names::check_length;
use modelry_core::{Error, Result};

/// Characters of a param's value; longer ones are cut.
pub(crate) const PARAM_VALUE: usize = 6_000;

/// Characters of a candidate's metadata value; longer ones are cut.
pub(crate) const TAG_VALUE: usize = 8_000;

/// Characters of an experiment's metadata value; longer ones are refused.
pub(crate) const EXPERIMENT_TAG_VALUE: usize = 20_000;

/// Characters of the name of a user that a client says; longer ones are refused.
pub(crate) const USER_ID: usize = 256;

/// Metrics in one batch, and things of all kinds together.
const BATCH: usize = 1_000;

/// Params in one batch, and tags.
const BATCH_TEXTS: usize = 100;

/// Fails when a batch brings too much.
pub(crate) fn check_batch(metrics: usize, params: usize, tags: usize) -> Result<()> {
    let check = |what: &str, count: usize, most: usize| {
        if count <= most {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "A batch logging request can contain at most {most} {what}. Got {count} {what}. Please split up {what} \
             across multiple requests and try again."
        )))
    };
    check("metrics", metrics, BATCH)?;
    check("params", params, BATCH_TEXTS)?;
    check("tags", tags, BATCH_TEXTS)?;
    check("metrics, params, and tags", metrics + params + tags, BATCH)
}

/// Fails when the list `name` of a request is longer than `most`.
pub(crate) fn check_count(name: &str, count: usize, most: usize) -> Result<()> {
    if count <= most {
        return Ok(());
    }
    Err(Error::invalid(format!("'{name}' has {count} elements, at most {most} are allowed in one request")))
}

/// Params, or metadata, of a logged model that one request brings; stock clients send 100 at a time.
pub(crate) const LOGGED_TEXTS: usize = 1_000;

/// Characters of a key of a logged model.
const LOGGED_KEY: usize = 255;

/// Characters of a value of a logged model. Longer ones are refused, not cut: clients keep JSON in tags.
const LOGGED_VALUE: usize = 100_000;

/// Fails when a param or metadata of a logged model has no key, or is too long.
pub(crate) fn check_logged_text(of: &str, key: &str, value: &str) -> Result<()> {
    if key.is_empty() {
        return Err(Error::invalid(format!(
            "Invalid value \"\" for parameter '{of}.key' supplied: a key is not empty"
        )));
    }
    check_length("key", key, LOGGED_KEY)?;
    check_length("value", value, LOGGED_VALUE)
}

/// Fails when an experiment's metadata is too long.
pub(crate) fn check_experiment_tag(key: &str, value: &str) -> Result<()> {
    key.parse::<modelry_core::names::Key>()?;
    check_length("value", value, EXPERIMENT_TAG_VALUE)
}
