//! What tests compare: columns and bits, from cells.
//!
//! In: a buffer with cells, the layout of its kind, the bytes that its texts are in. Out: the same
//! buffer with its columns, its set and its missing fields.
//! Invariant: what is derived says what the cells say. Whoever puts a cell puts what follows from
//! it, or derives all at the end.

use std::sync::Arc;

use super::{Absent, Dictionary, FieldLayout, KindLayout, MISSING, Seen, Slots, Small};

/// What follows from the cell of one field.
// PERF: apart from the field's layout, so that the records that are gone through for each event
// lie together.
#[derive(Debug, Clone)]
pub(super) struct Derived {
    slot: u16,
    /// The place of its column's two entries.
    column: Option<u8>,
    /// Its bits; none where it has no few values or steps.
    small: Small,
    /// Its bit among those of missing fields.
    optional: u64,
    /// See [`FieldLayout::steps`]. Without any, the bit is that of the cell or symbol.
    steps: Box<[i64]>,
    symbols: Option<Arc<Dictionary>>,
}

impl Derived {
    /// Of a field; nothing if nothing follows from its cell.
    pub(super) fn new(slot: u16, field: &FieldLayout) -> Option<Self> {
        let optional = match field.absent {
            Absent::Optional { bit } => bit,
            Absent::Required | Absent::Default => 0,
        };
        if field.column.is_none() && field.small.is_none() && optional == 0 {
            return None;
        }
        Some(Self {
            slot,
            column: field.column,
            small: field.small.unwrap_or(Small::NONE),
            optional,
            steps: field.steps.clone(),
            symbols: field.symbols.clone(),
        })
    }

    /// Puts a cell that is there into its column; the bit of it.
    #[inline(always)]
    fn apply(&self, slots: &mut Slots, cell: i64, input: &[u8]) -> u64 {
        let value = match &self.symbols {
            None => cell,
            Some(symbols) => {
                let slots = &*slots;
                let number = symbols.find(Seen { slots, input }.text(cell));
                number.map_or(0, |number| i64::from(number) + 1)
            }
        };
        if let Some(column) = self.column {
            let at = usize::from(column) * 2;
            if let Some([up, down]) = slots.columns.get_mut(at..at + 2) {
                *up = value;
                *down = !value;
            }
        }
        let step = match &*self.steps {
            [] => value,
            steps => steps.iter().map(|step| i64::from(cell >= *step)).sum(),
        };
        // PERF: no branch; without bits the mask is empty.
        self.small.bit(step) & self.small.mask
    }
}

impl KindLayout {
    /// What is derived from the cell of a slot.
    fn derived(&self, slot: usize) -> Option<&Derived> {
        let by_slot = |derived: &Derived| usize::from(derived.slot).cmp(&slot);
        let at = self.derived.binary_search_by(by_slot).ok()?;
        self.derived.get(at)
    }
}

impl Slots {
    /// Gives a field its value. `input` is what the event is read from.
    pub(crate) fn put(&mut self, kind: &KindLayout, slot: usize, cell: i64, input: &[u8]) {
        self.put_cell(slot, cell);
        if let Some(derived) = kind.derived(slot) {
            let bit = derived.apply(self, cell, input);
            self.set = self.set & !derived.small.mask | bit;
            self.missing &= !derived.optional;
        }
    }

    /// The cell alone; [`Slots::derive_all`] has to follow.
    #[inline]
    pub(super) fn put_cell(&mut self, slot: usize, cell: i64) {
        if let Some(place) = self.cells.get_mut(slot) {
            *place = cell;
        }
    }

    /// What follows from all cells of a buffer whose columns are those of the blank event.
    // PERF: in one loop over the fields that have something to derive, instead of with each cell.
    #[inline]
    pub(super) fn derive_all(&mut self, kind: &KindLayout, input: &[u8]) {
        let (mut set, mut missing) = (0, 0);
        for derived in &kind.derived {
            match self.cells.get(usize::from(derived.slot)).copied() {
                None | Some(MISSING) => {
                    set |= derived.small.missing;
                    missing |= derived.optional;
                }
                Some(cell) => set |= derived.apply(self, cell, input),
            }
        }
        (self.set, self.missing) = (set, missing);
    }
}
