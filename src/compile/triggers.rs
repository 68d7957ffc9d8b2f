//! Triggers as expressions over the tests of a kind, each part once.
//!
//! In: the triggers of lanes and rules. Out: [`Nodes`] in negation normal form, the tests in them.
//! Invariant: the three values of an expression stay what they are; work grows with the text of the
//! matrix, also where conditions that name conditions double.

use std::collections::HashMap;
use std::sync::Arc;

use super::tests_of;
use crate::matrix::{
    self, ConditionId, Expr, ExprKind, Lane, Matrix, MeasureFunction, MeasureId, MeasureTest, Rule,
};
use crate::program::gauge::{Ask, Function, Gauge};
use crate::program::node::{Node, NodeId, Nodes, Parts};
use crate::program::test::Test;
use crate::schema::{FieldId, Kind};
use crate::slots::{Cell, KindLayout};

/// Parts of a part that are taken over instead of the part, so that triggers stay flat.
const FLAT: usize = 32;

/// All triggers of a kind.
pub(super) struct Made {
    pub(super) nodes: Nodes,
    pub(super) tests: Vec<Test>,
    pub(super) measure_tests: Vec<Arc<MeasureTest>>,
    pub(super) gauges: Vec<Gauge>,
    /// Why they cannot be compiled, if so.
    pub(super) trouble: Option<String>,
}

pub(super) struct Triggers<'m> {
    matrix: &'m Matrix,
    kind: &'m Kind,
    layout: &'m KindLayout,
    made: Made,
    /// The same words mean the same test within a kind.
    tests: HashMap<(&'m str, bool), u32>,
    measures: HashMap<&'m str, u32>,
    conditions: HashMap<(ConditionId, bool), NodeId>,
    leaves: HashMap<Node, NodeId>,
    blocks: HashMap<(Block, Box<[NodeId]>), NodeId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Block {
    All,
    Any,
    AtLeast(u32),
}

impl<'m> Triggers<'m> {
    pub(super) fn new(matrix: &'m Matrix, kind: &'m Kind, layout: &'m KindLayout) -> Self {
        Self {
            matrix,
            kind,
            layout,
            made: Made {
                nodes: Nodes::default(),
                tests: Vec::new(),
                measure_tests: Vec::new(),
                gauges: Vec::new(),
                trouble: None,
            },
            tests: HashMap::new(),
            measures: HashMap::new(),
            conditions: HashMap::new(),
            leaves: HashMap::new(),
            blocks: HashMap::new(),
        }
    }

    /// `when and not unless`
    pub(super) fn lane(&mut self, lane: &'m Lane) -> NodeId {
        let when = self.expr(&lane.when, false);
        let unless = lane.unless.as_ref().map(|unless| self.expr(unless, true));
        match unless {
            None => when,
            Some(unless) => self.block(Block::All, vec![when, unless]),
        }
    }

    pub(super) fn rule(&mut self, rule: &'m Rule) -> NodeId {
        self.expr(&rule.when, false)
    }

    pub(super) fn finish(mut self) -> Made {
        self.made.gauges = self.gauges();
        self.made.nodes.nodes.shrink_to_fit();
        self.made.nodes.parts.shrink_to_fit();
        self.made.tests.shrink_to_fit();
        self.made
    }

    /// What measures have to do with events of the kind: those that count them, and those that their
    /// triggers ask for.
    fn gauges(&mut self) -> Vec<Gauge> {
        let ids = (0u32..).map(MeasureId);
        let matrix = self.matrix;
        let measures = ids.zip(&matrix.measures);
        let mut gauges = Vec::new();
        // Those of one window stand together, in the order of the first.
        let mut firsts = HashMap::new();
        for (id, measure) in measures.clone() {
            firsts.entry(measure.window_words()).or_insert(id);
        }
        let mut asked: HashMap<MeasureId, Vec<u32>> = HashMap::new();
        for (number, test) in (0u32..).zip(&self.made.measure_tests) {
            asked.entry(test.measure).or_default().push(number);
        }
        let mut measures: Vec<_> = measures.collect();
        measures.sort_by_key(|(_, measure)| firsts.get(measure.window_words()).copied());
        for (id, measure) in measures {
            let counts = measure.kind == self.kind.id;
            let asks = asked.remove(&id).unwrap_or_default();
            if !counts && asks.is_empty() {
                continue;
            }
            let filter = measure.filter.as_ref().filter(|_| counts);
            let filter = filter.map(|filter| self.expr(filter, false));
            let quantity = match measure.function {
                MeasureFunction::Count => None,
                MeasureFunction::Sum(field) | MeasureFunction::Distinct(field) => Some(field),
            };
            let slot = |field: &FieldId| {
                let slot = self.kind.slot(*field)?;
                u16::try_from(slot).ok()
            };
            let by: Option<Box<[u16]>> = measure.by.iter().map(slot).collect();
            let quantity_slot = quantity.as_ref().and_then(slot);
            let (Some(by), true) = (by, quantity.is_some() == quantity_slot.is_some()) else {
                // No matrix that checks has such a measure.
                self.trouble("a measure of a field that is not there");
                continue;
            };
            let places = quantity_slot.and_then(|slot| self.layout.field(slot));
            let places = match places.map(|field| &field.cell) {
                Some(Cell::Scaled { places, .. }) => *places,
                _ => 0,
            };
            gauges.push(Gauge {
                measure: id,
                function: Function::of(measure),
                window: firsts.get(measure.window_words()).copied().unwrap_or(id),
                counts,
                filter,
                by,
                quantity: quantity_slot,
                asks: asks
                    .iter()
                    .filter_map(|number| {
                        let test = self.made.measure_tests.get(*number as usize)?;
                        Some(Ask::new(*number, test.op, test.threshold.clone(), places))
                    })
                    .collect(),
            });
        }
        gauges
    }

    /// An expression, or its opposite.
    fn expr(&mut self, expr: &'m Expr, not: bool) -> NodeId {
        match &expr.kind {
            ExprKind::All(parts) => {
                self.many(if not { Block::Any } else { Block::All }, parts, not)
            }
            ExprKind::Any(parts) => {
                self.many(if not { Block::All } else { Block::Any }, parts, not)
            }
            // None of them is: all of their opposites are.
            ExprKind::None(parts) => {
                self.many(if not { Block::Any } else { Block::All }, parts, !not)
            }
            ExprKind::AtLeast(wanted, parts) => {
                let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
                let wanted = match not {
                    false => *wanted,
                    // Fewer than so many are: more than the rest are not.
                    true => (count + 1).saturating_sub(*wanted),
                };
                self.many(Block::AtLeast(wanted), parts, not)
            }
            ExprKind::Not(inner) => self.expr(inner, !not),
            ExprKind::Condition(id) => self.condition(*id, not),
            ExprKind::Test(test) => self.test(test, not),
            ExprKind::Measure(test) => self.measure(test, not),
        }
    }

    fn condition(&mut self, id: ConditionId, not: bool) -> NodeId {
        if let Some(node) = self.conditions.get(&(id, not)) {
            return *node;
        }
        let node = match self.matrix.condition(id) {
            Some(condition) => self.expr(&condition.expr, not),
            // No matrix that checks has such an id.
            None => {
                self.trouble("a condition that is not there");
                self.block(Block::Any, Vec::new())
            }
        };
        self.conditions.insert((id, not), node);
        node
    }

    fn many(&mut self, block: Block, parts: &'m [Expr], not: bool) -> NodeId {
        let parts = parts.iter().map(|part| self.expr(part, not)).collect();
        self.block(block, parts)
    }

    fn test(&mut self, test: &'m Arc<matrix::Test>, not: bool) -> NodeId {
        let key = (test.text.as_str(), test.if_present);
        let number = match self.tests.get(&key) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.made.tests.len()).unwrap_or(u32::MAX);
                match tests_of::test(test, self.kind, self.layout) {
                    Some(test) => self.made.tests.push(test),
                    None => self.trouble(&format!("`{}` asks what no cell can hold", test.text)),
                }
                self.tests.insert(key, number);
                number
            }
        };
        self.leaf(Node::Test { test: number, not })
    }

    fn measure(&mut self, test: &'m Arc<MeasureTest>, not: bool) -> NodeId {
        let number = match self.measures.get(test.text.as_str()) {
            Some(number) => *number,
            None => {
                let made = &mut self.made;
                let number = u32::try_from(made.measure_tests.len()).unwrap_or(u32::MAX);
                made.measure_tests.push(Arc::clone(test));
                self.measures.insert(&test.text, number);
                number
            }
        };
        self.leaf(Node::Measure { test: number, not })
    }

    fn trouble(&mut self, what: &str) {
        self.made.trouble.get_or_insert_with(|| what.to_owned());
    }

    fn leaf(&mut self, node: Node) -> NodeId {
        if let Some(id) = self.leaves.get(&node) {
            return *id;
        }
        let id = self.push(node);
        self.leaves.insert(node, id);
        id
    }

    fn push(&mut self, node: Node) -> NodeId {
        let nodes = &mut self.made.nodes;
        let id = NodeId(u32::try_from(nodes.nodes.len()).unwrap_or(u32::MAX));
        nodes.nodes.push(node);
        nodes.shared.push(false);
        id
    }

    fn block(&mut self, block: Block, parts: Vec<NodeId>) -> NodeId {
        let parts = match block {
            // Counted as often as they stand there.
            Block::AtLeast(_) => parts,
            Block::All | Block::Any => self.flat(block, &parts),
        };
        if let ([only], Block::All | Block::Any) = (parts.as_slice(), block) {
            return *only;
        }
        let key = (block, parts.into_boxed_slice());
        if let Some(id) = self.blocks.get(&key) {
            let id = *id;
            if let Some(shared) = self.made.nodes.shared.get_mut(id.0 as usize) {
                *shared = true;
            }
            return id;
        }
        let all = &mut self.made.nodes.parts;
        let range = Parts {
            start: u32::try_from(all.len()).unwrap_or(u32::MAX),
            count: u32::try_from(key.1.len()).unwrap_or(u32::MAX),
        };
        all.extend_from_slice(&key.1);
        let id = self.push(match block {
            Block::All => Node::All(range),
            Block::Any => Node::Any(range),
            Block::AtLeast(wanted) => Node::AtLeast(wanted, range),
        });
        self.blocks.insert(key, id);
        id
    }

    /// The parts, each once, with those of inner blocks of the same sort in their place.
    fn flat(&self, block: Block, parts: &[NodeId]) -> Vec<NodeId> {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            let inner = match (self.made.nodes.get(*part), block) {
                (Some(Node::All(inner)), Block::All) | (Some(Node::Any(inner)), Block::Any) => {
                    Some(self.made.nodes.parts(inner))
                }
                _ => None,
            };
            match inner.filter(|inner| inner.len() <= FLAT) {
                Some(inner) => flat.extend_from_slice(inner),
                None => flat.push(*part),
            }
        }
        // PERF: most blocks are short, and looking is quicker than hashing there.
        if flat.len() <= 16 {
            let mut kept: Vec<NodeId> = Vec::with_capacity(flat.len());
            for part in flat {
                if !kept.contains(&part) {
                    kept.push(part);
                }
            }
            return kept;
        }
        let mut seen = std::collections::HashSet::with_capacity(flat.len());
        flat.retain(|part| seen.insert(*part));
        flat
    }
}
