//! The library's face: the program that decides now and its windows, ready for events from any
//! thread.
//!
//! In: events, typed or as JSON bytes, and the instant of their receipt; a new matrix at any time.
//! Out: decisions.
//! Invariant: each decision comes wholly from one program. Each decided event is counted once, in the
//! step in which its windows are measured; a dry run counts nothing. Nothing panics, also after a
//! panic elsewhere. Deciding by a matrix without measures takes no lock.
//! Must not read a clock, nor know what becomes of a decision.

use std::borrow::Cow;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::clock::{Timestamp, format_timestamp};
use crate::compile::compile;
use crate::decision::Decision;
use crate::event::{self, Event, Problem, ProblemCode, Unreadable};
use crate::limits::Limits;
use crate::matrix::Matrix;
use crate::measure::{
    Bounds, Counts, Keeper, Live, Opened, Receipt, Secret, Size, Source, Sources, Windows,
};
use crate::parallel;
use crate::program::{Decider, Program};
use crate::reference::{Explanation, Recorded, Reference, Times};

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
    current: ArcSwap<State>,
    settings: Settings,
    /// While it is held no other swap begins.
    swapping: Mutex<()>,
}

/// What an operator sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The bounds on events and windows.
    pub limits: Limits,
    /// Whose clocks count.
    pub sources: Sources,
    /// What counts, and for whom.
    pub counts: Counts,
}

/// A decision with all that it was made by.
#[derive(Debug)]
pub struct Recording {
    /// The matrix that decided.
    pub matrix: Arc<Matrix>,
    /// The decision.
    pub decision: Decision,
    /// What its measures were.
    pub recorded: Recorded,
    /// The event as the matrix read it.
    pub event: Result<Event, Box<Unreadable>>,
}

/// What decides: a program, and the windows of its measures.
#[derive(Debug)]
struct State {
    program: Arc<Program>,
    windows: Windows,
}

impl Router {
    /// A router whose history is complete: nothing has happened yet. Compiles the matrix.
    #[must_use]
    pub fn new(matrix: Arc<Matrix>) -> Self {
        let state = State {
            program: Arc::new(compile(&matrix)),
            windows: Windows::new(&matrix, Settings::default().bounds(), Secret::random()),
        };
        Self {
            current: ArcSwap::from_pointee(state),
            settings: Settings::default(),
            swapping: Mutex::new(()),
        }
    }

    /// A router whose windows are those of a store, and are kept there from here on. What an event
    /// counts for is kept before its decision is given. Says how the windows came back: those of a
    /// store that lost something, or never heard of a measure, are lower bounds until they lie behind
    /// `now`.
    ///
    /// # Errors
    /// When the store cannot be read, or not be written.
    pub fn open(
        matrix: Arc<Matrix>,
        settings: Settings,
        keeper: Arc<dyn Keeper>,
        now: Timestamp,
    ) -> io::Result<(Self, Opened)> {
        let (windows, opened) = Windows::open(&matrix, settings.bounds(), keeper, now)?;
        let program = Arc::new(compile(&matrix));
        let router = Self {
            current: ArcSwap::from_pointee(State { program, windows }),
            settings,
            swapping: Mutex::new(()),
        };
        Ok((router, opened))
    }

    /// Writes a snapshot of the windows into their store, so that its log begins anew. Others go on to
    /// decide meanwhile. Without a store it does nothing.
    ///
    /// # Errors
    /// When it cannot be written; the last one stays, with the log behind it.
    pub fn keep(&self) -> io::Result<()> {
        let swapping = self.swapping.lock();
        let swapping = swapping.unwrap_or_else(PoisonError::into_inner);
        let kept = self.current.load().windows.keep();
        drop(swapping);
        kept
    }

    /// Whether something that was counted could not be kept in the store.
    #[must_use]
    pub fn is_lossy(&self) -> bool {
        self.current.load().windows.is_lossy()
    }

    /// The same with other settings; nothing has happened yet.
    #[must_use]
    pub fn with_settings(self, settings: Settings) -> Self {
        let program = self.program();
        let windows = Windows::new(&program.matrix, settings.bounds(), Secret::random());
        Self {
            current: ArcSwap::from_pointee(State { program, windows }),
            settings,
            ..self
        }
    }

    /// The same with other bounds on events and windows; nothing has happened yet.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        let settings = Settings {
            limits,
            ..self.settings.clone()
        };
        self.with_settings(settings)
    }

    /// A source of events by the name by which its sender was authenticated, never by one that an event
    /// gives. What is not named in the settings is not trusted with the time.
    #[must_use]
    pub fn source(&self, name: &str) -> Source {
        self.settings.sources.source(name)
    }

    /// The bounds on events.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.settings.limits
    }

    /// The matrix that decides now.
    #[must_use]
    pub fn matrix(&self) -> Arc<Matrix> {
        Arc::clone(&self.current.load().program.matrix)
    }

    /// The program that decides now.
    #[must_use]
    pub fn program(&self) -> Arc<Program> {
        Arc::clone(&self.current.load().program)
    }

    /// Decides by another matrix from now on. Decisions that have begun end by the old one. A measure
    /// that both matrices have keeps its windows; those of a new one are lower bounds until they lie
    /// behind `now`.
    pub fn swap(&self, matrix: Arc<Matrix>, now: Timestamp) {
        let program = Arc::new(compile(&matrix));
        let swapping = self.swapping.lock();
        let swapping = swapping.unwrap_or_else(PoisonError::into_inner);
        let windows = self.current.load().windows.carried(&matrix, now);
        self.current.store(Arc::new(State { program, windows }));
        drop(swapping);
    }

    /// What one thread needs to decide one event after the other.
    #[must_use]
    pub fn session(&self) -> Session<'_> {
        Session::new(self)
    }

    /// Decides an event and counts it.
    #[must_use]
    pub fn decide(&self, event: &Event, received: impl Into<Receipt>) -> Decision {
        let receipt = received.into();
        self.decide_by(
            &self.current.load(),
            Given::Event(event),
            receipt,
            Count::Yes,
        )
    }

    /// Decides an event from its JSON and counts it. What cannot be read is decided as unreadable.
    #[must_use]
    pub fn decide_json(&self, bytes: &[u8], received: impl Into<Receipt>) -> Decision {
        let receipt = received.into();
        self.decide_by(
            &self.current.load(),
            Given::Json(bytes),
            receipt,
            Count::Yes,
        )
    }

    /// Decides an event without counting it.
    #[must_use]
    pub fn dry_run(&self, event: &Event, received: impl Into<Receipt>) -> Decision {
        let receipt = received.into();
        self.decide_by(
            &self.current.load(),
            Given::Event(event),
            receipt,
            Count::No,
        )
    }

    /// Decides an event from its JSON without counting it.
    #[must_use]
    pub fn dry_run_json(&self, bytes: &[u8], received: impl Into<Receipt>) -> Decision {
        let receipt = received.into();
        self.decide_by(&self.current.load(), Given::Json(bytes), receipt, Count::No)
    }

    /// Decides an event from its JSON and counts it, and says what its measures were, so that it can be
    /// [decided again](crate::reference::decide_again).
    #[must_use]
    pub fn decide_recording(&self, bytes: &[u8], received: impl Into<Receipt>) -> Recording {
        self.recording(bytes, received.into(), Count::Yes)
    }

    /// The same without counting the event.
    #[must_use]
    pub fn dry_run_recording(&self, bytes: &[u8], received: impl Into<Receipt>) -> Recording {
        self.recording(bytes, received.into(), Count::No)
    }

    /// Decides events from their JSON and counts them, in their order; all by one program. Without
    /// measures all cores take part.
    #[must_use]
    pub fn decide_batch(
        &self,
        events: &[impl AsRef<[u8]> + Sync],
        received: impl Into<Receipt>,
    ) -> Vec<Decision> {
        let (state, receipt) = (self.current.load_full(), received.into());
        let decide = |bytes: &[u8]| self.decide_by(&state, Given::Json(bytes), receipt, Count::Yes);
        match state.program.matrix.measures.is_empty() {
            true => parallel::map(events, |bytes| decide(bytes.as_ref())),
            false => events.iter().map(|bytes| decide(bytes.as_ref())).collect(),
        }
    }

    /// Explains how every lane and rule stands to an event that was not decided yet.
    #[must_use]
    pub fn explain(&self, event: &Event, received: impl Into<Receipt>) -> Explanation {
        let (state, receipt) = (self.current.load(), received.into());
        let again = self.event(&state.program, Given::Event(event), receipt.now);
        let event = again.as_deref().unwrap_or(event);
        let reference = Reference::new(&state.program.matrix);
        let counting = receipt.counts(event.at());
        let live = Live {
            windows: &state.windows,
            lateness: counting.lateness,
        };
        let times = Times {
            measured: counting.at,
            opened: receipt.now,
        };
        reference.explain_by(event, &live, times)
    }

    /// How many events came too late for the windows of their measures.
    #[must_use]
    pub fn late_dropped(&self) -> u64 {
        self.current.load().windows.late_dropped()
    }

    /// How many events had a key beyond the key limit of a measure.
    #[must_use]
    pub fn keys_refused(&self) -> u64 {
        self.current.load().windows.keys_refused()
    }

    /// How often the clock went back so far that the windows of a kind began anew.
    #[must_use]
    pub fn clock_rewinds(&self) -> u64 {
        self.current.load().windows.clock_rewinds()
    }

    /// What the windows of measures hold, and the bytes that it takes.
    #[must_use]
    pub fn window_size(&self) -> Size {
        self.current.load().windows.size()
    }

    fn decide_by(
        &self,
        state: &State,
        given: Given<'_>,
        receipt: Receipt,
        count: Count,
    ) -> Decision {
        let program = &state.program;
        match self.event(program, given, receipt.now) {
            Ok(event) => {
                let mut decider = Decider::new(program);
                Self::settle(&mut decider, state, &event, receipt, count)
            }
            Err(unreadable) => {
                Reference::new(&program.matrix).decide_unreadable(&unreadable, receipt.now)
            }
        }
    }

    fn recording(&self, bytes: &[u8], receipt: Receipt, count: Count) -> Recording {
        let state = self.current.load();
        let (program, now) = (&state.program, receipt.now);
        let mut decider = Decider::new(program).recording();
        let event = event::read(bytes, &program.matrix.schema, &self.settings.limits, now);
        let decision = match &event {
            Ok(event) => Self::settle(&mut decider, &state, event, receipt, count),
            Err(unreadable) => Reference::new(&program.matrix).decide_unreadable(unreadable, now),
        };
        Recording {
            matrix: Arc::clone(&program.matrix),
            decision,
            recorded: decider.take_recorded(),
            event,
        }
    }

    fn settle(
        decider: &mut Decider<'_>,
        state: &State,
        event: &Event,
        receipt: Receipt,
        count: Count,
    ) -> Decision {
        let (windows, now) = (&state.windows, receipt.now);
        let counting = receipt.counts(event.at());
        let settled = match count {
            Count::Yes => windows.settle(decider, event, counting, now),
            Count::No => windows.dry(decider, event, counting, now),
        };
        let mut decision = settled.decision;
        if counting.is_ahead {
            decision.problems.push(ahead(event, now));
        }
        decision
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
            Given::Json(bytes) => {
                event::read(bytes, schema, &self.settings.limits, now).map(Cow::Owned)
            }
            Given::Event(event) if event.schema() == schema.fingerprint() => {
                Ok(Cow::Borrowed(event))
            }
            // It was read before the matrix was swapped.
            Given::Event(event) => event
                .read_again(schema, &self.settings.limits)
                .map(Cow::Owned),
        }
    }
}

impl Settings {
    fn bounds(&self) -> Bounds {
        Bounds::of(&self.limits, &self.sources, self.counts)
    }
}

/// An event that claims to be of the future.
fn ahead(event: &Event, now: Timestamp) -> Problem {
    Problem {
        code: ProblemCode::ClockAhead,
        field: Some("at".to_owned()),
        message: format!(
            "`at` is {}, ahead of the clock: the event counts when it was received, {}",
            format_timestamp(event.at()),
            format_timestamp(now),
        ),
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
