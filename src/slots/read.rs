//! From an event's bytes to its cells in one pass, without a tree and without allocation.
//!
//! In: JSON bytes. Out: [`Slots`], or [`NotRead`].
//! Invariant: what is read here is read by [`event::read`](fn@crate::event::read) too, and means
//! the same; what that rejects is not read here. Odd forms that it accepts may be left to it.
//!
//! To be read in this order: the smallest parts of JSON (`scan`, `number`, `instant`), the names
//! that are looked for (`tree`, `names`, `words`), the objects of an event (this file), values of
//! fields (`value`), undeclared values (`skip`).

use super::{Layout, Slots, TextCell};
use crate::clock::Timestamp;
use crate::limits::{EVENT_DEPTH_MAX, EVENT_ID_BYTES, Limits};

mod instant;
mod names;
mod number;
mod scan;
mod skip;
mod tree;
mod value;
mod words;

pub use names::Names;

use names::{Entry, Member, NONE};
use scan::{byte, literal, space};

/// An event that the quick reader does not read: it is unreadable, or of a rare form.
/// [`event::read`](fn@crate::event::read) says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotRead;

/// What a buffer remembers from one event to the next. Nothing in it changes what is read.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// By entry, and behind them by node: the entry that came next the last time.
    follow: Vec<u32>,
    /// The last name of a kind.
    kind: u32,
    dates: instant::Dates,
    /// Hashes of the undeclared names of the objects that are open.
    hashes: Vec<u64>,
    /// A text without its escapes.
    spare: Vec<u8>,
}

impl Clone for Memory {
    /// Predictions are not worth a copy.
    fn clone(&self) -> Self {
        Self::default()
    }

    fn clone_from(&mut self, _: &Self) {}
}

/// Bytes of an event beyond which a text's place fits no cell.
const BYTES: usize = 1 << 31;

impl Slots {
    /// Fills the buffer from an event's JSON. Texts without escapes stay ranges of `bytes`.
    ///
    /// # Errors
    /// When the event is unreadable, or of a form that [`event::read`](fn@crate::event::read) has
    /// to read.
    pub fn read(
        &mut self,
        bytes: &[u8],
        layout: &Layout,
        limits: &Limits,
        received: Timestamp,
    ) -> Result<(), NotRead> {
        if bytes.len() > limits.event_total_bytes || bytes.len() >= BYTES {
            return Err(NotRead);
        }
        let depth = limits.event_depth.min(EVENT_DEPTH_MAX);
        self.read_event(bytes, layout, depth, received)
            .filter(|evidence| bytes.len() - evidence <= limits.event_bytes)
            .map(|_| ())
            .ok_or(NotRead)
    }

    /// The number of bytes of its evidence.
    fn read_event(
        &mut self,
        bytes: &[u8],
        layout: &Layout,
        depth: usize,
        received: Timestamp,
    ) -> Option<usize> {
        let names = &layout.names;
        let head = head(bytes, names, &mut self.memory)?;
        let kind = layout.kinds.get(head.kind as usize)?;
        let own = *names.kinds.get(head.kind as usize)?;
        if own.flat == NONE || depth == 0 {
            return None;
        }
        self.reset(kind);
        self.memory.hashes.clear();
        let mut reader = Reader {
            bytes,
            names,
            slots: self,
            depth,
            data: own.data,
            seen: [0; 4],
            wide: 0,
            given: 0,
            timed: false,
            evidence: 0,
        };
        let root = match head.envelope {
            true => names.envelope,
            false => own.flat,
        };
        let end = match head.first {
            Some(end) => reader.first_kind(root, end)?,
            None => reader.object(root, head.open, 1)?,
        };
        if space(bytes, end) != bytes.len() || reader.given != own.required {
            return None;
        }
        if reader.wide != 0 {
            std::str::from_utf8(bytes).ok()?;
        }
        let (timed, evidence) = (reader.timed, reader.evidence);
        if !timed {
            self.at = received;
            self.put_cell(0, received.timestamp_nanos_opt()?);
        }
        self.derive_all(kind, bytes);
        Some(evidence)
    }
}

/// What has to be known of an event before its members can be read.
struct Head {
    kind: u32,
    envelope: bool,
    /// The place behind the root's brace.
    open: usize,
    /// The place behind the kind, where that comes first.
    first: Option<usize>,
}

fn head(bytes: &[u8], names: &Names, memory: &mut Memory) -> Option<Head> {
    let open = space(bytes, 0);
    if byte(bytes, open) != b'{' {
        return None;
    }
    let open = open + 1;
    // PERF: most producers write the kind first, and then nothing is read twice.
    let first = space(bytes, open);
    if let Some(behind) = literal(bytes, first, b"\"kind\":") {
        let quote = space(bytes, behind);
        if byte(bytes, quote) == b'"' {
            let text = bytes.get(quote + 1..)?;
            let (kind, length) = names.kind_at(text, &mut memory.kind)?;
            return Some(Head {
                kind,
                envelope: false,
                open,
                first: Some(quote + 1 + length),
            });
        }
    }
    let (envelope, quote) = skip::find_kind(bytes, open)?;
    let (kind, _) = names.kind_at(bytes.get(quote + 1..)?, &mut memory.kind)?;
    Some(Head {
        kind,
        envelope,
        open,
        first: None,
    })
}

/// One event on its way. What is found in it is kept here; places go by value.
struct Reader<'a> {
    bytes: &'a [u8],
    names: &'a Names,
    slots: &'a mut Slots,
    /// Levels that the JSON may have.
    depth: usize,
    /// The node of the data of an envelope.
    data: u32,
    /// A bit for each member that was there.
    seen: [u64; 4],
    /// Whether some byte is not ASCII.
    wide: u64,
    /// How many required fields were given.
    given: u32,
    /// Whether the event gave its instant.
    timed: bool,
    /// Bytes of its evidence.
    evidence: usize,
}

impl Reader<'_> {
    /// The rest of a flat event of which the kind was read.
    fn first_kind(&mut self, root: u32, at: usize) -> Option<usize> {
        let entry = self.names.nodes.get(root as usize)?.first;
        self.see(self.names.entries.get(entry as usize)?)?;
        let at = space(self.bytes, at);
        match byte(self.bytes, at) {
            b',' => self.members(root, entry, at + 1, 1),
            b'}' => Some(at + 1),
            _ => None,
        }
    }

    /// An object from behind its brace to behind its end. `level` is how many objects and lists
    /// are open, itself included.
    fn object(&mut self, node: u32, at: usize, level: usize) -> Option<usize> {
        let at = space(self.bytes, at);
        if byte(self.bytes, at) == b'}' {
            return Some(at + 1);
        }
        self.members(node, NONE, at, level)
    }

    /// The members from one on. `last` is the entry before it.
    fn members(&mut self, node: u32, last: u32, mut at: usize, level: usize) -> Option<usize> {
        let mark = self.slots.memory.hashes.len();
        let names = self.names;
        let mut place = self.place(node, last);
        loop {
            // PERF: producers write the members of a kind in one order, and without spaces. One
            // comparison with the name that came here last time takes the place of scanning, hashing
            // and looking up.
            let known = self.slots.memory.follow.get(place);
            let likely = known.copied().unwrap_or(NONE) as usize;
            let entry = names.entries.get(likely);
            let entry = entry.filter(|entry| entry.node == node);
            let mut found = entry.and_then(|entry| entry.key.begins(self.bytes.get(at..)?));
            if found.is_none() {
                at = space(self.bytes, at);
                found = entry.and_then(|entry| entry.key.begins(self.bytes.get(at..)?));
            }
            at = match (entry, found) {
                (Some(entry), Some(length)) => {
                    place = likely;
                    self.member(entry, space(self.bytes, at + length), level)?
                }
                _ => {
                    let (found, value) = self.name(node, at)?;
                    match names.entries.get(found as usize) {
                        Some(entry) => {
                            self.learn(place, found);
                            place = found as usize;
                            self.member(entry, value, level)?
                        }
                        None => self.skip(value, level)?,
                    }
                }
            };
            at = space(self.bytes, at);
            match byte(self.bytes, at) {
                b',' => at += 1,
                b'}' => break,
                _ => return None,
            }
        }
        self.close(mark)?;
        Some(at + 1)
    }

    /// Where the entry is kept that came behind another one, or first in its object, the last time.
    #[inline(always)]
    fn place(&self, node: u32, last: u32) -> usize {
        match last {
            NONE => self.names.entries.len() + node as usize,
            last => last as usize,
        }
    }

    #[inline(never)]
    fn learn(&mut self, place: usize, found: u32) {
        let all = self.names.entries.len() + self.names.nodes.len();
        let follow = &mut self.slots.memory.follow;
        if follow.len() < all {
            follow.resize(all, NONE);
        }
        if let Some(place) = follow.get_mut(place) {
            *place = found;
        }
    }

    /// A name that was not expected, from its quote on: its entry, and the place of its value. An
    /// undeclared one is kept until its object ends.
    #[inline(never)]
    fn name(&mut self, node: u32, quote: usize) -> Option<(u32, usize)> {
        if byte(self.bytes, quote) != b'"' {
            return None;
        }
        let start = quote + 1;
        let text = scan::text(self.bytes, start, &mut self.wide)?;
        if text.escaped {
            return None;
        }
        let name = self.bytes.get(start..text.end)?;
        let hash = scan::hash(name);
        let entry = self.names.entry(node, name, hash);
        if entry.is_none() {
            self.slots.memory.hashes.push(hash);
        }
        let colon = space(self.bytes, text.end + 1);
        if byte(self.bytes, colon) != b':' {
            return None;
        }
        Some((entry.unwrap_or(NONE), space(self.bytes, colon + 1)))
    }

    /// Notes that a member is there; nothing if it was there before.
    #[inline(always)]
    fn see(&mut self, entry: &Entry) -> Option<()> {
        let word = self.seen.get_mut(usize::from(entry.bit >> 6))?;
        let bit = 1 << (entry.bit & 63);
        let new = *word & bit == 0;
        *word |= bit;
        new.then_some(())
    }

    /// The value of a declared member.
    #[inline(always)]
    fn member(&mut self, entry: &Entry, at: usize, level: usize) -> Option<usize> {
        self.see(entry)?;
        match entry.member {
            Member::Field(leaf) => self.field(leaf, at, level),
            other => self.other(other, at, level),
        }
    }

    /// The value of a declared member that is no field.
    #[inline(never)]
    fn other(&mut self, member: Member, at: usize, level: usize) -> Option<usize> {
        let first = byte(self.bytes, at);
        if first == b'n' && !matches!(member, Member::Kind | Member::Version) {
            let end = literal(self.bytes, at, b"null")?;
            if member == Member::Evidence {
                self.evidence = end - at;
            }
            return Some(end);
        }
        let opens = first == b'{' && level < self.depth;
        match member {
            // Which kind it is was found before.
            Member::Kind if first == b'"' => {
                Some(scan::text(self.bytes, at + 1, &mut self.wide)?.end + 1)
            }
            Member::Id if first == b'"' => self.id(at + 1),
            Member::At if first == b'"' => self.at(at + 1),
            Member::Evidence if opens => {
                let end = self.skip(at, level)?;
                self.evidence = end - at;
                Some(end)
            }
            Member::Version => literal(self.bytes, at, b"\"1.0\""),
            Member::Data if opens => self.object(self.data, at + 1, level + 1),
            Member::Way(node) if opens => self.object(node, at + 1, level + 1),
            Member::Loose(node) if opens && node != NONE => self.object(node, at + 1, level + 1),
            Member::Loose(_) => self.skip(at, level),
            _ => None,
        }
    }

    fn id(&mut self, at: usize) -> Option<usize> {
        let (cell, end) = self.text(at, false)?;
        if cell.length == 0 || cell.length > EVENT_ID_BYTES {
            return None;
        }
        self.slots.id = Some(cell);
        Some(end)
    }

    fn at(&mut self, at: usize) -> Option<usize> {
        let (at, cell, end) = self.instant(at)?;
        self.timed = true;
        self.slots.at = at;
        self.slots.put_cell(0, cell);
        Some(end)
    }
}

impl Slots {
    /// The id of the event, where it has one. `input` is what it was read from.
    #[must_use]
    pub fn id<'a>(&'a self, input: &'a [u8]) -> Option<&'a [u8]> {
        let TextCell { start, length, own } = self.id?;
        let source = if own { &self.text } else { input };
        source.get(start..start + length)
    }
}
