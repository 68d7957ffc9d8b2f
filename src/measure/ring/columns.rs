//! Where the parts of entries lie in a block.
//!
//! In: numbers of entries, the oldest is 0. Out: their parts.
//! Invariant: an entry's parts are those that were put in, wherever the ring starts.
//!
//! A block has a column for each part of an entry, so that a search goes over bytes that lie
//! together: 7 bytes of the instant (54 bits of nanoseconds since `base`, which span 208 days, and
//! two marks), 16 of the id's print, the first of them apart from the others; of a sum 13 of the
//! exact decimal, of a distinct count 16 of the value's print. Behind the columns stand the last ids.

use super::super::secret::Print;
use super::Ring;
use super::figure::Decimal;

/// Bytes of an entry's instant and marks.
pub(super) const TIME: usize = 7;
/// Bytes of a print; the first one lies apart.
pub(super) const PRINT: usize = 16;
pub(super) const REST: usize = PRINT - 1;
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
        if let Some(to) = self.block.get_mut(at..at + TIME) {
            to.iter_mut()
                .zip(word.to_le_bytes())
                .for_each(|(to, from)| *to = from);
        }
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

    pub(super) fn print(&self, column: usize, entry: usize) -> [u8; PRINT] {
        let (place, capacity) = (self.place(entry), usize::from(self.capacity));
        let mut print = [0; PRINT];
        let first = self.block.get(column + place).copied();
        let rest = column + capacity + REST * place;
        let rest = self.block.get(rest..rest + REST).unwrap_or_default();
        let bytes = first.into_iter().chain(rest.iter().copied());
        print
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = from);
        print
    }

    #[inline]
    pub(super) fn set_print(&mut self, column: usize, entry: usize, print: [u8; PRINT]) {
        let (place, capacity) = (self.place(entry), usize::from(self.capacity));
        let [first, rest @ ..] = print;
        if let Some(to) = self.block.get_mut(column + place) {
            *to = first;
        }
        let at = column + capacity + REST * place;
        if let Some(to) = self.block.get_mut(at..at + REST) {
            to.copy_from_slice(&rest);
        }
    }

    pub(super) fn decimal(&self, entry: usize) -> Decimal {
        let at = self.values() + DECIMAL * self.place(entry);
        let Some([digits @ .., scale]) = self
            .block
            .get(at..)
            .and_then(|bytes| bytes.first_chunk::<DECIMAL>())
        else {
            return Decimal::default();
        };
        let mut wide = [0; 16];
        wide.iter_mut()
            .zip(digits)
            .for_each(|(to, from)| *to = *from);
        let mantissa = i128::from_le_bytes(wide);
        Decimal {
            mantissa: if scale & 0x80 == 0 {
                mantissa
            } else {
                -mantissa
            },
            scale: scale & 0x7f,
        }
    }

    pub(super) fn set_decimal(&mut self, entry: usize, decimal: Decimal) {
        let at = self.values() + DECIMAL * self.place(entry);
        let digits = decimal.mantissa.unsigned_abs().to_le_bytes();
        let sign = if decimal.mantissa < 0 { 0x80 } else { 0 };
        if let Some([to @ .., scale]) = self.block.get_mut(at..at + DECIMAL) {
            to.iter_mut().zip(digits).for_each(|(to, from)| *to = from);
            *scale = decimal.scale | sign;
        }
    }

    /// The entries with a print in a column, the newest first within each stretch of the block.
    #[inline]
    pub(super) fn with_print(
        &self,
        column: usize,
        print: Print,
    ) -> impl Iterator<Item = usize> + '_ {
        let bytes = print.to_bytes();
        let [wanted, rest @ ..] = bytes;
        let (first, length, capacity) = (
            usize::from(self.first),
            usize::from(self.length),
            usize::from(self.capacity),
        );
        let end = (first + length).min(capacity);
        let wrapped = (first + length).saturating_sub(capacity);
        let stretches = [(0, wrapped, capacity - first), (first, end, 0)];
        stretches.into_iter().flat_map(move |(from, to, entry)| {
            let firsts = self.block.get(column + from..column + to);
            let found = memchr::memrchr_iter(wanted, firsts.unwrap_or_default());
            found
                .filter(move |at| {
                    let at = column + capacity + REST * (from + at);
                    self.block.get(at..at + REST) == Some(&rest[..])
                })
                .map(move |at| entry + at)
        })
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
            Shape::Count => &[TIME, 1, REST],
            Shape::Sum => &[TIME, 1, REST, DECIMAL],
            Shape::Distinct => &[TIME, 1, REST, 1, REST],
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
