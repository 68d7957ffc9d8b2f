//! What tests and expressions come to.

use std::collections::{BTreeMap, BTreeSet};

use super::{Dim, Literal, Regions, Rel};

/// What a test or a part of a trigger comes to, where it is more than one literal.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::analysis) enum Node {
    /// No event, or every event.
    Is(bool),
    Literal(Literal),
    All(Vec<Node>),
    Any(Vec<Node>),
}

/// What nodes ask of.
#[derive(Debug, Default)]
pub(in crate::analysis) struct Named {
    pub(in crate::analysis) dims: BTreeSet<Dim>,
    /// Comparisons of two fields.
    pub(in crate::analysis) relations: BTreeSet<Rel>,
}

/// When an expression is surely true, and when it is not surely false.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::analysis) struct Rails {
    pub(in crate::analysis) yes: Node,
    pub(in crate::analysis) maybe: Node,
}

impl Rails {
    /// Of what no event has.
    pub(in crate::analysis) fn never() -> Self {
        Self {
            yes: Node::Is(false),
            maybe: Node::Is(false),
        }
    }
}

impl Node {
    pub(in crate::analysis) fn all(parts: Vec<Self>) -> Self {
        let mut all = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Self::Is(true) => {}
                Self::Is(false) => return Self::Is(false),
                Self::All(inner) => all.extend(inner),
                other => all.push(other),
            }
        }
        match all.len() {
            0 => Self::Is(true),
            1 => all.swap_remove(0),
            _ => Self::All(all),
        }
    }

    /// Regions of one dimension become one literal.
    pub(in crate::analysis) fn any(parts: Vec<Self>) -> Self {
        let mut sets: BTreeMap<Dim, Regions> = BTreeMap::new();
        let mut any = Vec::new();
        let mut parts = parts;
        parts.reverse();
        while let Some(part) = parts.pop() {
            match part {
                Self::Is(false) => {}
                Self::Is(true) => return Self::Is(true),
                Self::Any(inner) => parts.extend(inner.into_iter().rev()),
                Self::Literal(Literal::In(dim, set)) => {
                    let known = sets.entry(dim).or_default();
                    *known = known.or(&set);
                }
                other => any.push(other),
            }
        }
        let sets = sets
            .into_iter()
            .map(|(dim, set)| Self::Literal(Literal::In(dim, set)));
        let mut all: Vec<Self> = sets.collect();
        all.append(&mut any);
        match all.len() {
            0 => Self::Is(false),
            1 => all.swap_remove(0),
            _ => Self::Any(all),
        }
    }

    /// So many of them.
    pub(super) fn at_least(least: usize, parts: &[Self]) -> Self {
        match (least, parts.split_first()) {
            (0, _) => Self::Is(true),
            (_, None) => Self::Is(false),
            (_, Some((first, rest))) if rest.len() + 1 == least => Self::all(
                [first.clone()]
                    .into_iter()
                    .chain(rest.iter().cloned())
                    .collect(),
            ),
            (_, Some((first, rest))) => {
                let with = Self::all(vec![first.clone(), Self::at_least(least - 1, rest)]);
                Self::any(vec![with, Self::at_least(least, rest)])
            }
        }
    }
}
