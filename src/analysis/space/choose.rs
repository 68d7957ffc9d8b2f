//! One event of a cube.
//!
//! In: a cube. Out: a value for each field, or that there is none.
//! Invariant: fields that are compared get values that compare as the cube says, by the reference evaluator.

use std::collections::BTreeMap;

use super::{Cube, Dim, Dimension, Rel, Space, other_field};
use crate::clock::Timestamp;
use crate::event::Event;
use crate::matrix::Record;
use crate::reference::answer;
use crate::schema::FieldId;
use crate::value::Value;

/// Tries of values for compared fields, of one cube.
const TRIES: usize = 20_000;

/// An event, by its values.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::analysis) struct Point {
    pub(in crate::analysis) record: Record,
    pub(in crate::analysis) at: Timestamp,
    /// Whether a measure is to have another amount than it has without a history.
    pub(in crate::analysis) needs_history: bool,
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
        !cube.relations().is_empty() && self.compare(cube) == Compared::Never
    }

    /// An event of a cube.
    pub(in crate::analysis) fn choose(&self, cube: &Cube) -> Chosen {
        let compared = match self.compare(cube) {
            Compared::Never => return Chosen::None,
            Compared::NotFound => return Chosen::Unknown,
            Compared::So(values) => values,
        };
        let mut values = BTreeMap::new();
        for field in &self.kind.fields {
            let value = match compared.get(&field.id) {
                Some(value) => Some(value.clone()),
                None => self.dim(field.id).and_then(|dim| self.plainest(cube, dim)),
            };
            values.extend(value.map(|value| (field.id, value)));
        }
        let at = match values.get(&FieldId::AT) {
            Some(Value::Timestamp(at)) => *at,
            _ => self.at,
        };
        let needs_history = self
            .measures
            .values()
            .any(|dim| cube.regions(*dim).is_some());
        Chosen::Some(Point {
            record: Record {
                kind: self.kind.id,
                values,
            },
            at,
            needs_history,
        })
    }

    /// The event itself.
    pub(in crate::analysis) fn event(&self, point: &Point) -> Option<Event> {
        let schema = &self.matrix.schema;
        Event::from_record(
            schema,
            point.record.kind,
            &point.record.values,
            point.at,
            None,
        )
        .ok()
    }

    /// The plainest value of a dimension that a cube allows; nothing where it has to be missing.
    fn plainest(&self, cube: &Cube, dim: Dim) -> Option<Value> {
        let dimension = self.dims.get(dim as usize)?;
        let region = match cube.regions(dim) {
            Some(allowed) => allowed.iter().next()?,
            None => 0,
        };
        dimension.regions.get(region as usize)?.first().cloned()
    }

    /// Values for the fields that a cube compares.
    fn compare(&self, cube: &Cube) -> Compared {
        let relations = cube.relations();
        if relations.is_empty() {
            return Compared::So(BTreeMap::new());
        }
        let mut fields: Vec<FieldId> = Vec::new();
        let mut exact = true;
        for (relation, _) in relations {
            let Some(test) = self.compared.get(*relation as usize) else {
                return Compared::NotFound;
            };
            for field in [Some(test.field), other_field(test)].into_iter().flatten() {
                if !fields.contains(&field) {
                    fields.push(field);
                }
            }
        }
        let mut pools = Vec::new();
        for field in &fields {
            let Some(dim) = self.dim(*field) else {
                return Compared::NotFound;
            };
            let Some(dimension) = self.dims.get(dim as usize) else {
                return Compared::NotFound;
            };
            exact &= dimension.exact;
            pools.push(self.pool(cube, dim, dimension));
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
    So(BTreeMap<FieldId, Value>),
    Never,
    NotFound,
}

/// Looks for values one field after the other.
struct Search<'a, 'm> {
    space: &'a Space<'m>,
    relations: &'a [(Rel, bool)],
    fields: &'a [FieldId],
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
        let value = |field: FieldId| {
            let at = self.fields.iter().position(|it| *it == field)?;
            taken.get(at).copied()
        };
        self.relations.iter().all(|(relation, holds)| {
            let test = self.space.compared.get(*relation as usize);
            let both = test.and_then(|test| {
                let (own, _) = (value(test.field)?, value(other_field(test)?)?);
                Some((test, own))
            });
            both.is_none_or(|(test, own)| {
                let space = self.space;
                answer(test, own, space.matrix, space.kind, space.at, value) == Some(*holds)
            })
        })
    }
}
