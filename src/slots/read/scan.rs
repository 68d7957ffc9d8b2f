//! The smallest parts of JSON: white space, literals, the end of a text, escapes, the hash of a name.
//!
//! In: the bytes and a place among them. Out: the place behind the part, or nothing where the
//! bytes are not such a part.
//! Invariant: what passes is what the strict grammar of RFC 8259 lets pass, halves of surrogate
//! pairs excluded; that bytes are UTF-8 is for the caller to check.
//!
//! PERF: places are handed over by value. As a member behind a reference the place is stored and
//! loaded again at each step, five cycles each on the one chain that everything waits for.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = ONES << 7;

/// The byte at a place; 0, which begins nothing, behind the end.
#[inline(always)]
pub(super) fn byte(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

/// The place behind white space.
#[inline(always)]
pub(super) fn space(bytes: &[u8], at: usize) -> usize {
    // PERF: compact JSON has none, and all of it lies below the digits and marks.
    if byte(bytes, at) > b' ' {
        return at;
    }
    spaces(bytes, at)
}

#[inline]
fn spaces(bytes: &[u8], mut at: usize) -> usize {
    while matches!(byte(bytes, at), b' ' | b'\n' | b'\r' | b'\t') {
        at += 1;
    }
    at
}

/// The place behind a literal.
#[inline(always)]
pub(super) fn literal(bytes: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    bytes
        .get(at..)?
        .starts_with(word)
        .then_some(at + word.len())
}

/// A text between its quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    /// Its first byte.
    pub(super) start: usize,
    /// Its closing quote.
    pub(super) end: usize,
    /// Whether there are escapes in it.
    pub(super) escaped: bool,
}

/// The text that begins behind a quote. `wide` gets a high bit where a byte near it is not ASCII.
#[inline(always)]
pub(super) fn text(bytes: &[u8], start: usize, wide: &mut u64) -> Option<Text> {
    match plain(bytes, start, wide) {
        Ok(end) => Some(Text {
            start,
            end,
            escaped: false,
        }),
        Err(at) => text_slowly(bytes, start, at, wide),
    }
}

/// The closing quote of a text without escapes; else a place in the text up to which there is
/// nothing odd.
#[inline(always)]
pub(super) fn plain(bytes: &[u8], start: usize, wide: &mut u64) -> Result<usize, usize> {
    let mut at = start;
    // PERF: eight bytes at once, by arithmetic alone; most texts end in the first or second step.
    // Their high bits are gathered on the way, so that UTF-8 costs nothing where all is ASCII.
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let hit = special(word);
        *wide |= word & HIGHS;
        if hit == 0 {
            at += 8;
            continue;
        }
        at += (hit.trailing_zeros() / 8) as usize;
        return match byte(bytes, at) {
            b'"' => Ok(at),
            _ => Err(at),
        };
    }
    Err(at)
}

/// The same from a place in the text, at its escapes or near the end of the bytes.
#[inline(never)]
fn text_slowly(bytes: &[u8], start: usize, mut at: usize, wide: &mut u64) -> Option<Text> {
    let mut escaped = false;
    loop {
        match byte(bytes, at) {
            b'"' => break,
            b'\\' => {
                escaped = true;
                at = escape(bytes, at + 1)?.1;
            }
            0..0x20 => return None,
            other => {
                *wide |= u64::from(other & 0x80);
                at += 1;
            }
        }
    }
    Some(Text {
        start,
        end: at,
        escaped,
    })
}

/// High bits at the bytes that end a plain run: a quote, a backslash, a control character. The
/// lowest of them is right; one above it may be wrong.
#[inline(always)]
fn special(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let slash = word ^ (ONES * b'\\' as u64);
    let quote = quote.wrapping_sub(ONES) & !quote;
    let slash = slash.wrapping_sub(ONES) & !slash;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | slash | control) & HIGHS
}

/// The character of the escape behind a backslash, and the place behind it.
pub(super) fn escape(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    let plain = match byte(bytes, at) {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let first = hex(bytes, at + 1)?;
            let at = at + 5;
            if !(0xd800..0xe000).contains(&first) {
                return Some((char::from_u32(first)?, at));
            }
            // Both halves of a pair, in order, or it is no character.
            let at = literal(bytes, at, b"\\u")?;
            let second = hex(bytes, at)?;
            if first >= 0xdc00 || !(0xdc00..0xe000).contains(&second) {
                return None;
            }
            let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            return Some((char::from_u32(code)?, at + 4));
        }
        _ => return None,
    };
    Some((plain, at + 1))
}

fn hex(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..)?.first_chunk::<4>()?;
    digits.iter().try_fold(0, |sum, digit| {
        Some(sum * 16 + char::from(*digit).to_digit(16)?)
    })
}

/// Appends a text without its escapes.
pub(super) fn unescape(bytes: &[u8], text: Text, out: &mut Vec<u8>) -> Option<()> {
    let mut at = text.start;
    while at < text.end {
        let rest = bytes.get(at..text.end)?;
        let run = rest.iter().position(|b| *b == b'\\');
        let run = run.unwrap_or(rest.len());
        out.extend_from_slice(rest.get(..run)?);
        at += run;
        if at < text.end {
            let (character, behind) = escape(bytes, at + 1)?;
            let mut room = [0; 4];
            out.extend_from_slice(character.encode_utf8(&mut room).as_bytes());
            at = behind;
        }
    }
    Some(())
}

/// A hash of a name. Two names of one hash cost time and nothing else, here and where names of one
/// object are compared.
#[inline]
pub(super) fn hash(name: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, word: u64| {
        let mixed = (hash ^ word).wrapping_mul(ODD);
        mixed ^ (mixed >> 32)
    };
    let (chunks, rest) = name.as_chunks::<8>();
    let hash = chunks.iter().fold(name.len() as u64, |hash, chunk| {
        mix(hash, u64::from_le_bytes(*chunk))
    });
    let last = rest.iter().fold(0, |word, b| word << 8 | u64::from(*b));
    mix(mix(hash, last), ODD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_end_where_they_end() {
        for before in 0..20 {
            for after in 0..20 {
                let inside = "x".repeat(before);
                let json = format!("{inside}\"{}", "y".repeat(after));
                let mut wide = 0;
                let found = text(json.as_bytes(), 0, &mut wide).unwrap();
                assert_eq!((found.end, found.escaped, wide), (before, false, 0));
                for bad in [0u8, 9, 10, 31] {
                    let mut bytes = json.clone().into_bytes();
                    bytes.insert(before, bad);
                    assert!(text(&bytes, 0, &mut wide).is_none());
                }
                let wider = format!("{inside}\u{e9}\"{}", "y".repeat(after));
                let found = text(wider.as_bytes(), 0, &mut wide).unwrap();
                assert_eq!((found.end, wide != 0), (before + 2, true));
            }
        }
        assert!(text(b"abc", 0, &mut 0).is_none());
    }

    #[test]
    fn escapes_are_characters() {
        for (json, wanted) in [
            (r#"a\n\u0041\ud83d\ude00\/\"\\b""#, Some("a\nA😀/\"\\b")),
            (r#"\u00e9""#, Some("é")),
            (r#"\ud800""#, None),
            (r#"\udc00""#, None),
            (r#"\ud800\u0041""#, None),
            (r#"\u12g4""#, None),
            (r#"\u+123""#, None),
            (r#"\x""#, None),
            (r#"\"#, None),
        ] {
            let mut out = Vec::new();
            let found = text(json.as_bytes(), 0, &mut 0);
            let found = found.and_then(|t| unescape(json.as_bytes(), t, &mut out));
            let shown = found.map(|()| String::from_utf8(out).unwrap());
            assert_eq!(shown.as_deref(), wanted, "{json}");
        }
    }
}
