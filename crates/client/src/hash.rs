//! Digests of files on the disk.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use modelry_core::Result;
use modelry_core::digest::Sha256;
use sha2::Digest as _;

use crate::files::failed;
use crate::parallel::Stop;

/// How much of a file is read, received or sent in one go.
pub(crate) const CHUNK_BYTES: usize = 256 * 1024;

/// A digest that is being taken.
#[derive(Clone, Default)]
pub(crate) struct Hasher(sha2::Sha256);

impl Hasher {
    /// Takes more bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all bytes.
    pub(crate) fn finish(self) -> Sha256 {
        Sha256(self.0.finalize().into())
    }
}

/// The digest of all bytes of `file` from where it stands; `seen` is told how many each time that some were read.
pub(crate) fn rest_of(file: &mut File, path: &Path, stop: &Stop, seen: &dyn Fn(u64)) -> Result<Hasher> {
    let mut hasher = Hasher::default();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        stop.check()?;
        let read = file.read(&mut chunk).map_err(|error| failed("read", path, &error))?;
        if read == 0 {
            return Ok(hasher);
        }
        hasher.update(&chunk[..read]);
        seen(read as u64);
    }
}

/// The digest of the file at `path`.
pub(crate) fn of_file(path: &Path, stop: &Stop, seen: &dyn Fn(u64)) -> Result<Sha256> {
    let mut file = File::open(path).map_err(|error| failed("open", path, &error))?;
    Ok(rest_of(&mut file, path, stop, seen)?.finish())
}

/// The digest of a text.
pub(crate) fn of_text(text: &str) -> Sha256 {
    let mut hasher = Hasher::default();
    hasher.update(text.as_bytes());
    hasher.finish()
}
