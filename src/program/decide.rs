//! Whole decisions, by the compiled program.
//!
//! In: an [`Event`], the [`History`] before it, the instants. Out: a [`Decision`].
//! Invariant: the program only says which lanes and rules attach; reasons, route and deadlines come
//! from the one place that makes them for the reference evaluator too. An event that the program
//! cannot hold is decided by that.

use super::{KindProgram, Program, Scratch, What};
use crate::decision::{Decision, Kleene, State, Verdict};
use crate::event::Event;
use crate::matrix::{Effect, LaneId, Unsure};
use crate::reference::{Facts, History, Recorded, Reference, Settled, Standings, Times, Windows};
use crate::slots::{Seen, Slots};

/// The verdict on an event, and the lanes that ask people for a sign-off of it, without reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attached {
    pub(crate) verdict: Verdict,
    pub(crate) lanes: Vec<LaneId>,
}

impl Program {
    /// What of a decision can be told without a history; nothing where measures or adjusts have a say, or where the
    /// reference evaluator decides.
    pub(crate) fn attached(&self, event: &Event) -> Option<Attached> {
        let mut slots = Slots::default();
        slots.fill(&self.layout, event).ok()?;
        if !self.kind(&slots).ok()?.measure_tests.is_empty() {
            return None;
        }
        let mut scratch = Scratch::default();
        let attachments = self.attachments(&slots, &[], &[], &mut scratch).ok()?;
        let mut lanes = Vec::new();
        for (what, state) in attachments.entries() {
            match what {
                What::Lane(id) => {
                    let lane = self.matrix.lane(id)?;
                    let is_skipped =
                        state == State::Unsure && matches!(lane.unsure, Unsure::Skip(_));
                    if !is_skipped && !lane.is_on_trial(event.at()) {
                        lanes.push(id);
                    }
                }
                What::Rule(id) => {
                    let rule = self.matrix.rules.get(id.index())?;
                    if matches!(rule.effect, Effect::Adjust(_)) {
                        return None;
                    }
                }
            }
        }
        Some(Attached {
            verdict: attachments.outcome.verdict,
            lanes,
        })
    }
}

/// Decides one event after the other by a program.
#[derive(Debug)]
pub struct Decider<'p> {
    program: &'p Program,
    slots: Slots,
    scratch: Scratch,
    measured: Vec<Kleene>,
    by_reference: u64,
    /// What measures are for the events that are decided, where that is to be kept.
    recorded: Option<Recorded>,
}

impl<'p> Decider<'p> {
    /// A decider that has decided nothing yet.
    #[must_use]
    pub fn new(program: &'p Program) -> Self {
        Self {
            program,
            slots: Slots::default(),
            scratch: Scratch::default(),
            measured: Vec::new(),
            by_reference: 0,
            recorded: None,
        }
    }

    /// The same where what measures are for an event is kept.
    pub(crate) fn recording(self) -> Self {
        Self {
            recorded: Some(Recorded::default()),
            ..self
        }
    }

    /// What measures were for the events that were decided since it was last taken.
    pub(crate) fn take_recorded(&mut self) -> Recorded {
        self.recorded
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// The program.
    pub(crate) fn program(&self) -> &'p Program {
        self.program
    }

    /// How many passes over events were left to the reference evaluator.
    #[must_use]
    pub fn by_reference(&self) -> u64 {
        self.by_reference
    }

    /// Decides an event that is not in the history yet, and leaves the history as it is.
    pub fn decide(&mut self, event: &Event, history: &History, times: Times) -> Decision {
        self.settle(event, history, times).decision
    }

    /// Decides an event and records it, whatever the verdict, with its final values.
    pub fn decide_and_record(
        &mut self,
        event: &Event,
        history: &mut History,
        times: Times,
    ) -> Decision {
        let settled = self.settle(event, history, times);
        let matrix = &self.program.matrix;
        history.record_at(matrix, settled.event(event), times.measured);
        settled.decision
    }

    /// Decides an event, and keeps what its adjusts made of it.
    pub fn settle(&mut self, event: &Event, history: &History, times: Times) -> Settled {
        self.settle_by(event, history, times)
    }

    /// The same with windows that are kept elsewhere.
    pub(crate) fn settle_by(
        &mut self,
        event: &Event,
        windows: &dyn Windows,
        times: Times,
    ) -> Settled {
        let program = self.program;
        Reference::new(&program.matrix).settle_by(event, windows, times, &mut |facts| {
            if let Some(recorded) = &mut self.recorded {
                recorded.note(facts);
            }
            let standings = self.standings(facts);
            self.by_reference += u64::from(standings.is_none());
            standings
        })
    }

    /// Which lanes and rules attach; nothing where the program does not decide the event.
    fn standings(&mut self, facts: &Facts<'_>) -> Option<Standings> {
        let program = self.program;
        self.slots.fill(&program.layout, facts.event()).ok()?;
        let kind = program.kind(&self.slots).ok()?;
        self.measure(kind, facts);
        let seen = Seen {
            slots: &self.slots,
            input: &[],
        };
        program.collect(kind, seen, &self.measured, &mut self.scratch);
        let mut standings = Standings::default();
        for hit in &self.scratch.hits {
            let entry = kind.entries.get(hit.entry as usize)?;
            match entry.what {
                What::Lane(id) => standings.lanes.push((id, hit.state)),
                What::Rule(id) => standings.rules.push((id, hit.state)),
            }
        }
        standings.lanes.sort_unstable();
        standings.rules.sort_unstable();
        Some(standings)
    }

    fn measure(&mut self, kind: &KindProgram, facts: &Facts<'_>) {
        self.measured.clear();
        for test in &kind.measure_tests {
            self.measured.push(facts.measure_test(test));
        }
    }
}
