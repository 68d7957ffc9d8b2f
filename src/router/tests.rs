//! The router: sharing, counting, swapping.

use super::*;
use crate::decision::Verdict;
use crate::reference::tests::text::{call, lane, matrix, noon};

fn router() -> Router {
    Router::new(matrix(&lane(
        "a",
        "when count of call by user over 10m > 1",
    )))
}

#[test]
fn it_can_be_shared() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&router());
}

#[test]
fn a_dry_run_does_not_count() {
    let router = router();
    let json = br#"{"kind": "call"}"#;
    for _ in 0..3 {
        assert_eq!(router.dry_run_json(json, noon()).verdict, Verdict::Allow);
    }
    assert_eq!(router.decide_json(json, noon()).verdict, Verdict::Allow);
    assert_eq!(router.dry_run_json(json, noon()).verdict, Verdict::Escalate);
    assert_eq!(router.decide_json(json, noon()).verdict, Verdict::Escalate);
}

#[test]
fn the_instant_of_receipt_counts_and_not_the_event_s_own() {
    let router = router();
    let second = chrono::TimeDelta::seconds(1);
    let back_dated = br#"{"kind": "call", "at": "2020-01-01T00:00:00Z"}"#;
    assert_eq!(
        router.decide_json(back_dated, noon()).verdict,
        Verdict::Allow
    );
    let event = call(&router.matrix(), "");
    let decision = router.decide(&event, noon() + second);
    assert_eq!(decision.verdict, Verdict::Escalate);
    let opened = noon() + second + chrono::TimeDelta::minutes(30);
    assert_eq!(decision.respond_by, Some(opened));
}

#[test]
fn what_cannot_be_read_is_decided_and_not_counted() {
    let router = router();
    for json in [&b"nonsense"[..], br#"{"kind": "call", "n": "x"}"#] {
        assert_eq!(router.decide_json(json, noon()).by, "unreadable");
        assert_eq!(router.dry_run_json(json, noon()).by, "unreadable");
    }
    let event = call(&router.matrix(), "");
    assert_eq!(router.decide(&event, noon()).verdict, Verdict::Allow);
}

#[test]
fn a_panic_elsewhere_does_not_stop_it() {
    let router = Arc::new(router());
    let other = Arc::clone(&router);
    let panicked = std::thread::spawn(move || {
        let state = other.current.load();
        let _held = state.windows.hold_all();
        panic!("while the locks are held");
    });
    assert!(panicked.join().is_err());
    let event = call(&router.matrix(), "");
    assert_eq!(router.decide(&event, noon()).verdict, Verdict::Allow);
    assert_eq!(
        router.explain(&event, noon()).lanes[0].because[0].saw,
        "2, threshold 1"
    );
}

#[test]
fn a_swap_keeps_the_windows_that_both_matrices_have() {
    let counting = |name: &str| lane(name, "when count of call by user over 10m > 1");
    let router = Router::new(matrix(&counting("a")));
    let json = br#"{"kind": "call"}"#;
    assert_eq!(router.decide_json(json, noon()).verdict, Verdict::Allow);
    router.swap(matrix(&counting("b")), noon());
    let second = router.decide_json(json, noon());
    assert_eq!(
        (second.verdict, second.by.as_str()),
        (Verdict::Escalate, "b")
    );
    // A measure that nobody kept is a lower bound until its window lies behind the swap, by a minute.
    router.swap(
        matrix(&lane("c", "when count of call by user over 5m < 1")),
        noon(),
    );
    let third = router.dry_run_json(json, noon());
    assert_eq!(third.lanes.len(), 0, "at least one surely is not below one");
    router.swap(
        matrix(&lane("d", "when count of call by user over 7m < 3")),
        noon(),
    );
    let unsure = router.dry_run_json(json, noon());
    assert_eq!(unsure.lanes[0].state, crate::decision::State::Unsure);
    // What the old matrix still decided may have been a minute ahead.
    let at = |minutes| {
        let later = noon() + chrono::TimeDelta::minutes(minutes);
        router.dry_run_json(json, later).lanes[0].state
    };
    assert_eq!(at(7), crate::decision::State::Unsure);
    assert_eq!(at(8), crate::decision::State::Fired);
}

#[test]
fn an_event_of_before_a_swap_is_read_again() {
    let one = matrix(&lane("a", "when n > 1"));
    let router = Router::new(Arc::clone(&one));
    let event = call(&one, "\"n\": 5");
    assert_eq!(router.decide(&event, noon()).by, "a");
    // Another kind before the event's own, so that its ids mean something else.
    let text = format!(
        "matrix \"Other\" {{\n  edition 1\n  timezone \"UTC\"\n  otherwise allow\n  \
         unreadable deny\n}}\nevent other {{\n  x: text\n}}\nevent call {{\n  n: whole number\n}}\n\
         team ops {{\n  first person \"o@acme.example\"\n  backup group \"g\"\n}}\n{}",
        lane("z", "when n > 1")
    );
    let other = crate::reference::tests::text::checked(&text);
    assert_ne!(other.schema.fingerprint(), one.schema.fingerprint());
    router.swap(other, noon());
    assert_eq!(router.decide(&event, noon()).by, "z");
    assert_eq!(router.dry_run(&event, noon()).by, "z");
}

#[test]
fn a_batch_is_decided_in_its_order() {
    let router = Router::new(matrix(&lane("a", "when n > 1")));
    let events: Vec<String> = (0..100)
        .map(|n| format!(r#"{{"kind": "call", "id": "{n}", "n": {}}}"#, n % 4))
        .collect();
    let decided = router.decide_batch(&events, noon());
    assert_eq!(decided.len(), 100);
    for (n, decision) in decided.iter().enumerate() {
        let single = router.dry_run_json(events[n].as_bytes(), noon());
        assert_eq!(*decision, single);
    }
    let counting = Router::new(matrix(&lane(
        "a",
        "when count of call by user over 1m > 50",
    )));
    let decided = counting.decide_batch(&events, noon());
    let escalated = decided.iter().filter(|d| d.verdict == Verdict::Escalate);
    assert_eq!(escalated.count(), 50);
}

#[test]
fn a_session_says_what_the_router_says() {
    let text = lane("a", "when n > 1");
    let router = Router::new(matrix(&text));
    let mut session = router.session();
    for json in [
        &br#"{"kind": "call", "n": 2}"#[..],
        br#"{"kind": "call", "n": 1}"#,
        br#"{"kind": "call"}"#,
        br#"{"kind": "call", "n": "x"}"#,
        b"nonsense",
    ] {
        let whole = router.dry_run_json(json, noon());
        let outcome = session.outcome_json(json, noon());
        let name = outcome.name(&router.matrix()).to_owned();
        assert_eq!((outcome.verdict, name), (whole.verdict, whole.by.clone()));
        match session.joined_json(json, noon()) {
            Joined::Attached(joined) => {
                assert_eq!(joined.outcome, outcome);
                assert_eq!(joined.meanwhile, whole.meanwhile);
            }
            Joined::Unreadable(unreadable, why) => {
                assert_eq!(unreadable, outcome);
                assert_eq!(why.problems, whole.problems);
            }
            Joined::Decided(_) => panic!("the program decides its kind"),
        }
    }
}

#[test]
fn a_kind_that_measures_have_nothing_to_do_with_takes_the_quick_way() {
    let text = format!(
        "matrix \"Two kinds\" {{\n  edition 1\n  timezone \"UTC\"\n  otherwise allow\n  \
         unreadable deny\n}}\nevent note {{\n  x: text\n}}\nevent call {{\n  n: whole number optional\n}}\n\
         team ops {{\n  first person \"o@acme.example\"\n  backup group \"g\"\n}}\n\
         always deny z on note when x is \"z\"\n{}",
        lane("busy", "when count of call over 10m > 1")
    );
    let router = Router::new(crate::reference::tests::text::checked(&text));
    let mut session = router.session();
    let program = session.program().clone();
    let needs = |kind: &str| {
        let kind = program.matrix.schema.kind_named(kind).unwrap().id;
        program.kinds[kind.0 as usize].needs_history
    };
    assert_eq!((needs("note"), needs("call")), (false, true));
    let mut by = |json: &str| {
        let outcome = session.outcome_json(json.as_bytes(), noon());
        outcome.name(&program.matrix).to_owned()
    };
    // Whoever holds the windows does not keep the others waiting.
    let state = router.current.load();
    let held = state.windows.hold_all();
    assert_eq!(by(r#"{"kind": "note", "x": "z"}"#), "z");
    assert_eq!(by(r#"{"kind": "note", "x": "y"}"#), "otherwise");
    drop(held);
    // The counted kind counts by the same session.
    assert_eq!(by(r#"{"kind": "call"}"#), "otherwise");
    assert_eq!(by(r#"{"kind": "call"}"#), "busy");
    let call = br#"{"kind": "call"}"#;
    assert!(matches!(
        session.joined_json(call, noon()),
        Joined::Attached(_)
    ));
}
