//! `fmt` over generated matrices: the tree, the comments and every decision stay the same.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::collections::BTreeMap;

use laneway::cases;
use laneway::clock::Timestamp;
use laneway::event::read;
use laneway::limits::Limits;
use laneway::matrix::Matrix;
use laneway::reference::{History, Reference, Times};
use laneway::span::FileId;
use laneway::syntax::{Parsed, parse, print};
use serde_json::Value;

#[path = "support/events.rs"]
mod events;
#[path = "support/generate.rs"]
mod generate;

use events::Events;
use generate::{Generated, Plan};

fn parsed(text: &str) -> Parsed {
    let parsed = parse(FileId(0), text, &Limits::default());
    assert!(
        parsed.diagnostics.is_empty(),
        "{:?}\n{text}",
        parsed.diagnostics
    );
    parsed
}

fn comments<'t>(parsed: &Parsed, text: &'t str) -> Vec<&'t str> {
    let spans = parsed.comments.iter().map(|comment| comment.span.range());
    spans.map(|range| text[range].trim_end()).collect()
}

fn formatted(text: &str) -> String {
    let parsed = parsed(text);
    print::print(&parsed.ast, text, &parsed.comments)
}

#[test]
fn formatting_keeps_the_tree_and_the_comments() {
    let mut kept = 0;
    for seed in 1_000..1_400 {
        for text in generate::matrix(seed, &Plan::default()).files.values() {
            let before = parsed(text);
            let once = formatted(text);
            let after = parsed(&once);
            assert!(before.ast == after.ast, "seed {seed}\n{text}\n----\n{once}");
            assert_eq!(
                comments(&before, text),
                comments(&after, &once),
                "seed {seed}\n{text}\n----\n{once}"
            );
            kept += after.comments.len();
            let twice = formatted(&once);
            assert_eq!(once, twice, "seed {seed}\n{text}");
            // Without the comments, from the tree alone.
            let bare = print::print(&before.ast, "", &[]);
            assert!(parsed(&bare).ast == before.ast, "seed {seed}\n{bare}");
            assert_eq!(formatted(&bare), bare, "seed {seed}");
        }
    }
    assert!(kept > 5_000, "{kept}");
}

/// Every decision of a stream of events, as JSON without what names the text's lines and its hash.
fn decisions(matrix: &Matrix, events: &[String]) -> Vec<Value> {
    let reference = Reference::new(matrix);
    let mut history = History::new(matrix);
    let mut all = Vec::new();
    for json in events {
        let limits = Limits::default();
        let decision = match read(
            json.as_bytes(),
            &matrix.schema,
            &limits,
            Timestamp::UNIX_EPOCH,
        ) {
            Ok(event) => reference.decide_and_record(&event, &mut history, Times::of(&event)),
            Err(unreadable) => reference.decide_unreadable(&unreadable, unreadable.at),
        };
        let mut value = serde_json::to_value(&decision).unwrap();
        strip(&mut value);
        all.push(value);
    }
    all
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("line");
            if members.contains_key("digest") {
                members.remove("digest");
            }
            members.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

fn reformatted(generated: &Generated) -> Generated {
    let files: BTreeMap<String, String> = generated
        .files
        .iter()
        .map(|(path, text)| (path.clone(), formatted(text)))
        .collect();
    Generated {
        seed: generated.seed,
        files,
    }
}

#[test]
fn formatting_changes_no_decision() {
    let plan = Plan {
        settled: true,
        ..Plan::default()
    };
    let mut escalated = 0;
    for seed in 2_000..2_150 {
        let generated = generate::matrix(seed, &plan);
        let other = reformatted(&generated);
        let (before, after) = (generated.matrix(), other.matrix());
        let mut source = Events::new(&before, seed);
        let events: Vec<String> = (0..30).map(|_| source.any()).collect();
        let (was, is) = (decisions(&before, &events), decisions(&after, &events));
        for ((was, is), event) in was.iter().zip(&is).zip(&events) {
            assert_eq!(was, is, "seed {seed}\n{event}");
            escalated += usize::from(was["verdict"] == "escalate");
        }
        assert!(cases::check_examples(&after).is_empty(), "seed {seed}");
    }
    assert!(escalated > 1_000, "{escalated}");
}
