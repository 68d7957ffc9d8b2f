//! The amounts of measures that their tests tell apart, and which measures count at most what others do.
//!
//! An amount is any from zero on: what happened before may be anything. But over one stream a longer window, a weaker
//! filter and a coarser key count at least as much.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::{At, Dim, Dimension, Regions, Space, each_once, ordered};
use crate::matrix::{Comparison, Expr, ExprKind, Measure, MeasureFunction, MeasureTest, TestOp};
use crate::value::{Range, Type, Value};

/// The amounts of a measure that its tests tell apart. It may also not be known.
pub(super) fn dimension(space: &Space<'_>, tests: &[(At, Arc<MeasureTest>)]) -> Dimension {
    let first = tests.first().and_then(|(side, test)| {
        let matrix = space.side(*side)?.matrix;
        Some((matrix, matrix.measure(test.measure)?))
    });
    let field = first.and_then(|(matrix, measure)| match measure.function {
        MeasureFunction::Sum(field) => matrix.kind(measure.kind).and_then(|kind| kind.field(field)),
        MeasureFunction::Count | MeasureFunction::Distinct(_) => None,
    });
    let thresholds: Vec<Decimal> = tests
        .iter()
        .filter_map(|(_, test)| amount(&test.threshold))
        .collect();
    // Nothing that is measured is less than zero; behind the last threshold little is enough.
    let most = thresholds.iter().max().copied().unwrap_or_default();
    let from_zero = Range {
        low: Decimal::ZERO,
        high: most.checked_add(Decimal::ONE).unwrap_or(most),
    };
    let ty = match field.map(|field| &field.ty) {
        Some(Type::Money(currency, _)) => Type::Money(*currency, Some(from_zero)),
        Some(Type::Number(_)) => Type::Number(Some(from_zero)),
        _ => Type::Whole(Some(Range {
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
        let answers = tests.iter().map(|(_, test)| holds(&value, test));
        let answers: Vec<bool> = answers.collect();
        let is_same = last.as_ref() == Some(&answers);
        match regions.last_mut().filter(|_| is_same) {
            Some(region) => region.push(value),
            None => regions.push(vec![value]),
        }
        last = Some(answers);
    }
    let count = u32::try_from(regions.len()).unwrap_or(u32::MAX);
    let bounds = bounds(&regions, &thresholds, matches!(ty, Type::Whole(_)));
    Dimension {
        regions,
        missing: Some(count),
        exact: true,
        plain: 0,
        is_age: false,
        bounds,
    }
}

/// Between which amounts a region lies.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    low: Decimal,
    /// Whether that is one of its amounts.
    has_low: bool,
    /// None where there is no most.
    high: Option<Decimal>,
    has_high: bool,
}

fn bounds(regions: &[Vec<Value>], thresholds: &[Decimal], is_whole: bool) -> Vec<Bounds> {
    let last = regions.len().saturating_sub(1);
    let each = regions.iter().enumerate().map(|(region, values)| {
        let first = values.first().and_then(amount).unwrap_or_default();
        let most = values.last().and_then(amount).unwrap_or_default();
        let below = thresholds.iter().filter(|it| **it <= first).max().copied();
        let above = thresholds.iter().filter(|it| **it >= most).min().copied();
        let low = match (region, is_whole) {
            (0, _) => Decimal::ZERO,
            (_, true) => first,
            (_, false) => below.unwrap_or_default(),
        };
        let high = match (region == last, is_whole) {
            (true, _) => None,
            (_, true) => Some(most),
            (_, false) => above,
        };
        Bounds {
            low,
            has_low: low == first,
            high,
            has_high: high == Some(most),
        }
    });
    each.collect()
}

fn amount(value: &Value) -> Option<Decimal> {
    match value {
        Value::Whole(number) => Some(Decimal::from(*number)),
        Value::Number(number) | Value::Money(number, _) => Some(*number),
        _ => None,
    }
}

/// Whether all amounts of some regions are more than all of others, where they can only be as much.
pub(super) fn is_against(
    less: &Dimension,
    low: &Regions,
    more: &Dimension,
    high: &Regions,
) -> bool {
    // An amount that is not known may be any.
    let is_known =
        |dim: &Dimension, set: &Regions| !dim.missing.is_some_and(|missing| set.has(missing));
    if !is_known(less, low) || !is_known(more, high) {
        return false;
    }
    let least = low.iter().next();
    let least = least.and_then(|region| less.bounds.get(region as usize));
    let most = high.iter().last();
    let most = most.and_then(|region| more.bounds.get(region as usize));
    match (least, most) {
        (Some(least), Some(most)) => most.high.is_some_and(|high| {
            least.low > high || least.low == high && !(least.has_low && most.has_high)
        }),
        _ => false,
    }
}

/// Which measures count at most what others count.
pub(super) fn at_most(space: &Space<'_>) -> Vec<(Dim, Dim)> {
    let mut pairs = Vec::new();
    for side in &space.sides {
        let measure = |id| side.matrix.measure(id);
        let all: Vec<(Dim, &Measure)> = side
            .measures
            .iter()
            .filter_map(|(id, dim)| Some((*dim, measure(*id)?)))
            .collect();
        for (less, one) in &all {
            let more = all
                .iter()
                .filter(|(more, other)| less != more && counts_at_most(side.matrix, one, other));
            pairs.extend(more.map(|(more, _)| (*less, *more)));
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

fn counts_at_most(matrix: &crate::matrix::Matrix, one: &Measure, other: &Measure) -> bool {
    let is_one_stream = one.function == other.function
        && one.kind == other.kind
        && other.by.iter().all(|key| one.by.contains(key));
    let parts = |measure: &Measure| {
        let mut parts = Vec::new();
        if let Some(filter) = &measure.filter {
            conjuncts(matrix, filter, &mut parts);
        }
        parts
    };
    let (ours, theirs) = (parts(one), parts(other));
    is_one_stream && one.window <= other.window && theirs.iter().all(|part| ours.contains(part))
}

/// What a filter asks for, each in words that are equal where it is the same.
fn conjuncts(matrix: &crate::matrix::Matrix, expr: &Expr, parts: &mut Vec<String>) {
    match &expr.kind {
        ExprKind::All(all) => all.iter().for_each(|it| conjuncts(matrix, it, parts)),
        ExprKind::Condition(id) => match matrix.condition(*id) {
            Some(condition) => conjuncts(matrix, &condition.expr, parts),
            None => parts.push(String::new()),
        },
        _ => parts.push(words(matrix, expr)),
    }
}

/// An expression in words that are equal where it asks the same, whatever conditions and lists are called.
pub(super) fn words(matrix: &crate::matrix::Matrix, expr: &Expr) -> String {
    let each = |parts: &[Expr]| {
        let parts: Vec<String> = parts.iter().map(|part| words(matrix, part)).collect();
        parts.join("; ")
    };
    match &expr.kind {
        ExprKind::All(parts) => format!("all of ({})", each(parts)),
        ExprKind::Any(parts) => format!("any of ({})", each(parts)),
        ExprKind::None(parts) => format!("none of ({})", each(parts)),
        ExprKind::AtLeast(least, parts) => format!("at least {least} of ({})", each(parts)),
        ExprKind::Not(inner) => format!("not ({})", words(matrix, inner)),
        ExprKind::Condition(id) => match matrix.condition(*id) {
            Some(condition) => words(matrix, &condition.expr),
            None => String::new(),
        },
        ExprKind::Test(test) => {
            let values = match &test.op {
                TestOp::In { values, .. } | TestOp::Contains { values, .. } => values.as_slice(),
                _ => &[],
            };
            let values: Vec<String> = values.iter().map(Value::to_string).collect();
            format!("{} {} {}", test.text, test.if_present, values.join(", "))
        }
        ExprKind::Measure(test) => test.text.clone(),
    }
}

/// What the comparison of a measure says of an amount.
pub(super) fn holds(amount: &Value, test: &MeasureTest) -> bool {
    match test.op {
        Comparison::Is => *amount == test.threshold,
        Comparison::IsNot => *amount != test.threshold,
        ordered => amount
            .order(&test.threshold)
            .is_some_and(|order| ordered.holds(order)),
    }
}
