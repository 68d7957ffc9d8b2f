//! What a block begins with: the key, and the totals of its window.
//!
//! In: a ring. Out: the parts of its head.
//! Invariant: each part is what was written. A ring without a block is without a key, and empty.
//!
//! 16 bytes of the key's print, 8 of the instant of offset 0, 16 of the mantissa of the sum, 2 that say
//! how many of its entries may not pass, 2 how many different values there are, 1 of the scale of the
//! sum, and 3 of the slots of ids.
// PERF: what says where entries are stands beside the block, so that all that an event needs of a
// block can be asked for at once.

use super::super::names::Names;
use super::super::secret::Print;
use super::Ring;

/// Bytes of it.
pub(super) const HEAD: usize = 48;

const BASE: usize = 16;
const TOTAL: usize = 24;
const MAYBES: usize = 40;
const DISTINCT: usize = 42;
const SCALE: usize = 44;
const NAMES: usize = 45;

static NOTHING: [u8; HEAD] = [0; HEAD];

impl Ring {
    #[inline]
    fn head(&self) -> &[u8; HEAD] {
        self.block.first_chunk().unwrap_or(&NOTHING)
    }

    #[inline]
    fn part<const N: usize>(&self, at: usize) -> [u8; N] {
        let part = self.head().get(at..).and_then(|part| part.first_chunk());
        part.copied().unwrap_or([0; N])
    }

    #[inline]
    fn set_part<const N: usize>(&mut self, at: usize, bytes: [u8; N]) {
        let head: Option<&mut [u8; HEAD]> = self.block.first_chunk_mut();
        let part = head.and_then(|head| head.get_mut(at..)?.first_chunk_mut());
        if let Some(part) = part {
            *part = bytes;
        }
    }

    #[inline]
    pub(in crate::measure) fn key(&self) -> Print {
        Print::of_bytes(self.part(0))
    }

    pub(super) fn set_key(&mut self, key: Print) {
        self.set_part(0, key.to_bytes());
    }

    /// The instant of offset 0.
    #[inline]
    pub(super) fn base(&self) -> i64 {
        i64::from_le_bytes(self.part(BASE))
    }

    #[inline]
    pub(super) fn set_base(&mut self, base: i64) {
        self.set_part(BASE, base.to_le_bytes());
    }

    /// The mantissa of the sum, and its scale.
    #[inline]
    pub(super) fn sum(&self) -> (i128, u8) {
        let [scale] = self.part(SCALE);
        (i128::from_le_bytes(self.part(TOTAL)), scale)
    }

    #[inline]
    pub(super) fn set_sum(&mut self, (mantissa, scale): (i128, u8)) {
        self.set_part(TOTAL, mantissa.to_le_bytes());
        self.set_part(SCALE, [scale]);
    }

    /// How many of the entries in the totals may not pass.
    #[inline]
    pub(super) fn maybes(&self) -> u16 {
        u16::from_le_bytes(self.part(MAYBES))
    }

    #[inline]
    pub(super) fn set_maybes(&mut self, maybes: u16) {
        self.set_part(MAYBES, maybes.to_le_bytes());
    }

    /// How many different values there are.
    #[inline]
    pub(super) fn distinct(&self) -> u16 {
        u16::from_le_bytes(self.part(DISTINCT))
    }

    #[inline]
    pub(super) fn set_distinct(&mut self, distinct: u16) {
        self.set_part(DISTINCT, distinct.to_le_bytes());
    }

    /// The slots of ids.
    #[inline]
    pub(super) fn slots(&self) -> Names {
        Names::of_parts(self.part(NAMES))
    }

    #[inline]
    pub(super) fn set_slots(&mut self, names: Names) {
        self.set_part(NAMES, names.parts());
    }
}
