//! What the service answers, and what a caller does by it.
//!
//! In: the JSON of the service. Out: an [`Answer`].
//! Invariant: a word that is not known, and a permission that does not say for what, are a block.

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::ClientError;

/// What a caller does.
#[derive(Debug, Clone)]
#[must_use]
pub enum Answer {
    /// It may run the action.
    Allow,
    /// It may run the action with these fields changed.
    Modify {
        /// The changed fields by their paths, as JSON.
        adjusted: Box<RawValue>,
    },
    /// It must not run the action.
    Block {
        /// Why.
        why: Why,
    },
    /// People are asked: it waits.
    Escalate(Waiting),
    /// They approved: it uses the permission, and runs the action if that succeeds.
    Approved(Permission),
}

/// An escalation that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its id; empty in a dry run, which opens nothing.
    pub id: String,
    /// The digest of the action that it is about.
    pub digest: String,
}

/// A permission that was not used yet.
#[derive(Debug, Clone)]
pub struct Permission {
    /// The escalation that gave it.
    pub id: String,
    /// The digest of the action that may run.
    pub digest: String,
    /// The event that may run, where it is another one than the one that was asked for.
    pub changed: Option<Box<RawValue>>,
}

/// Why an action must not run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// The matrix denies it.
    Decided {
        /// The rule.
        by: String,
        /// Its reason.
        reason: String,
    },
    /// The escalation ended without a permission, or the permission is over.
    Ended {
        /// How: `denied`, `timed_out`, `cancelled`; `approved` and `amended` where the permission is over.
        state: String,
    },
    /// Another action of its group waits. It is asked again when that one has ended.
    Joined {
        /// The escalation of the other action.
        id: String,
    },
    /// Something failed, and no failure is leave to go on.
    Failed(ClientError),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decided { by, reason } => write!(f, "`{by}` denies it: {reason}"),
            Self::Ended { state } => write!(f, "the escalation is {state}"),
            Self::Joined { id } => write!(f, "another action of its group waits, `{id}`"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl From<ClientError> for Answer {
    fn from(error: ClientError) -> Self {
        Self::block(Why::Failed(error))
    }
}

impl Answer {
    fn block(why: Why) -> Self {
        Self::Block { why }
    }

    fn unreadable(what: impl Into<String>) -> Self {
        ClientError::Unreadable(what.into()).into()
    }
}

/// The answer to a request for a decision.
#[derive(Debug, Deserialize)]
pub(super) struct Decided {
    word: String,
    decision: DecidedBy,
    escalation: Option<Stands>,
    #[serde(default)]
    joined: bool,
}

#[derive(Debug, Deserialize)]
struct DecidedBy {
    by: String,
    reason: String,
    adjusted: Option<Box<RawValue>>,
    action_digest: String,
}

impl Decided {
    /// The escalation of a request that was made before, which has ended by now.
    pub(super) fn ended(&self) -> Option<String> {
        let escalation = self.escalation.as_ref()?;
        (!self.joined && !escalation.is_pending()).then(|| escalation.id.clone())
    }

    pub(super) fn answer(self) -> Answer {
        if let Some(escalation) = self.escalation {
            return match self.joined {
                true => Answer::block(Why::Joined { id: escalation.id }),
                false => escalation.answer(),
            };
        }
        let DecidedBy {
            by,
            reason,
            adjusted,
            action_digest,
        } = self.decision;
        match (&*self.word, adjusted) {
            ("allow", _) => Answer::Allow,
            ("modify", Some(adjusted)) => Answer::Modify { adjusted },
            ("block", _) => Answer::block(Why::Decided { by, reason }),
            ("escalate", _) => Answer::Escalate(Waiting {
                id: String::new(),
                digest: action_digest,
            }),
            (word, _) => Answer::unreadable(format!("`{word}` is no word of a decision")),
        }
    }
}

/// How an escalation stands.
#[derive(Debug, Deserialize)]
pub(super) struct Stands {
    id: String,
    state: String,
    word: String,
    digest: String,
    grant: Option<Grant>,
    /// What may run, where a person changed it.
    event: Option<Box<RawValue>>,
}

#[derive(Debug, Deserialize)]
struct Grant {
    digest: String,
}

impl Stands {
    pub(super) fn is_pending(&self) -> bool {
        self.word == "escalate"
    }

    pub(super) fn answer(self) -> Answer {
        let id = self.id;
        let permission = |grant: Grant, changed| {
            Answer::Approved(Permission {
                id: id.clone(),
                digest: grant.digest,
                changed,
            })
        };
        match (&*self.word, self.grant, self.event) {
            ("escalate", ..) => Answer::Escalate(Waiting {
                id,
                digest: self.digest,
            }),
            ("allow", Some(grant), _) => permission(grant, None),
            // What was never held needs no permission.
            ("allow", None, _) => Answer::Allow,
            ("modify", Some(grant), Some(event)) => permission(grant, Some(event)),
            ("modify", ..) => Answer::unreadable("what a person changed is not said"),
            ("block", ..) => Answer::block(Why::Ended { state: self.state }),
            (word, ..) => Answer::unreadable(format!("`{word}` is no word of an escalation")),
        }
    }
}

/// The answer to a command.
#[derive(Debug, Deserialize)]
pub(super) struct Done {
    pub(super) reply: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stands(text: &str) -> Answer {
        serde_json::from_str::<Stands>(text).unwrap().answer()
    }

    #[test]
    fn what_is_not_known_is_a_block() {
        for word in ["", "ALLOW", "proceed", "modify"] {
            let text = format!(r#"{{"id":"1","state":"s","word":"{word}","digest":"d"}}"#);
            assert!(matches!(stands(&text), Answer::Block { .. }), "{word}");
            let text = format!(
                r#"{{"word":"{word}","decision":{{"by":"b","reason":"r","action_digest":"d"}}}}"#
            );
            let decided: Decided = serde_json::from_str(&text).unwrap();
            assert!(matches!(decided.answer(), Answer::Block { .. }), "{word}");
        }
    }

    #[test]
    fn an_approval_is_a_permission_and_not_leave() {
        let text =
            r#"{"id":"1","state":"approved","word":"allow","digest":"d","grant":{"digest":"d"}}"#;
        assert!(matches!(stands(text), Answer::Approved(_)));
    }

    #[test]
    fn what_joined_another_action_has_no_part_in_its_permission() {
        let text = r#"{"word":"allow","joined":true,"decision":{"by":"b","reason":"r","action_digest":"d"},
            "escalation":{"id":"1","state":"approved","word":"allow","digest":"d","grant":{"digest":"d"}}}"#;
        let decided: Decided = serde_json::from_str(text).unwrap();
        assert_eq!(decided.ended(), None);
        let answer = decided.answer();
        assert!(
            matches!(&answer, Answer::Block { why: Why::Joined { id } } if id == "1"),
            "{answer:?}"
        );
    }
}
