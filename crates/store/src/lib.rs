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
pub mod stamps;
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
    Migration { name: "0007_orders", sql: include_str!("../migrations/0007_orders.sql") },
    Migration { name: "0008_stamps", sql: include_str!("../migrations/0008_stamps.sql") },
    Migration { name: "0009_beside_keys", sql: include_str!("../migrations/0009_beside_keys.sql") },
    Migration { name: "0010_keys_first", sql: include_str!("../migrations/0010_keys_first.sql") },
    Migration { name: "0011_without_rank", sql: include_str!("../migrations/0011_without_rank.sql") },
];

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::MIGRATIONS;

    /// The names of all migrations with the first eight bytes of the SHA-256 of their texts.
    const AS_WRITTEN: &[(&str, &str)] = &[
        ("0001_init", "3b18ae4cfc9b15f3"),
        ("0002_registry", "9ad5634eed2ab7b0"),
        ("0003_uploads", "62547ebce1a9623a"),
        ("0004_lineage", "819fc87f0fa9e7f8"),
        ("0005_checksums", "fe5f74fe9a32f127"),
        ("0006_bin", "ca70d6d25f96b8ec"),
        ("0007_orders", "c124c134dba05a8d"),
        ("0008_stamps", "801e42cc87329b33"),
        ("0009_beside_keys", "c44a716959b276af"),
        ("0010_keys_first", "abde2147f5bc25a8"),
        ("0011_without_rank", "47ce39fbac8fe040"),
    ];

    /// A program refuses a database whose migrations have other checksums than its own, so even a comment stays as it
    /// was: a change of the schema is a new file, and a new line above.
    #[test]
    fn what_was_written_into_databases_stays_as_it_was() {
        let found: Vec<(&str, String)> = MIGRATIONS
            .iter()
            .map(|migration| (migration.name, hex::encode(&Sha256::digest(migration.sql)[..8])))
            .collect();
        let found: Vec<(&str, &str)> = found.iter().map(|(name, digest)| (*name, digest.as_str())).collect();
        assert_eq!(found, AS_WRITTEN);
    }
}
