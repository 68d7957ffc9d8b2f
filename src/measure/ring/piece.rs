//! The pieces of entries as bytes.
//!
//! In: instants with their marks, prints, decimals. Out: arrays of bytes, and the other way round.
//! Invariant: what is read is what was written.
// PERF: whole arrays, so that a piece is bounds-checked once; words in them overlap.

use super::super::secret::Print;
use super::figure::Decimal;

/// Bytes of an entry's instant and marks.
const TIME: usize = 7;
/// Bytes of a print that lie apart, so that a search goes over them alone.
pub(super) const FRONT: usize = 2;
/// The other bytes of a print.
pub(super) const REST: usize = 14;
/// Bytes that every piece begins with: of its instant, and of its id.
pub(super) const HEAD: usize = TIME + REST;
/// Bytes of a decimal: its digits, and its scale.
pub(super) const DECIMAL: usize = 13;

/// The bits of an instant and its marks.
pub(super) const WORD: u64 = (1 << (8 * TIME)) - 1;

/// What stands behind the front of a print: eight bytes, and six.
pub(super) type Rest = (u64, u64);

#[inline]
fn word<const N: usize>(bytes: &[u8; N], at: usize) -> u64 {
    let bytes = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
    bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

#[inline]
fn put<const N: usize>(bytes: &mut [u8; N], at: usize, word: u64) {
    let bytes = bytes.get_mut(at..);
    if let Some(to) = bytes.and_then(|bytes| bytes.first_chunk_mut()) {
        *to = word.to_le_bytes();
    }
}

/// The instant with its marks.
#[inline]
pub(super) fn time_of(head: &[u8; HEAD]) -> u64 {
    word(head, 0) & WORD
}

#[inline]
pub(super) fn set_time(head: &mut [u8; HEAD], time: u64) {
    let behind = word(head, 0) & !WORD;
    put(head, 0, behind | time & WORD);
}

/// What stands behind the front of an id.
#[inline]
pub(super) fn id_of(head: &[u8; HEAD]) -> Rest {
    (word(head, TIME), word(head, TIME + 6) >> 16)
}

#[inline]
pub(super) fn head(time: u64, id: Print) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    let (low, high) = id.rest();
    put(&mut head, 0, time & WORD);
    put(&mut head, TIME, low);
    put(&mut head, TIME + 6, high << 16 | low >> 48);
    head
}

/// What stands behind the front of a value.
#[inline]
pub(super) fn value_of(value: &[u8; REST]) -> Rest {
    (word(value, 0), word(value, 6) >> 16)
}

#[inline]
pub(super) fn value(print: Print) -> [u8; REST] {
    let mut value = [0; REST];
    let (low, high) = print.rest();
    put(&mut value, 0, low);
    put(&mut value, 6, high << 16 | low >> 48);
    value
}

#[inline]
pub(super) fn decimal_of(bytes: &[u8; DECIMAL]) -> Decimal {
    let (low, end) = (word(bytes, 0), word(bytes, 5));
    let mantissa = i128::from(low) | i128::from(end >> 24 & 0xffff_ffff) << 64;
    let scale = u8::try_from(end >> 56).unwrap_or(0);
    Decimal {
        mantissa: match scale & 0x80 {
            0 => mantissa,
            _ => -mantissa,
        },
        scale: scale & 0x7f,
    }
}

#[inline]
pub(super) fn decimal(decimal: Decimal) -> [u8; DECIMAL] {
    let digits = decimal.mantissa.unsigned_abs();
    #[expect(clippy::cast_possible_truncation, reason = "the parts of 96 bits")]
    let (low, high) = (digits as u64, (digits >> 64) as u32);
    let sign = if decimal.mantissa < 0 { 0x80 } else { 0 };
    let end = low >> 40 | u64::from(high) << 24 | u64::from(decimal.scale | sign) << 56;
    let mut bytes = [0; DECIMAL];
    put(&mut bytes, 0, low);
    put(&mut bytes, 5, end);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_was_written() {
        let mut rng = fastrand::Rng::with_seed(11);
        for _ in 0..1_000 {
            let print = Print {
                low: rng.u64(..),
                high: rng.u64(..),
            };
            let time = rng.u64(..) & WORD;
            let mut bytes = head(time, print);
            assert_eq!((time_of(&bytes), id_of(&bytes)), (time, print.rest()));
            set_time(&mut bytes, !time);
            assert_eq!(
                (time_of(&bytes), id_of(&bytes)),
                (!time & WORD, print.rest())
            );
            assert_eq!(value_of(&value(print)), print.rest());
            let sum = Decimal {
                mantissa: rng.i128(-(1 << 96) + 1..1 << 96) >> rng.u8(..96),
                scale: rng.u8(..=28),
            };
            assert_eq!(decimal_of(&decimal(sum)), sum);
        }
    }
}
