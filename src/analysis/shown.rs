//! What is decided on an event of a space, by itself and after others.
//!
//! In: a point. Out: what the matcher decides on it; where a measure is to have an amount, what an evaluator decides
//! after earlier events that may give it.
//! Invariant: a decision after earlier events is that of a scenario with these events before it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::cube::Cube;
use super::space::{At, Chosen, Point, Space};
use super::ways::{Budget, ways};
use crate::cases;
use crate::clock::{Duration, Timestamp};
use crate::decision::{Decision, Verdict};
use crate::event::Event;
use crate::matrix::{
    Before, Case, Expect, Expr, Lane, LaneId, Matrix, Measure, MeasureFunction, Record,
};
use crate::program::Attached;
use crate::router::Router;
use crate::schema::{FieldId, KindId};
use crate::span::Span;
use crate::value::Value;

/// An event, what happened before it, and what is decided on it.
#[derive(Clone)]
pub(super) struct Shown {
    pub(super) record: Arc<Record>,
    pub(super) at: Timestamp,
    router: Arc<Router>,
    history: History,
    /// What the program says without reasons, where that is all of it.
    attached: Option<Attached>,
    /// Made when somebody reads it.
    decision: OnceLock<Decision>,
    /// What a scenario says of it behind its title, and the samples that it needs before.
    pub(super) line: OnceLock<(String, String)>,
}

/// What happened before an event.
#[derive(Debug, Clone)]
enum History {
    /// Nothing: the event as its matrix reads it.
    Nothing(Box<Event>),
    Events(Before),
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shown")
            .field("record", &self.record)
            .field("at", &self.at)
            .field("before", &self.before())
            .finish_non_exhaustive()
    }
}

impl Shown {
    /// What happened before it.
    pub(super) fn before(&self) -> Option<&Before> {
        match &self.history {
            History::Nothing(_) => None,
            History::Events(before) => Some(before),
        }
    }

    /// The matrix that decides.
    pub(super) fn matrix(&self) -> Arc<Matrix> {
        self.router.matrix()
    }

    /// What is decided, with its reasons.
    pub(super) fn decision(&self) -> &Decision {
        self.decision.get_or_init(|| {
            let decision = match &self.history {
                History::Nothing(event) => self.router.dry_run(event, event.at()),
                History::Events(before) => {
                    let record = (*self.record).clone();
                    let case = case(record, self.at, Some(before.clone()));
                    cases::run(&self.matrix(), &case).decision
                }
            };
            debug_assert!(
                self.agrees(&decision),
                "{:?} is not {decision:?}",
                self.attached
            );
            decision
        })
    }

    /// Whether the whole decision is what the program said without reasons.
    fn agrees(&self, decision: &Decision) -> bool {
        let Some(attached) = &self.attached else {
            return true;
        };
        let matrix = self.matrix();
        let lanes = decision.lanes.iter();
        let lanes = lanes.filter_map(|it| Some(matrix.lane_named(&it.lane)?.id));
        let (mut lanes, mut own): (Vec<_>, _) = (lanes.collect(), attached.lanes.clone());
        lanes.sort_unstable();
        own.sort_unstable();
        attached.verdict == decision.verdict && own == lanes
    }

    /// The verdict.
    pub(super) fn verdict(&self) -> Verdict {
        match &self.attached {
            Some(attached) => attached.verdict,
            None => self.decision().verdict,
        }
    }

    /// The lanes that attach to it.
    pub(super) fn lanes(&self) -> Vec<LaneId> {
        match &self.attached {
            Some(attached) => attached.lanes.clone(),
            None => {
                let matrix = self.matrix();
                let lanes = self.decision().lanes.iter();
                let lanes = lanes.filter_map(|attached| matrix.lane_named(&attached.lane));
                lanes.map(|lane| lane.id).collect()
            }
        }
    }

    /// Whether a lane is among those that attach to it.
    pub(super) fn has_attached(&self, lane: &Lane) -> bool {
        match &self.attached {
            Some(attached) => attached.lanes.contains(&lane.id),
            None => {
                let mut lanes = self.decision().lanes.iter();
                lanes.any(|attached| attached.lane == lane.name)
            }
        }
    }
}

/// Earlier events that are tried for one event.
const TRIED: usize = 16;

/// Earlier events of one kind, at most.
const EARLIER: u32 = 1_000;

/// What the matcher decides on an event without a history.
pub(super) fn alone(
    space: &Space<'_>,
    side: At,
    router: &Arc<Router>,
    point: &Point,
) -> Option<Shown> {
    let record = space.record(side, point)?;
    let schema = &space.side(side)?.matrix.schema;
    let event = Event::from_record(schema, record.kind, &record.values, point.at, None).ok()?;
    Some(Shown {
        record: Arc::new(record),
        at: point.at,
        attached: router.program().attached(&event),
        history: History::Nothing(Box::new(event)),
        router: Arc::clone(router),
        decision: OnceLock::new(),
        line: OnceLock::new(),
    })
}

/// The same event after others.
pub(super) fn after(alone: &Shown, before: &Before) -> Shown {
    Shown {
        record: Arc::clone(&alone.record),
        at: alone.at,
        router: Arc::clone(&alone.router),
        history: History::Events(before.clone()),
        attached: None,
        decision: OnceLock::new(),
        line: OnceLock::new(),
    }
}

fn case(record: Record, at: Timestamp, before: Option<Before>) -> Case {
    Case {
        title: String::new(),
        span: Span::default(),
        lane: None,
        record,
        at,
        before,
        expect: Expect::Verdict(Verdict::Allow, None),
    }
}

/// Whether a condition is surely true of an event.
pub(super) fn surely(matrix: &Matrix, shown: &Shown, condition: &Expr) -> bool {
    let record = (*shown.record).clone();
    let case = case(record, shown.at, shown.before().cloned());
    cases::surely(matrix, &case, condition)
}

/// Earlier events that may give the measures of an event the amounts that it is to have.
pub(super) fn histories<'s, 'm: 's>(
    space: &Space<'m>,
    side: At,
    point: &Point,
    space_of: &dyn Fn(KindId) -> Option<&'s Space<'m>>,
) -> Vec<Before> {
    let Some((matrix, record)) = space
        .side(side)
        .map(|side| side.matrix)
        .zip(space.record(side, point))
    else {
        return Vec::new();
    };
    let wanted: Vec<(&Measure, Decimal)> = point
        .wanted
        .iter()
        .filter_map(|(dim, amount)| {
            let id = space.measure_of(side, *dim)?;
            Some((matrix.measure(id)?, decimal(amount)?))
        })
        .collect();
    let mut windows: Vec<Duration> = wanted.iter().map(|(measure, _)| measure.window).collect();
    windows.sort_unstable();
    windows.dedup();
    let mut found = Vec::new();
    for (measure, amount) in wanted.iter().filter(|(_, amount)| !amount.is_zero()) {
        let own = match measure.kind == record.kind {
            true => Some(space),
            false => space_of(measure.kind),
        };
        let earlier = own.and_then(|own| earlier(own, side, measure, &record));
        let Some(earlier) = earlier else { continue };
        for (count, earlier) in times(measure, *amount, &earlier, &record) {
            for over in &windows {
                found.push(Before {
                    count,
                    record: earlier.clone(),
                    over: *over,
                });
            }
        }
    }
    found.truncate(TRIED);
    found
}

/// An event that a measure counts for the key of another event: that one itself, as far as the filter allows.
fn earlier(space: &Space<'_>, side: At, measure: &Measure, record: &Record) -> Option<Record> {
    let rails = measure
        .filter
        .as_ref()
        .map(|filter| space.rails(side, filter));
    let cube = match rails {
        None => Cube::all(),
        Some(rails) => {
            let budget = Budget::new(Box::new(|| false)).part(10_000);
            let ways = ways(space, &rails.yes, &budget).ok()?;
            ways.into_iter().next()?
        }
    };
    let Chosen::Some(point) = space.choose(&cube) else {
        return None;
    };
    let mut earlier = space.record(side, &point)?;
    let asked = space.asked(side, &cube);
    let own: BTreeMap<FieldId, Value> = record
        .values
        .iter()
        .filter(|(field, _)| **field != FieldId::AT)
        .map(|(field, value)| (*field, value.clone()))
        .collect();
    if earlier.kind == record.kind {
        earlier.values.retain(|field, _| asked.contains(field));
        for (field, value) in &own {
            if !asked.contains(field) {
                earlier.values.insert(*field, value.clone());
            }
        }
    }
    for key in &measure.by {
        match own.get(key) {
            Some(value) => drop(earlier.values.insert(*key, value.clone())),
            None => drop(earlier.values.remove(key)),
        }
    }
    earlier.values.remove(&FieldId::AT);
    Some(earlier)
}

/// How many of an earlier event, and with which values, for an amount: with the event itself among what is counted,
/// and without.
fn times(
    measure: &Measure,
    amount: Decimal,
    earlier: &Record,
    record: &Record,
) -> Vec<(u32, Record)> {
    let counts = |count: Decimal| count.to_u32().filter(|count| (1..=EARLIER).contains(count));
    match measure.function {
        MeasureFunction::Count => {
            let both = [amount - Decimal::ONE, amount];
            let both = both.into_iter().filter_map(counts);
            both.map(|count| (count, earlier.clone())).collect()
        }
        MeasureFunction::Distinct(_) => vec![(1, earlier.clone())],
        MeasureFunction::Sum(field) => {
            let own = record.values.get(&field);
            let own = own.and_then(decimal).unwrap_or_default();
            let both = [amount - own, amount].into_iter();
            let both = both.filter(|left| *left > Decimal::ZERO);
            let each = both.flat_map(|left| {
                // At once, and in parts that the field may have.
                [1_u32, 2, 10, 100].map(|parts| {
                    let part = left.checked_div(Decimal::from(parts))?;
                    let value = like(earlier.values.get(&field)?, part)?;
                    let mut earlier = earlier.clone();
                    earlier.values.insert(field, value);
                    Some((parts, earlier))
                })
            });
            each.flatten().collect()
        }
    }
}

fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Whole(number) => Some(Decimal::from(*number)),
        Value::Number(number) | Value::Money(number, _) => Some(*number),
        _ => None,
    }
}

/// A value of the sort of another one.
fn like(other: &Value, amount: Decimal) -> Option<Value> {
    match other {
        Value::Whole(_) if amount.is_integer() => amount.to_i64().map(Value::Whole),
        Value::Number(_) => Some(Value::Number(amount)),
        Value::Money(_, currency) => Some(Value::Money(amount, *currency)),
        _ => None,
    }
}
