//! One event of a cube.
//!
//! In: a cube. Out: a value for each field, or that there is none.
//! Invariant: fields that are compared get values that compare as the cube says, by the reference evaluator.

use std::collections::BTreeMap;

use super::{At, Cube, Dim, Dimension, Rel, Space, measures, other_field};
use crate::clock::Timestamp;
use crate::matrix::{MeasureId, Record};
use crate::reference::answer;
use crate::schema::FieldId;
use crate::value::Value;

/// Tries of values for compared fields, of one cube.
const TRIES: usize = 20_000;

/// An event, by its values.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::analysis) struct Point {
    /// By dimension.
    values: BTreeMap<Dim, Value>,
    pub(in crate::analysis) at: Timestamp,
    /// The amounts that measures are to have, by their dimensions.
    pub(in crate::analysis) wanted: Vec<(Dim, Value)>,
}

impl Point {
    /// Whether a measure is to have another amount than it may have without a history.
    pub(in crate::analysis) fn needs_history(&self) -> bool {
        !self.wanted.is_empty()
    }
}

/// What looking for an event came to.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::analysis) enum Chosen {
    /// There is one.
    Some(Point),
    /// There is none, whatever is tried.
    None,
    /// None was found among those that were tried.
    Unknown,
}

impl Space<'_> {
    /// Whether a cube surely has no event.
    pub(in crate::analysis) fn is_empty(&self, cube: &Cube) -> bool {
        self.against(cube).is_some()
            || !cube.relations().is_empty() && self.compare(cube) == Compared::Never
    }

    /// What of a cube without events says that it has none.
    pub(in crate::analysis) fn bound(&self, cube: &Cube) -> Cube {
        if let Some((less, more)) = self.against(cube) {
            return cube.of_dims(&[less, more], false);
        }
        let only = cube.of_dims(&[], true);
        if self.compare(&only) == Compared::Never {
            return only;
        }
        let fields = cube.relations().iter();
        let fields = fields.filter_map(|(relation, _)| self.fields_of(*relation));
        let fields: Vec<Dim> = fields.flatten().collect();
        cube.of_dims(&fields, true)
    }

    /// Two measures of which a cube says that what counts less is more.
    fn against(&self, cube: &Cube) -> Option<(Dim, Dim)> {
        let mut pairs = self.at_most.iter().copied();
        pairs.find(|(less, more)| {
            let (Some(low), Some(high)) = (cube.regions(*less), cube.regions(*more)) else {
                return false;
            };
            let dims = |dim: Dim| self.dims.get(dim as usize);
            dims(*less)
                .zip(dims(*more))
                .is_some_and(|(less, more)| measures::is_against(less, low, more, high))
        })
    }

    /// An event of a cube.
    pub(in crate::analysis) fn choose(&self, cube: &Cube) -> Chosen {
        if self.against(cube).is_some() {
            return Chosen::None;
        }
        let compared = match self.compare(cube) {
            Compared::Never => return Chosen::None,
            Compared::NotFound => return Chosen::Unknown,
            Compared::So(values) => values,
        };
        if cube.dims().any(|dim| self.is_unshown(cube, dim)) {
            return Chosen::Unknown;
        }
        let mut values = compared;
        let mut at = self.at;
        for (dim, column) in (0..).zip(&self.columns) {
            let value = values
                .get(&dim)
                .cloned()
                .or_else(|| self.plainest(cube, dim));
            if let (FieldId::AT, Some(Value::Timestamp(instant))) = (column.field.id, &value) {
                at = *instant;
            }
            values.extend(value.map(|value| (dim, value)));
        }
        for (dim, column) in (0..).zip(&self.columns) {
            if let Some(list) = self.listed(cube, dim)
                && values.contains_key(&dim)
            {
                values.insert(dim, list);
            }
            // Ages are told from the instant of the event.
            if self.dims.get(dim as usize).is_some_and(|it| it.is_age)
                && column.field.id != FieldId::AT
                && let Some(Value::Timestamp(instant)) = values.get_mut(&dim)
                && let Some(moved) = instant.checked_add_signed(at - self.at)
            {
                *instant = moved;
            }
        }
        Chosen::Some(Point {
            values,
            at,
            wanted: self.wanted(cube),
        })
    }

    /// The least amounts that a cube asks of measures, those that count less first: what counts at least as much has
    /// as much.
    fn wanted(&self, cube: &Cube) -> Vec<(Dim, Value)> {
        let sides = self.sides.iter();
        let mut dims: Vec<Dim> = sides
            .flat_map(|side| side.measures.values().copied())
            .collect();
        dims.sort_unstable();
        dims.dedup();
        let wanted = dims.into_iter().filter_map(|dim| {
            let dimension = self.dims.get(dim as usize)?;
            let region = cube.regions(dim)?.iter().next()?;
            let least = dimension.regions.get(region as usize)?.first()?;
            Some((dim, least.clone()))
        });
        wanted.collect()
    }

    /// Which measure of a matrix a dimension stands for.
    pub(in crate::analysis) fn measure_of(&self, side: At, dim: Dim) -> Option<MeasureId> {
        let mut measures = self.sides.get(side)?.measures.iter();
        measures.find(|(_, its)| **its == dim).map(|(id, _)| *id)
    }

    /// The fields of which a cube asks something.
    pub(in crate::analysis) fn asked(&self, side: At, cube: &Cube) -> Vec<FieldId> {
        let relations = cube.relations().iter();
        let compared = relations.filter_map(|(relation, _)| self.fields_of(*relation));
        let items = self.items.iter();
        let lists = items.filter(|item| cube.regions(item.dim).is_some());
        let dims: Vec<Dim> = cube
            .dims()
            .chain(compared.flatten())
            .chain(lists.map(|item| item.list))
            .collect();
        let ids = (0..)
            .zip(&self.columns)
            .filter(|(dim, _)| dims.contains(dim));
        let ids = ids.flat_map(|(_, column)| &column.ids);
        ids.filter(|(at, _)| *at == side)
            .map(|(_, id)| *id)
            .collect()
    }

    /// The values as one of the matrices has them.
    pub(in crate::analysis) fn record(&self, side: At, point: &Point) -> Option<Record> {
        let its = self.sides.get(side)?;
        let ids = (0..).zip(&self.columns).flat_map(|(dim, column)| {
            let ids = column.ids.iter().filter(|(at, _)| *at == side);
            ids.map(move |(_, id)| (dim, *id))
        });
        let values = ids.filter_map(|(dim, id)| Some((id, point.values.get(&dim)?.clone())));
        Some(Record {
            kind: its.kind.id,
            values: values.collect(),
        })
    }

    /// The plainest value of a dimension that a cube allows; nothing where it has to be missing.
    fn plainest(&self, cube: &Cube, dim: Dim) -> Option<Value> {
        let dimension = self.dims.get(dim as usize)?;
        let region = match cube.regions(dim) {
            Some(allowed) if !allowed.has(dimension.plain) => {
                // One that some value shows, if there is one.
                let mut shown = allowed.iter().filter(|region| dimension.is_shown(*region));
                shown.next().or_else(|| allowed.iter().next())?
            }
            _ => dimension.plain,
        };
        dimension.regions.get(region as usize)?.first().cloned()
    }

    /// Whether no value is known of all regions that a cube leaves to a field.
    fn is_unshown(&self, cube: &Cube, dim: Dim) -> bool {
        let both = self.dims.get(dim as usize).zip(cube.regions(dim));
        both.is_some_and(|(dimension, allowed)| {
            !allowed
                .iter()
                .any(|region| dimension.missing == Some(region) || dimension.is_shown(region))
        })
    }

    /// A list of the items that a cube asks for; nothing where it asks for none of that field.
    fn listed(&self, cube: &Cube, list: Dim) -> Option<Value> {
        let mut is_asked = false;
        let mut items = Vec::new();
        for item in self.items.iter().filter(|item| item.list == list) {
            let asked = cube.regions(item.dim);
            is_asked |= asked.is_some();
            if asked.is_some_and(|asked| asked.has(1)) {
                items.push(item.item.clone());
            }
        }
        is_asked.then_some(Value::List(items))
    }

    /// Values for the fields that a cube compares.
    fn compare(&self, cube: &Cube) -> Compared {
        let relations = cube.relations();
        if relations.is_empty() {
            return Compared::So(BTreeMap::new());
        }
        let mut fields: Vec<Dim> = Vec::new();
        for (relation, _) in relations {
            let Some([one, other]) = self.fields_of(*relation) else {
                return Compared::NotFound;
            };
            for dim in [one, other] {
                if !fields.contains(&dim) {
                    fields.push(dim);
                }
            }
        }
        let mut pools = Vec::new();
        let mut exact = true;
        for dim in &fields {
            let Some(dimension) = self.dims.get(*dim as usize) else {
                return Compared::NotFound;
            };
            exact &= dimension.exact;
            pools.push(self.pool(cube, *dim, dimension));
        }
        let mut search = Search {
            space: self,
            relations,
            fields: &fields,
            pools: &pools,
            tries: 0,
        };
        let mut taken = Vec::new();
        match search.fill(&mut taken) {
            true => {
                let taken = taken.into_iter().cloned();
                Compared::So(fields.iter().copied().zip(taken).collect())
            }
            false if exact && search.tries <= TRIES => Compared::Never,
            false => Compared::NotFound,
        }
    }

    /// The two fields that a comparison compares.
    pub(super) fn fields_of(&self, relation: Rel) -> Option<[Dim; 2]> {
        let owned = self.compared.get(relation as usize)?;
        let other = other_field(&owned.test)?;
        Some([
            self.dim(owned.side, owned.test.field)?,
            self.dim(owned.side, other)?,
        ])
    }

    /// The values that a cube leaves to a field that has to be there.
    fn pool<'d>(&self, cube: &Cube, dim: Dim, dimension: &'d Dimension) -> Vec<&'d Value> {
        let present = dimension.present();
        let allowed = cube
            .regions(dim)
            .map_or_else(|| present.clone(), |set| set.and(&present));
        let regions = allowed
            .iter()
            .filter_map(|region| dimension.regions.get(region as usize));
        regions.flatten().collect()
    }
}

/// What looking for values of compared fields came to.
#[derive(Debug, PartialEq)]
enum Compared {
    So(BTreeMap<Dim, Value>),
    Never,
    NotFound,
}

/// Looks for values one field after the other.
struct Search<'a, 'm> {
    space: &'a Space<'m>,
    relations: &'a [(Rel, bool)],
    fields: &'a [Dim],
    pools: &'a [Vec<&'a Value>],
    tries: usize,
}

impl<'a> Search<'a, '_> {
    fn fill(&mut self, taken: &mut Vec<&'a Value>) -> bool {
        let Some(pool) = self.pools.get(taken.len()) else {
            return true;
        };
        for value in pool {
            self.tries += 1;
            if self.tries > TRIES {
                return false;
            }
            taken.push(value);
            if self.holds(taken) && self.fill(taken) {
                return true;
            }
            taken.pop();
        }
        false
    }

    /// Whether all comparisons are as they should be whose fields have a value.
    fn holds(&self, taken: &[&Value]) -> bool {
        let value = |dim: Dim| {
            let at = self.fields.iter().position(|it| *it == dim)?;
            taken.get(at).copied()
        };
        let space = self.space;
        self.relations.iter().all(|(relation, holds)| {
            let both = space.fields_of(*relation).and_then(|[one, other]| {
                let owned = space.compared.get(*relation as usize)?;
                Some((
                    owned,
                    space.sides.get(owned.side)?,
                    value(one)?,
                    value(other)?,
                ))
            });
            both.is_none_or(|(owned, side, own, other)| {
                let answer = answer(&owned.test, own, side.matrix, side.kind, space.at, |_| {
                    Some(other)
                });
                answer == Some(*holds)
            })
        })
    }
}
