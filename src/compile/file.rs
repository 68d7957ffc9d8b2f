//! Where each clause is filed.
//!
//! In: packed clauses. Out: the clauses in the order of the index, and the [`Index`].
//! Invariant: a clause is filed under a test of its own, so that an event on which it can hold
//! looks at it; what the index has seen to is not asked again.
//!
//! A clause goes to the test that the fewest events are expected to pass. How many is estimated:
//! of a text, one in as many as the matrix knows of the field; of a word, one in as many as the
//! field has; of a threshold, by the range of the field's type.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::pack::{Bound, Packed, share_below};
use crate::program::clause::{Clause, ClauseSource};
use crate::program::index::{ByPrefix, ByText, ByThreshold, ByWord, Index, Range};
use crate::program::node::{Node, NodeId};
use crate::program::phrases::{LEAST, Phrases};
use crate::program::test::{Op, Test};
use crate::program::{Dictionary, Rank};
use crate::slots::{Absent, Cell, KindLayout};

/// Values of a set under each of which a clause is filed.
const FILED_TWICE: usize = 8;

/// Bytes of the shortest beginning that a clause is filed under.
const PREFIX: usize = 3;

/// How much more selective a threshold must be than a text or word: its estimate is worse, and
/// clauses that are filed under it are not in the order of their ranks.
const THRESHOLD_HANDICAP: f64 = 4.0;

/// How much more selective a beginning must be than a text or word: it is looked up once for each
/// length that there is.
const PREFIX_HANDICAP: f64 = 6.0;

/// How much less likely to lack a field an event should be.
const OPTIONAL_HANDICAP: f64 = 4.0;

/// The clauses in their order, with all that belongs to them.
#[derive(Debug, Default)]
pub(super) struct Filed {
    pub(super) clauses: Vec<Clause>,
    pub(super) sources: Vec<ClauseSource>,
    pub(super) rest: Vec<NodeId>,
    pub(super) literals: Vec<NodeId>,
    pub(super) index: Index,
    pub(super) phrases: Vec<Phrases>,
}

pub(super) struct Files<'a> {
    layout: &'a KindLayout,
    tests: &'a [Test],
    phrases: Vec<Phrases>,
}

/// The clauses of each place, by their numbers.
type Places = BTreeMap<Place, Vec<usize>>;

/// A test that a clause can be filed under.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Always,
    Word {
        slot: u16,
        cell: i64,
    },
    Text {
        slot: u16,
        text: String,
    },
    Prefix {
        slot: u16,
        text: String,
    },
    Threshold {
        column: u8,
        least: i64,
    },
    /// A phrase by its number among those of a field.
    Phrase {
        field: u16,
        phrase: u32,
    },
}

/// A choice: the places, the share of events that get there, the test that it stands for.
struct Choice {
    places: Vec<Place>,
    share: f64,
    /// The test that a look-up answers.
    answered: Option<NodeId>,
}

impl<'a> Files<'a> {
    pub(super) fn new(layout: &'a KindLayout, tests: &'a [Test], phrases: Vec<Phrases>) -> Self {
        Self {
            layout,
            tests,
            phrases,
        }
    }

    pub(super) fn file(
        mut self,
        mut packed: Vec<Packed>,
        nodes: &[Node],
        straight: usize,
    ) -> Filed {
        let mut filed = Filed::default();
        let mut places = Places::new();
        if packed.len() <= straight {
            places.insert(Place::Always, (0..packed.len()).collect());
        } else {
            let known = self.known_texts(&packed, nodes);
            for (number, clause) in packed.iter_mut().enumerate() {
                let choice = self.choose(clause, nodes, &known);
                if let Some(answered) = choice.answered {
                    clause.rest.retain(|node| *node != answered);
                    clause
                        .bounds
                        .retain(|b| b.node != answered || !self.is_text(b.column));
                }
                for place in choice.places {
                    places.entry(place).or_default().push(number);
                }
            }
            self.file_phrases(&mut packed, nodes, &mut places);
        }
        filed.phrases = std::mem::take(&mut self.phrases);
        let writer = Writer {
            packed: &packed,
            filed: &mut filed,
        };
        writer.write(places, &self);
        filed
    }

    /// Files clauses under the phrases that they ask for, where nothing better was found and they
    /// are so many that one search for all phrases is quicker than a look at each clause.
    fn file_phrases(&self, packed: &mut [Packed], nodes: &[Node], places: &mut Places) {
        let Some(always) = places.remove(&Place::Always) else {
            return;
        };
        let mut fields: BTreeMap<u16, Vec<(usize, u32, NodeId)>> = BTreeMap::new();
        let mut others = Vec::new();
        for number in always {
            let clause = packed.get(number);
            match clause.and_then(|clause| self.longest_phrase(clause, nodes)) {
                Some((field, phrase, node)) => {
                    fields
                        .entry(field)
                        .or_default()
                        .push((number, phrase, node));
                }
                None => others.push(number),
            }
        }
        for (field, clauses) in fields {
            if clauses.len() < LEAST {
                others.extend(clauses.into_iter().map(|(number, ..)| number));
                continue;
            }
            for (number, phrase, node) in clauses {
                let place = Place::Phrase { field, phrase };
                places.entry(place).or_default().push(number);
                // Where the text is missing all of them are looked at, and must still be asked.
                if let Some(clause) = packed.get_mut(number)
                    && self.plain(node, nodes).is_some_and(|test| !test.if_present)
                {
                    clause.rest.retain(|rest| *rest != node);
                }
            }
        }
        if !others.is_empty() {
            places.insert(Place::Always, others);
        }
    }

    /// The longest phrase that a clause asks for, of fields that have many.
    fn longest_phrase(&self, clause: &Packed, nodes: &[Node]) -> Option<(u16, u32, NodeId)> {
        let phrases = clause.tests.iter().filter_map(|node| {
            let Op::Contains(phrase) = &self.plain(*node, nodes)?.op else {
                return None;
            };
            let field = phrase.field?;
            let number = match nodes.get(node.0 as usize)? {
                Node::Test { test, .. } => *test,
                _ => return None,
            };
            let tests = &self.phrases.get(usize::from(field))?.tests;
            // The tests of a field are in the order of their numbers.
            let at = u32::try_from(tests.binary_search(&number).ok()?).ok()?;
            Some((phrase.needle().len(), (field, at, *node)))
        });
        phrases
            .max_by_key(|(length, _)| *length)
            .map(|(_, found)| found)
    }

    /// The texts that clauses name, by field.
    fn known_texts<'p>(&self, packed: &'p [Packed], nodes: &[Node]) -> HashMap<(u16, bool), usize>
    where
        'a: 'p,
    {
        let mut texts: HashMap<(u16, bool), HashSet<&str>> = HashMap::new();
        for node in packed.iter().flat_map(|clause| &clause.rest) {
            let Some(test) = self.plain(*node, nodes) else {
                continue;
            };
            match &test.op {
                Op::Is(text) => {
                    texts.entry((test.slot, false)).or_default().insert(text);
                }
                Op::In(set) => texts
                    .entry((test.slot, false))
                    .or_default()
                    .extend(set.texts()),
                Op::StartsWith(text) => {
                    texts.entry((test.slot, true)).or_default().insert(text);
                }
                _ => {}
            }
        }
        texts
            .into_iter()
            .map(|(field, texts)| (field, texts.len()))
            .collect()
    }

    /// The test of a node that asks for no opposite.
    fn plain(&self, node: NodeId, nodes: &[Node]) -> Option<&'a Test> {
        match nodes.get(node.0 as usize)? {
            Node::Test { test, not } => {
                let test = self.tests.get(*test as usize)?;
                (test.not == *not).then_some(test)
            }
            _ => None,
        }
    }

    fn choose(
        &self,
        clause: &Packed,
        nodes: &[Node],
        known: &HashMap<(u16, bool), usize>,
    ) -> Choice {
        let mut best = Choice {
            places: vec![Place::Always],
            share: 1.0,
            answered: None,
        };
        let mut take = |choice: Choice| {
            if choice.share < best.share {
                best = choice;
            }
        };
        for node in &clause.tests {
            if let Some(test) = self.plain(*node, nodes)
                && let Some(choice) = self.by_value(*node, test, known)
            {
                take(choice);
            }
        }
        for bound in &clause.bounds {
            if self.is_text(bound.column) {
                continue;
            }
            let below = f64::from(share_below(self.layout, bound.column, bound.least));
            take(Choice {
                places: vec![Place::Threshold {
                    column: bound.column,
                    least: bound.least,
                }],
                share: (1.0 - below / 1000.0).max(0.0005) * THRESHOLD_HANDICAP,
                answered: None,
            });
        }
        best
    }

    fn is_text(&self, column: u8) -> bool {
        let mut fields = self.layout.fields.iter();
        let field = fields.find(|field| field.column == Some(column / 2));
        field.is_some_and(|field| matches!(field.cell, Cell::Text { .. }))
    }

    /// Filed under the value that a test asks for.
    fn by_value(
        &self,
        node: NodeId,
        test: &Test,
        known: &HashMap<(u16, bool), usize>,
    ) -> Option<Choice> {
        let slot = test.slot;
        let field = self.layout.field(slot)?;
        let texts = |prefix: bool| known.get(&(slot, prefix)).copied().unwrap_or(1);
        let (places, of): (Vec<Place>, usize) = match (&test.op, &field.cell) {
            (Op::Is(text), _) => (
                vec![Place::Text {
                    slot,
                    text: text.to_string(),
                }],
                texts(false) + 1,
            ),
            (Op::In(set), _) if set.len() <= FILED_TWICE => (
                set.texts()
                    .map(|text| Place::Text {
                        slot,
                        text: text.to_owned(),
                    })
                    .collect(),
                texts(false) + 1,
            ),
            (Op::StartsWith(text), _) if text.len() >= PREFIX => (
                vec![Place::Prefix {
                    slot,
                    text: text.to_string(),
                }],
                texts(true) + 1,
            ),
            (Op::Equal(cell), Cell::Flag) => (vec![Place::Word { slot, cell: *cell }], 2),
            (Op::Equal(cell), Cell::Word(words)) => {
                (vec![Place::Word { slot, cell: *cell }], words.list().len())
            }
            (Op::OneOf(cells), Cell::Word(words)) if cells.len() <= FILED_TWICE => (
                cells
                    .iter()
                    .map(|cell| Place::Word { slot, cell: *cell })
                    .collect(),
                words.list().len(),
            ),
            _ => return None,
        };
        if places.is_empty() {
            return None;
        }
        let optional = matches!(field.absent, Absent::Optional { .. });
        #[expect(clippy::cast_precision_loss, reason = "an estimate of small numbers")]
        let mut share = places.len() as f64 / of.max(1) as f64;
        if optional {
            share *= OPTIONAL_HANDICAP;
        }
        if let Op::StartsWith(_) = test.op {
            share *= PREFIX_HANDICAP;
        }
        // Where the field is missing everything that is filed under it is looked at: a test that is
        // false there must still be asked.
        let answered = !(optional && test.if_present);
        Some(Choice {
            places,
            share,
            answered: answered.then_some(node),
        })
    }
}

/// Puts the clauses into the order of the index.
struct Writer<'w> {
    packed: &'w [Packed],
    filed: &'w mut Filed,
}

impl Writer<'_> {
    fn write(mut self, places: BTreeMap<Place, Vec<usize>>, files: &Files<'_>) {
        let mut thresholds: BTreeMap<u8, Vec<(i64, usize)>> = BTreeMap::new();
        for (place, numbers) in places {
            if let Place::Threshold { column, least } = place {
                let clauses = thresholds.entry(column).or_default();
                clauses.extend(numbers.into_iter().map(|number| (least, number)));
                continue;
            }
            let range = self.by_rank(numbers);
            match place {
                Place::Phrase { field, phrase } => self.note_phrase(field, phrase, range),
                place => self.filed.index.note(place, range, files),
            }
        }
        for (column, mut clauses) in thresholds {
            let rank = |number: usize| self.packed.get(number).map(|clause| clause.rank);
            clauses.sort_by_key(|(least, number)| (*least, rank(*number)));
            let start = self.end();
            for (least, number) in clauses {
                self.add(number, Some((column, least)));
            }
            let range = Range {
                start,
                end: self.end(),
            };
            let by = ByThreshold { column, range };
            self.filed.index.thresholds.push(by);
        }
        let filed = self.filed;
        filed.clauses.shrink_to_fit();
        filed.sources.shrink_to_fit();
        filed.rest.shrink_to_fit();
        filed.literals.shrink_to_fit();
    }

    /// Notes where the clauses of a phrase are; those of one field lie together.
    fn note_phrase(&mut self, field: u16, phrase: u32, range: Range) {
        let first = self.filed.clauses.get(range.start as usize);
        let first = first.map_or(Rank::NONE, |clause| clause.rank);
        let Some(phrases) = self.filed.phrases.get_mut(usize::from(field)) else {
            return;
        };
        if !phrases.is_filed() {
            phrases.all.start = range.start;
        }
        phrases.all.end = range.end;
        phrases.first = phrases.first.min(first);
        if let Some(place) = phrases.ranges.get_mut(phrase as usize) {
            *place = range;
        }
    }

    fn end(&self) -> u32 {
        u32::try_from(self.filed.clauses.len()).unwrap_or(u32::MAX)
    }

    fn by_rank(&mut self, mut numbers: Vec<usize>) -> Range {
        let rank = |number: &usize| self.packed.get(*number).map(|clause| clause.rank);
        numbers.sort_by_key(|number| (rank(number), *number));
        let start = self.end();
        for number in numbers {
            self.add(number, None);
        }
        Range {
            start,
            end: self.end(),
        }
    }

    /// Writes a clause; a threshold that it is filed under is its first bound.
    fn add(&mut self, number: usize, under: Option<(u8, i64)>) {
        let Some(packed) = self.packed.get(number) else {
            return;
        };
        let filed = &mut *self.filed;
        let mut clause = Clause {
            forbidden: packed.forbidden,
            rank: packed.rank,
            rest: append(&mut filed.rest, &packed.rest).start,
            rest_count: u32::try_from(packed.rest.len()).unwrap_or(u32::MAX),
            entry: packed.entry,
            ..Clause::EMPTY
        };
        let is_first = |bound: &Bound| Some((bound.column, bound.least)) == under;
        let mut bounds = packed.bounds.clone();
        bounds.sort_by_key(|bound| !is_first(bound));
        let places = clause.columns.iter_mut().zip(&mut clause.bounds);
        for ((column, least), bound) in places.zip(&bounds) {
            *column = bound.column;
            *least = bound.least;
        }
        filed.clauses.push(clause);
        filed.sources.push(ClauseSource {
            unknown: packed.unknown,
            ask: packed.ask,
            tests: append(&mut filed.literals, &packed.tests),
        });
    }
}

fn append(all: &mut Vec<NodeId>, more: &[NodeId]) -> Range {
    let at = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let start = at(all.len());
    all.extend_from_slice(more);
    Range {
        start,
        end: at(all.len()),
    }
}

impl Index {
    /// Notes where the clauses of a place are. The places come in order, so that those of one
    /// field lie together.
    fn note(&mut self, place: Place, range: Range, files: &Files<'_>) {
        let widen = |all: &mut Range| all.end = range.end;
        match place {
            Place::Always => self.always = range,
            Place::Threshold { .. } | Place::Phrase { .. } => {}
            Place::Word { slot, cell } => {
                let cells = match files.layout.field(slot).map(|field| &field.cell) {
                    Some(Cell::Word(words)) => words.list().len(),
                    _ => 2,
                };
                if self.words.last().is_none_or(|by| by.slot != slot) {
                    self.words.push(ByWord {
                        slot,
                        ranges: vec![Range::default(); cells],
                        all: range,
                    });
                }
                if let Some(by) = self.words.last_mut() {
                    let at = usize::try_from(cell).ok();
                    if let Some(of_cell) = at.and_then(|at| by.ranges.get_mut(at)) {
                        *of_cell = range;
                    }
                    widen(&mut by.all);
                }
            }
            Place::Text { slot, text } => {
                if self.texts.last().is_none_or(|by| by.slot != slot) {
                    self.texts.push(ByText {
                        slot,
                        column: files.layout.field(slot).and_then(|field| field.column),
                        texts: Dictionary::default(),
                        ranges: Vec::new(),
                        all: range,
                    });
                }
                if let Some(by) = self.texts.last_mut() {
                    by.texts.insert(&text);
                    by.ranges.push(range);
                    widen(&mut by.all);
                }
            }
            Place::Prefix { slot, text } => {
                if self.prefixes.last().is_none_or(|by| by.slot != slot) {
                    self.prefixes.push(ByPrefix {
                        slot,
                        lengths: Vec::new(),
                        texts: Dictionary::default(),
                        ranges: Vec::new(),
                        all: range,
                    });
                }
                if let Some(by) = self.prefixes.last_mut() {
                    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
                    if let Err(at) = by.lengths.binary_search(&length) {
                        by.lengths.insert(at, length);
                    }
                    by.texts.insert(&text);
                    by.ranges.push(range);
                    widen(&mut by.all);
                }
            }
        }
    }
}
