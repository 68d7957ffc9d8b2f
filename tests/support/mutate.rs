//! Seeded damage to texts.
//!
//! In: bytes and a random generator. Out: the bytes with a few changes of the sorts that people,
//! editors, networks and attackers make.
//! Invariant: one generator state always gives the same damage.

#![allow(dead_code, reason = "each test file uses its part of the generators")]

use fastrand::Rng;

/// Tokens of the grammar and what is often written in their place.
const TOKENS: [&str; 92] = [
    "{",
    "}",
    "(",
    ")",
    "{ }",
    "any of {",
    "all of {",
    "none of {",
    "at least 2 of {",
    "not ",
    " and ",
    " or ",
    " is ",
    " is not ",
    " is missing",
    " is present",
    " if present",
    " in (",
    " not in ",
    " contains ",
    " contains any of (",
    " starts with ",
    " ends with ",
    " like ",
    " matches /",
    "/",
    "\\/",
    " same as ",
    " differs from ",
    " older than ",
    " newer than ",
    " inside ",
    " outside ",
    "<",
    "<=",
    ">",
    ">=",
    "=",
    "==",
    "!=",
    "&&",
    "||",
    "->",
    "=>",
    ",",
    ",\n",
    ".",
    "..",
    ":",
    "\"",
    "\\",
    "\\u{",
    "\\u{110000}",
    "\"\"",
    "#",
    "\n#",
    "\n\n",
    "\n}\n",
    "count of ",
    "sum x of ",
    "distinct x of ",
    " where ",
    " by ",
    " over 10m",
    "1h30m",
    "10m",
    "-",
    "-1",
    "1.5",
    ".5",
    "5.",
    "1e9",
    "99999999999999999999999999999999",
    "1_000",
    "100 USD",
    "usd",
    "2026-01-07",
    "2026-13-45",
    "2026-01-07T12:00:00Z",
    "24:00",
    "25:61",
    "\nlane x {\n",
    "\nmatrix \"m\" {\n",
    "\nevent k {\n",
    "\nimport \"matrix.lane\"\n",
    "\nteam t {\n",
    " because \"x\"",
    " with {",
    " without a",
    " optional",
    " default ()",
    " list of ",
];

/// Characters that are not what they look like, or not ASCII.
const ODD: [&str; 16] = [
    "\0",
    "\u{1}",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{85}",
    "\r",
    "\r\n",
    "\u{feff}",
    "\u{202e}",
    "\u{200b}",
    "\u{2028}",
    "\u{e9}",
    "e\u{301}",
    "\u{1f642}",
    "\u{10ffff}",
    "\u{661}",
];

/// Damages bytes in a few places.
pub fn mutate(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let count = match rng.usize(0..4) {
        0 => 1,
        1 => 2,
        2 => rng.usize(3..=6),
        _ => rng.usize(7..=40),
    };
    for _ in 0..count {
        once(rng, bytes);
    }
}

fn once(rng: &mut Rng, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        bytes.extend_from_slice(b"lane x {\n}\n");
    }
    let at = rng.usize(0..bytes.len());
    match rng.usize(0..17) {
        0 => bytes[at] ^= 1 << rng.u8(0..7),
        // Any byte: the text may be no UTF-8 any more.
        1 if rng.usize(0..20) == 0 => bytes[at] = rng.u8(..),
        1 | 2 => {
            let end = (at + rng.usize(1..=12)).min(bytes.len());
            bytes.drain(at..end);
        }
        3..=6 => insert(bytes, at, TOKENS[rng.usize(0..TOKENS.len())].as_bytes()),
        7 => insert(bytes, at, ODD[rng.usize(0..ODD.len())].as_bytes()),
        8 | 9 => {
            let line = line_at(bytes, at);
            let copy = bytes[line.clone()].to_vec();
            insert(bytes, line.end, &copy);
        }
        10 => {
            let line = line_at(bytes, at);
            bytes.drain(line);
        }
        11 => {
            // A line is cut in the middle.
            let line = line_at(bytes, at);
            let end = line.end.saturating_sub(1).max(at);
            bytes.drain(at..end);
        }
        12 => {
            let (a, b) = (line_at(bytes, at), rng.usize(0..bytes.len()));
            let b = line_at(bytes, b);
            if a.end <= b.start {
                let (first, second) = (bytes[a.clone()].to_vec(), bytes[b.clone()].to_vec());
                bytes.splice(b, first);
                bytes.splice(a, second);
            }
        }
        13 => {
            // A block goes somewhere else.
            let end = (at + rng.usize(1..=400)).min(bytes.len());
            let block: Vec<u8> = bytes.drain(at..end).collect();
            let to = rng.usize(0..=bytes.len());
            insert(bytes, to, &block);
        }
        14 => {
            let brace = [b'{', b'}', b'(', b')', b'"'][rng.usize(0..5)];
            insert(bytes, at, &vec![brace; rng.usize(1..=70)]);
        }
        15 if rng.usize(0..60) == 0 => {
            let long = [b'a', b'"', b'\\', b'9'][rng.usize(0..4)];
            insert(bytes, at, &vec![long; rng.usize(1_000..=70_000)]);
        }
        _ => {
            // One word for another one of the same text.
            let (a, b) = (word_at(bytes, at), rng.usize(0..bytes.len()));
            let b = word_at(bytes, b);
            let word = bytes[b].to_vec();
            bytes.splice(a, word);
        }
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, more: &[u8]) {
    bytes.splice(at..at, more.iter().copied());
}

/// The line around a byte, with its line break.
fn line_at(bytes: &[u8], at: usize) -> std::ops::Range<usize> {
    let start = bytes[..at].iter().rposition(|b| *b == b'\n');
    let end = bytes[at..].iter().position(|b| *b == b'\n');
    start.map_or(0, |n| n + 1)..end.map_or(bytes.len(), |n| at + n + 1)
}

fn word_at(bytes: &[u8], at: usize) -> std::ops::Range<usize> {
    let inside = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    let start = bytes[..at].iter().rposition(|b| !inside(b));
    let end = bytes[at..].iter().position(|b| !inside(b));
    start.map_or(0, |n| n + 1)..end.map_or(bytes.len(), |n| at + n)
}
