//! What is seen of escalations: lists, and one with all that happened to it.

use serde::Deserialize;

use super::{Desk, DeskError};
use crate::clock::Timestamp;
use crate::escalation::audit::{Payload, Row};
use crate::escalation::packet::Packet;
use crate::escalation::time::as_micros;
use crate::escalation::{Escalation, RecordKind};
use crate::event::{Json, is_envelope};
use crate::limits::Limits;
use crate::reference::{Recorded, Times};
use crate::store::{Query, Summary, read};

/// One escalation, with all that happened to it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// As it is now.
    pub escalation: Escalation,
    /// What its owners see, with what was attached since; absent where it was erased.
    pub packet: Option<Packet>,
    /// What happened, the oldest first.
    pub history: Vec<Happened>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// The row of the audit.
    pub row: Row,
    /// Its particulars, or what became of them.
    pub payload: Payload,
}

impl Happened {
    /// Its particulars as JSON, if they are there.
    #[must_use]
    pub fn body(&self) -> Option<&str> {
        match &self.payload {
            Payload::Kept { body, .. } => Some(body),
            _ => None,
        }
    }
}

/// An escalation with what is needed to decide its event again.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) escalation: Escalation,
    pub(super) times: Times,
    pub(super) recorded: Recorded,
    packet: Packet,
    /// The input of the last amendment.
    amended: Option<String>,
}

#[derive(Debug, Deserialize)]
struct OpenedBody<'b> {
    #[serde(borrow)]
    evidence: &'b serde_json::value::RawValue,
}

#[derive(Debug, Deserialize)]
struct Evidence {
    packet: Packet,
    recorded: Recorded,
    #[serde(with = "as_micros")]
    measured: Timestamp,
    #[serde(with = "as_micros")]
    opened: Timestamp,
}

#[derive(Debug, Deserialize)]
struct AttachedBody {
    name: String,
    value: Json,
}

#[derive(Debug, Deserialize)]
struct AmendedBody<'b> {
    #[serde(borrow)]
    input: &'b serde_json::value::RawValue,
}

impl Desk {
    /// A page of escalations.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn page(&self, query: Query) -> Result<Vec<Summary>, DeskError> {
        Ok(read(self.inner.store.as_ref(), move |transaction| {
            transaction.page(&query)
        })?)
    }

    /// One escalation with all that happened to it.
    ///
    /// # Errors
    /// When there is none, or the store cannot be read.
    pub fn show(&self, id: &str) -> Result<Shown, DeskError> {
        let (escalation, history) = self.with_history(id)?;
        let packet = packet_of(&history);
        Ok(Shown {
            escalation,
            packet,
            history,
        })
    }

    fn with_history(&self, id: &str) -> Result<(Escalation, Vec<Happened>), DeskError> {
        let wanted = id.to_owned();
        let found = read(self.inner.store.as_ref(), move |transaction| {
            let Some(stored) = transaction.get(&wanted)? else {
                return Ok(None);
            };
            Ok(Some((stored.escalation, transaction.history(&wanted)?)))
        })?;
        let (escalation, rows) = found.ok_or_else(|| DeskError::NotFound(id.to_owned()))?;
        Ok((escalation, happened(rows)))
    }

    /// With what is needed to decide its event again.
    pub(super) fn stored(&self, id: &str) -> Result<Stored, DeskError> {
        let (escalation, history) = self.with_history(id)?;
        let evidence = history
            .first()
            .and_then(evidence_of)
            .ok_or(DeskError::Erased)?;
        let amended = history.iter().rev().find_map(|happened| {
            if happened.row.kind != RecordKind::Amended.as_str() {
                return None;
            }
            let body: AmendedBody<'_> = serde_json::from_str(happened.body()?).ok()?;
            Some(body.input.get().to_owned())
        });
        Ok(Stored {
            escalation,
            times: Times {
                measured: evidence.measured,
                opened: evidence.opened,
            },
            recorded: evidence.recorded,
            packet: evidence.packet,
            amended,
        })
    }
}

pub(super) fn happened(rows: Vec<(Row, Payload)>) -> Vec<Happened> {
    let rows = rows.into_iter();
    let happened = rows.map(|(row, payload)| Happened { row, payload });
    happened.collect()
}

/// The packet, with what was attached since; `None` where it was erased.
pub(super) fn packet_of(history: &[Happened]) -> Option<Packet> {
    let mut packet = evidence_of(history.first()?)?.packet;
    for happened in history {
        if happened.row.kind == RecordKind::Attached.as_str()
            && let Some(body) = happened.body()
            && let Ok(attached) = serde_json::from_str::<AttachedBody>(body)
        {
            // It was redacted, and held against what was there, when it was stored.
            let _ = packet.attach(&attached.name, attached.value, &[]);
        }
    }
    Some(packet)
}

fn evidence_of(opened: &Happened) -> Option<Evidence> {
    let body: OpenedBody<'_> = serde_json::from_str(opened.body()?).ok()?;
    serde_json::from_str(body.evidence.get()).ok()
}

impl Stored {
    /// The event that the votes of this round are about, if all of it was stored.
    pub(super) fn input(&self) -> Option<Vec<u8>> {
        if let Some(amended) = &self.amended {
            return Some(amended.clone().into_bytes());
        }
        let event = self.packet.event()?;
        serde_json::to_vec(&event).ok()
    }

    /// Whether a person changed the event.
    pub(super) fn is_amended(&self) -> bool {
        self.amended.is_some()
    }

    /// An event as it is given now, with the instant of the one that was decided: the own time of the
    /// event counts, and not that of asking again. What cannot be parsed cannot be read either, and is left
    /// as it is.
    pub(super) fn at_its_time(&self, event: &[u8], limits: &Limits) -> Vec<u8> {
        let Ok(mut json) = Json::parse(event, limits) else {
            return event.to_vec();
        };
        let Json::Object(_) = &json else {
            return event.to_vec();
        };
        let name = match is_envelope(&json) {
            true => "time",
            false => "at",
        };
        let at = crate::clock::format_timestamp(self.packet.at);
        json.set(&[name], Json::Text(at));
        serde_json::to_vec(&json).unwrap_or_else(|_| event.to_vec())
    }
}
