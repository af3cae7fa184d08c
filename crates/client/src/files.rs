//! The files below a folder, as a version is to have them.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use modelry_core::artifact_path::ArtifactPath;
use modelry_core::digest::Sha256;
use modelry_core::{Error, Kind, Result};

use crate::api::File;

/// The folder, below the one that is pulled to, which holds what is not whole yet. It is never pushed.
pub(crate) const UNFINISHED: &str = ".modelry";

/// A regular file.
#[derive(Clone, Debug)]
pub(crate) struct LocalFile {
    /// Its path in the version.
    pub(crate) path: ArtifactPath,
    /// Where it is.
    pub(crate) place: PathBuf,
    /// How many bytes it has.
    pub(crate) size: u64,
    /// What tells whether it changed.
    pub(crate) stamp: Stamp,
}

impl LocalFile {
    /// What a version is to have of it.
    pub(crate) fn with(&self, sha256: Option<Sha256>) -> File {
        File { path: self.path.to_string(), size: self.size, sha256: sha256.map(|sha256| sha256.to_string()) }
    }
}

/// What the file system says about a file that changes whenever its bytes do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// When its bytes changed, in nanoseconds since 1970, as programs may set it.
    pub(crate) modified_ns: i128,
    /// When anything about it changed, in nanoseconds since 1970. No program can set this.
    pub(crate) changed_ns: i128,
    /// Its inode.
    pub(crate) inode: u64,
}

/// What was found below a folder.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    /// The files, in the order of their paths.
    pub(crate) files: Vec<LocalFile>,
    /// Folders without a file, which a version cannot have.
    pub(crate) empty: Vec<String>,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        let ns =
            |seconds: i64, nanoseconds: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
        Self {
            modified_ns: ns(metadata.mtime(), metadata.mtime_nsec()),
            changed_ns: ns(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
        }
    }
}

/// Finds all files below `folder`. Links to files are followed.
///
/// Fails with `Invalid` where a name cannot be that of a file of a version, and where something is neither a file nor
/// a folder; a link to a folder is such a thing, because it may lead in a circle.
pub(crate) fn walk(folder: &Path) -> Result<Walked> {
    let mut walked = Walked::default();
    let metadata = fs::metadata(folder).map_err(|error| failed("open", folder, &error))?;
    if !metadata.is_dir() {
        return Err(Error::invalid(format!("{} is not a folder", folder.display())));
    }
    visit(folder, "", &mut walked)?;
    walked.files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(walked)
}

/// Visits what is in `folder`, whose paths in the version begin with `prefix`.
fn visit(folder: &Path, prefix: &str, walked: &mut Walked) -> Result<()> {
    let entries = fs::read_dir(folder).map_err(|error| failed("read", folder, &error))?;
    let mut is_empty = true;
    for entry in entries {
        let entry = entry.map_err(|error| failed("read", folder, &error))?;
        let place = entry.path();
        let name = entry.file_name();
        let name = name
            .to_str()
            .ok_or_else(|| Error::invalid(format!("the name of {} is not UTF-8", place.display())))?;
        if prefix.is_empty() && name == UNFINISHED {
            continue;
        }
        is_empty = false;
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().map_err(|error| failed("read", &place, &error))?;
        if kind.is_dir() {
            visit(&place, &format!("{path}/"), walked)?;
            continue;
        }
        let metadata = fs::metadata(&place).map_err(|error| failed("read", &place, &error))?;
        if !metadata.is_file() {
            let what =
                if kind.is_symlink() { "a link to something else than a file" } else { "no regular file" };
            return Err(Error::invalid(format!("{} is {what}; a version has files only", place.display())));
        }
        let path = path.parse().map_err(|error| Error::invalid(format!("{}: {error}", place.display())))?;
        walked.files.push(LocalFile { path, place, size: metadata.len(), stamp: Stamp::of(&metadata) });
    }
    if is_empty && !prefix.is_empty() {
        walked.empty.push(prefix.trim_end_matches('/').to_owned());
    }
    Ok(())
}

/// A failure of this machine's disk, told with the file that it came with.
pub(crate) fn failed(doing: &str, path: &Path, error: &io::Error) -> Error {
    Error::new(Kind::Conflict, format!("cannot {doing} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn folder_with(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        folder
    }

    fn paths(walked: &Walked) -> Vec<&str> {
        walked.files.iter().map(|file| file.path.as_str()).collect()
    }

    #[test]
    fn files_are_found_in_the_order_of_their_paths() {
        let folder = folder_with(&["b", "a/c", "a-b", "a b/größe.txt", ".hidden"]);
        assert_eq!(paths(&walk(folder.path()).unwrap()), [".hidden", "a b/größe.txt", "a-b", "a/c", "b"]);
    }

    #[test]
    fn an_empty_folder_is_told() {
        let folder = folder_with(&["a"]);
        fs::create_dir_all(folder.path().join("e/f")).unwrap();
        assert_eq!(walk(folder.path()).unwrap().empty, ["e/f"]);
    }

    #[test]
    fn what_is_left_of_a_pull_is_no_part_of_it() {
        let folder = folder_with(&["a", ".modelry/x.part", "b/.modelry/y"]);
        assert_eq!(paths(&walk(folder.path()).unwrap()), ["a", "b/.modelry/y"]);
    }

    #[test]
    fn a_link_to_a_file_is_that_file() {
        let folder = folder_with(&["a"]);
        symlink("a", folder.path().join("l")).unwrap();
        let walked = walk(folder.path()).unwrap();
        assert_eq!((paths(&walked), walked.files[1].size), (vec!["a", "l"], 1));
    }

    #[test]
    fn a_link_to_a_folder_is_refused_by_name() {
        let folder = folder_with(&["a/b"]);
        symlink("a", folder.path().join("l")).unwrap();
        let error = walk(folder.path()).unwrap_err();
        assert!(error.message().contains("/l is a link to something else than a file"), "{error}");
    }

    #[test]
    fn a_link_to_nothing_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        symlink("gone", folder.path().join("l")).unwrap();
        assert!(walk(folder.path()).is_err());
    }

    #[test]
    fn a_name_that_no_version_can_have_is_refused_with_the_reason() {
        let folder = folder_with(&["a#b"]);
        let error = walk(folder.path()).unwrap_err();
        assert!(error.message().ends_with("it contains `#`"), "{error}");
    }
}
