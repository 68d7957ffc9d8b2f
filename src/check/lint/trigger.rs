//! Triggers that most likely do not say what is meant.

use std::collections::{HashMap, HashSet};

use super::Leaf;
use crate::check::build::Checker;
use crate::diagnostic::{Diagnostic, codes};
use crate::matrix::{Comparison, Expr, ExprKind, Lane, Test, TestOp};
use crate::schema::{Field, FieldId, KindId};
use crate::span::Span;
use crate::value::{Kleene, Type, Value};

impl Checker<'_> {
    fn declared(&self, on: &[KindId], field: FieldId) -> Option<&Field> {
        on.iter()
            .find_map(|kind| self.schema.kind(*kind)?.field(field))
    }

    pub(super) fn lint_trigger(&mut self, expr: &Expr, on: &[KindId]) {
        self.lint_bounds(expr, on);
        self.lint_repetition(expr);
    }

    /// A number compared only from above: the author may not have thought of negative ones.
    fn lint_bounds(&mut self, expr: &Expr, on: &[KindId]) {
        let mut from_above: Vec<(FieldId, Span)> = Vec::new();
        let mut bounded: HashSet<FieldId> = HashSet::new();
        self.visit(expr, &mut |leaf| {
            let Leaf::Test(test, span) = leaf else { return };
            match &test.op {
                TestOp::Compare(Comparison::Less | Comparison::LessOrEqual, _) => {
                    from_above.push((test.field, span))
                }
                TestOp::Compare(..) | TestOp::In { .. } => {
                    bounded.insert(test.field);
                }
                _ => {}
            }
        });
        for (field, span) in from_above {
            let open = self.declared(on, field).is_some_and(|field| {
                matches!(
                    field.ty,
                    Type::Whole(None) | Type::Number(None) | Type::Money(_, None)
                )
            });
            if open && !bounded.contains(&field) {
                let path = self.schema.path(field).to_owned();
                self.warn(
                    codes::NO_LOWER_BOUND,
                    span,
                    format!("`{path}` is compared from above only, so any negative value passes"),
                    "declare its range, such as `money USD 0 to 1000000`, or test its lower end too",
                );
            }
        }
    }

    /// The same test twice side by side.
    pub(super) fn lint_repetition(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::All(exprs)
            | ExprKind::Any(exprs)
            | ExprKind::None(exprs)
            | ExprKind::AtLeast(_, exprs) => {
                let mut seen: HashMap<&str, Span> = HashMap::new();
                for inner in exprs {
                    let text = match &inner.kind {
                        ExprKind::Test(test) => test.text.as_str(),
                        ExprKind::Measure(test) => test.text.as_str(),
                        ExprKind::Condition(id) => self
                            .conditions
                            .get(id.index())
                            .map_or("", |c| c.name.as_str()),
                        _ => continue,
                    };
                    if let Some(first) = seen.insert(text, inner.span) {
                        let found = Diagnostic::new(
                            codes::SAME_TEST_TWICE,
                            inner.span,
                            format!("`{text}` is written twice"),
                        )
                        .label(first, "here already")
                        .help("remove one, or correct what was meant to differ");
                        self.out.push(found);
                    }
                }
                for inner in exprs {
                    self.lint_repetition(inner);
                }
            }
            ExprKind::Not(inner) => self.lint_repetition(inner),
            // A condition is looked at by itself, in the whole.
            ExprKind::Condition(_) | ExprKind::Test(_) | ExprKind::Measure(_) => {}
        }
    }

    /// A trigger that tests a score and nothing else.
    pub(super) fn lint_confidence(&mut self, expr: &Expr, on: &[KindId]) {
        let mut fields: HashSet<FieldId> = HashSet::new();
        let mut others = false;
        let mut place = expr.span;
        self.visit(expr, &mut |leaf| match leaf {
            Leaf::Test(test, span) => {
                fields.insert(test.field);
                place = span;
                others |= !matches!(test.op, TestOp::Compare(..));
            }
            Leaf::Measure => others = true,
        });
        let (1, false, Some(field)) = (fields.len(), others, fields.iter().next()) else {
            return;
        };
        let score = self
            .declared(on, *field)
            .is_some_and(|field| match &field.ty {
                Type::Number(Some(range)) => {
                    range.low.is_zero() && range.high == rust_decimal::Decimal::ONE
                }
                _ => false,
            });
        if score {
            let path = self.schema.path(*field).to_owned();
            self.warn(
                codes::CONFIDENCE_ALONE,
                place,
                format!("`{path}` alone decides whether people are asked"),
                "a model is often sure and wrong; test what the action does as well, such as its kind, amount or recipient",
            );
        }
    }

    /// Evaluates a lane on an event without optional fields on which no test of a required field
    /// holds; names the fields that leave it unsure.
    pub(super) fn leaves_unsure(&self, lane: &Lane, fields: &mut Vec<String>) -> bool {
        let mut memo = HashMap::new();
        let mut bare = Bare {
            checker: self,
            on: &lane.on,
            memo: &mut memo,
        };
        let when = bare.eval(&lane.when);
        let unless = lane
            .unless
            .as_ref()
            .map_or(Kleene::False, |unless| bare.eval(unless));
        let unsure = match (when, unless) {
            (Kleene::False, _) | (_, Kleene::True) | (Kleene::True, Kleene::False) => false,
            (Kleene::Unknown, _) | (_, Kleene::Unknown) => true,
        };
        if unsure {
            let mut note = |expr: &Expr| {
                self.visit(expr, &mut |leaf| {
                    if let Leaf::Test(test, _) = leaf
                        && self.bare_test(&lane.on, test) == Kleene::Unknown
                    {
                        let path = self.schema.path(test.field).to_owned();
                        if !fields.contains(&path) {
                            fields.push(path);
                        }
                    }
                });
            };
            if when == Kleene::Unknown {
                note(&lane.when);
            } else if let Some(unless) = &lane.unless {
                note(unless);
            }
        }
        unsure
    }

    fn bare_test(&self, on: &[KindId], test: &Test) -> Kleene {
        let is_optional = |field: FieldId| self.declared(on, field).is_some_and(Field::is_optional);
        let other = match test.op {
            TestOp::SameAs(other) | TestOp::DiffersFrom(other) | TestOp::CompareField(_, other) => {
                Some(other)
            }
            _ => None,
        };
        let missing = is_optional(test.field);
        match test.op {
            TestOp::Missing => Kleene::from_bool(missing),
            TestOp::Present => Kleene::from_bool(!missing),
            _ if missing && test.if_present => Kleene::False,
            _ if missing || other.is_some_and(is_optional) => Kleene::Unknown,
            _ => Kleene::False,
        }
    }
}

/// The evaluation for [`Checker::leaves_unsure`].
struct Bare<'c, 'a> {
    checker: &'c Checker<'a>,
    on: &'c [KindId],
    memo: &'c mut HashMap<crate::matrix::ConditionId, Kleene>,
}

impl Bare<'_, '_> {
    fn eval(&mut self, expr: &Expr) -> Kleene {
        match &expr.kind {
            ExprKind::All(exprs) => {
                let values: Vec<Kleene> = exprs.iter().map(|e| self.eval(e)).collect();
                at_least(values.len(), &values)
            }
            ExprKind::Any(exprs) => {
                let values: Vec<Kleene> = exprs.iter().map(|e| self.eval(e)).collect();
                at_least(1, &values)
            }
            ExprKind::None(exprs) => {
                let values: Vec<Kleene> = exprs.iter().map(|e| self.eval(e)).collect();
                !at_least(1, &values)
            }
            ExprKind::AtLeast(count, exprs) => {
                let values: Vec<Kleene> = exprs.iter().map(|e| self.eval(e)).collect();
                at_least(*count as usize, &values)
            }
            ExprKind::Not(inner) => !self.eval(inner),
            ExprKind::Condition(id) => {
                if let Some(known) = self.memo.get(id) {
                    return *known;
                }
                let checker = self.checker;
                let value = checker
                    .conditions
                    .get(id.index())
                    .map_or(Kleene::False, |c| self.eval(&c.expr));
                self.memo.insert(*id, value);
                value
            }
            ExprKind::Test(test) => self.checker.bare_test(self.on, test),
            ExprKind::Measure(_) => Kleene::False,
        }
    }
}

fn at_least(count: usize, values: &[Kleene]) -> Kleene {
    let sure = values.iter().filter(|v| **v == Kleene::True).count();
    let open = values.iter().filter(|v| **v == Kleene::Unknown).count();
    if sure >= count {
        Kleene::True
    } else if sure + open < count {
        Kleene::False
    } else {
        Kleene::Unknown
    }
}

/// What a conjunction surely demands of one field, as far as it can be read off: enough to see that
/// two rules never apply together.
#[derive(Debug, Default, Clone)]
pub(super) struct Demand {
    values: Option<HashSet<Value>>,
    above: Option<(Value, bool)>,
    below: Option<(Value, bool)>,
}

impl Checker<'_> {
    /// What the parts of a conjunction demand, by field.
    pub(super) fn demands(&self, expr: &Expr, out: &mut HashMap<FieldId, Demand>) {
        match &expr.kind {
            ExprKind::All(exprs) => exprs.iter().for_each(|expr| self.demands(expr, out)),
            ExprKind::Condition(id) => {
                if let Some(condition) = self.conditions.get(id.index()) {
                    self.demands(&condition.expr, out);
                }
            }
            ExprKind::Test(test) => {
                let demand = out.entry(test.field).or_default();
                match &test.op {
                    TestOp::Compare(Comparison::Is, value) => {
                        demand.values = Some(HashSet::from([value.clone()]))
                    }
                    TestOp::In { not: false, values } => {
                        demand.values = Some(values.iter().cloned().collect());
                    }
                    TestOp::Compare(Comparison::Greater, value) => {
                        demand.above = Some((value.clone(), false))
                    }
                    TestOp::Compare(Comparison::GreaterOrEqual, value) => {
                        demand.above = Some((value.clone(), true))
                    }
                    TestOp::Compare(Comparison::Less, value) => {
                        demand.below = Some((value.clone(), false))
                    }
                    TestOp::Compare(Comparison::LessOrEqual, value) => {
                        demand.below = Some((value.clone(), true))
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

/// Whether surely no event meets both. `room` is how many values may still be compared; without
/// room sets are taken as apart, because nothing is said that is not known.
pub(super) fn exclude_each_other(
    a: &HashMap<FieldId, Demand>,
    b: &HashMap<FieldId, Demand>,
    room: &mut usize,
) -> bool {
    a.iter()
        .any(|(field, a)| b.get(field).is_some_and(|b| apart(a, b, room)))
}

fn apart(a: &Demand, b: &Demand, room: &mut usize) -> bool {
    if let (Some(a), Some(b)) = (&a.values, &b.values) {
        let (few, many) = if a.len() <= b.len() { (a, b) } else { (b, a) };
        *room = room.saturating_sub(few.len());
        return *room == 0 || few.is_disjoint(many);
    }
    let below_above = |below: &Option<(Value, bool)>, above: &Option<(Value, bool)>| {
        let (Some((high, high_in)), Some((low, low_in))) = (below, above) else {
            return false;
        };
        match high.order(low) {
            Some(std::cmp::Ordering::Less) => true,
            Some(std::cmp::Ordering::Equal) => !(*high_in && *low_in),
            _ => false,
        }
    };
    below_above(&a.below, &b.above) || below_above(&b.below, &a.above)
}
