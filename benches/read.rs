//! An event's bytes to cells: 200 bytes, 500 bytes and 5 KB with evidence, against the reader that
//! lists every problem and against `serde_json` into a struct of borrowed fields, which checks no
//! range, no instant, no duplicate among undeclared members. Answers are asserted before anything is
//! timed.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a benchmark may fail loudly; criterion's macros write undocumented functions"
)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use laneway::check::{Options, check_text};
use laneway::clock::Timestamp;
use laneway::compile::compile;
use laneway::event::read;
use laneway::limits::Limits;
use laneway::program::Program;
use laneway::slots::Slots;
use serde::Deserialize;
use serde_json::value::RawValue;

const MATRIX: &str = r#"matrix "Reading" {
  edition 1
  timezone "UTC"
  otherwise allow
  unreadable deny
}

event tool_call {
  agent: text
  role: one of support_agent, operations_agent, finance_agent
  workflow: text
  action: one of lookup, draft_note, send_email, refund, credit, pay_invoice
  customer: text optional
  tenant.source: text optional
  tenant.target: text optional
  confidence: number 0 to 1 optional
  sentiment: one of calm, upset, hostile optional
  message: text optional
  amount: money USD 0 to 1000000
  attempts: whole number 0 to 1000 optional
  opened: timestamp optional
  urgent: yes/no optional
}

team desk {
  first person "a@acme.example"
  backup group "b"
}

lane one {
  about "Something"
  on tool_call
  when confidence < 0.5 and amount > 10.50 USD and role is support_agent and action is refund
  owner desk
  urgency high
  respond within 30m
  meanwhile hold item
  operator "Look."
  evidence {
    required trigger
  }
  timeout {
    after 30m deny
  }
}
"#;

const SMALL: &str = r#"{"kind":"tool_call","id":"e-1837465","at":"2026-11-20T10:00:00Z","agent":"support-7","role":"support_agent","workflow":"refunds","action":"refund","confidence":0.97,"amount":249.9,"urgent":false}"#;

const MIDDLE: &str = r#"{"kind":"tool_call","id":"0192f0c1-7b3a-7cc0-98c4-dc0c0c07398f","at":"2026-11-20T10:00:00Z","agent":"support-agent-7","role":"support_agent","workflow":"refunds-and-credits","action":"refund","customer":"cus_9s6XKzkNRiz8i3","tenant":{"source":"acme-europe","target":"acme-europe"},"confidence":0.9731,"sentiment":"upset","message":"I was charged twice for my order and nobody has answered my mails since last week","amount":249.90,"attempts":3,"opened":"2026-11-18T08:31:07Z","urgent":false,"trace":"4bf92f3577b"}"#;

#[derive(Deserialize)]
#[allow(dead_code, reason = "the fields are what is read")]
struct Typed<'a> {
    kind: &'a str,
    id: &'a str,
    at: &'a str,
    agent: &'a str,
    role: Role,
    workflow: &'a str,
    action: Action,
    customer: Option<&'a str>,
    #[serde(borrow)]
    tenant: Option<Tenant<'a>>,
    confidence: Option<f64>,
    sentiment: Option<Sentiment>,
    message: Option<&'a str>,
    amount: f64,
    attempts: Option<i64>,
    opened: Option<&'a str>,
    urgent: Option<bool>,
    evidence: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "the fields are what is read")]
struct Tenant<'a> {
    source: Option<&'a str>,
    target: Option<&'a str>,
}

#[derive(Deserialize, Debug, PartialEq)]
enum Role {
    #[serde(rename = "support_agent")]
    Support,
    #[serde(rename = "operations_agent")]
    Operations,
    #[serde(rename = "finance_agent")]
    Finance,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Lookup,
    DraftNote,
    SendEmail,
    Refund,
    Credit,
    PayInvoice,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Sentiment {
    Calm,
    Upset,
    Hostile,
}

/// The middle event with evidence of several kilobytes.
fn large() -> String {
    let turns: Vec<String> = (0..30)
        .map(|n| {
            format!(
                r#"{{"n":{n},"from":"customer","text":"Message number {n}: the order came broken and \"late\", and I want my money back.","score":0.{n}}}"#
            )
        })
        .collect();
    let open = MIDDLE.strip_suffix('}').unwrap();
    format!(
        r#"{open},"evidence":{{"input":{{"turns":[{}]}},"links":["https://acme.example/t/1"]}}}}"#,
        turns.join(",")
    )
}

fn assert_answers(program: &Program, json: &str) {
    let mut quick = Slots::default();
    let mut slow = Slots::default();
    let (limits, now) = (Limits::default(), Timestamp::UNIX_EPOCH);
    let bytes = json.as_bytes();
    let layout = &program.layout;
    assert_eq!(quick.read(bytes, layout, &limits, now), Ok(()));
    let event = read(bytes, &program.matrix.schema, &limits, now).unwrap();
    slow.fill(layout, &event).unwrap();
    assert_eq!(quick.plain(layout, bytes), slow.plain(layout, &[]));
    let typed: Typed<'_> = serde_json::from_str(json).unwrap();
    assert_eq!((typed.role, typed.amount), (Role::Support, 249.9));
}

fn benches(c: &mut Criterion) {
    let loaded = check_text("matrix.lane", MATRIX, &Options::default());
    let program = compile(&loaded.matrix.unwrap());
    let (limits, now) = (Limits::default(), Timestamp::UNIX_EPOCH);
    for json in [SMALL.to_owned(), MIDDLE.to_owned(), large()] {
        assert_answers(&program, &json);
        let bytes = json.as_bytes();
        let mut group = c.benchmark_group("read");
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        let name = |name| BenchmarkId::new(name, bytes.len());
        let mut slots = Slots::default();
        group.bench_function(name("cells"), |b| {
            b.iter(|| slots.read(black_box(bytes), &program.layout, &limits, now));
        });
        group.bench_function(name("serde_json_typed"), |b| {
            b.iter(|| serde_json::from_slice::<Typed<'_>>(black_box(bytes)).is_ok());
        });
        group.bench_function(name("event"), |b| {
            b.iter(|| read(black_box(bytes), &program.matrix.schema, &limits, now).is_ok());
        });
        group.finish();
    }
}

criterion_group!(all, benches);
criterion_main!(all);
