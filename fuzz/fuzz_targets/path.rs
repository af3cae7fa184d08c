//! Whatever is accepted as the path of an artifact stays below the folder it is put in, decoded or not.
#![no_main]

use std::path::{Component, Path, PathBuf};

use libfuzzer_sys::fuzz_target;
use modelry_core::artifact_path::ArtifactPath;

const ROOT: &str = "/data/artifacts";

fuzz_target!(|text: &str| {
    let Ok(path) = text.parse::<ArtifactPath>() else { return };
    assert_eq!(path.to_string(), text, "a path is kept as it is");
    assert_eq!(path.to_string().parse::<ArtifactPath>().expect("a path reads back"), path);
    assert_eq!(path.segments().collect::<Vec<_>>().join("/"), text);

    let mut level = text.to_owned();
    loop {
        let place = normalised(&Path::new(ROOT).join(&level));
        assert!(place.starts_with(ROOT) && place != Path::new(ROOT), "{level:?} leaves its folder");
        let Some(decoded) = decoded(&level) else { return };
        level = decoded;
    }
});

/// The path without `.` and `..`, as a file system would follow it.
fn normalised(path: &Path) -> PathBuf {
    let mut normalised = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(normalised.pop()),
            Component::Normal(_) | Component::RootDir | Component::Prefix(_) => normalised.push(component),
        }
    }
    normalised
}

/// The text with one `%xx` decoded, or `None` where there is none. One at a time and by hand: a decoder of its own
/// does not share the mistakes of the one under test.
fn decoded(text: &str) -> Option<String> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes = text.as_bytes();
    (0..bytes.len().saturating_sub(2)).filter(|&at| bytes[at] == b'%').find_map(|at| {
        let byte = digit(bytes[at + 1])? << 4 | digit(bytes[at + 2])?;
        let text = [&bytes[..at], &[byte], &bytes[at + 3..]].concat();
        Some(String::from_utf8_lossy(&text).into_owned())
    })
}
