//! Lists, as far as tests of what they contain tell them apart.
//!
//! A list that is compared with no other field is told by whether each of the items that tests look for is in it: a
//! dimension each. One that is compared has to be a value.

use std::sync::Arc;

use super::values::Values;
use super::{Dimension, Owned};
use crate::matrix::TestOp;
use crate::value::{Type, Value};

/// Items of which every mixture is tried.
const ITEMS: usize = 10;

/// What tests look for, each once.
pub(super) fn items(tests: &[&Owned]) -> Vec<Value> {
    let looked_for = tests.iter().flat_map(|it| match &it.test.op {
        TestOp::Contains { values, .. } => values.as_slice(),
        _ => &[],
    });
    super::each_once(looked_for.cloned().collect())
}

/// Of one item: not in the list, or in it.
pub(super) fn dimension() -> Dimension {
    Dimension {
        regions: vec![vec![Value::Bool(false)], vec![Value::Bool(true)]],
        missing: None,
        exact: true,
        plain: 0,
        is_age: false,
        bounds: Vec::new(),
    }
}

/// Lists of a type. Where it is compared with no other field, any list will do: what is in it is told by its items.
pub(super) fn values(tests: &[&Owned], item: &Type, fields: usize) -> Values {
    if fields == 1 {
        return Values::all(vec![Value::List(Vec::new())]);
    }
    let items = items(tests);
    let mut values = Vec::new();
    let exact = items.len() <= ITEMS;
    if exact {
        for chosen in 0_u32..1 << items.len() {
            let chosen = items
                .iter()
                .enumerate()
                .filter(|(n, _)| chosen >> n & 1 == 1);
            values.push(Value::List(chosen.map(|(_, item)| item.clone()).collect()));
        }
    } else {
        // None, each by itself, and all.
        values.push(Value::List(Vec::new()));
        values.extend(items.iter().map(|item| Value::List(vec![item.clone()])));
        values.push(Value::List(items));
    }
    // Lists are compared by what they hold, in its order: where they are, some that hold something else.
    let more = (0..fields).filter_map(|n| other(item, n));
    values.extend(more.map(|item| Value::List(vec![item])));
    Values {
        exact,
        ..Values::all(values)
    }
}

/// An item that differs from others by its number.
fn other(item: &Type, n: usize) -> Option<Value> {
    Some(match item {
        Type::Text { .. } => Value::Text(Arc::from(format!("item-{n}"))),
        Type::OneOf(words) => Value::Word(Arc::clone(words.get(n)?)),
        Type::YesNo => Value::Bool(n == 1),
        ordered => super::ordered::values(ordered, std::iter::empty(), n + 1)
            .into_iter()
            .nth(n)?,
    })
}
