//! Which fields have several phrases, so that looking for all of them at once may be quicker.
//!
//! In: the tests of a kind. Out: the [`Phrases`] of those fields; their tests know them.
//! Invariant: a test that knows a field is among the tests of that field.

use std::collections::BTreeMap;

use crate::program::phrases::{FEW, Phrases};
use crate::program::test::{Op, Test};

pub(super) fn gather(tests: &mut [Test]) -> Vec<Phrases> {
    let mut fields: BTreeMap<u16, Vec<u32>> = BTreeMap::new();
    for (number, test) in (0u32..).zip(&*tests) {
        if let Op::Contains(_) = test.op {
            fields.entry(test.slot).or_default().push(number);
        }
    }
    let mut all = Vec::new();
    for (slot, numbers) in fields {
        let Ok(field) = u16::try_from(all.len()) else {
            break;
        };
        if numbers.len() < FEW {
            continue;
        }
        let Some(phrases) = Phrases::new(slot, numbers, tests) else {
            continue;
        };
        for number in &phrases.tests {
            let test = tests.get_mut(*number as usize);
            if let Some(Op::Contains(phrase)) = test.map(|test| &mut test.op) {
                phrase.field = Some(field);
            }
        }
        all.push(phrases);
    }
    all
}
