//! Tests of fields as tests of cells.
//!
//! In: a [`matrix::Test`](crate::matrix::Test) and the layout of its kind. Out: a [`Test`].
//! Invariant: the literals of a test are exact at the scale of its field, or the kind is left to the
//! reference evaluator.

use std::sync::Arc;

use crate::clock::Duration;
use crate::matrix::{self, Comparison, ContainsHow, TestOp, TextHow};
use crate::program::Dictionary;
use crate::program::test::{Like, Op, Pairing, Phrase, Test};
use crate::schema::{FieldId, Kind};
use crate::slots::{Cell, KindLayout, Words};
use crate::value::Value;

/// Compiles a test; `None` where a cell cannot hold what it asks.
pub(super) fn test(source: &Arc<matrix::Test>, kind: &Kind, layout: &KindLayout) -> Option<Test> {
    let maker = Maker { kind, layout };
    let slot = maker.slot(source.field)?;
    let (op, not) = maker.op(slot, &source.op)?;
    Some(Test {
        slot,
        op,
        not,
        if_present: source.if_present,
        source: Arc::clone(source),
    })
}

struct Maker<'k> {
    kind: &'k Kind,
    layout: &'k KindLayout,
}

impl Maker<'_> {
    fn slot(&self, field: FieldId) -> Option<u16> {
        u16::try_from(self.kind.slot(field)?).ok()
    }

    /// The column and the symbols of texts that tests compare the field with, sorted.
    fn symbols(&self, slot: u16, values: &[Value]) -> Option<(u8, Box<[i64]>)> {
        let field = self.layout.field(slot)?;
        let column = field.column?;
        let symbols = values.iter().map(|value| match value {
            Value::Text(text) => field.symbol(text),
            _ => None,
        });
        let mut symbols = symbols.collect::<Option<Vec<i64>>>()?;
        symbols.sort_unstable();
        symbols.dedup();
        Some((column, symbols.into()))
    }

    /// A text is compared by its symbol where the field has symbols.
    fn text(&self, slot: u16, text: &Value) -> Option<Op> {
        let (column, symbols) = self.symbols(slot, std::slice::from_ref(text))?;
        let symbol = *symbols.first()?;
        Some(Op::Symbol { column, symbol })
    }

    fn cell(&self, slot: u16) -> Option<&Cell> {
        Some(&self.layout.field(slot)?.cell)
    }

    /// What is asked, and whether the opposite of it.
    fn op(&self, slot: u16, op: &TestOp) -> Option<(Op, bool)> {
        let cell = self.cell(slot)?;
        Some(match op {
            TestOp::Present => (Op::Present, false),
            TestOp::Missing => (Op::Present, true),
            TestOp::Inside(calendar) => (Op::Open(*calendar), false),
            TestOp::Outside(calendar) => (Op::Open(*calendar), true),
            TestOp::In { not, values } => match self.symbols(slot, values) {
                Some((column, symbols)) => (Op::Symbols { column, symbols }, *not),
                None => (one_of(cell, values)?, *not),
            },
            TestOp::Contains { how, values } => (list(cell, *how, values)?, false),
            TestOp::Text { not, how, literal } => (text(*how, literal), *not),
            TestOp::Matches { not, pattern } => (Op::Matches(pattern.clone()), *not),
            TestOp::SameAs(other) => (self.same(cell, *other)?, false),
            TestOp::DiffersFrom(other) => (self.same(cell, *other)?, true),
            TestOp::OlderThan(age) => (Op::OlderThan(nanos(*age)?), false),
            TestOp::NewerThan(age) => (Op::NewerThan(nanos(*age)?), false),
            TestOp::Compare(op, value) => match self.text(slot, value) {
                Some(is) => (is, *op == Comparison::IsNot),
                None => compare(cell, *op, value)?,
            },
            TestOp::CompareField(op, other) => (Op::Order(*op, self.slot(*other)?), false),
        })
    }

    fn same(&self, cell: &Cell, other: FieldId) -> Option<Op> {
        let other = self.slot(other)?;
        let how = match (cell, self.cell(other)?) {
            (Cell::Text { .. }, Cell::Text { .. }) => Pairing::Texts,
            (Cell::Word(own), Cell::Word(theirs)) => match places(own, theirs) {
                None => Pairing::Cells,
                Some(places) => Pairing::Words(places),
            },
            (Cell::List(own), Cell::List(theirs)) => match (&**own, &**theirs) {
                (Cell::Text { .. }, Cell::Text { .. }) => Pairing::ListsOfTexts,
                (Cell::Word(own), Cell::Word(theirs)) => match places(own, theirs) {
                    None => Pairing::ListsOfCells,
                    Some(places) => Pairing::ListsOfWords(places),
                },
                _ => Pairing::ListsOfCells,
            },
            _ => Pairing::Cells,
        };
        Some(Op::Same { other, how })
    }
}

/// The places of the words of one set in another order; `None` where the order is the same.
fn places(own: &Words, theirs: &Words) -> Option<Box<[i64]>> {
    if own.list() == theirs.list() {
        return None;
    }
    let places = theirs.list().iter();
    Some(places.map(|word| own.place(word).unwrap_or(-1)).collect())
}

fn nanos(age: Duration) -> Option<i64> {
    i64::try_from(age.as_millis()).ok()?.checked_mul(1_000_000)
}

fn compare(cell: &Cell, op: Comparison, value: &Value) -> Option<(Op, bool)> {
    if let (Cell::Text { .. }, Value::Text(text)) = (cell, value) {
        return Some((Op::Is(text.clone()), op == Comparison::IsNot));
    }
    if let (Cell::List(_), Value::List(_)) = (cell, value) {
        return None;
    }
    let bound = cell.constant(value)?;
    // Behind the last cell and before the first one there is nothing.
    let or_never = |op: Option<Op>| op.unwrap_or(Op::Settled(false));
    Some(match op {
        Comparison::Is => (Op::Equal(bound), false),
        Comparison::IsNot => (Op::Equal(bound), true),
        Comparison::GreaterOrEqual => (Op::AtLeast(bound), false),
        Comparison::LessOrEqual => (Op::AtMost(bound), false),
        Comparison::Greater => (or_never(bound.checked_add(1).map(Op::AtLeast)), false),
        Comparison::Less => (or_never(bound.checked_sub(1).map(Op::AtMost)), false),
    })
}

fn one_of(cell: &Cell, values: &[Value]) -> Option<Op> {
    if let Cell::Text { .. } = cell {
        return Some(Op::In(Box::new(texts(values)?)));
    }
    let cells = cells(cell, values)?;
    Some(match &*cells {
        [only] => Op::Equal(*only),
        _ => Op::OneOf(cells),
    })
}

fn list(cell: &Cell, how: ContainsHow, values: &[Value]) -> Option<Op> {
    let Cell::List(item) = cell else { return None };
    Some(match &**item {
        Cell::Text { .. } => Op::Texts(how, Box::new(texts(values)?)),
        item => Op::Cells(how, cells(item, values)?),
    })
}

fn texts(values: &[Value]) -> Option<Dictionary> {
    let mut texts = Dictionary::default();
    for value in values {
        let Value::Text(text) = value else {
            return None;
        };
        texts.insert(text);
    }
    Some(texts)
}

/// Sorted, each once.
fn cells(cell: &Cell, values: &[Value]) -> Option<Box<[i64]>> {
    let cells = values.iter().map(|value| cell.constant(value));
    let mut cells = cells.collect::<Option<Vec<i64>>>()?;
    cells.sort_unstable();
    cells.dedup();
    Some(cells.into())
}

fn text(how: TextHow, literal: &Arc<str>) -> Op {
    match how {
        TextHow::StartsWith => Op::StartsWith(literal.clone()),
        TextHow::EndsWith => Op::EndsWith(literal.clone()),
        TextHow::Contains => Op::Contains(Box::new(Phrase::new(literal))),
        TextHow::Like => Op::Like(Box::new(Like::new(literal))),
    }
}
