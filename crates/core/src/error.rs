//! The one error type of the product. A protocol translates the [`Kind`] into its own shape.

use std::fmt;

/// Result with the product's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as a protocol needs to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request is malformed or breaks a rule; sending it again will not help.
    Invalid,
    /// No credentials, or credentials that are wrong, expired or revoked.
    Unauthenticated,
    /// The caller may know of the thing, but may not do this with it.
    Forbidden,
    /// It does not exist, or the caller may not know that it does.
    NotFound,
    /// A thing of that name exists already.
    Exists,
    /// The thing is in a state that does not allow this.
    Conflict,
    /// The body or a part of it is larger than allowed.
    TooLarge,
    /// Too many requests; try again later.
    RateLimited,
    /// The protocol knows the operation, this server does not offer it.
    NotOffered,
    /// The server cannot do this now (full disk, full queue, lost database); try again later.
    Unavailable,
    /// A defect. The text is for the log and never for the client.
    Internal,
}

/// An error with a message for people.
///
/// The message of every kind but [`Kind::Internal`] is sent to clients word for word: lower case start where it
/// is our own text, no full stop, and it names the thing. The source of an internal error is logged once, where it
/// is turned into an answer.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind` whose `message` the client may read.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Shorthand for [`Kind::Invalid`].
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message)
    }

    /// Shorthand for [`Kind::NotFound`].
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, message)
    }

    /// Shorthand for [`Kind::Exists`].
    pub fn exists(message: impl Into<String>) -> Self {
        Self::new(Kind::Exists, message)
    }

    /// Shorthand for [`Kind::Conflict`].
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, message)
    }

    /// Shorthand for [`Kind::Unavailable`].
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, message)
    }

    /// A defect: `message` is for the log only.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Kind::Internal, message)
    }

    /// Attaches what caused this.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What went wrong, as a protocol needs to know it.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The message; for the log only where the kind is [`Kind::Internal`].
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
