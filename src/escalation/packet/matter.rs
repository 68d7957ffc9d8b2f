//! What a packet says of its event, read or not.
//!
//! In: an event, from its JSON or read already, and the matrix that decided it. Out: a [`Matter`].
//! Invariant: nothing is left out but what the event names itself by.
//! Knows no decisions.

use std::collections::BTreeMap;

use crate::clock::Timestamp;
use crate::event::{self, Event, Json, Unreadable, UnreadableBody};
use crate::limits::Limits;
use crate::matrix::Matrix;
use crate::schema::KindId;

/// An event that an escalation is about.
#[derive(Debug, Clone)]
pub struct Matter<'m> {
    pub(super) matrix: &'m Matrix,
    pub(super) kind: Option<KindId>,
    pub(super) id: Option<String>,
    pub(super) at: Timestamp,
    pub(super) action: Option<Json>,
    pub(super) evidence: BTreeMap<String, Json>,
    pub(super) defaulted: Vec<String>,
}

impl<'m> Matter<'m> {
    /// From the JSON that was decided, with the instant of its receipt.
    #[must_use]
    pub fn read(matrix: &'m Matrix, bytes: &[u8], limits: &Limits, received: Timestamp) -> Self {
        match event::read(bytes, &matrix.schema, limits, received) {
            Ok(event) => Self::of(matrix, &event),
            Err(unreadable) => Self::of_unreadable(matrix, &unreadable),
        }
    }

    /// From an event that was read by the schema of the matrix, before any adjust.
    #[must_use]
    pub fn of(matrix: &'m Matrix, event: &Event) -> Self {
        let fields = matrix.kind(event.kind).map(|kind| kind.fields.iter());
        let fields = fields.into_iter().flatten();
        let defaulted = fields.filter(|field| event.is_defaulted(field.id));
        Self {
            matrix,
            kind: Some(event.kind),
            id: event.id.as_deref().map(str::to_owned),
            at: event.at(),
            action: Some(event.body().clone()),
            evidence: members(event.evidence()),
            defaulted: defaulted.map(|field| field.path.to_string()).collect(),
        }
    }

    /// From an event that cannot be read.
    #[must_use]
    pub fn of_unreadable(matrix: &'m Matrix, event: &Unreadable) -> Self {
        Self {
            matrix,
            kind: event.kind,
            id: event.id.as_deref().map(str::to_owned),
            at: event.at,
            action: match &event.body {
                UnreadableBody::Json(body) => Some(body.as_ref().clone()),
                UnreadableBody::Bytes(_) => None,
            }
            .filter(|body| *body != Json::Null),
            evidence: members(event.evidence.as_deref()),
            defaulted: Vec::new(),
        }
    }
}

/// The pieces of evidence by their names; a `null` is none.
fn members(evidence: Option<&Json>) -> BTreeMap<String, Json> {
    let Some(Json::Object(members)) = evidence else {
        return BTreeMap::new();
    };
    let given = members.iter().filter(|(_, value)| *value != Json::Null);
    given.cloned().collect()
}
