//! What the measures of a matrix have to do with the events of a kind.
//!
//! In: an event as slots. Out: the bytes of a key or a value, a quantity.
//! Invariant: equal values have equal bytes, whatever the program, the kind and the form that they
//! are read from: `Writing` says them for values as well.
//! Knows no windows.

use rust_decimal::Decimal;

use super::node::NodeId;
use crate::clock::Timestamp;
use crate::matrix::{Comparison, Measure, MeasureFunction, MeasureId};
use crate::slots::{Cell, KindLayout, Seen};
use crate::value::Value;

/// A measure, for the events of a kind.
#[derive(Debug)]
pub struct Gauge {
    /// Which.
    pub measure: MeasureId,
    /// What it asks of its window.
    pub function: Function,
    /// The first measure of that window. Gauges of one window stand together.
    pub window: MeasureId,
    /// Whether it counts events of this kind.
    pub counts: bool,
    /// Which of them, where not all.
    pub filter: Option<NodeId>,
    /// The slots of its key.
    pub by: Box<[u16]>,
    /// The slot of what is summed, or told apart.
    pub quantity: Option<u16>,
    /// The tests that ask for it.
    pub asks: Vec<Ask>,
}

/// What is asked of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// How many events there are.
    Count,
    /// The sum of their amounts.
    Sum,
    /// How many different values they have.
    Distinct,
}

impl Function {
    /// That of a measure.
    #[must_use]
    pub fn of(measure: &Measure) -> Self {
        match measure.function {
            MeasureFunction::Count => Self::Count,
            MeasureFunction::Sum(_) => Self::Sum,
            MeasureFunction::Distinct(_) => Self::Distinct,
        }
    }

    /// Among all functions.
    #[inline]
    pub(crate) fn bit(self) -> u8 {
        match self {
            Self::Count => 1,
            Self::Sum => 2,
            Self::Distinct => 4,
        }
    }
}

/// A test of a measure, by its number among those of the kind.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The number.
    pub test: u32,
    /// How it is compared.
    pub op: Comparison,
    /// With what.
    pub threshold: Value,
    /// The same as a mantissa and its places behind the point, where it is a number.
    pub decimal: Option<(i128, u8)>,
}

impl Ask {
    /// A test by its number, of a number with so many places behind the point.
    #[must_use]
    pub fn new(test: u32, op: Comparison, threshold: Value, places: u8) -> Self {
        let decimal = match &threshold {
            Value::Number(number) | Value::Money(number, _) => u8::try_from(number.scale())
                .ok()
                .map(|scale| (number.mantissa(), scale)),
            Value::Whole(number) => Some((i128::from(*number), 0)),
            Value::Duration(span) => Some((i128::from(span.as_millis()), 0)),
            _ => None,
        };
        // PERF: numbers of equal places are compared without being scaled.
        let decimal = decimal.map(|(mantissa, scale)| {
            let more = 10i128.checked_pow(places.saturating_sub(scale).into());
            let scaled = more.and_then(|more| mantissa.checked_mul(more));
            scaled.map_or((mantissa, scale), |scaled| (scaled, scale.max(places)))
        });
        Self {
            test,
            op,
            threshold,
            decimal,
        }
    }
}

/// The bytes of values, one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Writing(Vec<u8>);

impl Writing {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// One of several parts: with its length in front, so that no two lists of parts are alike.
    pub(crate) fn part(&mut self, write: impl FnOnce(&mut Self)) {
        let at = self.0.len();
        self.0.extend_from_slice(&[0; 4]);
        write(self);
        let length = u32::try_from(self.0.len() - at - 4).unwrap_or(u32::MAX);
        let room = self.0.get_mut(at..at + 4).unwrap_or_default();
        room.copy_from_slice(&length.to_le_bytes());
    }

    fn number(&mut self, number: i64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn decimal(&mut self, decimal: Decimal) {
        let decimal = decimal.normalize();
        self.0.extend_from_slice(&decimal.mantissa().to_le_bytes());
        self.0.extend_from_slice(&decimal.scale().to_le_bytes());
    }

    /// A value.
    pub(crate) fn value(&mut self, value: &Value) {
        match value {
            Value::Bool(yes) => self.0.push(u8::from(*yes)),
            Value::Text(text) | Value::Word(text) => self.0.extend_from_slice(text.as_bytes()),
            Value::Whole(number) => self.number(*number),
            Value::Number(number) | Value::Money(number, _) => self.decimal(*number),
            Value::Timestamp(at) => self.number(nanos(*at)),
            Value::Duration(span) => {
                self.number(i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
            }
            Value::List(items) => {
                for item in items.iter() {
                    self.part(|part| part.value(item));
                }
            }
        }
    }

    /// The same value as a cell says it.
    pub(crate) fn cell(&mut self, seen: Seen<'_>, form: &Cell, cell: i64) {
        match form {
            Cell::Flag => self.0.push(u8::from(cell != 0)),
            Cell::Text { .. } => self.0.extend_from_slice(seen.text(cell)),
            Cell::Word(words) => {
                let word = usize::try_from(cell)
                    .ok()
                    .and_then(|at| words.list().get(at));
                self.0
                    .extend_from_slice(word.map_or(b"", |word| word.as_bytes()));
            }
            Cell::Whole | Cell::Instant | Cell::Span => self.number(cell),
            Cell::Scaled { places, .. } => self.decimal(Decimal::new(cell >> 1, (*places).into())),
            Cell::List(item) => {
                for cell in seen.items(cell) {
                    self.part(|part| part.cell(seen, item, *cell));
                }
            }
            // No program has one that a measure needs.
            Cell::Unheld => {}
        }
    }
}

fn nanos(at: Timestamp) -> i64 {
    at.timestamp_nanos_opt().unwrap_or(i64::MAX)
}

impl Gauge {
    /// What its key is for an event. One part needs no length.
    #[inline]
    pub(crate) fn write_key<'s>(
        &self,
        layout: &KindLayout,
        seen: Seen<'s>,
        writing: &'s mut Writing,
    ) -> Option<&'s [u8]> {
        if let [slot] = &*self.by {
            let (field, cell) = (layout.field(*slot)?, seen.cell(*slot)?);
            if let Cell::Text { .. } = field.cell {
                return Some(seen.text(cell));
            }
            writing.clear();
            writing.cell(seen, &field.cell, cell);
            return Some(writing.bytes());
        }
        writing.clear();
        for slot in &self.by {
            let (field, cell) = (layout.field(*slot)?, seen.cell(*slot)?);
            writing.part(|part| part.cell(seen, &field.cell, cell));
        }
        Some(writing.bytes())
    }

    /// The number that is summed: `mantissa` times 10^-`scale`.
    #[inline]
    pub(crate) fn number(&self, layout: &KindLayout, seen: Seen<'_>) -> Option<(i128, u8)> {
        let slot = self.quantity?;
        let (field, cell) = (layout.field(slot)?, seen.cell(slot)?);
        match field.cell {
            Cell::Scaled { places, .. } => Some((i128::from(cell >> 1), places)),
            Cell::Whole | Cell::Span => Some((i128::from(cell), 0)),
            _ => None,
        }
    }

    /// The value that is told apart.
    #[inline]
    pub(crate) fn write_value<'s>(
        &self,
        layout: &KindLayout,
        seen: Seen<'s>,
        writing: &'s mut Writing,
    ) -> Option<&'s [u8]> {
        let slot = self.quantity?;
        let (field, cell) = (layout.field(slot)?, seen.cell(slot)?);
        if let Cell::Text { .. } = field.cell {
            return Some(seen.text(cell));
        }
        writing.clear();
        writing.cell(seen, &field.cell, cell);
        Some(writing.bytes())
    }
}

/// What the key of some values is, as [`Gauge::write_key`] writes it.
pub(crate) fn write_key(values: &[&Value], writing: &mut Writing) {
    writing.clear();
    match values {
        [value] => writing.value(value),
        _ => {
            for value in values {
                writing.part(|part| part.value(value));
            }
        }
    }
}
