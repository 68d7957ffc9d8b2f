//! What the window of one key holds: its entries in one block of bytes, in the order of time.
//!
//! In: entries, instants in nanoseconds since 1970. Out: how much is inside of a window.
//! Invariant: the entries behind the cursor are those whose sum `total` is; nothing is rounded.

use super::names::Names;
use super::secret::Print;
use crate::reference::Amount;

mod columns;
mod figure;
mod kept;

pub(super) use columns::Shape;
pub(super) use figure::{Decimal, Figure, Given, Inside, Quantity};

use columns::{LAST, OFFSET, SURE, TIME};

/// The entries of one key.
#[derive(Debug)]
pub(super) struct Ring {
    block: Box<[u8]>,
    /// The instant of offset 0.
    base: i64,
    /// The instant of the newest entry.
    newest: i64,
    capacity: u16,
    length: u16,
    /// Where the oldest entry is.
    first: u16,
    /// The cursor: so many of the oldest entries are not in `total`.
    aged: u16,
    /// How many of those in `total` may not pass.
    maybes: u16,
    /// The scale of `total`.
    scale: u8,
    /// Whether the sum needs more digits than `total` has; then the entries are added up.
    wide: bool,
    names: Names,
    /// The halves of a sum's mantissa, or a number of distinct values.
    total: [u64; 2],
}

impl Ring {
    pub(super) fn new() -> Self {
        Self {
            block: Box::default(),
            base: 0,
            newest: i64::MIN,
            capacity: 0,
            length: 0,
            first: 0,
            aged: 0,
            maybes: 0,
            scale: 0,
            wide: false,
            names: Names::default(),
            total: [0; 2],
        }
    }

    pub(super) fn len(&self) -> usize {
        self.length.into()
    }

    /// The instant of the newest entry; long ago without one.
    pub(super) fn newest(&self) -> i64 {
        self.newest
    }

    /// Bytes beside the ring itself: of its entries, and of its ids.
    pub(super) fn bytes(&self, shape: Shape) -> (usize, usize) {
        let entries = usize::from(self.capacity) * shape.entry();
        (entries, self.block.len() - entries)
    }

    /// Reads something of what an entry for the next event would be put beside, so that it is at
    /// hand then.
    #[inline]
    pub(super) fn touch(&self) -> u64 {
        let last = self.place(self.len().saturating_sub(1));
        let prints = TIME * usize::from(self.capacity) + usize::from(self.first);
        self.word(TIME * last) ^ self.word(prints)
    }

    /// The sum, if its digits have room.
    #[inline]
    fn total(&self) -> Option<Decimal> {
        let [low, high] = self.total;
        let mantissa = (u128::from(low) | u128::from(high) << 64).cast_signed();
        let scale = self.scale;
        (!self.wide).then_some(Decimal { mantissa, scale })
    }

    fn distinct(&self) -> u64 {
        let [count, _] = self.total;
        count
    }

    #[inline]
    fn add(&mut self, decimal: Decimal, negative: bool) {
        let sum = self.total().and_then(|total| total.plus(decimal, negative));
        match sum {
            Some(sum) => {
                let total = sum.mantissa.cast_unsigned();
                #[expect(clippy::cast_possible_truncation, reason = "the halves of a number")]
                let halves = [total as u64, (total >> 64) as u64];
                (self.total, self.scale) = (halves, sum.scale);
            }
            None => self.wide = true,
        }
    }

    /// An entry comes into the total, or leaves it.
    #[inline]
    fn count(&mut self, shape: Shape, entry: usize, leaves: bool) {
        if !self.is_sure(entry) {
            self.maybes = match leaves {
                true => self.maybes.saturating_sub(1),
                false => self.maybes + 1,
            };
        }
        match shape {
            Shape::Count => {}
            Shape::Sum => self.add(self.decimal(entry), leaves),
            Shape::Distinct => {
                if self.time(entry) & LAST != 0 {
                    self.count_distinct(leaves);
                }
            }
        }
    }

    fn count_distinct(&mut self, fewer: bool) {
        let [count, _] = &mut self.total;
        *count = match fewer {
            true => count.saturating_sub(1),
            false => *count + 1,
        };
    }

    /// Moves the cursor so that the total is of the entries behind an instant.
    #[inline]
    fn turn(&mut self, shape: Shape, behind: i64) {
        while usize::from(self.aged) < self.len() && self.at(self.aged.into()) <= behind {
            self.count(shape, self.aged.into(), true);
            self.aged += 1;
        }
        while self.aged > 0 && self.at(usize::from(self.aged) - 1) > behind {
            self.aged -= 1;
            self.count(shape, self.aged.into(), false);
        }
        if usize::from(self.aged) == self.len() {
            // Nothing is left that a scale or more digits would be for.
            (self.total, self.scale, self.wide) = ([0; 2], 0, false);
        }
    }

    /// Lets go of what happened up to an instant.
    #[inline]
    pub(super) fn evict(&mut self, shape: Shape, until: i64) {
        if self.length == 0 || self.at(0) > until {
            return;
        }
        while self.length > 0 && self.at(0) <= until {
            self.drop_oldest(shape);
        }
        if self.length == 0 {
            *self = Self {
                names: std::mem::take(&mut self.names),
                block: std::mem::take(&mut self.block),
                capacity: self.capacity,
                ..Self::new()
            };
        }
        if usize::from(self.capacity) > 8
            && usize::from(self.length) * 2 < usize::from(self.capacity)
        {
            self.resize(shape, room(self.len()));
        }
    }

    /// Lets go of the oldest entry.
    fn drop_oldest(&mut self, shape: Shape) {
        match self.aged {
            0 => self.count(shape, 0, true),
            _ => self.aged -= 1,
        }
        self.first = u16::try_from(self.place(1)).unwrap_or(0);
        self.length -= 1;
    }

    /// Puts an event in its place, in a window with room for `most`.
    #[inline]
    pub(super) fn insert(&mut self, shape: Shape, given: &Given<'_>, most: usize) {
        if self.length == self.capacity {
            let capacity = room(self.len()).min(most + 1);
            self.resize(shape, capacity.max(self.len() + 1));
        }
        self.rebase(given.at);
        let mut entry = self.len();
        self.length += 1;
        while entry > 0 && self.at(entry - 1) > given.at {
            self.copy(shape, entry - 1, entry);
            entry -= 1;
        }
        self.write(shape, entry, given);
        let is_aged = entry < usize::from(self.aged);
        if shape == Shape::Distinct {
            self.mark_last(entry, given.quantity, is_aged);
        }
        if is_aged {
            self.aged += 1;
        } else {
            self.count(shape, entry, false);
        }
        self.newest = self.newest.max(given.at);
        if let Some((_, name)) = given.id {
            let columns = usize::from(self.capacity) * shape.entry();
            self.names.push(&mut self.block, columns, name);
        }
    }

    /// Lets go of the oldest entry where there are more than `most`, and says its instant.
    #[inline]
    pub(super) fn trim(&mut self, shape: Shape, most: usize) -> Option<i64> {
        (self.len() > most).then(|| {
            let oldest = self.at(0);
            self.drop_oldest(shape);
            oldest
        })
    }

    fn write(&mut self, shape: Shape, entry: usize, given: &Given<'_>) {
        let offset = given.at.wrapping_sub(self.base).cast_unsigned() & OFFSET;
        self.set_time(entry, if given.sure { offset | SURE } else { offset });
        let print = given.id.map_or(Print::default(), |(print, _)| print);
        self.set_print(self.ids(), entry, print);
        match (shape, given.quantity) {
            (Shape::Sum, Quantity::Sum(decimal)) => self.set_decimal(entry, decimal),
            (Shape::Distinct, Quantity::Value(value)) => {
                self.set_print(self.values(), entry, value);
            }
            _ => {}
        }
    }

    /// Marks an entry that was just put in as the last of its value, unless a later one is.
    fn mark_last(&mut self, entry: usize, quantity: Quantity, is_aged: bool) {
        let Quantity::Value(value) = quantity else {
            return;
        };
        // PERF: the newest other one with the value is its last so far.
        let mut others = self.with_print(self.values(), value);
        let other = others.find(|other| *other != entry);
        drop(others);
        if let Some(before) = other {
            if before > entry {
                return;
            }
            self.mark(before, LAST, false);
            // What stands behind the cursor moved up by one if the new entry is not.
            let cursor = usize::from(self.aged) + usize::from(is_aged);
            if before >= cursor {
                self.count_distinct(true);
            }
        }
        self.mark(entry, LAST, true);
    }

    /// How much there is behind an instant and up to another, with an event that is not there, as if
    /// it were: of a window with room for `most` events the oldest is let go of for it.
    #[inline]
    pub(super) fn inside(
        &mut self,
        shape: Shape,
        (behind, until): (i64, i64),
        more: Option<&Given<'_>>,
        most: usize,
    ) -> Inside {
        self.turn(shape, behind);
        let newer = match self.newest <= until {
            true => 0,
            false => (0..self.len())
                .rev()
                .take_while(|entry| self.at(*entry) > until)
                .count(),
        };
        let (from, to) = (usize::from(self.aged), self.len() - newer);
        let more = more.filter(|more| more.id.is_none_or(|(id, _)| !self.has(id, behind, until)));
        let events = to.saturating_sub(from) + usize::from(more.is_some());
        let dropped = events.saturating_sub(most);
        let range = from + dropped..to;
        let known = match (newer, more) {
            _ if dropped > 0 => None,
            (0, None) => self.figure(shape),
            _ => self.figure_but(shape, range.clone(), more),
        };
        let high = known.unwrap_or_else(|| self.sum_up(shape, range.clone(), more, false));
        let is_sure = self.maybes == 0 && more.is_none_or(|more| more.sure);
        let low = match is_sure {
            true => high,
            false => self.sum_up(shape, range, more, true),
        };
        Inside {
            entries: events - dropped,
            more: more.is_some(),
            low,
            high,
        }
    }

    /// What the total says, if it does.
    #[inline]
    fn figure(&self, shape: Shape) -> Option<Figure> {
        Some(match shape {
            Shape::Count => Figure::Count(u64::from(self.length - self.aged)),
            Shape::Distinct => Figure::Count(self.distinct()),
            Shape::Sum => Figure::Sum(self.total()?),
        })
    }

    /// The same without the entries behind a range that ends at the cursor, and with one more.
    // PERF: those are few where events are a little out of order, however full the window is.
    #[cold]
    fn figure_but(
        &self,
        shape: Shape,
        range: std::ops::Range<usize>,
        more: Option<&Given<'_>>,
    ) -> Option<Figure> {
        // Of a window that is out of reach the cursor stands behind its end.
        let newer = range.end.max(self.aged.into())..self.len();
        Some(match shape {
            Shape::Count => Figure::Count((range.len() + usize::from(more.is_some())) as u64),
            Shape::Sum => {
                let mut total = self.total();
                for entry in newer {
                    total = total.and_then(|total| total.plus(self.decimal(entry), true));
                }
                if let Some(Quantity::Sum(sum)) = more.map(|more| more.quantity) {
                    total = total.and_then(|total| total.plus(sum, false));
                }
                Figure::Sum(total?)
            }
            Shape::Distinct => {
                let column = self.values();
                let is_there = |value: Print| {
                    let mut found = self.with_print(column, value);
                    found.any(|entry| range.contains(&entry))
                };
                let is_last = |entry: &usize| self.time(*entry) & LAST != 0;
                let gone = newer
                    .filter(is_last)
                    .filter(|entry| !is_there(self.print(column, *entry)));
                let new = match more.map(|more| more.quantity) {
                    Some(Quantity::Value(value)) => !is_there(value),
                    _ => false,
                };
                let count = self.distinct().saturating_sub(gone.count() as u64);
                Figure::Count(count + u64::from(new))
            }
        })
    }

    /// The same entry by entry.
    #[cold]
    fn sum_up(
        &self,
        shape: Shape,
        range: std::ops::Range<usize>,
        more: Option<&Given<'_>>,
        surely: bool,
    ) -> Figure {
        let entries = range.filter(|entry| !surely || self.is_sure(*entry));
        let more = more.filter(|more| !surely || more.sure);
        match shape {
            Shape::Count => {
                let count = entries.count() + usize::from(more.is_some());
                Figure::Count(count as u64)
            }
            Shape::Distinct => {
                let column = self.values();
                let mut prints: Vec<_> = entries.map(|entry| self.print(column, entry)).collect();
                if let Some(Quantity::Value(value)) = more.map(|more| more.quantity) {
                    prints.push(value);
                }
                prints.sort_unstable_by_key(|print| (print.low, print.high));
                prints.dedup();
                Figure::Count(prints.len() as u64)
            }
            Shape::Sum => {
                let decimals = entries.map(|entry| self.decimal(entry));
                let more = more.and_then(|more| match more.quantity {
                    Quantity::Sum(decimal) => Some(decimal),
                    _ => None,
                });
                let amounts = decimals
                    .chain(more)
                    .map(|sum| Amount::scaled(sum.mantissa, sum.scale.into()));
                let sum = amounts.into_iter();
                Figure::Wide(
                    sum.into_iter()
                        .try_fold(Amount::default(), |sum, amount| sum.plus(amount?)),
                )
            }
        }
    }

    /// The last entries behind an instant and up to another: their instants and their ids by their
    /// prints, the oldest first.
    pub(super) fn last(&self, behind: i64, until: i64, most: usize) -> Vec<(i64, Print)> {
        let entries = (0..self.len()).rev();
        let entries = entries
            .map(|entry| (self.at(entry), entry))
            .skip_while(|(at, _)| *at > until)
            .take_while(|(at, _)| *at > behind)
            .take(most);
        let mut last: Vec<_> = entries
            .map(|(at, entry)| {
                let print = self.print(self.ids(), entry);
                (at, print)
            })
            .collect();
        last.reverse();
        last
    }

    /// The last ids.
    pub(super) fn names(&self, shape: Shape) -> impl Iterator<Item = &[u8]> {
        let columns = usize::from(self.capacity) * shape.entry();
        self.names.all(&self.block, columns)
    }
}

/// How many entries a block that holds so many makes room for. A small block grows by little, so
/// that keys of few events stay small; a large one by a sixteenth, so that each entry is copied some
/// sixteen times as long as its window grows.
fn room(length: usize) -> usize {
    length
        + match length {
            0..4 => 1,
            4..32 => 2,
            _ => length / 16,
        }
}
