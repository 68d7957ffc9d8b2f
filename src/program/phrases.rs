//! The phrases that tests look for in the text of one field, found in one scan.
//!
//! In: the phrases, known when the program is made; an event's text. Out: which of them it has.
//! Invariant: a scan finds just the phrases that a search for each would find.
//! Knows no lanes.
//!
//! A single phrase is searched for by itself, which takes a few nanoseconds, and most events are
//! asked for few. Only where many are asked for of one event they are all looked for at once.

use aho_corasick::{AhoCorasick, MatchKind};

use super::Rank;
use super::index::Range;
use super::scratch::Memo;
use super::test::{Op, Test};

/// The phrases of one field.
#[derive(Debug)]
pub struct Phrases {
    /// The field.
    pub slot: u16,
    automaton: AhoCorasick,
    /// By phrase: the test that looks for it.
    pub tests: Vec<u32>,
    /// By phrase: the clauses that are filed under it.
    pub ranges: Vec<Range>,
    /// All clauses that are filed under a phrase.
    pub all: Range,
    /// The smallest rank of those clauses.
    pub first: Rank,
}

/// Phrases of one field that are not too few to be looked for together.
pub const LEAST: usize = 32;

/// How many phrases of a field an event is searched for one by one: so many searches take about as
/// long as one scan for all of them.
pub const PATIENCE: u32 = 24;

impl Phrases {
    /// The phrases of some tests of one field; nothing where no automaton can hold them.
    #[must_use]
    pub fn new(slot: u16, tests: Vec<u32>, all: &[Test]) -> Option<Self> {
        let phrases = tests
            .iter()
            .map(|number| match &all.get(*number as usize)?.op {
                Op::Contains(phrase) => Some(phrase.needle()),
                _ => None,
            });
        let phrases = phrases.collect::<Option<Vec<&[u8]>>>()?;
        // Phrases may lie in each other: every one that is there has to be found.
        let mut builder = AhoCorasick::builder();
        let automaton = builder
            .match_kind(MatchKind::Standard)
            .build(phrases)
            .ok()?;
        Some(Self {
            slot,
            automaton,
            ranges: vec![Range::default(); tests.len()],
            tests,
            all: Range::default(),
            first: Rank::NONE,
        })
    }

    /// Whether clauses are filed under them.
    #[must_use]
    pub fn is_filed(&self) -> bool {
        self.all.start < self.all.end
    }

    /// Bytes that the automaton takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.automaton.memory_usage()
    }

    /// Notes each phrase that a text has, once.
    pub(super) fn scan(&self, text: &[u8], memo: &mut Memo) {
        memo.found.clear();
        memo.marks.clear();
        memo.marks.resize(self.tests.len().div_ceil(64), 0);
        for found in self.automaton.find_overlapping_iter(text) {
            let number = found.pattern().as_u32();
            let bit = 1u64 << (number % 64);
            if let Some(word) = memo.marks.get_mut(number as usize / 64)
                && *word & bit == 0
            {
                *word |= bit;
                memo.found.push(number);
            }
        }
    }
}
