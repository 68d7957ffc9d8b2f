//! A field's values cut into regions, and which regions each of its tests takes.
//!
//! In: values, and the tests of them. Out: a dimension, and for each test its regions.
//! Invariant: the evaluator gives the same answer for all values of a region, and says yes where the test takes it;
//! `tests` holds every region against it.
//!
//! To ask the evaluator each test of each value takes as many steps as there are tests times values. Of an ordered
//! field a comparison takes a stretch of the values, and of texts and words an equality takes those that it names:
//! both are found without asking.

use std::collections::{HashMap, HashSet};

use super::{Dimension, Owned, Regions, values};
use crate::clock::Timestamp;
use crate::matrix::{Comparison, TestOp};
use crate::schema::Field;
use crate::value::{Type, Value};

/// How the tests of a field are answered.
pub(super) enum Manner<'s> {
    /// By where their literals stand among the values; ages are told from this instant.
    ByOrder(Timestamp),
    /// By the values that they name, and for texts the patterns of tests that match; each value with those.
    ByName(Vec<Vec<u32>>),
    /// By the evaluator.
    Asked(&'s dyn Fn(&Owned, &Value) -> bool),
}

/// A dimension, and the regions that each test takes of it, as long as the field is there.
pub(super) struct Cut {
    pub(super) dimension: Dimension,
    pub(super) takes: Vec<Regions>,
}

/// Values of a region that are kept, where none has to compare with another field.
const KEPT: usize = 2;

/// Tests of a field of which every mixture of answers is a region where it is not known which there are.
const MIXED: usize = 8;

/// Adds a region for each mixture of answers that no region has, and gives how many there are then.
fn add_mixtures(count: u32, tests: &[&Owned], takes: &mut [Regions]) -> u32 {
    let mixture = |region: u32, takes: &[Regions]| -> Vec<bool> {
        takes.iter().map(|takes| takes.has(region)).collect()
    };
    let mut known: HashSet<Vec<bool>> = (0..count).map(|region| mixture(region, takes)).collect();
    let mut next = count;
    for bits in 0_u32..1 << tests.len() {
        let said: Vec<bool> = (0..tests.len()).map(|n| bits >> n & 1 == 1).collect();
        let can_be = tests.iter().zip(&said).all(|(it, said)| match it.test.op {
            TestOp::Present => *said,
            TestOp::Missing => !*said,
            _ => true,
        });
        if can_be && known.insert(said.clone()) {
            for (takes, _) in takes.iter_mut().zip(said).filter(|(_, said)| *said) {
                takes.push(next, next);
            }
            next += 1;
        }
    }
    next
}

pub(super) fn cut(
    field: &Field,
    values: values::Values,
    tests: &[&Owned],
    manner: &Manner<'_>,
    is_linked: bool,
) -> Cut {
    let mut exact = values.exact;
    let values = values.values;
    let (of_value, mut count, mut takes) = match manner {
        Manner::ByOrder(at) => by_order(&values, tests, *at),
        Manner::ByName(matched) => by_name(&values, tests, matched),
        Manner::Asked(answers) => asked(&values, tests, *answers),
    };
    // What no value showed may be all the same: regions without a value, which no event is chosen from.
    if !exact && !is_linked && tests.len() <= MIXED {
        count = add_mixtures(count, tests, &mut takes);
        exact = true;
    }
    let plain = of_value.first().copied().unwrap_or_default();
    let mut regions: Vec<Vec<Value>> = vec![Vec::new(); count as usize];
    for (value, region) in values.into_iter().zip(of_value) {
        // Two of a region show that it has more than one; where fields are compared, each may be needed.
        if let Some(region) = regions.get_mut(region as usize)
            && (is_linked || region.len() < KEPT)
        {
            region.push(value);
        }
    }
    let dimension = Dimension {
        regions,
        missing: field.is_optional().then_some(count),
        exact,
        plain,
        is_age: false,
        bounds: Vec::new(),
    };
    Cut { dimension, takes }
}

/// The region of each value, how many there are, and which each test takes.
type Cutting = (Vec<u32>, u32, Vec<Regions>);

/// Whether each test of an ordered field takes a stretch of its values.
pub(super) fn is_by_order(ty: &Type, tests: &[&Owned]) -> bool {
    let is_ordered = matches!(
        ty,
        Type::Whole(_) | Type::Number(_) | Type::Money(..) | Type::Duration | Type::Timestamp
    );
    is_ordered
        && !tests
            .iter()
            .any(|it| matches!(it.test.op, TestOp::Inside(_) | TestOp::Outside(_)))
}

fn by_order(values: &[Value], tests: &[&Owned], at: Timestamp) -> Cutting {
    let mut sorted: Vec<u32> = (0..)
        .zip(values)
        .map(|(position, _): (u32, _)| position)
        .collect();
    let value = |position: &u32| values.get(*position as usize);
    let order = |one: Option<&Value>, other: Option<&Value>| {
        one.zip(other)
            .and_then(|(one, other)| one.order(other))
            .unwrap_or(std::cmp::Ordering::Equal)
    };
    sorted.sort_by(|one, other| order(value(one), value(other)));
    let count = u32::try_from(sorted.len()).unwrap_or(u32::MAX);
    // The positions before a literal, and those up to it.
    let around = |literal: &Value| {
        let before = sorted.partition_point(|it| order(value(it), Some(literal)).is_lt());
        let up_to = sorted.partition_point(|it| order(value(it), Some(literal)).is_le());
        [before, up_to].map(|it| u32::try_from(it).unwrap_or(u32::MAX))
    };
    let edge = |age: &crate::clock::Duration| {
        let edge = at.checked_sub_signed(age.to_chrono())?;
        Some(around(&Value::Timestamp(edge)))
    };
    let stretches: Vec<Regions> = tests
        .iter()
        .map(|it| match &it.test.op {
            TestOp::Compare(op, literal) => {
                let [before, up_to] = around(literal);
                match op {
                    Comparison::Less => Regions::between(0, before),
                    Comparison::LessOrEqual => Regions::between(0, up_to),
                    Comparison::Greater => Regions::between(up_to, count),
                    Comparison::GreaterOrEqual => Regions::between(before, count),
                    Comparison::Is => Regions::between(before, up_to),
                    Comparison::IsNot => Regions::between(before, up_to).not(count),
                }
            }
            TestOp::In { not, values } => {
                let mut all: Vec<[u32; 2]> = values.iter().map(around).collect();
                all.sort_unstable();
                let mut set = Regions::default();
                for [before, up_to] in all {
                    set = set.or(&Regions::between(before, up_to));
                }
                if *not { set.not(count) } else { set }
            }
            TestOp::OlderThan(age) => {
                edge(age).map_or_else(Regions::default, |[before, _]| Regions::between(0, before))
            }
            TestOp::NewerThan(age) => edge(age).map_or(Regions::first(count), |[_, up_to]| {
                Regions::between(up_to, count)
            }),
            TestOp::Present => Regions::first(count),
            _ => Regions::default(),
        })
        .collect();
    // A region ends where some stretch begins or ends.
    let mut begins = vec![false; sorted.len() + 1];
    for (from, to) in stretches.iter().flat_map(Regions::ranges) {
        for position in [from, to + 1] {
            if let Some(begin) = begins.get_mut(position as usize) {
                *begin = true;
            }
        }
    }
    let mut region_of_position = Vec::with_capacity(sorted.len());
    let mut region = 0;
    for (position, begins) in begins.iter().take(sorted.len()).enumerate() {
        region += u32::from(*begins && position > 0);
        region_of_position.push(region);
    }
    let regions = region_of_position.last().map_or(0, |last| last + 1);
    let region_of = |position: u32| region_of_position.get(position as usize).copied();
    let takes = stretches.iter().map(|set| {
        let mut takes = Regions::default();
        for (from, to) in set.ranges() {
            if let (Some(from), Some(to)) = (region_of(from), region_of(to)) {
                takes.push(from, to);
            }
        }
        takes
    });
    let takes = takes.collect();
    let mut of_value = vec![0; values.len()];
    for (position, region) in sorted.iter().zip(&region_of_position) {
        if let Some(of_value) = of_value.get_mut(*position as usize) {
            *of_value = *region;
        }
    }
    (of_value, regions, takes)
}

fn by_name(values: &[Value], tests: &[&Owned], matched: &[Vec<u32>]) -> Cutting {
    let places: HashMap<&Value, usize> = values.iter().zip(0..).collect();
    let mut said: Vec<Vec<u32>> = matched.to_vec();
    said.resize(values.len(), Vec::new());
    for (number, it) in (0..).zip(tests) {
        let named = match &it.test.op {
            TestOp::Compare(_, literal) => std::slice::from_ref(literal),
            TestOp::In { values, .. } => values,
            _ => &[],
        };
        for literal in named {
            let said = places.get(literal).and_then(|place| said.get_mut(*place));
            said.into_iter().for_each(|said| said.push(number));
        }
    }
    let mut known: HashMap<Vec<u32>, u32> = HashMap::new();
    let mut takes = vec![Regions::default(); tests.len()];
    let mut of_value = Vec::with_capacity(values.len());
    for mut said in said {
        said.sort_unstable();
        said.dedup();
        let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
        let region = *known.entry(said).or_insert_with_key(|said| {
            for number in said {
                if let Some(takes) = takes.get_mut(*number as usize) {
                    takes.push(next, next);
                }
            }
            next
        });
        of_value.push(region);
    }
    let count = u32::try_from(known.len()).unwrap_or(u32::MAX);
    for (takes, it) in takes.iter_mut().zip(tests) {
        match it.test.op {
            TestOp::Compare(Comparison::IsNot, _)
            | TestOp::In { not: true, .. }
            | TestOp::Text { not: true, .. }
            | TestOp::Matches { not: true, .. } => *takes = takes.not(count),
            TestOp::Present => *takes = Regions::first(count),
            TestOp::Missing => *takes = Regions::default(),
            _ => {}
        }
    }
    (of_value, count, takes)
}

fn asked(values: &[Value], tests: &[&Owned], answers: &dyn Fn(&Owned, &Value) -> bool) -> Cutting {
    let mut known: HashMap<Vec<bool>, u32> = HashMap::new();
    let mut takes = vec![Regions::default(); tests.len()];
    let mut of_value = Vec::with_capacity(values.len());
    for value in values {
        let said: Vec<bool> = tests.iter().map(|test| answers(test, value)).collect();
        let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
        let region = *known.entry(said).or_insert_with_key(|said| {
            for (takes, _) in takes.iter_mut().zip(said).filter(|(_, said)| **said) {
                takes.push(next, next);
            }
            next
        });
        of_value.push(region);
    }
    let count = u32::try_from(known.len()).unwrap_or(u32::MAX);
    (of_value, count, takes)
}
