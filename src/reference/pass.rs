//! One pass over the lanes and rules: what attaches, and what follows from it.
//!
//! In: the facts of one event. Out: a [`Ruling`], the verdict with who gave it and why.
//! Invariant: deny before escalate before adjust before allow before `otherwise`, independent of
//! file order but where several of one rank must name the decision.

use std::cmp::Reverse;

use crate::decision::{AppliedRule, State, Verdict};
use crate::event::{Problem, ProblemCode};
use crate::matrix::{Effect, Lane, LaneId, Matrix, Otherwise, Rule, RuleId, Terms, Unsure};
use crate::schema::FieldId;
use crate::value::Value;

use super::eval::Facts;
use super::join::Attached;
use super::reasons::Why;

/// The name of the engine's own sign-off, for what cannot be decided on.
pub(super) const UNREADABLE: &str = "unreadable";
/// The name of what decides when nothing else does.
const OTHERWISE: &str = "otherwise";

/// Everything that fires or is unsure for one event.
#[derive(Debug)]
pub(super) struct Pass<'m> {
    matrix: &'m Matrix,
    /// The primary lane first; behind all lanes the engine's own sign-off.
    pub(super) attached: Vec<Attached<'m>>,
    /// In the same order.
    pub(super) trial: Vec<Attached<'m>>,
    /// In file order.
    pub(super) rules: Vec<Ruled<'m>>,
    pub(super) problems: Vec<Problem>,
}

/// A rule that applies, or cannot be ruled out.
#[derive(Debug)]
pub(super) struct Ruled<'m> {
    rule: &'m Rule,
    state: State,
    why: Why,
}

/// A verdict with who gave it and why.
#[derive(Debug)]
pub(super) struct Ruling {
    pub(super) verdict: Verdict,
    pub(super) by: String,
    pub(super) reason: String,
}

impl Ruling {
    fn new(verdict: Verdict, by: &str, reason: String) -> Self {
        Self {
            verdict,
            by: by.to_owned(),
            reason,
        }
    }
}

/// What the adjusts of a pass make of its event.
#[derive(Debug)]
pub(super) enum Adjusts {
    /// None applies.
    None,
    /// Two set one field differently.
    Conflict {
        problem: Problem,
        /// The reasons of all that apply.
        why: Why,
    },
    /// They apply together.
    Changes {
        /// The fields that are set, once each.
        changes: Vec<(FieldId, Value)>,
        /// Should nothing stricter follow.
        ruling: Ruling,
    },
}

/// The lanes and rules that fire or are unsure, each in file order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Standings {
    pub(crate) lanes: Vec<(LaneId, State)>,
    pub(crate) rules: Vec<(RuleId, State)>,
}

impl Standings {
    /// Holds an event against lanes and all rules, one after the other.
    pub(super) fn over(lanes: &[Lane], matrix: &Matrix, facts: &Facts<'_>) -> Self {
        let lanes = lanes.iter();
        let rules = matrix.rules.iter();
        Self {
            lanes: lanes
                .filter_map(|lane| Some((lane.id, facts.lane(lane).state()?)))
                .collect(),
            rules: rules
                .filter_map(|rule| Some((rule.id, facts.rule(rule).state()?)))
                .collect(),
        }
    }
}

impl<'m> Pass<'m> {
    /// What follows from how lanes and rules stand.
    pub(super) fn of(standings: &Standings, matrix: &'m Matrix, facts: &Facts<'_>) -> Self {
        let mut pass = Self {
            matrix,
            attached: Vec::new(),
            trial: Vec::new(),
            rules: Vec::new(),
            problems: facts.event.problems().to_vec(),
        };
        for (lane, state) in &standings.lanes {
            if let Some(lane) = matrix.lane(*lane) {
                pass.attach(lane, *state, facts);
            }
        }
        // Stable: lanes of one rank stay in file order.
        let rank = |attached: &Attached<'_>| (Reverse(attached.terms.urgency), attached.state);
        pass.attached.sort_by_key(rank);
        pass.trial.sort_by_key(rank);
        for (rule, state) in &standings.rules {
            if let Some(rule) = matrix.rules.get(rule.index()) {
                let why = facts.why([&rule.when]);
                let state = *state;
                pass.rules.push(Ruled { rule, state, why });
            }
        }
        pass.attach_unsure_denies();
        pass.problems.extend(facts.partial_measures());
        pass
    }

    fn attach(&mut self, lane: &'m Lane, state: State, facts: &Facts<'_>) {
        let on_trial = lane.is_on_trial(facts.event.at());
        let why = facts.why_attached(lane);
        if let (State::Unsure, Unsure::Skip(reason)) = (state, &lane.unsure) {
            if !on_trial {
                self.problems.push(skipped(lane, &why, reason));
            }
            return;
        }
        let attached = Attached {
            name: &lane.name,
            state,
            terms: &lane.terms,
            lane: Some(lane),
            why,
        };
        if on_trial {
            self.trial.push(attached);
        } else {
            self.attached.push(attached);
        }
    }

    /// An `always deny` that cannot be ruled out is for the people of `unreadable`. Where there
    /// are none, it denies.
    fn attach_unsure_denies(&mut self) {
        let Some(terms) = &self.matrix.unreadable else {
            return;
        };
        let unsure: Vec<_> = self.rules.iter().filter(|r| r.is_unsure_deny()).collect();
        if !unsure.is_empty() {
            let why = together(unsure.into_iter());
            let sign_off = engine_sign_off(UNREADABLE, State::Unsure, terms, why);
            self.attached.push(sign_off);
        }
    }

    /// The rules as a decision lists them.
    pub(super) fn applied_rules(&self) -> Vec<AppliedRule> {
        self.rules.iter().map(Ruled::applied).collect()
    }

    /// The same after an adjust: the adjusts of the pass before, all other rules of this one.
    pub(super) fn rules_with_adjusts_of(&self, before: &Pass<'_>) -> Vec<AppliedRule> {
        let adjusts = before.rules.iter().filter(|ruled| ruled.is_adjust());
        let others = self.rules.iter().filter(|ruled| !ruled.is_adjust());
        let mut rules: Vec<&Ruled<'_>> = adjusts.chain(others).collect();
        rules.sort_by_key(|ruled| ruled.rule.id);
        rules.into_iter().map(Ruled::applied).collect()
    }

    /// Deny or escalate, if it comes to that.
    pub(super) fn strict(&self) -> Option<Ruling> {
        self.denied_by_rule()
            .or_else(|| self.denied_by_unsure_lane())
            .or_else(|| self.escalated())
    }

    fn denied_by_rule(&self) -> Option<Ruling> {
        let unsure_denies = self.matrix.unreadable.is_none();
        let ruled = self.rules.iter().find(|ruled| {
            ruled.rule.effect == Effect::Deny && (ruled.state == State::Fired || unsure_denies)
        })?;
        Some(ruled.ruling(Verdict::Deny))
    }

    fn denied_by_unsure_lane(&self) -> Option<Ruling> {
        let lanes = self.attached.iter().filter(|attached| {
            attached.state == State::Unsure
                && attached.lane.is_some_and(|l| l.unsure == Unsure::Deny)
        });
        let first = lanes.min_by_key(|attached| attached.lane.map(|lane| lane.id))?;
        let reason = format!("{}; it denies when it is unsure", first.sentence());
        Some(Ruling::new(Verdict::Deny, first.name, reason))
    }

    fn escalated(&self) -> Option<Ruling> {
        let primary = self.attached.first()?;
        if primary.lane.is_some() {
            let reason = primary.sentence();
            return Some(Ruling::new(Verdict::Escalate, primary.name, reason));
        }
        let rule = self.rules.iter().find(|ruled| ruled.is_unsure_deny())?;
        Some(rule.ruling(Verdict::Escalate))
    }

    /// What the adjusts that surely apply say together.
    pub(super) fn adjusts(&self) -> Adjusts {
        let surely = || self.rules.iter().filter(|r| r.state == State::Fired);
        let mut first: Option<&Ruled<'_>> = None;
        let mut set: Vec<(FieldId, Value, &Rule)> = Vec::new();
        for ruled in surely() {
            let Effect::Adjust(changes) = &ruled.rule.effect else {
                continue;
            };
            first = first.or(Some(ruled));
            for (field, value) in changes {
                match set.iter().find(|(known, ..)| known == field) {
                    None => set.push((*field, value.clone(), ruled.rule)),
                    Some((_, known, _)) if known == value => {}
                    Some((_, _, other)) => {
                        return Adjusts::Conflict {
                            problem: self.conflict(*field, other, ruled.rule),
                            why: together(surely().filter(|ruled| ruled.is_adjust())),
                        };
                    }
                }
            }
        }
        match first {
            None => Adjusts::None,
            Some(first) => Adjusts::Changes {
                changes: set.into_iter().map(|(f, v, _)| (f, v)).collect(),
                ruling: first.ruling(Verdict::Adjust),
            },
        }
    }

    fn conflict(&self, field: FieldId, one: &Rule, other: &Rule) -> Problem {
        let path = self.matrix.schema.path(field);
        Problem {
            code: ProblemCode::AdjustConflict,
            field: Some(path.to_owned()),
            message: format!(
                "rules `{}` and `{}` set `{path}` differently",
                one.name, other.name
            ),
        }
    }

    /// Adjusts that contradict each other are for the people of `unreadable`, else denied.
    pub(super) fn conflicting(&mut self, problem: Problem, why: Why) -> Ruling {
        let reason = problem.message.clone();
        self.problems.push(problem);
        match &self.matrix.unreadable {
            None => Ruling::new(Verdict::Deny, UNREADABLE, reason),
            Some(terms) => {
                let sign_off = engine_sign_off(UNREADABLE, State::Fired, terms, why);
                self.attached.push(sign_off);
                Ruling::new(Verdict::Escalate, UNREADABLE, reason)
            }
        }
    }

    /// Allow, or what `otherwise` says.
    pub(super) fn lenient(&mut self) -> Ruling {
        let allows =
            |ruled: &&Ruled<'_>| ruled.rule.effect == Effect::Allow && ruled.state == State::Fired;
        if let Some(ruled) = self.rules.iter().find(allows) {
            return ruled.ruling(Verdict::Allow);
        }
        let verdict = match &self.matrix.otherwise {
            Otherwise::Allow => Verdict::Allow,
            Otherwise::Deny => Verdict::Deny,
            Otherwise::Escalate(terms) => {
                let why = Why::default();
                let sign_off = engine_sign_off(OTHERWISE, State::Fired, terms, why);
                self.attached.push(sign_off);
                Verdict::Escalate
            }
        };
        Ruling::new(verdict, OTHERWISE, "no lane and no rule applies".to_owned())
    }
}

impl Ruled<'_> {
    fn is_unsure_deny(&self) -> bool {
        self.rule.effect == Effect::Deny && self.state == State::Unsure
    }

    fn applied(&self) -> AppliedRule {
        AppliedRule {
            rule: self.rule.name.clone(),
            does: self.rule.effect.as_str(),
            state: self.state,
            because: self.why.because.clone(),
        }
    }

    fn is_adjust(&self) -> bool {
        matches!(self.rule.effect, Effect::Adjust(_))
    }

    fn ruling(&self, verdict: Verdict) -> Ruling {
        let name = &self.rule.name;
        let reason = match (self.state, &self.rule.because) {
            (State::Unsure, _) => {
                format!("could not rule out rule `{name}`: {}", self.why.gaps())
            }
            (State::Fired, Some(because)) => format!("rule `{name}`: {because}"),
            (State::Fired, None) => format!("rule `{name}` applies: {}", self.why.seen()),
        };
        Ruling::new(verdict, name, reason)
    }
}

impl Attached<'_> {
    fn sentence(&self) -> String {
        match self.state {
            State::Fired => format!("lane `{}` fired: {}", self.name, self.why.seen()),
            State::Unsure => {
                format!(
                    "could not rule out lane `{}`: {}",
                    self.name,
                    self.why.gaps()
                )
            }
        }
    }
}

/// The sign-off that the engine demands by itself.
pub(super) fn engine_sign_off<'m>(
    name: &'m str,
    state: State,
    terms: &'m Terms,
    why: Why,
) -> Attached<'m> {
    Attached {
        name,
        state,
        terms,
        lane: None,
        why,
    }
}

fn together<'r, 'm: 'r>(rules: impl Iterator<Item = &'r Ruled<'m>>) -> Why {
    let mut why = Why::default();
    for ruled in rules {
        why.extend(ruled.why.clone());
    }
    why
}

fn skipped(lane: &Lane, why: &Why, reason: &str) -> Problem {
    Problem {
        code: ProblemCode::Skipped,
        field: None,
        message: format!(
            "lane `{}` could not be ruled out ({}) and is skipped: {reason}",
            lane.name,
            why.gaps()
        ),
    }
}
