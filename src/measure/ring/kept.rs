//! A ring as bytes.
//!
//! In: a ring, or what was written of one. Out: the other.
//! Invariant: what is read back is the same, or is refused: no place in it lies outside of its block.

use super::super::journal::Reader;
use super::super::names::Names;
use super::{Ring, Shape, WIDE};

impl Ring {
    /// Adds the ring.
    pub(in crate::measure) fn save(&self, bytes: &mut Vec<u8>) {
        for number in [self.base, self.newest] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        let places = [
            self.capacity,
            self.length,
            self.first,
            self.aged,
            self.maybes,
            self.distinct,
        ];
        for place in places {
            bytes.extend_from_slice(&place.to_le_bytes());
        }
        bytes.push(self.scale);
        bytes.extend_from_slice(&self.names.parts());
        for half in self.total {
            bytes.extend_from_slice(&half.to_le_bytes());
        }
        let length = u32::try_from(self.block.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&self.block);
    }

    /// Takes a ring.
    pub(in crate::measure) fn read(shape: Shape, reader: &mut Reader<'_>) -> Option<Self> {
        let ring = Self {
            base: reader.i64()?,
            newest: reader.i64()?,
            capacity: reader.u16()?,
            length: reader.u16()?,
            first: reader.u16()?,
            aged: reader.u16()?,
            maybes: reader.u16()?,
            distinct: reader.u16()?,
            scale: reader.byte()?,
            names: Names::of_parts(reader.array()?),
            total: [reader.u64()?, reader.u64()?],
            block: {
                let length = reader.u32()?;
                reader.take(usize::try_from(length).ok()?)?.into()
            },
        };
        let fits = ring.columns(shape) + ring.names.bytes() == ring.block.len()
            && ring.length <= ring.capacity
            && (ring.first < ring.capacity || ring.first == 0)
            && ring.aged <= ring.length
            && ring.maybes <= ring.length
            && ring.distinct <= ring.length
            && (ring.scale <= 28 || ring.scale == WIDE);
        fits.then_some(ring)
    }
}
