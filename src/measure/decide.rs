//! A decision and the counting of its event, in one step.
//!
//! In: an event, as slots or as values, and the instant at which it counts. Out: an [`Outcome`], what
//! attaches, a whole decision.
//! Invariant: each event is counted once, with its final values, and no two events of one key are
//! measured by the same window. Where an adjust may change what is counted, or what is denied does not
//! count, the events of the kind are decided one after the other; else they are counted before they are
//! decided. What is to outlive the process is kept before anybody hears of the decision.

use super::live::{Counted, Live};
use super::observe::{Count, Measuring};
use super::{Counting, Windows};
use crate::clock::Timestamp;
use crate::decision::Verdict;
use crate::event::Event;
use crate::program::{Attachments, Decider, KindProgram, Outcome, Program, Scratch};
use crate::reference::{Settled, Times};
use crate::slots::{Slots, Unheld};

/// An event in slots, with the bytes that its texts are in and the instant at which it counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured<'a> {
    pub(crate) slots: &'a Slots,
    pub(crate) input: &'a [u8],
    pub(crate) counting: Counting,
}

impl Windows {
    /// The outcome of an event, which is counted.
    ///
    /// # Errors
    /// When the event has to be decided as a whole; then it is not counted.
    #[inline]
    pub(crate) fn outcome(
        &self,
        program: &Program,
        event: Measured<'_>,
        scratch: &mut Scratch,
        measuring: &mut Measuring,
    ) -> Result<Outcome, Unheld> {
        let kind = program.kind(event.slots)?;
        let Measured { slots, input, .. } = event;
        if kind.gauges.is_empty() {
            return program.outcome(slots, input, &[], scratch);
        }
        if self.is_counted_first(kind) {
            self.measure((program, kind), event, Count::Now, scratch, measuring);
            self.flush();
            return program.outcome(slots, input, &measuring.answers, scratch);
        }
        let turn = self.turn(slots.kind());
        self.receive(slots.kind(), event.counting);
        self.measure((program, kind), event, Count::No, scratch, measuring);
        let outcome = program.outcome_unadjusted(slots, input, &measuring.answers, scratch)?;
        if self.counts(outcome.verdict) {
            self.measure((program, kind), event, Count::Now, scratch, measuring);
        }
        drop(turn);
        self.flush();
        Ok(outcome)
    }

    /// Everything that attaches to an event, which is counted.
    ///
    /// # Errors
    /// As of [`Windows::outcome`].
    pub(crate) fn attachments<'s>(
        &self,
        program: &'s Program,
        event: Measured<'_>,
        scratch: &'s mut Scratch,
        measuring: &mut Measuring,
    ) -> Result<Attachments<'s>, Unheld> {
        measuring.answers.clear();
        if !program.kind(event.slots)?.gauges.is_empty() {
            self.outcome(program, event, scratch, measuring)?;
        }
        program.attachments(event.slots, event.input, &measuring.answers, scratch)
    }

    /// Decides an event and counts it, whatever the verdict, with its final values. Its escalation
    /// would open at an instant.
    pub(crate) fn settle(
        &self,
        decider: &mut Decider<'_>,
        event: &Event,
        counting: Counting,
        opened: Timestamp,
    ) -> Settled {
        let matrix = &self.matrix;
        let times = times(counting, opened);
        let kind = decider.program().kinds.get(event.kind.0 as usize);
        if kind.is_some_and(|kind| self.is_counted_first(kind)) {
            let counted = Counted::now(self, matrix, event, counting);
            self.flush();
            return decider.settle_by(event, &counted, times);
        }
        let turn = self.turn(event.kind);
        self.receive(event.kind, counting);
        let settled = decider.settle_by(event, &self.live(counting), times);
        if self.counts(settled.decision.verdict) {
            Counted::now(self, matrix, settled.event(event), counting);
        }
        drop(turn);
        self.flush();
        settled
    }

    /// Decides an event without counting it.
    pub(crate) fn dry(
        &self,
        decider: &mut Decider<'_>,
        event: &Event,
        counting: Counting,
        opened: Timestamp,
    ) -> Settled {
        let times = times(counting, opened);
        decider.settle_by(event, &self.live(counting), times)
    }

    fn live(&self, counting: Counting) -> Live<'_> {
        Live {
            windows: self,
            lateness: counting.lateness,
        }
    }

    /// Whether it is known before a decision what is counted.
    fn is_counted_first(&self, kind: &KindProgram) -> bool {
        !kind.adjusts && self.bounds.counts.denied
    }

    fn counts(&self, verdict: Verdict) -> bool {
        verdict != Verdict::Deny || self.bounds.counts.denied
    }
}

/// When an event counts, and when its escalation opens.
fn times(counting: Counting, opened: Timestamp) -> Times {
    Times {
        measured: counting.at,
        opened,
    }
}
