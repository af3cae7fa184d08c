//! Files, their listings, and the collection of blobs, on both engines.

mod blobs;
mod damage;
mod given;
mod listing;
mod paths;
