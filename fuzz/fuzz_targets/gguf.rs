//! Arbitrary bytes are refused as a GGUF file, or read as facts that survive storing, however much is given.
#![no_main]

mod facts;

use libfuzzer_sys::fuzz_target;
use modelry_core::formats::FileKind;

fuzz_target!(|bytes: &[u8]| {
    facts::check(FileKind::Gguf, bytes, bytes.len() as u64);
    let file = [b"GGUF\x03\0\0\0", bytes].concat();
    // As if data came behind what is given.
    facts::check(FileKind::Gguf, &file, 1 << 30);
});
