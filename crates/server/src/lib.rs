//! The axum application: who calls, what they may, and the protocols as thin projections of the store.
//!
//! [`router`] holds the whole URL table of the API; pages are `modelry-web`'s. A handler is five lines of story: who,
//! what, may they, do it, answer.

pub mod access;
pub mod accounts;
pub mod app;
pub mod attempts;
pub mod background;
pub mod callers;
pub mod clock;
pub mod collection;
pub mod error;
pub mod extract;
pub mod facts;
pub mod fsck;
pub mod mlflow;
pub mod naming;
pub mod passwords;
pub mod pulls;
pub mod purge;
pub mod registry;
pub mod router;
pub mod secrets;
pub mod table;
mod tracking;
pub mod transfer;
pub mod uploads;
pub mod v4;

pub use app::{App, Limits, Settings};
