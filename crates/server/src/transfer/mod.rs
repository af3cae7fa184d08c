//! Files over HTTP, whatever the protocol: an upload becomes a blob and a file, a file becomes a download.
//!
//! Neither holds more than a few pieces of a file in memory, and none of this happens inside a transaction.

mod archive;
mod conditions;
mod digests;
mod download;
mod incoming;
mod read;
mod tar;
mod upload;
mod zip;
mod zip_stream;

pub use archive::{Contents, Format, archive, contents};
pub(crate) use download::attachment;
pub use download::{Asked, download};
pub use incoming::Incoming;
pub use read::read;
pub use upload::{PlaceOf, Upload, store};
pub(crate) use upload::{check, keep, remove};
