//! Reading: a range of a blob as a stream of pieces.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use modelry_core::store_key::StoreKey;
use modelry_core::{Error, Result};
use object_store::{GetOptions, GetRange, GetResult, GetResultPayload, ObjectStoreExt};

use crate::{Blobs, internal, location};

/// The largest piece of a stream, and so what a download holds: one is being sent while the next is read.
pub const PIECE_BYTES: usize = 512 * 1024;

impl Blobs {
    /// The bytes `range` of `key`, in pieces of at most [`PIECE_BYTES`].
    ///
    /// A blob that is missing or shorter than `range` is an internal error: whoever has a row of it was promised the
    /// bytes. It can also come up in the middle of the stream.
    pub async fn read(&self, key: &StoreKey, range: Range<u64>) -> Result<BoxStream<'static, Result<Bytes>>> {
        if range.is_empty() {
            self.store.head(&location(key)).await.map_err(internal)?;
            return Ok(stream::empty().boxed());
        }
        let options = GetOptions { range: Some(GetRange::Bounded(range.clone())), ..GetOptions::default() };
        let found = self.store.get_opts(&location(key), options).await.map_err(internal)?;
        if found.range != range {
            return Err(truncated());
        }
        Ok(pieces(found))
    }
}

fn pieces(found: GetResult) -> BoxStream<'static, Result<Bytes>> {
    let Range { start, end } = found.range;
    match found.payload {
        // Five to ten times as fast as the stream that object_store makes of the same file.
        GetResultPayload::File(file, _) => {
            stream::try_unfold(Rest { file, at: start, end }, Rest::next).boxed()
        }
        GetResultPayload::Stream(stream) => stream.map_err(internal).boxed(),
    }
}

/// What is still to be read of a file.
struct Rest {
    file: File,
    at: u64,
    end: u64,
}

impl Rest {
    async fn next(self) -> Result<Option<(Bytes, Self)>> {
        if self.at == self.end {
            return Ok(None);
        }
        let read = tokio::task::spawn_blocking(move || self.read_piece()).await;
        read.map_err(|error| Error::internal("reading a blob was cut off").with_source(error))?.map(Some)
    }

    fn read_piece(mut self) -> Result<(Bytes, Self)> {
        let wanted = (self.end - self.at).min(PIECE_BYTES as u64);
        let mut piece = Vec::with_capacity(PIECE_BYTES.min(usize::try_from(wanted).unwrap_or(PIECE_BYTES)));
        let failed = |error| Error::internal("cannot read a blob").with_source(error);
        self.file.seek(SeekFrom::Start(self.at)).map_err(failed)?;
        let read = (&mut self.file).take(wanted).read_to_end(&mut piece).map_err(failed)?;
        if read as u64 != wanted {
            return Err(truncated());
        }
        self.at += wanted;
        Ok((piece.into(), self))
    }
}

fn truncated() -> Error {
    Error::internal("a blob is shorter than its row says")
}
