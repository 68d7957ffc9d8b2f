//! One way in which a trigger can hold: tests that all have to.
//!
//! In: an event's set and columns. Out: whether nothing in them speaks against the clause.
//! Invariant: a clause that can hold is never ruled out. What is missing passes.
//!
//! What rules a clause out by bits stands apart, in the list of all masks.
//!
//! A trigger is taken apart into clauses, so that a lane attaches if one of them does. What most
//! tests ask is held in numbers that are compared without a branch: bits that the event must not
//! have, and bounds that its columns must reach. The rest is asked afterwards.

use super::Rank;
use crate::slots::{COLUMNS, Slots};

/// Bounds that a clause holds itself; more of them are in its rest.
pub const BOUNDS: usize = 4;

/// A clause as it is held against events.
// PERF: 64 bytes, so that a clause is one line of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clause {
    /// The bits of optional fields without which it does not surely hold.
    pub unknown: u64,
    /// What the entries of `columns` must reach.
    pub bounds: [i64; BOUNDS],
    /// Which entries of the event's columns.
    pub columns: [u8; BOUNDS],
    /// The smallest rank that its lane or rule can have.
    pub rank: Rank,
    /// The rank of its lane or rule where that is unsure.
    pub unsure: Rank,
    /// Where its rest starts.
    rest: u32,
    /// How many parts its rest has, and above them its [`Traits`].
    rest_count: u32,
    /// Its lane or rule.
    pub entry: u32,
}

/// What has to be known of a clause once it can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traits {
    /// Whether the bits of optional fields do not say it all: then the whole trigger is asked.
    pub ask: bool,
    /// Whether its trigger has no other clause: then it is unsure where such a field is missing, else
    /// the whole trigger is asked.
    pub single: bool,
    /// Whether its lane or rule has the smallest rank where it fires, for every event: it is not
    /// under trial.
    pub plain: bool,
}

const ASK: u32 = 1 << 31;
const SINGLE: u32 = 1 << 30;
const PLAIN: u32 = 1 << 29;
const COUNT: u32 = PLAIN - 1;

impl Clause {
    /// A clause that asks nothing.
    pub const EMPTY: Self = Self {
        unknown: 0,
        bounds: [i64::MIN; BOUNDS],
        columns: [u8::MAX; BOUNDS],
        rank: Rank::NONE,
        unsure: Rank::NONE,
        rest: 0,
        rest_count: 0,
        entry: 0,
    };

    /// Notes where its rest is and what else has to be known of it.
    pub(crate) fn set_rest(&mut self, start: u32, count: u32, traits: Traits) {
        let flag = |has: bool, bit: u32| if has { bit } else { 0 };
        let flags = flag(traits.ask, ASK) | flag(traits.single, SINGLE) | flag(traits.plain, PLAIN);
        self.rest = start;
        self.rest_count = count & COUNT | flags;
    }

    /// Where its rest is.
    #[inline]
    #[must_use]
    pub fn rest(&self) -> std::ops::Range<usize> {
        let start = self.rest as usize;
        start..start + (self.rest_count & COUNT) as usize
    }

    /// What has to be known of it once it can hold.
    #[inline]
    #[must_use]
    pub fn traits(&self) -> Traits {
        Traits {
            ask: self.rest_count & ASK != 0,
            single: self.rest_count & SINGLE != 0,
            plain: self.rest_count & PLAIN != 0,
        }
    }

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
