//! The members of a kind as a tree: where its fields lie, and where else they might.
//!
//! In: a kind and its layout. Out: a [`Tree`].
//! Invariant: every place whose names, joined by dots, are those of a field is in the tree.
//! The slow reader asks for the same in `event/near.rs`.

use std::sync::Arc;

use super::names::{Leaf, MEMBERS, Read};
use crate::schema::{FieldId, Kind};
use crate::slots::{Absent, KindLayout};

/// Names of a field's place, split at each dot, of which all other places are made: each one more
/// makes twice as many.
const SEGMENTS: usize = 8;

/// The members of a kind.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) root: Vec<Child>,
    /// How many of its fields an event has to give; `at` has the instant of receipt.
    pub(super) required: u32,
}

/// A member.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) name: String,
    /// The field at this place.
    pub(super) leaf: Option<Leaf>,
    /// Whether this is another place of a field.
    pub(super) other: bool,
    pub(super) inner: Vec<Child>,
}

impl Child {
    /// Whether a field lies in it.
    pub(super) fn leads(&self) -> bool {
        let field = |child: &Self| child.leaf.is_some() || child.leads();
        self.inner.iter().any(field)
    }
}

impl Tree {
    /// Of a kind; none where it is too large for the quick reader.
    pub(super) fn of(kind: &Kind, laid: &KindLayout) -> Option<Self> {
        if kind.fields.len() > MEMBERS || kind.fields.len() != laid.fields.len() {
            return None;
        }
        let mut tree = Self {
            root: Vec::new(),
            required: 0,
        };
        let fields = || {
            let all = kind.fields.iter().enumerate().zip(&laid.fields);
            all.filter(|((_, field), _)| field.id != FieldId::AT)
        };
        for ((slot, field), layout) in fields() {
            let required = layout.absent == Absent::Required;
            let names: Vec<&str> = field.json.iter().map(|name| &**name).collect();
            let place = tree.place(&names)?;
            place.leaf = Some(Leaf {
                slot,
                required,
                closed: false,
                read: Read::new(&field.ty, &layout.cell)?,
                bounds: layout.bounds,
            });
            tree.required += u32::from(required);
        }
        for ((_, field), _) in fields() {
            tree.others(&field.json)?;
        }
        close(&mut tree.root);
        Some(tree)
    }

    /// The member at a place, made if it is new.
    fn place(&mut self, names: &[&str]) -> Option<&mut Child> {
        let (first, rest) = names.split_first()?;
        let mut child = entry(&mut self.root, first)?;
        for name in rest {
            child = entry(&mut child.inner, name)?;
        }
        Some(child)
    }

    /// Marks the other places of a field.
    fn others(&mut self, json: &[Arc<str>]) -> Option<()> {
        let joined = json.join(".");
        let segments: Vec<&str> = joined.split('.').collect();
        if segments.len() > SEGMENTS {
            return None;
        }
        // One bit for each dot: whether it parts two names.
        for parted in 0..1usize << (segments.len() - 1) {
            let mut names: Vec<String> = Vec::new();
            for (n, segment) in segments.iter().enumerate() {
                match names.last_mut() {
                    Some(last) if parted >> (n - 1) & 1 == 0 => {
                        last.push('.');
                        last.push_str(segment);
                    }
                    _ => names.push((*segment).to_owned()),
                }
            }
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let place = self.place(&names)?;
            if place.leaf.is_none() {
                place.other = true;
            }
        }
        Some(())
    }
}

fn entry<'c>(children: &'c mut Vec<Child>, name: &str) -> Option<&'c mut Child> {
    let known = children.iter().position(|child| child.name == name);
    let at = known.unwrap_or(children.len());
    if known.is_none() {
        children.push(Child {
            name: name.to_owned(),
            leaf: None,
            other: false,
            inner: Vec::new(),
        });
    }
    children.get_mut(at)
}

/// What lies in a field is the field's.
fn close(children: &mut [Child]) {
    for child in children {
        if let Some(leaf) = &mut child.leaf {
            leaf.closed = !child.inner.is_empty();
        }
        close(&mut child.inner);
    }
}
