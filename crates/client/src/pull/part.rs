//! One content on its way: received in pieces beside its place, verified, moved.
//!
//! A large one is received in several pieces at a time, and a file beside it says how much of each is there. Of a small
//! one that is what the file itself has.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use modelry_core::digest::Sha256;
use modelry_core::{Error, Kind, Result};

use super::target::Folder;
use crate::api::{File, Version};
use crate::files::failed;
use crate::hash::{self, CHUNK_BYTES, Hasher};
use crate::http::Api;
use crate::manifest::file_path;
use crate::parallel::{Patience, Stop};
use crate::progress::Progress;

/// How much is asked for at a time, and so from which size on a file is received in several pieces at once.
const PIECE_BYTES: u64 = 64 << 20;
/// After how much it is written down how much of a piece is there.
const NOTED_BYTES: u64 = 8 << 20;

/// Where bytes come from, and who is told about it.
pub(super) struct Way<'a> {
    pub(super) api: &'a Api,
    pub(super) version: &'a Version,
    pub(super) stop: &'a Stop,
    pub(super) progress: &'a Progress,
}

/// One content, and the places where it is to lie.
#[derive(Debug)]
pub(super) struct Part {
    path: String,
    size: u64,
    digest: Sha256,
    targets: Vec<PathBuf>,
    bytes: PathBuf,
    notes: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How many bytes of each piece are there.
    received: Vec<u64>,
    /// Whether bytes of an earlier pull are among them.
    is_continued: bool,
    /// Whether somebody verifies it.
    is_claimed: bool,
}

impl Part {
    /// Finds what is there of `file`.
    pub(super) fn open(folder: &Folder, file: &File) -> Result<Self> {
        let digest = file.digest()?;
        let part = Self {
            targets: vec![folder.place(&file.path)],
            bytes: folder.unfinished(&format!("{digest}.part")),
            notes: folder.unfinished(&format!("{digest}.pieces")),
            path: file.path.clone(),
            size: file.size,
            digest,
            state: Mutex::new(State::default()),
        };
        let received = part.find_received();
        let is_continued = received.iter().any(|received| *received > 0);
        *part.state() = State { received, is_continued, is_claimed: false };
        Ok(part)
    }

    /// The same content is to lie at `place` as well.
    pub(super) fn also_at(&mut self, place: PathBuf) {
        self.targets.push(place);
    }

    /// How many bytes it has.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// In how many pieces it is received.
    pub(super) fn pieces(&self) -> usize {
        usize::try_from(self.size.div_ceil(PIECE_BYTES)).unwrap_or(usize::MAX).max(1)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first byte of a piece, and the one after its last.
    fn range(&self, piece: usize) -> (u64, u64) {
        let start = piece as u64 * PIECE_BYTES;
        (start, self.size.min(start + PIECE_BYTES))
    }

    /// How much of each piece an earlier pull has left.
    fn find_received(&self) -> Vec<u64> {
        let nothing = vec![0; self.pieces()];
        let Ok(metadata) = fs::metadata(&self.bytes) else { return nothing };
        if self.pieces() == 1 {
            return vec![if metadata.len() <= self.size { metadata.len() } else { 0 }];
        }
        let noted: Vec<u64> = fs::read(&self.notes)
            .unwrap_or_default()
            .chunks_exact(8)
            .map(|bytes| u64::from_le_bytes(bytes.try_into().expect("there are eight")))
            .collect();
        let fits = noted.len() == nothing.len()
            && noted.iter().enumerate().all(|(piece, noted)| {
                let (start, end) = self.range(piece);
                *noted == 0 || (*noted <= end - start && start + noted <= metadata.len())
            });
        if fits { noted } else { nothing }
    }

    /// Receives a piece. Whoever receives the last one verifies the whole and moves it to its place.
    ///
    /// Fails with `Conflict` where the bytes are not those of the manifest, and leaves none of them then.
    pub(super) fn fetch(&self, way: &Way<'_>, piece: usize) -> Result<()> {
        way.progress.add_bytes(self.received(piece));
        let hasher = self.receive(way, piece)?;
        if !self.is_last() {
            return Ok(());
        }
        let mut found = self.found(hasher, way.stop)?;
        if found != self.digest && self.forget()? {
            // What an earlier pull has left may be what is wrong: all of it is received anew, once.
            let mut hasher = None;
            for piece in 0..self.pieces() {
                hasher = self.receive(way, piece)?;
            }
            found = self.found(hasher, way.stop)?;
        }
        if found != self.digest {
            self.forget()?;
            return Err(Error::conflict(format!(
                "the bytes of {} do not verify: the manifest says sha256 {}, what was received has {found}; pull \
                 again, and if that does not help, have `modelry fsck` run on the server",
                self.path, self.digest
            )));
        }
        self.place()?;
        way.progress.add_files(1);
        Ok(())
    }

    fn received(&self, piece: usize) -> u64 {
        self.state().received[piece]
    }

    /// Whether all is there, and nobody was told so before.
    fn is_last(&self) -> bool {
        let mut state = self.state();
        let received: u64 = state.received.iter().sum();
        let is_last = received == self.size && !state.is_claimed;
        state.is_claimed |= is_last;
        is_last
    }

    /// The digest of what is there. A small file was hashed on the way.
    fn found(&self, hasher: Option<Hasher>, stop: &Stop) -> Result<Sha256> {
        hasher.map_or_else(|| hash::of_file(&self.bytes, stop, &|_| ()), |hasher| Ok(hasher.finish()))
    }

    /// Throws away what is there, and answers whether bytes of an earlier pull were among it.
    fn forget(&self) -> Result<bool> {
        remove(&self.notes)?;
        remove(&self.bytes)?;
        let mut state = self.state();
        state.received.fill(0);
        Ok(std::mem::replace(&mut state.is_continued, false))
    }

    /// Receives what is missing of a piece, and tries again when the connection breaks off. Of a file of one piece it
    /// answers the digest of the whole.
    fn receive(&self, way: &Way<'_>, piece: usize) -> Result<Option<Hasher>> {
        let failed = |error: io::Error| failed("write", &self.bytes, &error);
        let mut options = OpenOptions::new();
        let mut file =
            options.read(true).write(true).create(true).truncate(false).open(&self.bytes).map_err(failed)?;
        let mut hasher = None;
        if self.pieces() == 1 {
            file.set_len(self.received(piece)).map_err(failed)?;
            hasher = Some(hash::rest_of(&mut file, &self.bytes, way.stop, &|_| ())?);
        }
        let (start, end) = self.range(piece);
        let mut patience = Patience::default();
        loop {
            let before = self.received(piece);
            if start + before == end {
                return Ok(hasher);
            }
            let outcome = self.request(way, &file, piece, &mut hasher);
            self.note()?;
            match outcome {
                Ok(()) => {}
                Err(error) if error.kind() == Kind::Unavailable => {
                    if self.received(piece) > before {
                        patience.renew();
                    }
                    patience.bear(error, way.stop)?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Asks once for what is missing of a piece.
    fn request(
        &self,
        way: &Way<'_>,
        file: &fs::File,
        piece: usize,
        hasher: &mut Option<Hasher>,
    ) -> Result<()> {
        let (start, end) = self.range(piece);
        let at = start + self.received(piece);
        let path = file_path(way.version, &self.path);
        let mut incoming = way.api.download(&path, (at, end), &self.digest.to_string())?;
        if !incoming.is_part && end - at < self.size {
            return Err(Error::conflict(format!(
                "{} changed while it was pulled, or its server does not answer ranges; remove {} to begin anew",
                self.path,
                self.bytes.display()
            )));
        }
        let broke_off = |error: io::Error| Error::unavailable(format!("{} broke off: {error}", self.path));
        let mut chunk = vec![0; CHUNK_BYTES];
        let (mut at, mut noted) = (at, at);
        // A byte more than there should be is asked for as well: it shows that the file is another.
        while at <= end {
            way.stop.check()?;
            let most = CHUNK_BYTES.min(usize::try_from(end - at).unwrap_or(CHUNK_BYTES).max(1));
            let read = incoming.bytes.read(&mut chunk[..most]).map_err(broke_off)?;
            if read == 0 {
                break;
            }
            if at == end {
                return Err(Error::conflict(format!("{} is longer than its manifest says", self.path)));
            }
            file.write_all_at(&chunk[..read], at).map_err(|error| failed("write", &self.bytes, &error))?;
            if let Some(hasher) = hasher {
                hasher.update(&chunk[..read]);
            }
            at += read as u64;
            self.state().received[piece] += read as u64;
            way.progress.add_bytes(read as u64);
            if at - noted >= NOTED_BYTES {
                noted = at;
                self.note()?;
            }
        }
        if at < end { Err(broke_off(io::ErrorKind::UnexpectedEof.into())) } else { Ok(()) }
    }

    /// Writes down how much of each piece is there, where there is more than one.
    fn note(&self) -> Result<()> {
        if self.pieces() == 1 {
            return Ok(());
        }
        let state = self.state();
        let notes: Vec<u8> = state.received.iter().flat_map(|received| received.to_le_bytes()).collect();
        fs::write(&self.notes, notes).map_err(|error| failed("write", &self.notes, &error))
    }

    /// Moves it to its place, and copies of it to the others.
    fn place(&self) -> Result<()> {
        let (last, others) = self.targets.split_last().expect("there is a place for every file");
        let copy = self.bytes.with_extension("copy");
        for target in others {
            fs::copy(&self.bytes, &copy).map_err(|error| failed("write", &copy, &error))?;
            rename(&copy, target)?;
        }
        rename(&self.bytes, last)?;
        remove(&self.notes)
    }
}

/// Moves a file, and makes the folder that it comes into.
fn rename(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(|error| failed("make", folder, &error))?;
    }
    fs::rename(from, to).map_err(|error| failed("write", to, &error))
}

/// Removes a file that may not be there.
fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path, &error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u64 = 3 * PIECE_BYTES + 5;

    /// A file of four pieces, of which this much was noted, and a part of this length.
    fn continued(noted: [u64; 4], length: u64) -> Vec<u64> {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path(), &[]).unwrap();
        let sha256 = Sha256([7; 32]).to_string();
        let file = |name: String| fs::File::create(folder.unfinished(&name)).unwrap();
        file(format!("{sha256}.part")).set_len(length).unwrap();
        let bytes: Vec<u8> = noted.iter().flat_map(|noted| noted.to_le_bytes()).collect();
        fs::write(folder.unfinished(&format!("{sha256}.pieces")), bytes).unwrap();
        let part =
            Part::open(&folder, &File { path: "x".to_owned(), size: SIZE, sha256: Some(sha256) }).unwrap();
        part.state().received.clone()
    }

    #[test]
    fn the_last_piece_is_as_long_as_what_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path(), &[]).unwrap();
        let sha256 = Some(Sha256([7; 32]).to_string());
        let part = Part::open(&folder, &File { path: "x".to_owned(), size: SIZE, sha256 }).unwrap();
        assert_eq!((part.pieces(), part.range(3)), (4, (3 * PIECE_BYTES, SIZE)));
    }

    #[test]
    fn what_was_noted_is_continued() {
        assert_eq!(continued([PIECE_BYTES, 7, 0, 5], SIZE), [PIECE_BYTES, 7, 0, 5]);
    }

    #[test]
    fn notes_that_do_not_fit_the_bytes_are_not_believed() {
        assert_eq!(continued([0, 7, 0, 0], PIECE_BYTES + 6), [0; 4]);
        assert_eq!(continued([PIECE_BYTES + 1, 0, 0, 0], SIZE), [0; 4]);
    }
}
