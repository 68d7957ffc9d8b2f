//! Sets of events as cubes: for some dimensions which regions, and which fields compare so.
//!
//! In: cubes of one space. Out: what they have in common, what of one is in none of others.
//! Invariant: a cube names no dimension with all of its regions, and none with no region: what is empty is no
//! cube. Whether compared fields have values is asked of the space.

use std::ops::ControlFlow;

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
        self.asks_less(other).is_some()
    }

    /// Whether each of its events is surely one of the other's.
    pub(super) fn is_in(&self, other: &Self) -> bool {
        self.asks_less(other) == Some(0)
    }

    /// How many of the things that another one asks this one does not ask already; nothing where they surely have no
    /// event in common.
    pub(super) fn asks_less(&self, other: &Self) -> Option<usize> {
        let mut open = 0;
        let mut ours = self.sets.iter().peekable();
        for (dim, set) in &other.sets {
            while ours.next_if(|(own, _)| own < dim).is_some() {}
            match ours.peek() {
                Some((own, has)) if own == dim => match has.meets(set) {
                    false => return None,
                    true => open += usize::from(!has.is_in(set)),
                },
                _ => open += 1,
            }
        }
        for (relation, holds) in &other.relations {
            let mut own = self.relations.iter();
            match own.find(|(own, _)| own == relation) {
                Some((_, own)) if own != holds => return None,
                Some(_) => {}
                None => open += 1,
            }
        }
        Some(open)
    }

    /// Gives the events of this one that are not of the other, as cubes that have none in common, one after the other
    /// until `visit` ends it.
    pub(super) fn each_without<B>(
        &self,
        other: &Self,
        opposites: &impl Opposites,
        visit: &mut impl FnMut(Self) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let mut inside = self.clone();
        for (dim, set) in &other.sets {
            let left = match inside.regions(*dim) {
                Some(own) => own.minus(set),
                None => set.not(opposites.count(*dim)),
            };
            if left.is_empty() {
                continue;
            }
            let mut piece = inside.clone();
            piece.narrow(*dim, &left);
            visit(piece)?;
            if !inside.narrow(*dim, set) {
                return ControlFlow::Continue(());
            }
        }
        for (relation, holds) in &other.relations {
            if inside.relations.contains(&(*relation, *holds)) {
                continue;
            }
            let mut rest = inside.clone();
            for (dim, missing) in opposites.missing(*relation) {
                let mut piece = rest.clone();
                if piece.narrow(dim, &missing) {
                    visit(piece)?;
                }
                // What comes next is none of these.
                if !rest.narrow(dim, &missing.not(opposites.count(dim))) {
                    return ControlFlow::Continue(());
                }
            }
            let compares = |holds| Self::of(&Literal::Compares(*relation, holds));
            if let Some(piece) = rest.and(&compares(!holds)) {
                visit(piece)?;
            }
            match inside.and(&compares(*holds)) {
                Some(next) => inside = next,
                None => return ControlFlow::Continue(()),
            }
        }
        ControlFlow::Continue(())
    }

    /// Takes another cube's events away where that leaves one piece: where that asks for one set of regions more.
    /// Whether it was so.
    pub(super) fn narrow_without(&mut self, other: &Self, opposites: &impl Opposites) -> bool {
        let open = other.sets.iter().find_map(|(dim, set)| {
            let own = self.regions(*dim);
            let left = match own {
                Some(own) => own.minus(set),
                None => set.not(opposites.count(*dim)),
            };
            (!left.is_empty()).then_some((*dim, left))
        });
        open.is_some_and(|(dim, left)| self.narrow(dim, &left))
    }

    /// The same, all of them.
    pub(super) fn without(&self, other: &Self, opposites: &impl Opposites) -> Vec<Self> {
        let mut left = Vec::new();
        let _whole: ControlFlow<()> = self.each_without(other, opposites, &mut |piece| {
            left.push(piece);
            ControlFlow::Continue(())
        });
        left
    }

    /// Only these regions of a dimension; whether there is one left.
    fn narrow(&mut self, dim: Dim, set: &Regions) -> bool {
        match self.sets.binary_search_by_key(&dim, |(dim, _)| *dim) {
            Ok(at) => self.sets.get_mut(at).is_some_and(|(_, own)| {
                *own = own.and(set);
                !own.is_empty()
            }),
            Err(at) => {
                self.sets.insert(at, (dim, set.clone()));
                !set.is_empty()
            }
        }
    }
}

/// What is left of all events by the opposite of a literal.
pub(super) trait Opposites {
    /// How many regions a dimension has.
    fn count(&self, dim: Dim) -> u32;

    /// Where a field that is compared is missing, for each that can be.
    fn missing(&self, relation: Rel) -> Vec<(Dim, Regions)>;
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
