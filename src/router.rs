//! The library's face: a checked matrix and its history, ready for events from any thread.
//!
//! In: events, typed or as JSON bytes, and the instant of their receipt. Out: decisions.
//! Invariant: each decided event is counted once, and before the next one is decided; a dry run
//! counts nothing. Nothing panics, also after a panic elsewhere.
//! Must not read a clock, nor know what becomes of a decision.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;
use crate::decision::Decision;
use crate::event::{self, Event};
use crate::limits::Limits;
use crate::matrix::Matrix;
use crate::reference::{Explanation, History, Reference, Times};

/// Decides events by a matrix, and remembers what its measures need.
///
/// `now` is the instant of receipt: windows end there and deadlines start there, whatever instant
/// the event claims, since a back-dated event would evade a count. For a recorded stream, whose
/// clock is the events' own, pass the event's `at`.
#[derive(Debug)]
pub struct Router {
    matrix: Arc<Matrix>,
    limits: Limits,
    history: Mutex<History>,
}

impl Router {
    /// A router whose history is complete: nothing has happened yet.
    #[must_use]
    pub fn new(matrix: Arc<Matrix>) -> Self {
        let history = Mutex::new(History::new(&matrix));
        Self {
            matrix,
            limits: Limits::default(),
            history,
        }
    }

    /// The same with other bounds on events.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The matrix that decides.
    #[must_use]
    pub fn matrix(&self) -> &Arc<Matrix> {
        &self.matrix
    }

    /// Decides an event and counts it.
    #[must_use]
    pub fn decide(&self, event: &Event, now: Timestamp) -> Decision {
        let times = Times::received(now);
        self.reference()
            .decide_and_record(event, &mut self.history(), times)
    }

    /// Decides an event from its JSON and counts it. What cannot be read is decided as unreadable.
    #[must_use]
    pub fn decide_json(&self, bytes: &[u8], now: Timestamp) -> Decision {
        match event::read(bytes, &self.matrix.schema, &self.limits, now) {
            Ok(event) => self.decide(&event, now),
            Err(unreadable) => self.reference().decide_unreadable(&unreadable, now),
        }
    }

    /// Decides an event without counting it.
    #[must_use]
    pub fn dry_run(&self, event: &Event, now: Timestamp) -> Decision {
        let times = Times::received(now);
        self.reference().decide(event, &self.history(), times)
    }

    /// Decides an event from its JSON without counting it.
    #[must_use]
    pub fn dry_run_json(&self, bytes: &[u8], now: Timestamp) -> Decision {
        match event::read(bytes, &self.matrix.schema, &self.limits, now) {
            Ok(event) => self.dry_run(&event, now),
            Err(unreadable) => self.reference().decide_unreadable(&unreadable, now),
        }
    }

    /// Explains how every lane and rule stands to an event that was not decided yet.
    #[must_use]
    pub fn explain(&self, event: &Event, now: Timestamp) -> Explanation {
        let times = Times::received(now);
        self.reference().explain(event, &self.history(), times)
    }

    /// How many events came too late for the windows of their measures.
    #[must_use]
    pub fn late_dropped(&self) -> u64 {
        self.history().late_dropped()
    }

    /// How many events had a key beyond the key limit of a measure.
    #[must_use]
    pub fn keys_refused(&self) -> u64 {
        self.history().keys_refused()
    }

    fn reference(&self) -> Reference<'_> {
        Reference::new(&self.matrix)
    }

    /// A panic while the lock was held leaves at most one event uncounted; to decide without a
    /// history, or not at all, would be worse.
    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
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
}
