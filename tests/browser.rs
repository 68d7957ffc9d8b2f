//! The pages in a real browser, through real clicks: who signs in, what is live, who may answer and who not.
//!
//! Needs Chromium and ChromeDriver; without them each test says that it was skipped. `LANEWAY_PICTURES=FOLDER`
//! keeps a picture of each page in light, dark and on a phone; `LANEWAY_AXE=FILE` names the script of axe-core,
//! by which each of them is audited.

#![cfg(feature = "server")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test fail as the test does"
)]

#[path = "browser/answers.rs"]
mod answers;
#[path = "support/browser.rs"]
mod browser;
#[path = "browser/demo.rs"]
mod demo;
#[path = "browser/entering.rs"]
mod entering;
#[path = "browser/looks.rs"]
mod looks;
#[path = "browser/pages.rs"]
mod pages;
#[path = "support/service.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod service;

use browser::{Browser, Driver};
use laneway::escalation::Principal;
use laneway::server::Scope;
use serde_json::{Value, json};
use service::{Client, Service};

/// A quorum of two, a lane that ends soon by silence, and one that does not.
const MATRIX: &str = r#"
matrix "Payments" {
  edition 1
  timezone "UTC"
  otherwise allow
  unreadable deny
}
event pay {
  amount: money EUR 0 to 100000
  customer: text
  note: text optional
}
team board {
  first group "board"
  quorum 2 of 3
}
team desk {
  first group "desk"
}
lane big {
  about "Large payments"
  on pay
  when amount > 1000 EUR
  owner board
  urgency high
  respond within 1h
  meanwhile block item
  operator "Look at the customer first."
  evidence {
    required input, action, trigger
  }
  timeout {
    after 8h deny
  }
}
lane odd {
  about "Odd customers"
  on pay
  when customer starts with "odd"
  owner desk
  urgency normal
  respond within 1h
  meanwhile block item
  operator "Call them."
  evidence {
    required input
  }
  timeout {
    after 8h deny
  }
}
lane brief {
  about "Payments that cannot wait"
  on pay
  when customer is "hasty"
  owner desk
  urgency critical
  respond within 2s
  meanwhile block item
  operator "Be quick."
  evidence {
    required input
  }
  timeout {
    after 6s deny
  }
}
"#;

const TOML: &str = r#"
[groups]
board = ["b1@x", "b2@x", "b3@x"]
desk = ["d1@x", "d2@x"]
[agents]
bot = "d1@x"
[roles]
operators = ["op@x"]
auditors = ["aud@x"]
admins = ["adm@x"]
[notify]
channels = ["file"]
file = "notices.ndjson"
[decisions]
"#;

const PASSWORD: &str = "a few good words";

fn service() -> Service {
    let service = Service::start(MATRIX, TOML);
    let events = [
        event("x1", 5_000, "c-17").to_string(),
        event("x2", 10, "c-18").to_string(),
    ];
    std::fs::write(service.path("events.ndjson"), events.join("\n")).unwrap();
    service
}

fn event(id: &str, amount: u32, customer: &str) -> Value {
    json!({ "kind": "pay", "id": id, "amount": amount, "customer": customer, "note": "as agreed" })
}

/// Opens an escalation by an event: its id and its digest.
fn opened(client: &Client, event: &Value) -> (String, String) {
    let asked = json!({ "event": event });
    let answer = client.post("/v1/decisions", &asked).fine().json();
    assert_eq!(answer["word"], "escalate", "{answer}");
    let text = |name: &str| answer["escalation"][name].as_str().unwrap().to_owned();
    (text("id"), text("digest"))
}

fn payments(service: &Service) -> Client {
    service.client("payments", &[Scope::Decide])
}

/// Somebody has a password.
fn knows(service: &Service, name: &str) {
    let person = Principal::parse(name).unwrap();
    let access = service.app.access();
    access.set_password(&person, PASSWORD, false).unwrap();
}

/// A window of somebody who signed in at the form.
fn signed_in<'d>(driver: &'d Driver, service: &Service, name: &str) -> Browser<'d> {
    knows(service, name);
    let browser = driver.browser(&service.url);
    sign_in(&browser, name);
    browser
}

fn sign_in(browser: &Browser<'_>, name: &str) {
    browser.open("/");
    browser.fill("#person", name);
    browser.fill("#password", PASSWORD);
    browser.press("Sign in");
    browser.sees(".who", name);
}
