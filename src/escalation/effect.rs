//! What follows from a command besides the new state: rows of the audit, notices to send.
//!
//! In: made by the rules. Out: to a store, in the transaction that stores the state (rule 14).
//! Invariant: the id of a notice is the same whenever the same thing is told to the same one
//! (rules 11 and 15).

use serde::{Deserialize, Serialize};

use super::principal::Principal;
use crate::clock::Timestamp;

/// Something that happened, for the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What.
    pub kind: RecordKind,
    /// Its particulars as JSON, to the byte: numbers of an event keep their digits. They are kept apart,
    /// and can be erased.
    pub body: String,
}

macro_rules! record_kinds {
    ($($(#[$doc:meta])* $variant:ident => $word:literal)*) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RecordKind {
            $($(#[$doc])* $variant,)*
        }

        impl RecordKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// From its word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
            }
        }
    };
}

record_kinds! {
    /// It opened.
    Opened => "opened"
    /// A further event joined it.
    Joined => "joined"
    /// A timeout step was performed.
    Stepped => "stepped"
    /// A step was brought forward, because nobody could be asked or told.
    Hurried => "hurried"
    /// A vote was given.
    Voted => "voted"
    /// The vote of a person who left was taken back.
    Voided => "voided"
    /// The input was changed.
    Amended => "amended"
    /// Another team is asked.
    Reassigned => "reassigned"
    /// A person votes in another's place.
    Delegated => "delegated"
    /// A comment.
    Commented => "commented"
    /// A piece of evidence.
    Attached => "attached"
    /// An eligible person saw it for the first time.
    Viewed => "viewed"
    /// A sign-off was satisfied, by votes or by silence.
    Satisfied => "satisfied"
    /// It ended.
    Resolved => "resolved"
    /// The grant was consumed.
    Consumed => "consumed"
    /// The grant lapsed.
    Lapsed => "lapsed"
    /// The grant was taken back.
    Revoked => "revoked"
    /// What a denial kept was released.
    Released => "released"
    /// Nobody could be told.
    Undelivered => "undelivered"
    /// A command was refused.
    Refused => "refused"
    /// Payloads were erased.
    Erased => "erased"
}

/// Something to send, at least once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Stable: a second sending can be told by it.
    pub id: String,
    /// To whom.
    pub to: Recipient,
    /// What about.
    pub about: About,
    /// The lane whose sign-off it is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lane: Option<String>,
    /// From when.
    #[serde(with = "super::time::as_micros")]
    pub at: Timestamp,
    /// Waiting notices of one such key are sent as one, with a count (rule 13).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub merge: Option<String>,
}

/// To whom a notice goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// A person who is asked.
    Person(Principal),
    /// A team whose people are asked, where it has channels of its own.
    Team(Principal),
    /// The requester.
    Caller(Principal),
}

/// What a notice says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// You are asked.
    Asked,
    /// You are asked still.
    Reminded,
    /// Do this meanwhile: `action.requested` (rule 11).
    Action(String),
    /// It ended so: `escalation.resolved` (rule 11).
    Resolved(String),
}

impl About {
    /// The type of the notice, as webhooks name it.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Asked => "escalation.opened",
            Self::Reminded => "escalation.reminder",
            Self::Action(_) => "action.requested",
            Self::Resolved(_) => "escalation.resolved",
        }
    }
}
