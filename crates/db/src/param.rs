//! What may be bound to a placeholder.

use std::rc::Rc;

use bytes::BytesMut;
use rusqlite::types::{ToSqlOutput, Value};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::Engine;

/// A value for a placeholder `$n`: anything that both drivers can write.
///
/// These are `i64`, `f64`, `bool`, `String`, `&str`, `Vec<u8>`, `&[u8]`, `Option` of them and references to them. An
/// integer is always an `i64`, because PostgreSQL takes no other width for a `BIGINT`. Write `&name` where
/// `name: &str`.
pub trait Param: rusqlite::ToSql + tokio_postgres::types::ToSql + Sync {}

impl<T: rusqlite::ToSql + tokio_postgres::types::ToSql + Sync> Param for T {}

/// Any number of numbers for one placeholder, to be read as rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers(pub Vec<i64>);

impl Numbers {
    /// A query of the numbers bound to `placeholder`, in their order, as the column `number`.
    pub fn rows(engine: Engine, placeholder: &str) -> String {
        match engine {
            Engine::Sqlite => format!("SELECT value AS number FROM rarray({placeholder})"),
            Engine::Postgres => {
                format!("SELECT number FROM unnest(CAST({placeholder} AS BIGINT[])) AS numbers (number)")
            }
        }
    }

    /// What a number of PostgreSQL's is equal to if it is one of those bound to `placeholder`. An index is looked up by
    /// them one after the other, a tenth faster than by rows. The planner does not see them: it would weigh each one.
    pub fn any(placeholder: &str) -> String {
        format!("ANY (CAST((SELECT CAST({placeholder} AS BIGINT[])) AS BIGINT[]))")
    }
}

impl rusqlite::ToSql for Numbers {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let values: Vec<Value> = self.0.iter().copied().map(Value::from).collect();
        // What `rarray` reads; the statement frees it.
        Ok(ToSqlOutput::from_rc(Rc::new(values), c"rarray"))
    }
}

impl ToSql for Numbers {
    fn to_sql(
        &self,
        type_: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        self.0.to_sql(type_, out)
    }

    fn accepts(type_: &Type) -> bool {
        <Vec<i64> as ToSql>::accepts(type_)
    }

    to_sql_checked!();
}
