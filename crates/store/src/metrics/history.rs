//! Reading points back, in their order, a page at a time.

use std::num::NonZeroUsize;

use modelry_core::Result;
use modelry_core::ids::KeyId;
use modelry_core::points::block::Block;
use modelry_core::points::history::{Page, read_page};
use modelry_core::points::tail::{self, PointsByKey};
use modelry_core::points::{Point, Position};
use modelry_db::Tx;

use super::append::start_at_or_before;
use crate::candidates::Place;

/// Up to `limit` points of one key after `after`, by time, step and value.
pub fn history(
    tx: &mut Tx<'_>,
    place: Place,
    key: KeyId,
    after: Option<Position>,
    limit: NonZeroUsize,
) -> Result<Page> {
    let tail = tail_points(tx, place, key)?;
    let mut next = match after {
        None => Next::AtOrAfter(Position { timestamp: i64::MIN, step: i64::MIN, value_bits: i64::MIN }),
        Some(after) => Next::AtOrAfter(start_at_or_before(tx, place, key, after)?.unwrap_or(after)),
    };
    read_page(after, limit, tail, || {
        let found = next_block(tx, place, key, next)?;
        Ok(found.map(|(first, block)| {
            next = Next::After(first);
            block
        }))
    })
}

#[derive(Clone, Copy)]
enum Next {
    AtOrAfter(Position),
    After(Position),
}

fn next_block(tx: &mut Tx<'_>, place: Place, key: KeyId, next: Next) -> Result<Option<(Position, Block)>> {
    let (comparison, position) = match next {
        Next::AtOrAfter(position) => (">=", position),
        Next::After(position) => (">", position),
    };
    let found = tx.query_opt(
        &format!(
            "SELECT first_ts, first_step, first_bits, data FROM metric_block
             WHERE project_id = $1 AND candidate_id = $2 AND key_id = $3
               AND (first_ts, first_step, first_bits) {comparison} ($4, $5, $6)
             ORDER BY first_ts, first_step, first_bits
             LIMIT 1"
        ),
        &[
            &place.project.0,
            &place.candidate.0,
            &key.0,
            &position.timestamp,
            &position.step,
            &position.value_bits,
        ],
        |row| {
            let first = Position { timestamp: row.get(0)?, step: row.get(1)?, value_bits: row.get(2)? };
            Ok((first, row.get::<Vec<u8>>(3)?))
        },
    )?;
    found.map(|(first, data)| Ok((first, Block::decode(&data)?))).transpose()
}

/// The points of a key that are not in blocks yet, in any order.
pub(super) fn tail_points(tx: &mut Tx<'_>, place: Place, key: KeyId) -> Result<Vec<Point>> {
    let mut points = PointsByKey::new();
    tx.query_each(
        "SELECT data FROM metric_tail WHERE project_id = $1 AND candidate_id = $2",
        &[&place.project.0, &place.candidate.0],
        |row| tail::decode_into(&mut points, &row.get::<Vec<u8>>(0)?),
    )?;
    Ok(points.remove(&key).unwrap_or_default())
}
