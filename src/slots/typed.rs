//! An event from typed code, straight into cells.
//!
//! In: places of fields, resolved once, and values. Out: [`Slots`].
//! Invariant: what is not a value of its field is not taken; an event is complete once
//! [`Slots::complete`] says so. The JSON event with equal members has the same cells.

use rust_decimal::Decimal;

use super::layout::scaled;
use super::{Bounds, Cell, Layout, MISSING, Slots, Unheld};
use crate::clock::{Duration, Timestamp};
use crate::limits::EVENT_ID_BYTES;
use crate::schema::{KindId, Schema};

/// A field of a kind, as a layout has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    layout: u64,
    kind: KindId,
    slot: u16,
}

/// A value for a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'a> {
    /// Of `yes/no`.
    Flag(bool),
    /// Of `text`, or the word of a closed set.
    Text(&'a str),
    /// Of `whole number`, `number` and `money`.
    Whole(i64),
    /// Of `number` and `money`, in the field's currency.
    Number(Decimal),
    /// Of `timestamp`.
    Instant(Timestamp),
    /// Of `duration`.
    Span(Duration),
    /// Of a list of texts or words.
    Texts(&'a [&'a str]),
    /// Of a list of anything.
    List(&'a [Scalar<'a>]),
}

macro_rules! scalar {
    ($($from:ty => $sort:ident),* $(,)?) => {$(
        impl<'a> From<$from> for Scalar<'a> {
            fn from(value: $from) -> Self {
                Self::$sort(value)
            }
        }
    )*};
}

scalar! {
    bool => Flag,
    &'a str => Text,
    i64 => Whole,
    Decimal => Number,
    Timestamp => Instant,
    Duration => Span,
    &'a [&'a str] => Texts,
    &'a [Scalar<'a>] => List,
}

impl Layout {
    /// The place of a field by its path in the language.
    #[must_use]
    pub fn place(&self, schema: &Schema, kind: &str, path: &str) -> Option<Place> {
        let kind = schema.kind_named(kind)?;
        let slot = kind.slot(schema.field_id(path)?)?;
        Some(Place {
            layout: self.id,
            kind: kind.id,
            slot: u16::try_from(slot).ok()?,
        })
    }
}

impl Slots {
    /// Begins an event of a kind at an instant; nothing else of it is known yet.
    ///
    /// # Errors
    /// When the layout has no such kind, or no cell holds the instant.
    pub fn begin(&mut self, layout: &Layout, kind: KindId, at: Timestamp) -> Result<(), Unheld> {
        let fields = layout.kinds.get(kind.0 as usize).ok_or(Unheld)?;
        self.reset(fields);
        self.at = at;
        let cell = at.timestamp_nanos_opt().filter(|cell| *cell != MISSING);
        self.put(fields, 0, cell.ok_or(Unheld)?, &[]);
        Ok(())
    }

    /// Gives the event its id, by which measures count it once.
    ///
    /// # Errors
    /// When it is empty or longer than an id may be.
    pub fn set_id(&mut self, id: &str) -> Result<(), Unheld> {
        if id.is_empty() || id.len() > EVENT_ID_BYTES {
            return Err(Unheld);
        }
        self.id = Some(self.own_bytes(id.as_bytes()));
        Ok(())
    }

    /// Gives a field its value.
    ///
    /// # Errors
    /// When the place is of another layout or kind, or the value is none of the field's type and
    /// range.
    pub fn set<'a>(
        &mut self,
        layout: &Layout,
        place: Place,
        value: impl Into<Scalar<'a>>,
    ) -> Result<(), Unheld> {
        if place.layout != self.layout || place.kind != self.kind || layout.id != self.layout {
            return Err(Unheld);
        }
        let kind = layout.kinds.get(self.kind.0 as usize).ok_or(Unheld)?;
        let field = kind.field(place.slot).ok_or(Unheld)?;
        let cell = self.given(&field.cell, field.bounds, value.into());
        let cell = cell.ok_or(Unheld)?;
        if place.slot == 0 {
            self.at = chrono::DateTime::from_timestamp_nanos(cell);
        }
        self.put(kind, usize::from(place.slot), cell, &[]);
        Ok(())
    }

    /// Ends an event.
    ///
    /// # Errors
    /// When a required field has no value.
    pub fn complete(&self, layout: &Layout) -> Result<(), Unheld> {
        let kind = layout.kinds.get(self.kind.0 as usize).ok_or(Unheld)?;
        for (slot, cell) in self.cells.iter().enumerate() {
            if *cell == MISSING {
                self.check_absent(kind, slot)?;
            }
        }
        Ok(())
    }

    /// The cell of a value, if it is one of the field's type and range. The range of a list is that
    /// of its items.
    fn given(&mut self, cell: &Cell, bounds: Bounds, value: Scalar<'_>) -> Option<i64> {
        match (cell, value) {
            (Cell::List(item), Scalar::Texts(texts)) => {
                let texts = texts.iter().map(|text| Scalar::Text(text));
                return self.list(item, bounds, texts);
            }
            (Cell::List(item), Scalar::List(values)) => {
                return self.list(item, bounds, values.iter().copied());
            }
            _ => {}
        }
        let found = self.scalar(cell, value)?;
        let within = match bounds {
            Bounds::None => true,
            Bounds::Within(low, high) => (low..=high).contains(&found),
            Bounds::Unheld => false,
        };
        (within && found != MISSING).then_some(found)
    }

    fn list<'s>(
        &mut self,
        item: &Cell,
        bounds: Bounds,
        values: impl Iterator<Item = Scalar<'s>>,
    ) -> Option<i64> {
        // No list is in a list, so that its items lie together.
        let start = self.items.len();
        for value in values {
            let cell = self.given(item, bounds, value)?;
            self.items.push(cell);
        }
        let list = super::TextCell {
            start,
            length: self.items.len() - start,
            own: true,
        };
        Some(list.pack())
    }

    fn scalar(&mut self, cell: &Cell, value: Scalar<'_>) -> Option<i64> {
        match (cell, value) {
            (Cell::Flag, Scalar::Flag(yes)) => Some(i64::from(yes)),
            (Cell::Text { folded }, Scalar::Text(text)) => Some(self.own_text(text, *folded)),
            (Cell::Word(words), Scalar::Text(word)) => words.place(word),
            (Cell::Whole, Scalar::Whole(number)) => Some(number),
            (Cell::Scaled { places, exact }, Scalar::Whole(_) | Scalar::Number(_)) => {
                let number = match value {
                    Scalar::Whole(number) => Decimal::from(number),
                    Scalar::Number(number) => number,
                    _ => return None,
                };
                let scaled = scaled(number, *places);
                (scaled.exact || !exact).then_some(scaled.cell)
            }
            (Cell::Instant, Scalar::Instant(at)) => at.timestamp_nanos_opt(),
            (Cell::Span, Scalar::Span(span)) => i64::try_from(span.as_millis()).ok(),
            // No test looks at it.
            (Cell::Unheld, Scalar::Whole(_) | Scalar::Number(_)) => Some(0),
            _ => None,
        }
    }
}
