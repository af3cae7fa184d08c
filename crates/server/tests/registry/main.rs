//! The protocol's model registry over HTTP, through the real routes.

mod aliases;
mod calls;
mod files;
mod given;
mod latest;
mod searches;
mod sources;
