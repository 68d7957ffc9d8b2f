//! A clause as numbers: bits that rule it out, bounds of columns, and a rest.
//!
//! In: the clauses of lanes and rules. Out: [`Packed`] clauses, not yet filed.
//! Invariant: bits and bounds never rule out a clause that can hold; with its rest they rule out
//! every one that cannot.

use std::cmp::Reverse;

use super::clauses::Way;
use crate::program::clause::{BOUNDS, Traits};
use crate::program::node::{Node, NodeId, Nodes};
use crate::program::test::{Op, Test};
use crate::program::{Entry, Rank};
use crate::slots::{Absent, Bounds, Cell, FieldLayout, KindLayout, Small};

/// A clause with all that it asks.
#[derive(Debug, Clone)]
pub(super) struct Packed {
    pub(super) entry: u32,
    pub(super) rank: Rank,
    pub(super) forbidden: u64,
    /// At most one for each entry of the columns.
    pub(super) bounds: Vec<Bound>,
    /// What neither bits nor bounds say.
    pub(super) rest: Vec<NodeId>,
    pub(super) unknown: u64,
    pub(super) unsure: Rank,
    pub(super) traits: Traits,
    /// All its tests.
    pub(super) tests: Way,
}

/// An entry of the columns that must reach a bound.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    pub(super) column: u8,
    pub(super) least: i64,
    /// The test that asks for it.
    pub(super) node: NodeId,
}

pub(super) struct Pack<'a> {
    layout: &'a KindLayout,
    tests: &'a [Test],
    nodes: &'a Nodes,
    packed: Vec<Packed>,
}

/// What a missing field makes of a test.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Unknown,
    False,
    True,
}

impl<'a> Pack<'a> {
    pub(super) fn new(layout: &'a KindLayout, tests: &'a [Test], nodes: &'a Nodes) -> Self {
        Self {
            layout,
            tests,
            nodes,
            packed: Vec::new(),
        }
    }

    pub(super) fn finish(self) -> Vec<Packed> {
        self.packed
    }

    /// Adds a clause of an entry.
    pub(super) fn add(&mut self, number: u32, entry: &Entry, way: Way) {
        let rank = entry.fired.min(entry.unsure);
        let mut clause = Packed {
            entry: number,
            rank,
            forbidden: 0,
            bounds: Vec::new(),
            rest: Vec::new(),
            unknown: 0,
            unsure: entry.unsure,
            traits: Traits {
                ask: false,
                single: entry.clauses == 1,
                plain: !entry.trial && entry.fired == rank,
            },
            tests: Vec::new(),
        };
        for node in &way {
            match self.nodes.get(*node) {
                Some(Node::Test { test, not }) => match self.tests.get(test as usize) {
                    Some(test) => self.test(&mut clause, *node, test, not),
                    None => clause.rest.push(*node),
                },
                _ => {
                    clause.traits.ask = true;
                    clause.rest.push(*node);
                }
            }
        }
        self.bound_rest(&mut clause);
        clause.rest.sort_by_key(|node| self.cost(*node));
        clause.tests = way;
        self.packed.push(clause);
    }

    fn cost(&self, node: NodeId) -> u32 {
        match self.nodes.get(node) {
            Some(Node::Test { test, .. }) => self.tests.get(test as usize).map_or(0, Test::cost),
            Some(Node::Measure { .. }) => 1,
            _ => 200,
        }
    }

    /// Bounds that do not fit are asked like all else.
    fn bound_rest(&self, clause: &mut Packed) {
        // What lies farthest from what every value reaches is the most likely to rule it out; what
        // bits say as well comes last.
        clause
            .bounds
            .sort_by_key(|bound| (self.is_step(bound), Reverse(self.tightness(bound))));
        let over = clause.bounds.split_off(clause.bounds.len().min(BOUNDS));
        for bound in over {
            if !self.is_step(&bound) && !clause.rest.contains(&bound.node) {
                clause.rest.push(bound.node);
            }
        }
    }

    /// Whether the bits of the field change just at the bound.
    fn is_step(&self, bound: &Bound) -> bool {
        let mut fields = self.layout.fields.iter();
        let field = fields.find(|field| field.column == Some(bound.column / 2));
        let step = match bound.column % 2 {
            0 => Some(bound.least),
            // The first cell above the greatest that passes.
            _ => bound.least.checked_neg(),
        };
        let steps = field.map(|field| &field.steps);
        step.is_some_and(|step| steps.is_some_and(|steps| steps.binary_search(&step).is_ok()))
    }

    /// How few values reach a bound, in thousandths of those that the field's type allows.
    fn tightness(&self, bound: &Bound) -> u32 {
        share_below(self.layout, bound.column, bound.least)
    }

    fn test(&self, clause: &mut Packed, node: NodeId, test: &Test, not: bool) {
        let Some(field) = self.layout.field(test.slot) else {
            clause.rest.push(node);
            return;
        };
        let not = test.not != not;
        if let Op::Present = test.op {
            return self.presence(clause, node, field, not);
        }
        // The opposite of a test that is false where the field is missing is true there.
        let asked_not = not != test.not;
        let missing = match (test.if_present, asked_not) {
            (false, _) => Missing::Unknown,
            (true, false) => Missing::False,
            (true, true) => Missing::True,
        };
        self.note_unknown(clause, field, test, missing);
        let by_bits = Self::bits(clause, field, test, not, missing);
        let in_numbers = self.bounds(clause, node, field, test, not) || by_bits;
        let optional = matches!(field.absent, Absent::Optional { .. });
        // Numbers let what is missing pass; if the test does not, it is asked as well.
        let passes = missing == Missing::False && optional && !says_missing(field);
        if !in_numbers || passes {
            clause.rest.push(node);
        }
    }

    /// Which missing fields leave the clause unsure.
    fn note_unknown(
        &self,
        clause: &mut Packed,
        field: &FieldLayout,
        test: &Test,
        missing: Missing,
    ) {
        if let (Absent::Optional { bit }, Missing::Unknown) = (field.absent, missing) {
            clause.unknown |= bit;
            clause.traits.ask |= shares_bit(bit);
        }
        let (Op::Same { other, .. } | Op::Order(_, other)) = test.op else {
            return;
        };
        if let Some(Absent::Optional { bit }) = self.layout.field(other).map(|f| f.absent) {
            clause.unknown |= bit;
            // With `if present` it is the first field that counts; the trigger knows.
            clause.traits.ask |= shares_bit(bit) || missing != Missing::Unknown;
        }
    }

    fn presence(&self, clause: &mut Packed, node: NodeId, field: &FieldLayout, missing: bool) {
        match field.small.filter(|small| small.missing != 0) {
            Some(small) if missing => clause.forbidden |= small.mask & !small.missing,
            Some(small) => clause.forbidden |= small.missing,
            None => clause.rest.push(node),
        }
    }

    /// Whether bounds say all that the test asks of a value.
    fn bounds(
        &self,
        clause: &mut Packed,
        node: NodeId,
        field: &FieldLayout,
        test: &Test,
        not: bool,
    ) -> bool {
        let Some(column) = field.column else {
            return false;
        };
        let (up, down) = (column * 2, column * 2 + 1);
        let mut reach = |column: u8, least: i64| {
            let known = clause.bounds.iter_mut().find(|b| b.column == column);
            match known {
                Some(bound) if bound.least >= least => {}
                Some(bound) => {
                    *bound = Bound {
                        column,
                        least,
                        node,
                    }
                }
                None => clause.bounds.push(Bound {
                    column,
                    least,
                    node,
                }),
            }
        };
        match (&test.op, not) {
            (Op::AtLeast(least), false) => reach(up, *least),
            (Op::AtMost(most), false) => reach(down, !*most),
            // Not at least is at most one less; `!(n - 1)` is `-n`, without a step out of range.
            (Op::AtLeast(least), true) => match least.checked_sub(1) {
                Some(most) => reach(down, !most),
                None => return false,
            },
            (Op::AtMost(most), true) => match most.checked_add(1) {
                Some(least) => reach(up, least),
                None => return false,
            },
            (Op::Equal(cell), false) => {
                reach(up, *cell);
                reach(down, !*cell);
            }
            // Bits say it all where a field has them.
            (Op::Symbol { symbol, .. }, false) if field.small.is_none() => {
                reach(up, *symbol);
                reach(down, !*symbol);
            }
            (Op::Symbols { symbols, .. }, false) if field.small.is_none() => {
                if let [first, .., last] = **symbols {
                    reach(up, first);
                    reach(down, !last);
                }
                return false;
            }
            _ => return false,
        }
        true
    }

    /// Forbids the bits of values that the test rules out. Whether they say all that it asks: the
    /// bits of an ordered field stand for many values.
    fn bits(
        clause: &mut Packed,
        field: &FieldLayout,
        test: &Test,
        not: bool,
        missing: Missing,
    ) -> bool {
        let Some(small) = field.small else {
            return false;
        };
        let values = small.mask & !small.missing;
        let all = |cells: &[i64]| cells.iter().fold(0, |all, cell| all | small.bit(*cell));
        let exact = field.steps.is_empty();
        let named = match &test.op {
            Op::Symbol { symbol, .. } => small.bit(*symbol),
            Op::Symbols { symbols, .. } => all(symbols),
            Op::Equal(cell) if exact => small.bit(*cell),
            Op::OneOf(cells) if exact => all(cells),
            op => match between(op, not) {
                Some((low, high)) => {
                    clause.forbidden |= values & !steps_between(field, small, low, high);
                    if missing == Missing::False {
                        clause.forbidden |= small.missing;
                    }
                    return false;
                }
                None => return false,
            },
        };
        clause.forbidden |= if not { named & values } else { values & !named };
        if missing == Missing::False {
            clause.forbidden |= small.missing;
        }
        true
    }
}

/// The least and the greatest cell that a comparison lets pass, where it lets pass all between.
fn between(op: &Op, not: bool) -> Option<(i64, i64)> {
    Some(match (op, not) {
        (Op::AtLeast(least), false) => (*least, i64::MAX),
        (Op::AtMost(most), false) => (i64::MIN, *most),
        (Op::AtLeast(least), true) => (i64::MIN, least.checked_sub(1)?),
        (Op::AtMost(most), true) => (most.checked_add(1)?, i64::MAX),
        (Op::Equal(cell), false) => (*cell, *cell),
        _ => return None,
    })
}

/// The bits of an ordered field that a cell between two others can have.
fn steps_between(field: &FieldLayout, small: Small, low: i64, high: i64) -> u64 {
    let step = |cell: i64| field.steps.partition_point(|step| *step <= cell);
    let all = i64::try_from(step(low)).unwrap_or(0)..=i64::try_from(step(high)).unwrap_or(i64::MAX);
    (0..64).filter(|n| all.contains(n)).fold(0, |bits, n| {
        bits | small.bit(n) & small.mask & !small.missing
    })
}

/// Whether the event's set says that the field is missing.
fn says_missing(field: &FieldLayout) -> bool {
    field.small.is_some_and(|small| small.missing != 0)
}

/// The last bit stands for all optional fields that have none of their own.
fn shares_bit(bit: u64) -> bool {
    bit == 1 << 63
}

/// How many of the values that a field's type allows lie below a bound, in thousandths.
pub(super) fn share_below(layout: &KindLayout, column: u8, least: i64) -> u32 {
    let field = layout.fields.iter().find(|f| f.column == Some(column / 2));
    let (low, high) = match field.map(|field| (field.bounds, &field.cell)) {
        Some((Bounds::Within(low, high), _)) => (low, high),
        // One text of very many.
        Some((_, Cell::Text { .. })) => return 999,
        // Nothing is known of the values: a bound lets through one of three.
        _ => return 667,
    };
    let (low, high) = if column.is_multiple_of(2) {
        (low, high)
    } else {
        (!high, !low)
    };
    let width = i128::from(high) - i128::from(low) + 1;
    let below = (i128::from(least) - i128::from(low)).clamp(0, width);
    u32::try_from(below * 1000 / width.max(1)).unwrap_or(667)
}
