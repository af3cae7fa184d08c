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

/// How long an address may take to be reached, unless the URL says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What keeps the planner to the index that a statement is written for.
///
/// It takes texts and limits for what they are on average, and may prefer to read all of a table: to count the 1 % that
/// have one status took 110 ms so, and takes 12 by their index. A plan that is dear by its guess is compiled, which takes
/// 200 ms before the first row.
const PLANNING: &str = "SET enable_seqscan TO off; SET jit TO off;";

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
        let schema = options.schema.as_deref().map_or_else(String::new, set_schema);
        let greeting = format!("{PLANNING} {schema}");
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
        // The slot goes with it: whoever waits may leave, and the connecting goes on.
        let settle = |mut session: Session| {
            session.set_collation(collation);
            Ok(Taken { session, slot })
        };
        connect(&self.config, &self.greeting, settle).await
    }

    /// Takes a connection that nobody will miss, as at least half of them are free: one that is open, or a new one. Blocks.
    pub(crate) fn take_spare(&self) -> Option<Taken> {
        if self.slots.available_permits() * 2 < usize::try_from(self.count).ok()? {
            return None;
        }
        let slot = Arc::clone(&self.slots).try_acquire_owned().ok()?;
        if let Some(session) = self.take_idle() {
            return Some(Taken { session, slot });
        }
        let mut session = Session::connect(&self.config, &self.greeting).ok()?;
        session.set_collation(Arc::clone(&self.collation));
        Some(Taken { session, slot })
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
        self.forget_idle();
    }

    /// Closes the connections that nobody uses: where one was lost while nobody used it, all may be.
    pub(crate) fn forget_idle(&self) {
        self.lock().clear();
    }

    /// The connection used last.
    fn take_idle(&self) -> Option<Session> {
        self.lock().pop()
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

/// What `finish` makes of a new connection.
async fn connect<T: Send + 'static>(
    config: &Config,
    greeting: &str,
    finish: impl FnOnce(Session) -> Result<T, Fault> + Send + 'static,
) -> Result<T> {
    let (config, greeting) = (config.clone(), greeting.to_owned());
    let connect = spawn_blocking(move || finish(Session::connect(&config, &greeting)?));
    let finished = connect.await.map_err(|error| Error::unavailable(CLOSED).with_source(error))?;
    finished.map_err(|fault| fault.error)
}

/// Looks whether the server is of any use, and which collation it has.
fn inspect(mut session: Session) -> Result<Session, Fault> {
    let encoding = ask(&mut session, "SHOW server_encoding")?.unwrap_or_default();
    if encoding != "UTF8" {
        return Err(
            Error::invalid(format!("the database has the encoding {encoding}; it must be UTF8")).into()
        );
    }
    let collation = ask(&mut session, FIND_COLLATION)?;
    if collation.is_none() {
        tracing::warn!("the server has no collation for Unicode: ILIKE forgets case for ASCII only");
    }
    session.set_collation(collation.unwrap_or_else(|| "C".to_owned()).into());
    Ok(session)
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
