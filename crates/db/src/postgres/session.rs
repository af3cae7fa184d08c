//! One connection to the server, used from a thread that may block.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;

use futures_util::future::maybe_done;
use futures_util::{TryStreamExt, poll};
use modelry_core::Error;
use tokio::runtime::Handle;
use tokio_postgres::types::ToSql;
use tokio_postgres::{CancelToken, Client, Statement};

use super::lower::with_collation;
use crate::fault::{Damage, Fault};
use crate::row::RowOf;
use crate::tx::EachRow;
use crate::{Param, Row};

/// Statements that a connection keeps prepared. Beyond that it forgets all of them: the texts are few, unless lists
/// of many lengths are asked for.
const STATEMENTS: usize = 512;

/// A connection and the statements prepared on it.
pub(crate) struct Session {
    client: Client,
    runtime: Handle,
    statements: HashMap<String, Statement>,
    collation: Arc<str>,
    spoilt: bool,
}

impl Session {
    pub(crate) fn new(client: Client, runtime: Handle, collation: Arc<str>) -> Self {
        Self { client, runtime, statements: HashMap::new(), collation, spoilt: false }
    }

    /// The connection itself, for asynchronous callers.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The collation that `lower()` is given.
    pub(crate) fn collation(&self) -> &str {
        &self.collation
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

    /// Runs a statement without values or rows, such as `BEGIN`.
    pub(crate) fn control(&self, sql: &str) -> Result<(), Fault> {
        Ok(self.runtime.block_on(self.client.batch_execute(sql))?)
    }

    /// Runs a statement and returns how many rows it touched.
    pub(crate) fn execute(&mut self, sql: &str, params: &[&dyn Param]) -> Result<u64, Fault> {
        let statement = self.prepare(sql, params)?;
        Ok(self.runtime.block_on(self.client.execute_raw(&statement, values(params)))?)
    }

    /// Runs a query and hands its rows to `each` until that asks for no more.
    pub(crate) fn each_row(
        &mut self,
        sql: &str,
        params: &[&dyn Param],
        each: EachRow<'_>,
    ) -> Result<(), Fault> {
        let statement = self.prepare(sql, params)?;
        self.runtime.block_on(async {
            let mut rows = pin!(self.client.query_raw(&statement, values(params)).await?);
            while let Some(row) = rows.try_next().await? {
                if each(&Row(RowOf::Postgres(&row)))?.is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    /// Sends all queries, then hands the rows of one after the other to `each`.
    pub(crate) fn each_row_of_all(
        &mut self,
        queries: &[(&str, &[&dyn Param])],
        each: &mut dyn FnMut(usize, &Row<'_>) -> modelry_core::Result<()>,
    ) -> Result<(), Fault> {
        let prepare = |(sql, params): &(&str, &[&dyn Param])| self.prepare(sql, params);
        let statements = queries.iter().map(prepare).collect::<Result<Vec<_>, _>>()?;
        self.runtime.block_on(async {
            let mut asked = Vec::with_capacity(queries.len());
            for (statement, (_, params)) in statements.iter().zip(queries) {
                let mut query = Box::pin(maybe_done(self.client.query_raw(statement, values(params))));
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
        let statement = self.runtime.block_on(self.client.prepare(&text))?;
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
