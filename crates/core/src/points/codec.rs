//! The bytes of points, shared by tail rows and blocks.
//!
//! Per point: the timestamp's difference to the one before as a varint (wrapping and unsigned, for times mostly
//! rise), the step's difference as a zigzag varint, and the 8 bytes of the value, least significant first. A sequence
//! of points has exactly one encoding, so that what decodes encodes to the same bytes.

use super::Point;

/// The fewest bytes a point takes: what the bytes at hand can hold at most follows from it.
const LEAST_BYTES_PER_POINT: usize = 10;

/// What a point usually takes, for reserving room.
pub(super) const USUAL_BYTES_PER_POINT: usize = 12;

/// Appends `number` in groups of 7 bits, least significant first.
pub(super) fn put_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(low_byte(number) | 0x80);
        number >>= 7;
    }
    bytes.push(low_byte(number));
}

/// Appends `points`, whose number the reader has to know.
pub(super) fn put_points(bytes: &mut Vec<u8>, points: &[Point]) {
    let (mut timestamp, mut step) = (0_i64, 0_i64);
    for point in points {
        put_varint(bytes, point.timestamp.wrapping_sub(timestamp).cast_unsigned());
        put_varint(bytes, zigzag(point.step.wrapping_sub(step)));
        bytes.extend_from_slice(&point.value.to_le_bytes());
        (timestamp, step) = (point.timestamp, point.step);
    }
}

/// Takes bytes apart from the front; every method answers `None` where they are not what an encoder writes.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    pub(super) fn varint(&mut self) -> Option<u64> {
        let first = self.byte()?;
        if first < 0x80 {
            return Some(u64::from(first));
        }
        self.long_varint(first)
    }

    /// Reads `count` points, after checking that the bytes at hand can hold so many.
    pub(super) fn points(&mut self, count: u64) -> Option<Vec<Point>> {
        let count = usize::try_from(count).ok()?;
        if count > self.rest.len() / LEAST_BYTES_PER_POINT {
            return None;
        }
        let mut points = Vec::with_capacity(count);
        let (mut timestamp, mut step) = (0_i64, 0_i64);
        for _ in 0..count {
            timestamp = timestamp.wrapping_add(self.varint()?.cast_signed());
            step = step.wrapping_add(unzigzag(self.varint()?));
            points.push(Point::from_normalised(timestamp, step, self.value()?)?);
        }
        Some(points)
    }

    /// The rest of a varint of several bytes; refuses more than 64 bits, and zeros that a shorter form would spare.
    fn long_varint(&mut self, first: u8) -> Option<u64> {
        let mut number = u64::from(first & 0x7f);
        for shift in (7..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return None;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return (byte != 0).then_some(number);
            }
        }
        None
    }

    fn value(&mut self) -> Option<f64> {
        let (value, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(f64::from_le_bytes(*value))
    }
}

fn low_byte(number: u64) -> u8 {
    number.to_le_bytes()[0]
}

/// Small numbers of either sign become small numbers: 0, -1, 1, -2 ... become 0, 1, 2, 3 ...
fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    #[test]
    fn a_varint_longer_than_need_be_is_refused() {
        assert_eq!(Reader::new(&[0x80, 0x00]).varint(), None);
    }

    #[test]
    fn a_varint_of_more_than_64_bits_is_refused() {
        let greatest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        let mut too_great = greatest;
        too_great[9] = 0x02;
        assert_eq!(Reader::new(&greatest).varint(), Some(u64::MAX));
        assert_eq!(Reader::new(&too_great).varint(), None);
    }

    #[test]
    fn a_value_no_point_can_have_is_refused() {
        for value in [f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::from_bits(f64::NAN.to_bits() | 1)] {
            let bytes = [&[0, 0], value.to_le_bytes().as_slice()].concat();
            assert_eq!(Reader::new(&bytes).points(1), None, "{value:?}");
        }
    }

    #[test]
    fn a_count_beyond_the_bytes_is_refused_before_room_is_made() {
        // Would end the test with a failed allocation, were the count believed.
        assert_eq!(Reader::new(&[0; 64]).points(u64::MAX / 64), None);
    }

    proptest! {
        #[test]
        fn varints_read_back(number in any::<u64>()) {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, number);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.varint(), Some(number));
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn zigzag_reads_back(number in any::<i64>()) {
            prop_assert_eq!(unzigzag(zigzag(number)), number);
        }

        #[test]
        fn points_in_any_order_read_back(points in crate::points::testing::points(40)) {
            let mut bytes = Vec::new();
            put_points(&mut bytes, &points);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.points(points.len() as u64), Some(points));
            prop_assert!(reader.is_empty());
        }
    }
}
