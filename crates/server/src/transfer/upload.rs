//! Uploads: bytes first, then the row that makes them a file.

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE};
use modelry_blob::Written;
use modelry_blob::too_large;
use modelry_core::artifact_path::ArtifactPath;
use modelry_core::ids::BlobId;
use modelry_core::store_key::StoreKey;
use modelry_core::{Error, Kind, Result};
use modelry_db::Tx;
use modelry_store::blobs::{self, NewBlob, Stored, Whereabouts};
use modelry_store::files::{self, File, Found, NewFile, Tree};
use modelry_store::ids::Series;

use super::digests::Announced;
use super::incoming::Incoming;
use crate::{App, facts};

/// A file on its way in.
pub struct Upload {
    announced: Announced,
    length: Option<u64>,
    body: Incoming,
}

impl Upload {
    /// Reads the headers; the body stays where it is.
    ///
    /// Fails with `Invalid` when a digest is malformed, and when the body is encoded or a part of a file.
    pub fn from_request(request: Request) -> Result<Self> {
        let (parts, body) = request.into_parts();
        let headers = &parts.headers;
        let body = Incoming::new(headers, body);
        if headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
            return Err(Error::invalid("a file is sent as it is, without a Content-Encoding"));
        }
        if headers.contains_key(CONTENT_RANGE) {
            return Err(Error::invalid("a file is sent as a whole, without a Content-Range"));
        }
        let announced = Announced::from_headers(headers)?;
        let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        Ok(Self { announced, length, body })
    }
}

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = crate::error::MlflowFailure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::from_request(request)?)
    }
}

/// Where an upload is to be kept: says so inside the transaction that writes the row, so what it checks holds then.
pub type PlaceOf = Arc<dyn Fn(&mut Tx<'_>) -> Result<(Tree, ArtifactPath)> + Send + Sync>;

/// Takes an upload of at most `limit_bytes` and makes it the file that `place` names, replacing one that is there.
///
/// The file is visible when this returns `Ok`, and durable; after any failure nothing of it is visible.
pub async fn store(app: &App, upload: Upload, limit_bytes: u64, place: PlaceOf) -> Result<Written> {
    if upload.length.is_some_and(|length| length > limit_bytes) {
        return Err(too_large(limit_bytes));
    }
    // Asked once before the bytes are taken, so that nobody sends gigabytes to nowhere.
    let asked = place.clone();
    app.db.read(move |tx| check(tx, &asked)).await?;
    let store_key = StoreKey::new(app.random.bytes());
    let written = app.blobs.write(&store_key, upload.body, limit_bytes).await?;
    let checked = upload.announced.verify(written.sha256);
    // A client that goes now stops nothing any more: whether there is a row decides what becomes of the bytes, so
    // somebody has to wait for the answer.
    let kept = tokio::spawn(keep(app.clone(), (store_key, written.clone()), checked, place)).await;
    kept.map_err(|error| Error::internal("storing a file was cut off").with_source(error))??;
    Ok(written)
}

/// Fails where no file can be kept.
pub(crate) fn check(tx: &mut Tx<'_>, place: &PlaceOf) -> Result<()> {
    let (tree, path) = place(tx)?;
    files::check_path(tx, tree, &path)
}

/// Gives durable bytes a row and the file its blob, or, where they were `checked` in vain, neither; removes the bytes where
/// they are not needed.
pub(crate) async fn keep(
    app: App,
    (store_key, written): (StoreKey, Written),
    checked: Result<()>,
    place: PlaceOf,
) -> Result<()> {
    let stored = match checked {
        Ok(()) => insert_with_facts(&app, store_key.clone(), written, place).await,
        Err(error) => Err(error),
    };
    let is_needed = match &stored {
        Ok(Stored::Inserted(_)) => true,
        Ok(Stored::Shared(_)) => false,
        // Whether a commit took place may be unknown. Bytes without a row are swept away later.
        Err(error) => matches!(error.kind(), Kind::Unavailable | Kind::Internal),
    };
    if !is_needed {
        remove(&app, &store_key).await;
    }
    stored.map(drop)
}

/// Removes bytes that have no row.
pub(crate) async fn remove(app: &App, store_key: &StoreKey) {
    if let Err(error) = app.blobs.delete(store_key).await {
        tracing::warn!(%error, %store_key, "could not remove bytes that are not needed; the sweep will");
    }
}

async fn insert_with_facts(
    app: &App,
    store_key: StoreKey,
    written: Written,
    place: PlaceOf,
) -> Result<Stored> {
    let id = BlobId(app.ids.next_global(Series::Blob).await?);
    let Written { sha256, checksums, size_bytes } = written;
    let created_at = app.clock.now();
    let blob = NewBlob { id, sha256, checksums, size_bytes, store_key, created_at };
    let (stored, file) = app.db.write(move |tx| insert(tx, &blob, &place)).await?;
    facts::note(app, file).await;
    Ok(stored)
}

fn insert(tx: &mut Tx<'_>, blob: &NewBlob, place: &PlaceOf) -> Result<(Stored, Found)> {
    let (tree, path) = place(tx)?;
    let stored = blobs::insert_or_share(tx, blob)?;
    let file = File { path: path.to_string(), size_bytes: blob.size_bytes, modified_at: blob.created_at };
    let new = NewFile { path, blob: stored.id(), size_bytes: blob.size_bytes, modified_at: blob.created_at };
    files::put(tx, tree, &new)?;
    let bytes = Whereabouts::sound(blob.store_key.clone());
    let found = Found { file, blob: stored.id(), sha256: Some(blob.sha256), bytes };
    Ok((stored, found))
}
