//! Numbers of JSON, exactly.
//!
//! In: the bytes and the place of a number. Out: its digits and its scale.
//! Invariant: the syntax is that of JSON; a number that is not held exactly in 64 bits is left to
//! the slow reader.

use super::scan::byte;
use crate::limits::NUMBER_CHARS;
use crate::slots::layout::{POWERS, scaled_units};

/// Digits of which every number fits 64 bits with its sign.
const DIGITS: usize = 18;

/// Places behind the point that the slow reader takes.
const PLACES: i32 = 28;

/// `mantissa` times 10^-`scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    mantissa: i64,
    scale: i32,
}

/// The number at a place, and the place behind it.
#[inline]
pub(super) fn number(bytes: &[u8], at: usize) -> Option<(Number, usize)> {
    let negative = byte(bytes, at) == b'-';
    let start = at + usize::from(negative);
    // PERF: numbers of events are short; a loop over digits beats eight at once there.
    let (mut mantissa, mut end) = digits(bytes, start, 0);
    let mut count = end - start;
    if count == 0 || (count > 1 && byte(bytes, start) == b'0') {
        return None;
    }
    let mut scale = 0;
    if byte(bytes, end) == b'.' {
        let point = end + 1;
        (mantissa, end) = digits(bytes, point, mantissa);
        if end == point {
            return None;
        }
        count += end - point;
        scale = i32::try_from(end - point).ok()?;
    }
    if count > DIGITS {
        significant(bytes.get(start..end)?)?;
    }
    if byte(bytes, end) | 0x20 == b'e' {
        let (power, behind) = exponent(bytes, end + 1)?;
        scale -= power;
        end = behind;
    }
    // At most eighteen digits: below 2^63.
    let mantissa = mantissa.cast_signed();
    let mantissa = if negative { -mantissa } else { mantissa };
    Some((Number { mantissa, scale }, end))
}

#[inline(always)]
fn digits(bytes: &[u8], mut at: usize, mut sum: u64) -> (u64, usize) {
    loop {
        let digit = byte(bytes, at).wrapping_sub(b'0');
        if digit > 9 {
            return (sum, at);
        }
        sum = sum.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
}

/// Zeros in front do not count; they have not changed the sum either.
#[cold]
fn significant(text: &[u8]) -> Option<()> {
    let front = |b: &&u8| matches!(**b, b'0' | b'.');
    let rest = text.iter().skip_while(front).filter(|b| **b != b'.');
    (text.len() <= NUMBER_CHARS && rest.count() <= DIGITS).then_some(())
}

/// An exponent of at most two digits.
#[cold]
fn exponent(bytes: &[u8], at: usize) -> Option<(i32, usize)> {
    let sign = byte(bytes, at);
    let start = at + usize::from(matches!(sign, b'+' | b'-'));
    let (power, end) = digits(bytes, start, 0);
    if !(1..=2).contains(&(end - start)) {
        return None;
    }
    let power = i32::try_from(power).ok()?;
    Some((if sign == b'-' { -power } else { power }, end))
}

/// The place behind a number that nobody reads: its syntax, and that its plain notation is short.
pub(super) fn skip(bytes: &[u8], at: usize) -> Option<usize> {
    let start = at + usize::from(byte(bytes, at) == b'-');
    let (_, mut end) = digits(bytes, start, 0);
    if end == start || (end > start + 1 && byte(bytes, start) == b'0') {
        return None;
    }
    if byte(bytes, end) == b'.' {
        let point = end + 1;
        (_, end) = digits(bytes, point, 0);
        if end == point {
            return None;
        }
    }
    let length = end - at;
    if byte(bytes, end) | 0x20 == b'e' {
        // Two digits of an exponent are at most 99 zeros more, and a `0.` in front.
        let (_, end) = exponent(bytes, end + 1)?;
        return (length + 110 <= NUMBER_CHARS).then_some(end);
    }
    (length <= NUMBER_CHARS).then_some(end)
}

impl Number {
    /// The whole number that it is.
    #[inline]
    pub(super) fn whole(self) -> Option<i64> {
        match self.scale {
            0 => Some(self.mantissa),
            1.. => {
                let unit = power(self.scale)?;
                (self.mantissa % unit == 0).then_some(self.mantissa / unit)
            }
            _ => self.mantissa.checked_mul(power(-self.scale)?),
        }
    }

    /// Its cell, see [`Cell::Scaled`](crate::slots::Cell::Scaled); nothing where it has to be
    /// exact and is not.
    #[inline]
    pub(super) fn scaled(self, places: u8, exact: bool) -> Option<i64> {
        let (mantissa, scale) = self.decimal()?;
        let scaled = scaled_units(mantissa, scale, places);
        (scaled.exact || !exact).then_some(scaled.cell)
    }

    /// The same number with a scale that decimals have.
    #[inline]
    pub(super) fn decimal(self) -> Option<(i64, u32)> {
        match self.scale {
            0..=PLACES => Some((self.mantissa, self.scale.unsigned_abs())),
            ..0 => Some((self.mantissa.checked_mul(power(-self.scale)?)?, 0)),
            _ => None,
        }
    }
}

fn power(places: i32) -> Option<i64> {
    POWERS.get(usize::try_from(places).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{parse_decimal, parse_whole, plain_number};

    #[test]
    fn numbers_are_what_the_slow_reader_reads() {
        let mut rng = fastrand::Rng::with_seed(7);
        let alphabet = b"0123456789005..ee-+E";
        let mut read = 0;
        for _ in 0..300_000 {
            let count = rng.usize(1..24);
            let pick = |_| char::from(alphabet[rng.usize(0..alphabet.len())]);
            let text: String = (0..count).map(pick).collect();
            let json = serde_json::from_str::<serde_json::Number>(&text).is_ok()
                || serde_json::from_str::<Box<serde_json::value::RawValue>>(&text).is_ok();
            let all = |found: Option<usize>| found == Some(text.len());
            if all(skip(text.as_bytes(), 0)) {
                assert!(json && plain_number(&text).is_some(), "{text}");
            }
            let Some((number, end)) = number(text.as_bytes(), 0) else {
                continue;
            };
            if end < text.len() {
                continue;
            }
            read += 1;
            assert!(json, "{text}");
            if let Some(whole) = number.whole() {
                assert_eq!(Some(whole), parse_whole(&text), "{text}");
            }
            if let Some((mantissa, scale)) = number.decimal() {
                let decimal = rust_decimal::Decimal::new(mantissa, scale);
                assert_eq!(Ok(decimal.normalize()), parse_decimal(&text), "{text}");
            }
        }
        assert!(read > 5_000, "{read}");
    }

    #[test]
    fn usual_numbers_are_read() {
        for text in [
            "0",
            "-0.5",
            "12.50",
            "1e-05",
            "5.0",
            "1E+2",
            "0.30000000000000004",
            "0.012345678901234567",
            "123456789012345678",
        ] {
            let (number, end) = number(text.as_bytes(), 0).unwrap();
            assert_eq!(end, text.len());
            assert!(number.decimal().is_some());
        }
        assert_eq!(number(b"5.0,", 0).unwrap().0.whole(), Some(5));
        assert_eq!(number(b"5.5,", 0).unwrap().0.whole(), None);
        for bad in ["01", "-", ".5", "5.", "1e", "1e100", "1234567890123456789"] {
            assert!(number(bad.as_bytes(), 0).is_none(), "{bad}");
        }
    }
}
