//! The exported form: one object a line.
//!
//! In: a row with its payload, or a checkpoint; or a line of text. Out: the other of the two.
//! Invariant: a line reads back to what it was written from, and a member that is not known is an
//! error, so that nothing in an export goes unchecked.
//! Knows nothing of files: who reads them bounds the length of a line.

use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;
use super::digest::Salt;
use super::row::{Payload, Row};
use crate::clock::{Timestamp, rfc3339};

/// One line of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub enum Line {
    /// A row, and what became of its payload. A payload that is missing has no member.
    Row {
        /// The row.
        row: Row,
        /// Its payload.
        payload: Payload,
    },
    /// A checkpoint.
    Checkpoint(Checkpoint),
}

/// Why a text is not a line of an export.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// It is not JSON, or not of the form of a line.
    #[error("not a line of an audit export: {reason} (column {column})")]
    Form {
        /// What is wrong.
        reason: String,
        /// Where, in bytes from 1.
        column: usize,
    },
}

impl Line {
    /// Reads a line.
    ///
    /// # Errors
    /// When it is not JSON or not of the form that [`audit`](super) shows.
    pub fn parse(text: &str) -> Result<Self, LineError> {
        serde_json::from_str(text).map_err(|error| {
            let whole = error.to_string();
            // The place is said apart: a line has no lines.
            let reason = whole.split(" at line ").next().unwrap_or_default();
            LineError::Form {
                reason: reason.to_owned(),
                column: error.column(),
            }
        })
    }

    /// Writes a line, without the end of it.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Texts and numbers only: nothing of it can fail to be JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A line with the members that it may have.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    row: Option<Row>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload: Option<PayloadForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checkpoint: Option<Checkpoint>,
}

/// A payload with the members that it may have.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PayloadForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<Salt>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    erased: Option<Tombstone>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tombstone {
    #[serde(with = "rfc3339")]
    at: Timestamp,
    by: String,
    why: String,
}

impl TryFrom<Form> for Line {
    type Error = &'static str;

    fn try_from(form: Form) -> Result<Self, Self::Error> {
        match (form.row, form.payload, form.checkpoint) {
            (Some(row), payload, None) => {
                let payload = payload.map_or(Ok(Payload::Missing), Payload::try_from)?;
                Ok(Self::Row { row, payload })
            }
            (None, None, Some(checkpoint)) => Ok(Self::Checkpoint(checkpoint)),
            _ => Err("a line has a `row` with its `payload`, or a `checkpoint`"),
        }
    }
}

impl From<Line> for Form {
    fn from(line: Line) -> Self {
        let (row, payload, checkpoint) = match line {
            Line::Row { row, payload } => (Some(row), PayloadForm::of(payload), None),
            Line::Checkpoint(checkpoint) => (None, None, Some(checkpoint)),
        };
        Self {
            row,
            payload,
            checkpoint,
        }
    }
}

impl TryFrom<PayloadForm> for Payload {
    type Error = &'static str;

    fn try_from(form: PayloadForm) -> Result<Self, Self::Error> {
        match (form.salt, form.body, form.erased) {
            (Some(salt), Some(body), None) => Ok(Self::Kept { salt, body }),
            (None, None, Some(Tombstone { at, by, why })) => Ok(Self::Erased { at, by, why }),
            _ => Err("a payload has a `salt` and a `body`, or is `erased`"),
        }
    }
}

impl PayloadForm {
    /// None of a payload that is missing.
    fn of(payload: Payload) -> Option<Self> {
        match payload {
            Payload::Kept { salt, body } => Some(Self {
                salt: Some(salt),
                body: Some(body),
                erased: None,
            }),
            Payload::Erased { at, by, why } => Some(Self {
                erased: Some(Tombstone { at, by, why }),
                ..Self::default()
            }),
            Payload::Missing => None,
        }
    }
}
