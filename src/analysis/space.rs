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
use crate::matrix::{Expr, Matrix, MeasureId, MeasureTest, Test, TestOp};
use crate::reference::answer;
use crate::schema::{Field, FieldId, Kind};
use crate::value::Value;

use super::cube::{Cube, Dim, Literal, Rel};
use super::set::Regions;

mod adjusted;
mod choose;
mod cut;
mod exact;
mod found;
mod list;
mod measures;
mod node;
mod ordered;
mod rails;
mod text;
mod time;
mod values;
mod words;

pub(super) use adjusted::{Adjust, Asks, Set, Together};
pub(super) use choose::{Chosen, Point};
use found::{Found, triggers};
pub(super) use node::{Named, Node, Rails};

/// What tests can tell apart of a field or a measure.
#[derive(Debug)]
pub(super) struct Dimension {
    /// By their numbers, values that all tests answer alike; those of measures stand for amounts.
    regions: Vec<Vec<Value>>,
    /// The region behind all others, where the field can be missing or the measure not be known.
    missing: Option<u32>,
    /// Whether each combination of answers that some value has is there.
    exact: bool,
    /// The region that is taken where nothing is asked.
    plain: u32,
    /// Whether its values are ages: so far before the instant at which the event happens.
    is_age: bool,
    /// Of a measure, between which amounts each region lies.
    bounds: Vec<measures::Bounds>,
}

impl Dimension {
    /// How many regions.
    pub(super) fn count(&self) -> u32 {
        let regions = u32::try_from(self.regions.len()).unwrap_or(u32::MAX);
        regions + u32::from(self.missing.is_some())
    }

    /// Whether a value of a region is known.
    fn is_shown(&self, region: u32) -> bool {
        let values = self.regions.get(region as usize);
        values.is_some_and(|values| !values.is_empty())
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

/// Whether an item is in the list of a field.
#[derive(Debug, Clone)]
struct Item {
    list: Dim,
    item: Value,
    dim: Dim,
}

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
    /// Of the fields in their order, then of the items that lists are searched for, then of the measures.
    dims: Vec<Dimension>,
    items: Vec<Item>,
    /// Measures that count at most what others count.
    at_most: Vec<(Dim, Dim)>,
    /// When each test is true.
    tests: Vec<Rails>,
    /// The numbers of the tests by where they lie: equal ones of a matrix have one.
    numbers: HashMap<usize, usize>,
    /// Every test, and whose it is, by its number.
    owned: Vec<Owned>,
    /// Tests that compare two fields.
    compared: Vec<Owned>,
    /// The same where an adjust sets one of the fields.
    halves: Vec<adjusted::Half>,
    /// At which an event happens where no test asks.
    at: Timestamp,
}

/// What is otherwise where an expression is read.
#[derive(Clone, Copy)]
pub(super) enum With<'e> {
    /// Nothing.
    AsIs,
    /// This very part, and not one that reads the same, holds always, or never.
    Part { part: &'e Expr, holds: bool },
    /// These fields are set.
    Set(&'e Set<'e>),
}

/// A field that two matrices read differently, so that their events are not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Differs {
    pub(super) path: String,
}

fn key(side: At, test: &Test) -> Key {
    (side, test.field, test.text.clone(), test.if_present)
}

/// Where a test lies, which tells it from every other one as long as its matrix is there.
fn place(test: &Arc<Test>) -> usize {
    Arc::as_ptr(test).addr()
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
        let halves = adjusted::halves(sides, &found);
        for half in &halves {
            found.add(half.side, Arc::clone(&half.test));
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
            items: Vec::new(),
            at_most: Vec::new(),
            tests: vec![Rails::never(); found.tests.len()],
            numbers: std::mem::take(&mut found.numbers),
            owned: found.tests.clone(),
            compared: Vec::new(),
            halves,
            at: example_instant(zone),
        };
        space.cut_fields(&found.tests);
        space.cut_measures(found.measures.values());
        space.at_most = measures::at_most(&space);
        space
    }

    /// Cuts all fields into regions, and notes which of them each test takes.
    fn cut_fields(&mut self, all: &[Owned]) {
        let count = self.columns.len();
        let mut own: Vec<Vec<&Owned>> = vec![Vec::new(); count];
        let mut pairs = Vec::new();
        for it in all {
            let dim = self.dim(it.side, it.test.field);
            let Some((dim, own)) = dim.and_then(|dim| Some((dim, own.get_mut(dim as usize)?)))
            else {
                continue;
            };
            match other_field(&it.test) {
                Some(other) => {
                    pairs.extend(self.dim(it.side, other).map(|other| (dim, other)));
                }
                None => own.push(it),
            }
        }
        let linked = values::Linked::of(pairs.into_iter());
        let mut cuts = Vec::with_capacity(count);
        for (dim, column) in (0..).zip(&self.columns) {
            // Fields that are compared share the values that tests of any of them tell apart.
            let group = linked.group(dim);
            let tests = own.get(dim as usize).map_or(&[][..], Vec::as_slice);
            let around: Vec<&Owned> = match group.len() {
                1 => tests.to_vec(),
                _ => {
                    let own = group.iter().filter_map(|dim| own.get(*dim as usize));
                    own.flatten().copied().collect()
                }
            };
            cuts.push(self.cut_field(column, tests, &around, group.len()));
        }
        let items: Vec<Vec<Value>> = (0..)
            .zip(&self.columns)
            .map(|(dim, column)| {
                let tests = own.get(dim as usize).map_or(&[][..], Vec::as_slice);
                let is_list = matches!(column.field.ty, crate::value::Type::List(_));
                match is_list && linked.group(dim).len() == 1 {
                    true => list::items(tests),
                    false => Vec::new(),
                }
            })
            .collect();
        let mut takes = Vec::with_capacity(count);
        for cut in cuts {
            self.dims.push(cut.dimension);
            takes.push(cut.takes);
        }
        for (list, items) in (0..).zip(items) {
            for item in items {
                let dim = Dim::try_from(self.dims.len()).unwrap_or(Dim::MAX);
                self.dims.push(list::dimension());
                self.items.push(Item { list, item, dim });
            }
        }
        for (dim, (tests, takes)) in (0..).zip(own.iter().zip(takes)) {
            for (it, takes) in tests.iter().zip(takes) {
                let rails = self.rails_of_field(dim, it, takes);
                self.note(&it.test, rails);
            }
        }
        for it in all.iter().filter(|it| other_field(&it.test).is_some()) {
            let relation = Rel::try_from(self.compared.len()).unwrap_or(Rel::MAX);
            self.compared.push(it.clone());
            let rails = self.rails_of_comparison(it, relation);
            self.note(&it.test, rails);
        }
    }

    fn note(&mut self, test: &Arc<Test>, rails: Rails) {
        let number = self.numbers.get(&place(test)).copied();
        if let Some(its) = number.and_then(|number| self.tests.get_mut(number)) {
            *its = rails;
        }
    }

    /// When a test is true; nothing for one of another matrix.
    fn rails_of(&self, test: &Arc<Test>) -> Option<&Rails> {
        self.tests.get(*self.numbers.get(&place(test))?)
    }

    fn cut_field(
        &self,
        column: &Column<'_>,
        tests: &[&Owned],
        around: &[&Owned],
        fields: usize,
    ) -> cut::Cut {
        let field = column.field;
        let of_samples = self.of_samples(column);
        let asked = |test: &Owned, value: &Value| self.answers(test, value);
        let (values, manner) = values::of(self, field, &of_samples, around, fields);
        let manner = match manner {
            _ if !values.exact => cut::Manner::Asked(&asked),
            _ if cut::is_by_order(&field.ty, tests) => cut::Manner::ByOrder(self.at),
            Some(matched) if fields == 1 => cut::Manner::ByName(matched),
            _ => cut::Manner::Asked(&asked),
        };
        let mut cut = cut::cut(field, values, tests, &manner, fields > 1);
        cut.dimension.is_age = field.id != FieldId::AT && time::are_ages(tests, fields);
        cut
    }

    fn cut_measures<'t>(&mut self, all: impl Iterator<Item = &'t Vec<(At, Arc<MeasureTest>)>>) {
        for tests in all {
            let dim = Dim::try_from(self.dims.len()).unwrap_or(Dim::MAX);
            self.dims.push(measures::dimension(self, tests));
            for (side, test) in tests {
                if let Some(side) = self.sides.get_mut(*side) {
                    side.measures.insert(test.measure, dim);
                }
            }
        }
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

    pub(super) fn dim(&self, side: At, field: FieldId) -> Option<Dim> {
        self.sides.get(side)?.dims.get(&field).copied()
    }

    /// The events of a cube that are none of another's.
    pub(super) fn without(&self, cube: &Cube, other: &Cube) -> Vec<Cube> {
        cube.without(other, self)
    }

    /// Whether a dimension shows all that is possible.
    pub(super) fn is_exact(&self, dim: Dim) -> bool {
        self.dims.get(dim as usize).is_some_and(|dim| dim.exact)
    }

    /// How many regions a dimension has.
    pub(super) fn count(&self, dim: Dim) -> u32 {
        self.dims.get(dim as usize).map_or(0, Dimension::count)
    }

    /// Where both fields of a comparison are there.
    pub(super) fn are_there(&self, relation: Rel) -> Node {
        let owned = self.compared.get(relation as usize).into_iter();
        let fields = owned.flat_map(|it| {
            let fields = [Some(it.test.field), other_field(&it.test)];
            let fields = fields.into_iter().flatten();
            fields.filter_map(|field| self.is_missing(it.side, field))
        });
        Node::all(fields.map(|missing| self.not(&missing)).collect())
    }

    /// Adds which dimensions and comparisons a node asks of.
    pub(super) fn add_named(&self, node: &Node, named: &mut Named) {
        match node {
            Node::Is(_) => {}
            Node::Literal(Literal::In(dim, _)) => drop(named.dims.insert(*dim)),
            Node::Literal(Literal::Compares(relation, _)) => {
                named.relations.insert(*relation);
                let fields = self.fields_of(*relation).into_iter();
                named.dims.extend(fields.flatten());
            }
            Node::All(parts) | Node::Any(parts) => {
                for part in parts {
                    self.add_named(part, named);
                }
            }
        }
    }

    /// Whether the dimensions that nodes ask of show all that is possible.
    pub(super) fn shows_all(&self, named: &Named) -> bool {
        named.dims.iter().all(|dim| self.is_exact(*dim))
    }

    /// The dimensions of fields that may be missing.
    pub(super) fn optional(&self) -> impl Iterator<Item = (Dim, &Field, Node)> {
        let columns = (0..).zip(&self.columns);
        columns.filter_map(|(dim, column)| {
            let missing = self.dims.get(dim as usize)?.missing?;
            let missing = self.inside(dim, Regions::one(missing));
            Some((dim, column.field, missing))
        })
    }

    /// The values of a field that is one of a closed set, each with where it is.
    pub(super) fn closed(&self) -> impl Iterator<Item = (&Field, Vec<(Value, Node)>)> {
        let columns = (0..).zip(&self.columns);
        columns.filter_map(|(dim, column)| {
            if !matches!(column.field.ty, crate::value::Type::OneOf(_)) {
                return None;
            }
            let regions = (0..).zip(&self.dims.get(dim as usize)?.regions);
            let values = regions.flat_map(|(region, values)| {
                let node = self.inside(dim, Regions::one(region));
                values
                    .iter()
                    .map(move |value| (value.clone(), node.clone()))
            });
            Some((column.field, values.collect()))
        })
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

#[cfg(test)]
mod tests;
