//! One body, two tests.

/// Makes of each function a test on SQLite and one on PostgreSQL, with the product's schema.
#[cfg(feature = "product")]
#[macro_export]
macro_rules! both {
    ($($tests:tt)*) => { $crate::both_on! { Product, $($tests)* } };
}

/// As [`both!`], on an empty database.
#[macro_export]
macro_rules! both_empty {
    ($($tests:tt)*) => { $crate::both_on! { Empty, $($tests)* } };
}

/// What [`both!`] and [`both_empty!`] share.
#[doc(hidden)]
#[macro_export]
macro_rules! both_on {
    ($schema:ident, $($(#[$meta:meta])* async fn $name:ident($db:ident: Db) $body:block)+) => {$(
        $(#[$meta])*
        #[cfg(test)]
        mod $name {
            use super::*;

            async fn body($db: $crate::Db) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let database = $crate::sqlite($crate::Schema::$schema).await;
                body(database.db()).await;
                database.finish().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let Some(database) = $crate::postgres($crate::Schema::$schema).await else { return };
                body(database.db()).await;
                database.finish().await;
            }
        }
    )+};
}
