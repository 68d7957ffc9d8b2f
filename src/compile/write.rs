//! The clauses in the order of the index, and the index.
//!
//! In: the clauses of each place. Out: [`Filed`].
//! Invariant: the clauses of one place lie together, in the order of their ranks; those under the
//! thresholds of a column in the order of their bounds; those of one field beside each other.

use std::collections::BTreeMap;

use super::file::{Filed, Place, Places};
use super::pack::Packed;
use crate::program::clause::Clause;
use crate::program::index::{ByPrefix, BySymbol, ByText, ByThreshold, ByWord, Index, Range};
use crate::program::node::NodeId;
use crate::program::{Dictionary, Rank};
use crate::slots::{Cell, KindLayout};

/// Puts the clauses into the order of the index.
pub(super) struct Writer<'w> {
    pub(super) packed: &'w [Packed],
    pub(super) filed: &'w mut Filed,
}

impl Writer<'_> {
    pub(super) fn write(mut self, places: Places, layout: &KindLayout) {
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
                place => self.filed.index.note(place, range, layout),
            }
        }
        for (column, mut clauses) in thresholds {
            let rank = |number: usize| self.packed.get(number).map(|clause| clause.rank);
            clauses.sort_by_key(|(least, number)| (*least, rank(*number)));
            let start = self.end();
            let bounds = clauses.iter().map(|(least, _)| *least).collect();
            let first = clauses.iter().filter_map(|(_, number)| rank(*number)).min();
            for (_, number) in clauses {
                self.add(number);
            }
            let range = Range {
                start,
                end: self.end(),
            };
            self.filed.index.thresholds.push(ByThreshold {
                column,
                bounds,
                range,
                first: first.unwrap_or(Rank::NONE),
            });
        }
        let filed = self.filed;
        filed.clauses.shrink_to_fit();
        filed.masks.shrink_to_fit();
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
            self.add(number);
        }
        Range {
            start,
            end: self.end(),
        }
    }

    /// Writes a clause.
    fn add(&mut self, number: usize) {
        let Some(packed) = self.packed.get(number) else {
            return;
        };
        let filed = &mut *self.filed;
        let mut clause = Clause::EMPTY;
        clause.unknown = packed.unknown;
        clause.rank = packed.rank;
        clause.unsure = packed.unsure;
        clause.entry = packed.entry;
        let rest = append(&mut filed.rest, &packed.rest);
        clause.set_rest(rest.start, rest.end - rest.start, packed.traits);
        let places = clause.columns.iter_mut().zip(&mut clause.bounds);
        for ((column, least), bound) in places.zip(&packed.bounds) {
            *column = bound.column;
            *least = bound.least;
        }
        filed.clauses.push(clause);
        filed.masks.push(packed.forbidden);
        let tests = append(&mut filed.literals, &packed.tests);
        filed.sources.push(tests);
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
    fn note(&mut self, place: Place, range: Range, layout: &KindLayout) {
        let widen = |all: &mut Range| all.end = range.end;
        match place {
            Place::Always => self.always = range,
            Place::Threshold { .. } | Place::Phrase { .. } => {}
            Place::Word { slot, cell } => {
                let cells = match layout.field(slot).map(|field| &field.cell) {
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
            Place::Symbol { slot, symbol } => self.note_symbol(slot, symbol, range, layout),
            Place::Text { slot, text } => {
                if self.texts.last().is_none_or(|by| by.slot != slot) {
                    self.texts.push(ByText {
                        slot,
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

    fn note_symbol(&mut self, slot: u16, symbol: i64, range: Range, layout: &KindLayout) {
        if self.symbols.last().is_none_or(|by| by.slot != slot) {
            let field = layout.field(slot);
            let symbols = field.and_then(|field| field.symbols.as_ref());
            self.symbols.push(BySymbol {
                slot,
                column: field.and_then(|field| field.column).unwrap_or(u8::MAX),
                ranges: vec![Range::default(); symbols.map_or(0, |symbols| symbols.len())],
                all: range,
            });
        }
        if let Some(by) = self.symbols.last_mut() {
            let at = usize::try_from(symbol - 1).ok();
            if let Some(place) = at.and_then(|at| by.ranges.get_mut(at)) {
                *place = range;
            }
            by.all.end = range.end;
        }
    }
}
