//! What comes into a window and what comes out of it.
//!
//! In: events as prints and quantities. Out: amounts.
//! Invariant: nothing is rounded.

use super::super::secret::Print;
use crate::reference::Amount;

/// An exact decimal: `mantissa` times 10^-`scale`, at most 28 digits and places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::measure) struct Decimal {
    pub(in crate::measure) mantissa: i128,
    pub(in crate::measure) scale: u8,
}

impl From<(i128, u8)> for Decimal {
    fn from((mantissa, scale): (i128, u8)) -> Self {
        Self { mantissa, scale }
    }
}

impl Decimal {
    /// How both compare; `None` where their digits have no room.
    #[inline]
    pub(in crate::measure) fn compare(self, other: Self) -> Option<std::cmp::Ordering> {
        let difference = self.plus(other, true)?;
        Some(difference.mantissa.cmp(&0))
    }

    /// The sum of both, or the difference; `None` where its digits have no room.
    #[inline]
    pub(super) fn plus(self, other: Self, negative: bool) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        // PERF: of one measure all amounts have one scale, mostly.
        let scaled = |decimal: Self| match scale - decimal.scale {
            0 => Some(decimal.mantissa),
            more => decimal
                .mantissa
                .checked_mul(10i128.checked_pow(more.into())?),
        };
        let (one, other) = (scaled(self)?, scaled(other)?);
        let mantissa = match negative {
            false => one.checked_add(other)?,
            true => one.checked_sub(other)?,
        };
        Some(Self { mantissa, scale })
    }
}

/// An event that a measure counts.
#[derive(Debug, Clone, Copy)]
pub(in crate::measure) struct Given<'a> {
    pub(in crate::measure) at: i64,
    /// Nanoseconds that it may be late.
    pub(in crate::measure) lateness: i64,
    /// Its id, and what stands for it.
    pub(in crate::measure) id: Option<(Print, &'a [u8])>,
    /// Whether it surely passes `where`; else it may.
    pub(in crate::measure) sure: bool,
    /// What is summed, where something is.
    pub(in crate::measure) sum: Decimal,
    /// What is told apart, where something is.
    pub(in crate::measure) value: Print,
}

/// An amount that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::measure) enum Figure {
    Count(u64),
    Sum(Decimal),
    /// A sum that one decimal does not hold; `None` is beyond every amount.
    Wide(Option<Amount>),
}

impl Figure {
    /// `None` is beyond every amount.
    pub(in crate::measure) fn amount(self) -> Option<Amount> {
        match self {
            Self::Count(n) => Some(Amount::whole(n.into())),
            Self::Sum(sum) => Amount::scaled(sum.mantissa, sum.scale.into()),
            Self::Wide(amount) => amount,
        }
    }
}
