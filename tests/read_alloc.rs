//! Reading events from bytes takes no memory once the buffer has seen a few.
//!
//! A file of its own, because its allocator counts for the whole program. Counts are by thread.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fmt::Write as _;

use laneway::check::{Options, check_text};
use laneway::clock::Timestamp;
use laneway::compile::compile;
use laneway::limits::Limits;
use laneway::slots::Slots;

const MATRIX: &str = r#"matrix "Reading" {
  edition 1
  timezone "UTC"
  otherwise allow
  unreadable deny
}

event tool_call {
  action: one of lookup, refund, credit
  amount: money USD 0 to 1000 optional
  confidence: number 0 to 1
  folded: text ignoring case optional
  tenant.source: text optional
  opened: timestamp optional
  age: duration optional
  tags: list of text default ()
}
"#;

/// An event in one of many spellings.
fn event(n: usize) -> String {
    let mut json = String::from("{");
    let envelope = n.is_multiple_of(7);
    if envelope {
        json.push_str(r#""specversion":"1.0","type":"tool_call","data":{"#);
    } else if !n.is_multiple_of(3) {
        json.push_str(r#""kind":"tool_call","#);
    }
    let _ = write!(json, r#""action":"refund","confidence":0.{n}"#);
    for (every, member) in [
        (2, r#""amount":{"amount":"12.50","currency":"USD"}"#),
        (3, r#""folded":"ÄRGER \u00c4 \n""#),
        (4, r#""tenant":{"source":"a\"b","other":[1,{"x":{}}]}"#),
        (5, r#""opened":"2026-11-20T10:00:00.5+02:00""#),
        (6, r#""age":"1h30m""#),
        (7, r#""tags":["a","b","\u0063"]"#),
        (8, r#""evidence":{"a":{"b":1,"c":2},"d":[true,null]}"#),
        (
            9,
            r#""u1":1,"u2":2,"u3":3,"u4":4,"u5":5,"u6":6,"u7":7,"u8":8,"u9":9,"u10":10"#,
        ),
    ] {
        if n.is_multiple_of(every) {
            let _ = write!(json, ", {member}");
        }
    }
    if envelope {
        json.push('}');
    } else if n.is_multiple_of(3) {
        json.push_str(r#","kind":"tool_call""#);
    }
    json.push('}');
    json
}

#[test]
fn reading_allocates_nothing() {
    let loaded = check_text("matrix.lane", MATRIX, &Options::default());
    let program = compile(&loaded.matrix.unwrap());
    let limits = Limits::default();
    let events: Vec<String> = (0..1_000).map(event).collect();
    let mut slots = Slots::default();
    let mut read = |json: &String| {
        let bytes = json.as_bytes();
        slots.read(bytes, &program.layout, &limits, Timestamp::UNIX_EPOCH)
    };
    for json in &events {
        assert_eq!(read(json), Ok(()), "{json}");
    }
    let count = allocation_counter::measure(|| {
        assert!(events.iter().all(|json| read(json).is_ok()));
    });
    assert_eq!(count.count_total, 0, "{count:?}");
    let seen = allocation_counter::measure(|| drop(String::from("x")));
    assert_eq!(seen.count_total, 1, "the count counts");
}
