//! One thread's way through a router: its buffers, and the program that it last saw.
//!
//! In: events as JSON bytes, as slots, or as anything that serde can write. Out: outcomes, what
//! attaches, whole decisions.
//! Invariant: an outcome is that of the whole decision. For a kind that measures have nothing to do
//! with nothing is locked. Once the buffers have grown nothing is allocated but what windows keep.

use std::sync::Arc;

use arc_swap::Cache;
use serde::Serialize;

use super::{Router, State};
use crate::decision::{Decision, Verdict};
use crate::event::{self, Unreadable};
use crate::measure::{Measured, Measuring, Receipt};
use crate::program::{Attachments, By, Decider, Outcome, Program, Scratch};
use crate::slots::{Slots, Unheld};

/// The buffers of one thread.
#[derive(Debug)]
pub struct Session<'r> {
    router: &'r Router,
    current: Cache<&'r arc_swap::ArcSwap<State>, Arc<State>>,
    slots: Slots,
    scratch: Scratch,
    measuring: Measuring,
    bytes: Vec<u8>,
}

/// What came of an event's bytes.
#[derive(Debug)]
pub enum Joined<'a> {
    /// Everything that attaches.
    Attached(Attachments<'a>),
    /// It could not be read: what is wrong with it.
    Unreadable(Outcome, Box<Unreadable>),
    /// Decided in full, because the program of its kind asks for it.
    Decided(Box<Decision>),
}

impl<'r> Session<'r> {
    pub(super) fn new(router: &'r Router) -> Self {
        Self {
            router,
            current: Cache::new(&router.current),
            slots: Slots::default(),
            scratch: Scratch::default(),
            measuring: Measuring::default(),
            bytes: Vec::new(),
        }
    }

    /// The program that decides now: for places of fields, and for slots to be laid out.
    pub fn program(&mut self) -> &Arc<Program> {
        &self.current.load().program
    }

    /// The verdict on an event's JSON and what gives it. The event is counted.
    pub fn outcome_json(&mut self, bytes: &[u8], received: impl Into<Receipt>) -> Outcome {
        let receipt = received.into();
        let State { program, windows } = &**self.current.load();
        let (limits, now) = (&self.router.settings.limits, receipt.now);
        if self.slots.read(bytes, &program.layout, limits, now).is_ok() {
            let event = Measured {
                slots: &self.slots,
                input: bytes,
                counting: receipt.counts(self.slots.at()),
            };
            let (scratch, measuring) = (&mut self.scratch, &mut self.measuring);
            if let Ok(outcome) = windows.outcome(program, event, scratch, measuring) {
                return outcome;
            }
        }
        self.slowly(bytes, receipt)
    }

    /// The verdict on anything that serde can write as an event's JSON. The event is counted. What
    /// cannot be written is as unreadable as no bytes at all.
    pub fn outcome_of(&mut self, event: &impl Serialize, received: impl Into<Receipt>) -> Outcome {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        if serde_json::to_writer(&mut bytes, event).is_err() {
            bytes.clear();
        }
        let outcome = self.outcome_json(&bytes, received);
        self.bytes = bytes;
        outcome
    }

    /// The verdict on slots that were laid out by [`Session::program`], of an event that is received
    /// now. The event is counted.
    ///
    /// # Errors
    /// When the matrix was swapped since, when an adjust applies to an event that measures count, or
    /// when the program leaves it to the reference evaluator: then it is not counted, and is decided
    /// from its JSON or as an [`Event`](crate::event::Event).
    pub fn outcome(
        &mut self,
        slots: &Slots,
        received: impl Into<Receipt>,
    ) -> Result<Outcome, Unheld> {
        let State { program, windows } = &**self.current.load();
        let event = Measured {
            slots,
            input: &[],
            counting: received.into().counts(slots.at()),
        };
        windows.outcome(program, event, &mut self.scratch, &mut self.measuring)
    }

    /// Everything that attaches to an event, joined. The event is counted.
    pub fn joined_json(&mut self, bytes: &[u8], received: impl Into<Receipt>) -> Joined<'_> {
        let receipt = received.into();
        let State { program, windows } = &**self.current.load();
        let (limits, now) = (&self.router.settings.limits, receipt.now);
        if self.slots.read(bytes, &program.layout, limits, now).is_ok() {
            let event = Measured {
                slots: &self.slots,
                input: bytes,
                counting: receipt.counts(self.slots.at()),
            };
            let (scratch, measuring) = (&mut self.scratch, &mut self.measuring);
            if let Ok(joined) = windows.attachments(program, event, scratch, measuring) {
                return Joined::Attached(joined);
            }
        } else if let Err(unreadable) = event::read(bytes, &program.matrix.schema, limits, now) {
            return Joined::Unreadable(unreadable_outcome(program), unreadable);
        }
        Joined::Decided(Box::new(self.router.decide_json(bytes, receipt)))
    }

    /// The whole decision on an event's JSON. The event is counted.
    pub fn decide_json(&mut self, bytes: &[u8], received: impl Into<Receipt>) -> Decision {
        self.router.decide_json(bytes, received)
    }

    #[cold]
    fn slowly(&mut self, bytes: &[u8], receipt: Receipt) -> Outcome {
        let state = self.current.load();
        let program = &state.program;
        let (limits, now) = (&self.router.settings.limits, receipt.now);
        match event::read(bytes, &program.matrix.schema, limits, now) {
            Err(_) => unreadable_outcome(program),
            Ok(event) => {
                let mut decider = Decider::new(program);
                let counting = receipt.counts(event.at());
                let settled = state.windows.settle(&mut decider, &event, counting, now);
                outcome_of(&settled.decision, program)
            }
        }
    }
}

/// What comes of an event that cannot be read.
fn unreadable_outcome(program: &Program) -> Outcome {
    Outcome {
        verdict: match program.matrix.unreadable {
            None => Verdict::Deny,
            Some(_) => Verdict::Escalate,
        },
        by: By::Unreadable,
    }
}

fn outcome_of(decision: &Decision, program: &Program) -> Outcome {
    let matrix = &program.matrix;
    let rule = || {
        let rules = matrix.rules.iter();
        let mut named = rules.filter(|rule| rule.name == decision.by);
        named.next().map(|rule| By::Rule(rule.id))
    };
    let by = match decision.by.as_str() {
        "otherwise" => By::Otherwise,
        "unreadable" => By::Unreadable,
        name => matrix
            .lane_named(name)
            .map(|lane| By::Lane(lane.id))
            .or_else(rule)
            .unwrap_or(By::Unreadable),
    };
    Outcome {
        verdict: decision.verdict,
        by,
    }
}
