//! One way in which a trigger can hold: tests that all have to.
//!
//! In: an event's set and columns. Out: whether nothing in them speaks against the clause.
//! Invariant: a clause that can hold is never ruled out. What is missing passes.
//!
//! A trigger is taken apart into clauses, so that a lane attaches if one of them does. What most
//! tests ask is held in numbers that are compared without a branch: bits that the event must not
//! have, and bounds that its columns must reach. The rest is asked afterwards.

use super::Rank;
use super::index::Range;
use crate::slots::{COLUMNS, Slots};

/// Bounds that a clause holds itself; more of them are in its rest.
pub const BOUNDS: usize = 4;

/// A clause as it is held against events.
// PERF: 64 bytes, so that a clause is one line of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clause {
    /// Bits of the event's set that rule it out. They are looked at before, in the list of all.
    pub forbidden: u64,
    /// What the entries of `columns` must reach.
    pub bounds: [i64; BOUNDS],
    /// Which entries of the event's columns.
    pub columns: [u8; BOUNDS],
    /// The smallest rank that its lane or rule can have.
    pub rank: Rank,
    /// Where its rest starts.
    pub rest: u32,
    /// How many parts its rest has.
    pub rest_count: u32,
    /// Its lane or rule.
    pub entry: u32,
}

/// What of a clause is only asked once it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClauseSource {
    /// The bits of optional fields without which it does not surely hold.
    pub unknown: u64,
    /// Whether that does not say it all: then the whole trigger is asked.
    pub ask: bool,
    /// Its tests, all of them.
    pub tests: Range,
}

impl Clause {
    /// A clause that asks nothing.
    pub const EMPTY: Self = Self {
        forbidden: 0,
        bounds: [i64::MIN; BOUNDS],
        columns: [u8::MAX; BOUNDS],
        rank: Rank::NONE,
        rest: 0,
        rest_count: 0,
        entry: 0,
    };

    /// Whether no column rules it out.
    #[inline]
    #[must_use]
    pub(crate) fn may_hold(&self, slots: &Slots) -> bool {
        let [a, b, c, d] = self.columns;
        let [e, f, g, h] = self.bounds;
        // PERF: no branch between the comparisons: which of them fails cannot be foreseen.
        (at(slots, a) >= e) & (at(slots, b) >= f) & (at(slots, c) >= g) & (at(slots, d) >= h)
    }
}

// PERF: see above.
const _: () = assert!(size_of::<Clause>() == 64);

#[inline]
fn at(slots: &Slots, column: u8) -> i64 {
    // PERF: the mask is no change of the value; it tells the compiler that there is no need to
    // check it.
    const LAST: u8 = (COLUMNS - 1) as u8;
    #[expect(clippy::indexing_slicing, reason = "masked to the length of the array")]
    slots.columns[usize::from(column & LAST)]
}
