//! One event as slots by field, from JSON bytes and from typed code.
//!
//! In: bytes or values, a [`Schema`], the instant of receipt. Out: an [`Event`], or an
//! [`Unreadable`] with every problem at once.
//! Invariant: a slot holds a value of its field's type within its range, or nothing where the field
//! is optional; an event that cannot be read is never half read.
//! Knows no lanes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::clock::Timestamp;
use crate::limits::Limits;
use crate::schema::{FieldId, Kind, KindId, Schema};
use crate::value::Value;

pub mod build;
pub mod digest;
pub mod infer;
pub mod json;
pub mod read;

mod near;
mod parse;
mod problems;
mod typed;

#[cfg(test)]
mod tests;

pub use build::{EventBuilder, Given};
pub use json::Json;
pub use problems::name as named;
pub use read::{is_envelope, read, read_serde};

/// An event that can be decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its kind.
    pub kind: KindId,
    /// Its id, where it has one.
    pub id: Option<Arc<str>>,
    /// The schema that it was read by.
    schema: u64,
    /// The values in the slot order of its kind; the first is `at`.
    slots: Vec<Option<Value>>,
    /// Which slots were filled in from a default.
    defaulted: Vec<FieldId>,
    /// All members of the event without `id`, `at` and `evidence`: what the action digest covers.
    body: Arc<Json>,
    /// Whether the body is a CloudEvents envelope, with the fields in its `data`.
    envelope: bool,
    /// The `evidence` member.
    evidence: Option<Arc<Json>>,
    /// Things to know that do not make it unreadable.
    problems: Vec<Problem>,
}

/// An event that cannot be decided on its fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Unreadable {
    /// Its id, if that could be read.
    pub id: Option<Arc<str>>,
    /// Its kind, if that could be read and is declared.
    pub kind: Option<KindId>,
    /// Its instant: its own if that could be read, else that of receipt.
    pub at: Timestamp,
    /// Everything that is wrong with it.
    pub problems: Vec<Problem>,
    /// What it was, for its action digest.
    pub body: UnreadableBody,
    /// The `evidence` member, if it could be read.
    pub evidence: Option<Arc<Json>>,
}

/// What is known of an unreadable event's content.
#[derive(Debug, Clone, PartialEq)]
pub enum UnreadableBody {
    /// It is JSON: its members without `id`, `at` and `evidence`.
    Json(Arc<Json>),
    /// It is not: the SHA-256 of its bytes.
    Bytes([u8; 32]),
}

/// What is wrong with an event, or worth knowing of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "server", schema(as = EventProblem))]
pub struct Problem {
    /// The sort of problem; stable.
    pub code: ProblemCode,
    /// The field, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is wrong, for a person.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The sorts of problems. Those from [`ProblemCode::NearMiss`] on leave an event readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub enum ProblemCode {
    /// Not JSON, or cut off.
    NotJson,
    /// JSON, but no object.
    NotAnObject,
    /// More bytes than an event may have.
    TooLarge,
    /// Nested deeper than an event may be.
    TooDeep,
    /// A member name twice in one object, or two members that name one field.
    DuplicateMember,
    /// No `kind`.
    KindMissing,
    /// A `kind` that the matrix does not declare.
    UnknownKind,
    /// An `id` that is no text, or an empty one.
    BadId,
    /// An `at` that is no RFC 3339 instant with an offset.
    BadAt,
    /// An `evidence` that is no object.
    BadEvidence,
    /// A required field is absent.
    FieldMissing,
    /// A value of another type.
    WrongType,
    /// A word that the field does not have.
    UnknownValue,
    /// A number outside the declared range.
    OutOfRange,
    /// A number that cannot be held exactly.
    BadNumber,
    /// More problems than are listed, some of which may be of the sorts above.
    MoreProblems,
    /// An undeclared member whose name is close to an absent field. Does not make it unreadable.
    NearMiss,
    /// A lane could not be ruled out and is skipped, as its author wrote.
    Skipped,
    /// A measure of a lane is only known in part.
    History,
    /// Two adjusts set one field differently.
    AdjustConflict,
    /// A timeout step whose calendar does not open in reach.
    NeverOpen,
    /// An `at` further ahead of the clock than clocks differ.
    ClockAhead,
}

impl ProblemCode {
    /// Whether an event with such a problem cannot be decided on its fields.
    #[must_use]
    pub fn makes_unreadable(self) -> bool {
        self < Self::NearMiss
    }
}

impl Event {
    /// The instant of the event.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match self.slots.first() {
            Some(Some(Value::Timestamp(at))) => *at,
            _ => Timestamp::UNIX_EPOCH,
        }
    }

    /// The value of a field; `None` where it is missing. `kind` is the event's own kind.
    #[must_use]
    pub fn get(&self, kind: &Kind, field: FieldId) -> Option<&Value> {
        self.slots.get(kind.slot(field)?)?.as_ref()
    }

    /// The fingerprint of the schema that it was read by.
    #[must_use]
    pub fn schema(&self) -> u64 {
        self.schema
    }

    /// The values in slot order.
    #[must_use]
    pub fn slots(&self) -> &[Option<Value>] {
        &self.slots
    }

    /// Whether a field's value is its default, because the event did not give it.
    #[must_use]
    pub fn is_defaulted(&self, field: FieldId) -> bool {
        self.defaulted.contains(&field)
    }

    /// The evidence that came with it.
    #[must_use]
    pub fn evidence(&self) -> Option<&Json> {
        self.evidence.as_deref()
    }

    /// All its members but `id`, `at` and `evidence`.
    #[must_use]
    pub fn body(&self) -> &Json {
        &self.body
    }

    /// Things to know that do not make it unreadable.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The same event by another schema: what it was read from is read again.
    ///
    /// # Errors
    /// When it cannot be read by that schema.
    pub fn read_again(&self, schema: &Schema, limits: &Limits) -> Result<Self, Box<Unreadable>> {
        let mut tree = (*self.body).clone();
        let at = Json::Text(crate::clock::format_timestamp(self.at()));
        let id = self.id.as_ref().map(|id| Json::Text(id.to_string()));
        let evidence = self.evidence.as_deref().cloned();
        let (at_name, evidence_place): (_, &[&str]) = match self.envelope {
            true => ("time", &["data", "evidence"]),
            false => ("at", &["evidence"]),
        };
        tree.set(&[at_name], at);
        if let Some(id) = id {
            tree.set(&["id"], id);
        }
        if let Some(evidence) = evidence {
            tree.set(evidence_place, evidence);
        }
        read::read_tree(tree, schema, limits, self.at())
    }

    /// The same event with what adjusts changed, by path, as a decision tells it.
    #[must_use]
    pub fn with_adjusted(&self, schema: &Schema, adjusted: &BTreeMap<String, Value>) -> Self {
        let changes = adjusted.iter();
        let changes: Vec<_> = changes
            .filter_map(|(path, value)| Some((schema.field_id(path)?, value.clone())))
            .collect();
        self.with_values(schema, &changes)
    }

    /// The same event with some fields changed: the slots and the members that they came from.
    #[must_use]
    pub fn with_values(&self, schema: &Schema, changes: &[(FieldId, Value)]) -> Self {
        let mut changed = self.clone();
        let Some(kind) = schema.kind(self.kind) else {
            return changed;
        };
        let mut body = (*self.body).clone();
        for (id, value) in changes {
            let (Some(slot), Some(field)) = (kind.slot(*id), kind.field(*id)) else {
                continue;
            };
            if let Some(place) = changed.slots.get_mut(slot) {
                *place = Some(value.clone());
            }
            changed.defaulted.retain(|f| f != id);
            let mut place = Vec::with_capacity(field.json.len() + 1);
            place.extend(self.envelope.then(|| Arc::from("data")));
            place.extend(field.json.iter().cloned());
            body.set(&place, Json::from_value(value));
        }
        changed.body = Arc::new(body);
        changed
    }
}
