//! The clauses of a trigger: the ways in which it can hold.
//!
//! In: a trigger. Out: its disjunctive normal form, where a part that has too many ways stays one
//! part.
//! Invariant: a trigger is the disjunction of its clauses, in all three values: distribution holds
//! in Kleene's logic, and nothing is simplified away but what comes twice. Work is bounded for each
//! part.

use std::collections::HashMap;
use std::rc::Rc;

use crate::program::node::{Node, NodeId, Nodes};

/// Ways of one trigger that are told apart.
const WAYS: usize = 16;

/// Tests of one way of an inner part.
const LONG: usize = 32;

/// A conjunction of tests and of parts that are asked as a whole.
pub(super) type Way = Vec<NodeId>;

pub(super) struct Clauses<'n> {
    nodes: &'n Nodes,
    /// Of inner parts, which conditions make common.
    known: HashMap<NodeId, Rc<[Way]>>,
}

impl<'n> Clauses<'n> {
    pub(super) fn new(nodes: &'n Nodes) -> Self {
        Self {
            nodes,
            known: HashMap::new(),
        }
    }

    /// The clauses of a trigger; none where it can never hold.
    pub(super) fn of(&mut self, trigger: NodeId) -> Vec<Way> {
        let mut ways = match self.nodes.get(trigger) {
            Some(Node::All(parts)) => self.product(self.nodes.parts(parts)),
            Some(Node::Any(parts)) => {
                let parts = self.nodes.parts(parts);
                self.sum(parts).unwrap_or_else(|| vec![vec![trigger]])
            }
            _ => vec![vec![trigger]],
        };
        let mut kept: Vec<Way> = Vec::with_capacity(ways.len());
        for way in ways.drain(..) {
            if !kept.contains(&way) {
                kept.push(way);
            }
        }
        kept
    }

    /// The ways in which all of several parts hold. Parts with too many ways are left whole.
    fn product(&mut self, parts: &[NodeId]) -> Vec<Way> {
        let is_leaf = |id: &&NodeId| {
            matches!(
                self.nodes.get(**id),
                Some(Node::Test { .. } | Node::Measure { .. })
            )
        };
        let (leaves, blocks): (Vec<&NodeId>, Vec<&NodeId>) = parts.iter().partition(is_leaf);
        let mut ways: Vec<Way> = vec![leaves.into_iter().copied().collect()];
        for block in blocks {
            let inner = self.inner(*block);
            if ways.len() * inner.len() > WAYS {
                ways.iter_mut().for_each(|way| way.push(*block));
                continue;
            }
            let both = |way: &Way, more: &Way| {
                let mut both = way.clone();
                both.extend(more.iter().filter(|id| !way.contains(id)));
                both
            };
            ways = ways
                .iter()
                .flat_map(|way| inner.iter().map(move |more| both(way, more)))
                .collect();
        }
        ways
    }

    /// The ways in which one of several parts holds; nothing where there are too many.
    fn sum(&mut self, parts: &[NodeId]) -> Option<Vec<Way>> {
        let mut ways = Vec::new();
        for part in parts {
            ways.extend(self.inner(*part).iter().cloned());
            if ways.len() > WAYS {
                return None;
            }
        }
        Some(ways)
    }

    /// The ways of an inner part; the part itself where there are too many, or they are too long.
    fn inner(&mut self, id: NodeId) -> Rc<[Way]> {
        let block = match self.nodes.get(id) {
            Some(Node::All(parts)) => Ok(parts),
            Some(Node::Any(parts)) => Err(parts),
            _ => return Rc::from([vec![id]]),
        };
        if let Some(known) = self.known.get(&id) {
            return Rc::clone(known);
        }
        let ways = match block {
            Ok(parts) => Some(self.product(self.nodes.parts(parts))),
            Err(parts) => self.sum(self.nodes.parts(parts)),
        };
        let ways = ways.filter(|ways| ways.iter().all(|way| way.len() <= LONG));
        let ways: Rc<[Way]> = match ways {
            Some(ways) => ways.into(),
            None => Rc::from([vec![id]]),
        };
        self.known.insert(id, Rc::clone(&ways));
        ways
    }
}
