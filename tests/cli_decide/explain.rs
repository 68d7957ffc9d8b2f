//! `laneway explain`.

use crate::run::{SMALL, laneway, laneway_with, on_screen};

const ORDER: &str = r#"{"kind":"order","id":"o-1","at":"2026-11-20T09:00:00Z","step":"ship","customerId":"c-1","amount":600}"#;

#[test]
fn the_tree_shows_every_test_with_its_value() {
    for columns in [80, 140] {
        let ran = laneway_with(&["explain", SMALL, "-"], ORDER.as_bytes(), Some(columns));
        for line in ran.out.lines() {
            assert!(line.chars().count() <= columns as usize, "{line}");
        }
        insta::assert_snapshot!(format!("explain_{columns}"), ran.seen());
    }
}

#[test]
fn an_event_of_the_matrices_is_explained() {
    let events = "matrices/agent-operations/events.ndjson";
    let ran = on_screen(
        100,
        &[
            "explain",
            "matrices/agent-operations",
            events,
            "--id",
            "ao-027",
        ],
    );
    insta::assert_snapshot!(ran.seen());
}

#[test]
fn an_adjusted_event_is_explained_before_and_after() {
    let event = ORDER.replace("600", "55").replace("ship", "refund");
    let ran = laneway_with(&["explain", SMALL, "-"], event.as_bytes(), Some(100));
    insta::assert_snapshot!(ran.seen());
}

#[test]
fn why_not_gives_the_first_tests_that_block() {
    let event = ORDER.replace("600", "60");
    let args = ["explain", SMALL, "-", "--why-not", "large_order"];
    insta::assert_snapshot!(laneway_with(&args, event.as_bytes(), Some(100)).seen());
    let args = [&args[..], &["--format=json"]].concat();
    let json = laneway_with(&args, event.as_bytes(), None).json();
    assert_eq!(json["why_not"]["state"], "silent");
    assert_eq!(json["why_not"]["because"][0]["test"], "amount > 500 EUR");
    assert_eq!(json["why_not"]["because"][0]["saw"], "60 EUR");
}

#[test]
fn an_unknown_lane_suggests_the_nearest() {
    let why_not = |lane| {
        laneway_with(
            &["explain", SMALL, "-", "--why-not", lane],
            ORDER.as_bytes(),
            None,
        )
    };
    let ran = why_not("large_ordr");
    assert_eq!(ran.code, 2);
    assert!(
        ran.err
            .contains("no lane `large_ordr` in the matrix; did you mean `large_order`?")
    );
    assert!(why_not("quotes").err.contains("`quotes` is a rule"));
}

#[test]
fn the_events_before_are_the_history() {
    let refund = |n: u32| {
        format!(
            r#"{{"kind":"order","id":"r-{n}","at":"2026-11-20T09:0{n}:00Z","step":"refund","customerId":"c","weight":1,"amount":5}}"#
        )
    };
    let events: Vec<String> = (0..4).map(refund).collect();
    let events = events.join("\n");
    let explain = |extra: &[&str]| {
        let args = [&["explain", SMALL, "-", "--format=json"], extra].concat();
        laneway_with(&args, events.as_bytes(), None).json()
    };
    let last = explain(&[]);
    assert_eq!(
        (&last["decision"]["event"], &last["history"]),
        (&"r-3".into(), &3.into())
    );
    assert_eq!(last["decision"]["by"], "many_refunds");
    assert_eq!(explain(&["--line", "2"])["decision"]["by"], "otherwise");
    assert_eq!(explain(&["--id", "r-2"])["decision"]["by"], "many_refunds");
    let ran = laneway_with(
        &["explain", SMALL, "-", "--id", "r-9"],
        events.as_bytes(),
        None,
    );
    assert_eq!(
        ran.seen(),
        "error: there is no event with the id `r-9`\n[exit code 2]"
    );
    let ran = laneway_with(
        &["explain", SMALL, "-", "--line", "9"],
        events.as_bytes(),
        None,
    );
    assert_eq!(
        ran.seen(),
        "error: there is no event in line 9\n[exit code 2]"
    );
}

#[test]
fn one_event_may_be_laid_out_over_lines() {
    let value: serde_json::Value = serde_json::from_str(ORDER).unwrap();
    let event = serde_json::to_string_pretty(&value).unwrap();
    let args = ["explain", SMALL, "-", "--format=json"];
    let json = laneway_with(&args, event.as_bytes(), None).json();
    assert_eq!(json["decision"]["by"], "large_order");
}

#[test]
fn the_decision_is_that_of_decide() {
    let events = "matrices/tour/events.ndjson";
    let decided = laneway(&["decide", "matrices/tour", events, "--format=json"]).lines();
    for line in [1, 20, 36, 56] {
        let args = [
            "explain",
            "matrices/tour",
            events,
            "--format=json",
            "--line",
            &line.to_string(),
        ];
        assert_eq!(laneway(&args).json()["decision"], decided[line - 1]);
    }
}

#[test]
fn an_unreadable_event_is_listed_problem_by_problem() {
    let event = r#"{"kind":"order","at":"2026-11-20T09:00:00Z","step":"sip","weight":5000}"#;
    insta::assert_snapshot!(
        laneway_with(&["explain", SMALL, "-"], event.as_bytes(), Some(100)).seen()
    );
}
