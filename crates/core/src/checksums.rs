//! Checksums of the blocks of a file, by which any part of it can be verified without the rest.
//!
//! A digest says who the bytes are; these only say whether the disk still gives what it was given, and cost next to
//! nothing. Four bytes for every 512 KiB.

use std::ops::Range;

use crc32fast::Hasher;
use sha2::Digest as _;

use crate::digest::Sha256;
use crate::{Error, Result};

/// How many bytes a block has; the last one of a file may have less.
pub const BLOCK_BYTES: usize = 512 * 1024;

/// The CRC-32 (IEEE 802.3) of blocks that follow each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checksums(Vec<u32>);

impl Checksums {
    /// How many bytes the checksum of a block has as it is stored.
    pub const STORED_BYTES: usize = size_of::<u32>();

    /// Reads what [`Self::to_bytes`] made.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (checksums, []) = bytes.as_chunks() else {
            return Err(Error::internal("the checksums of a blob have no whole number of entries"));
        };
        Ok(Self(checksums.iter().map(|checksum| u32::from_le_bytes(*checksum)).collect()))
    }

    /// The form in which they are stored: each in four bytes, the lowest first.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|checksum| checksum.to_le_bytes()).collect()
    }

    /// How many blocks these are of.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether these are of no block.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the block at `index` of these has the bytes `block`.
    pub fn confirm(&self, index: usize, block: &[u8]) -> bool {
        self.0.get(index) == Some(&crc32fast::hash(block))
    }
}

/// The numbers of the blocks in which the bytes `range` lie.
pub fn blocks_of(range: &Range<u64>) -> Range<u64> {
    let block = BLOCK_BYTES as u64;
    if range.is_empty() { 0..0 } else { range.start / block..range.end.div_ceil(block) }
}

/// Takes bytes one after the other, for their digest and their checksums.
#[derive(Clone, Debug, Default)]
pub struct Summing {
    digest: sha2::Sha256,
    blocks: Vec<u32>,
    block: Hasher,
    /// How many bytes of the last block there are.
    filled: usize,
}

impl Summing {
    /// Takes the bytes that come next.
    pub fn update(&mut self, mut bytes: &[u8]) {
        self.digest.update(bytes);
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK_BYTES - self.filled));
            self.block.update(now);
            self.filled += now.len();
            bytes = later;
            if self.filled == BLOCK_BYTES {
                self.end_block();
            }
        }
    }

    /// The digest and the checksums of all bytes.
    pub fn finish(mut self) -> (Sha256, Checksums) {
        if self.filled > 0 {
            self.end_block();
        }
        (Sha256(self.digest.finalize().into()), Checksums(self.blocks))
    }

    fn end_block(&mut self) {
        self.blocks.push(std::mem::take(&mut self.block).finalize());
        self.filled = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Some bytes without a pattern that a block could share with another.
    fn bytes(length: usize) -> Vec<u8> {
        (0..length as u64).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
    }

    fn sums(bytes: &[u8]) -> (Sha256, Checksums) {
        let mut summing = Summing::default();
        summing.update(bytes);
        summing.finish()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn how_the_bytes_arrive_makes_no_difference(
            length in 0..3 * BLOCK_BYTES,
            cuts in prop::collection::vec(0..3 * BLOCK_BYTES, 0..6),
        ) {
            let bytes = bytes(length);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(length)).collect();
            cuts.sort_unstable();
            let mut summing = Summing::default();
            let mut at = 0;
            for cut in cuts {
                summing.update(&bytes[at..cut]);
                at = cut;
            }
            summing.update(&bytes[at..]);
            prop_assert_eq!(summing.finish(), sums(&bytes));
        }

        #[test]
        fn every_block_is_confirmed_and_one_with_a_changed_bit_is_not(
            length in 1..3 * BLOCK_BYTES,
            at in any::<prop::sample::Index>(),
            bit in 0..8_u32,
        ) {
            let mut bytes = bytes(length);
            let (_, checksums) = sums(&bytes);
            prop_assert_eq!(checksums.len(), length.div_ceil(BLOCK_BYTES));
            let changed = at.index(length);
            bytes[changed] ^= 1 << bit;
            for (index, block) in bytes.chunks(BLOCK_BYTES).enumerate() {
                prop_assert_eq!(checksums.confirm(index, block), index != changed / BLOCK_BYTES);
            }
        }

        #[test]
        fn a_range_lies_in_the_blocks_of_its_first_and_last_byte(start in 0..1_u64 << 40, length in 1..1_u64 << 30) {
            let blocks = blocks_of(&(start..start + length));
            let block = BLOCK_BYTES as u64;
            prop_assert_eq!(blocks, start / block..(start + length - 1) / block + 1);
        }
    }

    #[test]
    fn they_are_stored_and_read_back() {
        let (_, checksums) = sums(&bytes(2 * BLOCK_BYTES + 1));
        let stored = checksums.to_bytes();
        assert_eq!(stored.len(), 3 * Checksums::STORED_BYTES);
        assert_eq!(Checksums::from_bytes(&stored).expect("readable"), checksums);
        assert!(Checksums::from_bytes(&stored[1..]).is_err());
    }

    #[test]
    fn a_checksum_is_the_one_that_other_programs_compute() {
        // The check value of CRC-32/ISO-HDLC in the catalogue of parametrised CRC algorithms.
        assert_eq!(sums(b"123456789").1.to_bytes(), 0xcbf4_3926_u32.to_le_bytes());
    }
}
