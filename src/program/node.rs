//! Triggers as expressions over tests, with equal parts once.
//!
//! In: built by the compiler, in negation normal form: `not` stands at tests only. Out: a
//! [`Kleene`] for an event.
//! Invariant: a part stands before every part that it is in, so that nothing is endless; the answer
//! is exact in all three values.
//! Knows no lanes.

use super::phrases::{PATIENCE, Phrases};
use super::scratch::Memo;
use super::test::{Op, Test};
use crate::decision::Kleene;
use crate::matrix::Matrix;
use crate::slots::Seen;

/// A part of a trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Node {
    /// A test by its number, or the opposite of its answer.
    Test {
        /// The number.
        test: u32,
        /// Whether the opposite.
        not: bool,
    },
    /// The test of a measure by its number, or the opposite of its answer.
    Measure {
        /// The number.
        test: u32,
        /// Whether the opposite.
        not: bool,
    },
    /// All of its parts.
    All(Parts),
    /// One of its parts.
    Any(Parts),
    /// So many of its parts.
    AtLeast(u32, Parts),
}

/// The parts of a part: a range of the list of all parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Parts {
    /// Where they start.
    pub start: u32,
    /// How many there are.
    pub count: u32,
}

/// All parts of the triggers of a kind.
#[derive(Debug, Clone, Default)]
pub struct Nodes {
    /// Each part.
    pub nodes: Vec<Node>,
    /// The parts of parts.
    pub parts: Vec<NodeId>,
    /// Which parts stand in several places and are not single tests.
    pub shared: Vec<bool>,
}

impl Nodes {
    /// A part.
    #[must_use]
    pub fn get(&self, id: NodeId) -> Option<Node> {
        self.nodes.get(id.0 as usize).copied()
    }

    /// The parts of a part.
    #[must_use]
    pub fn parts(&self, parts: Parts) -> &[NodeId] {
        let start = parts.start as usize;
        self.parts
            .get(start..start + parts.count as usize)
            .unwrap_or_default()
    }
}

/// What parts are asked over.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) nodes: &'a Nodes,
    pub(crate) tests: &'a [Test],
    pub(crate) phrases: &'a [Phrases],
    pub(crate) matrix: &'a Matrix,
    pub(crate) seen: Seen<'a>,
    /// The answers of the tests of measures.
    pub(crate) measured: &'a [Kleene],
}

impl Asked<'_> {
    /// The answer of a part.
    #[inline]
    pub(crate) fn answer(&self, id: NodeId, memo: &mut Memo) -> Kleene {
        // PERF: nearly all parts that are asked are tests.
        match self.nodes.get(id) {
            Some(Node::Test { test, not }) => negate(self.test(test, memo), not),
            Some(node) => self.other(id, node, memo),
            None => Kleene::Unknown,
        }
    }

    /// The answer of a part that is no test of a field.
    #[inline(never)]
    fn other(&self, id: NodeId, node: Node, memo: &mut Memo) -> Kleene {
        if let Node::Measure { test, not } = node {
            let answer = self.measured.get(test as usize).copied();
            return negate(answer.unwrap_or(Kleene::Unknown), not);
        }
        let shared = self.nodes.shared.get(id.0 as usize) == Some(&true);
        if shared && let Some(known) = memo.node(id) {
            return known;
        }
        let answer = self.block(node, memo);
        if shared {
            memo.note_node(id, answer);
        }
        answer
    }

    #[inline]
    fn test(&self, number: u32, memo: &mut Memo) -> Kleene {
        let Some(test) = self.tests.get(number as usize) else {
            return Kleene::Unknown;
        };
        if !test.is_slow() {
            return test.answer(self.seen, self.matrix);
        }
        if let Some(known) = memo.test(number) {
            return known;
        }
        let answer = match &test.op {
            Op::Contains(phrase) => match phrase.field {
                Some(field) => self.phrase(number, test, field, memo),
                None => test.answer(self.seen, self.matrix),
            },
            _ => test.answer(self.seen, self.matrix),
        };
        memo.note_test(number, answer);
        answer
    }

    /// Whether a text has a phrase, by a search for it or by one for all phrases of the field.
    fn phrase(&self, number: u32, test: &Test, field: u16, memo: &mut Memo) -> Kleene {
        let phrases = self.phrases.get(usize::from(field));
        let (Some(_), Some(phrases)) = (self.seen.cell(test.slot), phrases) else {
            return test.answer(self.seen, self.matrix);
        };
        match (memo.search(field), phrases.are_few()) {
            // It is none of those that were found.
            (None, _) => Kleene::from_bool(test.not),
            (Some(before), true)
                if before == phrases.patience() && self.has_none(field, phrases, memo) =>
            {
                Kleene::from_bool(test.not)
            }
            (Some(before), false) if before >= PATIENCE => {
                self.scan(field, memo);
                let found = memo.test(number);
                found.unwrap_or(Kleene::from_bool(test.not))
            }
            _ => test.answer(self.seen, self.matrix),
        }
    }

    /// Whether a field's text surely has none of its few phrases.
    #[inline]
    pub(crate) fn has_none(&self, field: u16, phrases: &Phrases, memo: &mut Memo) -> bool {
        let cell = self.seen.cell(phrases.slot);
        let none = cell.is_some_and(|cell| phrases.has_none(self.seen.text(cell)));
        memo.note_searched(field, none);
        none
    }

    /// Notes the tests whose phrases the text of a field has; those of all others are answered.
    pub(crate) fn scan(&self, field: u16, memo: &mut Memo) {
        let Some(phrases) = self.phrases.get(usize::from(field)) else {
            return;
        };
        let cell = self.seen.cell(phrases.slot);
        let text = cell.map(|cell| self.seen.text(cell));
        phrases.scan(text.unwrap_or_default(), memo);
        for at in 0..memo.found.len() {
            let number = memo
                .found
                .get(at)
                .and_then(|at| phrases.tests.get(*at as usize));
            let test = number.and_then(|number| self.tests.get(*number as usize));
            if let (Some(number), Some(test)) = (number, test) {
                memo.note_test(*number, Kleene::from_bool(!test.not));
            }
        }
        memo.note_searched(field, true);
    }

    fn block(&self, node: Node, memo: &mut Memo) -> Kleene {
        match node {
            Node::All(parts) => {
                let mut all = Kleene::True;
                for part in self.nodes.parts(parts) {
                    match self.answer(*part, memo) {
                        Kleene::False => return Kleene::False,
                        Kleene::Unknown => all = Kleene::Unknown,
                        Kleene::True => {}
                    }
                }
                all
            }
            Node::Any(parts) => {
                let mut any = Kleene::False;
                for part in self.nodes.parts(parts) {
                    match self.answer(*part, memo) {
                        Kleene::True => return Kleene::True,
                        Kleene::Unknown => any = Kleene::Unknown,
                        Kleene::False => {}
                    }
                }
                any
            }
            Node::AtLeast(wanted, parts) => {
                let (mut surely, mut maybe) = (0, 0);
                for part in self.nodes.parts(parts) {
                    match self.answer(*part, memo) {
                        Kleene::True => surely += 1,
                        Kleene::Unknown => maybe += 1,
                        Kleene::False => {}
                    }
                }
                if surely >= wanted {
                    Kleene::True
                } else if surely + maybe < wanted {
                    Kleene::False
                } else {
                    Kleene::Unknown
                }
            }
            Node::Test { .. } | Node::Measure { .. } => Kleene::Unknown,
        }
    }
}

#[inline]
fn negate(answer: Kleene, not: bool) -> Kleene {
    if not { !answer } else { answer }
}
