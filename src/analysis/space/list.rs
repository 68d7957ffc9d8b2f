//! Lists that hold every mixture of the items which tests look for.

use std::sync::Arc;

use super::Owned;
use super::values::Values;
use crate::matrix::TestOp;
use crate::value::{Type, Value};

/// Items up to which every mixture is tried.
const ITEMS: usize = 10;

/// Lists of a type.
pub(super) fn values(tests: &[&Owned], item: &Type, fields: usize) -> Values {
    let looked_for = tests.iter().flat_map(|it| match &it.test.op {
        TestOp::Contains { values, .. } => values.as_slice(),
        _ => &[],
    });
    let items = super::each_once(looked_for.cloned().collect());
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
    if fields > 1 {
        let more = (0..fields).filter_map(|n| other(item, n));
        values.extend(more.map(|item| Value::List(vec![item])));
    }
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
