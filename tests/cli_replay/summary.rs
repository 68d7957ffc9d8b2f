//! What a person and a program see.

use crate::run::{SMALL, laneway, laneway_with};

const OPERATIONS: &str = "matrices/agent-operations";
const EVENTS: &str = "matrices/agent-operations/events.ndjson";

#[test]
fn a_person_sees() {
    let ran = laneway(&["replay", OPERATIONS, EVENTS]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    insta::assert_snapshot!(ran.seen());
    for columns in [60, 90] {
        let ran = laneway_with(&["replay", OPERATIONS, EVENTS], b"", Some(columns));
        for line in ran.out.lines() {
            let taken = line.chars().count();
            assert!(taken <= columns as usize, "{taken}: {line}");
        }
    }
}

#[test]
fn every_matrix_has_a_summary() {
    for name in ["refund-guard", "tool-approvals", "tour"] {
        let matrix = format!("matrices/{name}");
        let ran = laneway(&["replay", &matrix, &format!("{matrix}/events.ndjson")]);
        insta::assert_snapshot!(format!("text_{name}"), ran.seen());
    }
}

#[test]
fn a_program_sees() {
    let ran = laneway(&["replay", OPERATIONS, EVENTS, "--format=json"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    insta::assert_snapshot!(ran.out);
}

#[test]
fn a_browser_sees() {
    let ran = laneway(&["replay", OPERATIONS, EVENTS, "--format=html"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    insta::assert_snapshot!(ran.out);
    for elsewhere in ["http:", "https:", "<script", "@import", "url("] {
        assert!(!ran.out.contains(elsewhere), "{elsewhere}");
    }
}

#[test]
fn no_word_of_an_event_acts() {
    let bad = r#"{"kind":"order","id":"<b>\u001b[31m&","at":"2026-11-20T09:00:00Z","step":"<i>'\u001b","customerId":"c"}"#;
    let args = ["replay", SMALL, "-", "--format=html"];
    let ran = laneway_with(&args, bad.as_bytes(), None);
    assert!(
        !ran.out.contains("<b>") && !ran.out.contains("<i>"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("&lt;b&gt;"), "{}", ran.out);
    for format in ["html", "text", "json"] {
        let args = ["replay", SMALL, "-", "--format", format];
        let ran = laneway_with(&args, bad.as_bytes(), None);
        assert!(!ran.out.contains('\u{1b}'), "{format}");
    }
}

#[test]
fn colour_comes_only_when_it_is_asked_for() {
    let plain = laneway(&["replay", OPERATIONS, EVENTS]);
    assert!(!plain.out.contains('\u{1b}'));
    let ran = laneway(&["replay", OPERATIONS, EVENTS, "--color=always"]);
    assert!(ran.out.contains("\u{1b}[33mescalate"), "{}", ran.out);
}

#[test]
fn no_events_are_no_mistake() {
    for format in ["text", "json", "html"] {
        let args = ["replay", SMALL, "-", "--format", format];
        let ran = laneway_with(&args, b"\n \n", None);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{format}");
        assert!(ran.out.contains("0 events") || ran.json()["events"] == 0);
    }
}

/// Without instants of their own the events depend on when it is run, and the summary must not.
#[test]
fn no_wall_clock_is_in_it() {
    let events = r#"{"kind":"order","step":"quote","customerId":"c-1","weight":2}"#;
    let args = ["replay", SMALL, "-", "--format=json"];
    let ran = laneway_with(&args, events.as_bytes(), None);
    let summary = ran.json();
    assert_eq!(summary["untimed"], 1, "{summary}");
    let keys: Vec<_> = summary.as_object().unwrap().keys().cloned().collect();
    assert!(!keys.iter().any(|key| key == "first" || key == "over_time"));
    let zones = summary["matrix"]["tzdb"].as_str().unwrap();
    let rest = ran.out.replace(zones, "");
    assert!(!rest.contains("202"), "{rest}");
}
