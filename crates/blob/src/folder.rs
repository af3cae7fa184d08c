//! The local folder: files that are made once, synced while they grow, and removed when they are not finished.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use modelry_core::store_key::StoreKey;
use modelry_core::{Error, Result};
use tokio::runtime::Handle;

/// The folder of all blobs, with every sub-folder that a key can name.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    root: PathBuf,
}

impl Folder {
    /// Makes the folder and its sub-folders where missing, durably, so that no upload has to.
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        for name in StoreKey::folders() {
            match fs::create_dir(root.join(name)) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        File::open(root)?.sync_all()?;
        Ok(Self { root: root.to_owned() })
    }

    /// Where the bytes of `key` lie.
    pub(crate) fn path(&self, key: &StoreKey) -> PathBuf {
        self.root.join(key.as_str())
    }
}

/// A file that is being written. Dropped before [`Partial::publish`] it removes itself, unless it is one that is to be
/// gone on with.
#[derive(Debug)]
pub(crate) struct Partial {
    file: File,
    path: PathBuf,
    size_bytes: u64,
    published: bool,
    /// Whether bytes that are durable would be lost for want of a durable name.
    name_is_due: bool,
}

impl Partial {
    /// Makes the file; fails when it exists, for a key is written once.
    pub(crate) fn create(path: PathBuf) -> Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let file = file.map_err(|error| refusal("create a blob", error))?;
        Ok(Self { file, path, size_bytes: 0, published: false, name_is_due: false })
    }

    /// Opens a file that was left unfinished, or makes it, to go on at `offset`; what it has after that is cut off.
    ///
    /// Such a file stays where it is when it is dropped. Fails when it ends before `offset`.
    pub(crate) fn resume(path: PathBuf, offset: u64) -> Result<Self> {
        let opened = || {
            let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path)?;
            if file.metadata()?.len() < offset {
                return Err(io::Error::from(ErrorKind::UnexpectedEof));
            }
            file.set_len(offset)?;
            (&file).seek(SeekFrom::Start(offset))?;
            Ok(file)
        };
        let file = opened().map_err(|error| refusal("go on with a blob", error))?;
        Ok(Self { file, path, size_bytes: offset, published: true, name_is_due: offset == 0 })
    }

    /// Appends `bytes`.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| refusal("write a blob", error))?;
        self.size_bytes += bytes.len() as u64;
        Ok(())
    }

    /// How much was appended so far.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// A job that makes durable what was appended so far, beside more that is appended; of a file that is to be gone on
    /// with, the first such job makes the name durable too.
    pub(crate) fn sync_job(&mut self) -> Result<impl FnOnce() -> io::Result<()> + use<>> {
        let file = self.file.try_clone().map_err(|error| refusal("write a blob", error))?;
        let path = std::mem::take(&mut self.name_is_due).then(|| self.path.clone());
        Ok(move || {
            file.sync_data()?;
            path.map_or(Ok(()), |path| sync_folder_of(&path))
        })
    }

    /// Makes the bytes and their name durable, keeps the file, and answers its size in bytes.
    pub(crate) fn publish(mut self) -> Result<u64> {
        self.file.sync_all().map_err(|error| refusal("sync a blob", error))?;
        sync_folder_of(&self.path).map_err(|error| refusal("sync a blob", error))?;
        self.published = true;
        Ok(self.size_bytes)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if self.published {
            return;
        }
        let path = std::mem::take(&mut self.path);
        // Freeing a large file takes a while, and this may be an async thread. What cannot be removed now is an
        // orphan, which the sweep finds.
        let remove = move || drop(fs::remove_file(path));
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(remove)),
            Err(_) => remove(),
        }
    }
}

/// Makes a name in the sub-folder of `path` durable.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    File::open(path.parent().expect("a key has a sub-folder"))?.sync_all()
}

/// What a failure of the disk means to a client: a full disk is told, everything else is ours.
pub(crate) fn refusal(doing: &str, error: io::Error) -> Error {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Error::unavailable("no space left in the artifact store of this server").with_source(error)
        }
        _ => Error::internal(format!("cannot {doing}")).with_source(error),
    }
}

#[cfg(test)]
mod tests {
    use modelry_core::Kind;

    use super::*;

    #[test]
    fn a_full_disk_is_told_to_the_client() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut partial = Partial::create(folder.path().join("blob")).expect("a new file");
        partial.file = OpenOptions::new().write(true).open("/dev/full").expect("linux has it");

        let error = partial.append(b"bytes").expect_err("there is no space");

        assert_eq!(error.kind(), Kind::Unavailable);
        assert_eq!(error.message(), "no space left in the artifact store of this server");
    }

    #[test]
    fn a_failure_of_the_disk_is_not_told_to_the_client() {
        let error = Partial::create("/nowhere/at/all".into()).expect_err("there is no such folder");
        assert_eq!(error.kind(), Kind::Internal);
    }

    #[test]
    fn a_file_that_is_not_published_removes_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("blob");
        let mut partial = Partial::create(path.clone()).expect("a new file");
        partial.append(b"half").expect("written");

        drop(partial);

        assert!(!path.exists());
    }
}
