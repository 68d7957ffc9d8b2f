//! Values of a field that show every answer which its tests can give together.
//!
//! In: a field, and the tests of it and of the fields that it is compared with. Out: values of its type, and whether
//! they show all.
//! Must not know what tests answer: the space asks the evaluator.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::{At, Dim, Dimension, Dims, Owned, Space, each_once, list, ordered, text, time};
use crate::matrix::{MeasureFunction, MeasureTest, TestOp};
use crate::schema::Field;
use crate::value::{Type, Value};

/// Values, and whether they show every combination of answers that some value has.
#[derive(Debug)]
pub(super) struct Values {
    pub(super) values: Vec<Value>,
    pub(super) exact: bool,
}

impl Values {
    pub(super) fn all(values: Vec<Value>) -> Self {
        Self {
            values: each_once(values),
            exact: true,
        }
    }

    /// Takes these before the others.
    pub(super) fn begin_with(&mut self, mut first: Vec<Value>) {
        first.append(&mut self.values);
        self.values = each_once(first);
    }
}

/// Which fields are compared with which, by their dimensions.
#[derive(Debug)]
pub(super) struct Linked(BTreeMap<Dim, Dims>);

impl Linked {
    pub(super) fn of(pairs: impl Iterator<Item = (Dim, Dim)>) -> Self {
        let mut groups: BTreeMap<Dim, Dims> = BTreeMap::new();
        for (one, other) in pairs {
            let mut group = Dims::from([one, other]);
            for dim in [one, other] {
                group.extend(groups.get(&dim).into_iter().flatten().copied());
            }
            for dim in &group {
                groups.insert(*dim, group.clone());
            }
        }
        Self(groups)
    }

    /// A field with all that it is compared with, directly or not.
    pub(super) fn group(&self, dim: Dim) -> Dims {
        let group = self.0.get(&dim).cloned();
        group.unwrap_or_else(|| Dims::from([dim]))
    }
}

/// The literals of ordered tests, which cut a field's values.
pub(super) fn cuts<'t>(tests: &'t [&Owned]) -> impl Iterator<Item = &'t Value> {
    tests.iter().flat_map(|it| match &it.test.op {
        TestOp::Compare(_, value) => std::slice::from_ref(value),
        TestOp::In { values, .. } => values.as_slice(),
        _ => &[],
    })
}

/// Values of a field, those of samples first; and where tests of them go by names, what else matches each. Where
/// several fields are compared, so many that they can come in any order between two literals.
pub(super) fn of(
    space: &Space<'_>,
    field: &Field,
    of_samples: &[Value],
    tests: &[&Owned],
    fields: usize,
) -> (Values, Option<Vec<Vec<u32>>>) {
    let mut values = match &field.ty {
        Type::YesNo => Values::all(vec![Value::Bool(false), Value::Bool(true)]),
        Type::OneOf(words) => {
            let words = words.iter();
            Values::all(words.map(|word| Value::Word(Arc::clone(word))).collect())
        }
        Type::Text { ignoring_case } => {
            let (mut values, matched) = text::values(of_samples, tests, *ignoring_case, fields);
            if *ignoring_case {
                // Those of samples are written as they like, and compared as they are read.
                values.begin_with(of_samples.to_vec());
                return (values, None);
            }
            return (values, Some(matched));
        }
        Type::List(item) => list::values(tests, item, fields),
        Type::Timestamp => time::values(space, field, tests, fields),
        ordered => Values::all(ordered::values(ordered, cuts(tests), fields)),
    };
    values.begin_with(of_samples.to_vec());
    let by_name = matches!(field.ty, Type::YesNo | Type::OneOf(_) | Type::List(_));
    (values, by_name.then(Vec::new))
}

/// The amounts of a measure that its tests tell apart. It may also not be known.
pub(super) fn of_measure(space: &Space<'_>, tests: &[(At, Arc<MeasureTest>)]) -> Dimension {
    let first = tests.first().and_then(|(side, test)| {
        let matrix = space.side(*side)?.matrix;
        Some((matrix, matrix.measure(test.measure)?))
    });
    let field = first.and_then(|(matrix, measure)| match measure.function {
        MeasureFunction::Sum(field) => matrix.kind(measure.kind).and_then(|kind| kind.field(field)),
        MeasureFunction::Count | MeasureFunction::Distinct(_) => None,
    });
    // Nothing that is measured is less than zero.
    let ty = match field.map(|field| &field.ty) {
        Some(Type::Money(currency, _)) => Type::Money(*currency, Some(from_zero())),
        Some(Type::Number(_)) => Type::Number(Some(from_zero())),
        _ => Type::Whole(Some(crate::value::Range {
            low: 0,
            high: i64::MAX,
        })),
    };
    let cuts = tests.iter().map(|(_, test)| &test.threshold);
    let mut values = each_once(ordered::values(&ty, cuts, 1));
    values.sort_by(|one, other| one.order(other).unwrap_or(std::cmp::Ordering::Equal));
    // In their order, cut wherever a test begins or ends to hold.
    let mut regions: Vec<Vec<Value>> = Vec::new();
    let mut last: Option<Vec<bool>> = None;
    for value in values {
        let answers = tests.iter().map(|(_, test)| measures(&value, test));
        let answers: Vec<bool> = answers.collect();
        match regions.last_mut().filter(|_| last.as_ref() == Some(&answers)) {
            Some(region) => region.push(value),
            None => regions.push(vec![value]),
        }
        last = Some(answers);
    }
    let count = u32::try_from(regions.len()).unwrap_or(u32::MAX);
    Dimension {
        regions,
        missing: Some(count),
        exact: true,
        plain: 0,
        is_age: false,
    }
}

fn from_zero() -> crate::value::Range<Decimal> {
    crate::value::Range {
        low: Decimal::ZERO,
        high: Decimal::MAX,
    }
}

/// What the comparison of a measure says of an amount.
pub(super) fn measures(amount: &Value, test: &MeasureTest) -> bool {
    use crate::matrix::Comparison;
    match test.op {
        Comparison::Is => *amount == test.threshold,
        Comparison::IsNot => *amount != test.threshold,
        ordered => amount
            .order(&test.threshold)
            .is_some_and(|order| ordered.holds(order)),
    }
}
