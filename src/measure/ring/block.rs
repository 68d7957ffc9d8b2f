//! Where the parts of entries lie in a block.
//!
//! In: numbers of entries, the oldest is 0. Out: their parts.
//! Invariant: an entry's parts are those that were put in, wherever the ring starts.
//!
//! Behind the head of a block stand the first two bytes of all prints of ids, and of all prints of values where
//! values are told apart, so that a search goes over bytes that lie together. Then come the entries,
//! each in one piece: 7 bytes of the instant (54 bits of nanoseconds since `base`, which span 208 days,
//! and two marks), 14 of the id's print, of a sum 13 of the exact decimal, of a distinct count 14 of
//! the value's print. Behind the entries stand the sieves of a large block, and the last ids.

use super::super::secret::Print;
use super::figure::{Decimal, Given};
use super::head::HEAD;
use super::piece::{self, DECIMAL, FRONT, REST};
use super::{Ring, sieve};

/// Fronts that are compared at once.
const LANES: usize = 16;

/// Bits of an instant.
const OFFSET_BITS: u32 = 54;
pub(super) const OFFSET: u64 = (1 << OFFSET_BITS) - 1;
/// The event surely passes `where`; else it may.
pub(super) const SURE: u64 = 1 << OFFSET_BITS;
/// No later entry has the same value.
pub(super) const LAST: u64 = 1 << (OFFSET_BITS + 1);

/// What an entry has beside its instant and its id, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::measure) struct Shape {
    /// An amount that is summed.
    pub(in crate::measure) sum: bool,
    /// A value that is told apart.
    pub(in crate::measure) distinct: bool,
    /// Bytes of an entry's fronts.
    fronts: u8,
    /// Where the value stands in its piece.
    value: u8,
    /// Bytes of the piece.
    stride: u8,
}

impl Shape {
    pub(in crate::measure) const fn new(sum: bool, distinct: bool) -> Self {
        let value = piece::HEAD + if sum { DECIMAL } else { 0 };
        let stride = value + if distinct { REST } else { 0 };
        #[expect(clippy::cast_possible_truncation, reason = "a few dozen bytes at most")]
        Self {
            sum,
            distinct,
            fronts: if distinct { 2 * FRONT } else { FRONT } as u8,
            value: value as u8,
            stride: stride as u8,
        }
    }

    /// Bytes of an entry.
    pub(in crate::measure) const fn entry(self) -> usize {
        self.fronts as usize + self.stride as usize
    }
}

/// Lanes of two bytes of a word.
const LANES_OF_WORD: usize = 4;
const ONES: u64 = 0x0001_0001_0001_0001;
const TOPS: u64 = ONES << 15;

/// Whether some lane is a front. It may say that one is where none is, never the other way round.
#[inline]
fn has_lane(lanes: &[u8; FRONT * LANES], fronts: u64) -> bool {
    let (words, _) = lanes.as_chunks();
    let zeros = words.iter().fold(0, |zeros, word| {
        let other = u64::from_le_bytes(*word) ^ fronts;
        zeros | other.wrapping_sub(ONES) & !other
    });
    zeros & TOPS != 0
}

/// The last lane that is a front and that something holds for.
#[inline]
fn last_lane(
    lanes: &[u8; FRONT * LANES],
    fronts: u64,
    holds: impl Fn(usize) -> bool,
) -> Option<usize> {
    let (words, _) = lanes.as_chunks();
    for (number, word) in words.iter().enumerate().rev() {
        let other = u64::from_le_bytes(*word) ^ fronts;
        // The top bit of each lane that is zero, and of no other.
        let mut zeros = !(((other & !TOPS) + !TOPS) | other) & TOPS;
        while zeros != 0 {
            let top = zeros.ilog2();
            let lane = number * LANES_OF_WORD + (top / 16) as usize;
            if holds(lane) {
                return Some(lane);
            }
            zeros ^= 1 << top;
        }
    }
    None
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
        let fronts = usize::from(shape.fronts) * usize::from(self.capacity);
        HEAD + fronts + usize::from(shape.stride) * place
    }

    /// Where the piece of an entry starts.
    #[inline]
    fn spot(&self, shape: Shape, entry: usize) -> usize {
        self.piece(shape, self.place(entry))
    }

    /// The bytes of a block from a place in it.
    #[inline]
    fn bytes_at<const N: usize>(&self, at: usize) -> Option<&[u8; N]> {
        self.block.get(at..)?.first_chunk()
    }

    #[inline]
    fn bytes_at_mut<const N: usize>(&mut self, at: usize) -> Option<&mut [u8; N]> {
        self.block.get_mut(at..)?.first_chunk_mut()
    }

    #[inline]
    pub(super) fn word(&self, at: usize) -> u64 {
        let bytes = self.bytes_at(at);
        bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    #[inline]
    pub(super) fn set_word(&mut self, at: usize, word: u64) {
        if let Some(to) = self.bytes_at_mut(at) {
            *to = word.to_le_bytes();
        }
    }

    /// Reads something of all that the next event will need, so that it is at hand then.
    #[inline]
    pub(in crate::measure) fn touch(&self, shape: Shape) -> u64 {
        let piece = |entry| self.word(self.spot(shape, entry));
        let pieces = piece(0) ^ piece(self.aged.into()) ^ piece(self.len());
        let fronts = self.word(HEAD) ^ self.word(self.fronts(Searched::Values));
        let names = self.columns(shape);
        let names = self.word(names) ^ self.word(names + 64) ^ self.word(names + 128);
        self.word(0) ^ fronts ^ pieces ^ names
    }

    #[inline]
    pub(super) fn time(&self, shape: Shape, entry: usize) -> u64 {
        let head = self.bytes_at(self.spot(shape, entry));
        head.map_or(0, piece::time_of)
    }

    /// The instant of an entry.
    #[inline]
    pub(super) fn at(&self, shape: Shape, entry: usize) -> i64 {
        let offset = self.time(shape, entry) & OFFSET;
        self.base().wrapping_add(offset.cast_signed())
    }

    /// What an instant is in an entry.
    #[inline]
    pub(super) fn offset(&self, at: i64) -> u64 {
        at.wrapping_sub(self.base()).cast_unsigned() & OFFSET
    }

    pub(super) fn is_sure(&self, shape: Shape, entry: usize) -> bool {
        self.time(shape, entry) & SURE != 0
    }

    pub(super) fn is_last(&self, shape: Shape, entry: usize) -> bool {
        self.time(shape, entry) & LAST != 0
    }

    /// Sets whether an entry is the last of its value.
    #[inline]
    pub(super) fn set_last(&mut self, shape: Shape, entry: usize, is_last: bool) {
        let time = self.time(shape, entry) & !LAST;
        self.set_time(shape, entry, if is_last { time | LAST } else { time });
    }

    #[inline]
    fn set_time(&mut self, shape: Shape, entry: usize, time: u64) {
        if let Some(head) = self.bytes_at_mut(self.spot(shape, entry)) {
            piece::set_time(head, time);
        }
    }

    /// Writes an entry: its instant with its marks, its id, and what its shape has.
    #[inline]
    pub(super) fn write(&mut self, shape: Shape, entry: usize, time: u64, given: &Given<'_>) {
        let (place, capacity) = (self.place(entry), usize::from(self.capacity));
        let start = self.piece(shape, place);
        let id = given.id.map_or(Print::default(), |(print, _)| print);
        self.set_front(HEAD + FRONT * place, id);
        if shape.distinct {
            self.set_front(HEAD + FRONT * (capacity + place), given.value);
        }
        let piece = self.block.get_mut(start..).unwrap_or_default();
        let Some((head, rest)) = piece.split_first_chunk_mut() else {
            return;
        };
        *head = piece::head(time, id);
        let rest = match shape.sum {
            true => {
                let Some((sum, behind)) = rest.split_first_chunk_mut() else {
                    return;
                };
                *sum = piece::decimal(given.sum);
                behind
            }
            false => rest,
        };
        if shape.distinct
            && let Some(value) = rest.first_chunk_mut()
        {
            *value = piece::value(given.value);
        }
    }

    #[inline]
    fn set_front(&mut self, at: usize, print: Print) {
        if let Some(front) = self.bytes_at_mut(at) {
            *front = print.front().to_le_bytes();
        }
    }

    /// The instant with its marks, and the amount of an entry; 0 where it has none.
    #[inline]
    pub(super) fn counted(&self, shape: Shape, entry: usize) -> (u64, Decimal) {
        let piece = self.block.get(self.spot(shape, entry)..);
        let parts = piece.and_then(|piece| piece.split_first_chunk());
        let Some((head, rest)) = parts else {
            return (0, Decimal::default());
        };
        let sum = match shape.sum {
            true => rest
                .first_chunk()
                .map_or_else(Decimal::default, piece::decimal_of),
            false => Decimal::default(),
        };
        (piece::time_of(head), sum)
    }

    /// The amount of an entry.
    pub(super) fn decimal(&self, shape: Shape, entry: usize) -> Decimal {
        self.counted(shape, entry).1
    }

    /// What stands behind the front of a place's print.
    #[inline]
    fn rest(&self, shape: Shape, searched: Searched, place: usize) -> Option<piece::Rest> {
        let start = self.piece(shape, place);
        Some(match searched {
            Searched::Ids => piece::id_of(self.bytes_at(start)?),
            Searched::Values => piece::value_of(self.bytes_at(start + usize::from(shape.value))?),
        })
    }

    /// Where the fronts of prints start.
    #[inline]
    fn fronts(&self, searched: Searched) -> usize {
        match searched {
            Searched::Ids => HEAD,
            Searched::Values => HEAD + FRONT * usize::from(self.capacity),
        }
    }

    #[inline]
    pub(super) fn print(&self, shape: Shape, searched: Searched, entry: usize) -> Print {
        let place = self.place(entry);
        let front = self.bytes_at(self.fronts(searched) + FRONT * place);
        let front = front.map_or(0, |front| u16::from_le_bytes(*front));
        let rest = self.rest(shape, searched, place);
        Print::of_parts(front, rest.unwrap_or_default())
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
            self.rest(shape, searched, place) == Some(print.rest()) && holds(entry)
        };
        let column = self.fronts(searched);
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
        let fronts = u64::from(front) * ONES;
        while to > from {
            // PERF: many at once, without a branch in it. What stands before the first place or behind
            // the last one is compared as well, and does no harm.
            let start = to.saturating_sub(LANES);
            match self.bytes_at(column + FRONT * start) {
                Some(lanes) => {
                    if has_lane(lanes, fronts) {
                        let found = last_lane(lanes, fronts, |lane| {
                            let place = start + lane;
                            place >= from && place < to && holds(place)
                        });
                        if found.is_some() {
                            return found.map(|lane| start + lane);
                        }
                    }
                }
                // A block of so few has no room for so many.
                None => {
                    let found = (from..to).rev().find(|place| {
                        let lane = self.bytes_at(column + FRONT * place);
                        lane == Some(&front.to_le_bytes()) && holds(*place)
                    });
                    if found.is_some() {
                        return found;
                    }
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
        copy(old, new, usize::from(shape.stride));
        copy(HEAD + FRONT * from, HEAD + FRONT * to, FRONT);
        if shape.distinct {
            let fronts = HEAD + FRONT * capacity;
            copy(fronts + FRONT * from, fronts + FRONT * to, FRONT);
        }
    }

    /// Makes the offset of an instant one that the entries have room for.
    #[inline]
    pub(super) fn rebase(&mut self, shape: Shape, at: i64) {
        if self.length == 0 {
            self.set_base(at);
        } else if at < self.base() || at.wrapping_sub(self.base()).cast_unsigned() > OFFSET {
            self.move_base(shape, at);
        }
    }

    #[cold]
    fn move_base(&mut self, shape: Shape, at: i64) {
        let base = at.min(self.at(shape, 0));
        let instants: Vec<i64> = (0..self.len()).map(|entry| self.at(shape, entry)).collect();
        self.set_base(base);
        for (entry, at) in instants.into_iter().enumerate() {
            let marks = self.time(shape, entry) & !OFFSET;
            self.set_time(shape, entry, self.offset(at) | marks);
        }
    }

    /// Bytes of head, entries and sieves: what stands before the ids.
    #[inline]
    pub(super) fn columns(&self, shape: Shape) -> usize {
        let capacity = usize::from(self.capacity);
        HEAD + capacity * shape.entry() + sieve::bytes(shape, capacity)
    }

    /// Moves the entries to a block for so many.
    pub(super) fn resize(&mut self, shape: Shape, capacity: usize) {
        let columns = HEAD + capacity * shape.entry() + sieve::bytes(shape, capacity);
        let names = self.slots().bytes();
        let old = usize::from(self.capacity);
        let mut block = vec![0; columns + names].into_boxed_slice();
        let widths: &[usize] = match shape.distinct {
            false => &[FRONT, usize::from(shape.stride)],
            true => &[FRONT, FRONT, usize::from(shape.stride)],
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
        copy(from, to, HEAD);
        (from, to) = (HEAD, HEAD);
        for width in widths {
            copy(from + first * width, to, head * width);
            copy(from, to + head * width, (length - head) * width);
            from += old * width;
            to += capacity * width;
        }
        copy(self.columns(shape), columns, names);
        self.block = block;
        self.first = 0;
        self.capacity = u16::try_from(capacity).unwrap_or(u16::MAX);
        self.sift(shape);
    }
}
