//! A decision as one line of a log.
//!
//! In: an entry. Out: the bytes of a line with its line break, and what a history keeps of it.
//! Invariant: an event reads back as the bytes that it came as, but for line breaks between its members;
//! what was redacted is in no part of the line, nor in the history.
//! Knows no files.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::{Entry, Redact, Sample};
use crate::clock::format_timestamp;
use crate::decision::recorded::{Came, Clock, Gone, Recorded, VERSION};
use crate::decision::{Decision, HistoryEntry};
use crate::event::Json;
use crate::hex;
use crate::limits::{EVENT_DEPTH_MAX, LOG_LINE_BYTES, Limits};

use super::index;

/// A line.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) bytes: Vec<u8>,
    pub(super) subjects: Vec<String>,
    /// What a history keeps, where the line is filed under something.
    pub(super) entry: Option<HistoryEntry>,
}

/// The members of a line; [`recorded`](crate::decision::recorded) says what they mean.
#[derive(Serialize)]
struct Form<'a> {
    log: u64,
    received: String,
    #[serde(skip_serializing_if = "is_default")]
    clock: Clock,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    escalation: Option<&'a str>,
    #[serde(skip_serializing_if = "is_default")]
    sample: Sample,
    #[serde(skip_serializing_if = "Option::is_none")]
    share: Option<f64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    subjects: &'a [String],
    #[serde(flatten)]
    event: EventForm<'a>,
    decision: DecisionForm<'a>,
}

/// How a line has the decision.
#[derive(Serialize)]
#[serde(untagged)]
enum DecisionForm<'a> {
    Made(&'a Decision),
    Written(&'a RawValue),
}

/// How a line has the event.
#[derive(Serialize)]
enum EventForm<'a> {
    #[serde(rename = "event")]
    Json(&'a RawValue),
    #[serde(rename = "event_text")]
    Text(&'a str),
    #[serde(rename = "event_hex")]
    Hex(String),
    #[serde(rename = "event_gone")]
    Gone(Gone),
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Line {
    /// Of an entry; nothing where no line can be made of it: its decision alone is too long, or the
    /// redaction left nothing that is a line.
    pub(super) fn of(
        entry: &Entry<'_>,
        sample: Sample,
        share: f64,
        subjects: Vec<String>,
    ) -> Option<Self> {
        let form = |event| Form {
            log: VERSION,
            received: format_timestamp(entry.received),
            clock: entry.clock,
            by: entry.by,
            escalation: entry.escalation,
            sample,
            share: (share < 1.0).then_some(share),
            subjects: &subjects,
            event,
            decision: match entry.text {
                // What is taken out is taken out of the decision itself.
                Some(text) if entry.redact.is_none() => DecisionForm::Written(text),
                _ => DecisionForm::Made(entry.decision),
            },
        };
        let event = Content::of(entry);
        let mut bytes = event.as_ref().and_then(|event| match entry.redact {
            None => written(&form(event.form()?)),
            Some(redact) => redacted(&form(event.form()?), Some(&event.tree), redact),
        });
        if bytes
            .as_ref()
            .is_none_or(|line| line.len() >= LOG_LINE_BYTES)
        {
            let form = form(EventForm::Gone(gone(&entry.event)));
            bytes = match entry.redact {
                None => written(&form),
                Some(redact) => redacted(&form, None, redact),
            };
        }
        let mut bytes = bytes.filter(|line| line.len() < LOG_LINE_BYTES)?;
        let entry = match entry.redact {
            // PERF: the line says what the decision says, and is not read for it.
            None => {
                debug_assert!(Recorded::read(&bytes).is_some(), "a line is one of a log");
                (!subjects.is_empty()).then(|| index::entry_of(entry.received, entry.decision))
            }
            // What a history knows is what the line says.
            Some(_) => Some(index::entry(&Recorded::read(&bytes)?)),
        };
        bytes.push(b'\n');
        Some(Self {
            bytes,
            subjects,
            entry,
        })
    }
}

/// An event that a line can have.
struct Content<'a> {
    text: Cow<'a, [u8]>,
    /// Where it is JSON that can be read exactly.
    tree: Json,
    is_json: bool,
    /// The text, where it was read as JSON already.
    json: Option<&'a RawValue>,
}

impl<'a> Content<'a> {
    /// Nothing where there is none, or none that may be kept.
    fn of(entry: &'a Entry<'_>) -> Option<Self> {
        let Came::Bytes(bytes) = &entry.event else {
            return None;
        };
        let bounds = Limits {
            event_total_bytes: LOG_LINE_BYTES,
            event_depth: EVENT_DEPTH_MAX,
            ..Limits::default()
        };
        if bytes.len() > LOG_LINE_BYTES {
            return None;
        }
        if entry.is_read && entry.redact.is_none() {
            let text = without_breaks(bytes);
            return Some(Self {
                json: entry.json.filter(|_| matches!(text, Cow::Borrowed(_))),
                text,
                tree: Json::Null,
                is_json: true,
            });
        }
        let tree = Json::parse(bytes, &bounds).ok();
        let tree = tree.filter(|tree| matches!(tree, Json::Object(_) | Json::List(_)));
        // The digest of what cannot be read may be that of its bytes: then not even a line break goes.
        let by_bytes = entry.decision.by == "unreadable" && bytes.contains(&b'\n');
        match tree {
            Some(tree) if !by_bytes || entry.redact.is_some() => Some(Self {
                text: without_breaks(bytes),
                tree,
                is_json: true,
                json: None,
            }),
            _ if entry.redact.is_some() => None,
            _ => Some(Self {
                text: Cow::Borrowed(bytes),
                tree: Json::Null,
                is_json: false,
                json: None,
            }),
        }
    }

    fn form(&self) -> Option<EventForm<'_>> {
        if let Some(json) = self.json {
            return Some(EventForm::Json(json));
        }
        let text = std::str::from_utf8(&self.text);
        Some(match (text, self.is_json) {
            (Ok(text), true) => EventForm::Json(serde_json::from_str(text).ok()?),
            (Ok(text), false) => EventForm::Text(text),
            (Err(_), _) => EventForm::Hex(hex::of(&self.text)),
        })
    }
}

/// JSON on one line: inside of a text a line break is not JSON, so that all of them stand between members.
fn without_breaks(json: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\n', json).is_none() {
        return Cow::Borrowed(json);
    }
    let spaced = |byte: &u8| if *byte == b'\n' { b' ' } else { *byte };
    Cow::Owned(json.iter().map(spaced).collect())
}

/// What is known of an event that is not kept.
fn gone(event: &Came<'_>) -> Gone {
    let (bytes, digest) = match event {
        Came::Bytes(bytes) => (bytes.len() as u64, Sha256::digest(bytes).into()),
        Came::Gone { bytes, digest } => (*bytes, *digest),
    };
    Gone {
        bytes,
        sha256: hex::of(&digest),
    }
}

fn written(form: &Form<'_>) -> Option<Vec<u8>> {
    // PERF: most lines fit, and are not copied while they grow.
    let mut line = Vec::with_capacity(1024);
    serde_json::to_writer(&mut line, form).ok()?;
    Some(line)
}

/// The line without what must not be kept. `exact` is the event with all digits of its numbers, which
/// stay where they are not changed. Nothing where the event cannot be taken apart.
fn redacted(form: &Form<'_>, exact: Option<&Json>, redact: Redact<'_>) -> Option<Vec<u8>> {
    let before = serde_json::to_value(form).ok()?;
    let mut after = before.clone();
    if exact.is_none() {
        strip(&mut after);
    }
    redact(&mut after);
    let changed = before != after;
    let Value::Object(members) = after else {
        return None;
    };
    let redacted = RedactedForm {
        members: &members,
        event: members.get("event").map(|event| {
            let before = before.get("event").unwrap_or(&Value::Null);
            overlay(exact.unwrap_or(&Json::Null), before, event)
        }),
        changed,
    };
    serde_json::to_vec(&redacted).ok()
}

/// What a decision says whatever its event is.
const PLAIN: [&str; 10] = [
    "event",
    "verdict",
    "by",
    "owner",
    "urgency",
    "respond_by",
    "lanes",
    "meanwhile",
    "matrix",
    "action_digest",
];

/// The same of a lane.
const PLAIN_OF_A_LANE: [&str; 5] = ["lane", "state", "owner", "urgency", "meanwhile"];

/// Takes out of a decision all that may quote an event of which nothing may be kept.
fn strip(line: &mut Value) {
    let keep = |value: &mut Value, names: &[&str]| {
        if let Value::Object(members) = value {
            members.retain(|name, _| names.contains(&name.as_str()));
        }
    };
    let Some(decision) = line.get_mut("decision") else {
        return;
    };
    keep(decision, &PLAIN);
    let lanes = decision.get_mut("lanes").and_then(Value::as_array_mut);
    for lane in lanes.into_iter().flatten() {
        keep(lane, &PLAIN_OF_A_LANE);
    }
}

struct RedactedForm<'a> {
    members: &'a serde_json::Map<String, Value>,
    event: Option<Json>,
    changed: bool,
}

impl Serialize for RedactedForm<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.members {
            match &self.event {
                _ if name == "redacted" => {}
                Some(event) if name == "event" => map.serialize_entry(name, event)?,
                _ => map.serialize_entry(name, value)?,
            }
        }
        if self.changed {
            map.serialize_entry("redacted", &true)?;
        }
        map.end()
    }
}

/// A redacted value, with what was not changed as it was.
fn overlay(exact: &Json, before: &Value, after: &Value) -> Json {
    if before == after {
        return exact.clone();
    }
    match after {
        Value::Null => Json::Null,
        Value::Bool(yes) => Json::Bool(*yes),
        Value::Number(number) => Json::Number(number.to_string()),
        Value::String(text) => Json::Text(text.clone()),
        Value::Array(items) => {
            let items = items.iter().enumerate().map(|(n, item)| {
                let exact = match exact {
                    Json::List(items) => items.get(n),
                    _ => None,
                };
                overlaid(exact, before.get(n), item)
            });
            Json::List(items.collect())
        }
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| {
                let value = overlaid(exact.member(name), before.get(name), value);
                (name.clone(), value)
            });
            Json::Object(members.collect())
        }
    }
}

fn overlaid(exact: Option<&Json>, before: Option<&Value>, after: &Value) -> Json {
    match (exact, before) {
        (Some(exact), Some(before)) => overlay(exact, before, after),
        // Nothing is equal to what was not there.
        _ if after.is_null() => Json::Null,
        _ => overlay(&Json::Null, &Value::Null, after),
    }
}
