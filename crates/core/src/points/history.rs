//! Reading the history of a key, page by page, from its blocks and its tail.

use std::num::NonZeroUsize;

use super::block::Block;
use super::{Point, Position};
use crate::Result;

/// Some points of a history, ascending and without repetitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The points of this page.
    pub points: Vec<Point>,
    /// The position after which the next page starts; `None` on the last page.
    pub next: Option<Position>,
}

/// Reads the first `limit` points after `after`; from the start where that is `None`.
///
/// `tail` are the key's points of the tail, in any order. `next_block` gives the key's blocks in ascending order, one a
/// call, then `None`; it may start with the last block that starts at or before `after`. It is called only as long
/// as the page is not full, and its failure is the only one.
pub fn read_page(
    after: Option<Position>,
    limit: NonZeroUsize,
    mut tail: Vec<Point>,
    mut next_block: impl FnMut() -> Result<Option<Block>>,
) -> Result<Page> {
    let is_wanted = |point: &Point| after.is_none_or(|after| point.position() > after);
    tail.retain(is_wanted);
    let mut merge = Merge::new(tail);
    let mut points = Vec::new();
    // One point more than the page holds tells whether there is a next page.
    while points.len() <= limit.get() {
        let Some(block) = next_block()? else {
            points.extend_from_slice(merge.rest());
            break;
        };
        points.extend(merge.with(block).into_iter().filter(is_wanted));
    }
    Ok(cut(points, limit))
}

/// Puts the points of the tail where they belong among blocks that come one after the other.
#[derive(Debug)]
pub struct Merge {
    tail: Vec<Point>,
    /// How many of the tail are told.
    told: usize,
}

impl Merge {
    /// The points of the tail, in any order and with repetitions.
    pub fn new(mut tail: Vec<Point>) -> Self {
        tail.sort_unstable();
        tail.dedup();
        Self { tail, told: 0 }
    }

    /// The points of the next block in ascending order, with those of the tail that come before its last one, each once.
    pub fn with(&mut self, block: Block) -> Vec<Point> {
        let mut points = block.into_points();
        let last = points.last().copied();
        let earlier = self.rest().partition_point(|point| Some(*point) <= last);
        if earlier > 0 {
            points.extend_from_slice(&self.rest()[..earlier]);
            self.told += earlier;
            // The stable sort merges stretches that are in order already, and here both are.
            points.sort();
            points.dedup();
        }
        points
    }

    /// What of the tail is not told yet: behind the last block, the end of the history.
    pub fn rest(&self) -> &[Point] {
        &self.tail[self.told..]
    }
}

fn cut(mut points: Vec<Point>, limit: NonZeroUsize) -> Page {
    let has_more = points.len() > limit.get();
    points.truncate(limit.get());
    let next = points.last().map(Point::position).filter(|_| has_more);
    Page { points, next }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::points::testing;

    use proptest::prelude::*;

    /// The pages of a history whose `blocks` hold a few points each.
    fn pages(stored: &[Point], per_block: usize, tail: &[Point], limit: usize) -> Vec<Page> {
        let limit = NonZeroUsize::new(limit).unwrap();
        let mut pages: Vec<Page> = Vec::new();
        loop {
            let after = pages.last().and_then(|page| page.next);
            let mut blocks = stored.chunks(per_block).map(|points| Block::new(points.to_vec()));
            pages.push(read_page(after, limit, tail.to_vec(), || Ok(blocks.next().flatten())).unwrap());
            if pages.last().is_some_and(|page| page.next.is_none()) {
                return pages;
            }
        }
    }

    fn run(timestamps: std::ops::Range<i64>) -> Vec<Point> {
        timestamps.map(|timestamp| Point::new(timestamp, 0, 0.5)).collect()
    }

    #[test]
    fn a_point_in_both_block_and_tail_is_read_once() {
        let pages = pages(&run(0..4), 2, &run(2..6), 100);
        assert_eq!(pages, [Page { points: run(0..6), next: None }]);
    }

    #[test]
    fn a_page_that_ends_with_the_history_names_no_next() {
        let pages = pages(&run(0..3), 9, &run(3..4), 2);
        let ends: Vec<_> = pages.iter().map(|page| page.next.map(|next| next.timestamp)).collect();
        assert_eq!(ends, [Some(1), None]);
    }

    #[test]
    fn blocks_behind_a_full_page_are_not_read() {
        let mut blocks = 0;
        let page = read_page(None, NonZeroUsize::MIN, Vec::new(), || {
            blocks += 1;
            Ok(Block::new(run(blocks * 4..(blocks + 1) * 4)))
        });
        assert_eq!(page.unwrap().points.len(), 1);
        assert_eq!(blocks, 1);
    }

    #[test]
    fn an_empty_history_is_one_empty_page() {
        assert_eq!(pages(&[], 1, &[], 5), [Page { points: Vec::new(), next: None }]);
    }

    #[test]
    fn a_block_that_cannot_be_read_stops_the_page() {
        let page = read_page(None, NonZeroUsize::MIN, Vec::new(), || Block::decode(&[9]).map(Some));
        assert_eq!(page.unwrap_err().kind(), crate::Kind::Internal);
    }

    proptest! {
        #[test]
        fn the_pages_together_are_the_distinct_points(
            stored in testing::points(40), tail in testing::points(20), per_block in 1_usize..9, limit in 1_usize..30,
        ) {
            let pages = pages(&testing::distinct(stored.clone()), per_block, &tail, limit);
            let (last, full) = pages.split_last().unwrap();
            prop_assert!(full.iter().all(|page| page.points.len() == limit) && last.points.len() <= limit);
            let read: Vec<Point> = pages.into_iter().flat_map(|page| page.points).collect();
            prop_assert_eq!(read, testing::distinct(stored.into_iter().chain(tail)));
        }
    }
}
