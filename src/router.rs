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
