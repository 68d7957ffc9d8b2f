//! How people and callers are told.
//!
//! In: notices from the outbox of a store. Out: to the channels of a person, of a caller.
//! Invariant: what is not taken by its channel is an error that says whether to try again; a notice may
//! come twice, with one id.
//! Knows no rule and no store.

use std::fmt;

use crate::escalation::Directory;
use crate::store::Posted;

mod lines;
mod router;

pub use lines::{FileNotifier, LogNotifier, line};
pub use router::{Carrier, Router};

/// Sends notices.
pub trait Notifier: fmt::Debug + Send + Sync {
    /// Sends one by the channels of its recipient.
    ///
    /// # Errors
    /// When no channel took it.
    fn send(&self, posted: &Posted, directory: &Directory) -> Result<(), NotifyError>;
}

/// Why a notice was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    /// It may be taken later.
    #[error("{0}; it is tried again")]
    Later(String),
    /// It never will be.
    #[error("{0}")]
    Never(String),
}
