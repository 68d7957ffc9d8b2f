//! What Laneway rejects, for the scanner by hand: escapes, odd numbers, instants, undeclared members,
//! the bounds on size and depth.
//!
//! In: a scanner that met something rare. Out: what it is, or nothing where Laneway would not read
//! it either.

use std::cell::OnceCell;

use rust_decimal::Decimal;

use super::scan::Scanner;

pub const EVENT_BYTES: usize = 256 << 10;
pub const TOTAL_BYTES: usize = 1 << 20;
pub const ID_BYTES: usize = 256;
const DEPTH: usize = 64;
const NUMBER_CHARS: usize = 400;

/// Where texts go that have escapes: as many as an event has members.
#[derive(Default)]
pub struct Spare(OnceCell<Box<[OnceCell<String>; 32]>>);

/// A text that has an escape or a control character at `end`.
#[cold]
pub(super) fn escaped<'a>(scanner: &mut Scanner<'a>, start: usize, end: usize) -> Option<&'a str> {
    let bytes = scanner.bytes;
    let mut at = end;
    loop {
        match *bytes.get(at)? {
            b'"' => break,
            b'\\' => at += 2,
            0..0x20 => return None,
            byte => {
                scanner.wide |= u64::from(byte);
                at += 1;
            }
        }
    }
    let text: String = serde_json::from_slice(&bytes[start - 1..=at]).ok()?;
    scanner.at = at + 1;
    let cells = scanner.spare.0.get_or_init(Box::default);
    let free = cells.iter().find(|cell| cell.get().is_none())?;
    Some(free.get_or_init(|| text))
}

#[cold]
pub(super) fn literal(scanner: &mut Scanner<'_>, word: &[u8]) -> Option<()> {
    let rest = scanner.bytes.get(scanner.at..)?;
    rest.starts_with(word).then(|| scanner.at += word.len())
}

/// A number that is not plain digits: with a sign, an exponent, many digits.
#[cold]
pub(super) fn number(scanner: &mut Scanner<'_>, largest: u64, whole: bool) -> Option<f64> {
    let text = number_text(scanner)?;
    let exact = match text.contains(['e', 'E']) {
        true => Decimal::from_scientific(text).ok()?,
        false => Decimal::from_str_exact(text).ok()?,
    };
    let inside = exact >= Decimal::ZERO && exact <= Decimal::from(largest);
    if !inside || whole && !exact.is_integer() {
        return None;
    }
    text.parse().ok()
}

/// The characters of a number, by the grammar of JSON.
fn number_text<'a>(scanner: &mut Scanner<'a>) -> Option<&'a str> {
    let start = scanner.at;
    let digits = |scanner: &mut Scanner<'_>| {
        let from = scanner.at;
        while scanner.byte().is_ascii_digit() {
            scanner.at += 1;
        }
        (scanner.at > from).then_some(scanner.at - from)
    };
    if scanner.byte() == b'-' {
        scanner.at += 1;
    }
    let first = scanner.byte();
    if digits(scanner)? > 1 && first == b'0' {
        return None;
    }
    if scanner.byte() == b'.' {
        scanner.at += 1;
        digits(scanner)?;
    }
    if matches!(scanner.byte(), b'e' | b'E') {
        scanner.at += 1;
        if matches!(scanner.byte(), b'+' | b'-') {
            scanner.at += 1;
        }
        digits(scanner)?;
    }
    let text = std::str::from_utf8(&scanner.bytes[start..scanner.at]).ok()?;
    (text.len() <= NUMBER_CHARS).then_some(text)
}

/// A value that no field takes. `depth` is that of an object or list which begins here.
pub(super) fn skip(scanner: &mut Scanner<'_>, depth: usize) -> Option<()> {
    match scanner.byte() {
        b'"' => scanner.text::<true>().map(|_| ()),
        b't' => literal(scanner, b"true"),
        b'f' => literal(scanner, b"false"),
        b'n' => literal(scanner, b"null"),
        b'{' | b'[' if depth > DEPTH => None,
        b'{' => skip_object(scanner, depth),
        b'[' => skip_list(scanner, depth),
        _ => number_text(scanner).map(|_| ()),
    }
}

fn skip_object(scanner: &mut Scanner<'_>, depth: usize) -> Option<()> {
    let mut names = Vec::new();
    scanner.at += 1;
    scanner.space();
    if scanner.byte() == b'}' {
        scanner.at += 1;
        return Some(());
    }
    loop {
        let (name, _) = scanner.name::<true>()?;
        if names.contains(&name) {
            return None;
        }
        names.push(name);
        skip(scanner, depth + 1)?;
        if !scanner.more::<true>()? {
            return Some(());
        }
    }
}

fn skip_list(scanner: &mut Scanner<'_>, depth: usize) -> Option<()> {
    scanner.at += 1;
    scanner.space();
    if scanner.byte() == b']' {
        scanner.at += 1;
        return Some(());
    }
    loop {
        scanner.space();
        skip(scanner, depth + 1)?;
        scanner.space();
        scanner.at += 1;
        match scanner.bytes.get(scanner.at - 1)? {
            b',' => {}
            b']' => return Some(()),
            _ => return None,
        }
    }
}

/// Whether a text is an instant of RFC 3339 with its offset.
pub(super) fn is_instant(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(head) = bytes.first_chunk::<19>() else {
        return false;
    };
    let two = |at: usize| {
        let (tens, ones) = (head[at].wrapping_sub(b'0'), head[at + 1].wrapping_sub(b'0'));
        if tens > 9 || ones > 9 {
            return 100;
        }
        u32::from(tens) * 10 + u32::from(ones)
    };
    let (century, within) = (two(0), two(2));
    let (month, day) = (two(5), two(8));
    let marks = head[4] == b'-' && head[7] == b'-' && matches!(head[10], b'T' | b't' | b' ');
    let colons = head[13] == b':' && head[16] == b':';
    if !marks || !colons || century > 99 || within > 99 || day == 0 {
        return false;
    }
    let leap = within % 4 == 0 && (within != 0 || century % 4 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => return false,
    };
    day <= days && two(11) < 24 && two(14) < 60 && two(17) < 60 && is_offset(&bytes[19..])
}

/// A fraction of a second, and the offset.
fn is_offset(mut rest: &[u8]) -> bool {
    if let Some((b'.', digits)) = rest.split_first() {
        let count = digits
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if count == 0 {
            return false;
        }
        rest = &digits[count..];
    }
    match rest {
        b"Z" | b"z" => true,
        [b'+' | b'-', h, i, b':', m, n] => {
            let digits = [h, i, m, n].iter().all(|byte| byte.is_ascii_digit());
            digits && (*h - b'0') * 10 + (*i - b'0') < 24 && *m < b'6'
        }
        _ => false,
    }
}
