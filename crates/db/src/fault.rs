//! A statement that failed: what the caller is told, and what it means for the transaction.

use modelry_core::{Error, Kind};

/// Why a statement did not succeed.
pub(crate) struct Fault {
    /// What the caller is told.
    pub(crate) error: Error,
    /// What it means for the transaction; `None` where the work itself said no and the database is fine.
    pub(crate) damage: Option<Damage>,
}

/// What a failed statement did to its transaction. Nothing it wrote is kept in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// It lost against another transaction; running it again may succeed.
    Conflict,
    /// The database cannot work now.
    Unavailable,
    /// The disk lied or broke: nothing that the process believes about the database can be trusted.
    Disk,
    /// The statement broke a constraint, or is wrong.
    Defect,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self { error, damage: None }
    }
}

impl Fault {
    /// A constraint said that the thing is there already.
    pub(crate) fn exists(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { error: Error::exists("it exists already").with_source(source), damage: Some(Damage::Defect) }
    }

    /// The text cannot be stored by both engines.
    pub(crate) fn invalid(message: &str) -> Self {
        Self { error: Error::invalid(message), damage: Some(Damage::Defect) }
    }

    /// The database cannot do this now, and says so in `message`.
    pub(crate) fn unavailable(message: &str, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { error: Error::unavailable(message).with_source(source), damage: Some(Damage::Unavailable) }
    }

    /// The transaction lost against another one.
    pub(crate) fn conflict(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { error: Error::unavailable(BUSY).with_source(source), damage: Some(Damage::Conflict) }
    }

    /// Anything else: a defect of the statement or of the database.
    pub(crate) fn defect(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self {
            error: Error::internal("a statement failed").with_source(source),
            damage: Some(Damage::Defect),
        }
    }

    /// The disk failed under the database.
    pub(crate) fn disk(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { error: Error::unavailable("the disk failed").with_source(source), damage: Some(Damage::Disk) }
    }
}

impl Damage {
    /// The error for work that went on after a statement had failed, as if it had not.
    pub(crate) fn overlooked(self) -> Error {
        let kind = match self {
            Self::Conflict | Self::Unavailable | Self::Disk => Kind::Unavailable,
            Self::Defect => Kind::Internal,
        };
        Error::new(kind, "a statement had failed before, so nothing of this work is kept; try again")
    }
}

/// What a client hears when there is more work than the database can do.
pub(crate) const BUSY: &str = "the database is busy; try again";
/// What a client hears when the disk is full.
pub(crate) const DISK_FULL: &str = "the disk of the database is full";
/// What a client hears when the database is gone.
pub(crate) const LOST: &str = "the connection to the database is lost; try again";
/// What a client hears once the database was closed.
pub(crate) const CLOSED: &str = "the database is closed";
/// What a client hears about text that one engine could not store.
pub(crate) const NUL_IN_TEXT: &str = "text cannot contain the character NUL";
