//! Which clauses an event is held against.
//!
//! In: an event. Out: ranges of clauses, which lie together.
//! Invariant: each clause that could hold is in one of the ranges; within one value's range clauses
//! are in the order of their ranks, or in that of their thresholds.
//!
//! Each clause is filed under one of its tests, the most selective one: a text, a word, a prefix or
//! a threshold that the event must have. An event that lacks the field looks at everything that is
//! filed under it, because what is not known may hold. A kind of few clauses has no index.

use super::{Dictionary, Rank};
use crate::slots::{MISSING, Seen};

/// Clauses that lie together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Range {
    /// The first.
    pub start: u32,
    /// The one behind the last.
    pub end: u32,
}

/// How the clauses of a range follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The smallest rank first.
    Ranks,
    /// Several such ranges behind each other.
    None,
}

/// The index of a kind.
#[derive(Debug, Clone, Default)]
pub struct Index {
    /// Clauses that every event is held against.
    pub always: Range,
    /// By the word of a closed set, or by yes and no.
    pub words: Vec<ByWord>,
    /// By the symbol of a text.
    pub symbols: Vec<BySymbol>,
    /// By text, where it has no symbol.
    pub texts: Vec<ByText>,
    /// By the beginning of a text.
    pub prefixes: Vec<ByPrefix>,
    /// By threshold.
    pub thresholds: Vec<ByThreshold>,
}

/// Clauses by the cell of a field.
#[derive(Debug, Clone)]
pub struct ByWord {
    /// The field.
    pub slot: u16,
    /// By cell.
    pub ranges: Vec<Range>,
    /// All of them.
    pub all: Range,
}

/// Clauses by the symbol of a field's text.
#[derive(Debug, Clone)]
pub struct BySymbol {
    /// The field.
    pub slot: u16,
    /// The column with its symbol.
    pub column: u8,
    /// By symbol, from 1: no clause asks for a text that has none.
    pub ranges: Vec<Range>,
    /// All of them.
    pub all: Range,
}

/// Clauses by the text of a field.
#[derive(Debug, Clone)]
pub struct ByText {
    /// The field.
    pub slot: u16,
    /// The texts.
    pub texts: Dictionary,
    /// By the number of the text.
    pub ranges: Vec<Range>,
    /// All of them.
    pub all: Range,
}

/// Clauses by the beginning of a field's text.
#[derive(Debug, Clone)]
pub struct ByPrefix {
    /// The field.
    pub slot: u16,
    /// The lengths of the beginnings, in bytes.
    pub lengths: Vec<u32>,
    /// The beginnings.
    pub texts: Dictionary,
    /// By the number of the beginning.
    pub ranges: Vec<Range>,
    /// All of them.
    pub all: Range,
}

/// Clauses by a bound of a column.
#[derive(Debug, Clone)]
pub struct ByThreshold {
    /// The entry of the event's columns.
    pub column: u8,
    /// The bounds, the smallest first.
    pub bounds: Vec<i64>,
    /// The clauses in the same order.
    pub range: Range,
    /// The smallest rank of them.
    pub first: Rank,
}

impl ByThreshold {
    /// The clauses whose bound an event reaches.
    #[inline]
    pub(crate) fn reached(&self, seen: Seen<'_>) -> Range {
        let cell = seen.slots.columns.get(usize::from(self.column)).copied();
        let cell = cell.unwrap_or(MISSING);
        let count = self.bounds.partition_point(|bound| *bound <= cell);
        Range {
            start: self.range.start,
            end: self.range.start + u32::try_from(count).unwrap_or(u32::MAX),
        }
    }
}

impl Index {
    /// Looks at each range that an event is held against.
    #[inline]
    pub(crate) fn ranges(&self, seen: Seen<'_>, mut look: impl FnMut(Range, Order)) {
        if self.always.start < self.always.end {
            look(self.always, Order::Ranks);
        }
        for by in &self.words {
            let cell = seen.slots.cells.get(usize::from(by.slot)).copied();
            match cell {
                Some(MISSING) | None => look(by.all, Order::None),
                Some(cell) => {
                    let range = usize::try_from(cell).ok().and_then(|at| by.ranges.get(at));
                    if let Some(range) = range {
                        look(*range, Order::Ranks);
                    }
                }
            }
        }
        for by in &self.symbols {
            match seen.slots.up(by.column) {
                MISSING => look(by.all, Order::None),
                symbol => {
                    let at = usize::try_from(symbol - 1).ok();
                    if let Some(range) = at.and_then(|at| by.ranges.get(at)) {
                        look(*range, Order::Ranks);
                    }
                }
            }
        }
        for by in &self.texts {
            match seen.cell(by.slot) {
                None => look(by.all, Order::None),
                Some(cell) => {
                    let number = by.texts.find(seen.text(cell));
                    if let Some(range) = number.and_then(|n| by.ranges.get(n as usize)) {
                        look(*range, Order::Ranks);
                    }
                }
            }
        }
        for by in &self.prefixes {
            match seen.cell(by.slot) {
                None => look(by.all, Order::None),
                Some(cell) => {
                    let text = seen.text(cell);
                    for length in &by.lengths {
                        let Some(beginning) = text.get(..*length as usize) else {
                            break;
                        };
                        let number = by.texts.find(beginning);
                        if let Some(range) = number.and_then(|n| by.ranges.get(n as usize)) {
                            look(*range, Order::Ranks);
                        }
                    }
                }
            }
        }
    }

    /// Whether every event is held against every clause.
    #[must_use]
    pub fn is_straight(&self) -> bool {
        self.words.is_empty()
            && self.symbols.is_empty()
            && self.texts.is_empty()
            && self.prefixes.is_empty()
            && self.thresholds.is_empty()
    }
}
