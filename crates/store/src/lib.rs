//! Every SQL statement of the product: one file per table family, and the operations that span families.
//!
//! A function takes the transaction first and runs inside it; it holds no state, asks for no time and draws no random
//! numbers (they are arguments), and knows nothing of HTTP. `find` answers an `Option`, `get` fails with `NotFound`,
//! `insert` answers whether it did, `delete` answers whether there was something.

pub mod blobs;
pub mod candidates;
pub mod columns;
pub mod damage;
pub mod datasets;
pub mod experiments;
pub mod facts;
pub mod files;
pub mod ids;
pub mod keys;
pub mod lineage;
pub mod logged_models;
pub mod members;
pub mod metrics;
pub mod models;
pub mod namespaces;
pub mod packages;
pub mod projects;
pub mod pulls;
pub mod purge;
pub mod search;
pub mod sessions;
pub mod settings;
mod sql;
pub mod tokens;
pub mod uploads;
pub mod users;
pub mod versions;

use modelry_db::Migration;

/// The schema's history, oldest first. A released file never changes.
pub const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001_init", sql: include_str!("../migrations/0001_init.sql") },
    Migration { name: "0002_registry", sql: include_str!("../migrations/0002_registry.sql") },
    Migration { name: "0003_uploads", sql: include_str!("../migrations/0003_uploads.sql") },
    Migration { name: "0004_lineage", sql: include_str!("../migrations/0004_lineage.sql") },
    Migration { name: "0005_checksums", sql: include_str!("../migrations/0005_checksums.sql") },
    Migration { name: "0006_bin", sql: include_str!("../migrations/0006_bin.sql") },
];
