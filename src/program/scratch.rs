//! What one thread needs to decide one event after the other without allocating.
//!
//! In: nothing. Out: buffers, which grow to what the program needs and stay.
//! Invariant: nothing of one event is seen by the next.

use super::node::NodeId;
use super::run::Hit;
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
}

impl Memo {
    /// Forgets all answers, for a program of so many tests and parts.
    #[inline]
    pub(crate) fn start(&mut self, tests: usize, nodes: usize) {
        self.event = self.event.wrapping_add(4);
        if self.event == 0 {
            // The numbers begin again: old answers must not look new.
            self.tests.fill(0);
            self.nodes.fill(0);
            self.event = 4;
        }
        if self.tests.len() < tests {
            self.tests.resize(tests, 0);
        }
        if self.nodes.len() < nodes {
            self.nodes.resize(nodes, 0);
        }
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
