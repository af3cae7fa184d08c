//! Uploads in parts, which arrive in any order, from several connections, without a token: whoever began the upload was
//! given an address for each.

use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use modelry_core::artifact_path::ArtifactPath;
use modelry_core::digest::Sha256;
use modelry_core::ids::ProjectId;
use modelry_core::store_key::StoreKey;
use modelry_core::{Error, Result};
use modelry_store::uploads::{self, Part, Upload};

use super::done_with;
use crate::access::Granted;
use crate::transfer::{self, Incoming, PlaceOf};
use crate::{App, secrets};

/// How many parts an upload has at most.
pub const MOST_PARTS: i64 = 10_000;

/// Parts that are read, and held, at a time.
const PAGE: i64 = 500;

/// Begins an upload in parts of the file at `path`. Answers its id and the secret that lets parts in.
pub async fn begin_parts(
    app: &App,
    granted: &Granted,
    path: &ArtifactPath,
    place: PlaceOf,
) -> Result<(String, String)> {
    let project = granted.project();
    let secret = secrets::new_secret(&app.random);
    let new = Upload {
        id: app.new_eid().to_string(),
        user: granted.access.user(),
        target: String::new(),
        path: path.to_string(),
        size_bytes: None,
        sha256: None,
        store_key: None,
        received_bytes: 0,
        secret: Some(secrets::hash(&secret)),
        is_done: false,
        created_at: app.clock.now(),
    };
    let id = new.id.clone();
    app.db
        .write(move |tx| {
            transfer::check(tx, &place)?;
            uploads::insert(tx, project, &new)
        })
        .await?;
    Ok((id, secret))
}

/// Takes a part, from whoever knows the secret; one of the same number is replaced. Answers its digest.
pub async fn add_part(
    app: &App,
    project: ProjectId,
    id: String,
    (number, secret): (i64, &str),
    bytes: Incoming,
) -> Result<Sha256> {
    let hash = secrets::hash(secret);
    let unknown = || Error::not_found("there is no such upload: it is finished, or was given up");
    let asked = id.clone();
    let upload = app.db.read(move |tx| uploads::find(tx, project, &asked)).await?;
    if upload.is_none_or(|upload| upload.secret != Some(hash)) {
        return Err(unknown());
    }
    if !(1..=MOST_PARTS).contains(&number) {
        return Err(Error::invalid(format!("the part number is {number}: it has to be 1 to {MOST_PARTS}")));
    }
    let store_key = StoreKey::new(app.random.bytes());
    let written = app.blobs.write(&store_key, bytes, app.settings.limits.file_bytes).await?;
    let (size_bytes, sha256) = (written.size_bytes, written.sha256);
    let part = Part { number, store_key: store_key.clone(), size_bytes, sha256 };
    let app = app.clone();
    // A client that goes now stops nothing any more: the bytes are noted, or removed.
    let noted = tokio::spawn(async move {
        let now = app.clock.now();
        let (exists, replaced) =
            app.db.write(move |tx| uploads::put_part(tx, project, &id, &part, now)).await?;
        let needless = if exists { replaced } else { Some(store_key) };
        if let Some(needless) = needless {
            transfer::remove(&app, &needless).await;
        }
        if exists { Ok(sha256) } else { Err(unknown()) }
    });
    noted.await.map_err(|error| Error::internal("storing a part was cut off").with_source(error))?
}

/// Makes the file of the parts that are named, each by number and digest, in their order.
pub async fn complete(
    app: &App,
    granted: &Granted,
    id: String,
    path: &ArtifactPath,
    (named, place): (Vec<(i64, String)>, PlaceOf),
) -> Result<()> {
    let project = granted.project();
    let upload = find(app, granted, id, path).await?;
    // One at a time, and to its end, even if the client does not wait for it.
    let app = app.clone();
    let task = tokio::spawn(async move {
        let _held = app.turns.take(&upload.id).await;
        join(&app, project, &upload, &named, place).await
    });
    task.await.map_err(|error| Error::internal("joining an upload was cut off").with_source(error))?
}

async fn join(
    app: &App,
    project: ProjectId,
    upload: &Upload,
    named: &[(i64, String)],
    place: PlaceOf,
) -> Result<()> {
    let id = upload.id.clone();
    let still = app.db.read(move |tx| uploads::find(tx, project, &id)).await?;
    if still.is_some_and(|upload| upload.is_done) {
        return Ok(());
    }
    let parts = parts_of(app, project, &upload.id).await?;
    check(&parts, named)?;
    let store_key = StoreKey::new(app.random.bytes());
    let bytes = concatenated(app.clone(), parts.clone());
    let written = app.blobs.write(&store_key, bytes, app.settings.limits.file_bytes).await?;
    let place = done_with(app, project, upload, written.size_bytes, place);
    transfer::keep(app.clone(), (store_key, written), Ok(()), place).await?;
    remove_all(app, &upload.id, &parts).await;
    Ok(())
}

/// Gives an upload in parts up, and removes its bytes. One that is done stays so.
pub async fn give_up_parts(app: &App, granted: &Granted, id: String, path: &ArtifactPath) -> Result<()> {
    let project = granted.project();
    let upload = find(app, granted, id, path).await?;
    if upload.is_done {
        return Ok(());
    }
    let _held = app.turns.take(&upload.id).await;
    let parts = parts_of(app, project, &upload.id).await?;
    let id = upload.id.clone();
    app.db.write(move |tx| uploads::delete(tx, project, &id)).await?;
    remove_all(app, &upload.id, &parts).await;
    Ok(())
}

async fn remove_all(app: &App, id: &str, parts: &[Part]) {
    for part in parts {
        transfer::remove(app, &part.store_key).await;
    }
    app.turns.forget(id);
}

async fn find(app: &App, granted: &Granted, id: String, path: &ArtifactPath) -> Result<Upload> {
    let upload = super::find(app, (granted.project(), granted.access.user()), id).await?;
    if upload.secret.is_none() || upload.path != path.as_str() {
        return Err(Error::not_found(format!("there is no upload {} in parts of {path}", upload.id)));
    }
    Ok(upload)
}

async fn parts_of(app: &App, project: ProjectId, id: &str) -> Result<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    loop {
        let (id, after) = (id.to_owned(), parts.last().map_or(0, |part| part.number));
        let page = app.db.read(move |tx| uploads::list_parts(tx, project, &id, after, PAGE)).await?;
        if page.is_empty() {
            return Ok(parts);
        }
        parts.extend(page);
    }
}

/// Fails unless the parts that are named are those that are there, from 1 on.
fn check(parts: &[Part], named: &[(i64, String)]) -> Result<()> {
    let is_whole = !parts.is_empty() && parts.iter().zip(1..).all(|(part, number)| part.number == number);
    if !is_whole || parts.len() != named.len() {
        return Err(Error::invalid(format!(
            "{} parts are named, and {} have arrived: a file is made of all of them, from 1 on, without a gap",
            named.len(),
            parts.len()
        )));
    }
    for (number, etag) in named {
        let at = number.checked_sub(1).and_then(|at| usize::try_from(at).ok());
        let part = at.and_then(|at| parts.get(at));
        let part = part.ok_or_else(|| Error::invalid(format!("part {number} has not arrived")))?;
        if etag.trim_matches('"') != part.sha256.to_string() {
            return Err(Error::invalid(format!("part {number} has the ETag {}, not {etag}", part.sha256)));
        }
    }
    Ok(())
}

fn concatenated(app: App, parts: Vec<Part>) -> impl Stream<Item = Result<bytes::Bytes>> + Send {
    stream::iter(parts)
        .then(move |part| {
            let app = app.clone();
            async move { app.blobs.read(&part.store_key, 0..part.size_bytes, None).await }
        })
        .try_flatten()
}
