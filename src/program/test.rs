//! One test over the cells of an event.
//!
//! In: a [`Test`] and an event. Out: a [`Kleene`].
//! Invariant: the answer is that of the reference evaluator; a missing field is unknown, also under
//! `not`, unless the test says what it means.
//! Knows no expressions.

use std::sync::Arc;

use memchr::memmem::Finder;

use super::Dictionary;
use crate::decision::Kleene;
use crate::matrix::{CalendarId, Comparison, ContainsHow, Matrix, Pattern};
use crate::slots::Seen;

/// A test, with the words that it has in the matrix.
#[derive(Debug, Clone)]
pub struct Test {
    /// The field, by its slot.
    pub slot: u16,
    /// What is asked of it.
    pub op: Op,
    /// Whether the opposite is asked.
    pub not: bool,
    /// Whether it is false instead of unknown where the field is missing.
    pub if_present: bool,
    /// The test as the matrix has it.
    pub source: Arc<crate::matrix::Test>,
}

/// What a test asks of a cell.
#[derive(Debug, Clone)]
pub enum Op {
    /// Whether there is a value.
    Present,
    /// At least this cell.
    AtLeast(i64),
    /// At most this cell.
    AtMost(i64),
    /// Just this cell.
    Equal(i64),
    /// One of these cells, which are sorted.
    OneOf(Box<[i64]>),
    /// Always or never, whatever the value is.
    Settled(bool),
    /// A text by its symbol, which is in a column.
    Symbol {
        /// The column.
        column: u8,
        /// The symbol.
        symbol: i64,
    },
    /// A text of a set, by their symbols.
    Symbols {
        /// The column.
        column: u8,
        /// The symbols, which are sorted.
        symbols: Box<[i64]>,
    },
    /// A text that is equal.
    Is(Arc<str>),
    /// A text of a set.
    In(Box<Dictionary>),
    /// A text that begins so.
    StartsWith(Arc<str>),
    /// A text that ends so.
    EndsWith(Arc<str>),
    /// A text that has this somewhere.
    Contains(Box<Phrase>),
    /// A text of this form.
    Like(Box<Like>),
    /// A text that the pattern covers.
    Matches(Pattern),
    /// A list that has some, all or none of these cells, which are sorted.
    Cells(ContainsHow, Box<[i64]>),
    /// A list that has some, all or none of these texts.
    Texts(ContainsHow, Box<Dictionary>),
    /// The same as another field.
    Same {
        /// The other field.
        other: u16,
        /// How they are compared.
        how: Pairing,
    },
    /// In an order to another field.
    Order(Comparison, u16),
    /// Within the hours of a calendar.
    Open(CalendarId),
    /// Older than so many nanoseconds.
    OlderThan(i64),
    /// Newer than so many nanoseconds.
    NewerThan(i64),
}

/// A text that is looked for within another.
#[derive(Debug, Clone)]
pub struct Phrase {
    finder: Finder<'static>,
    /// The place of its field among those whose phrases can be looked for together.
    pub field: Option<u16>,
}

impl Phrase {
    /// A phrase that is looked for by itself.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            finder: Finder::new(text.as_bytes()).into_owned(),
            field: None,
        }
    }

    /// What is looked for.
    #[must_use]
    pub fn needle(&self) -> &[u8] {
        self.finder.needle()
    }

    #[inline(never)]
    fn is_in(&self, text: &[u8]) -> bool {
        self.finder.find(text).is_some()
    }
}

/// How the cells of two fields of one type are compared.
#[derive(Debug, Clone)]
pub enum Pairing {
    /// They are equal.
    Cells,
    /// Their texts are equal.
    Texts,
    /// They are words of one set in two orders: the place of each word of the other field here.
    Words(Box<[i64]>),
    /// They are lists of cells.
    ListsOfCells,
    /// They are lists of texts.
    ListsOfTexts,
    /// They are lists of words of one set in two orders.
    ListsOfWords(Box<[i64]>),
}

/// A pattern of texts with stars between them.
#[derive(Debug, Clone)]
pub struct Like {
    /// The whole pattern.
    pub source: Arc<str>,
    start: Box<[u8]>,
    middle: Vec<Finder<'static>>,
    end: Option<Box<[u8]>>,
}

impl Like {
    /// Takes a pattern apart.
    #[must_use]
    pub fn new(source: &Arc<str>) -> Self {
        let mut parts = source.split('*').map(str::as_bytes);
        let start = parts.next().unwrap_or_default().into();
        let mut parts: Vec<&[u8]> = parts.collect();
        let end = parts.pop().map(Into::into);
        let middle = parts.into_iter().map(|part| Finder::new(part).into_owned());
        Self {
            source: source.clone(),
            start,
            middle: middle.collect(),
            end,
        }
    }

    /// Whether a text has the form. Each part is taken at its first place: a later one leaves
    /// less for the parts behind it.
    #[inline(never)]
    fn holds(&self, text: &[u8]) -> bool {
        let Some(text) = text.strip_prefix(&*self.start) else {
            return false;
        };
        let Some(end) = &self.end else {
            return text.is_empty();
        };
        let Some(mut text) = text.strip_suffix(&**end) else {
            return false;
        };
        for part in &self.middle {
            match part.find(text) {
                Some(at) => text = text.get(at + part.needle().len()..).unwrap_or_default(),
                None => return false,
            }
        }
        true
    }
}

impl Test {
    /// What it says of an event.
    #[inline]
    pub(crate) fn answer(&self, seen: Seen<'_>, matrix: &Matrix) -> Kleene {
        let cell = seen.cell(self.slot);
        if let Op::Present = self.op {
            return Kleene::from_bool(cell.is_some() != self.not);
        }
        let Some(cell) = cell else {
            return match self.if_present {
                true => Kleene::False,
                false => Kleene::Unknown,
            };
        };
        match self.op.holds(cell, seen, matrix) {
            Some(holds) => Kleene::from_bool(holds != self.not),
            None => Kleene::Unknown,
        }
    }

    /// Whether asking is worth remembering the answer.
    pub(crate) fn is_slow(&self) -> bool {
        matches!(
            self.op,
            Op::Matches(_)
                | Op::Like(_)
                | Op::Contains(_)
                | Op::Cells(..)
                | Op::Texts(..)
                | Op::Open(_)
        )
    }

    /// How long it takes to ask, in units of a comparison of two numbers.
    #[must_use]
    pub fn cost(&self) -> u32 {
        match &self.op {
            Op::Present | Op::Settled(_) | Op::AtLeast(_) | Op::AtMost(_) | Op::Equal(_) => 1,
            Op::Symbol { .. } => 1,
            Op::Symbols { .. } => 2,
            Op::OneOf(_) | Op::Order(..) | Op::OlderThan(_) | Op::NewerThan(_) => 2,
            Op::Is(_) | Op::StartsWith(_) | Op::EndsWith(_) => 3,
            Op::Same { .. } => 4,
            Op::In(_) => 8,
            Op::Contains(_) => 12,
            Op::Cells(..) | Op::Texts(..) => 20,
            Op::Like(_) => 25,
            Op::Matches(_) => 60,
            Op::Open(_) => 100,
        }
    }
}

impl Op {
    /// The answer for a value that is there; `None` where another field is missing.
    // PERF: what takes long is in functions of its own, so that the rest needs no room on the stack.
    #[inline]
    fn holds(&self, cell: i64, seen: Seen<'_>, matrix: &Matrix) -> Option<bool> {
        Some(match self {
            Self::Present => true,
            Self::AtLeast(bound) => cell >= *bound,
            Self::AtMost(bound) => cell <= *bound,
            Self::Equal(other) => cell == *other,
            Self::OneOf(cells) => has(cells, cell),
            Self::Settled(answer) => *answer,
            Self::Symbol { column, symbol } => seen.slots.up(*column) == *symbol,
            Self::Symbols { column, symbols } => has(symbols, seen.slots.up(*column)),
            Self::Is(text) => is_same(seen.text(cell), text.as_bytes()),
            Self::In(texts) => is_in(texts, seen.text(cell)),
            Self::StartsWith(text) => starts(seen.text(cell), text.as_bytes()),
            Self::EndsWith(text) => ends(seen.text(cell), text.as_bytes()),
            Self::Contains(phrase) => phrase.is_in(seen.text(cell)),
            Self::Like(form) => form.holds(seen.text(cell)),
            Self::Matches(pattern) => pattern.covers(seen.text(cell)),
            Self::Cells(how, cells) => contains_cells(*how, cells, seen.items(cell)),
            Self::Texts(how, texts) => contains_texts(*how, texts, cell, seen),
            Self::Same { other, how } => how.equal(cell, seen.cell(*other)?, seen),
            Self::Order(op, other) => op.holds(cell.cmp(&seen.cell(*other)?)),
            Self::Open(calendar) => is_open(matrix, *calendar, cell)?,
            // The edge of an age that reaches beyond the first instant lies before every value.
            Self::OlderThan(age) => match seen.cell(0)?.checked_sub(*age) {
                Some(edge) => cell < edge,
                None => false,
            },
            Self::NewerThan(age) => match seen.cell(0)?.checked_sub(*age) {
                Some(edge) => cell > edge,
                None => true,
            },
        })
    }
}

// PERF: most texts that differ do so in one byte that is looked at first, without a call.

#[inline]
fn starts(text: &[u8], start: &[u8]) -> bool {
    let differ = text.first() != start.first() && !start.is_empty();
    !differ && text.starts_with(start)
}

#[inline]
fn ends(text: &[u8], end: &[u8]) -> bool {
    let differ = text.last() != end.last() && !end.is_empty();
    !differ && text.ends_with(end)
}

#[inline]
fn is_same(text: &[u8], other: &[u8]) -> bool {
    text.len() == other.len() && text.last() == other.last() && text == other
}

#[inline(never)]
fn is_in(texts: &Dictionary, text: &[u8]) -> bool {
    texts.find(text).is_some()
}

#[inline(never)]
fn is_open(matrix: &Matrix, calendar: CalendarId, cell: i64) -> Option<bool> {
    let at = chrono::DateTime::from_timestamp_nanos(cell);
    Some(matrix.calendar(calendar)?.is_open(at))
}

#[inline(never)]
fn contains_cells(how: ContainsHow, cells: &[i64], items: &[i64]) -> bool {
    let place = |item: &i64| cells.binary_search(item).ok();
    contains(how, cells.len(), items.iter().map(place))
}

#[inline(never)]
fn contains_texts(how: ContainsHow, texts: &Dictionary, list: i64, seen: Seen<'_>) -> bool {
    let place = |item: &i64| texts.find(seen.text(*item)).map(|at| at as usize);
    contains(how, texts.len(), seen.items(list).iter().map(place))
}

/// Whether sorted cells have one of this value.
#[inline]
fn has(cells: &[i64], cell: i64) -> bool {
    // PERF: most sets are short, and comparing with all of them is quicker than searching.
    match cells.len() {
        0..=8 => cells
            .iter()
            .fold(false, |has, other| has | (*other == cell)),
        _ => cells.binary_search(&cell).is_ok(),
    }
}

/// Whether a list has some, all or none of so many values. `places` says for each item which of
/// them it is.
fn contains(
    how: ContainsHow,
    values: usize,
    mut places: impl Iterator<Item = Option<usize>>,
) -> bool {
    match how {
        ContainsHow::Any => places.any(|place| place.is_some()),
        ContainsHow::None => !places.any(|place| place.is_some()),
        ContainsHow::All if values <= 64 => {
            let found = places.flatten().fold(0u64, |found, at| found | 1 << at);
            found.count_ones() as usize == values
        }
        ContainsHow::All => {
            let found: std::collections::HashSet<usize> = places.flatten().collect();
            found.len() == values
        }
    }
}

impl Pairing {
    #[inline(never)]
    fn equal(&self, cell: i64, other: i64, seen: Seen<'_>) -> bool {
        match self {
            Self::Cells => cell == other,
            Self::Texts => is_same(seen.text(cell), seen.text(other)),
            Self::Words(places) => place(places, other) == Some(cell),
            Self::ListsOfCells => seen.items(cell) == seen.items(other),
            Self::ListsOfTexts => {
                let (own, other) = (seen.items(cell), seen.items(other));
                let mut pairs = own.iter().zip(other);
                own.len() == other.len() && pairs.all(|(a, b)| seen.text(*a) == seen.text(*b))
            }
            Self::ListsOfWords(places) => {
                let (own, other) = (seen.items(cell), seen.items(other));
                let mut pairs = own.iter().zip(other);
                own.len() == other.len() && pairs.all(|(a, b)| place(places, *b) == Some(*a))
            }
        }
    }
}

fn place(places: &[i64], cell: i64) -> Option<i64> {
    places.get(usize::try_from(cell).ok()?).copied()
}
