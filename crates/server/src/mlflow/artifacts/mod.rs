//! The protocol's calls on artifacts: the proxy that Python clients transfer files through, and the calls by run and by
//! logged model that pages and other clients use.

mod address;
mod by_owner;
mod listing;
mod multipart;
mod proxy;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use modelry_core::artifact_path::ArtifactPath;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::files::{self, Found};
use serde::de::DeserializeOwned;

pub(super) use self::address::locate;

use self::address::Place;
use super::Calls;
use crate::App;
use crate::error::MlflowFailure;
use crate::extract::read_query;

/// The calls and who may make them.
pub(super) fn routes(calls: Calls) -> Calls {
    multipart::routes(by_owner::routes(proxy::routes(calls)))
}

/// The path of an artifact at the end of a URL, percent-decoded once.
struct At(ArtifactPath);

impl FromRequestParts<App> for At {
    type Rejection = MlflowFailure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let params = RawPathParams::from_request_parts(parts, app)
            .await
            .map_err(|_| Error::invalid("Invalid path: it is not UTF-8"))?;
        let path = params.iter().find(|(name, _)| *name == "path").map_or("", |(_, value)| value);
        Ok(Self(path.parse()?))
    }
}

/// A query string, where the body is a file.
struct Params<T>(T);

impl<T: DeserializeOwned> FromRequestParts<App> for Params<T> {
    type Rejection = MlflowFailure;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Self::Rejection> {
        Ok(Self(read_query(parts.uri.query().unwrap_or_default())?))
    }
}

/// The file at `place`, which a client asked for as `path`. Fails with `NotFound`, for a directory with `Invalid`.
fn fetch(tx: &mut Tx<'_>, place: &Place, path: &ArtifactPath) -> Result<Found> {
    let Some(below) = &place.path else {
        return Err(is_directory(path));
    };
    match files::find(tx, place.tree, below)? {
        Some(file) => Ok(file),
        None if files::is_directory(tx, place.tree, below)? => Err(is_directory(path)),
        None => Err(Error::not_found(format!("No such artifact: '{path}'"))),
    }
}

fn is_directory(path: &ArtifactPath) -> Error {
    Error::invalid(format!("'{path}' is a directory: download its files one by one"))
}
