//! Expressions over one event.
//!
//! In: an [`Expr`], an event, the history before it. Out: a [`Kleene`].
//! Invariant: nothing is skipped and nothing fails; what cannot be told is unknown. Each condition
//! and each measure is worked out once per event, so that conditions that name conditions do not
//! multiply.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::clock::Timestamp;
use crate::decision::{Kleene, State};
use crate::event::{Event, Problem, ProblemCode};
use crate::matrix::{ConditionId, Expr, ExprKind, Lane, Matrix, MeasureId, MeasureTest, Rule};
use crate::schema::Kind;

use super::field;
use super::interval::Amount;
use super::measured::{Measured, Windows};

/// Where windows end, and what happened before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Past<'a> {
    pub(super) windows: &'a dyn Windows,
    /// The instant at which the event counts.
    pub(super) instant: Timestamp,
}

/// One event as expressions see it.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) matrix: &'a Matrix,
    pub(super) event: &'a Event,
    pub(super) kind: &'a Kind,
    /// Absent where no measure can stand: in the `where` of one.
    past: Option<Past<'a>>,
    conditions: RefCell<HashMap<ConditionId, Kleene>>,
    measures: RefCell<HashMap<MeasureId, Option<Measured>>>,
}

impl<'a> Facts<'a> {
    /// `None` for an event that was read by another schema, or of a kind that the matrix does not
    /// have.
    pub(super) fn new(
        matrix: &'a Matrix,
        event: &'a Event,
        past: Option<Past<'a>>,
    ) -> Option<Self> {
        if event.schema() != matrix.schema.fingerprint() {
            return None;
        }
        Some(Self {
            matrix,
            event,
            kind: matrix.kind(event.kind)?,
            past,
            conditions: RefCell::default(),
            measures: RefCell::default(),
        })
    }

    /// The same where no measure is asked for.
    pub(crate) fn without_past(matrix: &'a Matrix, event: &'a Event) -> Option<Self> {
        Self::new(matrix, event, None)
    }

    /// The event.
    pub(crate) fn event(&self) -> &'a Event {
        self.event
    }

    /// The value of an expression.
    pub(super) fn value(&self, expr: &Expr) -> Kleene {
        match &expr.kind {
            ExprKind::All(parts) => self.tally(parts).all(),
            ExprKind::Any(parts) => self.tally(parts).any(),
            ExprKind::None(parts) => !self.tally(parts).any(),
            ExprKind::AtLeast(n, parts) => self.tally(parts).at_least(*n),
            ExprKind::Not(inner) => !self.value(inner),
            ExprKind::Condition(id) => self.condition(*id),
            ExprKind::Test(test) => field::holds(test, self.matrix, self.kind, self.event),
            ExprKind::Measure(test) => self.measure_test(test),
        }
    }

    fn tally(&self, parts: &[Expr]) -> Tally {
        parts
            .iter()
            .fold(Tally::default(), |tally, part| tally.with(self.value(part)))
    }

    fn condition(&self, id: ConditionId) -> Kleene {
        let known = self.conditions.borrow().get(&id).copied();
        if let Some(known) = known {
            return known;
        }
        let value = match self.matrix.condition(id) {
            Some(condition) => self.value(&condition.expr),
            None => Kleene::Unknown,
        };
        self.conditions.borrow_mut().insert(id, value);
        value
    }

    /// The answer of a measure's comparison.
    pub(crate) fn measure_test(&self, test: &MeasureTest) -> Kleene {
        let measured = self.measured(test.measure);
        let threshold = Amount::of(&test.threshold);
        match (measured, threshold) {
            (Some(measured), Some(threshold)) => measured.interval.compare(test.op, threshold),
            _ => Kleene::Unknown,
        }
    }

    /// What a measure is for this event; `None` where it cannot be told at all.
    pub(crate) fn measured(&self, id: MeasureId) -> Option<Measured> {
        let known = self.measures.borrow().get(&id).cloned();
        if let Some(known) = known {
            return known;
        }
        let measured = self
            .past
            .and_then(|past| past.windows.measured(self, id, past.instant));
        self.measures.borrow_mut().insert(id, measured.clone());
        measured
    }

    /// The measures asked for so far that are only known in part.
    pub(super) fn partial_measures(&self) -> Vec<Problem> {
        let measures = self.measures.borrow();
        let partial = measures.iter().filter_map(|(id, measured)| {
            let why = measured.as_ref()?.partial?;
            Some((*id, self.matrix.measure(*id)?, why))
        });
        let mut partial: Vec<_> = partial.collect();
        partial.sort_by_key(|(id, ..)| *id);
        let partial = partial.into_iter();
        partial
            .map(|(_, measure, why)| Problem {
                code: ProblemCode::History,
                field: None,
                message: format!(
                    "`{}` is only known from below: {}",
                    measure.text,
                    why.as_str()
                ),
            })
            .collect()
    }

    /// How a lane stands: `when and not unless`.
    pub(super) fn lane(&self, lane: &Lane) -> Standing {
        if !lane.on.contains(&self.kind.id) {
            return Standing::NotConsidered;
        }
        let when = self.value(&lane.when);
        let unless = match &lane.unless {
            Some(unless) => self.value(unless),
            None => Kleene::False,
        };
        Standing::of(Tally::default().with(when).with(!unless).all())
    }

    /// How a rule stands.
    pub(super) fn rule(&self, rule: &Rule) -> Standing {
        if !rule.on.contains(&self.kind.id) {
            return Standing::NotConsidered;
        }
        Standing::of(self.value(&rule.when))
    }
}

/// How a lane or a rule stands to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Its trigger is surely true.
    Fired,
    /// Its trigger is not decidable from this event.
    Unsure,
    /// Its trigger is surely false.
    Silent,
    /// The event's kind is not under its `on`.
    NotConsidered,
}

impl Standing {
    fn of(trigger: Kleene) -> Self {
        match trigger {
            Kleene::True => Self::Fired,
            Kleene::Unknown => Self::Unsure,
            Kleene::False => Self::Silent,
        }
    }

    /// The state of what attaches.
    #[must_use]
    pub fn state(self) -> Option<State> {
        match self {
            Self::Fired => Some(State::Fired),
            Self::Unsure => Some(State::Unsure),
            Self::Silent | Self::NotConsidered => None,
        }
    }

    /// In words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::Unsure => "unsure",
            Self::Silent => "silent",
            Self::NotConsidered => "not considered",
        }
    }
}

/// How many parts of a block are true, false and unknown.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    yes: usize,
    no: usize,
    unknown: usize,
}

impl Tally {
    fn with(mut self, part: Kleene) -> Self {
        match part {
            Kleene::True => self.yes += 1,
            Kleene::False => self.no += 1,
            Kleene::Unknown => self.unknown += 1,
        }
        self
    }

    fn all(self) -> Kleene {
        match self {
            Self { no: 1.., .. } => Kleene::False,
            Self { unknown: 1.., .. } => Kleene::Unknown,
            _ => Kleene::True,
        }
    }

    fn any(self) -> Kleene {
        match self {
            Self { yes: 1.., .. } => Kleene::True,
            Self { unknown: 1.., .. } => Kleene::Unknown,
            _ => Kleene::False,
        }
    }

    fn at_least(self, n: u32) -> Kleene {
        let n = n as usize;
        if self.yes >= n {
            Kleene::True
        } else if self.yes + self.unknown < n {
            Kleene::False
        } else {
            Kleene::Unknown
        }
    }
}
