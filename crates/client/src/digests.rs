//! Digests of files that were hashed before, so that a second push is not bound by hashing.
//!
//! A digest is believed as long as the file's size, times and inode are those of the moment it was taken. One of a file
//! that changed within the last moments before is not kept: it could change once more without showing it, as the times
//! of file systems have steps.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use modelry_core::Result;
use modelry_core::digest::Sha256;
use modelry_core::time::Timestamp;

use crate::THREADS;
use crate::api::File;
use crate::files::{LocalFile, Stamp};
use crate::hash;
use crate::login::write_private;
use crate::parallel::{Stop, for_each};
use crate::progress::{Progress, Shown};

/// How long a file must have been still. The coarsest times of a file system have steps of two seconds.
const STILL_NS: i128 = 2_000_000_000;

/// The digests of the files below one folder, as they become known on any thread.
#[derive(Debug)]
pub(crate) struct Digests {
    kept_in: PathBuf,
    known: Mutex<HashMap<String, Known>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    sha256: Sha256,
    size: u64,
    stamp: Stamp,
}

impl Digests {
    /// Those that are kept below `cache` for the files below `folder`, which is an absolute path.
    pub(crate) fn open(cache: &Path, folder: &Path) -> Self {
        let name = hash::of_text(&folder.to_string_lossy()).to_string();
        let kept_in = cache.join("digests").join(name);
        // What cannot be read is hashed again.
        let text = fs::read_to_string(&kept_in).unwrap_or_default();
        Self { known: Mutex::new(text.lines().filter_map(parse).collect()), kept_in }
    }

    /// The digest of `file`, by hashing it where it is not known; `seen` is told how many bytes each time that some
    /// were hashed.
    pub(crate) fn of(&self, file: &LocalFile, stop: &Stop, seen: &dyn Fn(u64)) -> Result<Sha256> {
        if let Some(sha256) = self.find(file) {
            return Ok(sha256);
        }
        let sha256 = hash::of_file(&file.place, stop, seen)?;
        let known = Known { sha256, size: file.size, stamp: file.stamp };
        self.known().insert(file.path.to_string(), known);
        Ok(sha256)
    }

    /// `files` with their digests, in their order, by hashing those that are not known.
    pub(crate) fn of_all(&self, files: &[LocalFile], shown: Shown) -> Result<Vec<File>> {
        let unknown: Vec<&LocalFile> = files.iter().filter(|file| self.find(file).is_none()).collect();
        let size = unknown.iter().map(|file| file.size).sum();
        let progress = Progress::begin(shown, "hashing", unknown.len() as u64, size);
        for_each(unknown.len(), THREADS, &|index, stop| {
            self.of(unknown[index], stop, &|more| progress.add_bytes(more))?;
            progress.add_files(1);
            Ok(())
        })?;
        Ok(files.iter().map(|file| file.with(self.find(file))).collect())
    }

    /// Writes down the digests of those `files` that have been still at `now`.
    pub(crate) fn keep(&self, files: &[LocalFile], now: Timestamp) -> Result<()> {
        let latest = i128::from(now.ms()) * 1_000_000 - STILL_NS;
        let mut text = String::new();
        for file in files {
            let Stamp { modified_ns, changed_ns, inode } = file.stamp;
            let Some(sha256) = self.find(file).filter(|_| modified_ns.max(changed_ns) < latest) else {
                continue;
            };
            writeln!(text, "{sha256} {} {modified_ns} {changed_ns} {inode} {}", file.size, file.path)
                .expect("a text can be written to");
        }
        write_private(&self.kept_in, text.as_bytes())
    }

    fn find(&self, file: &LocalFile) -> Option<Sha256> {
        let known = *self.known().get(file.path.as_str())?;
        (known.size == file.size && known.stamp == file.stamp).then_some(known.sha256)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A line; the path is the last word and has no line end.
fn parse(line: &str) -> Option<(String, Known)> {
    let mut words = line.splitn(6, ' ');
    let sha256 = words.next()?.parse().ok()?;
    let size = words.next()?.parse().ok()?;
    let stamp = Stamp {
        modified_ns: words.next()?.parse().ok()?,
        changed_ns: words.next()?.parse().ok()?,
        inode: words.next()?.parse().ok()?,
    };
    Some((words.next()?.to_owned(), Known { sha256, size, stamp }))
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::files::walk;

    /// Long after everything that a test writes.
    const LATER: Timestamp = Timestamp(4_000_000_000_000);

    struct Given {
        folder: tempfile::TempDir,
        cache: tempfile::TempDir,
    }

    impl Given {
        fn new() -> Self {
            let given = Self { folder: tempfile::tempdir().unwrap(), cache: tempfile::tempdir().unwrap() };
            fs::write(given.folder.path().join("a b"), "one").unwrap();
            given
        }

        fn open(&self) -> Digests {
            Digests::open(self.cache.path(), self.folder.path())
        }

        /// Whether the file's digest is believed after it was taken at `now`.
        fn is_believed_after(&self, now: Timestamp) -> bool {
            let files = walk(self.folder.path()).unwrap().files;
            let digests = self.open();
            digests.of_all(&files, Shown::Nowhere).unwrap();
            digests.keep(&files, now).unwrap();
            self.open().find(&files[0]).is_some()
        }
    }

    #[test]
    fn a_digest_that_was_taken_is_right() {
        let given = Given::new();
        let files = walk(given.folder.path()).unwrap().files;
        let taken = given.open().of_all(&files, Shown::Nowhere).unwrap();
        assert_eq!(taken[0].sha256, Some(hash::of_text("one").to_string()));
    }

    #[test]
    fn a_file_that_stayed_as_it_was_is_not_hashed_again() {
        assert!(Given::new().is_believed_after(LATER));
    }

    #[test]
    fn a_file_that_changed_just_before_it_was_hashed_is_hashed_again() {
        let given = Given::new();
        let changed_ns = walk(given.folder.path()).unwrap().files[0].stamp.changed_ns;
        let just_after = Timestamp(i64::try_from(changed_ns / 1_000_000).unwrap() + 1_999);
        assert!(!given.is_believed_after(just_after));
    }

    #[test]
    fn a_file_of_the_same_size_and_time_but_other_bytes_is_hashed_again() {
        let given = Given::new();
        assert!(given.is_believed_after(LATER));
        let path = given.folder.path().join("a b");
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        fs::write(&path, "two").unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();

        let files = walk(given.folder.path()).unwrap().files;

        assert_eq!(given.open().find(&files[0]), None);
    }
}
