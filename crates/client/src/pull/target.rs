//! The folder that is pulled to, and what may be written there.

use std::fs::{self, TryLockError};
use std::path::{Path, PathBuf};

use modelry_core::artifact_path::ArtifactPath;
use modelry_core::{Error, Result};

use crate::api::File;
use crate::files::{UNFINISHED, failed};

/// The folder, held by this pull alone. Every path of the files was checked to lead to a place below it.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    unfinished: PathBuf,
    _lock: fs::File,
}

impl Folder {
    /// Makes the folder where it is missing, and checks where `files` will lie.
    ///
    /// Fails with `Invalid` where a path is none, or leads through a link or a file, and with `Conflict` while another
    /// pull writes to the folder.
    pub(super) fn open(path: &Path, files: &[File]) -> Result<Self> {
        for file in files {
            check(path, file)?;
        }
        let unfinished = path.join(UNFINISHED);
        fs::create_dir_all(&unfinished).map_err(|error| failed("make", &unfinished, &error))?;
        let lock_path = unfinished.join("lock");
        let lock = fs::File::create(&lock_path).map_err(|error| failed("write", &lock_path, &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), unfinished, _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                Err(Error::conflict(format!("another pull is writing to {}", path.display())))
            }
            Err(TryLockError::Error(error)) => Err(failed("lock", &lock_path, &error)),
        }
    }

    /// Where a file of the version lies.
    pub(super) fn place(&self, path: &str) -> PathBuf {
        self.path.join(path)
    }

    /// Where a file lies that is not whole yet.
    pub(super) fn unfinished(&self, name: &str) -> PathBuf {
        self.unfinished.join(name)
    }

    /// Whether there is a file of this path and size.
    pub(super) fn has_size(&self, file: &File) -> bool {
        fs::symlink_metadata(self.place(&file.path))
            .is_ok_and(|metadata| metadata.is_file() && metadata.len() == file.size)
    }

    /// Removes what is not needed any more, when everything is whole.
    pub(super) fn close(self) -> Result<()> {
        fs::remove_dir_all(&self.unfinished).map_err(|error| failed("remove", &self.unfinished, &error))
    }
}

/// Checks that a file can lie in its place: nothing on the way there is a link, which might lead elsewhere.
fn check(folder: &Path, file: &File) -> Result<()> {
    let path: ArtifactPath = file.path.parse()?;
    if path.segments().next() == Some(UNFINISHED) {
        return Err(Error::invalid(format!(
            "the file {path} cannot be pulled: `{UNFINISHED}` is what a pull needs"
        )));
    }
    let mut place = folder.to_owned();
    let mut segments = path.segments().peekable();
    while let Some(segment) = segments.next() {
        place.push(segment);
        let Ok(found) = fs::symlink_metadata(&place) else { return Ok(()) };
        let is_last = segments.peek().is_none();
        let in_the_way = match (is_last, found.is_dir(), found.is_file()) {
            (true, _, true) | (false, true, _) => continue,
            (true, true, _) => "is a folder",
            (false, _, true) => "is a file",
            _ => "is a link or something else than a file",
        };
        return Err(Error::invalid(format!(
            "the file {path} cannot be pulled: {} {in_the_way}; move it away",
            place.display()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn file(path: &str) -> File {
        File { path: path.to_owned(), size: 1, sha256: None }
    }

    fn refusal(folder: &tempfile::TempDir, path: &str) -> String {
        Folder::open(folder.path(), &[file(path)]).expect_err(path).message().to_owned()
    }

    #[test]
    fn a_path_that_leads_out_is_refused_whatever_the_server_says() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["../x", "/etc/x", "a/../../x", "%2e%2e/x", "a\\..\\x", ""] {
            assert!(refusal(&folder, path).starts_with("Invalid path"), "{path}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
    }

    #[test]
    fn a_link_on_the_way_is_refused() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        symlink(elsewhere.path(), folder.path().join("out")).unwrap();
        assert!(refusal(&folder, "out/x").contains("is a link"));
        assert!(refusal(&folder, "out").contains("is a link"));
    }

    #[test]
    fn a_folder_in_the_place_of_a_file_and_the_reverse_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("d")).unwrap();
        fs::write(folder.path().join("f"), "").unwrap();
        assert!(refusal(&folder, "d").contains("is a folder"));
        assert!(refusal(&folder, "f/x").contains("is a file"));
    }

    #[test]
    fn the_folder_of_unfinished_files_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        assert!(refusal(&folder, ".modelry/x").contains("`.modelry` is what a pull needs"));
        assert!(Folder::open(folder.path(), &[file("a/.modelry")]).is_ok());
    }

    #[test]
    fn one_pull_at_a_time_writes_to_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let held = Folder::open(folder.path(), &[]).unwrap();
        assert!(refusal(&folder, "x").contains("another pull"));
        held.close().unwrap();
        assert!(Folder::open(folder.path(), &[]).is_ok());
    }
}
