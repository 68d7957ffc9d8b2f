//! From an event to a decision: one pass, the adjusts, and a second pass over what they made.
//!
//! In: an event, the history before it, the instants. Out: a [`Decision`].
//! Invariant: what adjusts change is decided again without adjusts, so that it ends.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::decision::{AttachedLane, Decision, EventRef, Holds, Kleene, MatrixRef, State, Verdict};
use crate::event::{Event, Problem, ProblemCode, Unreadable, UnreadableBody};
use crate::matrix::{Expr, Lane, LaneId, Matrix};
use crate::schema::FieldId;
use crate::value::Value;

use super::eval::{Facts, Past, Standing};
use super::history::History;
use super::join::{self, Attached};
use super::measured::Windows;
use super::pass::{Adjusts, Pass, Ruling, Standings, UNREADABLE, engine_sign_off};
use super::reasons::Why;

/// The reference evaluator of a matrix.
#[derive(Debug, Clone, Copy)]
pub struct Reference<'m> {
    pub(super) matrix: &'m Matrix,
    only: Option<LaneId>,
}

/// The instants that a decision is made at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// At which the event counts: where the windows of its measures end.
    pub measured: Timestamp,
    /// At which its escalation opens: where its deadlines start.
    pub opened: Timestamp,
}

impl Times {
    /// Both are the event's own: of files, examples and replays, whose clock is `at`.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        Self::received(event.at())
    }

    /// Both are the instant of receipt: of events whose source is not trusted with the time.
    #[must_use]
    pub fn received(now: Timestamp) -> Self {
        Self {
            measured: now,
            opened: now,
        }
    }
}

/// A decision, and what its adjusts made of the event.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The decision.
    pub decision: Decision,
    /// The event with its adjusts; absent where nothing was changed.
    pub adjusted: Option<Event>,
}

impl Settled {
    /// The event with its final values, as a history records it.
    #[must_use]
    pub fn event<'e>(&'e self, original: &'e Event) -> &'e Event {
        self.adjusted.as_ref().unwrap_or(original)
    }
}

impl<'m> Reference<'m> {
    /// The evaluator of a whole matrix.
    #[must_use]
    pub fn new(matrix: &'m Matrix) -> Self {
        Self { matrix, only: None }
    }

    /// The same with all rules and one lane, as if there were no others.
    #[must_use]
    pub fn only(self, lane: LaneId) -> Self {
        Self {
            only: Some(lane),
            ..self
        }
    }

    /// The lanes that are considered.
    pub(super) fn lanes(&self) -> &'m [Lane] {
        match self.only {
            None => &self.matrix.lanes,
            Some(id) => {
                let range = id.index()..id.index().saturating_add(1);
                self.matrix.lanes.get(range).unwrap_or_default()
            }
        }
    }

    /// Decides an event that is not in the history yet, and leaves the history as it is.
    #[must_use]
    pub fn decide(&self, event: &Event, history: &History, times: Times) -> Decision {
        self.settle(event, history, times).decision
    }

    /// Decides an event and records it, whatever the verdict, with its final values.
    pub fn decide_and_record(
        &self,
        event: &Event,
        history: &mut History,
        times: Times,
    ) -> Decision {
        let settled = self.settle(event, history, times);
        history.record_at(self.matrix, settled.event(event), times.measured);
        settled.decision
    }

    /// Decides an event, and keeps what its adjusts made of it.
    #[must_use]
    pub fn settle(&self, event: &Event, history: &History, times: Times) -> Settled {
        self.settle_by(event, history, times, &mut |_| None)
    }

    /// The same where something else says how lanes and rules stand; where it does not, they are
    /// evaluated here.
    pub(crate) fn settle_by(
        &self,
        event: &Event,
        windows: &dyn Windows,
        times: Times,
        stand: &mut dyn FnMut(&Facts<'_>) -> Option<Standings>,
    ) -> Settled {
        let instant = times.measured;
        let past = Past { windows, instant };
        let Some(facts) = Facts::new(self.matrix, event, Some(past)) else {
            return unchanged(self.decide_foreign(event, times.opened));
        };
        let mut pass = self.pass(&facts, stand);
        if let Some(ruling) = pass.strict() {
            return unchanged(self.conclude(event, &pass, ruling, times.opened));
        }
        match pass.adjusts() {
            Adjusts::None => {
                let ruling = pass.lenient();
                unchanged(self.conclude(event, &pass, ruling, times.opened))
            }
            Adjusts::Conflict { problem, why } => {
                let ruling = pass.conflicting(problem, why);
                unchanged(self.conclude(event, &pass, ruling, times.opened))
            }
            Adjusts::Changes { changes, ruling } => {
                let changed = event.with_values(&self.matrix.schema, &changes);
                let mut decision = match Facts::new(self.matrix, &changed, Some(past)) {
                    Some(facts) => {
                        let again = self.pass(&facts, stand);
                        self.decide_again(&facts, &pass, &again, ruling, times.opened)
                    }
                    None => self.decide_foreign(&changed, times.opened),
                };
                note_changes(&mut decision, &facts, changes);
                Settled {
                    decision,
                    adjusted: Some(changed),
                }
            }
        }
    }

    /// The event with its final values, without working out the decision where no adjust applies.
    pub(crate) fn final_event(&self, event: &Event, history: &History) -> Option<Event> {
        let instant = event.at();
        let windows: &dyn Windows = history;
        let past = Past { windows, instant };
        let facts = Facts::new(self.matrix, event, Some(past))?;
        let rules = self.matrix.rules.iter();
        let adjusts = rules.filter(|rule| matches!(rule.effect, crate::matrix::Effect::Adjust(_)));
        let mut standings = adjusts.map(|rule| facts.rule(rule));
        if standings.any(|standing| standing == Standing::Fired) {
            self.settle(event, history, Times::of(event)).adjusted
        } else {
            None
        }
    }

    /// How a lane stands to an event, whatever else is decided.
    #[must_use]
    pub fn standing(
        &self,
        lane: &Lane,
        event: &Event,
        history: &History,
        times: Times,
    ) -> Standing {
        let instant = times.measured;
        let windows: &dyn Windows = history;
        let facts = Facts::new(self.matrix, event, Some(Past { windows, instant }));
        facts.map_or(Standing::NotConsidered, |facts| facts.lane(lane))
    }

    /// Whether a condition of the matrix is surely true of an event.
    pub(crate) fn surely(
        &self,
        condition: &Expr,
        event: &Event,
        history: &History,
        times: Times,
    ) -> bool {
        let instant = times.measured;
        let windows: &dyn Windows = history;
        let facts = Facts::new(self.matrix, event, Some(Past { windows, instant }));
        facts.is_some_and(|facts| facts.value(condition) == Kleene::True)
    }

    /// Decides an event that cannot be read.
    #[must_use]
    pub fn decide_unreadable(&self, event: &Unreadable, opened: Timestamp) -> Decision {
        let first = event.problems.first().map_or("", |p| &p.message);
        let more = match event.problems.len() {
            0 | 1 => String::new(),
            n => format!(" (and {} more)", n - 1),
        };
        let terms = self.matrix.unreadable.as_ref();
        let ruling = Ruling {
            verdict: terms.map_or(Verdict::Deny, |_| Verdict::Escalate),
            by: UNREADABLE.to_owned(),
            reason: format!("the event cannot be read: {first}{more}"),
        };
        let mut decision = self.blank(event.id.as_deref(), ruling, event.action_digest());
        decision.problems.clone_from(&event.problems);
        if let Some(terms) = terms {
            let sign_off = engine_sign_off(UNREADABLE, State::Fired, terms, Why::default());
            let attached = [sign_off];
            decision.lanes = self.entries(&attached, None, opened);
            let given = event.evidence.as_deref();
            join::fill(&mut decision, self.matrix, &attached, given);
        }
        decision
    }

    /// An event of a kind that this matrix does not have: it was read for another one.
    fn decide_foreign(&self, event: &Event, opened: Timestamp) -> Decision {
        let unreadable = Unreadable {
            id: event.id.clone(),
            kind: None,
            at: event.at(),
            problems: vec![Problem {
                code: ProblemCode::UnknownKind,
                field: None,
                message: "its kind is not declared in this matrix".to_owned(),
            }],
            body: UnreadableBody::Json(Arc::new(event.body().clone())),
            evidence: event.evidence().cloned().map(Arc::new),
        };
        self.decide_unreadable(&unreadable, opened)
    }

    /// One pass over an event.
    fn pass(
        &self,
        facts: &Facts<'_>,
        stand: &mut dyn FnMut(&Facts<'_>) -> Option<Standings>,
    ) -> Pass<'m> {
        let standings = stand(facts);
        let standings =
            standings.unwrap_or_else(|| Standings::over(self.lanes(), self.matrix, facts));
        Pass::of(&standings, self.matrix, facts)
    }

    /// The second pass, over an adjusted event: only what is stricter than an adjust counts.
    fn decide_again(
        &self,
        facts: &Facts<'_>,
        before: &Pass<'_>,
        pass: &Pass<'_>,
        adjust: Ruling,
        opened: Timestamp,
    ) -> Decision {
        let ruling = pass.strict().unwrap_or(adjust);
        let mut decision = self.conclude(facts.event, pass, ruling, opened);
        // The adjusts are those of the first pass; all other rules those of the second.
        decision.rules = pass.rules_with_adjusts_of(before);
        decision
    }

    fn conclude(
        &self,
        event: &Event,
        pass: &Pass<'_>,
        ruling: Ruling,
        opened: Timestamp,
    ) -> Decision {
        let mut decision = self.blank(event.id.as_deref(), ruling, event.action_digest());
        decision.lanes = self.entries(&pass.attached, Some(event), opened);
        decision.trial = self.entries(&pass.trial, Some(event), opened);
        decision.rules = pass.applied_rules();
        decision.problems.clone_from(&pass.problems);
        if decision.verdict == Verdict::Escalate {
            join::fill(&mut decision, self.matrix, &pass.attached, event.evidence());
        }
        decision
    }

    fn entries(
        &self,
        attached: &[Attached<'_>],
        event: Option<&Event>,
        opened: Timestamp,
    ) -> Vec<AttachedLane> {
        let attached = attached.iter();
        attached
            .map(|attached| attached.entry(self.matrix, event, opened))
            .collect()
    }

    fn blank(&self, event: Option<&str>, ruling: Ruling, action_digest: String) -> Decision {
        Decision {
            event: event.map_or(EventRef::None, |id| EventRef::Id(id.to_owned())),
            verdict: ruling.verdict,
            by: ruling.by,
            reason: ruling.reason,
            lanes: Vec::new(),
            rules: Vec::new(),
            owner: None,
            urgency: None,
            respond_within: None,
            respond_by: None,
            meanwhile: Holds::default(),
            also: Vec::new(),
            withheld: Vec::new(),
            operator: None,
            evidence: crate::decision::EvidenceNeeds::default(),
            timeout: Vec::new(),
            adjusted: BTreeMap::new(),
            original: BTreeMap::new(),
            trial: Vec::new(),
            problems: Vec::new(),
            matrix: MatrixRef::of(self.matrix),
            action_digest,
        }
    }
}

fn unchanged(decision: Decision) -> Settled {
    Settled {
        decision,
        adjusted: None,
    }
}

/// Lists what adjusts set, and what was there before.
fn note_changes(decision: &mut Decision, before: &Facts<'_>, changes: Vec<(FieldId, Value)>) {
    for (field, value) in changes {
        let path = before.matrix.schema.path(field).to_owned();
        let original = before.event.get(before.kind, field).cloned();
        decision.original.insert(path.clone(), original);
        decision.adjusted.insert(path, value);
    }
}
