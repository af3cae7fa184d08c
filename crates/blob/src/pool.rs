//! Memory of pieces on their way, which is used again.
//!
//! A piece is filled on one thread and let go of on another. An allocator with a heap per thread keeps what was let go of
//! elsewhere until the thread that asked for it asks again, which with dozens of threads that read and write comes to
//! 100 MB of nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// How many bytes a piece has room for.
pub(crate) const PIECE_BYTES: usize = 1024 * 1024;

/// Less than this is asked of the allocator, exactly.
const SMALL_BYTES: usize = 64 * 1024;

/// How many pieces are kept while nobody uses them.
const KEPT: usize = 16;

/// The pieces that nobody uses. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool(Arc<Mutex<Vec<Vec<u8>>>>);

/// Bytes that are collected in memory of a pool, and give it back.
#[derive(Debug)]
pub(crate) struct Piece {
    bytes: Vec<u8>,
    pool: Pool,
}

impl Pool {
    /// An empty piece for `length` bytes, which are at most [`PIECE_BYTES`].
    pub(crate) fn take(&self, length: usize) -> Piece {
        let kept = if length < SMALL_BYTES { Some(Vec::with_capacity(length)) } else { self.free().pop() };
        Piece { bytes: kept.unwrap_or_else(|| Vec::with_capacity(PIECE_BYTES)), pool: self.clone() }
    }

    fn free(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Piece {
    /// The bytes, to add to.
    pub(crate) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Ends the collecting. The memory goes back when the last handle does.
    pub(crate) fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        if bytes.capacity() < PIECE_BYTES {
            return;
        }
        bytes.clear();
        let mut free = self.pool.free();
        if free.len() < KEPT {
            free.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_when_the_last_handle_is_gone() {
        let pool = Pool::default();
        let mut piece = pool.take(PIECE_BYTES);
        piece.bytes().extend_from_slice(b"one");
        let address = piece.bytes().as_ptr();
        let (one, other) = (piece.freeze(), pool.take(PIECE_BYTES));
        assert_ne!(other.bytes.as_ptr(), address);

        let handle = one.clone();
        drop(one);
        assert_eq!(pool.free().len(), 0);
        drop(handle);

        let mut again = pool.take(PIECE_BYTES);
        assert_eq!((again.bytes().as_ptr(), again.bytes().len()), (address, 0));
    }

    #[test]
    fn no_more_than_a_few_pieces_are_kept_and_no_small_ones() {
        let pool = Pool::default();
        drop(pool.take(SMALL_BYTES - 1));
        assert_eq!(pool.free().len(), 0);
        let pieces: Vec<Piece> = (0..=KEPT).map(|_| pool.take(SMALL_BYTES)).collect();
        drop(pieces);
        assert_eq!(pool.free().len(), KEPT);
    }
}
