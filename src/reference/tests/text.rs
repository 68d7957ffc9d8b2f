//! Matrices from short texts, and events from JSON.

use std::sync::Arc;

use crate::check::{Options, check_text};
use crate::clock::Timestamp;
use crate::decision::Decision;
use crate::event::{Event, Unreadable, read};
use crate::limits::Limits;
use crate::matrix::Matrix;
use crate::reference::{History, Reference, Times};

use super::build::at;

/// The blocks around the items of a test.
const PEOPLE: &str = r#"
team ops {
  first person "o@acme.example"
  backup group "ops-oncall"
}
team security {
  first person "s@acme.example"
  backup group "security-oncall"
}
action page "Page somebody"
action freeze "Freeze the account"
calendar office {
  mon to fri 09:00 to 17:00
}
"#;

const CALL: &str = r#"
event call {
  action: one of read, write, drop default read
  amount: money USD 0 to 100000 optional
  n: whole number 0 to 1000 default 0
  user: text default "u1"
  mood: one of calm, upset optional
  since: timestamp optional
  alias: text ignoring case optional
  other: text ignoring case optional
  result: one of ok, error optional
  tags: list of text default ()
}
event ping {
  user: text default "u1"
}
"#;

/// A matrix with `otherwise allow` and `unreadable escalate to ops` and these items.
pub fn matrix(items: &str) -> Arc<Matrix> {
    matrix_with("otherwise allow\n  unreadable escalate to ops", items)
}

/// A matrix with these two clauses and these items.
pub fn matrix_with(clauses: &str, items: &str) -> Arc<Matrix> {
    checked(&format!(
        "matrix \"Test\" {{\n  edition 1\n  timezone \"Europe/Berlin\"\n  {clauses}\n}}\n{PEOPLE}{CALL}{items}\n"
    ))
}

/// A matrix of a whole text. Its warnings do not matter here.
pub fn checked(text: &str) -> Arc<Matrix> {
    let loaded = check_text("test.lane", text, &Options::default());
    let findings: Vec<_> = loaded
        .diagnostics
        .iter()
        .map(|d| format!("{d:?}"))
        .collect();
    match loaded.matrix {
        Some(matrix) => matrix,
        None => panic!("{text}\n{}", findings.join("\n")),
    }
}

/// A lane with these clauses, and the usual ones where they are not given.
pub fn lane(name: &str, clauses: &str) -> String {
    let usual = [
        "on call",
        "owner ops",
        "urgency normal",
        "respond within 30m",
        "meanwhile hold item",
        "evidence {\n    required input, action, trigger\n  }",
        "timeout {\n    after 1h notify backup\n    after 2h deny\n  }",
    ];
    let mut text = format!("lane {name} {{\n");
    for line in clauses.lines() {
        text += &format!("  {}\n", line.trim());
    }
    for clause in usual {
        let word = clause.split(' ').next().unwrap();
        if !clauses.lines().any(|line| line.trim().starts_with(word)) {
            text += &format!("  {clause}\n");
        }
    }
    text + "}\n"
}

/// The instant of an event that names none: a Wednesday, noon in Berlin.
pub fn noon() -> Timestamp {
    at("2026-01-07T11:00:00Z")
}

pub fn try_event(matrix: &Matrix, json: &str) -> Result<Event, Box<Unreadable>> {
    read(json.as_bytes(), &matrix.schema, &Limits::default(), noon())
}

/// An event of kind `call`, from its members but the kind.
pub fn call(matrix: &Matrix, members: &str) -> Event {
    let comma = if members.is_empty() { "" } else { ", " };
    let json = format!(r#"{{"kind": "call"{comma}{members}}}"#);
    try_event(matrix, &json).unwrap_or_else(|e| panic!("{json}: {:?}", e.problems))
}

/// What is decided of a `call` without history.
pub fn decide(matrix: &Matrix, members: &str) -> Decision {
    decide_event(matrix, &call(matrix, members))
}

pub fn decide_event(matrix: &Matrix, event: &Event) -> Decision {
    let history = History::new(matrix);
    Reference::new(matrix).decide(event, &history, Times::of(event))
}

/// `deny by x`
pub fn verdict(decision: &Decision) -> String {
    format!("{} by {}", decision.verdict.as_str(), decision.by)
}

/// The attached lanes with their states: `a, b?`.
pub fn attached(decision: &Decision) -> String {
    let lanes = decision.lanes.iter().map(|lane| match lane.state {
        crate::decision::State::Fired => lane.lane.clone(),
        crate::decision::State::Unsure => format!("{}?", lane.lane),
    });
    lanes.collect::<Vec<_>>().join(", ")
}
