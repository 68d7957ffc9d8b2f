//! Examples of lanes and scenarios, run.
//!
//! In: a matrix and one of its cases. Out: what came of it, and whether that was expected.
//! Invariant: an example evaluates its lane and the rules only, unless it names another decider; a
//! scenario evaluates the whole matrix. Running one example costs nothing for the lanes beside it.
//! Must not know where cases come from, nor how findings look.

use std::collections::HashSet;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::decision::{Decision, State, Verdict};
use crate::diagnostic::{Diagnostic, codes};
use crate::event::{Event, Unreadable};
use crate::matrix::{Before, Case, ConditionId, Expect, Expr, ExprKind, Lane, Matrix, MeasureId};
use crate::reference::{Coverage, Explanation, History, Reference, Standing, Times};

/// What came of a case.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Whether it is what the case expects.
    pub passed: bool,
    /// What the case expects, in its own words.
    pub expected: String,
    /// What came, in such words: `deny by no_table_drops`, `no match`.
    pub came: String,
    /// Of a case that failed one sentence: what was expected, what came, and why.
    pub message: String,
    /// How the example's lane stands; absent for a scenario, for an example that names another
    /// decider, and for an event that cannot be read.
    pub standing: Option<Standing>,
    /// The whole decision.
    pub decision: Decision,
}

/// Runs a case.
#[must_use]
pub fn run(matrix: &Matrix, case: &Case) -> Outcome {
    let setting = Setting::of(matrix, case);
    let (standing, decision) = setting.decide(case);
    let met = setting.meets(case, standing, &decision);
    let speaks = setting.lane.filter(|l| speaks_of_lane(&case.expect, l));
    let came = came(speaks.and(standing), &decision);
    let mut outcome = Outcome {
        passed: met && setting.unready.is_none(),
        expected: case.expect.to_string(),
        came,
        message: String::new(),
        standing,
        decision,
    };
    if !outcome.passed {
        outcome.message = setting.message(case, &outcome);
    }
    outcome
}

/// Runs every example and scenario of a matrix, and says what is wrong with those that fail.
#[must_use]
pub fn check_examples(matrix: &Matrix) -> Vec<Diagnostic> {
    let examples = matrix.lanes.iter().flat_map(|lane| &lane.examples);
    let failed = examples.chain(&matrix.scenarios).filter_map(|case| {
        let outcome = run(matrix, case);
        (!outcome.passed)
            .then(|| Diagnostic::new(codes::EXAMPLE_FAILED, case.span, outcome.message))
    });
    failed.collect()
}

/// Runs a case and adds what it showed of the matrix.
pub fn observe(matrix: &Matrix, case: &Case, seen: &mut Coverage) {
    let setting = Setting::of(matrix, case);
    if let Ok(event) = &setting.event {
        let times = Times::of(event);
        let reference = setting.reference;
        reference.observe(event, &setting.history, times, seen);
    }
}

/// Explains a case; `None` where its event cannot be read.
#[must_use]
pub fn explain(matrix: &Matrix, case: &Case) -> Option<Explanation> {
    Setting::of(matrix, case).explain()
}

/// A case made ready: its event, what happened before, and the evaluator of what it speaks of.
struct Setting<'m> {
    reference: Reference<'m>,
    /// The lane that the case speaks of.
    lane: Option<&'m Lane>,
    event: Result<Event, Box<Unreadable>>,
    history: History,
    /// The earlier event, where it cannot be read.
    unready: Option<Box<Unreadable>>,
}

impl<'m> Setting<'m> {
    fn of(matrix: &'m Matrix, case: &Case) -> Self {
        let lane = case.lane.and_then(|id| matrix.lane(id));
        let lane = lane.filter(|lane| !names_another(matrix, &case.expect, lane));
        let whole = Reference::new(matrix);
        let values = &case.record.values;
        let mut setting = Self {
            reference: lane.map_or(whole, |lane| whole.only(lane.id)),
            lane,
            event: Event::from_record(&matrix.schema, case.record.kind, values, case.at, None),
            history: History::of(Arc::from([])),
            unready: None,
        };
        if let Some(before) = &case.before {
            setting.history = match lane {
                Some(lane) => History::of(measures_beside(matrix, lane)),
                None => History::new(matrix),
            };
            setting.unready = setting.happen(matrix, before, case.at).err();
        }
        setting
    }

    /// Records the earlier events, each with its final values.
    fn happen(
        &mut self,
        matrix: &Matrix,
        before: &Before,
        at: Timestamp,
    ) -> Result<(), Box<Unreadable>> {
        let Before { record, .. } = before;
        for instant in instants(before, at) {
            let event =
                Event::from_record(&matrix.schema, record.kind, &record.values, instant, None)?;
            let adjusted = self.reference.final_event(&event, &self.history);
            self.history.record(matrix, &adjusted.unwrap_or(event));
        }
        Ok(())
    }

    fn decide(&self, case: &Case) -> (Option<Standing>, Decision) {
        let event = match &self.event {
            Err(unreadable) => {
                let decision = self.reference.decide_unreadable(unreadable, case.at);
                return (None, decision);
            }
            Ok(event) => event,
        };
        let times = Times::of(event);
        let settled = self.reference.settle(event, &self.history, times);
        let standing = self.lane.map(|lane| {
            let event = settled.event(event);
            self.reference.standing(lane, event, &self.history, times)
        });
        (standing, settled.decision)
    }

    /// Whether what came is what the case expects.
    fn meets(&self, case: &Case, standing: Option<Standing>, decision: &Decision) -> bool {
        let primary = decision.lanes.first();
        match (&case.expect, self.lane) {
            (Expect::Unreadable, _) => decision.by == "unreadable",
            (Expect::NoMatch, Some(_)) => {
                matches!(standing, Some(Standing::Silent | Standing::NotConsidered))
            }
            (Expect::NoMatch, None) => primary.is_none(),
            (Expect::Unsure, Some(_)) => standing == Some(Standing::Unsure),
            (Expect::Unsure, None) => primary.is_some_and(|lane| lane.state == State::Unsure),
            (Expect::Verdict(Verdict::Escalate, by), Some(lane))
                if speaks_of_lane(&case.expect, lane) =>
            {
                standing == Some(Standing::Fired)
                    && (lane.is_on_trial(case.at) || is_verdict(Verdict::Escalate, by, decision))
            }
            (Expect::Verdict(verdict, by), _) => is_verdict(*verdict, by, decision),
        }
    }

    fn explain(&self) -> Option<Explanation> {
        let event = self.event.as_ref().ok()?;
        let times = Times::of(event);
        Some(self.reference.explain(event, &self.history, times))
    }

    /// One sentence on what is not as it should be.
    fn message(&self, case: &Case, outcome: &Outcome) -> String {
        let Outcome { expected, came, .. } = outcome;
        if let Some(unready) = &self.unready {
            let problems = unready.problems.iter().map(|p| p.message.as_str());
            let problems = problems.collect::<Vec<_>>().join("; ");
            return format!("the earlier events cannot be read: {problems}");
        }
        let of_lane = match (self.lane, outcome.standing) {
            // The lane did its part; something else decided.
            (_, None | Some(Standing::Fired)) => None,
            (Some(lane), _) if speaks_of_lane(&case.expect, lane) => {
                self.explain().and_then(|e| e.why_not(&lane.name))
            }
            _ => None,
        };
        let why = of_lane.unwrap_or_else(|| outcome.decision.reason.clone());
        format!("expected `{expected}`, got `{came}`: {why}")
    }
}

/// Whether a case names a lane that is not its own. The rules are evaluated in any case.
fn names_another(matrix: &Matrix, expect: &Expect, lane: &Lane) -> bool {
    matches!(expect, Expect::Verdict(_, Some(by)) if *by != lane.name && matrix.lane_named(by).is_some())
}

/// Whether what an example expects is about its lane, and not about the decision only: `escalate by
/// unreadable` says nothing of the lane.
fn speaks_of_lane(expect: &Expect, lane: &Lane) -> bool {
    match expect {
        Expect::NoMatch | Expect::Unsure => true,
        Expect::Verdict(Verdict::Escalate, by) => by.as_ref().is_none_or(|by| *by == lane.name),
        Expect::Verdict(..) | Expect::Unreadable => false,
    }
}

fn is_verdict(verdict: Verdict, by: &Option<String>, decision: &Decision) -> bool {
    decision.verdict == verdict && by.as_ref().is_none_or(|by| *by == decision.by)
}

/// What came, in the words of an expectation; `standing` where the expectation is about the lane.
fn came(standing: Option<Standing>, decision: &Decision) -> String {
    match standing {
        Some(Standing::Silent | Standing::NotConsidered) => "no match".to_owned(),
        Some(Standing::Unsure) => "unsure".to_owned(),
        _ => format!("{} by {}", decision.verdict.as_str(), decision.by),
    }
}

/// The instants of the earlier events, the oldest first: spread evenly and strictly inside.
fn instants(before: &Before, at: Timestamp) -> impl Iterator<Item = Timestamp> {
    let over = i128::from(before.over.as_millis()) * 1_000_000;
    let parts = i128::from(before.count) + 1;
    (1..parts).rev().map(move |part| {
        let nanoseconds = i64::try_from(over * part / parts).unwrap_or(i64::MAX);
        let earlier = chrono::TimeDelta::nanoseconds(nanoseconds);
        at.checked_sub_signed(earlier).unwrap_or(at)
    })
}

/// The measures of a lane and of the rules.
fn measures_beside(matrix: &Matrix, lane: &Lane) -> Arc<[MeasureId]> {
    let mut measures = Measures {
        matrix,
        found: Vec::new(),
        opened: HashSet::new(),
    };
    measures.gather(&lane.when);
    if let Some(unless) = &lane.unless {
        measures.gather(unless);
    }
    for rule in &matrix.rules {
        measures.gather(&rule.when);
    }
    Arc::from(measures.found)
}

struct Measures<'m> {
    matrix: &'m Matrix,
    found: Vec<MeasureId>,
    opened: HashSet<ConditionId>,
}

impl Measures<'_> {
    fn gather(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::All(parts)
            | ExprKind::Any(parts)
            | ExprKind::None(parts)
            | ExprKind::AtLeast(_, parts) => parts.iter().for_each(|part| self.gather(part)),
            ExprKind::Not(inner) => self.gather(inner),
            ExprKind::Condition(id) => {
                if self.opened.insert(*id)
                    && let Some(condition) = self.matrix.condition(*id)
                {
                    self.gather(&condition.expr);
                }
            }
            ExprKind::Test(_) => {}
            ExprKind::Measure(test) => {
                if !self.found.contains(&test.measure) {
                    self.found.push(test.measure);
                }
            }
        }
    }
}
