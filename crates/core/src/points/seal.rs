//! Sealing: how points of the tail enter the blocks of their key, which stay sorted and disjoint.
//!
//! Only blocks that have to change are read and written again: those in which a new point may lie, and those under
//! half full next to new points, so that small blocks do not pile up. The others stand as fences, and what lies
//! between two fences becomes new blocks of equal size.

use super::block::{Block, CAPACITY, Header};
use super::{Point, Position};
use crate::Result;

/// A block with fewer points is merged with new points beside it.
const HALF_FULL: i64 = (CAPACITY / 2).cast_signed() as i64;

/// What sealing changes: the blocks at `replaced` go, the blocks `written` come.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sealed {
    /// Where the blocks start that are to be deleted, ascending.
    pub replaced: Vec<Position>,
    /// The blocks to be inserted, ascending.
    pub written: Vec<Block>,
}

/// Merges `new` points, in any order and with repetitions, into the blocks of their key.
///
/// `headers` is a stretch of the key's blocks, ascending and without a gap: from the last block that starts at or
/// before the least new point (where there is one) to the last that starts at or before the greatest. Giving the next
/// block as well lets that one be filled up, too. `read` reads the block of a header; its failure is the only one.
pub fn seal(
    headers: &[Header],
    mut new: Vec<Point>,
    mut read: impl FnMut(&Header) -> Result<Block>,
) -> Result<Sealed> {
    new.sort_unstable();
    new.dedup();
    let mut sealed = Sealed::default();
    // New points before the first block; from then on, those between the starts of two blocks.
    let (mut before, mut rest) = split_at_start(&new, headers.first());
    let mut between_fences = before.to_vec();
    for (index, header) in headers.iter().enumerate() {
        let (behind, later) = split_at_start(rest, headers.get(index + 1));
        if is_touched(header, before, behind) {
            between_fences.extend(read(header)?.into_points());
            sealed.replaced.push(header.first);
        } else {
            sealed.written.extend(blocks_of(std::mem::take(&mut between_fences)));
        }
        between_fences.extend_from_slice(behind);
        (before, rest) = (behind, later);
    }
    sealed.written.extend(blocks_of(between_fences));
    Ok(sealed)
}

/// Splits sorted points into those before the start of a block and the others; without a block, all are before.
fn split_at_start<'a>(points: &'a [Point], header: Option<&Header>) -> (&'a [Point], &'a [Point]) {
    let end =
        header.map_or(points.len(), |header| points.partition_point(|point| point.position() < header.first));
    points.split_at(end)
}

/// Whether the block has to be written again, given the new points between it and the block before, and those
/// between its start and the next block.
fn is_touched(header: &Header, before: &[Point], behind: &[Point]) -> bool {
    if behind.first().is_some_and(|point| point.timestamp() <= header.last_timestamp) {
        return true;
    }
    let is_beside_new = !before.is_empty() || !behind.is_empty();
    is_beside_new && header.points < HALF_FULL
}

/// As few blocks as hold `points`, of nearly equal size, so that none is under half full where there are several.
fn blocks_of(mut points: Vec<Point>) -> Vec<Block> {
    // The stable sort merges stretches that are in order already, and here all are.
    points.sort();
    points.dedup();
    let count = points.len().div_ceil(CAPACITY);
    (0..count)
        .map(|index| {
            let (start, end) = (points.len() * index / count, points.len() * (index + 1) / count);
            Block::new(points[start..end].to_vec()).expect("a chunk of sorted, distinct points is a block")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::points::testing::distinct;

    use proptest::prelude::*;

    /// The stored blocks of one key.
    #[derive(Default)]
    struct Stored(BTreeMap<Position, Block>);

    impl Stored {
        /// Seals as a store does, with the least headers that [`seal`] asks for, and `extra` following ones.
        fn seal(&mut self, new: &[Point], extra: usize) -> Sealed {
            let (Some(least), Some(greatest)) = (new.iter().min(), new.iter().max()) else {
                return Sealed::default();
            };
            let start =
                self.0.range(..=least.position()).next_back().map_or(least.position(), |(&start, _)| start);
            let needed = self.0.range(start..).filter(|(start, _)| **start <= greatest.position()).count();
            let headers: Vec<Header> =
                self.0.range(start..).take(needed + extra).map(|(_, block)| block.header()).collect();
            let sealed = seal(&headers, new.to_vec(), |header| Ok(self.0[&header.first].clone())).unwrap();
            for start in &sealed.replaced {
                self.0.remove(start).expect("only stored blocks are replaced");
            }
            for block in &sealed.written {
                let before = self.0.insert(block.header().first, block.clone());
                assert_eq!(before, None, "a block is written over another");
            }
            sealed
        }

        /// All points, block after block.
        fn points(&self) -> Vec<Point> {
            self.0.values().flat_map(Block::points).copied().collect()
        }

        fn sizes(&self) -> Vec<usize> {
            self.0.values().map(|block| block.points().len()).collect()
        }
    }

    fn at(timestamp: i64) -> Point {
        Point::new(timestamp, 0, 1.0)
    }

    fn run(timestamps: impl IntoIterator<Item = i64>) -> Vec<Point> {
        timestamps.into_iter().map(at).collect()
    }

    fn sealed(batches: impl IntoIterator<Item = Vec<Point>>) -> Stored {
        let mut stored = Stored::default();
        for batch in batches {
            stored.seal(&batch, 0);
        }
        stored
    }

    #[test]
    fn appending_fills_the_last_block_until_it_is_half_full() {
        let stored = sealed([run(0..2_000), run(2_000..3_000), run(3_000..3_100), run(3_100..3_200)]);
        assert_eq!(stored.sizes(), [3_000, 200]);
    }

    #[test]
    fn many_points_become_blocks_of_equal_size() {
        assert_eq!(sealed([run(0..4_097)]).sizes(), [2_048, 2_049]);
    }

    #[test]
    fn a_block_is_split_when_points_between_its_own_overfill_it() {
        let even = run((0..4_096).map(|n| n * 2));
        let stored = sealed([even, run([1])]);
        assert_eq!(stored.sizes(), [2_048, 2_049]);
    }

    #[test]
    fn only_blocks_around_the_new_points_are_written_again() {
        let full = (0..9).map(|block| run((0..3_000).map(|n| (block * 3_000 + n) * 2)));
        let mut stored = sealed(full.chain([run(100_000..100_010)]));
        let third = at(2 * 6_000).position();
        let sealed = stored.seal(&run([2 * 6_000 + 501]), 9);
        assert_eq!(sealed.replaced, [third]);
    }

    #[test]
    fn a_new_point_between_two_full_blocks_leaves_both_alone() {
        let mut stored = sealed([run(0..3_000), run(9_000..12_000)]);
        assert_eq!(stored.seal(&run([5_000]), 9).replaced, []);
        assert_eq!(stored.sizes(), [3_000, 1, 3_000]);
    }

    #[test]
    fn points_arriving_backwards_share_blocks() {
        let mut stored = Stored::default();
        for start in (0..50).rev() {
            stored.seal(&run(start * 64..(start + 1) * 64), 1);
        }
        assert_eq!(stored.sizes(), [1_152, 2_048]);
    }

    #[test]
    fn points_of_one_time_do_not_rewrite_the_blocks_before() {
        let step = |step| Point::new(0, step, 1.0);
        let mut stored = sealed((0..9).map(|block| (block * 4_096..(block + 1) * 4_096).map(step).collect()));
        let replaced = stored.seal(&[step(1_000_000)], 0).replaced;
        assert_eq!(replaced.len(), 1);
    }

    #[test]
    fn sealing_again_adds_no_point() {
        let mut stored = sealed([run(0..3_000), run(5_000..6_000)]);
        let points = stored.points();
        stored.seal(&points, 0);
        assert!(stored.points() == points);
    }

    #[test]
    fn a_point_that_starts_a_block_is_found_in_it() {
        let mut stored = sealed([run(0..3_000), run(9_000..12_000)]);
        stored.seal(&run([9_000]), 0);
        assert_eq!(stored.sizes(), [3_000, 3_000]);
    }

    #[test]
    fn a_block_that_cannot_be_read_stops_the_seal() {
        let header = Block::new(run(0..10)).unwrap().header();
        let failed = seal(&[header], run([5]), |_| Err(crate::Error::internal("corrupt point block")));
        assert_eq!(failed.unwrap_err().message(), "corrupt point block");
    }

    /// Rows of points that overlap, interleave and repeat each other, some longer than a block.
    fn batch() -> impl Strategy<Value = Vec<Point>> {
        let row = (0_i64..40_000, 0_i64..4, 0_i64..2, prop_oneof![0_i64..9, 0_i64..9_000]);
        let points = |(start, stride, step, count): (i64, i64, i64, i64)| {
            (0..count).map(move |n| Point::new(start + n * stride, n * (1 - stride.min(1)) + step, 0.5))
        };
        prop::collection::vec(row, 1..4)
            .prop_map(move |rows| rows.into_iter().flat_map(points).collect::<Vec<_>>())
            .prop_shuffle()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn sealed_in_any_grouping_the_points_are_the_same(
            batches in prop::collection::vec((batch(), 0_usize..3), 1..8),
        ) {
            let mut stored = Stored::default();
            for (batch, extra) in &batches {
                stored.seal(batch, *extra);
            }
            // In order and without repetitions, block after block: so the blocks are disjoint, too.
            prop_assert!(stored.points() == distinct(batches.into_iter().flat_map(|(batch, _)| batch)));
        }
    }
}
