//! The events of one kind, as far as tests can tell them apart.
//!
//! In: a kind of a matrix, or of two matrices that both have it. Out: dimensions, one for each field and each measure, cut into regions whose values no
//! test tells apart; what a test says, as literals over them; an event of a cube.
//! Invariant: what every test of the matrix answers is the same for all values of a region, because the reference
//! evaluator was asked; where a dimension is exact, each combination of answers that any value has is one of its
//! regions.
//! Must not know what is asked about a matrix.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::calendar::example_instant;
use crate::clock::Timestamp;
use crate::matrix::{Expr, ExprKind, Matrix, MeasureId, MeasureTest, Test, TestOp};
use crate::reference::answer;
use crate::schema::{Field, FieldId, Kind};
use crate::value::Value;

use super::cube::{Cube, Dim, Literal, Rel};
use super::set::Regions;

mod choose;
mod exact;
mod found;
mod list;
mod node;
mod ordered;
mod text;
mod time;
mod values;
mod words;

pub(super) use choose::{Chosen, Point};
use found::{Found, triggers};
pub(super) use node::{Node, Rails};

/// What tests can tell apart of a field or a measure.
#[derive(Debug)]
pub(super) struct Dimension {
    /// By their numbers, values that all tests answer alike; those of measures stand for amounts.
    regions: Vec<Vec<Value>>,
    /// The region behind all others, where the field can be missing or the measure not be known.
    missing: Option<u32>,
    /// Whether each combination of answers that some value has is there.
    exact: bool,
}

impl Dimension {
    /// How many regions.
    pub(super) fn count(&self) -> u32 {
        let regions = u32::try_from(self.regions.len()).unwrap_or(u32::MAX);
        regions + u32::from(self.missing.is_some())
    }

    fn missing(&self) -> Regions {
        self.missing.map_or_else(Regions::default, Regions::one)
    }

    fn present(&self) -> Regions {
        Regions::first(self.count() - u32::from(self.missing.is_some()))
    }
}

/// Which of the matrices.
pub(super) type At = usize;

/// A test as its kind has it: equal words of one matrix ask the same.
type Key = (At, FieldId, String, bool);

/// The kind of one matrix.
#[derive(Debug, Clone)]
pub(super) struct Side<'m> {
    pub(super) matrix: &'m Matrix,
    pub(super) kind: &'m Kind,
    /// The dimensions of its fields.
    dims: HashMap<FieldId, Dim>,
    measures: HashMap<MeasureId, Dim>,
}

/// A field of one matrix or of both.
#[derive(Debug, Clone)]
struct Column<'m> {
    field: &'m Field,
    /// Its id in each matrix that has it.
    ids: Vec<(At, FieldId)>,
}

/// A test, and whose it is.
#[derive(Debug, Clone)]
struct Owned {
    side: At,
    test: Arc<Test>,
}

/// The events of one kind.
#[derive(Debug)]
pub(super) struct Space<'m> {
    sides: Vec<Side<'m>>,
    columns: Vec<Column<'m>>,
    /// Of the fields in their order, then of the measures.
    dims: Vec<Dimension>,
    tests: HashMap<Key, Rails>,
    /// Every test, and whose it is.
    owned: Vec<Owned>,
    /// Tests that compare two fields.
    compared: Vec<Owned>,
    /// At which an event happens where no test asks.
    at: Timestamp,
}

/// A field that two matrices read differently, so that their events are not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Differs {
    pub(super) path: String,
}

fn key(side: At, test: &Test) -> Key {
    (side, test.field, test.text.clone(), test.if_present)
}

/// The other field of a test that compares two.
fn other_field(test: &Test) -> Option<FieldId> {
    match test.op {
        TestOp::SameAs(other) | TestOp::DiffersFrom(other) | TestOp::CompareField(_, other) => {
            Some(other)
        }
        _ => None,
    }
}

impl<'m> Space<'m> {
    /// The space of a kind of one matrix.
    pub(super) fn new(matrix: &'m Matrix, kind: &'m Kind) -> Self {
        let columns = kind.fields.iter().map(|field| Column {
            field,
            ids: vec![(0, field.id)],
        });
        Self::build(&[(matrix, kind)], columns.collect())
    }

    /// The space of a kind that two matrices have.
    pub(super) fn of_two(
        old: (&'m Matrix, &'m Kind),
        new: (&'m Matrix, &'m Kind),
    ) -> Result<Self, Differs> {
        let mut columns: Vec<Column<'m>> = Vec::new();
        for (side, kind) in [(0, old.1), (1, new.1)] {
            for field in &kind.fields {
                let known = columns
                    .iter_mut()
                    .find(|column| column.field.path == field.path);
                match known {
                    None => columns.push(Column {
                        field,
                        ids: vec![(side, field.id)],
                    }),
                    Some(column) => {
                        let is_same = column.field.ty == field.ty
                            && column.field.presence == field.presence
                            && column.field.json == field.json;
                        if !is_same {
                            let path = field.path.to_string();
                            return Err(Differs { path });
                        }
                        column.ids.push((side, field.id));
                    }
                }
            }
        }
        Ok(Self::build(&[old, new], columns))
    }

    fn build(sides: &[(&'m Matrix, &'m Kind)], columns: Vec<Column<'m>>) -> Self {
        let mut found = Found::default();
        for (side, (matrix, kind)) in sides.iter().enumerate() {
            for expr in triggers(matrix, kind.id) {
                found.look(side, matrix, expr);
            }
        }
        let zone = sides
            .first()
            .map(|(matrix, _)| matrix.zone)
            .unwrap_or_default();
        let mut space = Self {
            sides: sides
                .iter()
                .enumerate()
                .map(|(side, it)| Side::of(side, *it, &columns))
                .collect(),
            columns,
            dims: Vec::new(),
            tests: HashMap::new(),
            owned: found.tests.values().cloned().collect(),
            compared: Vec::new(),
            at: example_instant(zone),
        };
        let all: Vec<&Owned> = found.tests.values().collect();
        let own = |dim: Dim| -> Vec<&Owned> {
            let own = all
                .iter()
                .filter(|it| space.dim(it.side, it.test.field) == Some(dim));
            own.filter(|it| other_field(&it.test).is_none())
                .copied()
                .collect()
        };
        let pairs = all.iter().filter_map(|it| {
            let other = space.dim(it.side, other_field(&it.test)?)?;
            Some((space.dim(it.side, it.test.field)?, other))
        });
        let linked = values::Linked::of(pairs);
        let mut dims = Vec::new();
        for (dim, column) in (0..).zip(&space.columns) {
            // Fields that are compared share the values that tests of any of them tell apart.
            let group = linked.group(dim);
            let around: Vec<&Owned> = group.iter().flat_map(|dim| own(*dim)).collect();
            let mut values = values::of(&space, column.field, &around, group.len());
            values.begin_with(space.of_samples(column));
            dims.push(space.dimension(column.field, &own(dim), values, group.len() > 1));
        }
        space.dims = dims;
        for it in &all {
            let rails = space.rails_of_test(it);
            space.tests.insert(key(it.side, &it.test), rails);
        }
        for tests in found.measures.values() {
            let dim = Dim::try_from(space.dims.len()).unwrap_or(Dim::MAX);
            space.dims.push(values::of_measure(&space, tests));
            for (side, test) in tests {
                if let Some(side) = space.sides.get_mut(*side) {
                    side.measures.insert(test.measure, dim);
                }
            }
        }
        space
    }

    pub(super) fn side(&self, side: At) -> Option<&Side<'m>> {
        self.sides.get(side)
    }

    /// What samples of the kind say of a field: of two values that tests do not tell apart the one that is read
    /// more easily.
    fn of_samples(&self, column: &Column<'_>) -> Vec<Value> {
        let ids = column.ids.iter();
        let found = ids.filter_map(|(side, id)| Some((self.sides.get(*side)?, id)));
        let found = found.flat_map(|(side, id)| {
            let samples = side.matrix.samples.iter();
            let samples = samples.filter(|sample| sample.record.kind == side.kind.id);
            samples.filter_map(|sample| sample.record.values.get(id).cloned())
        });
        found.collect()
    }

    /// Cuts values into regions.
    fn dimension(
        &self,
        field: &Field,
        tests: &[&Owned],
        values: values::Values,
        is_linked: bool,
    ) -> Dimension {
        let mut regions: Vec<Vec<Value>> = Vec::new();
        let mut known: HashMap<Vec<bool>, usize> = HashMap::new();
        for value in values.values {
            let asked = tests.iter();
            let answers: Vec<bool> = asked.map(|test| self.answers(test, &value)).collect();
            let region = *known.entry(answers).or_insert_with(|| {
                regions.push(Vec::new());
                regions.len() - 1
            });
            // Two of a region show that it has more than one; where fields are compared, each may be needed.
            if let Some(region) = regions.get_mut(region)
                && (is_linked || region.len() < 2)
            {
                region.push(value);
            }
        }
        let count = u32::try_from(regions.len()).unwrap_or(u32::MAX);
        Dimension {
            regions,
            missing: field.is_optional().then_some(count),
            exact: values.exact,
        }
    }

    /// What a test of one field says of a value.
    fn answers(&self, owned: &Owned, value: &Value) -> bool {
        let (test, side) = (&owned.test, self.sides.get(owned.side));
        match (&test.op, side) {
            (TestOp::Missing, _) | (_, None) => false,
            (TestOp::Present, _) => true,
            (_, Some(side)) => {
                let answer = answer(test, value, side.matrix, side.kind, self.at, |_| None);
                answer.unwrap_or_default()
            }
        }
    }

    /// When a test is true, and when not false.
    fn rails_of_test(&mut self, owned: &Owned) -> Rails {
        let test = &owned.test;
        let Some(dim) = self.dim(owned.side, test.field) else {
            return Rails::never();
        };
        if other_field(test).is_some() {
            let relation = Rel::try_from(self.compared.len()).unwrap_or(Rel::MAX);
            self.compared.push(owned.clone());
            return self.rails_of_comparison(owned, relation);
        }
        let Some(dimension) = self.dims.get(dim as usize) else {
            return Rails::never();
        };
        let answers = |region: u32| {
            let region = dimension.regions.get(region as usize);
            let value = region.and_then(|values| values.first());
            match (value, &test.op) {
                (Some(value), _) => self.answers(owned, value),
                (None, TestOp::Missing) => true,
                (None, _) => false,
            }
        };
        let yes = Regions::of(dimension.count(), answers);
        let is_known = test.if_present || matches!(test.op, TestOp::Missing | TestOp::Present);
        let maybe = match is_known {
            true => yes.clone(),
            false => yes.or(&dimension.missing()),
        };
        Rails {
            yes: self.inside(dim, yes),
            maybe: self.inside(dim, maybe),
        }
    }

    fn rails_of_comparison(&self, owned: &Owned, relation: Rel) -> Rails {
        let (side, test) = (owned.side, &owned.test);
        let yes = Node::Literal(Literal::Compares(relation, true));
        let mut maybe = vec![yes.clone()];
        if !test.if_present {
            maybe.extend(self.is_missing(side, test.field));
        }
        // The field that is asked about is there; the other one may be missing all the same.
        maybe.extend(other_field(test).and_then(|field| self.is_missing(side, field)));
        Rails {
            yes,
            maybe: Node::any(maybe),
        }
    }

    fn is_missing(&self, side: At, field: FieldId) -> Option<Node> {
        let dim = self.dim(side, field)?;
        let missing = self.dims.get(dim as usize)?.missing?;
        Some(self.inside(dim, Regions::one(missing)))
    }

    pub(super) fn dim(&self, side: At, field: FieldId) -> Option<Dim> {
        self.sides.get(side)?.dims.get(&field).copied()
    }

    /// Regions of a dimension as a node.
    fn inside(&self, dim: Dim, set: Regions) -> Node {
        let count = self.dims.get(dim as usize).map_or(0, Dimension::count);
        if set.is_empty() {
            Node::Is(false)
        } else if set.len() == count {
            Node::Is(true)
        } else {
            Node::Literal(Literal::In(dim, set))
        }
    }

    /// When an expression is surely true, and when it is not surely false.
    pub(super) fn rails(&self, side: At, expr: &Expr) -> Rails {
        let matrix = self.sides.get(side).map(|side| side.matrix);
        match &expr.kind {
            ExprKind::All(parts) => self.joined(side, parts, Node::all),
            ExprKind::Any(parts) => self.joined(side, parts, Node::any),
            ExprKind::None(parts) => self.negated(&self.joined(side, parts, Node::any)),
            ExprKind::AtLeast(least, parts) => {
                self.joined(side, parts, |parts| Node::at_least(*least as usize, &parts))
            }
            ExprKind::Not(inner) => self.negated(&self.rails(side, inner)),
            ExprKind::Condition(id) => match matrix.and_then(|matrix| matrix.condition(*id)) {
                Some(condition) => self.rails(side, &condition.expr),
                None => Rails::never(),
            },
            ExprKind::Test(test) => self
                .tests
                .get(&key(side, test))
                .cloned()
                .unwrap_or_else(Rails::never),
            ExprKind::Measure(test) => self.rails_of_measure(side, test),
        }
    }

    fn rails_of_measure(&self, side: At, test: &MeasureTest) -> Rails {
        let side = self.sides.get(side);
        let dim = side.and_then(|side| side.measures.get(&test.measure).copied());
        let Some((dim, dimension)) = dim.and_then(|dim| Some((dim, self.dims.get(dim as usize)?)))
        else {
            return Rails::never();
        };
        let yes = Regions::of(dimension.count(), |region| {
            let region = dimension.regions.get(region as usize);
            let value = region.and_then(|values| values.first());
            value.is_some_and(|value| values::measures(value, test))
        });
        let maybe = yes.or(&dimension.missing());
        Rails {
            yes: self.inside(dim, yes),
            maybe: self.inside(dim, maybe),
        }
    }

    fn joined(&self, side: At, parts: &[Expr], join: impl Fn(Vec<Node>) -> Node) -> Rails {
        let parts: Vec<Rails> = parts.iter().map(|part| self.rails(side, part)).collect();
        Rails {
            yes: join(parts.iter().map(|part| part.yes.clone()).collect()),
            maybe: join(parts.into_iter().map(|part| part.maybe).collect()),
        }
    }

    /// The opposite of an expression: it is surely true where that is surely false.
    pub(super) fn negated(&self, rails: &Rails) -> Rails {
        Rails {
            yes: self.not(&rails.maybe),
            maybe: self.not(&rails.yes),
        }
    }

    /// All other events.
    pub(super) fn not(&self, node: &Node) -> Node {
        match node {
            Node::Is(is) => Node::Is(!is),
            Node::Literal(literal) => {
                let opposites = self.opposites(literal).into_iter();
                Node::any(opposites.map(Node::Literal).collect())
            }
            Node::All(parts) => Node::any(parts.iter().map(|part| self.not(part)).collect()),
            Node::Any(parts) => Node::all(parts.iter().map(|part| self.not(part)).collect()),
        }
    }

    /// The literals of which each event has one that does not have this one. A comparison comes last.
    pub(super) fn opposites(&self, literal: &Literal) -> Vec<Literal> {
        match literal {
            Literal::In(dim, set) => {
                let count = self.dims.get(*dim as usize).map_or(0, Dimension::count);
                let others = set.not(count);
                let others = (!others.is_empty()).then_some(Literal::In(*dim, others));
                others.into_iter().collect()
            }
            Literal::Compares(relation, holds) => {
                let owned = self.compared.get(*relation as usize).into_iter();
                let fields = owned.flat_map(|it| {
                    let fields = [Some(it.test.field), other_field(&it.test)];
                    fields.into_iter().flatten().map(|field| (it.side, field))
                });
                let missing =
                    fields.filter_map(|(side, field)| match self.is_missing(side, field)? {
                        Node::Literal(literal) => Some(literal),
                        _ => None,
                    });
                let compares = Literal::Compares(*relation, !holds);
                missing.chain([compares]).collect()
            }
        }
    }

    /// The events of a cube that are none of another's.
    pub(super) fn without(&self, cube: &Cube, other: &Cube) -> Vec<Cube> {
        cube.without(other, |literal| self.opposites(literal))
    }

    /// Whether what is impossible in this space is so: each dimension that a cube names is exact.
    pub(super) fn is_exact(&self) -> bool {
        self.dims.iter().all(|dim| dim.exact)
    }
}

impl<'m> Side<'m> {
    fn of(side: At, (matrix, kind): (&'m Matrix, &'m Kind), columns: &[Column<'_>]) -> Self {
        let dims = (0..).zip(columns).flat_map(|(dim, column)| {
            let ids = column.ids.iter().filter(move |(at, _)| *at == side);
            ids.map(move |(_, id)| (*id, dim))
        });
        Self {
            matrix,
            kind,
            dims: dims.collect(),
            measures: HashMap::new(),
        }
    }
}

/// Each value once, in the order in which it came.
fn each_once(values: Vec<Value>) -> Vec<Value> {
    let mut seen = std::collections::HashSet::new();
    values
        .into_iter()
        .filter(|value| seen.insert(value.clone()))
        .collect()
}

/// Dimensions, in their order.
type Dims = BTreeSet<Dim>;
