//! What may be bound to a placeholder.

/// A value for a placeholder `$n`: anything that both drivers can write.
///
/// These are `i64`, `f64`, `bool`, `String`, `&str`, `Vec<u8>`, `&[u8]`, `Option` of them and references to them. An
/// integer is always an `i64`, because PostgreSQL takes no other width for a `BIGINT`. Write `&name` where
/// `name: &str`.
pub trait Param: rusqlite::ToSql + tokio_postgres::types::ToSql + Sync {}

impl<T: rusqlite::ToSql + tokio_postgres::types::ToSql + Sync> Param for T {}
