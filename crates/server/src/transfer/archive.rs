//! All files of a tree in one stream, and what they are.

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use modelry_core::artifact_path::ArtifactPath;
use modelry_core::digest::Sha256;
use modelry_core::{Error, Result};
use modelry_store::files::{self, ManifestEntry, Tree};
use sha2::{Digest as _, Sha256 as Hasher};

use crate::App;

/// Files that are read, and held, at a time.
const PAGE: i64 = 1_000;

/// What a tar archive is made of: everything in it is a multiple of this long.
const RECORD: u64 = 512;

/// What ends a tar archive.
static END: [u8; 1_024] = [0; 1_024];

/// What a tree has below a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// How many files.
    pub files: u64,
    /// How many bytes they have together.
    pub size_bytes: u64,
    /// How long [`tar`] is.
    tar_bytes: u64,
    /// The digest of the manifest: of a line `<sha256>  <size>  <path>` for each file, in the order of paths.
    pub manifest_sha256: Sha256,
}

/// Counts what `tree` has below `dir`.
///
/// Fails with `Conflict` while the digest of a file is not known yet.
pub async fn contents(app: &App, tree: Tree, dir: Option<ArtifactPath>) -> Result<Contents> {
    let mut manifest = Hasher::new();
    let (mut count, mut size_bytes, mut tar_bytes) = (0, 0, END.len() as u64);
    let mut entries = std::pin::pin!(entries(app.clone(), tree, dir));
    while let Some(entry) = entries.try_next().await? {
        let sha256 = entry.sha256.ok_or_else(|| {
            Error::conflict(format!("the file {} is not hashed yet; try again later", entry.path))
        })?;
        manifest.update(format!("{sha256}  {}  {}\n", entry.size_bytes, entry.path));
        count += 1;
        size_bytes += entry.size_bytes;
        tar_bytes += header(&entry)?.len() as u64 + entry.size_bytes + padding(entry.size_bytes);
    }
    let manifest_sha256 = Sha256(manifest.finalize().into());
    Ok(Contents { files: count, size_bytes, tar_bytes, manifest_sha256 })
}

/// Answers with a tar archive (POSIX.1-2001, pax) called `name` of what `tree` has below `dir`, whose `contents` were
/// counted before. The same files give the same bytes: in the order of paths, without times and owners.
pub fn tar(
    app: &App,
    (tree, dir): (Tree, Option<ArtifactPath>),
    contents: Contents,
    name: &str,
) -> Result<Response> {
    let app = app.clone();
    let files = entries(app.clone(), tree, dir).and_then(move |entry| entry_of(app.clone(), entry));
    let body = files.try_flatten().chain(stream::once(async { Ok(Bytes::from_static(&END)) }));
    // The status is sent by then: the log is the only place that can tell.
    let body = Body::from_stream(body.inspect_err(|error| tracing::error!(%error, "an archive broke off")));
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-tar"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(contents.tar_bytes));
    let disposition = super::download::attachment(name);
    let disposition = HeaderValue::try_from(disposition)
        .map_err(|error| Error::internal("the name of an archive is no header").with_source(error))?;
    headers.insert(CONTENT_DISPOSITION, disposition);
    Ok(response)
}

/// The files of `tree` below `dir`, page by page, with their paths from there on.
fn entries(
    app: App,
    tree: Tree,
    dir: Option<ArtifactPath>,
) -> impl Stream<Item = Result<ManifestEntry>> + Send {
    let cut = dir.as_ref().map_or(0, |dir| dir.as_str().len() + 1);
    let pages = stream::try_unfold(Some(None::<String>), move |after| {
        let (app, dir) = (app.clone(), dir.clone());
        async move {
            let Some(after) = after else { return Ok(None) };
            let page = app
                .db
                .read(move |tx| files::manifest(tx, tree, dir.as_ref(), after.as_deref(), PAGE))
                .await?;
            let is_last = i64::try_from(page.len()).is_ok_and(|count| count < PAGE);
            let next = if is_last { None } else { page.last().map(|last| Some(last.path.clone())) };
            Ok::<_, Error>(Some((page, next)))
        }
    });
    pages.map_ok(|page| stream::iter(page.into_iter().map(Ok))).try_flatten().map_ok(
        move |mut entry: ManifestEntry| {
            entry.path.drain(..cut);
            entry
        },
    )
}

/// A file in the archive: header, bytes, padding.
async fn entry_of(app: App, entry: ManifestEntry) -> Result<impl Stream<Item = Result<Bytes>> + Send> {
    let header = header(&entry)?;
    let bytes = match entry.sha256 {
        Some(sha256) => {
            app.blobs.read_verified(entry.bytes.intact(&entry.path)?, entry.size_bytes, sha256).await?
        }
        None => app.blobs.read(entry.bytes.intact(&entry.path)?, 0..entry.size_bytes).await?,
    };
    let padding = usize::try_from(padding(entry.size_bytes)).expect("it is less than a record");
    let ends = [Ok(Bytes::from_static(&END[..padding]))];
    Ok(stream::iter([Ok(header)]).chain(bytes).chain(stream::iter(ends)))
}

fn padding(size_bytes: u64) -> u64 {
    size_bytes.next_multiple_of(RECORD) - size_bytes
}

/// The header of a file, with one that extends it where a path is longer than the plain one takes, or not ASCII.
fn header(entry: &ManifestEntry) -> Result<Bytes> {
    let malformed = |error| Error::internal("a file does not fit into an archive").with_source(error);
    let mut header = tar::Header::new_ustar();
    header.set_size(entry.size_bytes);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_entry_type(tar::EntryType::Regular);
    let mut builder = tar::Builder::new(Vec::new());
    if entry.path.len() > 100 || !entry.path.is_ascii() {
        builder.append_pax_extensions([("path", entry.path.as_bytes())]).map_err(malformed)?;
        header.set_path("long").map_err(malformed)?;
    } else {
        header.set_path(&entry.path).map_err(malformed)?;
    }
    header.set_cksum();
    // Without the end of an archive, which a builder would add when it is finished.
    let mut bytes = std::mem::take(builder.get_mut());
    bytes.extend_from_slice(header.as_bytes());
    Ok(bytes.into())
}
