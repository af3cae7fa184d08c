//! What SQLite's errors mean.

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::fault::{BUSY, DISK_FULL, Fault};

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        let Some(code) = error.sqlite_error().copied() else {
            return Self::defect(error);
        };
        match code.extended_code {
            ffi::SQLITE_CONSTRAINT_UNIQUE
            | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            | ffi::SQLITE_CONSTRAINT_ROWID => {
                return Self::exists(error);
            }
            ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC => return Self::disk(error),
            _ => {}
        }
        match code.code {
            ErrorCode::DiskFull => Self::unavailable(DISK_FULL, error),
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::unavailable(BUSY, error),
            ErrorCode::OperationInterrupted => Self::unavailable("the work was cancelled", error),
            _ => Self::defect(error),
        }
    }
}

/// Whether an error of a commit or a checkpoint means that nothing after it can be believed.
///
/// A disk that is merely full says so, and SQLite undoes the transaction; after any other failed write or sync the
/// kernel may have thrown away pages that SQLite takes for written.
pub(crate) fn is_beyond_repair(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}
