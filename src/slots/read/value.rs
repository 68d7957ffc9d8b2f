//! The value of a declared field.
//!
//! In: the place of a value and how its field is read. Out: a cell in its slot.
//! Invariant: nothing is converted; a value is of its field's type and within its bounds, by the
//! rules of `event/typed.rs`, or the event is not read.

use super::names::{Leaf, NONE, Read, Scale};
use super::number::{Number, number};
use super::scan::{byte, literal, space};
use super::{Reader, instant, scan};
use crate::clock::{Duration, Timestamp, parse_timestamp};
use crate::slots::{Bounds, MISSING, TextCell};

impl Reader<'_> {
    /// A field's value, which may be null.
    #[inline(always)]
    pub(super) fn field(&mut self, leaf: u32, at: usize, level: usize) -> Option<usize> {
        let leaf = self.names.leaves.get(leaf as usize)?;
        if byte(self.bytes, at) == b'n' {
            return literal(self.bytes, at, b"null");
        }
        let (cell, end) = match &leaf.read {
            Read::List(item) => self.list(leaf, item, at, level)?,
            read => self.scalar(leaf, read, at, level)?,
        };
        self.given += u32::from(leaf.required);
        self.slots.put_cell(leaf.slot, cell);
        Some(end)
    }

    /// A value that is no list.
    #[inline(always)]
    fn scalar(
        &mut self,
        leaf: &Leaf,
        read: &Read,
        at: usize,
        level: usize,
    ) -> Option<(i64, usize)> {
        let bytes = self.bytes;
        let quoted = byte(bytes, at) == b'"';
        let (cell, end) = match read {
            Read::Text { folded } if quoted => {
                let (text, end) = self.text(at + 1, *folded)?;
                (text.pack(), end)
            }
            Read::Word(set) if quoted => match set.0.find(bytes.get(at + 1..)?) {
                // PERF: a word and its quote are compared at once; where it ends is not looked for.
                Some((place, length)) => (place, at + 1 + length),
                None => self.with_text(at + 1, |word| set.1.place(word))?,
            },
            Read::Number(scale) => {
                let (number, end) = number(bytes, at)?;
                (scaled(number, *scale)?, end)
            }
            Read::Whole => {
                let (number, end) = number(bytes, at)?;
                (number.whole()?, end)
            }
            Read::Flag => match byte(bytes, at) {
                b't' => (1, literal(bytes, at, b"true")?),
                _ => (0, literal(bytes, at, b"false")?),
            },
            Read::Money(scale, currency) => match byte(bytes, at) {
                b'{' if level < self.depth && !leaf.closed => {
                    self.money(*scale, currency, at + 1, level + 1)?
                }
                _ => {
                    let (number, end) = number(bytes, at)?;
                    (scaled(number, *scale)?, end)
                }
            },
            Read::Instant if quoted => {
                let (_, cell, end) = self.instant(at + 1)?;
                (cell, end)
            }
            Read::Span if quoted => self.with_text(at + 1, |text| {
                i64::try_from(Duration::parse(text).ok()?.as_millis()).ok()
            })?,
            _ => return None,
        };
        let within = match leaf.bounds {
            Bounds::None => true,
            Bounds::Within(low, high) => (low..=high).contains(&cell),
            Bounds::Unheld => false,
        };
        (within && cell != MISSING).then_some((cell, end))
    }

    #[inline(never)]
    fn list(&mut self, leaf: &Leaf, item: &Read, at: usize, level: usize) -> Option<(i64, usize)> {
        if byte(self.bytes, at) != b'[' || level >= self.depth {
            return None;
        }
        let start = self.slots.items.len();
        let mut at = space(self.bytes, at + 1);
        if byte(self.bytes, at) != b']' {
            loop {
                let (cell, end) = self.scalar(leaf, item, at, level + 1)?;
                self.slots.items.push(cell);
                at = space(self.bytes, end);
                match byte(self.bytes, at) {
                    b',' => at = space(self.bytes, at + 1),
                    b']' => break,
                    _ => return None,
                }
            }
        }
        let range = TextCell {
            start,
            length: self.slots.items.len() - start,
            own: true,
        };
        Some((range.pack(), at + 1))
    }

    /// An amount with its currency, from behind the brace.
    #[inline(never)]
    fn money(
        &mut self,
        scale: Scale,
        currency: &[u8; 3],
        at: usize,
        level: usize,
    ) -> Option<(i64, usize)> {
        let mark = self.slots.memory.hashes.len();
        let (mut amount, mut code) = (None, false);
        let mut at = space(self.bytes, at);
        loop {
            // No node: each name is kept as an undeclared one, so that none comes twice.
            let (_, value) = self.name(NONE, at)?;
            let name = self.bytes.get(at + 1..)?;
            if name.starts_with(b"amount\"") {
                let quote = usize::from(byte(self.bytes, value) == b'"');
                let (number, end) = number(self.bytes, value + quote)?;
                if quote == 1 && byte(self.bytes, end) != b'"' {
                    return None;
                }
                amount = Some(number);
                at = end + quote;
            } else if name.starts_with(b"currency\"") {
                let [b'"', given @ .., b'"'] = self.bytes.get(value..)?.first_chunk::<5>()? else {
                    return None;
                };
                code = given == currency;
                at = value + 5;
            } else {
                at = self.skip(value, level)?;
            }
            at = space(self.bytes, at);
            match byte(self.bytes, at) {
                b',' => at = space(self.bytes, at + 1),
                b'}' => break,
                _ => return None,
            }
        }
        self.close(mark)?;
        Some((scaled(amount.filter(|_| code)?, scale)?, at + 1))
    }

    /// The instant behind a quote, its cell, and the place behind its text.
    #[inline(always)]
    pub(super) fn instant(&mut self, at: usize) -> Option<(Timestamp, i64, usize)> {
        match instant::instant(self.bytes, at, &mut self.slots.memory.dates) {
            Some(found) => Some((found.at, found.cell, found.end + 1)),
            None => self.odd_instant(at),
        }
    }

    #[cold]
    fn odd_instant(&mut self, at: usize) -> Option<(Timestamp, i64, usize)> {
        let (at, end) = self.with_text(at, parse_timestamp)?;
        Some((at, at.timestamp_nanos_opt()?, end))
    }

    /// The text behind a quote, and the place behind its end.
    #[inline(always)]
    pub(super) fn text(&mut self, at: usize, folded: bool) -> Option<(TextCell, usize)> {
        match scan::plain(self.bytes, at, &mut self.wide) {
            Ok(end) if !folded => Some((TextCell::of_input(at, end), end + 1)),
            _ => self.odd_text(at, folded),
        }
    }

    #[inline(never)]
    fn odd_text(&mut self, at: usize, folded: bool) -> Option<(TextCell, usize)> {
        let text = scan::text(self.bytes, at, &mut self.wide)?;
        if folded || text.escaped {
            return self.own_text(text, folded);
        }
        Some((TextCell::of_input(text.start, text.end), text.end + 1))
    }

    /// A text that is not held as it stands in the input.
    fn own_text(&mut self, text: scan::Text, folded: bool) -> Option<(TextCell, usize)> {
        let start = self.slots.text.len();
        if !folded {
            scan::unescape(self.bytes, text, &mut self.slots.text)?;
        } else if text.escaped {
            let mut spare = std::mem::take(&mut self.slots.memory.spare);
            spare.clear();
            let plain = scan::unescape(self.bytes, text, &mut spare);
            let done = plain.and_then(|()| fold(&spare, &mut self.slots.text));
            self.slots.memory.spare = spare;
            done?;
        } else {
            let plain = self.bytes.get(text.start..text.end)?;
            fold(plain, &mut self.slots.text)?;
        }
        let cell = TextCell {
            start,
            length: self.slots.text.len() - start,
            own: true,
        };
        Some((cell, text.end + 1))
    }

    /// What a text behind a quote means, and the place behind it.
    fn with_text<T>(
        &mut self,
        at: usize,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<(T, usize)> {
        let text = scan::text(self.bytes, at, &mut self.wide)?;
        let found = if text.escaped {
            let spare = &mut self.slots.memory.spare;
            spare.clear();
            scan::unescape(self.bytes, text, spare)?;
            read(std::str::from_utf8(spare).ok()?)
        } else {
            let plain = self.bytes.get(text.start..text.end)?;
            read(std::str::from_utf8(plain).ok()?)
        };
        Some((found?, text.end + 1))
    }
}

/// A number that no test looks at has any cell.
#[inline(always)]
fn scaled(number: Number, scale: Scale) -> Option<i64> {
    if !scale.held {
        return number.decimal().map(|_| 0);
    }
    number.scaled(scale.places, scale.exact)
}

/// The fold of [`fold_case`](crate::value::fold_case), without a text of its own.
fn fold(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    if text.is_ascii() {
        out.extend(text.iter().map(u8::to_ascii_lowercase));
        return Some(());
    }
    let text = std::str::from_utf8(text).ok()?;
    for lower in text.chars().flat_map(char::to_lowercase) {
        let mut room = [0; 4];
        out.extend_from_slice(lower.encode_utf8(&mut room).as_bytes());
    }
    Some(())
}
