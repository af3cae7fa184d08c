//! Arbitrary bytes are refused as rows and blocks of points, or read and written back unchanged.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelry_core::points::Point;
use modelry_core::points::block::Block;
use modelry_core::points::seal::seal;
use modelry_core::points::tail::{self, PointsByKey};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(block) = Block::decode(bytes) {
        assert_eq!(block.encode(), bytes, "a block has one encoding");
        let header = block.header();
        assert_eq!(Some(header.first), block.points().first().map(Point::position));
    }
    let mut row = PointsByKey::new();
    if tail::decode_into(&mut row, bytes).is_ok() {
        assert_eq!(tail::encode(&row), bytes, "a row has one encoding");
        for points in row.into_values() {
            let distinct = points.iter().collect::<std::collections::BTreeSet<_>>().len();
            let sealed = seal(&[], points, |_| unreachable!("there are no blocks")).expect("nothing is read");
            let written: usize = sealed.written.iter().map(|block| block.points().len()).sum();
            assert_eq!(written, distinct, "sealing keeps every distinct point once");
        }
    }
});
