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
use super::write::Writer;
use crate::program::clause::Clause;
use crate::program::index::{Index, Range};
use crate::program::node::{Node, NodeId};
use crate::program::phrases::{FEW, LEAST, Phrases};
use crate::program::test::{Op, Test};
use crate::slots::{Absent, Cell, FieldLayout, KindLayout};

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

/// Bounds of one field from which their ranks say something.
const RANKED: usize = 16;

/// The share of events that are taken to lack an optional field. They look at every clause that is
/// filed under it, however few events pass the test: a test of a field that is always there wins
/// over a tighter one of such a field.
const LACKING: f64 = 0.2;

/// The clauses in their order, with all that belongs to them.
#[derive(Debug, Default)]
pub(super) struct Filed {
    pub(super) clauses: Vec<Clause>,
    pub(super) masks: Vec<u64>,
    pub(super) sources: Vec<Range>,
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
pub(super) type Places = BTreeMap<Place, Vec<usize>>;

/// A test that a clause can be filed under.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Always,
    Word {
        slot: u16,
        cell: i64,
    },
    Symbol {
        slot: u16,
        symbol: i64,
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
            let bounds = bounds_of(&packed);
            for (number, clause) in packed.iter_mut().enumerate() {
                let choice = self.choose(clause, nodes, &known, &bounds);
                if let Some(answered) = choice.answered {
                    clause.rest.retain(|node| *node != answered);
                    // What the bounds of a text ask is answered too.
                    let is_text = |b: &Bound| self.is_text(b.column);
                    clause.bounds.retain(|b| b.node != answered || !is_text(b));
                }
                for place in choice.places {
                    places.entry(place).or_default().push(number);
                }
            }
        }
        self.file_phrases(&mut packed, nodes, &mut places);
        filed.phrases = std::mem::take(&mut self.phrases);
        let writer = Writer {
            packed: &packed,
            filed: &mut filed,
        };
        writer.write(places, self.layout);
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
            let phrases = self.phrases.get(usize::from(field));
            if let Some(few) = phrases.filter(|phrases| phrases.are_few()) {
                // One search says whether they are looked at at all; then each is asked. It pays for
                // clauses that nothing else rules out, if there are not many phrases besides.
                let numbers = clauses.into_iter().map(|(number, ..)| number);
                let is_bare = |number: &usize| {
                    let clause = packed.get(*number);
                    clause.is_some_and(|c| c.forbidden == 0 && c.bounds.is_empty())
                };
                let (bare, mut rest): (Vec<usize>, Vec<usize>) = numbers.partition(is_bare);
                if bare.len() < FEW || few.tests.len() > 4 * bare.len() {
                    others.extend(bare);
                } else {
                    places.insert(Place::Phrase { field, phrase: 0 }, bare);
                }
                others.append(&mut rest);
                continue;
            }
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
        bounds: &BTreeMap<u8, Vec<i64>>,
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
            take(Choice {
                places: vec![Place::Threshold {
                    column: bound.column,
                    least: bound.least,
                }],
                share: self.share_above(bound, bounds) * THRESHOLD_HANDICAP,
                answered: None,
            });
        }
        best
    }

    /// Which share of events reaches a bound. By the range of the field's type alone, if there are
    /// few bounds; else also by how many of the other bounds lie above it, since authors put their
    /// bounds where the values are.
    fn share_above(&self, bound: &Bound, bounds: &BTreeMap<u8, Vec<i64>>) -> f64 {
        let below = f64::from(share_below(self.layout, bound.column, bound.least));
        let by_range = 1.0 - below / 1000.0;
        let mut share = by_range;
        if let Some(all) = bounds.get(&bound.column).filter(|all| all.len() >= RANKED) {
            let below = all.partition_point(|other| *other < bound.least);
            #[expect(clippy::cast_precision_loss, reason = "an estimate of small numbers")]
            let by_rank = (all.len() - below) as f64 / all.len() as f64;
            share = (by_range * by_rank).sqrt();
        }
        let field = self.layout.fields.iter();
        let mut field = field.filter(|field| field.column == Some(bound.column / 2));
        // Without the field every bound is reached.
        let is_optional = |field: &FieldLayout| matches!(field.absent, Absent::Optional { .. });
        if field.any(is_optional) {
            share = LACKING + (1.0 - LACKING) * share;
        }
        share.max(0.0005)
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
        let symbols = field.symbols.as_ref().map_or(0, |symbols| symbols.len());
        let (places, of): (Vec<Place>, usize) = match (&test.op, &field.cell) {
            (Op::Symbol { symbol, .. }, _) => (
                vec![Place::Symbol {
                    slot,
                    symbol: *symbol,
                }],
                symbols + 1,
            ),
            (
                Op::Symbols {
                    symbols: several, ..
                },
                _,
            ) if several.len() <= FILED_TWICE => (
                several
                    .iter()
                    .map(|symbol| Place::Symbol {
                        slot,
                        symbol: *symbol,
                    })
                    .collect(),
                symbols + 1,
            ),
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
            share = LACKING + (1.0 - LACKING) * share;
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

/// The bounds of each entry of the columns, the smallest first.
fn bounds_of(packed: &[Packed]) -> BTreeMap<u8, Vec<i64>> {
    let mut bounds: BTreeMap<u8, Vec<i64>> = BTreeMap::new();
    for bound in packed.iter().flat_map(|clause| &clause.bounds) {
        bounds.entry(bound.column).or_default().push(bound.least);
    }
    bounds
        .values_mut()
        .for_each(|bounds| bounds.sort_unstable());
    bounds
}
