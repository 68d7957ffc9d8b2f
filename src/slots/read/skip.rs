//! Values that nobody reads: undeclared members and evidence.
//!
//! In: the place of a value. Out: the place behind it.
//! Invariant: what is skipped is as strictly JSON as what is read: no name twice, no half of a
//! surrogate pair, no deeper than it may be.

use super::scan::{byte, literal, space};
use super::{Reader, number, scan};

impl Reader<'_> {
    /// A value; `level` is how many objects and lists are open around it.
    pub(super) fn skip(&mut self, at: usize, level: usize) -> Option<usize> {
        match byte(self.bytes, at) {
            b'"' => Some(scan::text(self.bytes, at + 1, &mut self.wide)?.end + 1),
            b'{' if level < self.depth => self.skip_object(at + 1, level + 1),
            b'[' if level < self.depth => self.skip_list(at + 1, level + 1),
            b't' => literal(self.bytes, at, b"true"),
            b'f' => literal(self.bytes, at, b"false"),
            b'n' => literal(self.bytes, at, b"null"),
            b'-' | b'0'..=b'9' => number::skip(self.bytes, at),
            _ => None,
        }
    }

    fn skip_object(&mut self, at: usize, level: usize) -> Option<usize> {
        let mark = self.slots.memory.hashes.len();
        let mut at = space(self.bytes, at);
        if byte(self.bytes, at) == b'}' {
            return Some(at + 1);
        }
        loop {
            if byte(self.bytes, at) != b'"' {
                return None;
            }
            let text = scan::text(self.bytes, at + 1, &mut self.wide)?;
            if text.escaped {
                return None;
            }
            let name = self.bytes.get(text.start..text.end)?;
            self.slots.memory.hashes.push(scan::hash(name));
            at = space(self.bytes, text.end + 1);
            if byte(self.bytes, at) != b':' {
                return None;
            }
            at = self.skip(space(self.bytes, at + 1), level)?;
            at = space(self.bytes, at);
            match byte(self.bytes, at) {
                b',' => at = space(self.bytes, at + 1),
                b'}' => break,
                _ => return None,
            }
        }
        self.close(mark)?;
        Some(at + 1)
    }

    fn skip_list(&mut self, at: usize, level: usize) -> Option<usize> {
        let mut at = space(self.bytes, at);
        if byte(self.bytes, at) == b']' {
            return Some(at + 1);
        }
        loop {
            at = self.skip(at, level)?;
            at = space(self.bytes, at);
            match byte(self.bytes, at) {
                b',' => at = space(self.bytes, at + 1),
                b']' => return Some(at + 1),
                _ => return None,
            }
        }
    }

    /// Ends an object: its undeclared names, those from `mark` on, must all differ.
    #[inline(always)]
    pub(super) fn close(&mut self, mark: usize) -> Option<()> {
        // PERF: most objects have only declared members.
        if self.slots.memory.hashes.len() <= mark + 1 {
            self.slots.memory.hashes.truncate(mark);
            return Some(());
        }
        self.close_many(mark)
    }

    #[inline(never)]
    fn close_many(&mut self, mark: usize) -> Option<()> {
        let hashes = &mut self.slots.memory.hashes;
        let own = hashes.get_mut(mark..)?;
        let twice = if own.len() <= 8 {
            let mut rest = &*own;
            let mut twice = false;
            while let Some((first, others)) = rest.split_first() {
                twice |= others.contains(first);
                rest = others;
            }
            twice
        } else {
            own.sort_unstable();
            own.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
        };
        hashes.truncate(mark);
        (!twice).then_some(())
    }
}

/// Looks through the root for what says the kind: whether the event is an envelope, and the place
/// of the kind's quote. Whatever is no JSON is found when the members are read.
pub(super) fn find_kind(bytes: &[u8], mut at: usize) -> Option<(bool, usize)> {
    let (mut version, mut kind) = (false, None);
    loop {
        at = space(bytes, at);
        if byte(bytes, at) != b'"' {
            return None;
        }
        let name = scan::text(bytes, at + 1, &mut 0)?;
        at = space(bytes, name.end + 1);
        if byte(bytes, at) != b':' {
            return None;
        }
        at = space(bytes, at + 1);
        let first = byte(bytes, at);
        match bytes.get(name.start..name.end)? {
            b"kind" if first == b'"' => return Some((false, at)),
            b"specversion" => version = first != b'n',
            b"type" if first == b'"' => kind = Some(at),
            _ => {}
        }
        // A `kind` behind both would make it flat: reading the envelope meets it and stops.
        if let Some(kind) = kind.filter(|_| version) {
            return Some((true, kind));
        }
        at = space(bytes, pass(bytes, at)?);
        if byte(bytes, at) != b',' {
            return None;
        }
        at += 1;
    }
}

/// The place behind a value whose syntax does not matter.
fn pass(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut open = 0usize;
    loop {
        match byte(bytes, at) {
            b'"' => at = scan::text(bytes, at + 1, &mut 0)?.end,
            b'{' | b'[' => open += 1,
            b'}' | b']' if open > 0 => open -= 1,
            b',' | b'}' | b']' if open == 0 => return Some(at),
            0 => return None,
            _ => {}
        }
        at += 1;
    }
}
