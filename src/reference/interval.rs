//! What a measure can be: an interval of exact amounts.
//!
//! In: amounts that are surely or maybe measured. Out: the answer of a comparison.
//! Invariant: a comparison is true or false only if it is so for every amount of the interval.
//! Knows no events.

use std::fmt;

use rust_decimal::Decimal;

use crate::clock::Duration;
use crate::decision::Kleene;
use crate::matrix::Comparison;
use crate::value::Value;

/// Places behind the point that an exact decimal of the language can have.
const PLACES: u32 = 28;

/// An exact amount. A sum of decimals can need more digits than one decimal has, so it is kept in
/// two parts, which together never round: a window of [`crate::limits::WINDOW_EVENTS_MAX`] values
/// below 10^28 stays below 10^32, and an `i128` holds 10^38.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Amount {
    /// The whole part, rounded down.
    whole: i128,
    /// The rest in units of 10^-28; less than 10^28.
    fraction: i128,
}

impl Amount {
    const ONE: i128 = 10i128.pow(PLACES);

    /// The amount of a value that can be summed; of a duration its milliseconds.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Whole(number) => Some(Self {
                whole: i128::from(*number),
                fraction: 0,
            }),
            Value::Number(number) | Value::Money(number, _) => Self::of_decimal(*number),
            Value::Duration(span) => Some(Self {
                whole: i128::from(span.as_millis()),
                fraction: 0,
            }),
            _ => None,
        }
    }

    /// So many.
    pub(super) fn count(n: usize) -> Self {
        Self::whole(i128::try_from(n).unwrap_or(i128::MAX))
    }

    /// A whole amount.
    pub(crate) fn whole(whole: i128) -> Self {
        Self { whole, fraction: 0 }
    }

    /// `mantissa` times 10^-`scale`; `None` for more than [`PLACES`].
    pub(crate) fn scaled(mantissa: i128, scale: u32) -> Option<Self> {
        let unit = 10i128.checked_pow(scale)?;
        let places = PLACES.checked_sub(scale)?;
        let rest = mantissa.rem_euclid(unit);
        Some(Self {
            whole: mantissa.div_euclid(unit),
            fraction: rest.checked_mul(10i128.checked_pow(places)?)?,
        })
    }

    /// An amount of milliseconds as the matrix writes it; in `ms` what no one duration holds.
    pub(super) fn duration_text(self) -> String {
        let millis = u64::try_from(self.whole).ok().map(Duration::from_millis);
        match millis.filter(|span| i128::from(span.as_millis()) == self.whole) {
            Some(span) => span.to_string(),
            None => format!("{}ms", self.whole),
        }
    }

    fn of_decimal(number: Decimal) -> Option<Self> {
        Self::scaled(number.mantissa(), number.scale())
    }

    /// Both together; `None` beyond what can be held.
    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        let fraction = self.fraction.checked_add(other.fraction)?;
        let whole = self.whole.checked_add(other.whole)?;
        Some(Self {
            whole: whole.checked_add(fraction.div_euclid(Self::ONE))?,
            fraction: fraction.rem_euclid(Self::ONE),
        })
    }

    /// One less the other; `None` beyond what can be held.
    pub(super) fn minus(self, other: Self) -> Option<Self> {
        let fraction = self.fraction.checked_sub(other.fraction)?;
        let whole = self.whole.checked_sub(other.whole)?;
        Some(Self {
            whole: whole.checked_add(fraction.div_euclid(Self::ONE))?,
            fraction: fraction.rem_euclid(Self::ONE),
        })
    }

    /// Reads what is displayed, and nothing else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (whole, digits) = text.split_once('.').unwrap_or((text, ""));
        let places = digits.len() <= PLACES as usize && digits.bytes().all(|b| b.is_ascii_digit());
        let fraction = places.then(|| format!("{digits:0<28}"))?;
        let amount = Self {
            whole: whole.parse().ok()?,
            fraction: fraction.parse().ok()?,
        };
        (amount.to_string() == text).then_some(amount)
    }
}

impl fmt::Display for Amount {
    /// The whole part, rounded down, and the rest; of what is measured, which is 0 or above, the plain
    /// decimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = format!("{:028}", self.fraction);
        digits.truncate(digits.trim_end_matches('0').len());
        let point = if digits.is_empty() { "" } else { "." };
        write!(f, "{}{point}{digits}", self.whole)
    }
}

/// A measure between two amounts, both included. `None` is beyond every amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interval {
    /// It is at least this.
    pub(crate) low: Option<Amount>,
    /// It is at most this.
    pub(crate) high: Option<Amount>,
}

impl Interval {
    /// The answer of a comparison with a threshold.
    pub(crate) fn compare(self, op: Comparison, threshold: Amount) -> Kleene {
        let surely_above = self.low.is_none_or(|low| low > threshold);
        let surely_below = self.high.is_some_and(|high| high < threshold);
        let surely_at_least = self.low.is_none_or(|low| low >= threshold);
        let surely_at_most = self.high.is_some_and(|high| high <= threshold);
        match op {
            Comparison::Greater => decided(surely_above, surely_at_most),
            Comparison::LessOrEqual => decided(surely_at_most, surely_above),
            Comparison::GreaterOrEqual => decided(surely_at_least, surely_below),
            Comparison::Less => decided(surely_below, surely_at_least),
            // Both ends on different sides of the threshold do not agree that it is not met: the
            // measure may be exactly the threshold between them.
            Comparison::Is => decided(
                surely_at_least && surely_at_most,
                surely_above || surely_below,
            ),
            Comparison::IsNot => decided(
                surely_above || surely_below,
                surely_at_least && surely_at_most,
            ),
        }
    }

    /// `4`, `2 to 4`, `at least 4`, each amount as `show` writes it.
    pub(super) fn text(self, show: impl Fn(Amount) -> String) -> String {
        match (self.low, self.high) {
            (Some(low), Some(high)) if low == high => show(low),
            (Some(low), Some(high)) => format!("{} to {}", show(low), show(high)),
            (Some(low), None) => format!("at least {}", show(low)),
            (None, _) => "more than can be counted".to_owned(),
        }
    }
}

fn decided(surely: bool, surely_not: bool) -> Kleene {
    match (surely, surely_not) {
        (true, _) => Kleene::True,
        (_, true) => Kleene::False,
        _ => Kleene::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Comparison::{Greater, GreaterOrEqual, Is, IsNot, Less, LessOrEqual};
    use Kleene::{False, True, Unknown};

    fn amount(text: &str) -> Amount {
        Amount::of(&Value::Number(crate::value::parse_decimal(text).unwrap())).unwrap()
    }

    #[test]
    fn sums_never_round() {
        let large = amount("9999999999999999999999999999");
        let small = amount("0.0000000000000000000000000001");
        let both = large.plus(small).unwrap();
        assert_eq!(
            both.to_string(),
            "9999999999999999999999999999.0000000000000000000000000001"
        );
        assert!(both > large);
        let thirds = amount("0.3").plus(amount("0.7")).unwrap();
        assert_eq!(thirds, amount("1"));
        assert_eq!(amount("-1.5").plus(amount("1.5")).unwrap(), amount("0"));
    }

    #[test]
    fn amounts_read_back_and_nothing_else_does() {
        let most = Amount::whole(i128::MAX);
        for held in ["0", "12.5", "0.0000000000000000000000000001", "-1.5"].map(amount) {
            assert_eq!(Amount::parse(&held.to_string()), Some(held));
            assert_eq!(
                held.plus(amount("2.75")).unwrap().minus(amount("2.75")),
                Some(held)
            );
        }
        assert_eq!(Amount::parse(&most.to_string()), Some(most));
        assert_eq!(Amount::whole(i128::MIN).minus(amount("0.5")), None);
        let too_fine = "0.00000000000000000000000000001";
        for text in [
            "", ".5", "1.", "1.50", "01", "+1", "1e3", "1.-5", " 1", too_fine,
        ] {
            assert_eq!(Amount::parse(text), None, "{text}");
        }
    }

    #[test]
    fn durations_are_summed_in_milliseconds() {
        let of = |text: &str| Amount::of(&Value::Duration(Duration::parse(text).unwrap())).unwrap();
        let sum = of("40m").plus(of("50m")).unwrap();
        assert!(sum > of("1h29m59s999ms") && sum < of("1h30m1ms"));
        assert_eq!(sum.duration_text(), "1h30m");
        let long = of("36500d").plus(of("1ms")).unwrap();
        assert_eq!(long.duration_text(), "3153600000001ms");
    }

    #[test]
    fn a_comparison_holds_only_for_the_whole_interval() {
        let interval = |low: usize, high: Option<usize>| Interval {
            low: Some(Amount::count(low)),
            high: high.map(Amount::count),
        };
        let three = Amount::count(3);
        for (low, high, op, answer) in [
            (4, Some(4), Greater, True),
            (3, Some(3), Greater, False),
            (3, Some(4), Greater, Unknown),
            (3, Some(4), GreaterOrEqual, True),
            (2, Some(4), GreaterOrEqual, Unknown),
            (1, Some(2), GreaterOrEqual, False),
            (1, Some(2), Less, True),
            (2, Some(3), Less, Unknown),
            (2, Some(3), LessOrEqual, True),
            (4, Some(9), LessOrEqual, False),
            (3, Some(3), Is, True),
            // Neither end is 3, and it may be 3.
            (2, Some(4), Is, Unknown),
            (2, Some(4), IsNot, Unknown),
            (4, Some(5), Is, False),
            (4, Some(5), IsNot, True),
            (3, Some(3), IsNot, False),
            // Lower bounds.
            (4, None, Greater, True),
            (2, None, Greater, Unknown),
            (2, None, GreaterOrEqual, Unknown),
            (4, None, Less, False),
            (2, None, Less, Unknown),
            (2, None, LessOrEqual, Unknown),
            (3, None, Is, Unknown),
            (4, None, Is, False),
            (4, None, IsNot, True),
            (2, None, IsNot, Unknown),
        ] {
            assert_eq!(
                interval(low, high).compare(op, three),
                answer,
                "{low} to {high:?} {op:?} 3"
            );
        }
    }

    #[test]
    fn what_is_beyond_every_amount_exceeds_every_threshold() {
        let beyond = Interval {
            low: None,
            high: None,
        };
        assert_eq!(beyond.compare(Greater, Amount::count(3)), True);
        assert_eq!(beyond.compare(Less, Amount::count(3)), False);
        assert_eq!(beyond.compare(Is, Amount::count(3)), False);
    }
}
