//! From an event to its cells.
//!
//! In: an [`Event`] that was read. Out: [`Slots`].
//! Invariant: every value is in its cell, or the event is unheld.

use super::layout::scaled;
use super::{Absent, Cell, KindLayout, Layout, MISSING, Slots, TextCell, Unheld};
use crate::event::Event;
use crate::value::{Value, fold_case};

impl Slots {
    /// Fills the buffer with an event.
    ///
    /// # Errors
    /// When cells cannot hold it.
    pub fn fill(&mut self, layout: &Layout, event: &Event) -> Result<(), Unheld> {
        if event.schema() != layout.schema {
            return Err(Unheld);
        }
        let kind = layout.kinds.get(event.kind.0 as usize).ok_or(Unheld)?;
        if kind.fields.len() != event.slots().len() {
            return Err(Unheld);
        }
        self.reset(kind);
        self.at = event.at();
        for (slot, value) in event.slots().iter().enumerate() {
            match value {
                Some(value) => self.set_value(kind, slot, value)?,
                None => self.check_absent(kind, slot)?,
            }
        }
        if let Some(id) = &event.id {
            self.id = Some(self.own_bytes(id.as_bytes()));
        }
        Ok(())
    }

    /// Only an optional field may lack its value.
    pub(super) fn check_absent(&self, kind: &KindLayout, slot: usize) -> Result<(), Unheld> {
        match kind.fields.get(slot).map(|field| field.absent) {
            Some(Absent::Optional { .. }) => Ok(()),
            _ => Err(Unheld),
        }
    }

    /// Puts a value into a slot, whatever was there.
    pub(crate) fn set_value(
        &mut self,
        kind: &KindLayout,
        slot: usize,
        value: &Value,
    ) -> Result<(), Unheld> {
        let field = kind.fields.get(slot).ok_or(Unheld)?;
        let cell = self.cell_of(&field.cell, value)?;
        self.put(kind, slot, cell, &[]);
        Ok(())
    }

    fn cell_of(&mut self, cell: &Cell, value: &Value) -> Result<i64, Unheld> {
        let found = match (cell, value) {
            (Cell::Scaled { places, exact }, Value::Number(number) | Value::Money(number, _)) => {
                let scaled = scaled(*number, *places);
                (scaled.exact || !exact).then_some(scaled.cell)
            }
            (Cell::Text { folded }, Value::Text(text)) => Some(self.own_text(text, *folded)),
            (Cell::List(item), Value::List(values)) => Some(self.own_list(item, values)?),
            // No test looks at it.
            (Cell::Unheld, _) => Some(0),
            _ => cell.plain(value),
        };
        found.filter(|cell| *cell != MISSING).ok_or(Unheld)
    }

    pub(super) fn own_bytes(&mut self, bytes: &[u8]) -> TextCell {
        let start = self.text.len();
        self.text.extend_from_slice(bytes);
        TextCell {
            start,
            length: bytes.len(),
            own: true,
        }
    }

    pub(super) fn own_text(&mut self, text: &str, folded: bool) -> i64 {
        let start = self.text.len();
        if !folded {
            self.text.extend_from_slice(text.as_bytes());
        } else if text.is_ascii() {
            self.text
                .extend(text.bytes().map(|b| b.to_ascii_lowercase()));
        } else {
            self.text.extend_from_slice(fold_case(text).as_bytes());
        }
        let length = self.text.len() - start;
        TextCell {
            start,
            length,
            own: true,
        }
        .pack()
    }

    fn own_list(&mut self, item: &Cell, values: &[Value]) -> Result<i64, Unheld> {
        let start = self.items.len();
        for value in values {
            let cell = self.cell_of(item, value)?;
            self.items.push(cell);
        }
        Ok(TextCell {
            start,
            length: values.len(),
            own: true,
        }
        .pack())
    }
}
