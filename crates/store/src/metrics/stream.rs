//! All points of a key, block by block, in bounded memory.

use modelry_core::Result;
use modelry_core::ids::KeyId;
use modelry_core::points::block::Block;
use modelry_core::points::history::Merge;
use modelry_core::points::series::Range;
use modelry_core::points::{Point, Position};
use modelry_db::Tx;

use super::append::start_at_or_before;
use super::history::tail_points;
use crate::candidates::Place;

/// Hands over the points of a key in order, each once and some at a time: all that lie in `times`, and perhaps others.
pub(super) fn each_point(
    tx: &mut Tx<'_>,
    place: Place,
    key: KeyId,
    times: Range<i64>,
    mut each: impl FnMut(&[Point]),
) -> Result<()> {
    let mut tail = tail_points(tx, place, key)?;
    tail.retain(|point| times.contains(point.timestamp()));
    let mut merge = Merge::new(tail);
    let from = Position { timestamp: times.from, step: i64::MIN, value_bits: i64::MIN };
    let start = start_at_or_before(tx, place, key, from)?.unwrap_or(from);
    tx.query_each(
        "SELECT data FROM metric_block
         WHERE project_id = $1 AND candidate_id = $2 AND key_id = $3
           AND (first_ts, first_step, first_bits) >= ($4, $5, $6) AND first_ts <= $7
         ORDER BY first_ts, first_step, first_bits",
        &[
            &place.project.0,
            &place.candidate.0,
            &key.0,
            &start.timestamp,
            &start.step,
            &start.value_bits,
            &times.to,
        ],
        |row| {
            each(&merge.with(Block::decode(&row.get::<Vec<u8>>(0)?)?));
            Ok(())
        },
    )?;
    each(merge.rest());
    Ok(())
}
