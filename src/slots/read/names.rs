//! The member names of all kinds, as the quick reader looks for them.
//!
//! In: a schema and how its kinds are laid out. Out: [`Names`], made once for each program.
//! Invariant: a member is of one entry at most; the other places of a field (design: `tenant.source`
//! as one name) are entries too, so that no event passes that gives a field twice.
//! Knows no bytes of events.

use super::scan::hash;
use super::tree::{Child, Tree};
use crate::schema::Schema;
use crate::slots::layout::Layout;
use crate::slots::{Bounds, Cell, Words};
use crate::value::Type;

/// No entry, no kind, no node.
pub(super) const NONE: u32 = u32::MAX;

/// Members of an event that have a bit; a kind of more is left to the slow reader.
pub(super) const MEMBERS: usize = 256;

/// The names of a program.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// By kind.
    pub(super) kinds: Vec<KindNames>,
    kind_keys: Vec<(Key, u32)>,
    kind_table: Table,
    pub(super) entries: Vec<Entry>,
    pub(super) nodes: Vec<Node>,
    pub(super) leaves: Vec<Leaf>,
    /// The node of an envelope.
    pub(super) envelope: u32,
}

/// The names of a kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct KindNames {
    /// The node of a flat event; [`NONE`] where the slow reader reads the kind.
    pub(super) flat: u32,
    /// The node of the data of an envelope.
    pub(super) data: u32,
    /// How many of its fields an event has to give.
    pub(super) required: u32,
}

/// The members of one object.
#[derive(Debug, Clone)]
pub(super) struct Node {
    table: Table,
    /// The entry that comes first as declared.
    pub(super) first: u32,
}

/// A member.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: Key,
    /// The object that it is in.
    pub(super) node: u32,
    /// Its bit among those of the event's members.
    pub(super) bit: u8,
    pub(super) member: Member,
}

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Member {
    Kind,
    Id,
    At,
    Evidence,
    /// What the slow reader judges unless it is null: another place of a field, and of an envelope
    /// `kind` and `data_base64`.
    Null,
    /// Of an envelope: `specversion`.
    Version,
    /// Of an envelope: `data`.
    Data,
    /// A field, by its leaf.
    Field(u32),
    /// An object with fields in it.
    Way(u32),
    /// An undeclared member, maybe with another place of a field in it.
    Loose(u32),
}

/// A field.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) slot: usize,
    pub(super) required: bool,
    /// Whether another field has another place inside this one.
    pub(super) closed: bool,
    pub(super) read: Read,
    pub(super) bounds: Bounds,
}

/// How a value is read.
#[derive(Debug, Clone)]
pub(super) enum Read {
    Flag,
    // PERF: in a box, so that the sort of a value is one byte.
    Word(Box<(super::words::Table, Words)>),
    Whole,
    Number(Scale),
    Money(Scale, [u8; 3]),
    Instant,
    Span,
    Text { folded: bool },
    List(Box<Read>),
}

/// How a number is held.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    pub(super) places: u8,
    pub(super) exact: bool,
    /// Whether it is held at all; no test looks at it otherwise.
    pub(super) held: bool,
}

/// A text that is looked for, with what stands before and behind it.
#[derive(Debug, Clone)]
pub(super) struct Key {
    /// PERF: the first sixteen bytes are compared at once, which is a quarter of a `memcmp`.
    head: u128,
    mask: u128,
    long: bool,
    /// Where it is between what stands before and behind it.
    text: std::ops::Range<usize>,
    whole: Box<[u8]>,
}

impl Key {
    pub(super) fn new(before: &str, text: &str, behind: &str) -> Self {
        // What stands escaped in JSON is never found among its bytes: 0xff is in no text.
        let escaped = |b: u8| matches!(b, b'"' | b'\\' | 0..0x20);
        let whole = match text.bytes().any(escaped) {
            true => vec![0xff],
            false => [before, text, behind].concat().into_bytes(),
        };
        let (mut head, mut mask) = ([0; 16], [0; 16]);
        for ((byte, head), mask) in whole.iter().zip(&mut head).zip(&mut mask) {
            (*head, *mask) = (*byte, 0xff);
        }
        Self {
            head: u128::from_le_bytes(head),
            mask: u128::from_le_bytes(mask),
            long: whole.len() > 16,
            text: before.len().min(whole.len())..(before.len() + text.len()).min(whole.len()),
            whole: whole.into_boxed_slice(),
        }
    }

    /// The length of all of it, if the bytes begin with it.
    #[inline(always)]
    pub(super) fn begins(&self, rest: &[u8]) -> Option<usize> {
        let same = match rest.first_chunk::<16>() {
            Some(chunk) => {
                (u128::from_le_bytes(*chunk) ^ self.head) & self.mask == 0
                    && (!self.long || rest.starts_with(&self.whole))
            }
            None => rest.starts_with(&self.whole),
        };
        same.then_some(self.whole.len())
    }

    /// Its first eight bytes.
    pub(super) fn first_bytes(&self) -> u64 {
        #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
        let first = self.head as u64;
        first
    }

    /// The bytes that have to be there.
    pub(super) fn size(&self) -> usize {
        self.whole.len()
    }

    fn text(&self) -> &[u8] {
        self.whole.get(self.text.clone()).unwrap_or_default()
    }
}

/// A hash table of numbers.
#[derive(Debug, Clone, Default)]
struct Table {
    /// The upper half of the hash, and the number.
    places: Vec<(u32, u32)>,
}

impl Table {
    fn new(items: &[(u64, u32)]) -> Self {
        let size = (items.len() * 2).next_power_of_two();
        let mut table = Self {
            places: vec![(0, NONE); size],
        };
        for (hash, item) in items {
            let mut at = *hash as usize;
            while let Some(place) = table.places.get_mut(at & (size - 1)) {
                if place.1 == NONE {
                    *place = ((hash >> 32) as u32, *item);
                    break;
                }
                at += 1;
            }
        }
        table
    }

    fn find(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        let mut at = hash as usize;
        // At least half of the places are free.
        loop {
            let (upper, item) = *self.places.get(at & self.places.len().wrapping_sub(1))?;
            if item == NONE {
                return None;
            }
            if upper == (hash >> 32) as u32 && is(item) {
                return Some(item);
            }
            at += 1;
        }
    }
}

impl Names {
    /// The names of a schema.
    #[must_use]
    pub fn new(schema: &Schema, layout: &Layout) -> Self {
        let mut names = Self::default();
        let of_envelope = [
            ("specversion", Member::Version),
            ("type", Member::Kind),
            ("source", Member::Loose(NONE)),
            ("id", Member::Id),
            ("time", Member::At),
            ("kind", Member::Null),
            ("data_base64", Member::Null),
            ("data", Member::Data),
            ("subject", Member::Loose(NONE)),
            ("datacontenttype", Member::Loose(NONE)),
            ("dataschema", Member::Loose(NONE)),
        ];
        names.envelope = names.node(&numbered(&of_envelope, 0));
        for (kind, laid) in schema.kinds().iter().zip(&layout.kinds) {
            let found = Tree::of(kind, laid).and_then(|tree| names.kind(&tree));
            names.kinds.push(found.unwrap_or(KindNames {
                flat: NONE,
                data: NONE,
                required: 0,
            }));
        }
        names.name_kinds(schema);
        names
    }

    /// An event may give the name of a kind, or the one that it has in JSON.
    fn name_kinds(&mut self, schema: &Schema) {
        let mut hashes = Vec::new();
        let given = |kind: &crate::schema::Kind| [Some(kind.name.clone()), kind.source.clone()];
        let given = schema.kinds().iter().flat_map(given).flatten();
        for (number, name) in (0u32..).zip(given) {
            let kind = schema.kind_named(&name).map_or(NONE, |kind| kind.id.0);
            self.kind_keys.push((Key::new("", &name, "\""), kind));
            hashes.push((hash(name.as_bytes()), number));
        }
        self.kind_table = Table::new(&hashes);
    }

    /// The nodes of a kind; none where it has too many members, or one that cannot be told apart.
    fn kind(&mut self, tree: &Tree) -> Option<KindNames> {
        let mut bit = 16;
        let children = self.children(&tree.root, &mut bit)?;
        let reserved = |list: &[(&'static str, Member)]| {
            let mut members = numbered(list, 12);
            for child in &children {
                if !list.iter().any(|(name, _)| *name == child.0) {
                    members.push(child.clone());
                } else if !matches!(child.2, Member::Loose(_) | Member::Null) {
                    return None;
                }
            }
            Some(members)
        };
        let flat = reserved(&[
            ("kind", Member::Kind),
            ("id", Member::Id),
            ("at", Member::At),
            ("evidence", Member::Evidence),
        ])?;
        let data = reserved(&[("evidence", Member::Evidence)])?;
        Some(KindNames {
            flat: self.node(&flat),
            data: self.node(&data),
            required: tree.required,
        })
    }

    fn children(&mut self, of: &[Child], bit: &mut u8) -> Option<Vec<(String, u8, Member)>> {
        let mut members = Vec::new();
        for child in of {
            *bit = bit.checked_add(1)?;
            let own = *bit;
            let member = match &child.leaf {
                Some(leaf) => {
                    self.leaves.push(leaf.clone());
                    Member::Field(u32::try_from(self.leaves.len() - 1).ok()?)
                }
                None if child.other => Member::Null,
                None => {
                    let inner = self.children(&child.inner, bit)?;
                    let node = self.node(&inner);
                    match child.leads() {
                        true => Member::Way(node),
                        false => Member::Loose(node),
                    }
                }
            };
            members.push((child.name.clone(), own, member));
        }
        Some(members)
    }

    fn node(&mut self, members: &[(String, u8, Member)]) -> u32 {
        let node = u32::try_from(self.nodes.len()).unwrap_or(NONE);
        let first = u32::try_from(self.entries.len()).unwrap_or(NONE);
        let mut hashes = Vec::new();
        for (number, (name, bit, member)) in (first..).zip(members) {
            hashes.push((hash(name.as_bytes()), number));
            self.entries.push(Entry {
                key: Key::new("\"", name, "\":"),
                node,
                bit: *bit,
                member: *member,
            });
        }
        self.nodes.push(Node {
            table: Table::new(&hashes),
            first,
        });
        node
    }

    /// The entry of a name in an object.
    pub(super) fn entry(&self, node: u32, name: &[u8], hash: u64) -> Option<u32> {
        let is = |entry: u32| {
            let entry = self.entries.get(entry as usize);
            entry.is_some_and(|entry| entry.key.text() == name)
        };
        self.nodes.get(node as usize)?.table.find(hash, is)
    }

    /// The kind whose name and closing quote the bytes begin with, and the length of both. `last`
    /// is the most likely one.
    #[inline]
    pub(super) fn kind_at(&self, rest: &[u8], last: &mut u32) -> Option<(u32, usize)> {
        if let Some((key, kind)) = self.kind_keys.get(*last as usize)
            && let Some(length) = key.begins(rest)
        {
            return Some((*kind, length));
        }
        let name = rest.split(|b| *b == b'"').next()?;
        let is = |number: u32| {
            let key = self.kind_keys.get(number as usize);
            key.is_some_and(|(key, _)| key.text() == name)
        };
        let number = self.kind_table.find(hash(name), is)?;
        *last = number;
        let (_, kind) = self.kind_keys.get(number as usize)?;
        (rest.len() > name.len()).then_some((*kind, name.len() + 1))
    }
}

fn numbered(list: &[(&'static str, Member)], from: u8) -> Vec<(String, u8, Member)> {
    let bits = list.iter().zip(from..);
    bits.map(|((name, member), bit)| ((*name).to_owned(), bit, *member))
        .collect()
}

impl Read {
    /// How a value of a type is read into its cell; none where the two do not fit.
    pub(super) fn new(ty: &Type, cell: &Cell) -> Option<Self> {
        let scale = |cell: &Cell| match cell {
            Cell::Scaled { places, exact } => Some(Scale {
                places: *places,
                exact: *exact,
                held: true,
            }),
            Cell::Unheld => Some(Scale {
                places: 0,
                exact: false,
                held: false,
            }),
            _ => None,
        };
        Some(match (ty, cell) {
            (Type::YesNo, Cell::Flag) => Self::Flag,
            (Type::Text { .. }, Cell::Text { folded }) => Self::Text { folded: *folded },
            (Type::Whole(_), Cell::Whole) => Self::Whole,
            (Type::Number(_), cell) => Self::Number(scale(cell)?),
            (Type::Money(currency, _), cell) => {
                let code = currency.as_str().as_bytes().try_into().ok()?;
                Self::Money(scale(cell)?, code)
            }
            (Type::OneOf(_), Cell::Word(words)) => {
                let table = super::words::Table::new(words.list().iter().map(|word| &**word));
                Self::Word(Box::new((table, words.clone())))
            }
            (Type::Timestamp, Cell::Instant) => Self::Instant,
            (Type::Duration, Cell::Span) => Self::Span,
            (Type::List(ty), Cell::List(cell)) => Self::List(Box::new(Self::new(ty, cell)?)),
            _ => return None,
        })
    }
}
