//! Points of metrics: an append-only tail per candidate, sealed into blocks per key, and the latest value of each key
//! (docs/ARCHITECTURE.md says why, with figures).
//!
//! A point is its key, time, step and value; equal points are one. That is settled when the tail is sealed and when a
//! history is read, never by a look-up on the write path.

mod append;
mod history;
mod sample;
mod series;
mod stream;
mod tails;

pub use append::append;
pub use history::history;
pub use sample::{Sample, sample};
pub use series::{Over, Series, Wanted, series};
pub use tails::Tails;
