//! A recorded stream of events, summed up, and what another matrix would decide differently.
//!
//! In: programs, the bytes of events with their places, from several threads. Out: a [`Summary`].
//! Method: each thread has a [`Worker`] that reads events into cells and counts what the program
//! says, without a decision in words and without allocating. Events of a kind that a measure counts,
//! or whose lanes or rules ask for one, are read by the workers and decided by [`InOrder`], one after
//! the other. What a program leaves to the reference evaluator is decided by that.
//! Invariant: the summary is that of all whole decisions, and does not depend on how the events were
//! shared among threads.
//! Must not read files or a clock.
//!
//! To be read in this order: what one event came to (`found`), how it is found out (`desk`), what is
//! counted of it (`tally`, `buckets`, `examples`), how two decisions are compared (`terms`,
//! `changes`), and what comes out ([`summary`]).

use crate::clock::Timestamp;
use crate::decision::recorded::{Came, Recorded};
use crate::event::Unreadable;
use crate::limits::Limits;
use crate::measure::Windows;
use crate::program::Program;

pub mod summary;

mod buckets;
mod changes;
mod desk;
mod examples;
mod found;
mod logged;
mod tally;
mod terms;

#[cfg(feature = "cli")]
pub(crate) use desk::counting;
pub use examples::Place;
pub use summary::Summary;
pub use tally::Tally;

use desk::{Desk, Held, Looked, Side};

use terms::Catalogue;

/// How many events each verdict was given to: allow, adjust, escalate, deny.
type Counts = [u64; 4];

/// What is replayed: the matrix that decided, and perhaps another one.
#[derive(Debug)]
pub struct Replay<'p> {
    old: Side<'p>,
    new: Option<(Side<'p>, Catalogue)>,
    limits: &'p Limits,
    received: Timestamp,
}

impl<'p> Replay<'p> {
    /// `received` stands for the instant of events that give none.
    #[must_use]
    pub fn new(
        program: &'p Program,
        against: Option<&'p Program>,
        limits: &'p Limits,
        received: Timestamp,
    ) -> Self {
        let new = against.map(|other| {
            let catalogue = Catalogue::of(&program.matrix, &other.matrix);
            (Side::new(other), catalogue)
        });
        Self {
            old: Side::new(program),
            new,
            limits,
            received,
        }
    }

    /// What one thread needs.
    #[must_use]
    pub fn worker(&self) -> Worker<'_> {
        Worker(Both::new(self))
    }

    /// What decides the events that need a history. There is one of it.
    #[must_use]
    pub fn in_order(&self) -> InOrder<'_> {
        InOrder(Both::new(self))
    }

    /// The summary of what all threads counted. `files` says how many files the events came from.
    #[must_use]
    pub fn summary(&self, tally: Tally, files: usize) -> Summary {
        tally.summary(self, files)
    }
}

/// One desk for each matrix, and what was counted.
#[derive(Debug)]
struct Both<'r> {
    replay: &'r Replay<'r>,
    old: Desk<'r>,
    new: Option<(Desk<'r>, &'r Catalogue)>,
    tally: Tally,
}

/// Counts the events that need no history.
#[derive(Debug)]
pub struct Worker<'r>(Both<'r>);

/// Counts the events that need a history, in their order.
#[derive(Debug)]
pub struct InOrder<'r>(Both<'r>);

/// An event that has to be decided in its order.
#[derive(Debug)]
pub struct Waiting {
    place: Place,
    /// The line; of a log with all that it says.
    bytes: Box<[u8]>,
}

impl<'r> Both<'r> {
    fn new(replay: &'r Replay<'r>) -> Self {
        let new = replay.new.as_ref();
        Self {
            replay,
            old: Desk::new(&replay.old, replay.limits),
            new: new.map(|(side, catalogue)| (Desk::new(side, replay.limits), catalogue)),
            tally: Tally::new(&replay.old),
        }
    }

    /// Counts what both desks found. `bytes` are those that the event was read from.
    fn count(&mut self, place: Place, bytes: &[u8], logged: Option<&Recorded<'_>>) {
        let Self {
            replay, old, tally, ..
        } = self;
        let Desk {
            found, slots, held, ..
        } = old;
        let (slots, held) = (&*slots, &*held);
        let id = || match held {
            Held::Slots => slots
                .id(bytes)
                .map(|id| String::from_utf8_lossy(id).into_owned()),
            Held::Event(id) => id.as_deref().map(str::to_owned),
        };
        // Of what is logged the instant is known, if only as that of its receipt.
        let unknown = logged.is_none().then_some(replay.received);
        tally.count(&replay.old, unknown, found, place, &id);
        if let Some((new, catalogue)) = &self.new {
            tally.compare(catalogue, found, &new.found, place, &id);
        }
        if let Some(logged) = logged {
            tally.log.add(&replay.old, logged, found, place, &id);
        }
    }

    /// The next event is one of a log, or not.
    fn logged(&mut self, logged: Option<&Recorded<'_>>) {
        let logged = logged.map(|line| (line.received, line.clock));
        self.old.logged = logged;
        if let Some((desk, _)) = &mut self.new {
            desk.logged = logged;
        }
    }

    fn received(&self, logged: Option<&Recorded<'_>>) -> Timestamp {
        logged.map_or(self.replay.received, |line| line.received)
    }
}

impl Worker<'_> {
    /// Counts an event, or gives back what has to be decided in its order.
    ///
    /// A line of a decision log stands for the event in it: it was received when the line says, and what
    /// the line says was decided is compared with what is decided now.
    pub fn event(&mut self, place: Place, line: &[u8]) -> Option<Waiting> {
        let logged = Recorded::read(line);
        let both = &mut self.0;
        both.logged(logged.as_ref());
        let bytes = match logged.as_ref().map(|logged| &logged.event) {
            None => line,
            Some(Came::Bytes(bytes)) => bytes,
            Some(Came::Gone { bytes, digest }) => {
                let (bytes, digest) = (*bytes, *digest);
                // What was readable cannot be decided again: it is no event of the stream.
                if logged
                    .as_ref()
                    .is_some_and(|l| l.decision.by == "unreadable")
                {
                    self.gone(place, bytes, digest, logged.as_ref());
                } else {
                    both.tally.log.absent += 1;
                }
                return None;
            }
        };
        let limits = both.replay.limits;
        let received = both.received(logged.as_ref());
        both.tally.line(bytes.len() as u64);
        let old = both.old.look(bytes, limits, received);
        let new = both.new.as_mut();
        let new = new.map(|(desk, _)| desk.look(bytes, limits, received));
        if old.waits() || new.as_ref().is_some_and(Looked::waits) {
            return Some(Waiting {
                place,
                bytes: line.into(),
            });
        }
        both.old.take(old, bytes, limits, received);
        if let (Some((desk, _)), Some(new)) = (&mut both.new, new) {
            desk.take(new, bytes, limits, received);
        }
        both.count(place, bytes, logged.as_ref());
        None
    }

    /// Counts a line that has more bytes than an event may have.
    pub fn too_long(&mut self, place: Place, bytes: u64, digest: [u8; 32]) {
        self.gone(place, bytes, digest, None);
    }

    fn gone(&mut self, place: Place, bytes: u64, digest: [u8; 32], logged: Option<&Recorded<'_>>) {
        let both = &mut self.0;
        let Replay {
            limits, received, ..
        } = both.replay;
        both.tally.line(bytes);
        let event = Unreadable::too_large(bytes, digest, limits, *received);
        both.old.unreadable(&event);
        if let Some((desk, _)) = &mut both.new {
            desk.unreadable(&event);
        }
        both.count(place, &[], logged);
    }

    /// What was counted.
    #[must_use]
    pub fn finish(self) -> Tally {
        self.0.tally
    }
}

impl InOrder<'_> {
    /// Decides and counts the next event.
    pub fn event(&mut self, waiting: &Waiting) {
        let both = &mut self.0;
        let logged = Recorded::read(&waiting.bytes);
        both.logged(logged.as_ref());
        let (limits, received) = (both.replay.limits, both.received(logged.as_ref()));
        let bytes = match logged.as_ref().map(|logged| &logged.event) {
            Some(Came::Bytes(bytes)) => bytes,
            _ => &*waiting.bytes,
        };
        both.old.decide(bytes, limits, received);
        if let Some((desk, _)) = &mut both.new {
            desk.decide(bytes, limits, received);
        }
        both.count(waiting.place, bytes, logged.as_ref());
    }

    /// The windows of the matrix: whether they are exact.
    #[must_use]
    pub fn windows(&self) -> &Windows {
        &self.0.old.windows
    }

    /// What was counted.
    #[must_use]
    pub fn finish(self) -> Tally {
        self.0.tally
    }
}
