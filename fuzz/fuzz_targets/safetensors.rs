//! Arbitrary bytes are refused as a safetensors file, or read as facts that survive storing, however much is given.
#![no_main]

mod facts;

use libfuzzer_sys::fuzz_target;
use modelry_core::formats::FileKind;

fuzz_target!(|bytes: &[u8]| {
    facts::check(FileKind::Safetensors, bytes, bytes.len() as u64);
    // With the length of the header made right, the bytes reach the reader of its JSON.
    let file = [&(bytes.len() as u64).to_le_bytes()[..], bytes].concat();
    facts::check(FileKind::Safetensors, &file, file.len() as u64);
});
