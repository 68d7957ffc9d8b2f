//! What happened to an escalation, a line for each thing.
//!
//! In: rows of the audit with their payloads. Out: when, what, by whom.
//! Invariant: a row whose particulars were erased keeps its line.

use chrono_tz::Tz;
use serde_json::Value;

use super::moment;
use crate::desk::Happened;
use crate::escalation::audit::{Payload, Row};
use crate::escalation::{Does, RecordKind, Resolution};

/// A line for each, the oldest first.
pub fn lines(history: &[Happened], zone: Tz) -> Vec<String> {
    let line = |it: &Happened| {
        let at = moment(it.row.at, zone);
        format!("{at}  {}", what(&it.row, &it.payload, zone))
    };
    history.iter().map(line).collect()
}

/// What a row says.
pub fn what(row: &Row, payload: &Payload, zone: Tz) -> String {
    let kind = row.kind.as_str();
    let body = match payload {
        Payload::Kept { body, .. } => body,
        Payload::Erased { by, why, .. } => return format!("{kind} (erased by {by}: {why})"),
        Payload::Missing => return format!("{kind} (its text is MISSING)"),
    };
    match RecordKind::from_word(kind) {
        Some(kind) => words(kind, body, zone),
        None => kind.to_owned(),
    }
}

/// What a record with these particulars says.
pub fn words(kind: RecordKind, body: &str, zone: Tz) -> String {
    Body(serde_json::from_str(body).unwrap_or(Value::Null)).words(kind, zone)
}

struct Body(Value);

impl Body {
    fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or("")
    }

    fn read<T: serde::de::DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_value(self.0.get(name)?.clone()).ok()
    }

    fn list(&self, name: &str) -> String {
        let list: Vec<String> = self.read(name).unwrap_or_default();
        list.join(", ")
    }

    /// `: ` and the text, if there is one.
    fn because(&self, name: &str) -> String {
        match self.text(name) {
            "" => String::new(),
            why => format!(": {why}"),
        }
    }

    fn step(&self) -> String {
        let does: Option<Does> = self.read("does");
        does.map_or_else(String::new, |does| super::does(&does))
    }

    fn words(&self, kind: RecordKind, zone: Tz) -> String {
        let by = self.text("by");
        let lane = self.text("lane");
        match kind {
            RecordKind::Opened => match by {
                "" => format!("opened by {} by lane {lane}", self.text("requester")),
                by => format!("opened by {by} by lane {lane}"),
            },
            RecordKind::Joined => match self.text("requester") {
                "" => "a further event joined".to_owned(),
                who => format!("a further event of {who} joined, key {}", self.text("key")),
            },
            RecordKind::Stepped => format!("nobody had answered in lane {lane}: {}", self.step()),
            RecordKind::Hurried => {
                format!(
                    "brought forward in lane {lane}: {}{}",
                    self.step(),
                    self.because("why")
                )
            }
            RecordKind::Voted => {
                let word = match self.text("vote") {
                    "approve" => "approved by",
                    "deny" => "denied by",
                    _ => "approval withdrawn by",
                };
                format!("{word} {by}{}", self.because("reason"))
            }
            RecordKind::Voided => {
                format!(
                    "the approval of {} is void{}",
                    self.text("person"),
                    self.because("why")
                )
            }
            RecordKind::Amended => format!("input changed by {by}{}", self.because("reason")),
            RecordKind::Reassigned => {
                format!("lane {lane} reassigned to {} by {by}", self.text("team"))
            }
            RecordKind::Delegated => {
                format!(
                    "{} delegated to {} by {by}",
                    self.text("from"),
                    self.text("to")
                )
            }
            RecordKind::Commented => format!("{by} said: {}", self.text("text")),
            RecordKind::Attached => format!("{by} added the evidence {}", self.text("name")),
            RecordKind::Viewed => format!("seen by {by}"),
            RecordKind::Satisfied => match by {
                "silence" => {
                    format!(
                        "lane {lane} satisfied BY SILENCE{}",
                        self.because("because")
                    )
                }
                _ => format!("lane {lane} satisfied by {}", self.list("of")),
            },
            RecordKind::Resolved => self.resolved(zone),
            RecordKind::Consumed => format!("permission used by {by}"),
            RecordKind::Lapsed => "permission lapsed".to_owned(),
            RecordKind::Revoked => {
                let who = if by == "engine" { "the engine" } else { by };
                format!("permission taken back by {who}{}", self.because("why"))
            }
            RecordKind::Released => format!("released by {by}"),
            RecordKind::Undelivered => {
                format!("nobody of lane {lane} could be told{}", self.because("why"))
            }
            RecordKind::Refused => {
                format!(
                    "refused {by} to {}{}",
                    self.text("command"),
                    self.because("why")
                )
            }
            RecordKind::Erased => format!("erased by {by}{}", self.because("why")),
        }
    }

    fn resolved(&self, zone: Tz) -> String {
        let resolution: Option<Resolution> = self.read("resolution");
        let Some(resolution) = resolution else {
            return "ended".to_owned();
        };
        let ended = super::ended(&resolution, zone);
        // The line has the instant before it.
        let ended = ended
            .split_once("  ")
            .map_or(ended.as_str(), |(_, rest)| rest);
        format!("{ended}{}", self.because("reason"))
    }
}
