//! The last ids of a key's events, for the reasons of decisions.
//!
//! In: ids. Out: the last [`NAMES`] of them.
//! Invariant: they stand at the end of the block of their key, in slots of one width.

use crate::limits::WINDOW_IDS;

/// Bytes that say how long an id is.
const LENGTH: usize = 2;

/// Widths of slots are multiples of this.
const UNIT: usize = 8;

/// The slots of a block. Ids come and go in turn.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Names {
    /// In units of [`UNIT`] bytes.
    width: u8,
    slots: u8,
    next: u8,
}

impl Names {
    /// What it is made of.
    pub(super) fn parts(self) -> [u8; 3] {
        [self.width, self.slots, self.next]
    }

    pub(super) fn of_parts([width, slots, next]: [u8; 3]) -> Self {
        Self { width, slots, next }
    }

    /// Bytes of all slots.
    pub(super) fn bytes(self) -> usize {
        self.width() * usize::from(self.slots)
    }

    fn width(self) -> usize {
        usize::from(self.width) * UNIT
    }

    /// Puts an id in the place of the oldest one, or beside the others while there are few. The slots
    /// stand behind the columns of a block.
    #[inline]
    pub(super) fn push(&mut self, block: &mut Box<[u8]>, columns: usize, name: &[u8]) {
        let width = (LENGTH + name.len()).div_ceil(UNIT);
        if self.next == self.slots || width > self.width.into() {
            if usize::from(self.next) >= WINDOW_IDS {
                self.next = 0;
            }
            self.make_room(block, columns, width);
        }
        let at = columns + usize::from(self.next) * self.width();
        let length = u16::try_from(name.len()).unwrap_or(0).to_le_bytes();
        let to = block.get_mut(at..).unwrap_or_default();
        if let Some((head, rest)) = to.split_first_chunk_mut::<LENGTH>() {
            *head = length;
            if let Some(to) = rest.get_mut(..name.len()) {
                to.copy_from_slice(name);
            }
        }
        self.next += 1;
    }

    /// Makes slots of that width, and one for the next id.
    fn make_room(&mut self, block: &mut Box<[u8]>, columns: usize, width: usize) {
        let wider = Self {
            width: self.width.max(u8::try_from(width).unwrap_or(u8::MAX)),
            slots: match self.next < self.slots {
                true => self.slots,
                false => (self.slots * 2).clamp(1, u8::try_from(WINDOW_IDS).unwrap_or(8)),
            },
            next: self.next,
        };
        if wider.bytes() == self.bytes() {
            return;
        }
        let mut room = vec![0; columns + wider.bytes()].into_boxed_slice();
        if let (Some(to), Some(from)) = (room.get_mut(..columns), block.get(..columns)) {
            to.copy_from_slice(from);
        }
        for slot in 0..usize::from(self.slots) {
            let from = block
                .get(columns + slot * self.width()..)
                .unwrap_or_default();
            let to = room
                .get_mut(columns + slot * wider.width()..)
                .unwrap_or_default();
            let bytes = to.iter_mut().zip(from).take(self.width());
            bytes.for_each(|(to, from)| *to = *from);
        }
        *block = room;
        *self = wider;
    }

    /// All ids that are there, in no order.
    pub(super) fn all(self, block: &[u8], columns: usize) -> impl Iterator<Item = &[u8]> {
        let slots = block.get(columns..).unwrap_or_default();
        let slots = slots
            .chunks_exact(self.width().max(1))
            .take(self.slots.into());
        slots.filter_map(|slot| {
            let (length, name) = slot.split_first_chunk::<LENGTH>()?;
            let length = usize::from(u16::from_le_bytes(*length));
            name.get(..length).filter(|name| !name.is_empty())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ids_are_kept_whatever_their_lengths() {
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..200 {
            let columns = rng.usize(0..40);
            let mut block = vec![7; columns].into_boxed_slice();
            let mut names = Names::default();
            let mut all: Vec<Vec<u8>> = Vec::new();
            for n in 0..rng.usize(1..40) {
                let length = *rng.choice(&[1, 5, 6, 7, 13, 14, 36, 256]).unwrap();
                let name: Vec<u8> = format!("{n:0>length$}").into_bytes();
                names.push(&mut block, columns, &name);
                all.push(name);
                let mut kept: Vec<_> = names.all(&block, columns).map(<[u8]>::to_vec).collect();
                let mut last = all[all.len().saturating_sub(WINDOW_IDS)..].to_vec();
                kept.sort();
                last.sort();
                assert_eq!(kept, last);
                assert!(block[..columns].iter().all(|byte| *byte == 7));
                assert_eq!(block.len(), columns + names.bytes());
            }
        }
    }
}
