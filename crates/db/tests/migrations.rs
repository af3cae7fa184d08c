//! Migrations: once, in order, whole, and never over a schema that this program does not know.

use modelry_core::Kind;
use modelry_db::{Engine, Migrated, Migration};
use modelry_testkit::{Db, both_empty};

const FIRST: Migration = Migration {
    name: "0001_parents",
    sql: "CREATE TABLE parents (
    id BIGINT NOT NULL PRIMARY KEY
);
CREATE TABLE children ( -- clustered
    id BIGINT NOT NULL PRIMARY KEY,
    parent_id BIGINT REFERENCES parents (id) ON DELETE CASCADE,
    data BYTEA -- packed
);
INSERT INTO parents (id) VALUES (1);
INSERT INTO children (id, parent_id) VALUES (1, 1);",
};
const SECOND: Migration =
    Migration { name: "0002_names", sql: "ALTER TABLE parents ADD COLUMN name TEXT NOT NULL DEFAULT 'x';" };
const BROKEN: Migration = Migration {
    name: "0002_broken",
    sql: "CREATE TABLE extra (
    id BIGINT
);
INSERT INTO nowhere (id) VALUES (1);",
};
const DEFERRED: Migration = Migration {
    name: "0002_deferred",
    sql: "CREATE TABLE late (
    parent_id BIGINT REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED
);",
};
const OTHER_FIRST: Migration = Migration { name: "0001_parents", sql: "SELECT 1;" };

async fn count(db: &Db, table: &str) -> Option<i64> {
    let sql = format!("SELECT count(*) FROM {table}");
    db.read(move |tx| tx.query_one(&sql, &[], |row| row.get(0))).await.ok()
}

both_empty! {
    async fn each_migration_runs_once(db: Db) {
        let first = db.migrate(&[FIRST]).await.unwrap();
        let second = db.migrate(&[FIRST, SECOND]).await.unwrap();
        let third = db.migrate(&[FIRST, SECOND]).await.unwrap();
        let names = [first, second, third].map(|migrated| migrated.applied);
        assert_eq!(names, [vec!["0001_parents"], vec!["0002_names"], vec![]]);
    }

    async fn a_schema_of_a_newer_version_is_refused(db: Db) {
        db.migrate(&[FIRST, SECOND]).await.unwrap();
        let error = db.migrate(&[FIRST]).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Conflict);
        assert!(error.message().contains("`0002_names`"), "{error}");
    }

    async fn a_migration_whose_text_changed_is_refused(db: Db) {
        db.migrate(&[FIRST]).await.unwrap();
        let error = db.migrate(&[OTHER_FIRST]).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Conflict);
        assert!(error.message().contains("checksums differ"), "{error}");
    }

    async fn a_migration_that_fails_leaves_nothing_and_can_be_tried_again(db: Db) {
        db.migrate(&[FIRST, BROKEN]).await.unwrap_err();
        let left = (count(&db, "extra").await, count(&db, "parents").await);
        let again = db.migrate(&[FIRST]).await.unwrap();
        assert_eq!((left, again), ((None, None), Migrated { applied: vec!["0001_parents"], total: 1 }));
    }

    async fn a_deferred_constraint_is_refused(db: Db) {
        assert_eq!(db.migrate(&[FIRST, DEFERRED]).await.unwrap_err().kind(), Kind::Internal);
    }

    async fn two_processes_that_migrate_at_once_do_it_once(db: Db) {
        let migrate = || {
            let db = db.clone();
            tokio::spawn(async move { db.migrate(&[FIRST, SECOND]).await })
        };
        let mut applied = 0;
        for migrating in (0..4).map(|_| migrate()).collect::<Vec<_>>() {
            applied += migrating.await.unwrap().unwrap().applied.len();
        }
        assert_eq!(applied, 2);
    }

    async fn foreign_keys_hold_after_migrating(db: Db) {
        db.migrate(&[FIRST]).await.unwrap();
        let orphan = db.write(|tx| tx.execute("INSERT INTO children (id, parent_id) VALUES (2, 9)", &[])).await;
        db.write(|tx| tx.execute("DELETE FROM parents", &[])).await.unwrap();
        assert_eq!((orphan.unwrap_err().kind(), count(&db, "children").await), (Kind::Internal, Some(0)));
    }

    async fn the_schema_is_as_strict_on_both_engines(db: Db) {
        db.migrate(&[FIRST]).await.unwrap();
        let write = db.write(|tx| tx.execute("INSERT INTO parents (id) VALUES ('no number')", &[]));
        assert_eq!(write.await.unwrap_err().kind(), Kind::Internal);
    }

    async fn marked_tables_and_columns_are_stored_as_they_ask(db: Db) {
        db.migrate(&[FIRST]).await.unwrap();
        let sql = match db.engine() {
            Engine::Sqlite => "SELECT CAST(sum(wr) AS TEXT) FROM pragma_table_list WHERE name IN ('parents', 'children')",
            Engine::Postgres => "SELECT CAST(attstorage AS TEXT) FROM pg_attribute
                WHERE attrelid = CAST(CAST('children' AS TEXT) AS regclass) AND attname = 'data'",
        };
        let found = db.read(move |tx| tx.query_one(sql, &[], |row| row.get::<String>(0))).await.unwrap();
        let expected = match db.engine() {
            Engine::Sqlite => "1",
            Engine::Postgres => "e",
        };
        assert_eq!(found, expected);
    }
}
