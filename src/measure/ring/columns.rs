//! Where the parts of entries lie in a block.
//!
//! In: numbers of entries, the oldest is 0. Out: their parts.
//! Invariant: an entry's parts are those that were put in, wherever the ring starts.
//!
//! A block has a column for each part of an entry, so that a search goes over bytes that lie
//! together: 7 bytes of the instant (54 bits of nanoseconds since `base`, which span 208 days, and
//! two marks), 16 of the id's print, the first two of them apart from the others; of a sum 13 of the
//! exact decimal, of a distinct count 16 of the value's print. Behind the columns stand the last ids.

use super::super::secret::Print;
use super::Ring;
use super::figure::Decimal;

/// Bytes of an entry's instant and marks.
pub(super) const TIME: usize = 7;
/// Bytes of a print.
pub(super) const PRINT: usize = 16;
/// Bytes of a print that lie apart, so that a search goes over them alone.
pub(super) const FRONT: usize = 2;
pub(super) const REST: usize = PRINT - FRONT;
/// Bytes of a decimal: its digits, and its scale.
pub(super) const DECIMAL: usize = 13;

/// Bits of an instant.
pub(super) const OFFSET_BITS: u32 = 54;
pub(super) const OFFSET: u64 = (1 << OFFSET_BITS) - 1;
/// The event surely passes `where`; else it may.
pub(super) const SURE: u64 = 1 << OFFSET_BITS;
/// No later entry has the same value.
pub(super) const LAST: u64 = 1 << (OFFSET_BITS + 1);
pub(super) const WORD: u64 = (1 << (8 * TIME)) - 1;

/// What an entry has beside its instant and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::measure) enum Shape {
    Count,
    Sum,
    Distinct,
}

impl Shape {
    /// Bytes of an entry.
    pub(in crate::measure) const fn entry(self) -> usize {
        TIME + PRINT
            + match self {
                Self::Count => 0,
                Self::Sum => DECIMAL,
                Self::Distinct => PRINT,
            }
    }
}

impl Ring {
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

    #[inline]
    pub(super) fn word(&self, at: usize) -> u64 {
        let bytes = self.block.get(at..).and_then(|bytes| bytes.first_chunk());
        bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    #[inline]
    fn set_word(&mut self, at: usize, word: u64) {
        let bytes = self.block.get_mut(at..);
        if let Some(to) = bytes.and_then(|bytes| bytes.first_chunk_mut()) {
            *to = word.to_le_bytes();
        }
    }

    #[inline]
    pub(super) fn time(&self, entry: usize) -> u64 {
        // At least 16 bytes of prints stand behind the last instant.
        self.word(TIME * self.place(entry)) & WORD
    }

    /// The instant of an entry.
    #[inline]
    pub(in crate::measure) fn at(&self, entry: usize) -> i64 {
        self.base
            .wrapping_add((self.time(entry) & OFFSET).cast_signed())
    }

    pub(super) fn is_sure(&self, entry: usize) -> bool {
        self.time(entry) & SURE != 0
    }

    #[inline]
    pub(super) fn set_time(&mut self, entry: usize, word: u64) {
        let at = TIME * self.place(entry);
        // PERF: a word at once; the byte behind the instant stays what it is.
        self.set_word(at, self.word(at) & !WORD | word & WORD);
    }

    pub(super) fn mark(&mut self, entry: usize, mark: u64, set: bool) {
        let word = self.time(entry) & !mark;
        self.set_time(entry, if set { word | mark } else { word });
    }

    /// Where the prints of ids and of values start.
    pub(super) fn ids(&self) -> usize {
        TIME * usize::from(self.capacity)
    }

    pub(super) fn values(&self) -> usize {
        (TIME + PRINT) * usize::from(self.capacity)
    }

    #[inline]
    pub(super) fn print(&self, column: usize, entry: usize) -> Print {
        let (place, capacity) = (self.place(entry), usize::from(self.capacity));
        let at = column + FRONT * place;
        let front = self.block.get(at..).and_then(|bytes| bytes.first_chunk());
        let front = front.map_or(0, |front| u16::from_le_bytes(*front));
        let rest = self.rest(column + FRONT * capacity + REST * place);
        Print::of_parts(front, rest)
    }

    /// What stands behind the front of a print: eight bytes, and six.
    #[inline]
    fn rest(&self, at: usize) -> (u64, u64) {
        (self.word(at), self.word(at + 6) >> 16)
    }

    #[inline]
    pub(super) fn set_print(&mut self, column: usize, entry: usize, print: Print) {
        let (place, capacity) = (self.place(entry), usize::from(self.capacity));
        let at = column + FRONT * place;
        if let Some(to) = self.block.get_mut(at..at + FRONT) {
            to.copy_from_slice(&print.front().to_le_bytes());
        }
        let at = column + FRONT * capacity + REST * place;
        let (low, high) = print.rest();
        // PERF: two words that overlap.
        self.set_word(at, low);
        self.set_word(at + 6, high << 16 | low >> 48);
    }

    #[inline]
    pub(super) fn decimal(&self, entry: usize) -> Decimal {
        let at = self.values() + DECIMAL * self.place(entry);
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
    pub(super) fn set_decimal(&mut self, entry: usize, decimal: Decimal) {
        let at = self.values() + DECIMAL * self.place(entry);
        let digits = decimal.mantissa.unsigned_abs();
        #[expect(clippy::cast_possible_truncation, reason = "the parts of 96 bits")]
        let (low, high) = (digits as u64, (digits >> 64) as u32);
        let sign = if decimal.mantissa < 0 { 0x80 } else { 0 };
        let end = low >> 40 | u64::from(high) << 24 | u64::from(decimal.scale | sign) << 56;
        self.set_word(at, low);
        self.set_word(at + 5, end);
    }

    /// The entries with a print in a column, the newest first.
    #[inline]
    pub(super) fn with_print(
        &self,
        column: usize,
        print: Print,
    ) -> impl Iterator<Item = usize> + '_ {
        let (wanted, rest) = (print.front(), print.rest());
        let (first, length, capacity) = (
            usize::from(self.first),
            usize::from(self.length),
            usize::from(self.capacity),
        );
        let end = (first + length).min(capacity);
        let wrapped = (first + length).saturating_sub(capacity);
        let stretch = move |from: usize, to: usize, entry: usize| {
            let fronts = self.block.get(column + FRONT * from..column + FRONT * to);
            let found = Fronts {
                bytes: fronts.unwrap_or_default(),
                wanted,
            };
            found
                .filter(move |at| self.rest(column + FRONT * capacity + REST * (from + at)) == rest)
                .map(move |at| entry + at)
        };
        let newer = (wrapped > 0).then(|| stretch(0, wrapped, capacity - first));
        newer.into_iter().flatten().chain(stretch(first, end, 0))
    }

    /// Whether an event is there that happened behind an instant and up to another.
    #[inline]
    pub(in crate::measure) fn has(&self, id: Print, behind: i64, until: i64) -> bool {
        self.with_print(self.ids(), id).any(|entry| {
            let at = self.at(entry);
            at > behind && at <= until
        })
    }

    pub(super) fn copy(&mut self, shape: Shape, from: usize, to: usize) {
        let word = self.time(from);
        self.set_time(to, word);
        let id = self.print(self.ids(), from);
        self.set_print(self.ids(), to, id);
        match shape {
            Shape::Count => {}
            Shape::Sum => {
                let decimal = self.decimal(from);
                self.set_decimal(to, decimal);
            }
            Shape::Distinct => {
                let value = self.print(self.values(), from);
                self.set_print(self.values(), to, value);
            }
        }
    }

    /// Makes the offset of an instant one that the entries have room for.
    #[inline]
    pub(super) fn rebase(&mut self, at: i64) {
        if self.length == 0 {
            self.base = at;
        } else if at < self.base || at.wrapping_sub(self.base).cast_unsigned() > OFFSET {
            self.move_base(at);
        }
    }

    #[cold]
    fn move_base(&mut self, at: i64) {
        let base = at.min(self.at(0));
        let instants: Vec<i64> = (0..self.len()).map(|entry| self.at(entry)).collect();
        self.base = base;
        for (entry, at) in instants.into_iter().enumerate() {
            let marks = self.time(entry) & !OFFSET;
            let offset = at.wrapping_sub(base).cast_unsigned() & OFFSET;
            self.set_time(entry, offset | marks);
        }
    }

    /// Moves the entries to a block for so many.
    pub(super) fn resize(&mut self, shape: Shape, capacity: usize) {
        let columns = capacity * shape.entry();
        let old = usize::from(self.capacity);
        let mut block = vec![0; columns + self.names.bytes()].into_boxed_slice();
        let widths: &[usize] = match shape {
            Shape::Count => &[TIME, FRONT, REST],
            Shape::Sum => &[TIME, FRONT, REST, DECIMAL],
            Shape::Distinct => &[TIME, FRONT, REST, FRONT, REST],
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
        copy(from, to, self.names.bytes());
        self.block = block;
        self.first = 0;
        self.capacity = u16::try_from(capacity).unwrap_or(u16::MAX);
    }
}

/// The places of a front among others, the last one first.
struct Fronts<'b> {
    bytes: &'b [u8],
    wanted: u16,
}

impl Iterator for Fronts<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        /// Fronts that are compared at once.
        const BLOCK: usize = 32;
        let is_wanted = |front: &[u8; FRONT]| u16::from_le_bytes(*front) == self.wanted;
        loop {
            let (fronts, _) = self.bytes.as_chunks::<FRONT>();
            // PERF: a whole block is compared without a branch in it.
            if let Some((rest, block)) = fronts.split_last_chunk::<BLOCK>()
                && !block
                    .iter()
                    .fold(false, |any, front| any | is_wanted(front))
            {
                self.bytes = rest.as_flattened();
                continue;
            }
            let (last, rest) = fronts.split_last()?;
            self.bytes = rest.as_flattened();
            if is_wanted(last) {
                return Some(rest.len());
            }
        }
    }
}
