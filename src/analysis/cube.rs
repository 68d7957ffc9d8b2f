//! Sets of events as cubes: for some dimensions which regions, and which fields compare so.
//!
//! In: cubes of one space. Out: what they have in common, what of one is in none of others.
//! Invariant: a cube names no dimension with all of its regions, and none with no region: what is empty is no
//! cube. Whether compared fields have values is asked of the space.

use super::set::Regions;

/// The number of a dimension in its space.
pub(super) type Dim = u32;

/// The number of a comparison of two fields in its space.
pub(super) type Rel = u32;

/// Events that have these regions, and whose fields compare so.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Cube {
    /// By dimension, in order.
    sets: Vec<(Dim, Regions)>,
    /// In order.
    relations: Vec<(Rel, bool)>,
}

/// One thing that a cube asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Literal {
    /// One of these regions.
    In(Dim, Regions),
    /// Both fields are there, and compare so, or do not.
    Compares(Rel, bool),
}

impl Cube {
    /// All events.
    pub(super) fn all() -> Self {
        Self::default()
    }

    /// Those that a literal allows; it is not empty, and not all.
    pub(super) fn of(literal: &Literal) -> Self {
        let mut cube = Self::default();
        match literal {
            Literal::In(dim, set) => cube.sets.push((*dim, set.clone())),
            Literal::Compares(relation, holds) => cube.relations.push((*relation, *holds)),
        }
        cube
    }

    /// What it says of a dimension; nothing where every region will do.
    pub(super) fn regions(&self, dim: Dim) -> Option<&Regions> {
        let at = self.sets.binary_search_by_key(&dim, |(dim, _)| *dim).ok()?;
        self.sets.get(at).map(|(_, set)| set)
    }

    /// The dimensions that it names.
    pub(super) fn dims(&self) -> impl Iterator<Item = Dim> + '_ {
        self.sets.iter().map(|(dim, _)| *dim)
    }

    /// How fields compare.
    pub(super) fn relations(&self) -> &[(Rel, bool)] {
        &self.relations
    }

    /// All that it asks.
    pub(super) fn literals(&self) -> impl Iterator<Item = Literal> + '_ {
        let sets = self.sets.iter();
        let sets = sets.map(|(dim, set)| Literal::In(*dim, set.clone()));
        let relations = self.relations.iter();
        sets.chain(relations.map(|(rel, holds)| Literal::Compares(*rel, *holds)))
    }

    /// The same whatever some dimensions are, and however fields compare.
    pub(super) fn whatever(&self, dims: &[Dim]) -> Self {
        let sets = self.sets.iter().filter(|(dim, _)| !dims.contains(dim));
        Self {
            sets: sets.cloned().collect(),
            relations: Vec::new(),
        }
    }

    /// What it says of some dimensions, and perhaps of how fields compare.
    pub(super) fn of_dims(&self, dims: &[Dim], compares: bool) -> Self {
        let sets = self.sets.iter().filter(|(dim, _)| dims.contains(dim));
        let relations = match compares {
            true => self.relations.clone(),
            false => Vec::new(),
        };
        Self {
            sets: sets.cloned().collect(),
            relations,
        }
    }

    /// What both have; nothing where that is surely empty.
    pub(super) fn and(&self, other: &Self) -> Option<Self> {
        let relations = joined(&self.relations, &other.relations, |a, b| {
            (a == b).then_some(*a)
        })?;
        let sets = joined(&self.sets, &other.sets, |a, b| {
            let both = a.and(b);
            (!both.is_empty()).then_some(both)
        })?;
        Some(Self { sets, relations })
    }

    /// Whether they may have one in common.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let mut theirs = other.sets.iter().peekable();
        for (dim, set) in &self.sets {
            while theirs.next_if(|(other, _)| other < dim).is_some() {}
            if theirs
                .peek()
                .is_some_and(|(other, with)| other == dim && !set.meets(with))
            {
                return false;
            }
        }
        let differs =
            |(relation, holds): &(Rel, bool)| other.relations.contains(&(*relation, !holds));
        !self.relations.iter().any(differs)
    }

    /// Whether each of its events is surely one of the other's.
    pub(super) fn is_in(&self, other: &Self) -> bool {
        let has =
            |(dim, set): &(Dim, Regions)| self.regions(*dim).is_some_and(|own| own.is_in(set));
        other.sets.iter().all(has) && other.relations.iter().all(|it| self.relations.contains(it))
    }

    /// The events of this one that are not of the other, as cubes that have none in common.
    /// `negated` gives what is left of all events by the opposite of a literal.
    pub(super) fn without(
        &self,
        other: &Self,
        negated: impl Fn(&Literal) -> Vec<Literal>,
    ) -> Vec<Self> {
        let mut left = Vec::new();
        let mut inside = self.clone();
        for literal in other.literals() {
            let mut rest = inside.clone();
            for opposite in negated(&literal) {
                let opposite = Self::of(&opposite);
                left.extend(rest.and(&opposite));
                // What comes next is none of these.
                let Some(next) = rest.and(&complement(&opposite, &negated)) else {
                    break;
                };
                rest = next;
            }
            let Some(next) = inside.and(&Self::of(&literal)) else {
                break;
            };
            inside = next;
        }
        left
    }
}

/// All but the events of a cube of one literal that names regions; all events for one that compares fields, which is
/// the last of its opposites.
fn complement(cube: &Cube, negated: &impl Fn(&Literal) -> Vec<Literal>) -> Cube {
    let Some((dim, set)) = cube.sets.first() else {
        return Cube::all();
    };
    let others = negated(&Literal::In(*dim, set.clone()));
    others.first().map_or_else(Cube::all, Cube::of)
}

/// Two lists in the order of their keys as one; nothing where two values of a key do not go together.
fn joined<K: Ord + Copy, V: Clone>(
    ours: &[(K, V)],
    theirs: &[(K, V)],
    both: impl Fn(&V, &V) -> Option<V>,
) -> Option<Vec<(K, V)>> {
    let mut all = Vec::with_capacity(ours.len() + theirs.len());
    let (mut ours, mut theirs) = (ours.iter().peekable(), theirs.iter().peekable());
    loop {
        match (ours.peek(), theirs.peek()) {
            (Some((a, value)), Some((b, other))) if a == b => {
                all.push((*a, both(value, other)?));
                ours.next();
                theirs.next();
            }
            (Some((a, _)), Some((b, _))) if a < b => all.extend(ours.next().cloned()),
            (Some(_), None) => all.extend(ours.next().cloned()),
            (_, Some(_)) => all.extend(theirs.next().cloned()),
            (None, None) => return Some(all),
        }
    }
}
