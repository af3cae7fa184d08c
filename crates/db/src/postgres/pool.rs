//! The connections to the server: so many and no more, opened when they are needed, replaced when they are lost.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use modelry_core::{Error, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use super::lower::FIND_COLLATION;
use super::session::Session;
use crate::PostgresOptions;
use crate::fault::{CLOSED, Fault};

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
        let count = u32::try_from(options.connections).map_err(|_| Error::invalid("too many connections"))?;
        let slots = Arc::new(Semaphore::new(options.connections));
        let first = connect(&config, &greeting, inspect).await?;
        let collation = Arc::clone(first.collation());
        Ok(Self { config, greeting, collation, count, slots, idle: Mutex::new(vec![first]) })
    }

    /// Takes a connection, once fewer than the allowed number are in use.
    pub(crate) async fn take(&self) -> Result<Taken> {
        let slot = self.slots.clone().acquire_owned().await.map_err(|_| Error::unavailable(CLOSED))?;
        if let Some(session) = self.take_idle() {
            return Ok(Taken { session, slot });
        }
        let collation = Arc::clone(&self.collation);
        let settle = |session: &mut Session| {
            session.set_collation(collation);
            Ok(())
        };
        let session = connect(&self.config, &self.greeting, settle).await?;
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

/// A new connection, once `prepare` has seen it.
async fn connect(
    config: &Config,
    greeting: &str,
    prepare: impl FnOnce(&mut Session) -> Result<(), Fault> + Send + 'static,
) -> Result<Session> {
    let (config, greeting) = (config.clone(), greeting.to_owned());
    let connect = spawn_blocking(move || {
        let mut session = Session::connect(&config, &greeting)?;
        prepare(&mut session)?;
        Ok(session)
    });
    let session: Result<_, Fault> =
        connect.await.map_err(|error| Error::unavailable(CLOSED).with_source(error))?;
    session.map_err(|fault| fault.error)
}

/// Looks whether the server is of any use, and which collation it has.
fn inspect(session: &mut Session) -> Result<(), Fault> {
    let encoding = ask(session, "SHOW server_encoding")?.unwrap_or_default();
    if encoding != "UTF8" {
        return Err(
            Error::invalid(format!("the database has the encoding {encoding}; it must be UTF8")).into()
        );
    }
    let collation = ask(session, FIND_COLLATION)?;
    if collation.is_none() {
        tracing::warn!("the server has no collation for Unicode: ILIKE forgets case for ASCII only");
    }
    session.set_collation(collation.unwrap_or_else(|| "C".to_owned()).into());
    Ok(())
}

/// The first text of an answer.
fn ask(session: &mut Session, sql: &str) -> Result<Option<String>, Fault> {
    let mut first = None;
    session.each_row(sql, &[], &mut |row| {
        first = Some(row.get(0)?);
        Ok(ControlFlow::Break(()))
    })?;
    Ok(first)
}
