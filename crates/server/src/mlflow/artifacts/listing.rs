//! Listings of a directory as the protocol answers them.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use modelry_core::artifact_path::ArtifactPath;
use modelry_core::paging::{decode_token, encode_token};
use modelry_core::{Error, Result};
use modelry_store::files::{self, Entry, Listing, Position};
use serde::Serialize;

use super::address::Place;
use crate::App;

/// Names that are read, and written, at a time.
const PAGE: usize = 1_000;

/// MLflow's `FileInfo`.
#[derive(Debug, Serialize)]
pub(super) struct FileInfo {
    path: String,
    is_dir: bool,
    /// Left out where it is 0, and for directories.
    #[serde(skip_serializing_if = "Option::is_none")]
    file_size: Option<u64>,
}

impl FileInfo {
    /// The name `entry` in `dir`; without one, its path is the name alone.
    fn new(entry: Entry, dir: Option<&ArtifactPath>) -> Self {
        let path = |name: String| match dir {
            Some(dir) => format!("{dir}/{name}"),
            None => name,
        };
        match entry {
            Entry::Directory(name) => Self { path: path(name), is_dir: true, file_size: None },
            Entry::File(file) => {
                let file_size = Some(file.size_bytes).filter(|size| *size > 0);
                Self { path: path(file.path), is_dir: false, file_size }
            }
        }
    }
}

/// A page of a directory of one owner.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    root_uri: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<FileInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

/// Lists the directory at `place`, of the owner whose files are at `root_uri`, from where `token` says.
pub(super) async fn page(app: &App, place: Place, root_uri: String, token: Option<&str>) -> Result<Page> {
    let token = token.filter(|token| !token.is_empty());
    let start = token.map(decode_token::<String>).transpose()?.map(Position::new);
    let dir = place.path.clone();
    let listing = read(app, place, start).await?;
    Ok(Page {
        root_uri,
        files: listing.entries.into_iter().map(|entry| FileInfo::new(entry, dir.as_ref())).collect(),
        next_page_token: listing.next.map(|next| encode_token(&next.as_str())),
    })
}

/// Answers with all names in the directory at `place`.
///
/// The call knows no pages, so a large directory is sent while it is read. It is then no snapshot: what is written
/// meanwhile may or may not be in it.
pub(super) async fn whole(app: &App, place: Place) -> Result<Response> {
    let first = read(app, place.clone(), None).await?;
    let json = [(CONTENT_TYPE, "application/json")];
    if first.entries.is_empty() {
        return Ok((json, "{}").into_response());
    }
    let Some(next) = first.next.clone() else {
        let text = [b"{\"files\":".as_slice(), &names(first)?, b"}"].concat();
        return Ok((json, text).into_response());
    };
    let opening = [b"{\"files\":[".as_slice(), inner(&names(first)?)].concat();
    let body = stream::once(async { Ok(opening.into()) })
        .chain(rest(app.clone(), place, next))
        .chain(stream::once(async { Ok(Bytes::from_static(b"]}")) }))
        // The status is sent by then: the log is the only place that can tell.
        .inspect_err(|error: &Error| tracing::error!(%error, "a listing broke off"));
    Ok((json, Body::from_stream(body)).into_response())
}

/// The names from `start` on as JSON, page by page, each after a comma.
fn rest(app: App, place: Place, start: Position) -> impl Stream<Item = Result<Bytes>> {
    stream::try_unfold(Some(start), move |start| {
        let (app, place) = (app.clone(), place.clone());
        async move {
            let Some(start) = start else { return Ok(None) };
            let listing = read(&app, place, Some(start)).await?;
            let next = listing.next.clone();
            if listing.entries.is_empty() {
                return Ok(Some((Bytes::new(), next)));
            }
            let text = [b",", inner(&names(listing)?)].concat();
            Ok(Some((Bytes::from(text), next)))
        }
    })
}

async fn read(app: &App, place: Place, start: Option<Position>) -> Result<Listing> {
    app.db.read(move |tx| files::list_dir(tx, place.tree, place.path.as_ref(), start.as_ref(), PAGE)).await
}

/// The names of a page as a JSON array.
fn names(listing: Listing) -> Result<Vec<u8>> {
    let files: Vec<FileInfo> = listing.entries.into_iter().map(|entry| FileInfo::new(entry, None)).collect();
    serde_json::to_vec(&files).map_err(|error| Error::internal("a listing is no JSON").with_source(error))
}

/// What stands between the brackets of a JSON array.
fn inner(array: &[u8]) -> &[u8] {
    &array[1..array.len() - 1]
}
