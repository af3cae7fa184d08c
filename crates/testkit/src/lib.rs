//! For tests only: every test of the store runs on both engines, each on a fresh database.
//!
//! ```ignore
//! both! {
//!     async fn an_alias_moves(db: Db) {
//!         db.write(|tx| ...).await.unwrap();
//!     }
//! }
//! ```
//!
//! makes the tests `an_alias_moves::sqlite` and `an_alias_moves::postgres`. The second one needs a server: the variable
//! `MODELRY_TEST_POSTGRES` holds its URL, and `scripts/postgres-for-tests` starts one that is thrown away. Without the
//! variable it fails in continuous integration (where `CI` is set), and otherwise prints a line and passes.

mod database;
mod macros;
#[cfg(feature = "server")]
pub mod server;

pub use database::{Schema, TestDatabase, postgres, sqlite};
pub use modelry_db::Db;
