//! Writing points: a row of the tail, the latest values, and sealing.

use modelry_core::Result;
use modelry_core::ids::KeyId;
use modelry_core::points::block::{Block, Header};
use modelry_core::points::latest::Latest;
use modelry_core::points::seal::{self, Sealed};
use modelry_core::points::tail::{self, PointsByKey};
use modelry_core::points::{Point, Position};
use modelry_db::{Engine, Numbers, Param, Tx};

use super::tails::{Length, Tails};
use crate::candidates::Place;
use crate::sql;

/// Appends the points of one request to a candidate, as tail row `id`, and seals the tail when it is long enough.
pub fn append(tx: &mut Tx<'_>, tails: &Tails, place: Place, id: i64, points: &PointsByKey) -> Result<()> {
    let data = tail::encode(points);
    tx.execute(
        "INSERT INTO metric_tail (id, project_id, candidate_id, data) VALUES ($1, $2, $3, $4)",
        &[&id, &place.project.0, &place.candidate.0, &data],
    )?;
    let latest: Vec<_> =
        points.iter().filter_map(|(key, points)| Some((*key, Latest::of(points)?))).collect();
    for some in sql::by_powers_of_two(&latest) {
        upsert_latest(tx, place, some)?;
    }
    if tails.stays_short(place, data.len()) {
        tails.add_on_commit(tx, place, data.len());
        return Ok(());
    }
    let length = Length::count(tx, place)?;
    if length.is_full(place.candidate) {
        seal_tail(tx, place)?;
        tails.set_on_commit(tx, place, Length::default());
    } else {
        tails.set_on_commit(tx, place, length);
    }
    Ok(())
}

/// Merges the latest values of some keys, in the order of these. `CASE` stands at each column, not a `WHERE` at the end,
/// so that the extremes also follow a point that arrives out of order.
fn upsert_latest(tx: &mut Tx<'_>, place: Place, latest: &[(KeyId, Latest)]) -> Result<()> {
    let rows = sql::rows("$1, $2, $3, $4", 5, 7, latest.len());
    let of_key: Vec<_> = latest
        .iter()
        .map(|(key, latest)| {
            let (step, timestamp) = (latest.point.step(), latest.point.timestamp());
            (key.0, latest.rank(), latest.number(), step, timestamp, latest.min, latest.max)
        })
        .collect();
    let mut values: Vec<&dyn Param> =
        vec![&place.project.0, &place.candidate.0, &place.experiment.0, &place.start_time];
    for (key, rank, value, step, timestamp, minimum, maximum) in &of_key {
        values.extend([key as &dyn Param, rank, value, step, timestamp, minimum, maximum]);
    }
    tx.execute(
        &format!(
            "INSERT INTO metric_latest AS l
                (project_id, candidate_id, experiment_id, start_time, key_id, rank, value, step, recorded_at, minimum,
                 maximum)
             VALUES {rows}
             ON CONFLICT (project_id, candidate_id, key_id) DO UPDATE SET
                rank = CASE WHEN (excluded.step, excluded.recorded_at, coalesce(excluded.value, 0.0), excluded.rank)
                    > (l.step, l.recorded_at, coalesce(l.value, 0.0), l.rank) THEN excluded.rank ELSE l.rank END,
                value = CASE WHEN (excluded.step, excluded.recorded_at, coalesce(excluded.value, 0.0), excluded.rank)
                    > (l.step, l.recorded_at, coalesce(l.value, 0.0), l.rank) THEN excluded.value ELSE l.value END,
                recorded_at = CASE WHEN (excluded.step, excluded.recorded_at) > (l.step, l.recorded_at)
                    THEN excluded.recorded_at ELSE l.recorded_at END,
                step = CASE WHEN excluded.step > l.step THEN excluded.step ELSE l.step END,
                minimum = CASE WHEN l.minimum IS NULL OR excluded.minimum < l.minimum
                    THEN coalesce(excluded.minimum, l.minimum) ELSE l.minimum END,
                maximum = CASE WHEN l.maximum IS NULL OR excluded.maximum > l.maximum
                    THEN coalesce(excluded.maximum, l.maximum) ELSE l.maximum END"
        ),
        &values,
    )?;
    Ok(())
}

/// Moves the whole tail of a candidate into blocks.
fn seal_tail(tx: &mut Tx<'_>, place: Place) -> Result<()> {
    if tx.engine() == Engine::Postgres {
        // Two processes may find the same tail long: the row's lock makes the second one wait, and find it empty.
        tx.execute(
            "UPDATE candidates SET status = status WHERE project_id = $1 AND id = $2",
            &[&place.project.0, &place.candidate.0],
        )?;
    }
    let mut points = PointsByKey::new();
    let mut sealed = Vec::new();
    tx.query_each(
        "SELECT id, data FROM metric_tail WHERE project_id = $1 AND candidate_id = $2",
        &[&place.project.0, &place.candidate.0],
        |row| {
            sealed.push(row.get::<i64>(0)?);
            tail::decode_into(&mut points, &row.get::<Vec<u8>>(1)?)
        },
    )?;
    for (key, points) in points {
        seal_key(tx, place, key, points)?;
    }
    // Those that were read and no others: on PostgreSQL another process may have added a row meanwhile.
    let ids = Numbers::rows(tx.engine(), "$3");
    tx.execute(
        &format!("DELETE FROM metric_tail WHERE project_id = $1 AND candidate_id = $2 AND id IN ({ids})"),
        &[&place.project.0, &place.candidate.0, &Numbers(sealed)],
    )?;
    Ok(())
}

fn seal_key(tx: &mut Tx<'_>, place: Place, key: KeyId, points: Vec<Point>) -> Result<()> {
    let headers = touched_blocks(tx, place, key, &points)?;
    let Sealed { replaced, written } =
        seal::seal(&headers, points, |header| read_block(tx, place, key, header.first))?;
    for first in replaced {
        tx.execute(
            "DELETE FROM metric_block
             WHERE project_id = $1 AND candidate_id = $2 AND key_id = $3
               AND first_ts = $4 AND first_step = $5 AND first_bits = $6",
            &[&place.project.0, &place.candidate.0, &key.0, &first.timestamp, &first.step, &first.value_bits],
        )?;
    }
    for block in written {
        insert_block(tx, place, key, &block)?;
    }
    Ok(())
}

/// The headers of the blocks that new points can touch: from the last that starts at or before the least point to the
/// last that starts at or before the greatest.
fn touched_blocks(tx: &mut Tx<'_>, place: Place, key: KeyId, points: &[Point]) -> Result<Vec<Header>> {
    let positions = || points.iter().map(Point::position);
    let (Some(least), Some(greatest)) = (positions().min(), positions().max()) else {
        return Ok(Vec::new());
    };
    let start = start_at_or_before(tx, place, key, least)?.unwrap_or(least);
    tx.query(
        "SELECT first_ts, first_step, first_bits, last_ts, points FROM metric_block
         WHERE project_id = $1 AND candidate_id = $2 AND key_id = $3
           AND (first_ts, first_step, first_bits) >= ($4, $5, $6)
           AND (first_ts, first_step, first_bits) <= ($7, $8, $9)
         ORDER BY first_ts, first_step, first_bits",
        &[
            &place.project.0,
            &place.candidate.0,
            &key.0,
            &start.timestamp,
            &start.step,
            &start.value_bits,
            &greatest.timestamp,
            &greatest.step,
            &greatest.value_bits,
        ],
        |row| {
            let first = Position { timestamp: row.get(0)?, step: row.get(1)?, value_bits: row.get(2)? };
            Ok(Header { first, last_timestamp: row.get(3)?, points: row.get(4)? })
        },
    )
}

/// Where the last block that starts at or before `position` starts.
pub(super) fn start_at_or_before(
    tx: &mut Tx<'_>,
    place: Place,
    key: KeyId,
    position: Position,
) -> Result<Option<Position>> {
    tx.query_opt(
        "SELECT first_ts, first_step, first_bits FROM metric_block
         WHERE project_id = $1 AND candidate_id = $2 AND key_id = $3
           AND (first_ts, first_step, first_bits) <= ($4, $5, $6)
         ORDER BY first_ts DESC, first_step DESC, first_bits DESC
         LIMIT 1",
        &[
            &place.project.0,
            &place.candidate.0,
            &key.0,
            &position.timestamp,
            &position.step,
            &position.value_bits,
        ],
        |row| Ok(Position { timestamp: row.get(0)?, step: row.get(1)?, value_bits: row.get(2)? }),
    )
}

fn read_block(tx: &mut Tx<'_>, place: Place, key: KeyId, first: Position) -> Result<Block> {
    let data: Vec<u8> = tx.query_one(
        "SELECT data FROM metric_block
         WHERE project_id = $1 AND candidate_id = $2 AND key_id = $3
           AND first_ts = $4 AND first_step = $5 AND first_bits = $6",
        &[&place.project.0, &place.candidate.0, &key.0, &first.timestamp, &first.step, &first.value_bits],
        |row| row.get(0),
    )?;
    Block::decode(&data)
}

fn insert_block(tx: &mut Tx<'_>, place: Place, key: KeyId, block: &Block) -> Result<()> {
    let header = block.header();
    tx.execute(
        "INSERT INTO metric_block
            (project_id, candidate_id, key_id, first_ts, first_step, first_bits, last_ts, points, data)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            &place.project.0,
            &place.candidate.0,
            &key.0,
            &header.first.timestamp,
            &header.first.step,
            &header.first.value_bits,
            &header.last_timestamp,
            &header.points,
            &block.encode(),
        ],
    )?;
    Ok(())
}
