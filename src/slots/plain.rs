//! An event in cells, with its texts in place of where they lie.
//!
//! In: [`Slots`] and the bytes that they were read from. Out: [`Plain`].
//! Invariant: two buffers are decided alike by every program of their layout if their plain forms
//! are equal.

use super::{Cell, Layout, MISSING, Seen, Slots};
use crate::clock::Timestamp;
use crate::schema::KindId;

/// What an event says, to be compared and shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plain {
    /// Its kind.
    pub kind: KindId,
    /// Its id.
    pub id: Option<Vec<u8>>,
    /// Its instant.
    pub at: Timestamp,
    /// Its fields by slot; absent where they are missing.
    pub fields: Vec<Option<PlainCell>>,
    /// What the columns and the bits of fields hold.
    pub derived: (Vec<i64>, u64, u64),
}

/// What a field says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlainCell {
    /// All that is a number in the cell.
    Number(i64),
    /// A text.
    Text(Vec<u8>),
    /// A list.
    List(Vec<PlainCell>),
}

impl Slots {
    /// What the buffer says. `input` is what it was read from, and nothing if it was filled.
    #[must_use]
    pub fn plain(&self, layout: &Layout, input: &[u8]) -> Plain {
        let seen = Seen { slots: self, input };
        let kind = layout.kinds.get(self.kind.0 as usize);
        let fields = kind.map_or(&[][..], |kind| &kind.fields);
        let cells = self.cells.iter().zip(fields);
        Plain {
            kind: self.kind,
            id: self.id(input).map(<[u8]>::to_vec),
            at: self.at,
            fields: cells
                .map(|(cell, field)| (*cell != MISSING).then(|| plain(seen, &field.cell, *cell)))
                .collect(),
            derived: (self.columns.to_vec(), self.set, self.missing),
        }
    }
}

fn plain(seen: Seen<'_>, ty: &Cell, cell: i64) -> PlainCell {
    match ty {
        Cell::Text { .. } => PlainCell::Text(seen.text(cell).to_vec()),
        Cell::List(item) => {
            let items = seen.items(cell).iter();
            PlainCell::List(items.map(|cell| plain(seen, item, *cell)).collect())
        }
        _ => PlainCell::Number(cell),
    }
}
