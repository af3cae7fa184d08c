//! The data folder: who holds it, and what is in it.

use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use modelry_blob::Blobs;
use modelry_db::{Db, PostgresOptions, SqliteOptions};
use modelry_server::clock::{Clock, Random};
use modelry_server::{App, Settings};

use crate::config::Config;

/// The data folder, held by this process alone until it ends.
pub(crate) struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Creates the folder where it is missing, and takes hold of it. Answers `None` when another process holds it.
    pub(crate) fn take(path: &Path) -> Result<Option<Self>> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(|| format!("cannot create the data folder {}", path.display()))?;
        let path = path.canonicalize().with_context(|| format!("cannot open {}", path.display()))?;
        let lock_path = path.join("lock");
        let lock =
            File::create(&lock_path).with_context(|| format!("cannot write {}", lock_path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { path, _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", lock_path.display()))
            }
        }
    }

    /// The folder's absolute path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens what is in the folder, bringing the schema up to date.
    pub(crate) async fn open(&self, config: &Config) -> Result<App> {
        let db = match &config.database_url {
            Some(url) => Db::open_postgres(PostgresOptions::new(url)).await?,
            None => Db::open_sqlite(SqliteOptions::new(self.path.join("modelry.db")))?,
        };
        db.migrate(modelry_store::MIGRATIONS).await?;
        db.write(modelry_store::stamps::clear_foreign).await?;
        let blobs = Blobs::local(&self.path.join("blobs"))?;
        let settings = Settings { public_url: config.public_url.clone(), limits: config.limits };
        Ok(App::new(db, blobs, Clock::System, Random::System, settings))
    }
}

/// Fails with what to do when another process holds the folder.
pub(crate) fn require(held: Option<DataFolder>, path: &Path) -> Result<DataFolder> {
    match held {
        Some(folder) => Ok(folder),
        None => bail!(
            "the data folder {} is in use by another modelry process; stop that one first, or choose another folder \
             with --data",
            path.display()
        ),
    }
}
