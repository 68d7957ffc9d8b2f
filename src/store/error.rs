//! How a store says that it could not do something.
//!
//! In: what went wrong, and what is known of the work. Out: an error with both.
//! Invariant: where it is not known whether something was done, the error says so, and the same request again
//! is safe.
//! Knows no store.

/// Why a store could not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", known_words(*.known))]
pub struct StoreError {
    /// What went wrong.
    pub kind: StoreErrorKind,
    /// What is known of the work.
    pub known: Known,
    /// In words.
    pub message: String,
}

/// What is known of work that did not end well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Nothing of it was done.
    NotDone,
    /// It may be done: the answer to the commit is missing.
    Unknown,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// Others were in the way for too long.
    Busy,
    /// No space is left.
    Full,
    /// The system, or the connection, failed.
    Io,
    /// What was read is not what this program writes.
    Corrupt,
    /// The schema is one of a newer program: nothing is written.
    Newer,
    /// The database refuses: an invariant would break.
    Refused,
    /// The work itself gave up.
    Work,
    /// Anything else.
    Other,
}

fn known_words(known: Known) -> &'static str {
    match known {
        Known::NotDone => "; nothing was done",
        Known::Unknown => {
            "; it is not known whether it was done, and the same request again is safe"
        }
    }
}

impl StoreError {
    /// Of a kind, with nothing done.
    #[must_use]
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            known: Known::NotDone,
            message: message.into(),
        }
    }

    /// Anything else.
    #[must_use]
    pub fn other(message: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::Other, message)
    }

    /// What was read is not what this program writes.
    #[must_use]
    pub fn corrupt(message: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::Corrupt, message)
    }

    /// The same where it is not known whether the work was done.
    #[must_use]
    pub fn unknown(mut self) -> Self {
        self.known = Known::Unknown;
        self
    }
}
