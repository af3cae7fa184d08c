//! Blocks: up to [`CAPACITY`] points of one key, in order, packed to about 10 bytes each.
//!
//! A block is a version byte, the number of points as a varint, and the points.

use super::codec::{Reader, USUAL_BYTES_PER_POINT, put_points, put_varint};
use super::{Point, Position};
use crate::{Error, Result};

const VERSION: u8 = 1;

/// The most points a block holds.
pub const CAPACITY: usize = 4_096;

/// At least one and at most [`CAPACITY`] points of one key, strictly ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    points: Vec<Point>,
}

impl Block {
    /// The block of these points, or `None` where they are none, too many, out of order or repeated.
    pub fn new(points: Vec<Point>) -> Option<Self> {
        let fits = (1..=CAPACITY).contains(&points.len());
        (fits && points.is_sorted_by(|left, right| left < right)).then_some(Self { points })
    }

    /// Reads a block from its bytes.
    ///
    /// Fails with `Internal` when they are not a block.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        Self::read(Reader::new(bytes)).ok_or_else(|| Error::internal("corrupt point block"))
    }

    fn read(mut reader: Reader<'_>) -> Option<Self> {
        if reader.byte()? != VERSION {
            return None;
        }
        let count = reader.varint()?;
        let points = reader.points(count)?;
        if !reader.is_empty() {
            return None;
        }
        Self::new(points)
    }

    /// The bytes of this block.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(USUAL_BYTES_PER_POINT * (1 + self.points.len()));
        bytes.push(VERSION);
        put_varint(&mut bytes, self.points.len() as u64);
        put_points(&mut bytes, &self.points);
        bytes
    }

    /// The points, strictly ascending; at least one.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The points, strictly ascending; at least one.
    pub fn into_points(self) -> Vec<Point> {
        self.points
    }

    /// What is kept beside the bytes.
    pub fn header(&self) -> Header {
        let first = self.points.first().expect("a block holds at least one point");
        let last = self.points.last().expect("a block holds at least one point");
        Header {
            first: first.position(),
            last_timestamp: last.timestamp(),
            points: i64::try_from(self.points.len()).expect("a block holds at most CAPACITY points"),
        }
    }
}

/// What is known of a stored block without reading its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Where it starts; identifies the block within its key.
    pub first: Position,
    /// The timestamp of its last point.
    pub last_timestamp: i64,
    /// How many points it holds.
    pub points: i64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;
    use crate::points::testing;

    use proptest::prelude::*;

    fn block(count: i64) -> Block {
        let points = (0..count).map(|step| Point::new(1_700_000_000_000 + step * 100, step, 0.25));
        Block::new(points.collect()).unwrap()
    }

    #[test]
    fn a_point_of_a_full_block_takes_ten_bytes() {
        assert_eq!(block(4_096).encode().len() / 4_096, 10);
    }

    #[test]
    fn a_block_of_too_many_points_cannot_be_made() {
        let mut points = block(4_096).into_points();
        points.push(Point::new(i64::MAX, 0, 0.0));
        assert_eq!(Block::new(points), None);
    }

    #[test]
    fn a_block_of_no_points_cannot_be_made() {
        assert_eq!(Block::new(Vec::new()), None);
    }

    #[test]
    fn a_block_cannot_repeat_or_disorder_points() {
        let (early, late) = (Point::new(1, 1, 1.0), Point::new(1, 1, 2.0));
        assert!(Block::new(vec![early, late]).is_some());
        assert_eq!(Block::new(vec![late, early]), None);
        assert_eq!(Block::new(vec![early, early]), None);
    }

    #[test]
    fn the_header_names_the_first_point_and_the_last_time() {
        let header = block(3).header();
        let first =
            Position { timestamp: 1_700_000_000_000, step: 0, value_bits: crate::points::value_bits(0.25) };
        assert_eq!(header, Header { first, last_timestamp: 1_700_000_000_200, points: 3 });
    }

    #[test]
    fn a_block_cut_short_anywhere_is_corrupt() {
        let bytes = block(9).encode();
        for end in 0..bytes.len() {
            assert_eq!(Block::decode(&bytes[..end]).unwrap_err().kind(), Kind::Internal, "cut at {end}");
        }
    }

    #[test]
    fn bytes_behind_the_points_are_corrupt() {
        let bytes = [block(9).encode(), vec![0]].concat();
        assert!(Block::decode(&bytes).is_err());
    }

    #[test]
    fn a_block_of_an_unknown_version_is_corrupt() {
        let mut bytes = block(9).encode();
        bytes[0] = 2;
        assert!(Block::decode(&bytes).is_err());
    }

    #[test]
    fn stored_points_out_of_order_are_corrupt() {
        let mut bytes = vec![VERSION, 2];
        put_points(&mut bytes, &[Point::new(2, 0, 0.0), Point::new(1, 0, 0.0)]);
        assert!(Block::decode(&bytes).is_err());
    }

    proptest! {
        #[test]
        fn blocks_read_back(points in testing::points(60), one in testing::point()) {
            let block = Block::new(testing::distinct(points.into_iter().chain([one]))).unwrap();
            prop_assert_eq!(Block::decode(&block.encode()).unwrap(), block);
        }

        #[test]
        fn a_changed_byte_gives_another_block_or_an_error(index in 0_usize..1_000, flip in 1_u8..) {
            let whole = block(20);
            let mut bytes = whole.encode();
            let index = index % bytes.len();
            bytes[index] ^= flip;
            if let Ok(changed) = Block::decode(&bytes) {
                prop_assert_eq!(changed.encode(), bytes);
            }
        }
    }
}
