//! How people and callers are told.
//!
//! In: notices from the outbox of a store. Out: to the channels of a person, of a caller.
//! Invariant: what is not taken by its channel is an error that says whether to try again, and each channel
//! that was asked is told of; a notice may come twice, with one id.
//! Knows no rule and no store.

use std::fmt;
use std::time::Duration;

use crate::escalation::Directory;
use crate::store::Posted;

mod lines;
#[cfg(feature = "server")]
mod outbound;
mod router;

pub use lines::{FileNotifier, LogNotifier, line};
#[cfg(feature = "openid")]
pub(crate) use outbound::read_secret;
#[cfg(feature = "server")]
pub use outbound::{Lookup, Outbound, SigningSecret, SystemLookup, message_id, signatures};
pub use router::{Carrier, Router};

/// Sends notices.
pub trait Notifier: fmt::Debug + Send + Sync {
    /// Sends one by the channels of its recipient, but those that took it before
    /// ([`Posted::taken`](crate::store::Posted::taken)).
    fn send(&self, posted: &Posted, directory: &Directory) -> Told;
}

/// What came of sending a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Of the notice: an error where no channel took it, or where one that did not may take it later.
    pub result: Result<(), NotifyError>,
    /// Of each channel that was asked, in their order.
    pub tries: Vec<Try>,
}

/// What came of asking one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Try {
    /// Which, without its secrets; no two of a person have one name.
    pub channel: String,
    /// How long it took; nothing where it was not measured.
    pub took: Duration,
    /// Whether it took the notice.
    pub result: Result<(), NotifyError>,
}

impl Told {
    /// By one channel, of which the time is not measured.
    #[must_use]
    pub fn by(channel: String, result: Result<(), NotifyError>) -> Self {
        Self {
            result: result.clone(),
            tries: vec![Try {
                channel,
                took: Duration::ZERO,
                result,
            }],
        }
    }

    /// No channel was asked.
    #[must_use]
    pub fn nobody(why: String) -> Self {
        Self {
            result: Err(NotifyError::Never(why)),
            tries: Vec::new(),
        }
    }
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
