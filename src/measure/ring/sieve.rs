//! What is surely not in a large window, without a search.
//!
//! In: prints. Out: whether one may be there.
//! Invariant: a print that is there is never said not to be.
//! Method: a Bloom filter in words of 64 bits: a print has one word and four bits in it. Bits of what
//! has left stay until the sieve is made anew, once for every half of its capacity that came in.

use super::super::secret::Print;
use super::Ring;
use super::block::{Searched, Shape};

/// Entries that a block has room for, from which on it has sieves: below a search takes no longer.
const FROM: usize = 256;

/// Bytes that say how many prints came in since the sieves were made anew.
const HEAD: usize = 8;

/// Bytes of one sieve: one for an entry.
const fn size(capacity: usize) -> usize {
    capacity / 8 * 8
}

/// Bytes of the sieves of a block.
pub(super) const fn bytes(shape: Shape, capacity: usize) -> usize {
    if capacity < FROM {
        return 0;
    }
    HEAD + size(capacity) * if shape.distinct { 2 } else { 1 }
}

/// The bits of a print in its word.
fn bits(print: Print) -> u64 {
    let bit = |shift: u32| 1 << (print.low >> shift & 63);
    bit(16) | bit(22) | bit(28) | bit(34)
}

impl Ring {
    #[inline]
    fn has_sieves(&self) -> bool {
        usize::from(self.capacity) >= FROM
    }

    /// Where the sieves stand.
    fn sieves(&self, shape: Shape) -> usize {
        super::head::HEAD + usize::from(self.capacity) * shape.entry()
    }

    /// Where the word of a print stands.
    fn sieve_word(&self, shape: Shape, searched: Searched, print: Print) -> usize {
        let size = size(self.capacity.into());
        let words = (size / 8) as u64;
        let word = (((print.high & 0xffff_ffff) * words) >> 32) as usize;
        let start = match searched {
            Searched::Ids => 0,
            Searched::Values => size,
        };
        self.sieves(shape) + HEAD + start + 8 * word
    }

    /// Whether a print may be there.
    #[inline]
    pub(super) fn may_have(&self, shape: Shape, searched: Searched, print: Print) -> bool {
        if !self.has_sieves() {
            return true;
        }
        let bits = bits(print);
        self.word(self.sieve_word(shape, searched, print)) & bits == bits
    }

    fn add_to_sieve(&mut self, shape: Shape, searched: Searched, print: Print) {
        let at = self.sieve_word(shape, searched, print);
        self.set_word(at, self.word(at) | bits(print));
    }

    /// An entry came in.
    #[inline]
    pub(super) fn sieve(&mut self, shape: Shape, entry: usize) {
        if self.has_sieves() {
            self.sieve_large(shape, entry);
        }
    }

    fn sieve_large(&mut self, shape: Shape, entry: usize) {
        let (at, most) = (self.sieves(shape), u64::from(self.capacity) / 2);
        let came = self.word(at) + 1;
        if came > most {
            return self.sift(shape);
        }
        self.set_word(at, came);
        self.put(shape, entry);
    }

    fn put(&mut self, shape: Shape, entry: usize) {
        let id = self.print(shape, Searched::Ids, entry);
        self.add_to_sieve(shape, Searched::Ids, id);
        if shape.distinct {
            let value = self.print(shape, Searched::Values, entry);
            self.add_to_sieve(shape, Searched::Values, value);
        }
    }

    /// Makes the sieves anew.
    pub(super) fn sift(&mut self, shape: Shape) {
        if !self.has_sieves() {
            return;
        }
        let (from, to) = (self.sieves(shape), self.columns(shape));
        self.block.get_mut(from..to).unwrap_or_default().fill(0);
        for entry in 0..self.len() {
            self.put(shape, entry);
        }
    }
}
