//! Brings a PostgreSQL schema to that of this program.

use modelry_core::{Error, Result};
use tokio_postgres::Client;

use super::lower::with_collation;
use super::session::Session;
use crate::fault::Fault;
use crate::migrate::{Applied, LIST, RECORD, TABLE, checksum, pending, refuse_deferred};
use crate::{Engine, Migrated, Migration, rewrite_ddl};

/// Puts the row in place that processes queue up behind.
const GUARD: &str = "INSERT INTO modelry_migrations (position, name, checksum) VALUES (0, 'guard', '')
ON CONFLICT (position) DO NOTHING";
/// Waits for whoever migrates, and makes the next one wait until the end of this transaction.
const QUEUE_UP: &str = "UPDATE modelry_migrations SET checksum = '' WHERE position = 0";

/// Runs what is missing in one transaction. The session is of no use after an error.
pub(crate) async fn migrate(session: &Session, known: &'static [Migration]) -> Result<Migrated> {
    let client = session.client();
    make_table(client).await?;
    batch(client, GUARD).await?;
    // At read committed, the list below is read after the wait and shows what the one before has done.
    batch(client, "BEGIN ISOLATION LEVEL READ COMMITTED").await?;
    batch(client, QUEUE_UP).await?;
    let applied = applied(client).await?;
    let mut names = Vec::new();
    for (position, migration) in pending(&applied, known)? {
        refuse_deferred(migration)?;
        let sql = with_collation(&rewrite_ddl(Engine::Postgres, migration.sql), session.collation());
        batch(client, &sql).await.map_err(|error| {
            Error::internal(format!("the migration `{}` failed", migration.name)).with_source(error)
        })?;
        client
            .execute(RECORD, &[&position, &migration.name, &checksum(migration)])
            .await
            .map_err(|error| Fault::from(error).error)?;
        names.push(migration.name);
    }
    batch(client, "COMMIT").await?;
    Ok(Migrated { applied: names, total: known.len() })
}

/// Makes the table of migrations. Two processes that do it at once meet in the catalogue: the second one tries again
/// and finds it.
async fn make_table(client: &Client) -> Result<()> {
    let table = rewrite_ddl(Engine::Postgres, TABLE);
    match batch(client, &table).await {
        Ok(()) => Ok(()),
        Err(_) => batch(client, &table).await,
    }
}

async fn applied(client: &Client) -> Result<Vec<Applied>> {
    let rows = client.query(LIST, &[]).await.map_err(|error| Fault::from(error).error)?;
    let read = |row: &tokio_postgres::Row| Ok(Applied { name: row.try_get(0)?, checksum: row.try_get(1)? });
    let applied: Result<_, tokio_postgres::Error> = rows.iter().map(read).collect();
    applied.map_err(|error| Fault::from(error).error)
}

async fn batch(client: &Client, sql: &str) -> Result<()> {
    client.batch_execute(sql).await.map_err(|error| Fault::from(error).error)
}
