//! RFC 3339 instants of the usual form.
//!
//! In: the bytes and the place of a text. Out: the instant and its nanoseconds since 1970.
//! Invariant: what is read here is what [`parse_timestamp`](crate::clock::parse_timestamp) reads;
//! every odd form is left to it.

use chrono::{DateTime, NaiveDate, NaiveTime};

use super::scan::byte;
use crate::clock::Timestamp;

/// The last date, which the next instant most likely has too.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dates {
    /// The digits of year and month, and the day.
    key: (u64, u8),
    date: NaiveDate,
    days: i64,
}

impl Default for Dates {
    fn default() -> Self {
        Self {
            // No digits: 0 would be the date `0000-00-00`.
            key: (u64::MAX, 0),
            date: NaiveDate::default(),
            days: 0,
        }
    }
}

/// An instant with the cell of it, and the place behind its text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instant {
    pub(super) at: Timestamp,
    pub(super) cell: i64,
    /// Its closing quote.
    pub(super) end: usize,
}

/// A year and a month, such as `2026-11-`, as the digits 0 to 9 and the marks 0.
const DATE: u64 = u64::from_le_bytes(*b"0000-00-");
/// What takes each byte that is no digit, or not its mark, to its high bit.
const DATE_ADD: u64 = u64::from_le_bytes([0x76, 0x76, 0x76, 0x76, 0x7f, 0x76, 0x76, 0x7f]);
const TIME: u64 = u64::from_le_bytes(*b"00T00:00");
const TIME_ADD: u64 = u64::from_le_bytes([0x76, 0x76, 0x7f, 0x76, 0x76, 0x7f, 0x76, 0x76]);
const SECOND: u32 = u32::from_le_bytes(*b":00\0");
const SECOND_ADD: u32 = u32::from_le_bytes([0x7f, 0x76, 0x76, 0]);
const HIGHS: u64 = 0x8080_8080_8080_8080;

const NANOS: i64 = 1_000_000_000;

/// The instant at a place behind a quote.
#[inline]
pub(super) fn instant(bytes: &[u8], start: usize, dates: &mut Dates) -> Option<Instant> {
    let text = bytes.get(start..)?.first_chunk::<21>()?;
    let (words, rest) = text.as_chunks::<8>();
    let [date, time] = words else { return None };
    let [colon, tens, ones, zone, behind] = *rest else {
        return None;
    };
    // PERF: all digits and marks are checked at once, and every two digits are put together at
    // once: byte n is ten times digit n plus digit n + 1.
    let date = u64::from_le_bytes(*date) ^ DATE;
    let time = u64::from_le_bytes(*time) ^ TIME;
    let second = u32::from_le_bytes([colon, tens, ones, 0]) ^ SECOND;
    let wrong = ((date.wrapping_add(DATE_ADD) | date) | (time.wrapping_add(TIME_ADD) | time))
        & HIGHS
        | u64::from((second.wrapping_add(SECOND_ADD) | second) & 0x0080_8080);
    if wrong != 0 {
        return None;
    }
    let pairs = |word: u64| word.wrapping_mul(10).wrapping_add(word >> 8).to_le_bytes();
    let [day, _, _, hour, _, _, minute, _] = pairs(time);
    let [_, second, ..] = pairs(u64::from(second));
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // PERF: making a date takes as long as the rest together, and most instants are of one day.
    if dates.key != (date, day) {
        let [century, _, year, _, _, month, _, _] = pairs(date);
        *dates = new_date((date, day), [century, year, month, day])?;
    }
    let seconds = u32::from(hour) * 3600 + u32::from(minute) * 60 + u32::from(second);
    if (zone, behind) == (b'Z', b'"') {
        return at_zero(dates, seconds, 0, start + 20);
    }
    odd(bytes, start + 19, dates, seconds)
}

#[inline(never)]
fn new_date(key: (u64, u8), [century, year, month, day]: [u8; 4]) -> Option<Dates> {
    // Nanoseconds of instants before 1678 and after 2261 fit no cell.
    if !(17..22).contains(&century) {
        return None;
    }
    let year = i32::from(century) * 100 + i32::from(year);
    let date = NaiveDate::from_ymd_opt(year, u32::from(month), u32::from(day))?;
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    Some(Dates { key, date, days })
}

#[inline]
fn at_zero(dates: &Dates, seconds: u32, nanos: u32, end: usize) -> Option<Instant> {
    let time = NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos)?;
    Some(Instant {
        at: dates.date.and_time(time).and_utc(),
        cell: (dates.days * 86_400 + i64::from(seconds)) * NANOS + i64::from(nanos),
        end,
    })
}

/// An instant with a fraction or an offset, from behind its seconds.
#[inline(never)]
fn odd(bytes: &[u8], mut at: usize, dates: &Dates, seconds: u32) -> Option<Instant> {
    let mut nanos = 0;
    if byte(bytes, at) == b'.' {
        at += 1;
        let mut unit = 100_000_000;
        while let digit @ 0..=9 = byte(bytes, at).wrapping_sub(b'0') {
            if unit == 0 {
                return None;
            }
            nanos += u32::from(digit) * unit;
            unit /= 10;
            at += 1;
        }
        if unit == 100_000_000 {
            return None;
        }
    }
    let sign = byte(bytes, at);
    if sign == b'Z' {
        return (byte(bytes, at + 1) == b'"')
            .then(|| at_zero(dates, seconds, nanos, at + 1))
            .flatten();
    }
    let [tens, ones, b':', six, last, b'"'] = *bytes.get(at + 1..)?.first_chunk::<6>()? else {
        return None;
    };
    let two = |tens: u8, ones: u8| {
        let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
        (tens < 10 && ones < 10).then(|| i64::from(tens * 10 + ones))
    };
    let (hours, minutes) = (two(tens, ones)?, two(six, last)?);
    let offset = hours * 3600 + minutes * 60;
    let offset = match sign {
        b'+' => offset,
        // `-00:00` has a meaning of its own in RFC 3339.
        b'-' if offset != 0 => -offset,
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    let total = dates.days * 86_400 + i64::from(seconds) - offset;
    Some(Instant {
        at: DateTime::from_timestamp(total, nanos)?,
        cell: total.checked_mul(NANOS)?.checked_add(i64::from(nanos))?,
        end: at + 6,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::parse_timestamp;

    #[test]
    fn instants_are_those_of_the_slow_reader() {
        let mut rng = fastrand::Rng::with_seed(3);
        let mut dates = Dates::default();
        let texts = [
            "2026-11-20T10:00:00Z",
            "1999-12-31T23:59:59.5Z",
            "2024-02-29T00:00:00.123456789+05:30",
            "2100-02-28T12:34:56-11:00",
            "1970-01-01T00:00:00+00:00",
        ];
        let mut read = 0;
        for round in 0..200_000 {
            let mut text = texts[rng.usize(0..texts.len())].as_bytes().to_vec();
            for _ in 0..rng.usize(0..3) {
                let at = rng.usize(0..text.len());
                text[at] = b"0123456789999:TZ-+.t "[rng.usize(0..21)];
            }
            if round % 50 == 0 {
                text.pop();
            }
            let whole = String::from_utf8(text.clone()).unwrap();
            text.push(b'"');
            // Instants near the end of the bytes have nothing behind them.
            text.extend_from_slice(b",");
            if let Some(found) = instant(&text, 0, &mut dates) {
                read += 1;
                assert_eq!(found.end, whole.len());
                assert_eq!(Some(found.at), parse_timestamp(&whole), "{whole}");
                assert_eq!(Some(found.cell), found.at.timestamp_nanos_opt());
            }
        }
        assert!(read > 60_000, "{read}");
        for text in texts {
            assert!(instant(format!("{text}\"").as_bytes(), 0, &mut dates).is_some());
        }
    }
}
