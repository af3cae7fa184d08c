//! The connections to the server: so many and no more, opened when they are needed, replaced when they are lost.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use modelry_core::{Error, Result};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls};

use super::lower::FIND_COLLATION;
use super::session::Session;
use crate::PostgresOptions;
use crate::fault::{CLOSED, Fault, LOST};

/// How long a server may take to answer a new connection, unless the URL says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The connections to one server.
pub(crate) struct Pool {
    config: Config,
    /// The statement that each new connection begins with.
    greeting: String,
    collation: Arc<str>,
    count: u32,
    slots: Arc<Semaphore>,
    idle: Mutex<Vec<Session>>,
}

/// A connection taken from the pool. It goes back when it is handed back, and is closed when it is dropped.
pub(crate) struct Taken {
    pub(crate) session: Session,
    slot: OwnedSemaphorePermit,
}

impl Pool {
    /// Connects once, to see whether the server is of any use.
    pub(crate) async fn open(options: PostgresOptions) -> Result<Self> {
        let config = parse(&options.url)?;
        let greeting = options.schema.as_deref().map_or_else(String::new, set_schema);
        let client = connect(&config, &greeting).await?;
        let encoding: String = ask(&client, "SHOW server_encoding").await?.unwrap_or_default();
        if encoding != "UTF8" {
            return Err(Error::invalid(format!("the database has the encoding {encoding}; it must be UTF8")));
        }
        let collation = ask(&client, FIND_COLLATION).await?;
        if collation.is_none() {
            tracing::warn!("the server has no collation for Unicode: ILIKE forgets case for ASCII only");
        }
        let collation: Arc<str> = collation.unwrap_or_else(|| "C".to_owned()).into();
        let count = u32::try_from(options.connections).map_err(|_| Error::invalid("too many connections"))?;
        let slots = Arc::new(Semaphore::new(options.connections));
        let first = Session::new(client, Handle::current(), Arc::clone(&collation));
        Ok(Self { config, greeting, collation, count, slots, idle: Mutex::new(vec![first]) })
    }

    /// Takes a connection, once fewer than the allowed number are in use.
    pub(crate) async fn take(&self) -> Result<Taken> {
        let slot = self.slots.clone().acquire_owned().await.map_err(|_| Error::unavailable(CLOSED))?;
        if let Some(session) = self.take_idle() {
            return Ok(Taken { session, slot });
        }
        let client = connect(&self.config, &self.greeting).await?;
        let session = Session::new(client, Handle::current(), Arc::clone(&self.collation));
        Ok(Taken { session, slot })
    }

    /// Takes a connection back for the next one, unless it is lost.
    pub(crate) fn put_back(&self, taken: Taken) {
        let Taken { session, slot } = taken;
        if !session.is_useless() {
            self.lock().push(session);
        }
        drop(slot);
    }

    /// Waits until no connection is in use, and closes all of them for good.
    pub(crate) async fn close(&self) {
        let everybody = self.slots.acquire_many(self.count).await;
        self.slots.close();
        drop(everybody);
        self.lock().clear();
    }

    /// The connection used last that is still there; lost ones are forgotten.
    fn take_idle(&self) -> Option<Session> {
        let mut idle = self.lock();
        std::iter::from_fn(|| idle.pop()).find(|session| !session.is_useless())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parse(url: &str) -> Result<Config> {
    // The text of the error may hold parts of the URL, and so a password.
    let mut config: Config =
        url.parse().map_err(|_| Error::invalid("the URL of the database is malformed"))?;
    match config.get_ssl_mode() {
        SslMode::Disable | SslMode::Prefer => {}
        _ => return Err(Error::invalid("sslmode=require: this version does not speak TLS to PostgreSQL")),
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_application_name().is_none() {
        config.application_name("modelry");
    }
    Ok(config)
}

fn set_schema(schema: &str) -> String {
    format!("SET search_path TO \"{}\"", schema.replace('"', "\"\""))
}

async fn connect(config: &Config, greeting: &str) -> Result<Client> {
    let (client, connection) =
        config.connect(NoTls).await.map_err(|error| Fault::unavailable(LOST, error).error)?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::warn!(%error, "a connection to the database is lost");
        }
    });
    client.batch_execute(greeting).await.map_err(|error| Fault::from(error).error)?;
    Ok(client)
}

async fn ask(client: &Client, sql: &str) -> Result<Option<String>> {
    let row = client.query_opt(sql, &[]).await.map_err(|error| Fault::from(error).error)?;
    row.map(|row| row.try_get(0)).transpose().map_err(|error| Fault::from(error).error)
}
