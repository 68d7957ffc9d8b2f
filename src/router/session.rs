//! One thread's way through a router: its buffers, and the program that it last saw.
//!
//! In: events as JSON bytes, as slots, or as anything that serde can write. Out: outcomes, what
//! attaches, whole decisions.
//! Invariant: an outcome is that of the whole decision. For a kind that measures have nothing to do
//! with nothing is locked, and once the buffers have grown nothing is allocated.

use std::sync::Arc;

use arc_swap::Cache;
use serde::Serialize;

use super::Router;
use crate::clock::Timestamp;
use crate::decision::{Decision, Verdict};
use crate::event::{self, Unreadable};
use crate::program::{Attachments, By, Decider, Outcome, Program, Scratch};
use crate::reference::{History, Times};
use crate::slots::{Slots, Unheld};

/// The buffers of one thread.
#[derive(Debug)]
pub struct Session<'r> {
    router: &'r Router,
    current: Cache<&'r arc_swap::ArcSwap<Program>, Arc<Program>>,
    slots: Slots,
    scratch: Scratch,
    bytes: Vec<u8>,
}

/// What came of an event's bytes.
#[derive(Debug)]
pub enum Joined<'a> {
    /// Everything that attaches.
    Attached(Attachments<'a>),
    /// It could not be read: what is wrong with it.
    Unreadable(Outcome, Box<Unreadable>),
    /// Decided in full, because the program of its kind or its measures ask for it.
    Decided(Box<Decision>),
}

impl<'r> Session<'r> {
    pub(super) fn new(router: &'r Router) -> Self {
        Self {
            router,
            current: Cache::new(&router.current),
            slots: Slots::default(),
            scratch: Scratch::default(),
            bytes: Vec::new(),
        }
    }

    /// The program that decides now: for places of fields, and for slots to be laid out.
    pub fn program(&mut self) -> &Arc<Program> {
        self.current.load()
    }

    /// The verdict on an event's JSON and what gives it. The event is counted.
    pub fn outcome_json(&mut self, bytes: &[u8], now: Timestamp) -> Outcome {
        let program = self.current.load();
        let limits = &self.router.limits;
        let read = self.slots.read(bytes, &program.layout, limits, now);
        if read.is_ok()
            && is_timeless(program, &self.slots)
            && let Ok(outcome) = program.outcome(&self.slots, bytes, &[], &mut self.scratch)
        {
            return outcome;
        }
        self.slowly(bytes, now)
    }

    /// The verdict on anything that serde can write as an event's JSON. The event is counted. What
    /// cannot be written is as unreadable as no bytes at all.
    pub fn outcome_of(&mut self, event: &impl Serialize, now: Timestamp) -> Outcome {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        if serde_json::to_writer(&mut bytes, event).is_err() {
            bytes.clear();
        }
        let outcome = self.outcome_json(&bytes, now);
        self.bytes = bytes;
        outcome
    }

    /// The verdict on slots that were laid out by [`Session::program`].
    ///
    /// # Errors
    /// When the matrix was swapped since, when measures have to do with the kind, or when the program
    /// leaves it to the reference evaluator: then the event is decided from its JSON or as an
    /// [`Event`](crate::event::Event).
    pub fn outcome(&mut self, slots: &Slots) -> Result<Outcome, Unheld> {
        let program = self.current.load();
        if !is_timeless(program, slots) {
            return Err(Unheld);
        }
        program.outcome(slots, &[], &[], &mut self.scratch)
    }

    /// Everything that attaches to an event, joined. The event is counted.
    pub fn joined_json(&mut self, bytes: &[u8], now: Timestamp) -> Joined<'_> {
        let program: &Program = self.current.load();
        let limits = &self.router.limits;
        if self.slots.read(bytes, &program.layout, limits, now).is_ok() {
            let slots = &self.slots;
            if is_timeless(program, slots)
                && let Ok(joined) = program.attachments(slots, bytes, &[], &mut self.scratch)
            {
                return Joined::Attached(joined);
            }
        } else if let Err(unreadable) = event::read(bytes, &program.matrix.schema, limits, now) {
            return Joined::Unreadable(unreadable_outcome(program), unreadable);
        }
        Joined::Decided(Box::new(self.router.decide_json(bytes, now)))
    }

    /// The whole decision on an event's JSON. The event is counted.
    pub fn decide_json(&mut self, bytes: &[u8], now: Timestamp) -> Decision {
        self.router.decide_json(bytes, now)
    }

    #[cold]
    fn slowly(&mut self, bytes: &[u8], now: Timestamp) -> Outcome {
        let program = self.current.load();
        let matrix = &program.matrix;
        if !matrix.measures.is_empty() {
            let decision = self.router.decide_json(bytes, now);
            return outcome_of(&decision, program);
        }
        match event::read(bytes, &matrix.schema, &self.router.limits, now) {
            Err(_) => unreadable_outcome(program),
            Ok(event) => {
                let history = History::new(matrix);
                let times = Times::received(now);
                let decision = Decider::new(program).decide(&event, &history, times);
                outcome_of(&decision, program)
            }
        }
    }
}

/// Whether an event is decided by itself, and no other one by it.
#[inline]
fn is_timeless(program: &Program, slots: &Slots) -> bool {
    let kind = program.kinds.get(slots.kind().0 as usize);
    kind.is_some_and(|kind| !kind.needs_history)
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
