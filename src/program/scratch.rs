//! What one thread needs to decide one event after the other without allocating.
//!
//! In: nothing. Out: buffers, which grow to what the program needs and stay.
//! Invariant: nothing of one event is seen by the next.

use super::node::NodeId;
use super::walk::Hit;
use crate::decision::Kleene;
use crate::slots::Slots;

/// The buffers of one thread. Any program may use them.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) memo: Memo,
    pub(super) hits: Vec<Hit>,
    /// The event with its adjusts.
    pub(super) adjusted: Slots,
    /// Rules that apply to the event before its adjusts.
    pub(super) before: Vec<Hit>,
}

/// The answers that were worked out for the event at hand.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    /// The number of the event, shifted left by two.
    event: u32,
    tests: Vec<u32>,
    nodes: Vec<u32>,
    /// By field with phrases.
    fields: Vec<Searched>,
    /// The phrases that the last scan found.
    pub(super) found: Vec<u32>,
    /// The same as bits.
    pub(super) marks: Vec<u64>,
    /// The phrases whose clauses are being looked at.
    pub(super) visited: Vec<u32>,
}

/// How far the text of a field was searched for phrases.
#[derive(Debug, Clone, Copy, Default)]
struct Searched {
    event: u32,
    /// How many phrases it was searched for; [`u32::MAX`] for all.
    phrases: u32,
}

impl Memo {
    /// Forgets all answers, for a program of so many tests and parts.
    #[inline]
    pub(crate) fn start(&mut self, tests: usize, nodes: usize) {
        self.event = self.event.wrapping_add(4);
        if self.event == 0 || self.tests.len() < tests || self.nodes.len() < nodes {
            self.renew(tests, nodes);
        }
    }

    #[cold]
    fn renew(&mut self, tests: usize, nodes: usize) {
        if self.event == 0 {
            // The numbers begin again: old answers must not look new.
            self.tests.fill(0);
            self.nodes.fill(0);
            self.fields.fill(Searched::default());
            self.event = 4;
        }
        if self.tests.len() < tests {
            self.tests.resize(tests, 0);
        }
        if self.nodes.len() < nodes {
            self.nodes.resize(nodes, 0);
        }
    }

    /// Counts a search of a field's text for one phrase more; says how many there were before, and
    /// nothing once it was searched for all.
    pub(super) fn search(&mut self, field: u16) -> Option<u32> {
        let event = self.event;
        let searched = self.field(field)?;
        if searched.event != event {
            *searched = Searched { event, phrases: 0 };
        }
        let before = searched.phrases;
        searched.phrases = before.saturating_add(1);
        (before != u32::MAX).then_some(before)
    }

    /// Notes that a field's text was searched for all phrases at once, and whether those that it has
    /// are known by that.
    pub(super) fn note_searched(&mut self, field: u16, known: bool) {
        let event = self.event;
        if let Some(searched) = self.field(field) {
            let phrases = if known { u32::MAX } else { u32::MAX / 2 };
            *searched = Searched { event, phrases };
        }
    }

    /// Whether a field's text was searched for all phrases, and those that it has are known.
    #[inline]
    pub(super) fn is_searched(&self, field: u16) -> bool {
        let searched = self.fields.get(usize::from(field));
        searched.is_some_and(|s| s.event == self.event && s.phrases == u32::MAX)
    }

    #[inline]
    fn field(&mut self, field: u16) -> Option<&mut Searched> {
        let at = usize::from(field);
        if self.fields.len() <= at {
            self.fields.resize(at + 1, Searched::default());
        }
        self.fields.get_mut(at)
    }

    #[inline]
    pub(crate) fn test(&self, number: u32) -> Option<Kleene> {
        self.known(*self.tests.get(number as usize)?)
    }

    #[inline]
    pub(crate) fn node(&self, id: NodeId) -> Option<Kleene> {
        self.known(*self.nodes.get(id.0 as usize)?)
    }

    #[inline]
    pub(crate) fn note_test(&mut self, number: u32, answer: Kleene) {
        if let Some(place) = self.tests.get_mut(number as usize) {
            *place = self.event | code(answer);
        }
    }

    #[inline]
    pub(crate) fn note_node(&mut self, id: NodeId, answer: Kleene) {
        if let Some(place) = self.nodes.get_mut(id.0 as usize) {
            *place = self.event | code(answer);
        }
    }

    #[inline]
    fn known(&self, place: u32) -> Option<Kleene> {
        if place & !3 != self.event {
            return None;
        }
        Some(match place & 3 {
            1 => Kleene::True,
            2 => Kleene::False,
            _ => Kleene::Unknown,
        })
    }
}

fn code(answer: Kleene) -> u32 {
    match answer {
        Kleene::True => 1,
        Kleene::False => 2,
        Kleene::Unknown => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_forgotten_also_when_the_numbers_begin_again() {
        let mut memo = Memo::default();
        memo.start(1, 1);
        memo.note_test(0, Kleene::True);
        memo.note_node(NodeId(0), Kleene::Unknown);
        assert_eq!(memo.test(0), Some(Kleene::True));
        assert_eq!(memo.node(NodeId(0)), Some(Kleene::Unknown));
        memo.start(1, 1);
        assert_eq!((memo.test(0), memo.node(NodeId(0))), (None, None));
        memo.event = 0;
        memo.start(1, 1);
        memo.note_test(0, Kleene::False);
        memo.event = u32::MAX - 3;
        memo.start(1, 1);
        assert_eq!(memo.test(0), None);
    }
}
