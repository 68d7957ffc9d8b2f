//! A stream of events, decided on all cores and shown in its order.
//!
//! In: files of events, a program. Out: what a [`Form`] makes of each decision.
//! Method: workers take blocks of lines, read the events and decide those that need no history; what
//! needs it is decided where the results are put in order.
//! Invariant: the windows see exactly the events that they count, in the order of the stream.

use std::io::{self, Write};
use std::ops::ControlFlow;

use super::{Bar, Decided};
use crate::cli::input::{Block, Files, Line};
use crate::cli::shell::{Failure, Shell};
use crate::clock::Timestamp;
use crate::decision::EventRef;
use crate::decision::recorded::{Came, Clock};
use crate::engine::{Log, Made};
use crate::event::{Event, Unreadable};
use crate::limits::Limits;
use crate::measure::{Counting, Windows};
use crate::parallel;
use crate::program::{Decider, Program};
use crate::reference::Reference;
use crate::store::decisions::Ready;

/// Bytes of a block: some two hundred events, whose decisions take some megabytes at most.
const BLOCK: usize = 1 << 16;

/// How decisions are shown.
pub(super) trait Form: Sync {
    /// What is made of some decisions, on any thread.
    type Made: Default + Send;
    /// What is kept from one to the next of them, in their order.
    type Sink<'s>
    where
        Self: 's;

    /// Adds one decision.
    fn make(&self, decided: &Decided, made: &mut Self::Made) -> Result<(), Failure>;
    /// Nothing was shown yet.
    fn sink(&self) -> Self::Sink<'_>;
    /// Shows what was made of the next decisions.
    fn put(
        &self,
        sink: &mut Self::Sink<'_>,
        made: Self::Made,
        out: &mut impl Write,
    ) -> io::Result<()>;
    /// Shows all that is known, because more may have to be waited for.
    fn pause(&self, sink: &mut Self::Sink<'_>, out: &mut impl Write) -> io::Result<()>;
    /// Shows what stands below the last one.
    fn end(&self, sink: Self::Sink<'_>, out: &mut impl Write) -> io::Result<()>;
}

pub(super) struct Stream<'s> {
    pub(super) program: &'s Program,
    pub(super) limits: &'s Limits,
    pub(super) jobs: usize,
    pub(super) log: Option<&'s Log>,
    pub(super) files: Files,
    pub(super) bar: &'s Bar,
}

/// A block of which all was done that needs no history.
struct Worked<M> {
    parts: Vec<Part<M>>,
    taken: u64,
    events: u64,
    may_wait: bool,
}

enum Part<M> {
    /// Decided, one after the other, with their lines of the log.
    Made(M, Vec<Ready>),
    /// To be decided in its order.
    Waits {
        line: u64,
        event: Box<Event>,
        /// Where they are logged.
        bytes: Option<Box<[u8]>>,
    },
}

impl Stream<'_> {
    pub(super) fn run<F: Form>(
        self,
        form: &F,
        shell: &mut Shell,
        windows: &Windows,
    ) -> Result<(), Failure> {
        let (clock, arrives) = (shell.clock_for_threads(), shell.clock_for_threads());
        let mut blocks = self.files.blocks(BLOCK, self.limits);
        let mut sink = form.sink();
        let mut decider = Decider::new(self.program);
        parallel::stream::<_, _, _, Failure>(
            self.jobs,
            // A block was just read: an event without an instant of its own happens now.
            || Ok(blocks.next_block()?.map(|block| (block, clock()))),
            || Worker {
                program: self.program,
                limits: self.limits,
                form,
                decider: Decider::new(self.program),
                windows,
                log: self.log,
            },
            Worker::work,
            |worked| {
                let worked = worked?;
                for part in worked.parts {
                    let (made, ready) = match part {
                        Part::Made(made, ready) => (made, ready),
                        Part::Waits { line, event, bytes } => {
                            let at = event.at();
                            let counting = Counting::at(at);
                            let settled = windows.settle(&mut decider, &event, counting, at);
                            let decision = settled.decision;
                            let mut made = F::Made::default();
                            let decided = decided(line, event.at(), decision);
                            form.make(&decided, &mut made)?;
                            let came = Came::of(bytes.as_deref().unwrap_or_default());
                            let ready = ready(self.log, &decided, Ok(&event), came);
                            (made, Vec::from_iter(ready))
                        }
                    };
                    // Before it is shown: what a reader has is in the log if it can be.
                    for ready in ready {
                        if let Some(log) = self.log {
                            log.add(ready, arrives());
                        }
                    }
                    form.put(&mut sink, made, &mut shell.out)?;
                }
                self.bar.advance(worked.taken, worked.events);
                if worked.may_wait {
                    form.pause(&mut sink, &mut shell.out)?;
                }
                Ok(ControlFlow::Continue(()))
            },
        )?;
        Ok(form.end(sink, &mut shell.out)?)
    }
}

/// What one thread needs.
struct Worker<'s, F> {
    program: &'s Program,
    limits: &'s Limits,
    form: &'s F,
    decider: Decider<'s>,
    /// For kinds that they have nothing to do with.
    windows: &'s Windows,
    log: Option<&'s Log>,
}

impl<F: Form> Worker<'_, F> {
    fn work(&mut self, (block, now): (Block, Timestamp)) -> Result<Worked<F::Made>, Failure> {
        let mut worked = Worked {
            parts: Vec::new(),
            taken: block.taken,
            events: 0,
            may_wait: block.may_wait,
        };
        let matrix = &self.program.matrix;
        for line in block.lines() {
            worked.events += 1;
            let (decided, ready) = match line.event(&matrix.schema, self.limits, now) {
                Ok(event) if self.waits(&event) => {
                    worked.parts.push(Part::Waits {
                        line: line.number,
                        event: Box::new(event),
                        bytes: self.log.and(line.bytes()).map(Box::from),
                    });
                    continue;
                }
                Ok(event) => {
                    let at = event.at();
                    let settled = self
                        .windows
                        .dry(&mut self.decider, &event, Counting::at(at), at);
                    let decided = decided(line.number, event.at(), settled.decision);
                    let ready = ready(self.log, &decided, Ok(&event), came(&line));
                    (decided, ready)
                }
                Err(event) => {
                    let decision = Reference::new(matrix).decide_unreadable(&event, event.at);
                    let decided = decided(line.number, event.at, decision);
                    let ready = ready(self.log, &decided, Err(&event), came(&line));
                    (decided, ready)
                }
            };
            if !matches!(worked.parts.last(), Some(Part::Made(..))) {
                worked
                    .parts
                    .push(Part::Made(F::Made::default(), Vec::new()));
            }
            if let Some(Part::Made(made, lines)) = worked.parts.last_mut() {
                self.form.make(&decided, made)?;
                lines.extend(ready);
            }
        }
        Ok(worked)
    }

    fn waits(&self, event: &Event) -> bool {
        let kind = self.program.kinds.get(event.kind.0 as usize);
        kind.is_none_or(|kind| kind.needs_history)
    }
}

fn decided(line: u64, at: Timestamp, mut decision: crate::decision::Decision) -> Decided {
    if decision.event == EventRef::None {
        decision.event = EventRef::Line(line);
    }
    Decided { line, at, decision }
}

/// The bytes of a line, or what is known of them.
fn came<'a>(line: &Line<'a>) -> Came<'a> {
    match line.bytes_or_digest() {
        Ok(bytes) => Came::Bytes(bytes.to_vec().into()),
        Err((bytes, digest)) => Came::Gone { bytes, digest },
    }
}

/// The line of the log for a decision, where one is kept. The clock of a file is that of its events.
fn ready(
    log: Option<&Log>,
    decided: &Decided,
    event: Result<&Event, &Unreadable>,
    came: Came<'_>,
) -> Option<Ready> {
    log?.ready(&Made {
        received: decided.at,
        clock: Clock::Event,
        came,
        event,
        decision: &decided.decision,
        json: None,
        text: None,
        escalation: None,
        by: None,
    })
}
