//! What one event came to: what is counted of a decision, without its words.
//!
//! In: what a program attached, a whole decision, or that the event cannot be read. Out: ids.
//! Invariant: all three say the same of the same event; the buffer is used again and again.

use crate::clock::Timestamp;
use crate::decision::{Decision, Holds, Kleene, Reason, State, Verdict};
use crate::event::{Event, Problem, ProblemCode, Unreadable};
use crate::matrix::{Effect, LaneId, RuleId, Unsure};
use crate::program::{Attachments, By, Gap, Hit, What};
use crate::schema::KindId;

use super::desk::Side;

/// How a lane stands to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum As {
    /// It attaches.
    Attached,
    /// It is under trial.
    Trial,
    /// It is unsure and left out, as its author wrote.
    Skipped,
}

/// What one event came to.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) verdict: Verdict,
    pub(super) by: By,
    /// The kind of an event that can be read, and perhaps of one that cannot.
    pub(super) kind: Option<KindId>,
    pub(super) at: Timestamp,
    pub(super) lanes: Vec<(LaneId, State, As)>,
    pub(super) rules: Vec<(RuleId, State)>,
    /// Whether the people of `unreadable` are asked.
    pub(super) asks_unreadable: bool,
    pub(super) meanwhile: Holds,
    /// Whether a lane or `always deny` could not be ruled out.
    pub(super) unsure: bool,
    pub(super) gaps: Vec<Gap>,
    /// Why it cannot be decided on.
    pub(super) problem: Option<Problem>,
    /// Whether it could be read.
    pub(super) readable: bool,
}

impl Default for Found {
    fn default() -> Self {
        Self {
            verdict: Verdict::Deny,
            by: By::Unreadable,
            kind: None,
            at: Timestamp::UNIX_EPOCH,
            lanes: Vec::new(),
            rules: Vec::new(),
            asks_unreadable: false,
            meanwhile: Holds::default(),
            unsure: false,
            gaps: Vec::new(),
            problem: None,
            readable: false,
        }
    }
}

impl Found {
    fn start(&mut self, verdict: Verdict, by: By, kind: Option<KindId>, at: Timestamp) {
        self.verdict = verdict;
        self.by = by;
        self.kind = kind;
        self.at = at;
        self.lanes.clear();
        self.rules.clear();
        self.gaps.clear();
        self.asks_unreadable = false;
        self.unsure = false;
        self.meanwhile = Holds::default();
        self.problem = None;
        self.readable = true;
    }

    /// What a program attached to an event. The hits that left something unsure are put into
    /// `unsure`. Nothing where an adjust changed the event: then the cells are not those that the
    /// lanes saw.
    pub(super) fn attached(
        &mut self,
        side: &Side<'_>,
        attached: &Attachments<'_>,
        kind: KindId,
        at: Timestamp,
        unsure: &mut Vec<Hit>,
    ) -> Option<()> {
        let outcome = attached.outcome;
        self.start(outcome.verdict, outcome.by, Some(kind), at);
        self.meanwhile = attached.meanwhile;
        unsure.clear();
        let mut denies = false;
        for ((what, state), hit) in attached.entries().zip(attached.hits) {
            match what {
                What::Lane(id) => {
                    let Some(how) = side.stands(id, state, at) else {
                        continue;
                    };
                    self.lanes.push((id, state, how));
                    if how == As::Attached && state == State::Unsure {
                        unsure.push(*hit);
                    }
                }
                What::Rule(id) => {
                    self.rules.push((id, state));
                    match side.effect(id)? {
                        Effect::Adjust(_) if state == State::Fired => return None,
                        Effect::Deny if state == State::Unsure => {
                            denies = true;
                            unsure.push(*hit);
                        }
                        _ => {}
                    }
                }
            }
        }
        self.unsure = !unsure.is_empty();
        self.finish(side, denies);
        Some(())
    }

    /// What a whole decision says of an event, which is given with its final values.
    pub(super) fn decided(&mut self, side: &Side<'_>, decision: &Decision, event: &Event) {
        let by = side.by(&decision.by);
        self.start(decision.verdict, by, Some(event.kind), event.at());
        self.meanwhile = decision.meanwhile;
        let mut denies = false;
        for (lanes, how) in [
            (&decision.lanes, As::Attached),
            (&decision.trial, As::Trial),
        ] {
            for lane in lanes {
                // The engine's own sign-offs are no lanes.
                let By::Lane(id) = side.by(&lane.lane) else {
                    continue;
                };
                self.lanes.push((id, lane.state, how));
                if how == As::Attached && lane.state == State::Unsure {
                    self.unsure = true;
                    self.lacks(side, &lane.because, event);
                }
            }
        }
        for rule in &decision.rules {
            let By::Rule(id) = side.by(&rule.rule) else {
                continue;
            };
            self.rules.push((id, rule.state));
            if rule.state == State::Unsure && matches!(side.effect(id), Some(Effect::Deny)) {
                denies = true;
                self.unsure = true;
                self.lacks(side, &rule.because, event);
            }
        }
        for problem in &decision.problems {
            match problem.code {
                ProblemCode::Skipped => {
                    let name = problem.message.split('`').nth(1).unwrap_or_default();
                    if let By::Lane(id) = side.by(name) {
                        self.lanes.push((id, State::Unsure, As::Skipped));
                    }
                }
                ProblemCode::AdjustConflict => self.problem = Some(problem.clone()),
                _ => {}
            }
        }
        self.finish(side, denies);
    }

    /// What an event comes to that cannot be read.
    pub(super) fn unreadable(&mut self, side: &Side<'_>, event: &Unreadable) {
        let terms = side.program.matrix.unreadable.as_ref();
        let verdict = terms.map_or(Verdict::Deny, |_| Verdict::Escalate);
        self.start(verdict, By::Unreadable, event.kind, event.at);
        self.meanwhile = terms.map_or_else(Holds::default, |t| Holds::of(t.hold, t.scope));
        self.readable = false;
        let mut problems = event.problems.iter();
        let fatal = problems.find(|problem| problem.code.makes_unreadable());
        self.problem = fatal.or(event.problems.first()).cloned();
        self.finish(side, false);
    }

    fn finish(&mut self, side: &Side<'_>, denies: bool) {
        let people = side.program.matrix.unreadable.is_some();
        let escalates = self.verdict == Verdict::Escalate;
        self.asks_unreadable = people && escalates && (denies || self.by == By::Unreadable);
    }

    /// What the tests of a reason lack.
    fn lacks(&mut self, side: &Side<'_>, because: &[Reason], event: &Event) {
        for reason in because {
            if reason.result != Kleene::Unknown {
                continue;
            }
            let matrix = &side.program.matrix;
            let Some(kind) = matrix.kind(event.kind) else {
                continue;
            };
            for gap in side.leaves().get(&reason.test).into_iter().flatten() {
                let lacks = match gap {
                    Gap::Field(field) => event.get(kind, *field).is_none(),
                    Gap::Measure(_) => true,
                };
                if lacks && !self.gaps.contains(gap) {
                    self.gaps.push(*gap);
                }
            }
        }
    }
}

impl Side<'_> {
    /// How a lane that fires or is unsure stands to an event of that instant; nothing where it is
    /// not even listed.
    #[inline]
    fn stands(&self, id: LaneId, state: State, at: Timestamp) -> Option<As> {
        let lane = self.program.matrix.lane(id)?;
        let on_trial = lane.is_on_trial(at);
        match &lane.unsure {
            Unsure::Skip(_) if state == State::Unsure => (!on_trial).then_some(As::Skipped),
            _ if on_trial => Some(As::Trial),
            _ => Some(As::Attached),
        }
    }

    fn effect(&self, id: RuleId) -> Option<&Effect> {
        let rule = self.program.matrix.rules.get(id.index());
        rule.map(|rule| &rule.effect)
    }
}
