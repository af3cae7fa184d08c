//! Tar archives (POSIX.1-2001, pax).

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use modelry_core::artifact_path::ArtifactPath;
use modelry_core::{Error, Result};
use modelry_store::files::{ManifestEntry, Tree};

use super::archive::entries;
use crate::App;

/// What a tar archive is made of: everything in it is a multiple of this long.
const RECORD: u64 = 512;

/// What ends a tar archive.
static END: [u8; 1_024] = [0; 1_024];

/// How long the end is.
pub(super) const END_BYTES: u64 = END.len() as u64;

/// How long the part of an archive is that has this file.
pub(super) fn bytes_of(entry: &ManifestEntry) -> Result<u64> {
    Ok(header(entry)?.len() as u64 + entry.size_bytes + padding(entry.size_bytes))
}

/// An archive of what `tree` has below `dir`.
pub(super) fn stream(
    app: &App,
    tree: Tree,
    dir: Option<ArtifactPath>,
) -> impl Stream<Item = Result<Bytes>> + Send + use<> {
    let app = app.clone();
    let files = entries(app.clone(), tree, dir).and_then(move |entry| entry_of(app.clone(), entry));
    files.try_flatten().chain(stream::once(async { Ok(Bytes::from_static(&END)) }))
}

/// A file in the archive: header, bytes, padding.
async fn entry_of(app: App, entry: ManifestEntry) -> Result<impl Stream<Item = Result<Bytes>> + Send> {
    let header = header(&entry)?;
    let bytes = super::archive::read_all(&app, &entry).await?;
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
    let mut header = ::tar::Header::new_ustar();
    header.set_size(entry.size_bytes);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_entry_type(::tar::EntryType::Regular);
    let mut builder = ::tar::Builder::new(Vec::new());
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
