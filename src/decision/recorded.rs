//! A decision as a log has it: one line, with the event that it was made on.
//!
//! In: the bytes of a line. Out: what was received when, and what was decided; or that the line is none
//! of a log.
//! Invariant: what is read of an event are the bytes that it came as, up to white space outside of
//! texts, unless the line says that it was redacted.
//! Knows nothing of files, nor of what would be decided now.
//!
//! # The line
//! A JSON object on one line. Members that are not known are passed over.
//!
//! | member | is |
//! |---|---|
//! | `log` | `1`, the version of this form |
//! | `received` | the instant at which the event was received: deadlines start there |
//! | `clock` | what windows went by: absent for `received`; `trusted` for the event's own `at` from a source that is trusted with the time; `event` for a file, whose clock is that of its events |
//! | `by` | who asked, where that is known |
//! | `escalation` | the id of the escalation that was opened |
//! | `sample` | absent where all is logged; `escalations`, or a share |
//! | `share` | of how large a share of its like the line is a part; absent for 1. A sum weighs it by its inverse |
//! | `subjects` | what the decision is filed under, as keyed hashes |
//! | `redacted` | `true` where something was taken out of the line |
//! | `event` | the event, where it is a JSON object or list |
//! | `event_text` | else its text, |
//! | `event_hex` | or its bytes where they are no UTF-8, |
//! | `event_gone` | or only how many `bytes` it had and their `sha256`: it had more than an event may have, or could not be redacted |
//! | `decision` | the decision |

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{EventRef, Holds, State, Verdict};
use crate::clock::Timestamp;
use crate::clock::rfc3339 as instant;
use crate::hex;

/// The version of the form.
pub const VERSION: u64 = 1;

/// What the windows of a decision went by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Clock {
    /// The instant of receipt.
    #[default]
    Received,
    /// The event's own `at`, from a source that is trusted with the time.
    Trusted,
    /// The event's own `at`, in a file.
    Event,
}

/// An event as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came<'a> {
    /// Its bytes.
    Bytes(Cow<'a, [u8]>),
    /// Of its bytes only how many there were, and their SHA-256.
    Gone {
        /// How many.
        bytes: u64,
        /// Their hash.
        digest: [u8; 32],
    },
}

impl<'a> Came<'a> {
    /// Of bytes.
    #[must_use]
    pub fn of(bytes: &'a [u8]) -> Self {
        Self::Bytes(Cow::Borrowed(bytes))
    }
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded<'a> {
    /// When the event was received.
    pub received: Timestamp,
    /// What windows went by.
    pub clock: Clock,
    /// The event.
    pub event: Came<'a>,
    /// What was decided.
    pub decision: RecordedDecision<'a>,
    /// Of how large a share of its like the line is a part: above 0, at most 1.
    pub share: f64,
    /// Whether the log has only a part of all decisions.
    pub is_sampled: bool,
    /// Whether something was taken out of it.
    pub is_redacted: bool,
    /// What it is filed under.
    pub subjects: Vec<String>,
}

/// What is read of a decision: what is compared, and what a history says.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct RecordedDecision<'a> {
    /// The event's id or line.
    pub event: EventRef,
    /// What was to happen.
    pub verdict: Verdict,
    /// The lane or rule that named it.
    #[serde(borrow)]
    pub by: Cow<'a, str>,
    /// Why.
    #[serde(borrow, default)]
    pub reason: Cow<'a, str>,
    /// Every attached lane.
    #[serde(borrow, default)]
    pub lanes: Vec<RecordedLane<'a>>,
    /// The strictest hold of each scope.
    #[serde(default)]
    pub meanwhile: Holds,
    /// The matrix that decided.
    #[serde(borrow)]
    pub matrix: RecordedMatrix<'a>,
    /// The digest of what was decided on.
    #[serde(borrow, default)]
    pub action_digest: Cow<'a, str>,
}

/// A lane that attached.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RecordedLane<'a> {
    /// Its name.
    #[serde(borrow)]
    pub lane: Cow<'a, str>,
    /// Whether it surely applied.
    pub state: State,
}

/// The matrix that decided.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RecordedMatrix<'a> {
    /// Its title.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// The SHA-256 of its source, in hex.
    #[serde(borrow)]
    pub digest: Cow<'a, str>,
}

/// How many bytes an event had that the log does not have, and their hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// How many.
    pub bytes: u64,
    /// Their SHA-256, in hex.
    pub sha256: String,
}

/// The members of a line.
#[derive(Deserialize)]
struct Form<'a> {
    log: u64,
    #[serde(with = "instant")]
    received: Timestamp,
    #[serde(default)]
    clock: Clock,
    #[serde(default)]
    sample: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    share: Option<f64>,
    #[serde(default)]
    subjects: Vec<String>,
    #[serde(default)]
    redacted: bool,
    #[serde(borrow, default)]
    event: Option<&'a RawValue>,
    #[serde(default)]
    event_text: Option<String>,
    #[serde(default)]
    event_hex: Option<String>,
    #[serde(default)]
    event_gone: Option<Gone>,
    #[serde(borrow)]
    decision: RecordedDecision<'a>,
}

/// What every line of a log has somewhere, and hardly another one.
static MARK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"log\""));

impl<'a> Recorded<'a> {
    /// Reads a line; nothing where it is not one of a log of this version, whole and sound.
    #[must_use]
    pub fn read(line: &'a [u8]) -> Option<Self> {
        MARK.find(line)?;
        let form: Form<'a> = serde_json::from_slice(line).ok()?;
        if form.log != VERSION {
            return None;
        }
        let event = match form.event {
            Some(event) => Came::of(event.get().as_bytes()),
            None => match (form.event_text, form.event_hex, form.event_gone) {
                (Some(text), ..) => Came::Bytes(Cow::Owned(text.into_bytes())),
                (_, Some(hex), _) => Came::Bytes(Cow::Owned(hex::bytes_of(&hex)?)),
                (.., Some(gone)) => Came::Gone {
                    bytes: gone.bytes,
                    digest: hex::bytes_of(&gone.sha256)?.try_into().ok()?,
                },
                (None, None, None) => return None,
            },
        };
        let share = form.share.unwrap_or(1.0);
        Some(Self {
            received: form.received,
            clock: form.clock,
            event,
            decision: form.decision,
            share: (share > 0.0 && share <= 1.0).then_some(share)?,
            is_sampled: form.sample.is_some(),
            is_redacted: form.redacted,
            subjects: form.subjects,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"log":1,"received":"2026-11-20T10:00:00Z","event":{"kind":"k","n":1.50},"decision":{"event":"e-1","verdict":"allow","by":"otherwise","matrix":{"name":"M","digest":"ab"}}}"#;

    #[test]
    fn a_line_is_read_and_the_event_keeps_its_text() {
        let line = Recorded::read(LINE.as_bytes()).unwrap();
        assert_eq!(line.event, Came::of(br#"{"kind":"k","n":1.50}"#));
        assert_eq!(line.decision.verdict, Verdict::Allow);
        assert_eq!(line.decision.event, EventRef::Id("e-1".to_owned()));
        assert_eq!((line.clock, line.share), (Clock::Received, 1.0));
        // Another program may sort the members, and know more of them.
        let sorted = LINE
            .replace("{\"log\":1,", "{")
            .replace("\"M\"", "\"M\",\"more\":{}");
        let sorted = format!("{} , \"log\" : 1 }}", sorted.strip_suffix('}').unwrap());
        assert_eq!(Recorded::read(sorted.as_bytes()), Some(line));
    }

    #[test]
    fn what_is_not_a_whole_line_of_a_log_is_none() {
        for (old, new) in [
            ("\"log\":1", "\"log\":2"),
            ("\"log\":1", "\"log\":\"1\""),
            ("\"log\":1,", ""),
            ("\"received\"", "\"at\""),
            ("10:00:00Z", "10:00:00"),
            ("\"event\":{\"kind\":\"k\",\"n\":1.50},", ""),
            ("\"allow\"", "\"maybe\""),
            ("\"log\":1", "\"log\":1,\"share\":0"),
            ("\"log\":1", "\"log\":1,\"share\":1.5"),
            ("\"log\":1", "\"log\":1,\"log\":1"),
            (
                "\"event\":{\"kind\":\"k\",\"n\":1.50}",
                "\"event_hex\":\"abc\"",
            ),
            ("\"ab\"}}}", "\"ab\"}}"),
        ] {
            assert!(LINE.contains(old), "{old}");
            let line = LINE.replacen(old, new, 1);
            assert_eq!(Recorded::read(line.as_bytes()), None, "{line}");
        }
    }
}
