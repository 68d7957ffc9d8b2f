//! A ring as bytes.
//!
//! In: a ring, or what was written of one. Out: the other.
//! Invariant: what is read back is the same, or is refused: no place in it lies outside of its block.

use super::super::journal::Reader;
use super::{Ring, Shape, WIDE};

impl Ring {
    /// Adds the ring, with its key.
    pub(in crate::measure) fn save(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.newest.to_le_bytes());
        for place in [self.capacity, self.length, self.first, self.aged] {
            bytes.extend_from_slice(&place.to_le_bytes());
        }
        let length = u32::try_from(self.block.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&self.block);
    }

    /// Takes a ring.
    pub(in crate::measure) fn read(shape: Shape, reader: &mut Reader<'_>) -> Option<Self> {
        let ring = Self {
            newest: reader.i64()?,
            capacity: reader.u16()?,
            length: reader.u16()?,
            first: reader.u16()?,
            aged: reader.u16()?,
            block: {
                let length = reader.u32()?;
                reader.take(usize::try_from(length).ok()?)?.into()
            },
        };
        let (_, scale) = ring.sum();
        let fits = ring.columns(shape) + ring.slots().bytes() == ring.block.len()
            && ring.length <= ring.capacity
            && (ring.first < ring.capacity || ring.first == 0)
            && ring.aged <= ring.length
            && ring.maybes() <= ring.length
            && ring.distinct() <= ring.length
            && (scale <= 28 || scale == WIDE);
        fits.then_some(ring)
    }
}
