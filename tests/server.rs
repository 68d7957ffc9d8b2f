//! The service over HTTP: decisions, escalations, answers; who is let in and who is not.

#![cfg(feature = "server")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test fail as the test does"
)]

#[path = "server/answers.rs"]
mod answers;
#[path = "server/bounds.rs"]
mod bounds;
#[path = "server/client.rs"]
mod client;
#[path = "server/decisions.rs"]
mod decisions;
#[path = "server/entering.rs"]
mod entering;
#[path = "server/guard.rs"]
mod guard;
#[path = "server/openapi.rs"]
mod openapi;
#[path = "server/operations.rs"]
mod operations;
#[path = "server/pages.rs"]
mod pages;
#[path = "support/program.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod program;
#[path = "server/raw.rs"]
mod raw;
#[path = "server/routes.rs"]
mod routes;
#[path = "support/service.rs"]
mod service;
#[path = "server/slow.rs"]
mod slow;
#[path = "server/written.rs"]
mod written;

use serde_json::{Value, json};

use laneway::server::Scope;
use service::{Client, Service};

const MATRIX: &str = r#"
matrix "Payments" {
  edition 1
  timezone "UTC"
  otherwise allow
  unreadable escalate to ops
}
event pay {
  amount: money EUR 0 to 100000
  customer: text
}
team ops {
  first person "o1@x", person "o2@x"
}
team board {
  first group "board"
  quorum 2 of 3
}
always deny blocked_customer on pay when customer is "blocked" because "this customer is blocked"
lane big {
  about "Large payments"
  on pay
  when amount > 1000 EUR
  owner board
  urgency high
  respond within 1h
  meanwhile block item
  operator "Look at it."
  evidence {
    required input, action, trigger
  }
  timeout {
    after 8h deny
  }
}
"#;

const TOML: &str = r#"
[groups]
board = ["b1@x", "b2@x", "b3@x"]
[agents]
bot = "b3@x"
[roles]
operators = ["op@x"]
auditors = ["aud@x"]
admins = ["adm@x"]
[notify]
channels = ["file"]
file = "notices.ndjson"
"#;

fn service() -> Service {
    Service::start(MATRIX, TOML)
}

/// The service that asks.
fn payments(service: &Service) -> Client {
    service.client("payments", &[Scope::Decide])
}

fn event(id: &str, amount: &str) -> Value {
    let text = format!(r#"{{"kind": "pay", "id": "{id}", "amount": {amount}, "customer": "c1"}}"#);
    serde_json::from_str(&text).unwrap()
}

/// Asks for a decision.
fn ask(client: &Client, event: &Value) -> Value {
    client
        .post("/v1/decisions", &json!({ "event": event }))
        .fine()
        .json()
}

/// Opens an escalation: its id, and its digest.
fn opened(client: &Client, id: &str) -> (String, String) {
    let answer = ask(client, &event(id, "5000"));
    assert_eq!(answer["word"], "escalate", "{answer}");
    let text = |name: &str| answer["escalation"][name].as_str().unwrap().to_owned();
    (text("id"), text("digest"))
}
