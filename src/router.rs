//! The library's face: the program that decides now and its history, ready for events from any
//! thread.
//!
//! In: events, typed or as JSON bytes, and the instant of their receipt; a new matrix at any time.
//! Out: decisions.
//! Invariant: each decision comes wholly from one program. Each decided event is counted once, and
//! before the next one is decided; a dry run counts nothing. Nothing panics, also after a panic
//! elsewhere. Deciding by a matrix without measures takes no lock.
//! Must not read a clock, nor know what becomes of a decision.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use crate::clock::Timestamp;
use crate::compile::compile;
use crate::decision::Decision;
use crate::event::{self, Event, Unreadable};
use crate::limits::Limits;
use crate::matrix::Matrix;
use crate::parallel;
use crate::program::{Decider, Program};
use crate::reference::{Explanation, History, Reference, Times};

mod session;

pub use session::{Joined, Session};

/// Decides events by a matrix, and remembers what its measures need.
///
/// `now` is the instant of receipt: windows end there and deadlines start there, whatever instant
/// the event claims, since a back-dated event would evade a count. For a recorded stream, whose
/// clock is the events' own, pass the event's `at`.
///
/// A service that decides often keeps a [`Session`] in each of its threads.
#[derive(Debug)]
pub struct Router {
    current: ArcSwap<Program>,
    limits: Limits,
    past: Mutex<Past>,
}

/// What happened before, for the measures of a program.
#[derive(Debug)]
struct Past {
    program: Arc<Program>,
    history: History,
}

impl Router {
    /// A router whose history is complete: nothing has happened yet. Compiles the matrix.
    #[must_use]
    pub fn new(matrix: Arc<Matrix>) -> Self {
        let program = Arc::new(compile(&matrix));
        Self {
            past: Mutex::new(Past {
                program: Arc::clone(&program),
                history: History::new(&matrix),
            }),
            current: ArcSwap::new(program),
            limits: Limits::default(),
        }
    }

    /// The same with other bounds on events.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The bounds on events.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The matrix that decides now.
    #[must_use]
    pub fn matrix(&self) -> Arc<Matrix> {
        Arc::clone(&self.current.load().matrix)
    }

    /// The program that decides now.
    #[must_use]
    pub fn program(&self) -> Arc<Program> {
        self.current.load_full()
    }

    /// Decides by another matrix from now on. Decisions that have begun end by the old one. A measure
    /// that both matrices have keeps its windows; those of a new one are lower bounds until they lie
    /// behind `now`.
    pub fn swap(&self, matrix: Arc<Matrix>, now: Timestamp) {
        // Outside the lock: a large matrix takes a while.
        let program = Arc::new(compile(&matrix));
        let mut past = self.past();
        let before = std::mem::replace(&mut past.history, History::new(&matrix));
        past.history = before.carried(&past.program.matrix, &matrix, now);
        past.program = Arc::clone(&program);
        self.current.store(program);
    }

    /// What one thread needs to decide one event after the other.
    #[must_use]
    pub fn session(&self) -> Session<'_> {
        Session::new(self)
    }

    /// Decides an event and counts it.
    #[must_use]
    pub fn decide(&self, event: &Event, now: Timestamp) -> Decision {
        self.with_program(|program, history| {
            self.decide_by(program, history, Given::Event(event), now, Count::Yes)
        })
    }

    /// Decides an event from its JSON and counts it. What cannot be read is decided as unreadable.
    #[must_use]
    pub fn decide_json(&self, bytes: &[u8], now: Timestamp) -> Decision {
        self.with_program(|program, history| {
            self.decide_by(program, history, Given::Json(bytes), now, Count::Yes)
        })
    }

    /// Decides an event without counting it.
    #[must_use]
    pub fn dry_run(&self, event: &Event, now: Timestamp) -> Decision {
        self.with_program(|program, history| {
            self.decide_by(program, history, Given::Event(event), now, Count::No)
        })
    }

    /// Decides an event from its JSON without counting it.
    #[must_use]
    pub fn dry_run_json(&self, bytes: &[u8], now: Timestamp) -> Decision {
        self.with_program(|program, history| {
            self.decide_by(program, history, Given::Json(bytes), now, Count::No)
        })
    }

    /// Decides events from their JSON and counts them, in their order; all by one program. Without
    /// measures all cores take part.
    #[must_use]
    pub fn decide_batch(
        &self,
        events: &[impl AsRef<[u8]> + Sync],
        now: Timestamp,
    ) -> Vec<Decision> {
        let program = self.program();
        if program.matrix.measures.is_empty() {
            return parallel::map(events, |bytes| {
                let given = Given::Json(bytes.as_ref());
                let mut history = History::new(&program.matrix);
                self.decide_by(&program, &mut history, given, now, Count::No)
            });
        }
        self.with_program(|program, history| {
            let events = events.iter().map(AsRef::as_ref);
            events
                .map(|bytes| self.decide_by(program, history, Given::Json(bytes), now, Count::Yes))
                .collect()
        })
    }

    /// Explains how every lane and rule stands to an event that was not decided yet.
    #[must_use]
    pub fn explain(&self, event: &Event, now: Timestamp) -> Explanation {
        let times = Times::received(now);
        self.with_program(|program, history| {
            let again = self.event(program, Given::Event(event), now);
            let event = again.as_deref().unwrap_or(event);
            Reference::new(&program.matrix).explain(event, history, times)
        })
    }

    /// How many events came too late for the windows of their measures.
    #[must_use]
    pub fn late_dropped(&self) -> u64 {
        self.past().history.late_dropped()
    }

    /// How many events had a key beyond the key limit of a measure.
    #[must_use]
    pub fn keys_refused(&self) -> u64 {
        self.past().history.keys_refused()
    }

    /// With the program that decides now, and its history, locked where it has measures.
    fn with_program<T>(&self, decide: impl FnOnce(&Program, &mut History) -> T) -> T {
        let program = self.current.load_full();
        if program.matrix.measures.is_empty() {
            let mut nothing = History::new(&program.matrix);
            return decide(&program, &mut nothing);
        }
        // A swap may have come in between: the history says what decides.
        let past = &mut *self.past();
        decide(&past.program, &mut past.history)
    }

    fn decide_by(
        &self,
        program: &Program,
        history: &mut History,
        given: Given<'_>,
        now: Timestamp,
        count: Count,
    ) -> Decision {
        let event = match self.event(program, given, now) {
            Ok(event) => event,
            Err(unreadable) => {
                return Reference::new(&program.matrix).decide_unreadable(&unreadable, now);
            }
        };
        let times = Times::received(now);
        let mut decider = Decider::new(program);
        match count {
            Count::Yes => decider.decide_and_record(&event, history, times),
            Count::No => decider.decide(&event, history, times),
        }
    }

    /// An event as the program's schema has it.
    fn event<'e>(
        &self,
        program: &Program,
        given: Given<'e>,
        now: Timestamp,
    ) -> Result<Cow<'e, Event>, Box<Unreadable>> {
        let schema = &program.matrix.schema;
        match given {
            Given::Json(bytes) => event::read(bytes, schema, &self.limits, now).map(Cow::Owned),
            Given::Event(event) if event.schema() == schema.fingerprint() => {
                Ok(Cow::Borrowed(event))
            }
            // It was read before the matrix was swapped.
            Given::Event(event) => event.read_again(schema, &self.limits).map(Cow::Owned),
        }
    }

    /// A panic while the lock was held leaves at most one event uncounted; to decide without a
    /// history, or not at all, would be worse.
    fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An event as it was given.
#[derive(Clone, Copy)]
enum Given<'a> {
    Event(&'a Event),
    Json(&'a [u8]),
}

/// Whether a decided event counts in the windows of measures.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Count {
    Yes,
    No,
}

#[cfg(test)]
mod tests;
