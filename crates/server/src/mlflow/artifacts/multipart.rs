//! Multipart uploads: a client is given an address for each part of a large file, and sends them side by side.

use axum::extract::{Request, State};
use axum::http::header::ETAG;
use axum::http::{HeaderMap, Method};
use modelry_core::artifact_path::ArtifactPath;
use modelry_core::policy::Doing;
use modelry_core::{Error, Result};
use serde::{Deserialize, Serialize};

use super::super::wire::{Answer, Empty, Message, Reply, done, required_text};
use super::super::{Calls, PREFIX};
use super::At;
use super::proxy::place_of;
use crate::App;
use crate::access::Granted;
use crate::error::MlflowFailure;
use crate::extract::{Path, base_url};
use crate::table::Guard;
use crate::transfer::Incoming;
use crate::uploads::{self, MOST_PARTS};

/// Where parts are sent to. A client sends no token there: the secret in the address lets them in.
const PARTS: &str = "api/2.0/mlflow-artifacts/mpu/parts";

/// The calls and who may make them.
pub(super) fn routes(calls: Calls) -> Calls {
    let mut calls = calls
        .artifact(Method::POST, "mlflow-artifacts/mpu/create/{*path}", Doing::Writing, create)
        .artifact(Method::POST, "mlflow-artifacts/mpu/complete/{*path}", Doing::Writing, complete)
        .artifact(Method::POST, "mlflow-artifacts/mpu/abort/{*path}", Doing::Writing, abort);
    let part = format!("{PREFIX}/{PARTS}/{{upload}}/{{number}}/{{secret}}");
    calls.0 = calls.0.route(Method::PUT, &part, Guard::Public, put_part);
    calls
}

#[derive(Deserialize)]
struct Create {
    path: Option<String>,
    num_parts: Option<i64>,
}

/// An address for a part.
#[derive(Serialize)]
struct Credential {
    url: String,
    part_number: i64,
    headers: Empty,
}

#[derive(Serialize)]
struct Created {
    upload_id: String,
    credentials: Vec<Credential>,
}

/// The file that is meant: clients send its directory in the URL, and its name, or its whole local path, in the body.
fn file_in(dir: &ArtifactPath, path: Option<String>) -> Result<ArtifactPath> {
    let path = required_text(path, "path")?;
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    dir.join(&name.parse()?)
}

async fn create(
    State(app): State<App>,
    granted: Granted,
    headers: HeaderMap,
    At(dir): At,
    Message(body): Message<Create>,
) -> Answer<Created> {
    let path = file_in(&dir, body.path)?;
    let count = body.num_parts.unwrap_or(1);
    if !(1..=MOST_PARTS).contains(&count) {
        return Err(Error::invalid(format!("'num_parts' is {count}: it has to be 1 to {MOST_PARTS}")).into());
    }
    let project = granted.project();
    let place = place_of(project, path.clone());
    let (upload_id, secret) = uploads::begin_parts(&app, &granted, &path, place).await?;
    let base = PREFIX.replace("{project}", &project.to_string());
    let base = format!("{}{base}/{PARTS}/{upload_id}", base_url(&app, &headers));
    let credential = |part_number| Credential {
        url: format!("{base}/{part_number}/{secret}"),
        part_number,
        headers: Empty {},
    };
    Ok(Reply(Created { credentials: (1..=count).map(credential).collect(), upload_id }))
}

/// The upload that an address of a part names.
#[derive(Deserialize)]
struct PartPath {
    project: String,
    upload: String,
    number: String,
    secret: String,
}

async fn put_part(
    State(app): State<App>,
    Path(at): Path<PartPath>,
    request: Request,
) -> Result<HeaderMap, MlflowFailure> {
    let unknown = || Error::not_found("there is no such upload: it is finished, or was given up");
    let project = modelry_core::ids::ProjectId(at.project.parse().map_err(|_| unknown())?);
    let number = at.number.parse().map_err(|_| unknown())?;
    let (parts, body) = request.into_parts();
    let bytes = Incoming::new(&parts.headers, body);
    let sha256 = uploads::add_part(&app, project, at.upload, (number, &at.secret), bytes).await?;
    let etag = format!("\"{sha256}\"").parse().expect("hex digits are a header");
    Ok(HeaderMap::from_iter([(ETAG, etag)]))
}

#[derive(Deserialize)]
struct Part {
    part_number: i64,
    etag: String,
}

#[derive(Deserialize)]
struct Complete {
    path: Option<String>,
    upload_id: Option<String>,
    #[serde(default)]
    parts: Vec<Part>,
}

async fn complete(
    State(app): State<App>,
    granted: Granted,
    At(dir): At,
    Message(body): Message<Complete>,
) -> Answer<Empty> {
    let path = file_in(&dir, body.path)?;
    let id = required_text(body.upload_id, "upload_id")?;
    let parts = body.parts.into_iter().map(|part| (part.part_number, part.etag)).collect();
    let place = place_of(granted.project(), path.clone());
    uploads::complete(&app, &granted, id, &path, (parts, place)).await?;
    done()
}

#[derive(Deserialize)]
struct Abort {
    path: Option<String>,
    upload_id: Option<String>,
}

async fn abort(
    State(app): State<App>,
    granted: Granted,
    At(dir): At,
    Message(body): Message<Abort>,
) -> Answer<Empty> {
    let path = file_in(&dir, body.path)?;
    let id = required_text(body.upload_id, "upload_id")?;
    uploads::give_up_parts(&app, &granted, id, &path).await?;
    done()
}
