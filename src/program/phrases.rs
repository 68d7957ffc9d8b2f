//! The phrases that tests look for in the text of one field, found in one scan.
//!
//! In: the phrases, known when the program is made; an event's text. Out: which of them it has.
//! Invariant: a scan finds just the phrases that a search for each would find.
//! Knows no lanes.
//!
//! A single phrase is searched for by itself, which takes a few nanoseconds. A few phrases are first
//! looked for all at once by a packed search, which mostly says that none is there; many by an
//! automaton, but only where many are asked for of one event, since it takes as long as 24 of them.

use aho_corasick::packed::Searcher;
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
    search: Search,
    /// By phrase: the test that looks for it.
    pub tests: Vec<u32>,
    /// By phrase: the clauses that are filed under it.
    pub ranges: Vec<Range>,
    /// All clauses that are filed under a phrase.
    pub all: Range,
    /// The smallest rank of those clauses.
    pub first: Rank,
}

/// How all phrases are looked for at once.
#[derive(Debug)]
enum Search {
    /// Whether one of a few is there; not on every processor.
    Few(Option<Box<Searcher>>),
    /// Which of many are there.
    Many(AhoCorasick),
}

/// Phrases of one field that are looked for together at all.
pub const FEW: usize = 2;

/// Phrases of one field that are many.
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
        let search = if phrases.len() < LEAST {
            Search::Few(Searcher::new(phrases).map(Box::new))
        } else {
            // Phrases may lie in each other: every one that is there has to be found.
            let mut builder = AhoCorasick::builder();
            let automaton = builder.match_kind(MatchKind::Standard).build(phrases);
            Search::Many(automaton.ok()?)
        };
        Some(Self {
            slot,
            search,
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

    /// Whether a search says no more than whether one of them is there.
    #[must_use]
    pub fn are_few(&self) -> bool {
        matches!(self.search, Search::Few(_))
    }

    /// How many of a few phrases are looked for one by one before all are: a search for so many more
    /// takes longer.
    #[inline]
    pub(super) fn patience(&self) -> u32 {
        u32::try_from(self.tests.len() / 4).map_or(u32::MAX, |quarter| quarter.max(1))
    }

    /// Whether a text surely has none of a few phrases.
    #[inline]
    pub(super) fn has_none(&self, text: &[u8]) -> bool {
        match &self.search {
            Search::Few(Some(searcher)) => searcher.find(text).is_none(),
            _ => false,
        }
    }

    /// Bytes that the search takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        match &self.search {
            Search::Few(searcher) => searcher.as_ref().map_or(0, |few| few.memory_usage()),
            Search::Many(automaton) => automaton.memory_usage(),
        }
    }

    /// Notes each phrase that a text has, once.
    pub(super) fn scan(&self, text: &[u8], memo: &mut Memo) {
        memo.found.clear();
        memo.marks.clear();
        memo.marks.resize(self.tests.len().div_ceil(64), 0);
        let Search::Many(automaton) = &self.search else {
            return;
        };
        for found in automaton.find_overlapping_iter(text) {
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
