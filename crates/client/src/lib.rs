//! The commands that speak to a server: signing in, listing, and moving the files of versions in and out.
//!
//! Nothing here prints, asks for the time or reads the environment: a command is a function of its arguments that
//! answers what it did, as a value that is printed as text or JSON. It knows the native API and no other part of the
//! server. Work runs on a few threads; there is no runtime.

mod api;
pub mod diff;
mod digests;

mod files;
mod hash;
mod http;
mod list;
pub mod login;
mod manifest;
pub mod name;
mod parallel;
pub mod place;
pub mod progress;
pub mod pull;
pub mod push;

pub use api::{File, Version};
pub use http::Api;
pub use list::{Listed, models, versions};

/// How many files, or pieces of files, are on their way at a time.
pub const THREADS: usize = 4;
