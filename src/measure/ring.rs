//! What the window of one key holds: its entries in one block of bytes, in the order of time.
//!
//! In: entries, instants in nanoseconds since 1970. Out: how much is inside of a window.
//! Invariant: the entries behind the cursor are those whose sum `total` is and whose values are
//! counted by `distinct`; nothing is rounded.

use super::secret::Print;

mod block;
mod figure;
mod head;
mod kept;
mod piece;
mod sieve;
mod view;

pub(super) use block::Shape;
pub(super) use figure::{Decimal, Figure, Given};
pub(super) use view::View;

use block::{LAST, SURE, Searched};

/// The entries of one key.
#[derive(Debug, Default)]
pub(super) struct Ring {
    block: Box<[u8]>,
    /// The instant of the newest entry; without one it says nothing.
    newest: i64,
    capacity: u16,
    length: u16,
    /// Where the oldest entry is.
    first: u16,
    /// The cursor: so many of the oldest entries are not in the totals.
    aged: u16,
}

/// No scale of a sum: it needs more digits than there is room for, and the entries are added up.
const WIDE: u8 = u8::MAX;

impl Ring {
    /// The window of a key in which nothing has happened yet.
    pub(super) fn of(key: Print) -> Self {
        let mut ring = Self {
            block: vec![0; head::HEAD].into_boxed_slice(),
            ..Self::default()
        };
        ring.set_key(key);
        ring
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.length.into()
    }

    /// The instant of the newest entry; long ago without one.
    #[inline]
    pub(super) fn newest(&self) -> i64 {
        match self.length {
            0 => i64::MIN,
            _ => self.newest,
        }
    }

    /// Bytes beside the ring itself: of its head, of its entries, and of its ids.
    pub(super) fn bytes(&self, shape: Shape) -> [usize; 3] {
        let columns = self.columns(shape);
        let head = head::HEAD;
        [
            head,
            columns - head,
            self.block.len().saturating_sub(columns),
        ]
    }

    /// The sum, if its digits have room.
    #[inline]
    fn total(&self) -> Option<Decimal> {
        let (mantissa, scale) = self.sum();
        (scale != WIDE).then_some(Decimal { mantissa, scale })
    }

    #[inline]
    fn add(&mut self, decimal: Decimal, negative: bool) {
        let sum = self.total().and_then(|total| total.plus(decimal, negative));
        match sum {
            Some(sum) => self.set_sum((sum.mantissa, sum.scale)),
            None => self.set_sum((0, WIDE)),
        }
    }

    /// An entry comes into the totals, or leaves them.
    #[inline]
    fn count(&mut self, shape: Shape, entry: usize, leaves: bool) {
        let (time, sum) = self.counted(shape, entry);
        self.total_up(shape, time, sum, leaves);
    }

    #[inline]
    fn total_up(&mut self, shape: Shape, time: u64, sum: Decimal, leaves: bool) {
        if time & SURE == 0 {
            let maybes = self.maybes();
            self.set_maybes(match leaves {
                true => maybes.saturating_sub(1),
                false => maybes.saturating_add(1),
            });
        }
        if shape.sum {
            self.add(sum, leaves);
        }
        if time & LAST != 0 {
            self.count_distinct(leaves);
        }
    }

    #[inline]
    fn count_distinct(&mut self, fewer: bool) {
        let distinct = self.distinct();
        self.set_distinct(match fewer {
            true => distinct.saturating_sub(1),
            false => distinct.saturating_add(1),
        });
    }

    /// Moves the cursor so that the totals are of the entries behind an instant.
    #[inline]
    fn turn(&mut self, shape: Shape, behind: i64) {
        let aged = self.aged;
        while self.aged < self.length && self.at(shape, self.aged.into()) <= behind {
            self.count(shape, self.aged.into(), true);
            self.aged += 1;
        }
        // PERF: what has just been passed is not behind.
        while self.aged > 0
            && self.aged <= aged
            && self.at(shape, usize::from(self.aged) - 1) > behind
        {
            self.aged -= 1;
            self.count(shape, self.aged.into(), false);
        }
        if self.aged == self.length {
            // Nothing is left that a scale or more digits would be for.
            self.set_sum((0, 0));
        }
    }

    /// Lets go of what happened up to an instant.
    #[inline]
    pub(super) fn evict(&mut self, shape: Shape, until: i64) {
        let length = self.length;
        while self.length > 0 && self.at(shape, 0) <= until {
            self.drop_oldest(shape);
        }
        if self.length == length {
            return;
        }
        if self.length == 0 {
            self.empty();
        }
        if self.capacity > 8 && self.length < self.capacity / 2 {
            self.resize(shape, room(self.len()));
        }
    }

    #[cold]
    fn empty(&mut self) {
        (self.first, self.aged) = (0, 0);
        self.set_sum((0, 0));
        self.set_maybes(0);
        self.set_distinct(0);
    }

    /// Lets go of the oldest entry.
    #[inline]
    fn drop_oldest(&mut self, shape: Shape) {
        match self.aged {
            0 => self.count(shape, 0, true),
            _ => self.aged -= 1,
        }
        self.first = u16::try_from(self.place(1)).unwrap_or(0);
        self.length -= 1;
    }

    /// Whether an event is there that happened behind an instant.
    #[inline]
    pub(super) fn has(&self, shape: Shape, id: Print, behind: i64) -> bool {
        self.has_until(shape, id, (behind, i64::MAX))
    }

    #[inline]
    fn has_until(&self, shape: Shape, id: Print, (behind, until): (i64, i64)) -> bool {
        let found = self.find(shape, Searched::Ids, id, |entry| {
            let at = self.at(shape, entry);
            at > behind && at <= until
        });
        found.is_some()
    }

    /// Puts an event in its place, in a window with room for `most`.
    #[inline]
    pub(super) fn insert(&mut self, shape: Shape, given: &Given<'_>, most: usize) {
        if self.length == self.capacity {
            let capacity = room(self.len()).min(most + 1);
            self.resize(shape, capacity.max(self.len() + 1));
        }
        self.rebase(shape, given.at);
        let entry = match given.at < self.newest() {
            false => self.append(shape, given),
            true => self.put_in(shape, given),
        };
        self.sieve(shape, entry);
        self.newest = match self.length {
            1 => given.at,
            _ => self.newest.max(given.at),
        };
        if let Some((_, name)) = given.id {
            let columns = self.columns(shape);
            let mut names = self.slots();
            names.push(&mut self.block, columns, name);
            self.set_slots(names);
        }
    }

    /// The word of an event's instant, with its mark.
    #[inline]
    fn timed(&self, given: &Given<'_>) -> u64 {
        self.offset(given.at) | if given.sure { SURE } else { 0 }
    }

    /// Puts an event behind all others.
    #[inline]
    fn append(&mut self, shape: Shape, given: &Given<'_>) -> usize {
        let mut word = self.timed(given);
        if shape.distinct {
            word |= LAST;
            // PERF: the newest other one with the value is its last so far.
            let before = self.find(shape, Searched::Values, given.value, |_| true);
            if let Some(before) = before {
                self.set_last(shape, before, false);
                if before >= self.aged.into() {
                    self.count_distinct(true);
                }
            }
        }
        let entry = self.len();
        self.length += 1;
        self.write(shape, entry, word, given);
        self.total_up(shape, word, given.sum, false);
        entry
    }

    /// Puts an event before what happened later.
    #[cold]
    fn put_in(&mut self, shape: Shape, given: &Given<'_>) -> usize {
        let mut entry = self.len();
        self.length += 1;
        while entry > 0 && self.at(shape, entry - 1) > given.at {
            self.copy(shape, entry - 1, entry);
            entry -= 1;
        }
        self.write(shape, entry, self.timed(given), given);
        let is_aged = entry < usize::from(self.aged);
        if shape.distinct {
            self.mark_last(shape, entry, given.value, is_aged);
        }
        match is_aged {
            true => self.aged += 1,
            false => self.count(shape, entry, false),
        }
        entry
    }

    /// Marks an entry that was just put in as the last of its value, unless a later one is.
    fn mark_last(&mut self, shape: Shape, entry: usize, value: Print, is_aged: bool) {
        let other = self.find(shape, Searched::Values, value, |other| other != entry);
        if let Some(before) = other {
            if before > entry {
                return;
            }
            self.set_last(shape, before, false);
            // What stands behind the cursor moved up by one if the new entry is not.
            let cursor = usize::from(self.aged) + usize::from(is_aged);
            if before >= cursor {
                self.count_distinct(true);
            }
        }
        self.set_last(shape, entry, true);
    }

    /// Lets go of the oldest entry where there are more than `most`, and says its instant.
    #[inline]
    pub(super) fn trim(&mut self, shape: Shape, most: usize) -> Option<i64> {
        (self.len() > most).then(|| {
            let oldest = self.at(shape, 0);
            self.drop_oldest(shape);
            oldest
        })
    }

    /// The last entries behind an instant and up to another: their instants and their ids by their
    /// prints, the oldest first.
    pub(super) fn last(
        &self,
        shape: Shape,
        (behind, until): (i64, i64),
        most: usize,
    ) -> Vec<(i64, Print)> {
        let entries = (0..self.len()).rev();
        let entries = entries
            .map(|entry| (self.at(shape, entry), entry))
            .skip_while(|(at, _)| *at > until)
            .take_while(|(at, _)| *at > behind)
            .take(most);
        let mut last: Vec<_> = entries
            .map(|(at, entry)| (at, self.print(shape, Searched::Ids, entry)))
            .collect();
        last.reverse();
        last
    }

    /// The last ids.
    pub(super) fn names(&self, shape: Shape) -> impl Iterator<Item = &[u8]> {
        self.slots().all(&self.block, self.columns(shape))
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
