//! Writing: a stream goes to the disk in large pieces, hashed on the way, synced while it arrives.

use std::io;
use std::path::PathBuf;
use std::pin::pin;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use modelry_core::checksums::{Checksums, Summing};
use modelry_core::digest::Sha256;
use modelry_core::store_key::StoreKey;
use modelry_core::{Error, Kind, Result};
use tokio::task::JoinHandle;

use crate::Blobs;
use crate::folder::{self, Partial};
use crate::pool::{PIECE_BYTES, Piece, Pool};

/// How much may be written before it is synced in the background, at first and once much is there. It keeps the last sync
/// short, and the disk busy while the bytes arrive: files of 10 MiB are pushed a tenth faster for it.
const SYNC_EVERY_BYTES: (u64, u64) = (4 * 1024 * 1024, 32 * 1024 * 1024);

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The digest of all bytes.
    pub sha256: Sha256,
    /// The checksums of their blocks.
    pub checksums: Checksums,
    /// How many bytes there are.
    pub size_bytes: u64,
}

impl Blobs {
    /// Writes `body` under `key`; when this returns, the bytes are durable.
    ///
    /// Fails with `TooLarge` as soon as more than `limit_bytes` have arrived, with `Unavailable` when the disk is
    /// full, and with the body's own error. After a failure, and when the future is dropped, nothing is kept.
    pub async fn write(
        &self,
        key: &StoreKey,
        body: impl Stream<Item = Result<Bytes>>,
        limit_bytes: u64,
    ) -> Result<Written> {
        let mut body = pin!(body);
        let mut pipe = Pipe::new(self.folder.path(key), self.pool.clone());
        let mut received = 0;
        while let Some(bytes) = body.next().await {
            let bytes = bytes?;
            received += bytes.len() as u64;
            if received > limit_bytes {
                return Err(too_large(limit_bytes));
            }
            pipe.push(&bytes).await?;
        }
        let (size_bytes, summing) = pipe.finish().await?;
        let summing = summing.ok_or_else(|| Error::internal("a new blob was not hashed"))?;
        Ok(Summed { summing, size_bytes }.finish())
    }

    /// Goes on with the unfinished bytes of `key` at `offset`; what was written after it is cut off. `summed` is what
    /// those before `offset` came to, where it is at hand.
    ///
    /// Fails when there are less bytes than `offset`. Nobody else may be writing to the key.
    pub async fn resume(&self, key: &StoreKey, offset: u64, summed: Option<Summed>) -> Result<Growing> {
        let path = self.folder.path(key);
        let opened = tokio::task::spawn_blocking(move || Partial::resume(path, offset));
        let target = Target::Begun(joined(opened.await)??);
        let summing = match summed {
            Some(summed) if summed.size_bytes == offset => Some(summed.summing),
            _ if offset == 0 => Some(Summing::default()),
            _ => None,
        };
        Ok(Growing(Pipe::start(target, summing, offset, self.pool.clone())))
    }
}

/// Bytes that arrive in several goes. Dropped, what is on the disk stays there.
pub struct Growing(Pipe);

impl Growing {
    /// Takes more bytes.
    pub async fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.push(bytes).await
    }

    /// How many bytes of the key are durable by now. They become so every 4 to 32 MiB or so, and when this is finished.
    pub fn durable_bytes(&self) -> u64 {
        self.0.synced
    }

    /// Makes durable what has arrived. Answers how many bytes the key has, and what they came to, where that is known of
    /// those before too.
    pub async fn finish(self) -> Result<(u64, Option<Summed>)> {
        let (size_bytes, summing) = self.0.finish().await?;
        Ok((size_bytes, summing.map(|summing| Summed { summing, size_bytes })))
    }
}

/// What the first bytes of a key came to, and how many they are.
#[derive(Clone, Debug)]
pub struct Summed {
    summing: Summing,
    size_bytes: u64,
}

impl Summed {
    /// What these bytes are, if there are no more.
    pub fn finish(self) -> Written {
        let (sha256, checksums) = self.summing.finish();
        Written { sha256, checksums, size_bytes: self.size_bytes }
    }
}

/// The refusal of a body of more than `limit_bytes`.
pub fn too_large(limit_bytes: u64) -> Error {
    Error::new(Kind::TooLarge, format!("a file has at most {limit_bytes} bytes here"))
}

/// Bytes on their way to the disk: a piece is filled while the piece before it is hashed and written, each by a job of its
/// own.
///
/// The blocking pool is only used while there is something to do, so slow clients do not hold its threads. The
/// [`Partial`] moves into each job and back, so it removes itself wherever it is when this is dropped.
struct Pipe {
    file: Stage<Target>,
    sums: Stage<Sums>,
    /// None before the first bytes.
    piece: Option<Piece>,
    pool: Pool,
    sync: Option<JoinHandle<io::Result<()>>>,
    /// How far the file is when the sync that is under way is through.
    syncing: u64,
    synced: u64,
}

impl Pipe {
    fn new(path: PathBuf, pool: Pool) -> Self {
        Self::start(Target::New(path), Some(Summing::default()), 0, pool)
    }

    fn start(target: Target, sums: Sums, offset: u64, pool: Pool) -> Self {
        Self {
            file: Stage::Idle(target),
            sums: Stage::Idle(sums),
            piece: None,
            pool,
            sync: None,
            syncing: offset,
            synced: offset,
        }
    }

    /// Takes `bytes`, and passes the piece on when it is full.
    async fn push(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let piece = self.piece.get_or_insert_with(|| self.pool.take(PIECE_BYTES)).bytes();
            let (now, later) = bytes.split_at((PIECE_BYTES - piece.len()).min(bytes.len()));
            piece.extend_from_slice(now);
            bytes = later;
            if piece.len() == PIECE_BYTES
                && let Some(full) = self.piece.take()
            {
                self.pass_on(full.freeze()).await?;
            }
        }
        Ok(())
    }

    /// Starts hashing and writing `piece`, once the piece before it is through.
    async fn pass_on(&mut self, piece: Bytes) -> Result<()> {
        let mut target = self.file.settle().await?;
        let sums = self.sums.settle().await?;
        self.sync_when_due(&mut target).await?;
        let hashed = piece.clone();
        self.file.start(move || target.append(&piece).map(Target::Begun));
        self.sums.start(move || Ok(updated(sums, &hashed)));
        Ok(())
    }

    /// Syncs what is written so far in the background, when enough is. The sync before it has to be through, so that
    /// a disk that cannot follow slows the upload down instead of filling the memory.
    async fn sync_when_due(&mut self, target: &mut Target) -> Result<()> {
        match target {
            Target::Begun(partial) if partial.size_bytes() >= self.syncing + sync_every(self.syncing) => {
                self.finish_sync().await?;
                self.syncing = partial.size_bytes();
                self.sync = Some(tokio::task::spawn_blocking(partial.sync_job()?));
                Ok(())
            }
            Target::Begun(_) | Target::New(_) => Ok(()),
        }
    }

    async fn finish_sync(&mut self) -> Result<()> {
        let Some(sync) = self.sync.take() else { return Ok(()) };
        joined(sync.await)?.map_err(|error| folder::refusal("sync a blob", error))?;
        self.synced = self.syncing;
        Ok(())
    }

    /// Hashes and writes what is left, and makes everything durable. Answers how many bytes the file has.
    async fn finish(mut self) -> Result<(u64, Sums)> {
        let target = self.file.settle().await?;
        let sums = self.sums.settle().await?;
        self.finish_sync().await?;
        let piece = self.piece.map(Piece::freeze).unwrap_or_default();
        let last = tokio::task::spawn_blocking(move || {
            let sums = updated(sums, &piece);
            Ok((target.append(&piece)?.publish()?, sums))
        });
        joined(last.await)?
    }
}

/// How much more may be written before it is synced, when so much is.
fn sync_every(synced: u64) -> u64 {
    let (first, most) = SYNC_EVERY_BYTES;
    (synced / 4).clamp(first, most)
}

/// What all bytes so far come to; `None` where that of those before is not at hand.
type Sums = Option<Summing>;

fn updated(mut sums: Sums, bytes: &[u8]) -> Sums {
    if let Some(sums) = &mut sums {
        sums.update(bytes);
    }
    sums
}

/// What the next piece is written to.
enum Target {
    /// No file yet: it is made with the first piece.
    New(PathBuf),
    Begun(Partial),
}

impl Target {
    fn append(self, piece: &[u8]) -> Result<Partial> {
        let mut partial = match self {
            Self::New(path) => Partial::create(path)?,
            Self::Begun(partial) => partial,
        };
        partial.append(piece)?;
        Ok(partial)
    }
}

/// A value that is here, or with a job of the blocking pool.
enum Stage<T> {
    Idle(T),
    Busy(JoinHandle<Result<T>>),
    /// Taken, or its job failed: nothing can follow.
    Gone,
}

impl<T: Send + 'static> Stage<T> {
    /// Takes the value, when its job is through.
    async fn settle(&mut self) -> Result<T> {
        match std::mem::replace(self, Self::Gone) {
            Self::Idle(value) => Ok(value),
            Self::Busy(job) => joined(job.await)?,
            Self::Gone => Err(Error::internal("an upload went on after it had failed")),
        }
    }

    fn start(&mut self, job: impl FnOnce() -> Result<T> + Send + 'static) {
        *self = Self::Busy(tokio::task::spawn_blocking(job));
    }
}

fn joined<T>(result: Result<T, tokio::task::JoinError>) -> Result<T> {
    result.map_err(|error| Error::internal("writing a blob was cut off").with_source(error))
}
