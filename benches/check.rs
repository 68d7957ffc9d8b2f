//! Parsing and checking, over 5, 500 and 5,000 lanes of about 800 bytes, without and with one
//! example a lane. The answers are asserted before anything is timed.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark may fail loudly; criterion's macros write undocumented functions"
)]

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use laneway::cases::check_examples;
use laneway::check::{Loaded, Options, check_text};
use laneway::clock::Timestamp;
use laneway::event::read;
use laneway::limits::Limits;
use laneway::reference::{History, Reference, Times};
use laneway::span::FileId;
use laneway::syntax::parse;

const HEAD: &str = r#"matrix "Generated" {
  edition 1
  timezone "Europe/Berlin"
  otherwise allow
  unreadable deny
}

calendar office_hours {
  mon to fri 09:00 to 18:00
  except 2026-12-24 to 2026-12-26
}

event tool_call {
  action: one of lookup, refund, credit, send_email, grant_role
  amount: money USD 0 to 1000000 optional
  confidence: number 0 to 1
  customer: text
  tenant.source: text
  tenant.target: text
  sentiment: one of calm, upset, hostile optional
  tags: list of text default ()
}

event payment {
  amount: money USD 0 to 1000000
  customer: text
  country: text
  attempts: whole number 0 to 1000 default 1
}

event ticket {
  customer: text
  subject: text ignoring case
  backlog: whole number 0 to 1000000
  opened: timestamp
}

action save_draft "Save the reply as a draft"
action open_case "Open a review case"

list privileged is "admin", "owner", "billing"

sample call is tool_call {
  action = lookup, confidence = 0.9, customer = "c1", amount = 10 USD, sentiment = calm
  tenant.source = "acme", tenant.target = "acme"
}

sample transfer is payment {
  amount = 10 USD, customer = "c1", country = "DE"
}

sample question is ticket {
  customer = "c1", subject = "hello", backlog = 3, opened = 2026-01-07T09:00:00Z
}

"#;

/// A matrix of so many lanes: three kinds in turn, ten teams, ten conditions.
fn matrix(lanes: usize, examples: bool) -> String {
    let mut text = HEAD.to_owned();
    for n in 0..10 {
        let _ = writeln!(
            text,
            "team team_{n} {{\n  first person \"lead{n}@acme.example\"\n  backup group \"oncall-{n}\"\n}}\n"
        );
        let _ = writeln!(
            text,
            "condition sensitive_{n} means action is send_email or tags contains any of (\"outbound-{n}\", \"public-{n}\")\n"
        );
    }
    for n in 0..lanes {
        lane(&mut text, n, examples);
    }
    text
}

fn lane(text: &mut String, n: usize, examples: bool) {
    let team = n % 10;
    let (kind, when, sample, change) = match n % 3 {
        0 => (
            "tool_call",
            format!(
                "any of {{\n    confidence < 0.{:02} and sensitive_{team}\n    \
                 sentiment is hostile and tags contains any of privileged\n    \
                 amount > {}.50 USD and tenant.source differs from tenant.target\n  }}",
                n % 100,
                1_000 + n
            ),
            "call",
            format!("amount = {} USD, tenant.target = \"other\"", 1_001 + n),
        ),
        1 => (
            "payment",
            format!(
                "all of {{\n    amount > {} USD\n    \
                 country not in (\"DE\", \"FR\", \"land-{n}\") or attempts >= {}\n    \
                 not customer starts with \"internal-{n}\"\n  }}",
                100 + n,
                2 + n % 50
            ),
            "transfer",
            format!("amount = {} USD, country = \"XX\"", 101 + n),
        ),
        _ => (
            "ticket",
            format!(
                "any of {{\n    subject contains \"legal {n}\"\n    \
                 backlog > {} and opened older than {}h\n    \
                 subject like \"*cancel*contract {n}*\"\n  }}",
                50 + n,
                1 + n % 90
            ),
            "question",
            format!("subject = \"a legal {n} matter\""),
        ),
    };
    let _ = write!(
        text,
        "lane lane_{n} {{\n  about \"Generated lane number {n}: what agents of team {team} must not decide alone about this kind of event\"\n  on {kind}\n  when {when}\n  \
         owner team_{team}\n  urgency high\n  respond within 30m of office_hours\n  meanwhile hold item\n  \
         also save_draft, open_case\n  operator \"Read the {kind} with its history, call the customer where the amount is large, then approve, change or reject it.\"\n  \
         evidence {{\n    required input, action, trigger\n    optional context, history last 20, links, \"ticket_url\"\n  }}\n  \
         timeout {{\n    after 30m of office_hours notify backup\n    after 2h of office_hours deny\n  }}\n"
    );
    if examples {
        let _ = writeln!(
            text,
            "  example \"over the threshold {n}\" {sample} with {{ {change} }} -> escalate"
        );
    }
    text.push_str("}\n\n");
}

fn checked(text: &str) -> Loaded {
    check_text("matrix.lane", text, &Options::default())
}

/// The matrix loads with all lanes, and decides one event by its first lane.
fn assert_answers(text: &str, lanes: usize, examples: bool) {
    let loaded = checked(text);
    let errors: Vec<_> = loaded
        .diagnostics
        .iter()
        .map(|d| &d.message)
        .take(3)
        .collect();
    let Some(matrix) = loaded.matrix else {
        panic!("{errors:?}");
    };
    assert_eq!(matrix.lanes.len(), lanes);
    assert_eq!(loaded.examples, if examples { lanes } else { 0 });
    assert!(check_examples(&matrix).is_empty());
    let json = br#"{"kind": "payment", "id": "e-1", "at": "2026-01-07T12:00:00Z", "amount": 100000, "customer": "c", "country": "XX"}"#;
    let event = read(
        json,
        &matrix.schema,
        &Limits::default(),
        Timestamp::UNIX_EPOCH,
    )
    .unwrap();
    let decision =
        Reference::new(&matrix).decide(&event, &History::new(&matrix), Times::of(&event));
    assert_eq!(decision.by, "lane_1");
    assert_eq!(decision.lanes.len(), (lanes + 1) / 3);
}

fn benches(c: &mut Criterion) {
    for lanes in [5, 500, 5_000] {
        let text = matrix(lanes, false);
        let with_examples = matrix(lanes, true);
        assert_answers(&text, lanes, false);
        assert_answers(&with_examples, lanes, true);
        let per_lane = (text.len() - matrix(0, false).len()) / lanes;
        assert!((700..900).contains(&per_lane), "{per_lane} bytes a lane");

        let mut group = c.benchmark_group("check");
        group.sample_size(10);
        group.throughput(Throughput::Bytes(text.len() as u64));
        let parameter = |name| BenchmarkId::new(name, lanes);
        group.bench_function(parameter("parse"), |b| {
            b.iter(|| parse(FileId(0), black_box(&text), &Limits::default()));
        });
        group.bench_function(parameter("parse_and_check"), |b| {
            b.iter(|| checked(black_box(&text)));
        });
        group.bench_function(parameter("parse_check_and_examples"), |b| {
            b.iter(|| {
                let loaded = checked(black_box(&with_examples));
                loaded.matrix.map(|matrix| check_examples(&matrix).len())
            });
        });
        group.finish();
    }
}

criterion_group!(check, benches);
criterion_main!(check);
