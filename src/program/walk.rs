//! One event on its way through the clauses of its kind.
//!
//! In: an event as slots, the answers of the tests of measures. Out: a [`Hit`] for each clause that
//! holds, given to whoever collects them.
//! Invariant: no clause that could hold is left out, but those of a rank that the collector has no
//! use for any more.
//! Must not know what follows from a hit.

use super::clause::Clause;
use super::index::{Order, Range};
use super::node::Asked;
use super::phrases::Phrases;
use super::scratch::Memo;
use super::{Entry, KindProgram, Rank, What};
use crate::decision::{Kleene, State};

/// A lane or rule that fires or is unsure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Its rank; [`Rank::NONE`] where it decides nothing.
    pub rank: Rank,
    /// Its number among the entries of the kind.
    pub entry: u32,
    /// Whether it surely does.
    pub state: State,
    /// Its clause among those of the kind: the tests in it are the reason.
    pub clause: u32,
}

/// What is done with the clauses that hold.
pub(super) trait Collect {
    /// Whether clauses of this rank and above are of no interest any more.
    fn is_done(&self, rank: Rank) -> bool;
    fn hit(&mut self, hit: Hit);
}

/// A bit for each of at most 64 clauses that no bit of the event rules out.
#[inline]
fn pass(masks: &[u64], set: u64) -> u64 {
    let (eights, rest) = masks.as_chunks::<8>();
    let mut left = 0;
    // PERF: eight at once by constant shifts, so that none waits for the one before it.
    for (at, [a, b, c, d, e, f, g, h]) in eights.iter().enumerate() {
        let bit = |mask: &u64, at: u32| u64::from(mask & set == 0) << at;
        let low = (bit(a, 0) | bit(b, 1)) | (bit(c, 2) | bit(d, 3));
        let high = (bit(e, 4) | bit(f, 5)) | (bit(g, 6) | bit(h, 7));
        left |= (low | high) << (8 * at);
    }
    // PERF: of fewer than eight each waits for the one behind it, which leaves nothing to set up.
    let last = |left, mask: &u64| left << 1 | u64::from(mask & set == 0);
    match rest.iter().rev().fold(0, last) {
        0 => left,
        last => left | last << (8 * eights.len()),
    }
}

/// One event on its way through the clauses of its kind.
pub(super) struct Walk<'a> {
    pub(super) kind: &'a KindProgram,
    pub(super) asked: Asked<'a>,
    pub(super) memo: &'a mut Memo,
}

impl Walk<'_> {
    pub(super) fn all(&mut self, collect: &mut impl Collect) {
        let kind = self.kind;
        kind.index.ranges(self.asked.seen, |range, order| {
            self.look(range, order, collect);
        });
        for by in &kind.index.thresholds {
            if !collect.is_done(by.first) {
                let range = by.reached(self.asked.seen);
                self.look(range, Order::None, collect);
            }
        }
        for (field, phrases) in (0u16..).zip(&kind.phrases) {
            if phrases.is_filed() && !collect.is_done(phrases.first) {
                self.by_phrase(field, phrases, collect);
            }
        }
    }

    /// Clauses that are filed under phrases of a field: one search for all of them.
    #[inline(never)]
    fn by_phrase(&mut self, field: u16, phrases: &Phrases, collect: &mut impl Collect) {
        if self.asked.seen.cell(phrases.slot).is_none() {
            return self.look(phrases.all, Order::None, collect);
        }
        if phrases.are_few() {
            // The clauses ask for their phrases themselves where one of them is there.
            if !self.memo.is_searched(field) && !self.asked.has_none(field, phrases, self.memo) {
                self.look(phrases.all, Order::Ranks, collect);
            }
            return;
        }
        self.asked.scan(field, self.memo);
        // What is asked of the clauses may search another field.
        let Memo { found, visited, .. } = &mut *self.memo;
        std::mem::swap(found, visited);
        for at in 0..self.memo.visited.len() {
            let phrase = self.memo.visited.get(at);
            let range = phrase.and_then(|phrase| phrases.ranges.get(*phrase as usize));
            if let Some(range) = range.copied() {
                self.look(range, Order::Ranks, collect);
            }
        }
    }

    /// Holds the event against the clauses of a range.
    #[inline]
    fn look(&mut self, range: Range, order: Order, collect: &mut impl Collect) {
        let kind = self.kind;
        let slots = self.asked.seen.slots;
        let mut start = range.start as usize;
        let masks = kind.masks.get(start..range.end as usize);
        // PERF: the bits of 64 clauses are compared before anything else of them is looked at: that
        // takes no branch and a line of the cache for eight, and few clauses are left.
        for part in masks.unwrap_or_default().chunks(64) {
            let mut left = pass(part, slots.set);
            while left != 0 {
                let at = start + left.trailing_zeros() as usize;
                left &= left - 1;
                let Some(clause) = kind.clauses.get(at) else {
                    return;
                };
                if collect.is_done(clause.rank) {
                    match order {
                        Order::Ranks => return,
                        Order::None => continue,
                    }
                }
                if clause.may_hold(slots) {
                    self.rest(clause, at, collect);
                }
            }
            start += 64;
        }
    }

    /// Asks what is not in the numbers.
    #[inline]
    fn rest(&mut self, clause: &Clause, at: usize, collect: &mut impl Collect) {
        let traits = clause.traits();
        let lacks = clause.unknown & self.asked.seen.slots.missing != 0;
        // PERF: nearly all clauses say by themselves what follows from them, so that nothing else of
        // their lanes is fetched.
        let known = match lacks {
            _ if traits.ask || !traits.plain => None,
            false => Some((State::Fired, clause.rank)),
            true if traits.single => Some((State::Unsure, clause.unsure)),
            true => None,
        };
        if known.is_some_and(|(_, rank)| collect.is_done(rank)) {
            return;
        }
        let rest = self.kind.rest.get(clause.rest()).unwrap_or_default();
        for node in rest {
            if self.asked.answer(*node, self.memo) == Kleene::False {
                return;
            }
        }
        if let Some((state, rank)) = known.or_else(|| self.ask(clause, lacks)) {
            collect.hit(Hit {
                rank,
                entry: clause.entry,
                state,
                clause: u32::try_from(at).unwrap_or(u32::MAX),
            });
        }
    }

    /// Whether a clause that can hold surely does, and its rank then.
    #[inline(never)]
    fn ask(&mut self, clause: &Clause, lacks: bool) -> Option<(State, Rank)> {
        let traits = clause.traits();
        let entry = self.kind.entries.get(clause.entry as usize)?;
        let state = match (traits.ask, lacks) {
            (false, false) => State::Fired,
            (false, true) if traits.single => State::Unsure,
            _ => match self.asked.answer(entry.trigger, self.memo) {
                Kleene::True => State::Fired,
                Kleene::Unknown => State::Unsure,
                Kleene::False => return None,
            },
        };
        let rank = match state {
            _ if entry.trial && self.is_on_trial(entry) => Rank::NONE,
            State::Fired => entry.fired,
            State::Unsure => entry.unsure,
        };
        Some((state, rank))
    }

    fn is_on_trial(&self, entry: &Entry) -> bool {
        let What::Lane(id) = entry.what else {
            return false;
        };
        let lane = self.asked.matrix.lane(id);
        lane.is_some_and(|lane| lane.is_on_trial(self.asked.seen.slots.at))
    }
}
