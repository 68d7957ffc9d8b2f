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
    let event = call(router.matrix(), "");
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
    let event = call(router.matrix(), "");
    assert_eq!(router.decide(&event, noon()).verdict, Verdict::Allow);
}

#[test]
fn a_panic_elsewhere_does_not_stop_it() {
    let router = Arc::new(router());
    let other = Arc::clone(&router);
    let panicked = std::thread::spawn(move || {
        let _held = other.history();
        panic!("while the lock is held");
    });
    assert!(panicked.join().is_err());
    assert!(router.history.is_poisoned());
    let event = call(router.matrix(), "");
    assert_eq!(router.decide(&event, noon()).verdict, Verdict::Allow);
    assert_eq!(
        router.explain(&event, noon()).lanes[0].because[0].saw,
        "2, threshold 1"
    );
}
