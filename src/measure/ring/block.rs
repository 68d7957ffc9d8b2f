//! Where the parts of entries lie in a block.
//!
//! In: numbers of entries, the oldest is 0. Out: their parts.
//! Invariant: an entry's parts are those that were put in, wherever the ring starts.
//!
//! A block begins with the first two bytes of all prints of ids, and of all prints of values where
//! values are told apart, so that a search goes over bytes that lie together. Then come the entries,
//! each in one piece: 7 bytes of the instant (54 bits of nanoseconds since `base`, which span 208 days,
//! and two marks), 14 of the id's print, of a sum 13 of the exact decimal, of a distinct count 14 of
//! the value's print. Behind the entries stand the sieves of a large block, and the last ids.

use super::super::secret::Print;
use super::figure::Decimal;
use super::{Ring, sieve};

/// Bytes of an entry's instant and marks.
const TIME: usize = 7;
/// Bytes of a print that lie apart, so that a search goes over them alone.
const FRONT: usize = 2;
/// The other bytes of a print.
const REST: usize = 14;
/// Bytes of a decimal: its digits, and its scale.
const DECIMAL: usize = 13;
/// Fronts that are compared at once.
const LANES: usize = 16;

/// Bits of an instant.
const OFFSET_BITS: u32 = 54;
pub(super) const OFFSET: u64 = (1 << OFFSET_BITS) - 1;
/// The event surely passes `where`; else it may.
pub(super) const SURE: u64 = 1 << OFFSET_BITS;
/// No later entry has the same value.
pub(super) const LAST: u64 = 1 << (OFFSET_BITS + 1);
const WORD: u64 = (1 << (8 * TIME)) - 1;

/// What an entry has beside its instant and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::measure) struct Shape {
    /// An amount that is summed.
    pub(in crate::measure) sum: bool,
    /// A value that is told apart.
    pub(in crate::measure) distinct: bool,
}

impl Shape {
    /// Bytes of an entry.
    pub(in crate::measure) const fn entry(self) -> usize {
        self.fronts() + self.stride()
    }

    /// Bytes of an entry's fronts.
    const fn fronts(self) -> usize {
        if self.distinct { 2 * FRONT } else { FRONT }
    }

    /// Bytes of an entry's one piece.
    const fn stride(self) -> usize {
        self.value() + if self.distinct { REST } else { 0 }
    }

    /// Where the amount stands in it.
    const fn amount(self) -> usize {
        TIME + REST
    }

    /// Where the value stands in it.
    const fn value(self) -> usize {
        self.amount() + if self.sum { DECIMAL } else { 0 }
    }
}

/// Whose prints are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Searched {
    Ids,
    Values,
}

impl Ring {
    /// The place of an entry.
    #[inline]
    pub(super) fn place(&self, entry: usize) -> usize {
        let place = usize::from(self.first) + entry;
        let capacity = usize::from(self.capacity);
        if place >= capacity {
            place - capacity
        } else {
            place
        }
    }

    /// Where the piece of a place starts.
    #[inline]
    fn piece(&self, shape: Shape, place: usize) -> usize {
        shape.fronts() * usize::from(self.capacity) + shape.stride() * place
    }

    #[inline]
    fn spot(&self, shape: Shape, entry: usize) -> usize {
        self.piece(shape, self.place(entry))
    }

    #[inline]
    pub(super) fn word(&self, at: usize) -> u64 {
        let bytes = self.block.get(at..).and_then(|bytes| bytes.first_chunk());
        bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    #[inline]
    pub(super) fn set_word(&mut self, at: usize, word: u64) {
        let bytes = self.block.get_mut(at..);
        if let Some(to) = bytes.and_then(|bytes| bytes.first_chunk_mut()) {
            *to = word.to_le_bytes();
        }
    }

    /// Reads something of what the next event will be put beside, so that it is at hand then.
    #[inline]
    pub(in crate::measure) fn touch(&self, shape: Shape) -> u64 {
        let last = self.len().saturating_sub(1);
        let names = self.block.len().saturating_sub(8);
        self.word(0) ^ self.word(self.spot(shape, last)) ^ self.word(names)
    }

    #[inline]
    pub(super) fn time(&self, shape: Shape, entry: usize) -> u64 {
        // A print stands behind each instant.
        self.word(self.spot(shape, entry)) & WORD
    }

    /// The instant of an entry.
    #[inline]
    pub(super) fn at(&self, shape: Shape, entry: usize) -> i64 {
        self.instant(self.time(shape, entry))
    }

    #[inline]
    fn instant(&self, time: u64) -> i64 {
        self.base.wrapping_add((time & OFFSET).cast_signed())
    }

    /// What an instant is in an entry.
    #[inline]
    pub(super) fn offset(&self, at: i64) -> u64 {
        at.wrapping_sub(self.base).cast_unsigned() & OFFSET
    }

    #[inline]
    pub(super) fn is_sure(&self, shape: Shape, entry: usize) -> bool {
        self.time(shape, entry) & SURE != 0
    }

    pub(super) fn is_last(&self, shape: Shape, entry: usize) -> bool {
        self.time(shape, entry) & LAST != 0
    }

    #[inline]
    pub(super) fn set_time(&mut self, shape: Shape, entry: usize, word: u64) {
        let at = self.spot(shape, entry);
        // PERF: a word at once; the byte behind the instant stays what it is.
        self.set_word(at, self.word(at) & !WORD | word & WORD);
    }

    pub(super) fn mark(&mut self, shape: Shape, entry: usize, mark: u64, set: bool) {
        let word = self.time(shape, entry) & !mark;
        self.set_time(shape, entry, if set { word | mark } else { word });
    }

    /// Where the front of a print stands, and what is behind it.
    #[inline]
    fn halves(&self, shape: Shape, searched: Searched, place: usize) -> (usize, usize) {
        let piece = self.piece(shape, place);
        match searched {
            Searched::Ids => (FRONT * place, piece + TIME),
            Searched::Values => (
                FRONT * (usize::from(self.capacity) + place),
                piece + shape.value(),
            ),
        }
    }

    #[inline]
    pub(super) fn print(&self, shape: Shape, searched: Searched, entry: usize) -> Print {
        let (front, rest) = self.halves(shape, searched, self.place(entry));
        let front = self
            .block
            .get(front..)
            .and_then(|bytes| bytes.first_chunk());
        let front = front.map_or(0, |front| u16::from_le_bytes(*front));
        Print::of_parts(front, self.rest(rest))
    }

    /// What stands behind the front of a print: eight bytes, and six.
    #[inline]
    fn rest(&self, at: usize) -> (u64, u64) {
        (self.word(at), self.word(at + 6) >> 16)
    }

    #[inline]
    pub(super) fn set_print(
        &mut self,
        shape: Shape,
        searched: Searched,
        entry: usize,
        print: Print,
    ) {
        let (front, rest) = self.halves(shape, searched, self.place(entry));
        if let Some(to) = self.block.get_mut(front..front + FRONT) {
            to.copy_from_slice(&print.front().to_le_bytes());
        }
        let (low, high) = print.rest();
        // PERF: two words that overlap.
        self.set_word(rest, low);
        self.set_word(rest + 6, high << 16 | low >> 48);
    }

    #[inline]
    pub(super) fn decimal(&self, shape: Shape, entry: usize) -> Decimal {
        let at = self.spot(shape, entry) + shape.amount();
        let (low, end) = (self.word(at), self.word(at + 5));
        let mantissa = i128::from(low) | i128::from(end >> 24 & 0xffff_ffff) << 64;
        let scale = u8::try_from(end >> 56).unwrap_or(0);
        Decimal {
            mantissa: match scale & 0x80 {
                0 => mantissa,
                _ => -mantissa,
            },
            scale: scale & 0x7f,
        }
    }

    #[inline]
    pub(super) fn set_decimal(&mut self, shape: Shape, entry: usize, decimal: Decimal) {
        let at = self.spot(shape, entry) + shape.amount();
        let digits = decimal.mantissa.unsigned_abs();
        #[expect(clippy::cast_possible_truncation, reason = "the parts of 96 bits")]
        let (low, high) = (digits as u64, (digits >> 64) as u32);
        let sign = if decimal.mantissa < 0 { 0x80 } else { 0 };
        let end = low >> 40 | u64::from(high) << 24 | u64::from(decimal.scale | sign) << 56;
        self.set_word(at, low);
        self.set_word(at + 5, end);
    }

    /// The newest entry with a print that something holds for.
    #[inline]
    pub(super) fn find(
        &self,
        shape: Shape,
        searched: Searched,
        print: Print,
        holds: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        if !self.may_have(shape, searched, print) {
            return None;
        }
        let (first, capacity) = (usize::from(self.first), usize::from(self.capacity));
        let end = first + self.len();
        // The newer entries stand at the beginning where the ring is wrapped.
        let wrapped = end.saturating_sub(capacity);
        let is_found = |place: usize, entry: usize| {
            let (_, rest) = self.halves(shape, searched, place);
            self.rest(rest) == print.rest() && holds(entry)
        };
        let column = match searched {
            Searched::Ids => 0,
            Searched::Values => FRONT * capacity,
        };
        let front = print.front();
        let newer = self.find_in(column, (0, wrapped), front, |place| {
            is_found(place, place + capacity - first)
        });
        if let Some(place) = newer {
            return Some(place + capacity - first);
        }
        let older = self.find_in(column, (first, end.min(capacity)), front, |place| {
            is_found(place, place - first)
        });
        older.map(|place| place - first)
    }

    /// The last place of some with a front that something holds for.
    #[inline]
    fn find_in(
        &self,
        column: usize,
        (from, mut to): (usize, usize),
        front: u16,
        holds: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        while to > from {
            // PERF: many at once, without a branch in it. What stands before the first place or behind
            // the last one is compared as well, and does no harm.
            let start = to.saturating_sub(LANES);
            let lanes = self.block.get(column + FRONT * start..);
            let lanes = lanes.and_then(|bytes| bytes.first_chunk::<{ FRONT * LANES }>());
            let is_there = lanes.is_none_or(|lanes| {
                let (lanes, _) = lanes.as_chunks::<FRONT>();
                let is_same = |lane: &[u8; FRONT]| u16::from_le_bytes(*lane) == front;
                lanes.iter().fold(false, |any, lane| any | is_same(lane))
            });
            if is_there {
                let found = (start.max(from)..to).rev().find(|place| {
                    let at = column + FRONT * place;
                    let lane = self.block.get(at..at + FRONT);
                    lane == Some(front.to_le_bytes().as_slice()) && holds(*place)
                });
                if found.is_some() {
                    return found;
                }
            }
            to = start;
        }
        None
    }

    /// Puts an entry in the place of another.
    pub(super) fn copy(&mut self, shape: Shape, from: usize, to: usize) {
        let (from, to) = (self.place(from), self.place(to));
        let capacity = usize::from(self.capacity);
        let (old, new) = (self.piece(shape, from), self.piece(shape, to));
        let mut copy = |old: usize, new: usize, bytes: usize| {
            if old.max(new) + bytes <= self.block.len() {
                self.block.copy_within(old..old + bytes, new);
            }
        };
        copy(old, new, shape.stride());
        copy(FRONT * from, FRONT * to, FRONT);
        if shape.distinct {
            copy(FRONT * (capacity + from), FRONT * (capacity + to), FRONT);
        }
    }

    /// Makes the offset of an instant one that the entries have room for.
    #[inline]
    pub(super) fn rebase(&mut self, shape: Shape, at: i64) {
        if self.length == 0 {
            self.base = at;
        } else if at < self.base || at.wrapping_sub(self.base).cast_unsigned() > OFFSET {
            self.move_base(shape, at);
        }
    }

    #[cold]
    fn move_base(&mut self, shape: Shape, at: i64) {
        let base = at.min(self.at(shape, 0));
        let instants: Vec<i64> = (0..self.len()).map(|entry| self.at(shape, entry)).collect();
        self.base = base;
        for (entry, at) in instants.into_iter().enumerate() {
            let marks = self.time(shape, entry) & !OFFSET;
            self.set_time(shape, entry, self.offset(at) | marks);
        }
    }

    /// Bytes of entries and sieves: what stands before the ids.
    #[inline]
    pub(super) fn columns(&self, shape: Shape) -> usize {
        let capacity = usize::from(self.capacity);
        capacity * shape.entry() + sieve::bytes(shape, capacity)
    }

    /// Moves the entries to a block for so many.
    pub(super) fn resize(&mut self, shape: Shape, capacity: usize) {
        let columns = capacity * shape.entry() + sieve::bytes(shape, capacity);
        let old = usize::from(self.capacity);
        let mut block = vec![0; columns + self.names.bytes()].into_boxed_slice();
        let widths: &[usize] = match shape.distinct {
            false => &[FRONT, shape.stride()],
            true => &[FRONT, FRONT, shape.stride()],
        };
        let (first, length) = (usize::from(self.first), self.len());
        let head = length.min(old - first.min(old));
        let (mut from, mut to) = (0, 0);
        let mut copy = |from: usize, to: usize, bytes: usize| {
            let old = self.block.get(from..from + bytes);
            if let (Some(old), Some(new)) = (old, block.get_mut(to..to + bytes)) {
                new.copy_from_slice(old);
            }
        };
        for width in widths {
            copy(from + first * width, to, head * width);
            copy(from, to + head * width, (length - head) * width);
            from += old * width;
            to += capacity * width;
        }
        copy(self.columns(shape), columns, self.names.bytes());
        self.block = block;
        self.first = 0;
        self.capacity = u16::try_from(capacity).unwrap_or(u16::MAX);
        self.sift(shape);
    }
}
