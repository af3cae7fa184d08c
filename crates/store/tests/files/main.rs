//! Files, their listings, and the collection of blobs, on both engines.

mod blobs;
mod given;
mod listing;
mod paths;
