//! Writing: a stream goes to the disk in large pieces, hashed on the way, synced while it arrives.

use std::io;
use std::path::PathBuf;
use std::pin::pin;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use modelry_core::digest::Sha256;
use modelry_core::store_key::StoreKey;
use modelry_core::{Error, Kind, Result};
use sha2::Digest;
use tokio::task::JoinHandle;

use crate::Blobs;
use crate::folder::{self, Partial};

/// What is collected before it is hashed and written in one go. An upload holds two of these at most.
const PIECE_BYTES: usize = 1024 * 1024;

/// How much may be written before it is synced in the background. It keeps the last sync short, and the disk busy
/// while the bytes arrive.
const SYNC_EVERY_BYTES: u64 = 32 * 1024 * 1024;

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The digest of all bytes.
    pub sha256: Sha256,
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
        let mut upload = Upload::new(self.folder.path(key));
        let mut received = 0;
        while let Some(bytes) = body.next().await {
            let bytes = bytes?;
            received += bytes.len() as u64;
            if received > limit_bytes {
                return Err(too_large(limit_bytes));
            }
            upload.push(&bytes).await?;
        }
        upload.finish().await
    }
}

/// The refusal of a body of more than `limit_bytes`.
pub fn too_large(limit_bytes: u64) -> Error {
    Error::new(Kind::TooLarge, format!("a file has at most {limit_bytes} bytes here"))
}

/// One upload: a piece is filled while the piece before it is hashed and written, each by a job of its own.
///
/// The blocking pool is only used while there is something to do, so slow clients do not hold its threads. The
/// [`Partial`] moves into each job and back, so it removes itself wherever it is when the upload is dropped.
struct Upload {
    file: Stage<Target>,
    hash: Stage<sha2::Sha256>,
    piece: Vec<u8>,
    sync: Option<JoinHandle<io::Result<()>>>,
    sync_due: u64,
}

impl Upload {
    fn new(path: PathBuf) -> Self {
        Self {
            file: Stage::Idle(Target::New(path)),
            hash: Stage::Idle(sha2::Sha256::new()),
            piece: Vec::new(),
            sync: None,
            sync_due: SYNC_EVERY_BYTES,
        }
    }

    /// Takes `bytes`, and passes the piece on when it is full.
    async fn push(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let room = PIECE_BYTES - self.piece.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.piece.extend_from_slice(now);
            bytes = later;
            if self.piece.len() == PIECE_BYTES {
                self.pass_piece_on().await?;
            }
        }
        Ok(())
    }

    /// Starts hashing and writing the piece, once the piece before it is through.
    async fn pass_piece_on(&mut self) -> Result<()> {
        let target = self.file.settle().await?;
        let mut hash = self.hash.settle().await?;
        self.sync_when_due(&target).await?;
        let piece = Bytes::from(std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE_BYTES)));
        let hashed = piece.clone();
        self.file.start(move || target.append(&piece).map(Target::Begun));
        self.hash.start(move || {
            hash.update(&hashed);
            Ok(hash)
        });
        Ok(())
    }

    /// Syncs what is written so far in the background, when enough is. The sync before it has to be through, so that
    /// a disk that cannot follow slows the upload down instead of filling the memory.
    async fn sync_when_due(&mut self, target: &Target) -> Result<()> {
        match target {
            Target::Begun(partial) if partial.size_bytes() >= self.sync_due => {
                self.finish_sync().await?;
                self.sync_due = partial.size_bytes() + SYNC_EVERY_BYTES;
                let file = partial.handle()?;
                self.sync = Some(tokio::task::spawn_blocking(move || file.sync_data()));
                Ok(())
            }
            Target::Begun(_) | Target::New(_) => Ok(()),
        }
    }

    async fn finish_sync(&mut self) -> Result<()> {
        match self.sync.take() {
            Some(sync) => joined(sync.await)?.map_err(|error| folder::refusal("sync a blob", error)),
            None => Ok(()),
        }
    }

    /// Hashes and writes what is left, and makes everything durable.
    async fn finish(mut self) -> Result<Written> {
        let target = self.file.settle().await?;
        let mut hash = self.hash.settle().await?;
        self.finish_sync().await?;
        let piece = self.piece;
        let last = tokio::task::spawn_blocking(move || {
            hash.update(&piece);
            let size_bytes = target.append(&piece)?.publish()?;
            Ok(Written { sha256: Sha256(hash.finalize().into()), size_bytes })
        });
        joined(last.await)?
    }
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
