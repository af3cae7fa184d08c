//! Rows of the tail: the points of one request, grouped by key.
//!
//! A row is a version byte and then, for each key in ascending order, the key and the number of its points as
//! varints, and the points in the order in which they came.

use std::collections::BTreeMap;

use super::Point;
use super::codec::{Reader, USUAL_BYTES_PER_POINT, put_points, put_varint};
use crate::ids::KeyId;
use crate::{Error, Result};

const VERSION: u8 = 1;

/// Points by key, ascending: the order in which rows of several keys are to be written.
pub type PointsByKey = BTreeMap<KeyId, Vec<Point>>;

/// The bytes of a tail row. Keys without points leave no trace.
pub fn encode(points: &PointsByKey) -> Vec<u8> {
    let count: usize = points.values().map(Vec::len).sum();
    let mut bytes = Vec::with_capacity(1 + count * USUAL_BYTES_PER_POINT);
    bytes.push(VERSION);
    for (key, points) in points.iter().filter(|(_, points)| !points.is_empty()) {
        put_varint(&mut bytes, key.0.cast_unsigned());
        put_varint(&mut bytes, points.len() as u64);
        put_points(&mut bytes, points);
    }
    bytes
}

/// Appends the points of a tail row to `points`.
///
/// Fails with `Internal` when the bytes are not a tail row; `points` is then as it was.
pub fn decode_into(points: &mut PointsByKey, row: &[u8]) -> Result<()> {
    let groups = groups(row).ok_or_else(|| Error::internal("corrupt row of the metric tail"))?;
    for (key, group) in groups {
        points.entry(key).or_default().extend(group);
    }
    Ok(())
}

fn groups(row: &[u8]) -> Option<Vec<(KeyId, Vec<Point>)>> {
    let mut reader = Reader::new(row);
    if reader.byte()? != VERSION {
        return None;
    }
    let mut groups: Vec<(KeyId, Vec<Point>)> = Vec::new();
    while !reader.is_empty() {
        let key = KeyId(reader.varint()?.cast_signed());
        if groups.last().is_some_and(|(previous, _)| *previous >= key) {
            return None;
        }
        let count = reader.varint()?;
        let points = reader.points(count).filter(|points| !points.is_empty())?;
        groups.push((key, points));
    }
    Some(groups)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;
    use crate::points::testing;

    use proptest::prelude::*;

    fn decode(row: &[u8]) -> Result<PointsByKey> {
        let mut points = PointsByKey::new();
        decode_into(&mut points, row).map(|()| points)
    }

    fn two_keys() -> PointsByKey {
        let first = vec![Point::new(1_700_000_000_000, 1, 0.5), Point::new(1_700_000_000_050, 2, f64::NAN)];
        PointsByKey::from([(KeyId(7), first), (KeyId(900), vec![Point::new(0, -1, 1.0)])])
    }

    #[test]
    fn a_second_row_adds_to_the_points_of_the_first() {
        let mut points = two_keys();
        decode_into(&mut points, &encode(&two_keys())).unwrap();
        assert_eq!(points.values().map(Vec::len).collect::<Vec<_>>(), [4, 2]);
    }

    #[test]
    fn a_row_cut_short_anywhere_is_corrupt_unless_cut_between_keys() {
        let row = encode(&two_keys());
        let first_key_only = two_keys().into_iter().take(1).collect::<PointsByKey>();
        let whole = [1, encode(&first_key_only).len(), row.len()];
        let readable: Vec<usize> = (0..=row.len()).filter(|&end| decode(&row[..end]).is_ok()).collect();
        assert_eq!(readable, whole);
    }

    #[test]
    fn a_row_of_an_unknown_version_is_corrupt() {
        let mut row = encode(&two_keys());
        row[0] = 2;
        assert_eq!(decode(&row).unwrap_err().kind(), Kind::Internal);
    }

    #[test]
    fn a_corrupt_row_adds_nothing() {
        let mut row = encode(&two_keys());
        row.pop();
        let mut points = PointsByKey::new();
        decode_into(&mut points, &row).unwrap_err();
        assert_eq!(points, PointsByKey::new());
    }

    #[test]
    fn a_row_with_keys_out_of_order_is_corrupt() {
        let group = |key| [&[key, 1, 0, 0], 1.0_f64.to_le_bytes().as_slice()].concat();
        let row = |first, second| [vec![VERSION], group(first), group(second)].concat();
        assert!(decode(&row(3, 4)).is_ok());
        assert!(decode(&row(4, 3)).is_err());
        assert!(decode(&row(3, 3)).is_err());
    }

    #[test]
    fn a_row_with_a_key_of_no_points_is_corrupt() {
        assert!(decode(&[VERSION, 3, 0]).is_err());
    }

    proptest! {
        #[test]
        fn rows_read_back(points in prop::collection::btree_map(any::<i64>().prop_map(KeyId), testing::points(9), 0..9)) {
            let mut stored = points;
            let row = encode(&stored);
            stored.retain(|_, points| !points.is_empty());
            prop_assert_eq!(decode(&row).unwrap(), stored);
        }

        #[test]
        fn a_changed_byte_gives_another_row_or_an_error(index in 0_usize..1_000, flip in 1_u8..) {
            let mut bytes = encode(&two_keys());
            let index = index % bytes.len();
            bytes[index] ^= flip;
            if let Ok(changed) = decode(&bytes) {
                prop_assert_eq!(encode(&changed), bytes);
            }
        }
    }
}
