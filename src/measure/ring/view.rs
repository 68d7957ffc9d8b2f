//! How much is inside of a window.
//!
//! In: a ring, the instants that a window lies between, and perhaps an event that is not there. Out:
//! its amounts.
//! Invariant: nothing is rounded. What the totals of the ring say is what its entries say one by one.

use std::collections::HashSet;
use std::ops::Range;

use super::Ring;
use super::block::{Searched, Shape};
use super::figure::{Decimal, Figure, Given};
use crate::program::gauge::Function;
use crate::reference::{Amount, Interval, Partial};

/// A window as an event sees it.
#[derive(Debug, Clone)]
pub(in crate::measure) struct View<'r> {
    ring: &'r Ring,
    shape: Shape,
    /// The entries of it.
    range: Range<usize>,
    /// An event that is in it as if it were in the ring.
    more: Option<&'r Given<'r>>,
    /// Whether the totals of the ring are those of the window, all of it sure.
    is_plain: bool,
    /// How many of the oldest entries give way to that event.
    dropped: usize,
    /// Why it is only a lower bound.
    pub(in crate::measure) partial: Option<Partial>,
    /// The functions whose quantities some of its events may be without, by their bits.
    pub(in crate::measure) left_out: u8,
}

impl Ring {
    /// What is behind an instant and up to another, with an event that is not there, as if it were: of
    /// a window with room for `most` events the oldest is let go of for it.
    #[inline]
    pub(in crate::measure) fn view<'r>(
        &'r mut self,
        shape: Shape,
        (behind, until): (i64, i64),
        more: Option<&'r Given<'r>>,
        most: usize,
    ) -> View<'r> {
        self.turn(shape, behind);
        let newer = match self.newest() <= until {
            true => 0,
            false => self.newer(shape, until),
        };
        let (from, to) = (usize::from(self.aged), self.len() - newer);
        let more = more.filter(|more| {
            more.id
                .is_none_or(|(id, _)| !self.has_until(shape, id, (behind, until)))
        });
        let events = to.saturating_sub(from) + usize::from(more.is_some());
        let dropped = events.saturating_sub(most);
        let is_plain = newer == 0 && more.is_none() && dropped == 0 && self.maybes() == 0;
        View {
            ring: self,
            shape,
            range: from + dropped..to,
            more,
            is_plain,
            dropped,
            partial: None,
            left_out: 0,
        }
    }

    /// How many entries happened later than an instant.
    #[cold]
    fn newer(&self, shape: Shape, until: i64) -> usize {
        let entries = (0..self.len()).rev();
        entries
            .take_while(|entry| self.at(shape, *entry) > until)
            .count()
    }
}

impl View<'_> {
    /// How many events there are.
    #[inline]
    pub(in crate::measure) fn entries(&self) -> usize {
        self.range.len() + usize::from(self.more.is_some())
    }

    /// Whether one of them is not held.
    pub(in crate::measure) fn has_more(&self) -> bool {
        self.more.is_some()
    }

    /// Why what a function says is only a lower bound.
    #[inline]
    pub(in crate::measure) fn partial(&self, function: Function) -> Option<Partial> {
        match self.left_out & function.bit() {
            0 => self.partial,
            _ => Some(Partial::Lost),
        }
    }

    /// What the window says surely and exactly, where that needs no search.
    #[inline]
    pub(in crate::measure) fn plain(&self, function: Function) -> Option<Figure> {
        match self.is_plain && self.partial(function).is_none() {
            true => self.total(function),
            false => None,
        }
    }

    /// Between which amounts the measure lies.
    pub(in crate::measure) fn interval(&self, function: Function) -> Interval {
        let high = self.figure(function);
        let is_sure = self.ring.maybes() == 0 && self.more.is_none_or(|more| more.sure);
        let low = match is_sure {
            true => high,
            false => self.sum_up(function, true),
        };
        Interval {
            low: low.amount(),
            high: high.amount().filter(|_| self.partial(function).is_none()),
        }
    }

    /// What is measured of those that may pass.
    fn figure(&self, function: Function) -> Figure {
        let is_whole = self.range.end == self.ring.len() && self.more.is_none();
        let known = match self.dropped {
            0 if is_whole => self.total(function),
            0 => self.corrected(function),
            _ => None,
        };
        known.unwrap_or_else(|| self.sum_up(function, false))
    }

    /// What the totals say, if they do.
    #[inline]
    fn total(&self, function: Function) -> Option<Figure> {
        Some(match function {
            Function::Count => Figure::Count(u64::from(self.ring.length - self.ring.aged)),
            Function::Distinct => Figure::Count(self.ring.distinct().into()),
            Function::Sum => Figure::Sum(self.ring.total()?),
        })
    }

    /// The same without the entries behind the window, and with one more.
    // PERF: those are few where events are a little out of order, however full the window is.
    fn corrected(&self, function: Function) -> Option<Figure> {
        let (ring, shape) = (self.ring, self.shape);
        // Of a window that is out of reach the cursor stands behind its end.
        let newer = self.range.end.max(ring.aged.into())..ring.len();
        Some(match function {
            Function::Count => Figure::Count(self.entries() as u64),
            Function::Sum => {
                let mut total = ring.total();
                for entry in newer {
                    total = total.and_then(|total| total.plus(ring.decimal(shape, entry), true));
                }
                if let Some(more) = self.more {
                    total = total.and_then(|total| total.plus(more.sum, false));
                }
                Figure::Sum(total?)
            }
            Function::Distinct => {
                let is_inside = |entry| self.range.contains(&entry);
                let is_there = |value| {
                    let found = ring.find(shape, Searched::Values, value, is_inside);
                    found.is_some()
                };
                let value = |entry| ring.print(shape, Searched::Values, entry);
                let gone = newer
                    .filter(|entry| ring.is_last(shape, *entry))
                    .filter(|entry| !is_there(value(*entry)));
                let new = self.more.is_some_and(|more| !is_there(more.value));
                let count = u64::from(ring.distinct()).saturating_sub(gone.count() as u64);
                Figure::Count(count + u64::from(new))
            }
        })
    }

    /// The same entry by entry.
    #[cold]
    fn sum_up(&self, function: Function, surely: bool) -> Figure {
        let (ring, shape) = (self.ring, self.shape);
        let entries = self.range.clone();
        let entries = entries.filter(|entry| !surely || ring.is_sure(shape, *entry));
        let more = self.more.filter(|more| !surely || more.sure);
        match function {
            Function::Count => {
                let count = entries.count() + usize::from(more.is_some());
                Figure::Count(count as u64)
            }
            Function::Distinct => {
                let values = entries.map(|entry| ring.print(shape, Searched::Values, entry));
                let values = values.chain(more.map(|more| more.value));
                Figure::Count(values.collect::<HashSet<_>>().len() as u64)
            }
            Function::Sum => {
                let decimals = entries.map(|entry| ring.decimal(shape, entry));
                let decimals = decimals.chain(more.map(|more| more.sum));
                let amount = |sum: Decimal| Amount::scaled(sum.mantissa, sum.scale.into());
                let mut amounts = decimals.map(amount);
                Figure::Wide(amounts.try_fold(Amount::default(), |sum, amount| sum.plus(amount?)))
            }
        }
    }
}
