//! Immutable bytes: streamed in with their SHA-256 taken on the way, streamed out by range, deleted, and listed by
//! age for the sweep.
//!
//! What the bytes mean, who may read them and who refers to them is the database's business: this crate knows keys.
//! A key is written once and never again. Nothing is renamed or copied: a key is random and no row names it until
//! its bytes are durable, so a half-written one is invisible without any help from the store.
//!
//! Reading, deleting and listing go through `object_store`. Writing to the local folder does not, because its upload
//! cannot be synced while it runs and leaves staging files that it then hides from listings.

mod folder;
mod pool;
mod read;
mod write;

use std::path::Path;
use std::sync::Arc;

use futures_util::{Stream, StreamExt};
use modelry_core::store_key::StoreKey;
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use object_store::local::LocalFileSystem;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::folder::Folder;
use crate::pool::Pool;
pub use crate::read::{Blocks, Condition};
pub use crate::write::{Growing, Summed, Written, too_large};

/// The store of all bytes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    folder: Folder,
    pool: Pool,
}

impl Blobs {
    /// Opens the store in the folder `path`, and makes the folder when it is missing.
    ///
    /// Blocks on the disk, so it is for the start of the program.
    pub fn local(path: &Path) -> Result<Self> {
        let folder = Folder::open(path).map_err(|error| folder::refusal("open the blob store", error))?;
        let store = LocalFileSystem::new_with_prefix(path).map_err(internal)?.with_fsync(true);
        Ok(Self { store: Arc::new(store), folder, pool: Pool::default() })
    }

    /// Removes the bytes of `key`; removing what is not there is fine.
    pub async fn delete(&self, key: &StoreKey) -> Result<()> {
        match self.store.delete(&location(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(internal(error)),
        }
    }

    /// Every key last written to before `cutoff`, in no order. Other files in the folder are left out.
    pub fn list_older_than(
        &self,
        cutoff: Timestamp,
    ) -> impl Stream<Item = Result<StoreKey>> + Send + 'static {
        self.store.list(None).filter_map(move |object| async move {
            match object {
                Ok(object) if object.last_modified.timestamp_millis() < cutoff.ms() => {
                    object.location.as_ref().parse().ok().map(Ok)
                }
                // Gone since the folder was read: somebody else's deletion.
                Ok(_) | Err(object_store::Error::NotFound { .. }) => None,
                Err(error) => Some(Err(internal(error))),
            }
        })
    }
}

fn location(key: &StoreKey) -> object_store::path::Path {
    object_store::path::Path::from(key.as_str())
}

fn internal(error: object_store::Error) -> Error {
    Error::internal("the blob store failed").with_source(error)
}
