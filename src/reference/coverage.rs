//! What a set of cases has shown of a matrix: how each lane stood, and how each test came out.
//!
//! In: the events that are decided, one by one. Out: counts by lane and by test.
//! Invariant: a test is known by its place, so that two that say the same are counted apart.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use crate::decision::Kleene;
use crate::event::Event;
use crate::matrix::{ConditionId, Expr, ExprKind, LaneId};
use crate::span::Span;

use super::decide::{Reference, Times};
use super::eval::{Facts, Past, Standing};
use super::history::History;

/// How often each lane and each test came out in each way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// By lane, for those that were considered at least once.
    pub lanes: BTreeMap<LaneId, LaneCoverage>,
    /// By the place of the test, for the tests of lanes, of rules, and of the conditions that they
    /// name, that were tried at least once. A condition of several lanes counts for each.
    pub tests: BTreeMap<Span, TestCoverage>,
}

/// How often a lane stood how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct LaneCoverage {
    /// Its trigger was true.
    pub fired: u64,
    /// Its trigger was not decidable.
    pub unsure: u64,
    /// Its trigger was false.
    pub silent: u64,
}

/// How often a test came out how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct TestCoverage {
    /// Surely.
    #[serde(rename = "true")]
    pub yes: u64,
    /// Surely not.
    #[serde(rename = "false")]
    pub no: u64,
    /// Not known.
    pub unknown: u64,
}

impl Coverage {
    /// How a lane stood.
    #[must_use]
    pub fn lane(&self, lane: LaneId) -> LaneCoverage {
        self.lanes.get(&lane).copied().unwrap_or_default()
    }

    /// How the test at a place came out.
    #[must_use]
    pub fn test(&self, place: Span) -> TestCoverage {
        self.tests.get(&place).copied().unwrap_or_default()
    }

    fn note_lane(&mut self, lane: LaneId, standing: Standing) {
        let counts = self.lanes.entry(lane).or_default();
        match standing {
            Standing::Fired => counts.fired += 1,
            Standing::Unsure => counts.unsure += 1,
            Standing::Silent | Standing::NotConsidered => counts.silent += 1,
        }
    }

    fn note_tests(&mut self, facts: &Facts<'_>, expr: &Expr, opened: &mut HashSet<ConditionId>) {
        match &expr.kind {
            ExprKind::All(parts)
            | ExprKind::Any(parts)
            | ExprKind::None(parts)
            | ExprKind::AtLeast(_, parts) => {
                for part in parts {
                    self.note_tests(facts, part, opened);
                }
            }
            ExprKind::Not(inner) => self.note_tests(facts, inner, opened),
            ExprKind::Condition(id) => {
                if let Some(condition) = facts.matrix.condition(*id)
                    && opened.insert(*id)
                {
                    self.note_tests(facts, &condition.expr, opened);
                }
            }
            ExprKind::Test(_) | ExprKind::Measure(_) => {
                let counts = self.tests.entry(expr.span).or_default();
                match facts.value(expr) {
                    Kleene::True => counts.yes += 1,
                    Kleene::False => counts.no += 1,
                    Kleene::Unknown => counts.unknown += 1,
                }
            }
        }
    }
}

impl Reference<'_> {
    /// Adds what the lanes and rules of this evaluator say of an event, before adjusts and after.
    pub fn observe(&self, event: &Event, history: &History, times: Times, seen: &mut Coverage) {
        self.observe_pass(event, history, times, seen);
        if let Some(adjusted) = self.settle(event, history, times).adjusted {
            self.observe_pass(&adjusted, history, times, seen);
        }
    }

    fn observe_pass(&self, event: &Event, history: &History, times: Times, seen: &mut Coverage) {
        let instant = times.measured;
        let past = Past {
            windows: history,
            instant,
        };
        let Some(facts) = Facts::new(self.matrix, event, Some(past)) else {
            return;
        };
        for lane in self.lanes() {
            let standing = facts.lane(lane);
            if standing == Standing::NotConsidered {
                continue;
            }
            seen.note_lane(lane.id, standing);
            let mut opened = HashSet::new();
            seen.note_tests(&facts, &lane.when, &mut opened);
            if let Some(unless) = &lane.unless {
                seen.note_tests(&facts, unless, &mut opened);
            }
        }
        for rule in &self.matrix.rules {
            if facts.rule(rule) != Standing::NotConsidered {
                seen.note_tests(&facts, &rule.when, &mut HashSet::new());
            }
        }
    }
}
