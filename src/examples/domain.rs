//! The values of a field that are worth trying.
//!
//! In: a field, and the tests of the matrix on it. Out: values, in order, each once.
//! Method: all values of a closed type; of an open one those at which some test changes its answer:
//! the literals, and one step to either side.
//! Invariant: each value is one that the field can hold.

use std::collections::HashSet;

use chrono::TimeDelta;
use rust_decimal::Decimal;

use crate::calendar::Calendar;
use crate::clock::{Duration, Timestamp};
use crate::matrix::{ConditionId, Expr, ExprKind, Lane, Matrix, Record, Test, TestOp, TextHow};
use crate::schema::{Field, FieldId, Kind};
use crate::value::{Range, Type, Value};

/// How far behind the sample's instant the opening of a calendar is looked for.
const CALENDAR_MINUTES: i64 = 8 * 24 * 60;

/// A text that is no literal of a matrix that means something.
const OTHER_TEXT: &str = "something else";

/// What is tried of a field; `None` stands for a missing value.
#[must_use]
pub fn values(
    matrix: &Matrix,
    kind: &Kind,
    field: &Field,
    sample: &Record,
    at: Timestamp,
) -> Vec<Option<Value>> {
    let domain = Domain {
        matrix,
        field,
        sample,
        at,
        found: Vec::new(),
    };
    domain.values(&tests(matrix, kind))
}

/// What is tried of a field for one of the tests on it.
pub(super) fn of_test(
    matrix: &Matrix,
    field: &Field,
    test: &Test,
    sample: &Record,
    at: Timestamp,
) -> Vec<Option<Value>> {
    let domain = Domain {
        matrix,
        field,
        sample,
        at,
        found: Vec::new(),
    };
    domain.values(&[test])
}

/// Every test that looks at events of a kind.
fn tests<'m>(matrix: &'m Matrix, kind: &Kind) -> Vec<&'m Test> {
    let mut tests = Tests::default();
    let concerns = |on: &[_]| on.contains(&kind.id);
    for lane in matrix.lanes.iter().filter(|lane| concerns(&lane.on)) {
        tests.gather_lane(matrix, lane);
    }
    for rule in matrix.rules.iter().filter(|rule| concerns(&rule.on)) {
        tests.gather(matrix, &rule.when);
    }
    tests.found
}

/// The tests of a lane, with those of the conditions that it names, each once.
pub(super) fn tests_of<'m>(matrix: &'m Matrix, lane: &'m Lane) -> Vec<&'m Test> {
    let mut tests = Tests::default();
    tests.gather_lane(matrix, lane);
    let mut seen = HashSet::new();
    let own = tests.found.into_iter();
    own.filter(|test| seen.insert((test.field, &test.text, test.if_present)))
        .collect()
}

struct Domain<'m> {
    matrix: &'m Matrix,
    field: &'m Field,
    sample: &'m Record,
    at: Timestamp,
    found: Vec<Value>,
}

impl Domain<'_> {
    fn values(mut self, tests: &[&Test]) -> Vec<Option<Value>> {
        let field = self.field;
        match &field.ty {
            Type::YesNo => self.found.extend([Value::Bool(true), Value::Bool(false)]),
            Type::OneOf(words) => {
                let words = words.iter().map(|word| Value::Word(word.clone()));
                self.found.extend(words);
            }
            _ => self.open(tests),
        }
        let mut values: Vec<Option<Value>> = self.ordered().into_iter().map(Some).collect();
        if field.is_optional() {
            values.push(None);
        }
        values
    }

    /// The values of a type that has too many: those that tests speak of.
    fn open(&mut self, tests: &[&Test]) {
        for test in tests {
            self.of_test(test);
        }
        match &self.field.ty {
            Type::Text { .. } if !self.found.is_empty() => {
                self.found.push(Value::Text(OTHER_TEXT.into()));
            }
            Type::List(_) => self.lists(),
            _ => {}
        }
        // A field that no test speaks of has the sample's value.
        if self.found.is_empty()
            && let Some(own) = self.own(self.field.id)
        {
            self.found.push(own);
        }
    }

    /// The sample's value of a field.
    fn own(&self, field: FieldId) -> Option<Value> {
        if field == FieldId::AT {
            return Some(Value::Timestamp(self.at));
        }
        self.sample.values.get(&field).cloned()
    }

    fn of_test(&mut self, test: &Test) {
        let other = match &test.op {
            TestOp::SameAs(other) | TestOp::DiffersFrom(other) => Some(*other),
            TestOp::CompareField(_, other) => Some(*other),
            _ => None,
        };
        if let Some(other) = other {
            let partner = match () {
                () if test.field == self.field.id => other,
                () if other == self.field.id => test.field,
                () => return,
            };
            self.around(self.own(partner));
            self.around(self.own(self.field.id));
            return;
        }
        if test.field != self.field.id {
            return;
        }
        match &test.op {
            TestOp::Compare(_, value) => self.around(Some(value.clone())),
            TestOp::In { values, .. } | TestOp::Contains { values, .. } => {
                self.found.extend(values.iter().cloned());
            }
            TestOp::Text { how, literal, .. } => {
                let text = match how {
                    TextHow::Like => literal.replace('*', ""),
                    _ => literal.to_string(),
                };
                self.found.push(Value::Text(text.into()));
            }
            TestOp::Matches { .. } => self.found.extend(self.own(self.field.id)),
            TestOp::OlderThan(age) | TestOp::NewerThan(age) => {
                let then = self.at.checked_sub_signed(age.to_chrono());
                self.around(then.map(Value::Timestamp));
            }
            TestOp::Inside(calendar) | TestOp::Outside(calendar) => {
                if let Some(calendar) = self.matrix.calendar(*calendar) {
                    self.edges(calendar);
                }
            }
            _ => {}
        }
    }

    /// A value and those one step beside it.
    fn around(&mut self, value: Option<Value>) {
        let Some(value) = value else { return };
        let steps: [Option<Value>; 2] = match &value {
            Value::Whole(n) => [n.checked_sub(1), n.checked_add(1)].map(|n| n.map(Value::Whole)),
            Value::Number(n) => {
                let step = Decimal::new(1, n.scale());
                [n.checked_sub(step), n.checked_add(step)]
                    .map(|n| n.map(|n| Value::Number(n.normalize())))
            }
            Value::Money(n, currency) => {
                // A cent, unless the matrix is finer.
                let step = Decimal::new(1, n.scale().max(2));
                [n.checked_sub(step), n.checked_add(step)]
                    .map(|n| n.map(|n| Value::Money(n.normalize(), *currency)))
            }
            Value::Timestamp(at) => {
                let second = TimeDelta::seconds(1);
                [at.checked_sub_signed(second), at.checked_add_signed(second)]
                    .map(|at| at.map(Value::Timestamp))
            }
            Value::Duration(span) => {
                let millis = span.as_millis();
                let step = if millis % 1_000 == 0 { 1_000 } else { 1 };
                [millis.checked_sub(step), millis.checked_add(step)]
                    .map(|n| n.map(|n| Value::Duration(Duration::from_millis(n))))
            }
            _ => [None, None],
        };
        let [below, above] = steps;
        self.found.extend(below);
        self.found.push(value);
        self.found.extend(above);
    }

    /// The first opening and the first closing behind the sample's instant, and a second before.
    fn edges(&mut self, calendar: &Calendar) {
        let minute = |n: i64| self.at.checked_add_signed(TimeDelta::minutes(n));
        let mut was_open = calendar.is_open(self.at);
        let mut edges = Vec::new();
        for at in (1..CALENDAR_MINUTES).filter_map(minute) {
            let is_open = calendar.is_open(at);
            if is_open != was_open {
                edges.push(at);
            }
            was_open = is_open;
            if edges.len() == 2 {
                break;
            }
        }
        for at in edges {
            let before = at.checked_sub_signed(TimeDelta::seconds(1));
            self.found.extend(before.map(Value::Timestamp));
            self.found.push(Value::Timestamp(at));
        }
    }

    /// Of items the lists that tests tell apart: none of them, each alone, and all.
    fn lists(&mut self) {
        let items = std::mem::take(&mut self.found);
        let items = distinct(items);
        self.found.push(Value::List(Vec::new()));
        let alone = items.iter().map(|item| Value::List(vec![item.clone()]));
        self.found.extend(alone);
        if items.len() > 1 {
            self.found.push(Value::List(items));
        }
    }

    /// The values that the field can hold, each once; those of an ordered type in its order.
    fn ordered(self) -> Vec<Value> {
        let ty = &self.field.ty;
        let mut values = distinct(self.found);
        values.retain(|value| can_hold(ty, value));
        if ty.is_ordered() {
            values.sort_by(|a, b| a.order(b).unwrap_or(std::cmp::Ordering::Equal));
        }
        values
    }
}

fn distinct(values: Vec<Value>) -> Vec<Value> {
    let mut seen = HashSet::new();
    let fresh = values
        .into_iter()
        .filter(|value| seen.insert(value.clone()));
    fresh.collect()
}

fn can_hold(ty: &Type, value: &Value) -> bool {
    fn within<T: PartialOrd>(range: Option<&Range<T>>, value: &T) -> bool {
        range.is_none_or(|range| range.holds(value))
    }
    // A measure may test a field of the same path in another kind, where it has another type.
    match (ty, value) {
        (Type::Whole(range), Value::Whole(n)) => within(range.as_ref(), n),
        (Type::Number(range), Value::Number(n)) => within(range.as_ref(), n),
        (Type::Money(declared, range), Value::Money(n, currency)) => {
            declared == currency && within(range.as_ref(), n)
        }
        (Type::List(item), Value::List(values)) => values.iter().all(|v| can_hold(item, v)),
        (Type::OneOf(words), Value::Word(word)) => words.contains(word),
        (Type::YesNo, Value::Bool(_))
        | (Type::Text { .. }, Value::Text(_))
        | (Type::Timestamp, Value::Timestamp(_))
        | (Type::Duration, Value::Duration(_)) => true,
        _ => false,
    }
}

/// The tests of expressions, with those of the conditions that they name.
#[derive(Default)]
struct Tests<'m> {
    found: Vec<&'m Test>,
    opened: HashSet<ConditionId>,
}

impl<'m> Tests<'m> {
    fn gather_lane(&mut self, matrix: &'m Matrix, lane: &'m Lane) {
        self.gather(matrix, &lane.when);
        if let Some(unless) = &lane.unless {
            self.gather(matrix, unless);
        }
    }

    fn gather(&mut self, matrix: &'m Matrix, expr: &'m Expr) {
        match &expr.kind {
            ExprKind::All(parts)
            | ExprKind::Any(parts)
            | ExprKind::None(parts)
            | ExprKind::AtLeast(_, parts) => {
                parts.iter().for_each(|part| self.gather(matrix, part));
            }
            ExprKind::Not(inner) => self.gather(matrix, inner),
            ExprKind::Condition(id) => {
                if self.opened.insert(*id)
                    && let Some(condition) = matrix.condition(*id)
                {
                    self.gather(matrix, &condition.expr);
                }
            }
            ExprKind::Test(test) => self.found.push(test),
            ExprKind::Measure(test) => {
                let measure = matrix.measure(test.measure);
                if let Some(filter) = measure.and_then(|m| m.filter.as_ref()) {
                    self.gather(matrix, filter);
                }
            }
        }
    }
}
