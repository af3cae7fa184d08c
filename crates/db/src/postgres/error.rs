//! What PostgreSQL's errors mean.

use std::error::Error;
use std::io;

use tokio_postgres::error::SqlState;

use crate::fault::{BUSY, DISK_FULL, Fault, LOST, NUL_IN_TEXT};

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(state) = error.code() else {
            return if is_of_the_connection(&error) {
                Self::unavailable(LOST, error)
            } else {
                Self::defect(error)
            };
        };
        match *state {
            SqlState::UNIQUE_VIOLATION => Self::exists(error),
            SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => Self::conflict(error),
            // The only text of ours that is no UTF-8 for the server.
            SqlState::CHARACTER_NOT_IN_REPERTOIRE => Self::invalid(NUL_IN_TEXT),
            SqlState::DISK_FULL => Self::unavailable(DISK_FULL, error),
            SqlState::QUERY_CANCELED => Self::unavailable("the work was cancelled", error),
            // Class 08 is the connection, 53 the server's resources, 57P its end.
            _ if state.code().starts_with("08") || state.code().starts_with("57P") => {
                Self::unavailable(LOST, error)
            }
            _ if state.code().starts_with("53") => Self::unavailable(BUSY, error),
            _ => Self::defect(error),
        }
    }
}

/// Whether the error is none of the server's, and not a value that cannot be written or read.
fn is_of_the_connection(error: &tokio_postgres::Error) -> bool {
    error.is_closed() || error.source().is_some_and(<dyn Error>::is::<io::Error>)
}
