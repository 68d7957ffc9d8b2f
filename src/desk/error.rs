//! Why a desk did not do something.

use crate::escalation::Refusal;
use crate::escalation::packet::AttachError;
use crate::store::StoreError;

/// Why a desk did not do something. Whoever gets one must not proceed (rule 16).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeskError {
    /// No such escalation. It is not known, so it allows nothing.
    #[error("there is no escalation `{0}`")]
    NotFound(String),
    /// The rules refuse it.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// The key was used for another action (rule 1).
    #[error(
        "the key `{key}` was used for another action: escalation `{escalation}` has the digest `{digest}`"
    )]
    Conflict {
        /// The key.
        key: String,
        /// The escalation that it opened.
        escalation: String,
        /// That one's digest.
        digest: String,
    },
    /// Neither a key nor an id (rule 1).
    #[error(
        "an event without an `id` needs an idempotency key, or a repeated call would open twice"
    )]
    NoKey,
    /// Only escalate decisions open something (rule 1).
    #[error("the decision is `{0}`, and opens nothing")]
    NotEscalated(&'static str),
    /// A person cannot be named so.
    #[error("`{0}` is not asked about anything here, and no team of the pinned matrix")]
    NoSuchTeam(String),
    /// A matrix that is pinned cannot be read any more.
    #[error("the matrix `{digest}` cannot be read: {why}")]
    Matrix {
        /// Its digest.
        digest: String,
        /// Why.
        why: String,
    },
    /// A part of the event was not stored, so that it cannot be decided again.
    #[error(
        "parts of the event were not stored; give the event again, so that it can be decided again"
    )]
    NeedsEvent,
    /// A piece of evidence that cannot be added.
    #[error(transparent)]
    Evidence(AttachError),
    /// It looks like JSON, and cannot be parsed.
    #[error("`{0}` is JSON that cannot be read, so that nothing could be redacted in it")]
    NotJson(String),
    /// What was stored with it was erased.
    #[error("what was stored with it was erased")]
    Erased,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DeskError {
    /// Its stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not_found",
            Self::Refused(refusal) => refusal.code(),
            Self::Conflict { .. } => "conflict",
            Self::NoKey => "no_key",
            Self::NotEscalated(_) => "not_escalated",
            Self::NoSuchTeam(_) => "no_such_team",
            Self::Matrix { .. } => "matrix",
            Self::NeedsEvent => "needs_event",
            Self::Evidence(_) => "evidence",
            Self::NotJson(_) => "not_json",
            Self::Erased => "erased",
            Self::Store(_) => "store",
        }
    }
}
