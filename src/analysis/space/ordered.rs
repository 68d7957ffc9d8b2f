//! Values of an ordered type: each literal, and some between two, before the first and behind the last.
//!
//! Invariant: every value lies in the range of its type; between two neighbours there are as many as are asked for,
//! or all there are.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use crate::clock::Duration;
use crate::value::{Currency, Range, Type, Value};

/// Values in their order, so many between two literals.
pub(super) fn values<'v>(
    ty: &Type,
    cuts: impl Iterator<Item = &'v Value>,
    between: usize,
) -> Vec<Value> {
    let cuts: Vec<&Value> = cuts.collect();
    match ty {
        Type::Whole(range) => {
            let (low, high) = range.map_or((i64::MIN, i64::MAX), |range| (range.low, range.high));
            let cuts = cuts.into_iter().filter_map(|value| match value {
                Value::Whole(number) => Some(i128::from(*number)),
                _ => None,
            });
            let all = steps(cuts.collect(), i128::from(low), i128::from(high), between);
            let all = all
                .into_iter()
                .filter_map(|number| i64::try_from(number).ok());
            all.map(Value::Whole).collect()
        }
        Type::Duration => {
            let cuts = cuts.into_iter().filter_map(|value| match value {
                Value::Duration(span) => Some(i128::from(span.as_millis())),
                _ => None,
            });
            let most = i128::from(Duration::MAX.as_millis());
            let all = steps(cuts.collect(), 0, most, between).into_iter();
            let all = all.filter_map(|millis| u64::try_from(millis).ok());
            all.map(|millis| Value::Duration(Duration::from_millis(millis)))
                .collect()
        }
        Type::Number(range) => {
            let all = decimals(decimal_cuts(&cuts), *range, between).into_iter();
            all.map(Value::Number).collect()
        }
        Type::Money(currency, range) => {
            let all = decimals(decimal_cuts(&cuts), *range, between).into_iter();
            all.map(|amount| money(amount, *currency)).collect()
        }
        _ => Vec::new(),
    }
}

fn money(amount: Decimal, currency: Currency) -> Value {
    Value::Money(amount, currency)
}

fn decimal_cuts(cuts: &[&Value]) -> BTreeSet<Decimal> {
    let cuts = cuts.iter().filter_map(|value| match value {
        Value::Number(number) | Value::Money(number, _) => Some(*number),
        _ => None,
    });
    cuts.collect()
}

/// Whole values: each literal with its neighbours.
pub(super) fn steps(cuts: BTreeSet<i128>, low: i128, high: i128, between: usize) -> Vec<i128> {
    let reach = i128::try_from(between.max(1)).unwrap_or(1);
    let mut all = BTreeSet::new();
    for cut in &cuts {
        all.extend(cut - reach..=cut + reach);
    }
    if cuts.is_empty() {
        // The plainest ones.
        let first = 0.max(low).min(high);
        all.extend(first..=first + reach);
    }
    all.extend([low, high].into_iter().filter(|_| cuts.is_empty()));
    all.into_iter()
        .filter(|value| (low..=high).contains(value))
        .collect()
}

/// Exact decimals.
fn decimals(
    cuts: BTreeSet<Decimal>,
    range: Option<Range<Decimal>>,
    between: usize,
) -> Vec<Decimal> {
    let mut edges: Vec<Decimal> = cuts.into_iter().collect();
    let (low, high) = range.map_or((None, None), |range| (Some(range.low), Some(range.high)));
    let mut all: BTreeSet<Decimal> = edges.iter().copied().collect();
    let one = Decimal::ONE;
    let before = low.or_else(|| edges.first().and_then(|first| first.checked_sub(one)));
    let behind = high.or_else(|| edges.last().and_then(|last| last.checked_add(one)));
    edges.extend([before.unwrap_or_default(), behind.unwrap_or(one)]);
    edges.sort_unstable();
    edges.dedup();
    all.extend(edges.iter().copied());
    for pair in edges.windows(2) {
        let [from, to] = pair else { continue };
        all.extend(inner(*from, *to, between.max(1)));
    }
    let holds = |value: &Decimal| {
        low.is_none_or(|low| *value >= low) && high.is_none_or(|high| *value <= high)
    };
    all.into_iter()
        .map(|value| value.normalize())
        .filter(holds)
        .collect()
}

/// So many values between two, the plainest first: each halves what is left.
fn inner(from: Decimal, to: Decimal, many: usize) -> Vec<Decimal> {
    let mut found = Vec::new();
    let mut from = from;
    for _ in 0..many {
        let middle = from
            .checked_add(to)
            .and_then(|sum| sum.checked_div(Decimal::TWO));
        // A whole number reads better, where there is one.
        let plain = middle
            .map(|middle| middle.trunc())
            .filter(|it| *it > from && *it < to);
        let Some(value) = plain.or(middle).filter(|it| *it > from && *it < to) else {
            break;
        };
        found.push(value);
        from = value;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn decimals_lie_on_both_sides_of_each_literal() {
        let range = Range {
            low: decimal("0"),
            high: decimal("1"),
        };
        let cuts = BTreeSet::from([decimal("0.72"), decimal("1")]);
        let all = decimals(cuts, Some(range), 1);
        assert_eq!(all.first(), Some(&decimal("0")));
        assert!(
            all.iter()
                .any(|it| *it > decimal("0") && *it < decimal("0.72"))
        );
        assert!(all.contains(&decimal("0.72")));
        assert!(
            all.iter()
                .any(|it| *it > decimal("0.72") && *it < decimal("1"))
        );
        assert_eq!(all.last(), Some(&decimal("1")));
    }

    #[test]
    fn whole_numbers_have_their_neighbours_and_keep_to_their_range() {
        let all = steps(BTreeSet::from([3, 4]), 0, 4, 1);
        assert_eq!(all, [2, 3, 4]);
        assert_eq!(steps(BTreeSet::new(), 5, 6, 1), [5, 6]);
    }
}
