//! Values of a field that show every answer which its tests can give together.
//!
//! In: a field, and the tests of it and of the fields that it is compared with. Out: values of its type, and whether
//! they show all.
//! Must not know what tests answer: the space asks the evaluator.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Dim, Dims, Owned, Space, each_once, list, ordered, text, time};
use crate::matrix::TestOp;
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
