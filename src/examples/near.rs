//! Events near those that are known, and which of them two matrices tell apart.
//!
//! In: events of examples and of the analysis. Out: the same with one thing changed; a line that holds for one matrix
//! and not for another.
//! Invariant: the line was run with both.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::domain;
use super::line::{Happening, Line, line};
use crate::calendar::example_instant;
use crate::cases::run;
use crate::clock::Duration;
use crate::decision::{Decision, State, Verdict};
use crate::limits;
use crate::matrix::{
    Before, Case, Expect, Expr, ExprKind, Lane, Matrix, MeasureFunction, MeasureTest, Record,
};
use crate::schema::{FieldId, Kind};
use crate::value::Value;

/// Events that are tried for one mutant.
const TRIES: usize = 6_000;

/// The first event that the matrices decide otherwise, among the known ones and those one change away, as a line
/// that holds for the old matrix.
pub(super) fn telling(old: &Matrix, new: &Matrix, known: &[Happening]) -> Option<Line> {
    let changed = known.iter().flat_map(|it| changed(old, it));
    let all = known.iter().cloned().chain(changed).take(TRIES);
    let found = all
        .into_iter()
        .find(|event| tells(old, new, event).is_some())?;
    tells_in_short(old, new, &found)
}

/// The line of an event that the matrices decide otherwise, with as few changes of a sample as it takes.
pub(super) fn tells_in_short(old: &Matrix, new: &Matrix, event: &Happening) -> Option<Line> {
    let mut best = tells(old, new, event)?;
    let mut event = event.clone();
    let kind = old.kind(event.record.kind)?;
    let samples = old.samples.iter().filter(|it| it.record.kind == kind.id);
    let nearest = samples.min_by_key(|sample| {
        let fields = kind.fields.iter();
        let differs = |id| sample.record.values.get(id) != event.record.values.get(id);
        fields.filter(|field| differs(&field.id)).count()
    });
    let Some(sample) = nearest else {
        return Some(best);
    };
    for field in kind.fields.iter().filter(|field| field.id != FieldId::AT) {
        let plainer = event.with(field.id, sample.record.values.get(&field.id).cloned());
        let line = tells(old, new, &plainer);
        // What is sure is worth more than what is short.
        if let Some(line) = line.filter(|line| comes_to(line) == comes_to(&best)) {
            best = line;
            event = plainer;
        }
    }
    Some(best)
}

/// What a line expects.
fn comes_to(line: &Line) -> &str {
    line.text.rsplit_once(" -> ").map_or("", |(_, comes)| comes)
}

/// The line of an event that the matrices decide otherwise.
fn tells(old: &Matrix, new: &Matrix, event: &Happening) -> Option<Line> {
    let decided = |matrix| run(matrix, &event.case(None, Expect::Unreadable)).decision;
    let (was, is) = (decided(old), decided(new));
    let (before, after) = (states(&was), states(&is));
    if before == after && (was.verdict, &was.by) == (is.verdict, &is.by) {
        return None;
    }
    let is_told = |case: &Case| run(old, case).passed && !run(new, case).passed;
    let of_lanes = old.lanes.iter().filter_map(|lane| {
        let state = before.get(&*lane.name);
        let is_other = state != after.get(&*lane.name);
        is_other.then(|| event.case(Some(lane.id), expected(state.copied())))
    });
    let decision = Expect::Verdict(was.verdict, Some(was.by.clone()));
    let of_all = [event.case(None, decision)];
    let case = of_lanes.chain(of_all).find(is_told)?;
    line(old, &mut Vec::new(), &case)
}

/// How lanes stand that attach, or would without a trial.
fn states(decision: &Decision) -> BTreeMap<&str, State> {
    let lanes = decision.lanes.iter().chain(&decision.trial);
    lanes.map(|lane| (&*lane.lane, lane.state)).collect()
}

/// What an example of a lane says that stands so.
fn expected(state: Option<State>) -> Expect {
    match state {
        Some(State::Fired) => Expect::Verdict(Verdict::Escalate, None),
        Some(State::Unsure) => Expect::Unsure,
        None => Expect::NoMatch,
    }
}

/// The same event with one thing changed: a field of it, a field of those before it, how many these are.
fn changed(matrix: &Matrix, event: &Happening) -> Vec<Happening> {
    let Some(kind) = matrix.kind(event.record.kind) else {
        return Vec::new();
    };
    let mut all = fields_changed(matrix, kind, event);
    let histories = histories(matrix, event).into_iter();
    all.extend(histories.map(|before| Happening {
        before: Some(before),
        ..event.clone()
    }));
    all.extend(sums_met(matrix, event));
    all
}

fn fields_changed(matrix: &Matrix, kind: &Kind, event: &Happening) -> Vec<Happening> {
    let mut all = Vec::new();
    for field in &kind.fields {
        let values = domain::values(matrix, kind, field, &event.record, event.at);
        all.extend(values.into_iter().map(|value| event.with(field.id, value)));
    }
    all
}

/// What may have happened before an event instead: one more and one fewer, others of the same kind; and where nothing
/// happened, as many as measures ask for.
fn histories(matrix: &Matrix, event: &Happening) -> Vec<Before> {
    let mut all = Vec::new();
    let counted = |count: u32| (1..=limits::EXAMPLE_EVENTS).contains(&count);
    if let Some(before) = &event.before {
        for count in [
            before.count.saturating_sub(1),
            before.count.saturating_add(1),
        ] {
            let before = Before {
                count,
                ..before.clone()
            };
            all.extend(counted(count).then_some(before));
        }
        let own = Happening {
            record: before.record.clone(),
            at: event.at,
            before: None,
        };
        let kind = matrix.kind(before.record.kind);
        let others = kind.map_or_else(Vec::new, |kind| fields_changed(matrix, kind, &own));
        all.extend(others.into_iter().map(|other| Before {
            record: other.record,
            ..before.clone()
        }));
        return all;
    }
    for (test, window) in measured(matrix, event) {
        let Value::Whole(threshold) = test.threshold else {
            continue;
        };
        let near = [threshold - 2, threshold - 1, threshold, threshold + 1];
        let counts = near
            .into_iter()
            .filter_map(|count| u32::try_from(count).ok());
        // Half of the window is inside of it by far.
        let half = Duration::from_millis(window.as_millis() / 2);
        all.extend(counts.filter(|count| counted(*count)).map(|count| Before {
            count,
            record: event.record.clone(),
            over: half,
        }));
    }
    all
}

/// The event with such an amount that a sum with those before it is what a measure compares with, or a step beside.
fn sums_met(matrix: &Matrix, event: &Happening) -> Vec<Happening> {
    let mut all = Vec::new();
    for (test, _) in measured(matrix, event) {
        let measure = matrix.measure(test.measure);
        let Some(MeasureFunction::Sum(field)) = measure.map(|measure| measure.function) else {
            continue;
        };
        let earlier = event.before.as_ref().and_then(|before| {
            let value = before.record.values.get(&field)?;
            Some((Decimal::from(before.count), number(value)?))
        });
        let earlier = earlier.map_or(Some(Decimal::ZERO), |(count, value)| {
            count.checked_mul(value)
        });
        let missing = earlier.and_then(|earlier| number(&test.threshold)?.checked_sub(earlier));
        let Some(missing) = missing else { continue };
        let step = Decimal::new(1, missing.scale().max(2));
        let near = [
            missing.checked_sub(step),
            Some(missing),
            missing.checked_add(step),
        ];
        for amount in near.into_iter().flatten() {
            let value = match &test.threshold {
                Value::Money(_, currency) => Value::Money(amount.normalize(), *currency),
                _ => Value::Number(amount.normalize()),
            };
            all.push(event.with(field, Some(value)));
        }
    }
    all
}

fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::Money(amount, _) | Value::Number(amount) => Some(*amount),
        Value::Whole(number) => Some(Decimal::from(*number)),
        _ => None,
    }
}

/// The tests of measures that count events of that kind, with their windows.
fn measured<'m>(matrix: &'m Matrix, event: &Happening) -> Vec<(&'m MeasureTest, Duration)> {
    let mut found = Vec::new();
    let lanes = matrix.lanes.iter();
    let exprs = lanes
        .flat_map(|lane| [Some(&lane.when), lane.unless.as_ref()])
        .flatten();
    let exprs = exprs.chain(matrix.rules.iter().map(|rule| &rule.when));
    let exprs = exprs.chain(matrix.conditions.iter().map(|condition| &condition.expr));
    for expr in exprs {
        tests_of_measures(expr, &mut found);
    }
    let of_kind = found.into_iter().filter_map(|test| {
        let measure = matrix.measure(test.measure)?;
        (measure.kind == event.record.kind).then_some((test, measure.window))
    });
    of_kind.collect()
}

fn tests_of_measures<'m>(expr: &'m Expr, found: &mut Vec<&'m MeasureTest>) {
    match &expr.kind {
        ExprKind::All(parts)
        | ExprKind::Any(parts)
        | ExprKind::None(parts)
        | ExprKind::AtLeast(_, parts) => {
            parts.iter().for_each(|part| tests_of_measures(part, found));
        }
        ExprKind::Not(inner) => tests_of_measures(inner, found),
        ExprKind::Measure(test) => found.push(test),
        ExprKind::Condition(_) | ExprKind::Test(_) => {}
    }
}

/// The events that a lane's examples and the samples speak of.
pub(super) fn known(matrix: &Matrix, lane: &Lane) -> Vec<Happening> {
    let examples = lane.examples.iter().map(Happening::of);
    let samples = matrix.samples.iter();
    let samples = samples.filter(|sample| lane.on.contains(&sample.record.kind));
    let samples = samples.map(|sample| Happening::plain(matrix, &sample.record));
    examples.chain(samples).collect()
}

impl Happening {
    /// An event by itself, at the instant of examples unless it says another.
    pub(super) fn plain(matrix: &Matrix, record: &Record) -> Self {
        let at = match record.values.get(&FieldId::AT) {
            Some(Value::Timestamp(at)) => *at,
            _ => example_instant(matrix.zone),
        };
        Self {
            record: record.clone(),
            at,
            before: None,
        }
    }

    /// The same with its instant beside its values, as a case has it.
    pub(super) fn without_at(mut self) -> Self {
        self.record.values.remove(&FieldId::AT);
        self
    }

    /// The same with another value of a field, or without it.
    pub(super) fn with(&self, field: FieldId, value: Option<Value>) -> Self {
        let mut other = self.clone();
        match value {
            Some(Value::Timestamp(at)) if field == FieldId::AT => {
                other.at = at;
                other.record.values.remove(&field);
            }
            Some(value) => {
                other.record.values.insert(field, value);
            }
            None => {
                other.record.values.remove(&field);
            }
        }
        other
    }
}
