//! One event as cells: the form in which the compiled program reads it.
//!
//! In: an [`Event`](crate::event::Event), or an event's JSON bytes, and the [`Layout`] of a
//! program. Out: [`Slots`].
//! Invariant: a cell says exactly what the event says, or the event is [`Unheld`] and the reference
//! evaluator decides it; a buffer that is used again allocates nothing.
//! Knows no lanes and no tests.
//!
//! A cell is one `i64`. Ordered values are held so that comparing cells compares values, whatever
//! their type: see [`Cell`]. Texts are ranges of bytes, of the input or of the buffer's own.

use crate::clock::Timestamp;
use crate::schema::KindId;

mod derive;
mod dictionary;
mod fill;
mod layout;
mod plain;
mod read;
mod typed;

pub use dictionary::Dictionary;
pub(crate) use layout::UNITS;
pub use layout::{Absent, Bounds, Cell, FieldLayout, KindLayout, Layout, Small, Words};
pub use plain::{Plain, PlainCell};
pub use read::{Names, NotRead};
pub use typed::{Place, Scalar};

/// Entries of [`Slots::columns`]; the last one always passes.
pub(crate) const COLUMNS: usize = 32;

/// Ordered fields that have a column: two entries each, and one is kept for what always passes.
pub(crate) const ORDERED: usize = COLUMNS / 2 - 1;

/// The cell of a field that is missing, and the entries of its column: they pass every comparison,
/// because what is not known may hold.
pub(crate) const MISSING: i64 = i64::MAX;

/// An event that cells cannot hold: a number finer than its field's scale where another field is
/// compared with it, an instant outside of the years 1678 to 2261, the whole number 2^63 - 1, an
/// event of another layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unheld;

/// One event, ready for a program. A buffer: fill it again for the next event.
// PERF: what every decision looks at lies in one line of the cache, and the columns behind it.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub struct Slots {
    /// Of which layout.
    pub(crate) layout: u64,
    /// One bit for each field of few values: which one it has; of an ordered field: between which
    /// of its steps it lies.
    pub(crate) set: u64,
    /// A bit for each optional field that is missing.
    pub(crate) missing: u64,
    /// By slot of the kind.
    pub(crate) cells: Vec<i64>,
    pub(crate) kind: KindId,
    /// Of each field with a column what tests compare, and the complement of it, so that both `at
    /// least` and `at most` are `at least`: of an ordered field its cell, of a text its symbol.
    pub(crate) columns: [i64; COLUMNS],
    /// Texts that are not in the input.
    pub(crate) text: Vec<u8>,
    /// The items of lists, each as a cell.
    pub(crate) items: Vec<i64>,
    pub(crate) at: Timestamp,
    /// Its id, where it has one.
    pub(crate) id: Option<TextCell>,
    /// What the reader of bytes keeps from one event to the next.
    pub(crate) memory: read::Memory,
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            layout: 0,
            kind: KindId(u32::MAX),
            cells: Vec::new(),
            columns: [MISSING; COLUMNS],
            set: 0,
            missing: 0,
            text: Vec::new(),
            items: Vec::new(),
            at: Timestamp::UNIX_EPOCH,
            id: None,
            memory: read::Memory::default(),
        }
    }
}

impl Slots {
    /// The kind of the event.
    #[must_use]
    pub fn kind(&self) -> KindId {
        self.kind
    }

    /// The instant of the event.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Makes the buffer an event of a kind that gives nothing: defaults stand, all else is missing.
    pub(crate) fn reset(&mut self, kind: &KindLayout) {
        self.restore(&kind.blank);
        self.id = None;
    }

    fn restore(&mut self, blank: &Self) {
        self.layout = blank.layout;
        self.kind = blank.kind;
        self.cells.clear();
        self.cells.extend_from_slice(&blank.cells);
        self.columns = blank.columns;
        self.set = blank.set;
        self.missing = blank.missing;
        self.text.clear();
        self.text.extend_from_slice(&blank.text);
        self.items.clear();
        self.items.extend_from_slice(&blank.items);
    }

    /// Makes the buffer the same event as another one.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.restore(other);
        self.at = other.at;
        self.id = other.id;
    }

    /// The upward entry of a column.
    #[inline]
    pub(crate) fn up(&self, column: u8) -> i64 {
        let entry = self.columns.get(usize::from(column) * 2);
        entry.copied().unwrap_or(MISSING)
    }
}

/// A text of an event as a cell: a range of bytes, of the input or of the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TextCell {
    pub(crate) start: usize,
    pub(crate) length: usize,
    /// Whether it is in the buffer.
    pub(crate) own: bool,
}

impl TextCell {
    const LENGTH: u32 = 31;

    /// A range of the input.
    #[inline]
    pub(crate) fn of_input(start: usize, end: usize) -> Self {
        Self {
            start,
            length: end - start,
            own: false,
        }
    }

    /// The cell; both numbers are below 2^31 by the bounds of events.
    #[inline]
    pub(crate) fn pack(self) -> i64 {
        let (start, length) = (self.start as u64, self.length as u64);
        (u64::from(self.own) << 62 | start << Self::LENGTH | length).cast_signed()
    }

    #[inline]
    pub(crate) fn unpack(cell: i64) -> Self {
        let low = cell & ((1 << Self::LENGTH) - 1);
        let start = (cell >> Self::LENGTH) & ((1 << Self::LENGTH) - 1);
        Self {
            start: start as usize,
            length: low as usize,
            own: cell & (1 << 62) != 0,
        }
    }
}

/// An event with the bytes that its texts are in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) slots: &'a Slots,
    pub(crate) input: &'a [u8],
}

impl<'a> Seen<'a> {
    /// The cell of a slot; `None` where the field is missing.
    #[inline]
    pub(crate) fn cell(self, slot: u16) -> Option<i64> {
        let cell = *self.slots.cells.get(usize::from(slot))?;
        (cell != MISSING).then_some(cell)
    }

    /// The bytes of a text.
    #[inline]
    pub(crate) fn text(self, cell: i64) -> &'a [u8] {
        let text = TextCell::unpack(cell);
        let source = if text.own {
            &self.slots.text
        } else {
            self.input
        };
        source
            .get(text.start..text.start + text.length)
            .unwrap_or_default()
    }

    /// The items of a list.
    pub(crate) fn items(self, cell: i64) -> &'a [i64] {
        let range = TextCell::unpack(cell);
        self.slots
            .items
            .get(range.start..range.start + range.length)
            .unwrap_or_default()
    }
}
