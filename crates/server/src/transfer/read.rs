//! Bytes of files as they lie on the disk, or an error.

use std::ops::Range;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use modelry_blob::Blocks;
use modelry_core::Result;
use modelry_store::blobs::{self, Whereabouts};

use crate::App;

/// The bytes `range` of the file `path`, which has `size_bytes` and whose bytes lie at `bytes`.
///
/// Each piece is verified before it is given out: where the disk does not give what it was given, this or the stream ends
/// with `Unavailable`. Bytes that were stored before there were checksums are given as they are, until `modelry fsck` has
/// seen them.
pub async fn read(
    app: &App,
    (path, bytes, size_bytes): (&str, &Whereabouts, u64),
    range: Range<u64>,
) -> Result<BoxStream<'static, Result<Bytes>>> {
    let key = bytes.intact(path)?.clone();
    let (asked, of) = (range.clone(), key.clone());
    let checksums = app.db.read(move |tx| blobs::checksums(tx, &of, &asked)).await?;
    let blocks = checksums.map(|checksums| Blocks::of(&range, size_bytes, checksums)).transpose()?;
    app.blobs.read(&key, range, blocks).await
}
