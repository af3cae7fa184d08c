//! Fresh databases of both engines.

use std::env;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

use modelry_db::{Db, Migration, PostgresOptions, SqliteOptions};
use tempfile::TempDir;

/// Where a test finds its PostgreSQL server.
const SERVER: &str = "MODELRY_TEST_POSTGRES";

/// What a fresh database holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// Nothing.
    Empty,
    /// The tables of the product, without rows.
    #[cfg(feature = "product")]
    Product,
}

/// A database for one test.
pub struct TestDatabase {
    db: Db,
    place: Place,
}

enum Place {
    /// Goes when it is dropped.
    Folder(
        #[expect(dead_code, reason = "it is held so that the folder lives as long as the database")] TempDir,
    ),
    /// Goes when it is dropped by hand; a failed test leaves it for whoever looks for the reason.
    Schema { server: Db, name: String },
}

impl TestDatabase {
    /// The database.
    pub fn db(&self) -> Db {
        self.db.clone()
    }

    /// Closes the database and throws it away.
    pub async fn finish(self) {
        self.db.close().await;
        if let Place::Schema { server, name } = self.place {
            let sql = format!("DROP SCHEMA {name} CASCADE");
            server.write(move |tx| tx.execute(&sql, &[])).await.expect("a test may drop its own schema");
            server.close().await;
        }
    }
}

/// A fresh SQLite database in a temporary folder. It is a real file: in memory there is no write-ahead log.
pub async fn sqlite(schema: Schema) -> TestDatabase {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let options = SqliteOptions::new(folder.path().join("test.db"));
    let db = Db::open_sqlite(options).expect("a database opens in a fresh folder");
    fill(&db, schema).await;
    TestDatabase { db, place: Place::Folder(folder) }
}

/// A fresh schema on the PostgreSQL server for tests, if there is one.
///
/// Without a server it panics in continuous integration, and otherwise says that the test is skipped.
pub async fn postgres(schema: Schema) -> Option<TestDatabase> {
    let url = server_url()?;
    let server = open(&url, None).await;
    let name = make_schema(&server).await;
    let db = open(&url, Some(name.clone())).await;
    fill(&db, schema).await;
    Some(TestDatabase { db, place: Place::Schema { server, name } })
}

#[expect(clippy::disallowed_methods, reason = "a test has no command line to get the server from")]
fn server_url() -> Option<String> {
    let url = env::var(SERVER).ok();
    if url.is_none() {
        assert!(env::var("CI").is_err(), "{SERVER} is not set");
        println!("skipped: {SERVER} is not set (see scripts/postgres-for-tests)");
    }
    url
}

async fn open(url: &str, schema: Option<String>) -> Db {
    let options = PostgresOptions { connections: 8, schema, ..PostgresOptions::new(url) };
    Db::open_postgres(options).await.expect("the server for tests is there")
}

/// Makes a schema whose name no other running test uses: of this process, and counted in it.
async fn make_schema(server: &Db) -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("test_{}_{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let (drop, create) = (format!("DROP SCHEMA IF EXISTS {name} CASCADE"), format!("CREATE SCHEMA {name}"));
    server
        .write(move |tx| {
            tx.execute(&drop, &[])?;
            tx.execute(&create, &[])
        })
        .await
        .expect("a test may make a schema");
    name
}

async fn fill(db: &Db, schema: Schema) {
    let migrations = migrations(schema);
    if !migrations.is_empty() {
        db.migrate(migrations).await.expect("the schema fits both engines");
    }
}

fn migrations(schema: Schema) -> &'static [Migration] {
    match schema {
        Schema::Empty => &[],
        #[cfg(feature = "product")]
        Schema::Product => modelry_store::MIGRATIONS,
    }
}
