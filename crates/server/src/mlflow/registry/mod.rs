//! The protocol's model registry: registered models, their versions, stages, aliases and tags.
//!
//! On the wire a version is its sequence number, because clients count with it. Which version a text asks for is the
//! one resolver's business; see [`modelry_core::version::selector`].

mod aliases;
mod models;
mod search;
mod source;
mod versions;
mod view;

use axum::http::Method;
use modelry_core::Result;
use modelry_core::version::selector::Target;

use super::Calls;
use super::wire::{Pair, required_text};
use crate::registry::{check_all_metadata, check_description, check_metadata};

/// The calls and who may make them.
pub(super) fn routes(calls: Calls) -> Calls {
    let latest = "mlflow/registered-models/get-latest-versions";
    calls
        .write_models(Method::POST, "mlflow/registered-models/create", models::create)
        .write_models(Method::POST, "mlflow/registered-models/rename", models::rename)
        .write_models(Method::PATCH, "mlflow/registered-models/update", models::update)
        .write_models(Method::DELETE, "mlflow/registered-models/delete", models::delete)
        .read_models(Method::GET, "mlflow/registered-models/get", models::get)
        .read_models(Method::GET, "mlflow/registered-models/search", search::models)
        .read_models(Method::POST, latest, versions::latest)
        .read_models(Method::GET, latest, versions::latest)
        .write_models(Method::POST, "mlflow/registered-models/set-tag", models::set_tag)
        .write_models(Method::DELETE, "mlflow/registered-models/delete-tag", models::delete_tag)
        .write_models(Method::POST, "mlflow/registered-models/alias", aliases::set)
        .write_models(Method::DELETE, "mlflow/registered-models/alias", aliases::delete)
        .read_models(Method::GET, "mlflow/registered-models/alias", aliases::get)
        .write_models(Method::POST, "mlflow/model-versions/create", versions::create)
        .write_models(Method::PATCH, "mlflow/model-versions/update", versions::update)
        .write_models(Method::POST, "mlflow/model-versions/transition-stage", versions::transition)
        .write_models(Method::DELETE, "mlflow/model-versions/delete", versions::delete)
        .read_models(Method::GET, "mlflow/model-versions/get", versions::get)
        .read_models(Method::GET, "mlflow/model-versions/search", search::versions)
        .read_models(Method::GET, "mlflow/model-versions/get-download-uri", versions::download_uri)
        .write_models(Method::POST, "mlflow/model-versions/set-tag", versions::set_tag)
        .write_models(Method::DELETE, "mlflow/model-versions/delete-tag", versions::delete_tag)
}

/// The tags of a new model or version, each key once.
fn read_tags(tags: Option<Vec<Pair>>) -> Result<Vec<(String, String)>> {
    let tags =
        tags.into_iter().flatten().map(|tag| read_tag(tag.key, tag.value)).collect::<Result<Vec<_>>>()?;
    check_all_metadata(&tags)?;
    Ok(tags)
}

fn read_tag(key: Option<String>, value: Option<String>) -> Result<(String, String)> {
    let (key, value) = (required_text(key, "key")?, value.unwrap_or_default());
    check_metadata(&key, &value)?;
    Ok((key, value))
}

fn read_description(description: Option<String>) -> Result<String> {
    let description = description.unwrap_or_default();
    check_description(&description)?;
    Ok(description)
}

/// The version that a write names.
fn read_target(version: Option<String>) -> Result<Target> {
    required_text(version, "version")?.parse()
}
