//! Reading: a range of a blob as a stream of pieces, each verified on the way.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use modelry_core::checksums::{BLOCK_BYTES, Checksums, Summing, blocks_of};
use modelry_core::store_key::StoreKey;
use modelry_core::{Error, Result};
use object_store::{GetOptions, GetRange, GetResult, GetResultPayload, ObjectStoreExt};
use tokio::task::JoinHandle;

use crate::pool::Pool;
use crate::write::Written;
use crate::{Blobs, internal, location};

/// The checksums of the blocks in which some bytes lie, by which these are verified when they are read.
#[derive(Clone, Debug)]
pub struct Blocks {
    /// All bytes of the blocks.
    bytes: Range<u64>,
    checksums: Checksums,
}

impl Blocks {
    /// `checksums` are those of all blocks in which the bytes `range` of a blob of `size_bytes` lie; fails where they are
    /// not as many.
    pub fn of(range: &Range<u64>, size_bytes: u64, checksums: Checksums) -> Result<Self> {
        let (blocks, block) = (blocks_of(range), BLOCK_BYTES as u64);
        if blocks.end - blocks.start != checksums.len() as u64 {
            return Err(Error::internal("there are not as many checksums as blocks"));
        }
        Ok(Self { bytes: blocks.start * block..(blocks.end * block).min(size_bytes), checksums })
    }

    /// Fails where `block`, which begins at byte `at` of the blob, is not what was stored.
    fn verify(&self, at: u64, block: &[u8]) -> Result<()> {
        let index = usize::try_from((at - self.bytes.start) / BLOCK_BYTES as u64);
        if index.is_ok_and(|index| self.checksums.confirm(index, block)) {
            return Ok(());
        }
        Err(Error::unavailable(
            "these bytes are damaged on the server's disk: they are not those that were stored, and have to be restored \
             from a backup",
        ))
    }
}

/// What [`Blobs::check`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// They are these.
    Readable(Written),
    /// There are none.
    Missing,
    /// There are so many.
    Size(u64),
    /// The disk does not give them; what it says instead.
    Unreadable(String),
}

impl Blobs {
    /// The bytes `range` of `key`, in pieces of at most [`BLOCK_BYTES`]; a download holds two of them, one that is being
    /// sent while the next is read. With `blocks`, which are those of `range`, each piece is verified before it is given
    /// out, and where the bytes are not those that were stored the stream ends with `Unavailable`.
    ///
    /// A blob that is missing or shorter than `range` is an internal error: whoever has a row of it was promised the
    /// bytes. It can also come up in the middle of the stream.
    pub async fn read(
        &self,
        key: &StoreKey,
        range: Range<u64>,
        blocks: Option<Blocks>,
    ) -> Result<BoxStream<'static, Result<Bytes>>> {
        if range.is_empty() {
            self.store.head(&location(key)).await.map_err(internal)?;
            return Ok(stream::empty().boxed());
        }
        let read = blocks.as_ref().map_or(&range, |blocks| &blocks.bytes).clone();
        let options = GetOptions { range: Some(GetRange::Bounded(read.clone())), ..GetOptions::default() };
        let found = self.store.get_opts(&location(key), options).await.map_err(internal)?;
        if found.range != read {
            return Err(truncated());
        }
        Ok(pieces(found, range, blocks, &self.pool))
    }

    /// Looks at all bytes of `key`, which are to be `size_bytes`.
    pub async fn check(&self, key: &StoreKey, size_bytes: u64, seen: impl FnMut(u64) + Send) -> Condition {
        match self.store.head(&location(key)).await {
            Ok(found) if found.size != size_bytes => return Condition::Size(found.size),
            Ok(_) => {}
            Err(object_store::Error::NotFound { .. }) => return Condition::Missing,
            Err(error) => return Condition::Unreadable(error.to_string()),
        }
        match self.sum(key, size_bytes, seen).await {
            Ok(found) => Condition::Readable(found),
            Err(error) => Condition::Unreadable(causes(&error)),
        }
    }

    /// What the first `size_bytes` bytes of `key` come to, read anew.
    pub async fn sum_again(&self, key: &StoreKey, size_bytes: u64) -> Result<Written> {
        self.sum(key, size_bytes, |_| ()).await
    }

    async fn sum(
        &self,
        key: &StoreKey,
        size_bytes: u64,
        mut seen: impl FnMut(u64) + Send,
    ) -> Result<Written> {
        let mut pieces = self.read(key, 0..size_bytes, None).await?;
        let mut summing = Summing::default();
        while let Some(piece) = pieces.try_next().await? {
            seen(piece.len() as u64);
            let job = tokio::task::spawn_blocking(move || {
                summing.update(&piece);
                summing
            });
            summing = job.await.map_err(cut_off)?;
        }
        let (sha256, checksums) = summing.finish();
        Ok(Written { sha256, checksums, size_bytes })
    }
}

fn pieces(
    found: GetResult,
    range: Range<u64>,
    blocks: Option<Blocks>,
    pool: &Pool,
) -> BoxStream<'static, Result<Bytes>> {
    let Range { start: at, end } = found.range;
    let wanted = Wanted { range, blocks };
    match found.payload {
        // Five to ten times as fast as the stream that object_store makes of the same file.
        GetResultPayload::File(file, _) => {
            stream::try_unfold(Some(Rest { file, at, end, wanted, pool: pool.clone() }.start()), next).boxed()
        }
        GetResultPayload::Stream(stream) => {
            let stream = stream.map_err(internal).boxed();
            let arriving = Arriving { stream, left_over: BytesMut::new(), at, end, wanted };
            stream::try_unfold(arriving, Arriving::next).boxed()
        }
    }
}

/// What is asked for of the bytes that are read.
struct Wanted {
    range: Range<u64>,
    blocks: Option<Blocks>,
}

impl Wanted {
    /// What is wanted of `piece`, which begins at byte `at` of the blob, once it is verified.
    fn of(&self, at: u64, piece: Bytes) -> Result<Bytes> {
        let Some(blocks) = &self.blocks else { return Ok(piece) };
        blocks.verify(at, &piece)?;
        let inside =
            |byte: u64| usize::try_from(byte.saturating_sub(at)).unwrap_or(usize::MAX).min(piece.len());
        Ok(piece.slice(inside(self.range.start)..inside(self.range.end)))
    }
}

/// A piece that is being read, and what is left behind it.
type Reading = JoinHandle<Result<(Bytes, Option<Rest>)>>;

/// Waits for a piece and starts to read the one behind it, while this one is on its way.
async fn next(reading: Option<Reading>) -> Result<Option<(Bytes, Option<Reading>)>> {
    let Some(reading) = reading else { return Ok(None) };
    let (piece, rest) = reading.await.map_err(cut_off)??;
    Ok(Some((piece, rest.map(Rest::start))))
}

/// What is still to be read of a file: at least one byte.
struct Rest {
    file: File,
    at: u64,
    end: u64,
    wanted: Wanted,
    pool: Pool,
}

impl Rest {
    fn start(self) -> Reading {
        tokio::task::spawn_blocking(move || self.read_piece())
    }

    fn read_piece(mut self) -> Result<(Bytes, Option<Self>)> {
        let length = (self.end - self.at).min(BLOCK_BYTES as u64);
        let mut piece = self.pool.take(usize::try_from(length).unwrap_or(BLOCK_BYTES));
        let failed = |error| Error::internal("cannot read a blob").with_source(error);
        self.file.seek(SeekFrom::Start(self.at)).map_err(failed)?;
        let read = (&mut self.file).take(length).read_to_end(piece.bytes()).map_err(failed)?;
        if read as u64 != length {
            return Err(truncated());
        }
        let piece = self.wanted.of(self.at, piece.freeze())?;
        self.at += length;
        let is_last = self.at == self.end;
        Ok((piece, (!is_last).then_some(self)))
    }
}

/// Bytes that arrive in pieces of any size.
struct Arriving {
    stream: BoxStream<'static, Result<Bytes>>,
    /// What has arrived beyond the last block.
    left_over: BytesMut,
    at: u64,
    end: u64,
    wanted: Wanted,
}

impl Arriving {
    /// What is wanted of the next block.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>> {
        let length = usize::try_from(self.end - self.at).map_or(BLOCK_BYTES, |left| left.min(BLOCK_BYTES));
        if length == 0 {
            return Ok(None);
        }
        while self.left_over.len() < length {
            let piece = self.stream.try_next().await?.ok_or_else(truncated)?;
            self.left_over.extend_from_slice(&piece);
        }
        let block = self.left_over.split_to(length).freeze();
        let wanted = self.wanted.of(self.at, block)?;
        self.at += length as u64;
        Ok(Some((wanted, self)))
    }
}

fn truncated() -> Error {
    Error::internal("a blob is shorter than its row says")
}

fn cut_off(error: tokio::task::JoinError) -> Error {
    Error::internal("reading a blob was cut off").with_source(error)
}

/// An error with what caused it, for the operator of the server.
fn causes(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pieces of `range` where a store elsewhere sends the bytes in pieces of `size`, with the checksums of `stored`.
    async fn arrive(sent: &[u8], stored: &[u8], range: Range<u64>, size: usize) -> Result<Vec<u8>> {
        let mut summing = Summing::default();
        summing.update(stored);
        let checksums = summing.finish().1.to_bytes();
        let of = blocks_of(&range);
        let at = |block| usize::try_from(block).expect("few blocks") * Checksums::STORED_BYTES;
        let checksums = Checksums::from_bytes(&checksums[at(of.start)..at(of.end)])?;
        let blocks = Blocks::of(&range, stored.len() as u64, checksums)?;
        let Range { start: at, end } = blocks.bytes;
        let inside = usize::try_from(at).expect("small")..usize::try_from(end).expect("small");
        let pieces: Vec<_> =
            sent[inside].chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let stream = stream::iter(pieces).boxed();
        let wanted = Wanted { range, blocks: Some(blocks) };
        let arriving = Arriving { stream, left_over: BytesMut::new(), at, end, wanted };
        let pieces: Vec<Bytes> = stream::try_unfold(arriving, Arriving::next).try_collect().await?;
        Ok(pieces.concat())
    }

    #[tokio::test]
    async fn bytes_that_arrive_in_pieces_of_any_size_are_verified_block_by_block() {
        let bytes: Vec<u8> =
            (0..3 * BLOCK_BYTES + 5).map(|at| u8::try_from(at % 251).expect("small")).collect();
        let (start, end) = (BLOCK_BYTES + 3, 3 * BLOCK_BYTES + 1);
        for size in [100_000, BLOCK_BYTES, 4 * BLOCK_BYTES] {
            let read = arrive(&bytes, &bytes, start as u64..end as u64, size).await.expect("sound");
            assert!(read == bytes[start..end], "{size}");
        }
        let mut damaged = bytes.clone();
        damaged[BLOCK_BYTES] ^= 1;
        assert!(arrive(&damaged, &bytes, start as u64..end as u64, 100_000).await.is_err());
    }
}
