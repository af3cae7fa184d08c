//! All files of a tree in one stream, and what they are.

use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, TryStreamExt, stream};
use modelry_core::artifact_path::ArtifactPath;
use modelry_core::digest::Sha256;
use modelry_core::{Error, Result};
use modelry_store::files::{self, ManifestEntry, Tree};
use sha2::{Digest as _, Sha256 as Hasher};

use super::zip::{Layout, Member};
use super::{tar, zip_stream};
use crate::App;

/// Files that are read, and held, at a time.
const PAGE: i64 = 1_000;

/// The form of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// POSIX.1-2001 (pax).
    Tar,
    /// Zip, with its files as they are.
    Zip,
}

impl Format {
    /// How names of such archives end.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Tar => "tar",
            Self::Zip => "zip",
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Tar => "application/x-tar",
            Self::Zip => "application/zip",
        }
    }
}

/// What a tree has below a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// How many files.
    pub files: u64,
    /// How many bytes they have together.
    pub size_bytes: u64,
    /// The digest of the manifest: of a line `<sha256>  <size>  <path>` for each file, in the order of paths.
    pub manifest_sha256: Sha256,
    /// How long a tar archive of them is.
    tar_bytes: u64,
    /// How long a zip archive of them is.
    zip_bytes: u64,
}

/// Counts what `tree` has below `dir`.
///
/// Fails with `Conflict` while the digest of a file is not known yet.
pub async fn contents(app: &App, tree: Tree, dir: Option<ArtifactPath>) -> Result<Contents> {
    let mut manifest = Hasher::new();
    let (mut count, mut size_bytes, mut tar_bytes) = (0, 0, tar::END_BYTES);
    let mut zip = Layout::default();
    let mut entries = std::pin::pin!(entries(app.clone(), tree, dir));
    while let Some(entry) = entries.try_next().await? {
        let sha256 = entry.sha256.ok_or_else(|| {
            Error::conflict(format!("the file {} is not hashed yet; try again later", entry.path))
        })?;
        manifest.update(format!("{sha256}  {}  {}\n", entry.size_bytes, entry.path));
        count += 1;
        size_bytes += entry.size_bytes;
        tar_bytes += tar::bytes_of(&entry)?;
        zip.add(Member { path: &entry.path, size_bytes: entry.size_bytes });
    }
    let manifest_sha256 = Sha256(manifest.finalize().into());
    Ok(Contents { files: count, size_bytes, manifest_sha256, tar_bytes, zip_bytes: zip.archive_bytes() })
}

/// Answers with an archive called `name` of what `tree` has below `dir`, whose `contents` were counted before. The same
/// files give the same bytes: in the order of paths, without times and owners.
pub fn archive(
    app: &App,
    (tree, dir): (Tree, Option<ArtifactPath>),
    contents: Contents,
    (name, format): (&str, Format),
) -> Result<Response> {
    let (body, length) = match format {
        Format::Tar => (Body::from_stream(logged(tar::stream(app, tree, dir))), contents.tar_bytes),
        Format::Zip => (Body::from_stream(logged(zip_stream::stream(app, tree, dir))), contents.zip_bytes),
    };
    let mut response = body.into_response();
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    let disposition = super::download::attachment(&format!("{name}.{}", format.extension()));
    let disposition = HeaderValue::try_from(disposition)
        .map_err(|error| Error::internal("the name of an archive is no header").with_source(error))?;
    headers.insert(CONTENT_DISPOSITION, disposition);
    Ok(response)
}

/// Tells the log when an archive breaks off: the status is sent by then, so it is the only place that can tell.
fn logged(body: impl Stream<Item = Result<bytes::Bytes>>) -> impl Stream<Item = Result<bytes::Bytes>> {
    body.inspect_err(|error| tracing::error!(%error, "an archive broke off"))
}

/// The files of `tree` below `dir`, page by page, with their paths from there on.
pub(super) fn entries(
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

/// The bytes of a file, which break off where they are not those that were stored.
pub(super) async fn read_all(app: &App, entry: &ManifestEntry) -> Result<BoxStream<'static, Result<Bytes>>> {
    super::read(app, (&entry.path, &entry.bytes, entry.size_bytes), 0..entry.size_bytes).await
}
