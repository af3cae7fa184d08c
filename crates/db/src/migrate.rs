//! Which migrations a database still needs, the same for both engines.

use modelry_core::{Error, Result};
use sha2::{Digest, Sha256};

/// One step of the schema. Once released, its text never changes.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its name, `NNNN_what_it_does`, unique and rising.
    pub name: &'static str,
    /// Its text, in the words that [`crate::rewrite_ddl`] reads.
    pub sql: &'static str,
}

/// What [`crate::Db::migrate`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The names of the migrations that were run now; empty where the schema was up to date.
    pub applied: Vec<&'static str>,
    /// How many migrations the database has now.
    pub total: usize,
}

/// A migration that a database says it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Applied {
    pub(crate) name: String,
    pub(crate) checksum: String,
}

/// The table of the migrations that were run. Row 0 stands for none: PostgreSQL processes queue up behind it.
pub(crate) const TABLE: &str = "CREATE TABLE IF NOT EXISTS modelry_migrations (
    position BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL
)";

/// Reads the migrations that were run, in order.
pub(crate) const LIST: &str =
    "SELECT name, checksum FROM modelry_migrations WHERE position > 0 ORDER BY position";

/// Records that a migration was run.
pub(crate) const RECORD: &str =
    "INSERT INTO modelry_migrations (position, name, checksum) VALUES ($1, $2, $3)";

/// The checksum of a migration's text: SHA-256 in hex.
pub(crate) fn checksum(migration: &Migration) -> String {
    hex::encode(Sha256::digest(migration.sql.as_bytes()))
}

/// The migrations still to be run on a database that has `applied`, with their positions, counted from 1.
///
/// Fails with `Conflict` when the database has a migration that is not among `known`, or has one with another text.
pub(crate) fn pending(
    applied: &[Applied],
    known: &'static [Migration],
) -> Result<impl Iterator<Item = (i64, &'static Migration)>> {
    for (at, found) in applied.iter().enumerate() {
        let Some(migration) = known.get(at).filter(|migration| migration.name == found.name) else {
            return Err(Error::conflict(format!(
                "the database has the migration `{}`, which this program does not know: it was made by a newer \
                 version",
                found.name
            )));
        };
        if checksum(migration) != found.checksum {
            return Err(Error::conflict(format!(
                "the migration `{}` of the database is not the one of this program: their checksums differ",
                found.name
            )));
        }
    }
    Ok((1..).zip(known).skip(applied.len()))
}

/// Refuses constraints that are checked at the commit: one job's mistake would undo the work of all others in its
/// group.
pub(crate) fn refuse_deferred(migration: &Migration) -> Result<()> {
    let deferred = crate::scan::pieces(migration.sql).any(|piece| piece.is_word("DEFERRED"));
    if deferred {
        return Err(Error::internal(format!("the migration `{}` defers a constraint", migration.name)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use modelry_core::Kind;

    use super::*;

    const KNOWN: &[Migration] =
        &[Migration { name: "0001_a", sql: "SELECT 1" }, Migration { name: "0002_b", sql: "SELECT 2" }];

    fn applied(name: &str, as_if: &Migration) -> Applied {
        Applied { name: name.to_owned(), checksum: checksum(as_if) }
    }

    #[test]
    fn what_is_pending_follows_what_was_applied() {
        let pending: Vec<_> = pending(&[applied("0001_a", &KNOWN[0])], KNOWN).unwrap().collect();
        assert_eq!(
            pending.iter().map(|(at, migration)| (*at, migration.name)).collect::<Vec<_>>(),
            [(2, "0002_b")]
        );
    }

    #[test]
    fn a_migration_of_another_name_is_unknown_even_with_the_same_text() {
        let error = pending(&[applied("0001_z", &KNOWN[0])], KNOWN).err().unwrap();
        assert!(error.kind() == Kind::Conflict && error.message().contains("does not know"), "{error}");
    }

    #[test]
    fn migrations_applied_in_another_order_are_refused() {
        let error = pending(&[applied("0002_b", &KNOWN[1]), applied("0001_a", &KNOWN[0])], KNOWN).err();
        assert_eq!(error.map(|error| error.kind()), Some(Kind::Conflict));
    }
}
