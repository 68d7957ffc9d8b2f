//! The whole tree of tests with what each saw: why a lane attaches, and why not.
//!
//! In: what a decision takes. Out: an [`Explanation`], plain data to print or serialise.
//! Invariant: its results are those that the decision rests on. Each condition is opened once per
//! lane or rule, so that the tree's size is bounded by the matrix.

use std::collections::HashSet;

use serde::Serialize;

use crate::clock::Timestamp;
use crate::decision::{EventRef, Kleene, Reason, Window};
use crate::event::Event;
use crate::matrix::{ConditionId, Expr, ExprKind, Lane, Rule};
use crate::schema::KindId;
use crate::span::Span;

use super::decide::{Reference, Times};
use super::eval::{Facts, Past, Standing};
use super::history::History;
use super::measured::Windows;
use super::reasons::{Why, words};

/// How every lane and rule stands to one event, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The event's id.
    pub event: EventRef,
    /// Its kind.
    pub kind: String,
    /// The lanes in file order.
    pub lanes: Vec<Explained>,
    /// The rules in file order.
    pub rules: Vec<Explained>,
    /// The same for the event with its adjusts, where some apply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adjusted: Option<Box<Explanation>>,
}

/// How one lane or rule stands, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explained {
    /// Its name.
    pub name: String,
    /// `lane`, or what the rule does: `always deny`.
    pub does: &'static str,
    /// The file, where it is not the root file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its line, from 1.
    pub line: u32,
    /// How it stands.
    pub state: Standing,
    /// Whether the lane has no effect yet.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub trial: bool,
    /// The kinds under its `on`.
    pub on: Vec<String>,
    /// What it rests on: of a silent one the first tests that block it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Reason>,
    /// What would have to be known, of an unsure one: ``"`sentiment` is missing"``.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
    /// The trigger; absent where it is not considered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Node>,
    /// What takes it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unless: Option<Node>,
}

/// One expression of a trigger.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Node {
    /// The test, `all of`, `any of`, `none of`, `at least 2 of`, `not`, or a condition's name.
    pub text: String,
    /// The file, where it is not the root file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its line, from 1.
    pub line: u32,
    /// Where it stands.
    #[serde(skip)]
    pub span: Span,
    /// The value that a test saw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saw: Option<String>,
    /// The window that a measure was taken of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// What came out.
    pub result: Kleene,
    /// Its parts, in order; of a condition its meaning, the first time that it stands in a lane.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Node>,
}

impl Explanation {
    /// A lane by its name: of the event with its adjusts, where some apply.
    #[must_use]
    pub fn lane(&self, name: &str) -> Option<&Explained> {
        match &self.adjusted {
            Some(adjusted) => adjusted.lane(name),
            None => self.lanes.iter().find(|lane| lane.name == name),
        }
    }

    /// Why a lane does not fire, in one sentence; `None` for a lane that is not there.
    #[must_use]
    pub fn why_not(&self, lane: &str) -> Option<String> {
        let kind = match &self.adjusted {
            Some(adjusted) => &adjusted.kind,
            None => &self.kind,
        };
        Some(self.lane(lane)?.why_not(kind))
    }
}

impl Explained {
    fn why_not(&self, kind: &str) -> String {
        let why = Why {
            because: self.because.clone(),
            gaps: self.unknown.clone(),
        };
        let name = &self.name;
        match self.state {
            Standing::NotConsidered => format!(
                "lane `{name}` is not considered: it is on `{}`, and the event is a `{kind}`",
                self.on.join("`, `")
            ),
            Standing::Silent => format!("lane `{name}` is silent: {}", why.seen()),
            Standing::Unsure => format!("lane `{name}` is unsure: {}", why.gaps()),
            Standing::Fired => format!("lane `{name}` fired: {}", why.seen()),
        }
    }
}

impl Reference<'_> {
    /// Explains an event that is not in the history yet. Of an event of a kind that the matrix does
    /// not have there is nothing to explain.
    #[must_use]
    pub fn explain(&self, event: &Event, history: &History, times: Times) -> Explanation {
        self.explain_by(event, history, times)
    }

    /// The same with windows that are kept elsewhere.
    pub(crate) fn explain_by(
        &self,
        event: &Event,
        windows: &dyn Windows,
        times: Times,
    ) -> Explanation {
        let mut explanation = self.explain_pass(event, windows, times.measured);
        let settled = self.settle_by(event, windows, times, &mut |_| None);
        explanation.adjusted = settled
            .adjusted
            .map(|adjusted| Box::new(self.explain_pass(&adjusted, windows, times.measured)));
        explanation
    }

    fn explain_pass(
        &self,
        event: &Event,
        windows: &dyn Windows,
        instant: Timestamp,
    ) -> Explanation {
        let facts = Facts::new(self.matrix, event, Some(Past { windows, instant }));
        let Some(facts) = facts else {
            return Explanation {
                event: EventRef::None,
                kind: String::new(),
                lanes: Vec::new(),
                rules: Vec::new(),
                adjusted: None,
            };
        };
        let id = event.id.as_deref();
        let rules = self.matrix.rules.iter();
        Explanation {
            event: id.map_or(EventRef::None, |id| EventRef::Id(id.to_owned())),
            kind: facts.kind.name.to_string(),
            lanes: self
                .lanes()
                .iter()
                .map(|lane| facts.lane_explained(lane))
                .collect(),
            rules: rules.map(|rule| facts.rule_explained(rule)).collect(),
            adjusted: None,
        }
    }
}

impl Facts<'_> {
    fn lane_explained(&self, lane: &Lane) -> Explained {
        let state = self.lane(lane);
        let why = match state {
            Standing::Fired | Standing::Unsure => self.why_attached(lane),
            Standing::Silent => self.why_blocked(lane),
            Standing::NotConsidered => Why::default(),
        };
        let mut opened = HashSet::new();
        let considered = state != Standing::NotConsidered;
        let mut node = |expr: &Expr| considered.then(|| self.node(expr, &mut opened));
        let when = node(&lane.when);
        let unless = lane.unless.as_ref().and_then(node);
        Explained {
            trial: lane.is_on_trial(self.event.at()),
            when,
            unless,
            ..self.explained(&lane.name, "lane", lane.head, &lane.on, state, why)
        }
    }

    fn rule_explained(&self, rule: &Rule) -> Explained {
        let state = self.rule(rule);
        let why = match state {
            Standing::Fired | Standing::Unsure => self.why([&rule.when]),
            Standing::Silent => self.why_first([&rule.when]),
            Standing::NotConsidered => Why::default(),
        };
        let considered = state != Standing::NotConsidered;
        let does = rule.effect.as_str();
        Explained {
            when: considered.then(|| self.node(&rule.when, &mut HashSet::new())),
            ..self.explained(&rule.name, does, rule.head, &rule.on, state, why)
        }
    }

    fn explained(
        &self,
        name: &str,
        does: &'static str,
        head: Span,
        on: &[KindId],
        state: Standing,
        why: Why,
    ) -> Explained {
        let (file, line) = self.place(head);
        let kinds = on.iter().filter_map(|id| self.matrix.kind(*id));
        Explained {
            name: name.to_owned(),
            does,
            file,
            line,
            state,
            trial: false,
            on: kinds.map(|kind| kind.name.to_string()).collect(),
            because: why.because,
            unknown: why.gaps,
            when: None,
            unless: None,
        }
    }

    fn node(&self, expr: &Expr, opened: &mut HashSet<ConditionId>) -> Node {
        let (file, line) = self.place(expr.span);
        let parts: &[Expr] = match &expr.kind {
            ExprKind::All(parts)
            | ExprKind::Any(parts)
            | ExprKind::None(parts)
            | ExprKind::AtLeast(_, parts) => parts,
            ExprKind::Not(inner) => std::slice::from_ref(inner),
            ExprKind::Condition(id) => match self.matrix.condition(*id) {
                Some(condition) if opened.insert(*id) => std::slice::from_ref(&condition.expr),
                _ => &[],
            },
            ExprKind::Test(_) | ExprKind::Measure(_) => &[],
        };
        Node {
            text: self.node_text(expr),
            file,
            line,
            span: expr.span,
            saw: self.saw(expr),
            window: match &expr.kind {
                ExprKind::Measure(test) => self.window(test),
                _ => None,
            },
            result: self.value(expr),
            parts: parts.iter().map(|part| self.node(part, opened)).collect(),
        }
    }

    fn node_text(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::All(_) => "all of".to_owned(),
            ExprKind::Any(_) => "any of".to_owned(),
            ExprKind::None(_) => "none of".to_owned(),
            ExprKind::AtLeast(n, _) => format!("at least {n} of"),
            ExprKind::Not(_) => "not".to_owned(),
            ExprKind::Condition(id) => {
                let condition = self.matrix.condition(*id);
                condition.map_or_else(String::new, |condition| condition.name.clone())
            }
            ExprKind::Test(_) | ExprKind::Measure(_) => words(expr).unwrap_or_default().to_owned(),
        }
    }
}
