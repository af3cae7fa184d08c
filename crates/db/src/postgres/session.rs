//! One connection to the server, used from a thread that may block.

use std::collections::HashMap;
use std::future::poll_fn;
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::{join, maybe_done};
use futures_util::{TryStreamExt, poll};
use modelry_core::Error;
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;
use tokio::time::timeout;
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::types::ToSql;
use tokio_postgres::{CancelToken, Client, Config, Connection, NoTls, Socket, Statement};

use super::lower::with_collation;
use crate::fault::{Damage, Fault, LOST};
use crate::row::RowOf;
use crate::tx::EachRow;
use crate::{Param, Row};

/// How long connecting may take, with all addresses and with a server that is reached and says nothing.
const LONGEST_CONNECT: Duration = Duration::from_mins(1);

/// Statements that a connection keeps prepared. Beyond that it forgets all of them: the texts are few, unless lists
/// of many lengths are asked for.
const STATEMENTS: usize = 512;

/// A connection and the statements prepared on it.
///
/// Only whoever waits for an answer reads from the connection and writes to it, so that an answer wakes one thread and
/// not a second one that hands it over. Nothing is read while nobody waits: that a connection is lost shows at its next
/// use.
pub(crate) struct Session {
    client: Client,
    wire: Wire,
    statements: HashMap<String, Statement>,
    collation: Arc<str>,
    /// What begins the transaction, as long as it has not begun.
    begin: Option<&'static str>,
    /// Whether rows of the last statement were left unread.
    has_unread: bool,
    spoilt: bool,
}

impl Session {
    /// Connects, and runs `greeting`.
    pub(crate) fn connect(config: &Config, greeting: &str) -> Result<Self, Fault> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Fault::unavailable(LOST, error))?;
        let connected = runtime.block_on(async { timeout(LONGEST_CONNECT, config.connect(NoTls)).await });
        let connected = connected.map_err(|error| Fault::unavailable(LOST, error))?;
        let (client, connection) = connected.map_err(|error| Fault::unavailable(LOST, error))?;
        let wire = Wire { runtime: Some(runtime), connection: Some(Box::pin(connection)) };
        let mut session = Self {
            client,
            wire,
            statements: HashMap::new(),
            collation: Arc::default(),
            begin: None,
            has_unread: false,
            spoilt: false,
        };
        session.control(greeting)?;
        Ok(session)
    }

    /// The collation that `lower()` is given.
    pub(crate) fn collation(&self) -> &Arc<str> {
        &self.collation
    }

    /// Gives `lower()` another collation.
    pub(crate) fn set_collation(&mut self, collation: Arc<str>) {
        self.collation = collation;
    }

    /// Whether nothing more should be run on the connection.
    pub(crate) fn is_useless(&self) -> bool {
        self.spoilt || self.client.is_closed()
    }

    /// Nobody knows what state the connection is in.
    pub(crate) fn spoil(&mut self) {
        self.spoilt = true;
    }

    /// How to cancel what runs on this connection.
    pub(crate) fn cancel_token(&self) -> CancelToken {
        self.client.cancel_token()
    }

    /// Runs a statement without values or rows, such as `COMMIT`.
    pub(crate) fn control(&mut self, sql: &str) -> Result<(), Fault> {
        Ok(self.wire.drive(self.client.batch_execute(sql))?)
    }

    /// Ends a transaction that only read. Whether the server did is not waited for, unless it has rows to send before.
    pub(crate) fn end_read(&mut self) {
        const END: &str = "COMMIT";
        if self.has_unread {
            if self.control(END).is_err() {
                self.spoil();
            }
            self.has_unread = false;
            return;
        }
        self.wire.drive(async {
            let mut statement = pin!(self.client.batch_execute(END));
            // It is handed over when it is waited for first, and sent in the next turn.
            let _ = poll!(&mut statement);
            yield_now().await;
        });
    }

    /// Has `sql` run together with the first of the statements to come, which it is sent with.
    pub(crate) fn begin_with(&mut self, sql: &'static str) {
        self.begin = Some(sql);
    }

    /// Whether no statement was run after [`Session::begin_with`], which is then forgotten.
    pub(crate) fn never_began(&mut self) -> bool {
        self.begin.take().is_some()
    }

    /// Runs a statement and returns how many rows it touched.
    pub(crate) fn execute(&mut self, sql: &str, params: &[&dyn Param]) -> Result<u64, Fault> {
        let statement = self.prepare(sql, params)?;
        let Self { client, wire, begin, spoilt, .. } = self;
        let execute = client.execute_raw(&statement, values(params));
        Ok(wire.drive(begun(client, (begin, spoilt), execute))?)
    }

    /// Runs a query and hands its rows to `each` until that asks for no more.
    pub(crate) fn each_row(
        &mut self,
        sql: &str,
        params: &[&dyn Param],
        each: EachRow<'_>,
    ) -> Result<(), Fault> {
        let statement = self.prepare(sql, params)?;
        let Self { client, wire, begin, has_unread, spoilt, .. } = self;
        wire.drive(async {
            let query = client.query_raw(&statement, values(params));
            let mut rows = pin!(begun(client, (begin, spoilt), query).await?);
            *has_unread = true;
            while let Some(row) = rows.try_next().await? {
                if each(&Row(RowOf::Postgres(&row)))?.is_break() {
                    return Ok(());
                }
            }
            *has_unread = false;
            Ok(())
        })
    }

    /// Runs a query and returns every row, mapped.
    pub(crate) fn rows<T>(
        &mut self,
        sql: &str,
        params: &[&dyn Param],
        map: &(dyn Fn(&Row<'_>) -> modelry_core::Result<T> + Sync),
    ) -> Result<Vec<T>, Fault> {
        let mut rows = Vec::new();
        self.each_row(sql, params, &mut |row| {
            rows.push(map(row)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(rows)
    }

    /// Runs a query of one column of numbers, which come as one row.
    pub(crate) fn numbers(&mut self, sql: &str, params: &[&dyn Param]) -> Result<Vec<i64>, Fault> {
        let sql = format!("SELECT ARRAY ({sql})");
        let mut numbers = Vec::new();
        self.each_row(&sql, params, &mut |row| {
            numbers = row.numbers()?;
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(numbers)
    }

    /// Sends all queries, then hands the rows of one after the other to `each`.
    pub(crate) fn each_row_of_all(
        &mut self,
        queries: &[(&str, &[&dyn Param])],
        each: &mut dyn FnMut(usize, &Row<'_>) -> modelry_core::Result<()>,
    ) -> Result<(), Fault> {
        let prepare = |(sql, params): &(&str, &[&dyn Param])| self.prepare(sql, params);
        let statements = queries.iter().map(prepare).collect::<Result<Vec<_>, _>>()?;
        let Self { client, wire, begin, spoilt, .. } = self;
        wire.drive(async {
            begun(client, (begin, spoilt), async { Ok(()) }).await?;
            let mut asked = Vec::with_capacity(queries.len());
            for (statement, (_, params)) in statements.iter().zip(queries) {
                let mut query = Box::pin(maybe_done(client.query_raw(statement, values(params))));
                // A query is sent when its answer is waited for first. That comes when those before are read.
                let _ = poll!(&mut query);
                asked.push(query);
            }
            for (index, mut query) in asked.into_iter().enumerate() {
                query.as_mut().await;
                let Some(answer) = query.as_mut().take_output() else { continue };
                let mut rows = pin!(answer?);
                while let Some(row) = rows.try_next().await? {
                    each(index, &Row(RowOf::Postgres(&row)))?;
                }
            }
            Ok(())
        })
    }

    fn prepare(&mut self, sql: &str, params: &[&dyn Param]) -> Result<Statement, Fault> {
        let statement = match self.statements.get(sql) {
            Some(known) => known.clone(),
            None => self.prepare_anew(sql)?,
        };
        if statement.params().len() == params.len() {
            return Ok(statement);
        }
        let message =
            format!("the placeholders of a statement are not $1 to ${}, as its values are", params.len());
        Err(Fault { error: Error::internal(message), damage: Some(Damage::Defect) })
    }

    fn prepare_anew(&mut self, sql: &str) -> Result<Statement, Fault> {
        let text = with_collation(sql, &self.collation);
        let statement = self.wire.drive(self.client.prepare(&text))?;
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

fn values<'p>(params: &'p [&dyn Param]) -> impl ExactSizeIterator<Item = &'p (dyn ToSql + Sync)> {
    params.iter().map(|param| *param as &(dyn ToSql + Sync))
}

/// What `statement` answers, once the transaction has begun; both are sent at once. Where it cannot begin, nobody knows in
/// what the connection was left, and it is spoilt.
async fn begun<T>(
    client: &Client,
    (begin, spoilt): (&mut Option<&'static str>, &mut bool),
    statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, tokio_postgres::Error> {
    let Some(sql) = *begin else { return statement.await };
    // They are polled, and so sent, in this order.
    let (has_begun, answer) = join(client.batch_execute(sql), statement).await;
    *spoilt = has_begun.is_err();
    has_begun?;
    *begin = None;
    answer
}

/// The bytes between a client and the server, moved by whoever waits for them.
struct Wire {
    /// There until it is dropped.
    runtime: Option<Runtime>,
    /// There until it is lost.
    connection: Option<Pin<Box<Connection<Socket, NoTlsStream>>>>,
}

impl Wire {
    /// Runs `work` to its end, and moves bytes meanwhile. Blocks.
    fn drive<T>(&mut self, work: impl Future<Output = T>) -> T {
        let Self { runtime, connection } = self;
        let mut work = pin!(work);
        let runtime = runtime.as_ref().expect("it is there until this is dropped");
        runtime.block_on(poll_fn(|context| {
            let ended = connection.as_mut().map(|connection| connection.as_mut().poll(context));
            if let Some(Poll::Ready(end)) = ended {
                // Without it, whoever waits for an answer hears that the connection is closed.
                *connection = None;
                if let Err(error) = end {
                    tracing::warn!(%error, "a connection to the database is lost");
                }
            }
            work.as_mut().poll(context)
        }))
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        // Waiting for a runtime to end, as dropping it does, is not allowed in an asynchronous task.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
