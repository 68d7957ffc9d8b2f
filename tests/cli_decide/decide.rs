//! `laneway decide`.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

use crate::run::{SMALL, laneway, laneway_with, on_screen, program};

/// Orders of two days; the second has no id, the last but one no `at`.
const ORDERS: &str = concat!(
    r#"{"kind":"order","id":"o-1","at":"2026-11-20T09:00:00Z","step":"quote","customerId":"c-1","weight":2,"amount":10}"#,
    "\n",
    r#"{"kind":"order","at":"2026-11-20T09:05:30Z","step":"ship","customerId":"c-1","weight":2,"amount":900}"#,
    "\n\n",
    r#"{"kind":"order","id":"o-3","at":"2026-11-20T09:06:00Z","step":"ship","customerId":"c-1","weight":2}"#,
    "\n",
    r#"{"kind":"order","id":"o-4","at":"2026-11-20T22:30:00Z","step":"refund","customerId":"c-2","weight":2,"amount":55}"#,
    "\n",
    r#"{"kind":"order","id":"o-5","at":"2026-11-20T23:30:00Z","step":"refund","customerId":"banned","weight":2,"amount":55}"#,
    "\n",
    r#"{"kind":"order","id":"o-6","step":"ship","customerId":"c-3","weight":40,"amount":5}"#,
    "\n",
    r#"{"kind":"order","id":"o-7\u001b[31m","at":"2026-11-21T01:00:00Z","step":"sell","customerId":"c-3"}"#,
);

const NOW: &str = "--now=2026-11-21T00:30:00Z";

fn decide(extra: &[&str]) -> crate::run::Ran {
    let mut args = vec!["decide", SMALL, "-", NOW];
    args.extend(extra);
    laneway_with(&args, ORDERS.as_bytes(), None)
}

#[test]
fn each_event_gets_an_object_in_its_order() {
    let ran = decide(&["--format=json"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let all = ran.lines();
    let brief = all.iter().map(|d| {
        let text = |key: &str| d[key].as_str().unwrap_or("").to_owned();
        format!("{} {} {}", d["event"], text("verdict"), text("by"))
    });
    insta::assert_snapshot!(brief.collect::<Vec<_>>().join("\n"), @r#"
    "o-1" allow quotes
    2 escalate large_order
    "o-3" escalate large_order
    "o-4" adjust small_refund
    "o-5" deny no_banned
    "o-6" allow otherwise
    "o-7\u001b[31m" escalate unreadable
    "#);
    let keys: Vec<_> = all[1].as_object().unwrap().keys().cloned().collect();
    insta::assert_snapshot!(keys.join(" "), @"event verdict by reason lanes owner urgency respond_within respond_by meanwhile operator evidence timeout matrix action_digest");
    insta::assert_snapshot!(serde_json::to_string_pretty(&all[2]).unwrap());
}

#[test]
fn a_file_has_no_limit_to_its_columns() {
    insta::assert_snapshot!(decide(&[]).seen());
}

#[test]
fn a_screen_has() {
    let args = ["decide", SMALL, "-", NOW, "--verbose"];
    for columns in [80, 140] {
        let ran = laneway_with(&args, ORDERS.as_bytes(), Some(columns));
        for line in ran.out.lines() {
            assert!(line.chars().count() <= columns as usize, "{line}");
        }
        assert!(!ran.out.contains('\u{1b}'), "an id acts on the terminal");
        insta::assert_snapshot!(format!("verbose_{columns}"), ran.seen());
    }
}

#[test]
fn the_events_of_the_matrices_are_decided() {
    for name in ["agent-operations", "refund-guard", "tool-approvals", "tour"] {
        let (matrix, events) = (
            format!("matrices/{name}"),
            format!("matrices/{name}/events.ndjson"),
        );
        let ran = on_screen(120, &["decide", &matrix, &events]);
        insta::assert_snapshot!(format!("decide_{name}"), ran.seen());
    }
}

#[test]
fn colour_comes_only_when_it_is_asked_for() {
    assert!(!decide(&[]).out.contains('\u{1b}'));
    let ran = decide(&["--color=always"]);
    assert!(ran.out.contains("\u{1b}[33mescalate"), "{}", ran.out);
}

#[test]
fn an_event_counts_for_those_behind_it() {
    let refund = |minute: u32, customer: &str| {
        format!(
            r#"{{"kind":"order","at":"2026-11-20T09:{minute:02}:00Z","step":"refund","customerId":"{customer}","weight":1,"amount":5}}"#
        )
    };
    let events = [
        refund(0, "a"),
        refund(1, "b"),
        refund(2, "a"),
        refund(3, "a"),
        refund(4, "b"),
    ];
    let args = ["decide", SMALL, "-", "--format=json"];
    let ran = laneway_with(&args, events.join("\n").as_bytes(), None);
    let verdicts: Vec<_> = ran.lines().iter().map(|d| d["verdict"].clone()).collect();
    assert_eq!(verdicts, ["allow", "allow", "allow", "escalate", "allow"]);
}

#[test]
fn what_comes_too_late_is_said() {
    let at = |at: &str| {
        format!(
            r#"{{"kind":"order","at":"{at}","step":"refund","customerId":"a","weight":1,"amount":5}}"#
        )
    };
    let events = [at("2026-11-20T09:00:00Z"), at("2026-11-20T08:00:00Z")].join("\n");
    let ran = laneway_with(
        &["decide", SMALL, "-", "--format=json"],
        events.as_bytes(),
        None,
    );
    assert!(
        ran.err
            .contains("1 events came more than 2m after younger ones"),
        "{}",
        ran.err
    );
}

#[test]
fn no_events_are_no_mistake() {
    let ran = laneway_with(&["decide", SMALL, "-"], b"\n  \n", None);
    assert_eq!(ran.seen(), "0 events\n[exit code 0]");
}

#[test]
fn what_cannot_be_used_ends_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.lane");
    std::fs::write(&broken, "matrix \"x\" {\n  edition 1\n").unwrap();
    for (args, says) in [
        (
            vec!["decide", SMALL, "nothing.ndjson"],
            "`nothing.ndjson` cannot be read: it does not exist",
        ),
        (vec!["decide", SMALL, "tests"], "`tests` is a folder"),
        (vec!["decide", "-", "-"], "cannot both be standard input"),
        (
            vec!["decide", broken.to_str().unwrap(), "-"],
            "does not load",
        ),
        (
            vec!["decide", "nothing.lane", "-"],
            "`nothing.lane` does not exist",
        ),
    ] {
        let ran = laneway(&args);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}");
        assert!(ran.err.contains(says), "{args:?}: {}", ran.err);
    }
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let mut child = program()
        .args(["decide", SMALL, "-", "--format=json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    let line = format!("{}\n", ORDERS.lines().next().unwrap());
    // Far more than any pipe holds.
    for _ in 0..10_000 {
        if stdin.write_all(line.as_bytes()).is_err() {
            break;
        }
    }
    drop(stdin);
    let mut err = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut err)
        .unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""));
}

/// A person who watches a pipe sees a decision when its event came, not when a buffer is full.
#[test]
fn a_decision_does_not_wait_for_the_next_event() {
    for format in ["json", "text"] {
        let mut child = program()
            .args(["decide", SMALL, "-", "--format", format])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        writeln!(stdin, "{}", ORDERS.lines().next().unwrap()).unwrap();
        let mut line = String::new();
        while !line.contains("o-1") {
            line.clear();
            assert!(out.read_line(&mut line).unwrap() > 0, "{format}");
        }
        drop(stdin);
        assert!(child.wait().unwrap().success());
    }
}
