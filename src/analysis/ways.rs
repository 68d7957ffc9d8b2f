//! Nodes as cubes, and what of cubes is in none of others.
//!
//! In: nodes and cubes of one space. Out: cubes whose union is the node, an event that is in no other cube.
//! Invariant: both stop at a budget and say so; what is said to be empty is so for every event.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::rc::Rc;

use super::cube::Cube;
use super::space::{Chosen, Node, Point, Space};

/// How much may still be done for a question.
pub(super) struct Budget {
    steps: Cell<u64>,
    /// Steps that may be taken, whoever asks.
    most: u64,
    /// Whether whoever asks has waited long enough.
    is_over: Rc<dyn Fn() -> bool>,
}

/// Between two looks at whether time is up.
const LOOK: u64 = 256;

impl Budget {
    pub(super) fn new(is_over: Box<dyn Fn() -> bool>) -> Self {
        Self {
            steps: Cell::new(0),
            most: u64::MAX,
            is_over: Rc::from(is_over),
        }
    }

    /// So many steps of it.
    pub(super) fn part(&self, most: u64) -> Self {
        Self {
            steps: Cell::new(0),
            most,
            is_over: Rc::clone(&self.is_over),
        }
    }

    /// Takes a step, unless all are taken.
    pub(super) fn step(&self) -> Result<(), Exhausted> {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        // At the first one as well: a question that begins too late is none.
        match steps > self.most || steps % LOOK == 1 && (self.is_over)() {
            true => Err(Exhausted),
            false => Ok(()),
        }
    }

    /// What says that time is up.
    pub(super) fn is_over(&self) -> Rc<dyn Fn() -> bool> {
        Rc::clone(&self.is_over)
    }
}

/// A question was not finished within its budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exhausted;

/// Cubes, or that there are too many.
pub(super) type Ways = Result<Vec<Cube>, Exhausted>;

/// Ways of one trigger; with more it is not taken apart.
const WAYS: usize = 4_096;

/// The cubes of a node.
pub(super) fn ways(space: &Space<'_>, node: &Node, budget: &Budget) -> Ways {
    let mut all = taken_apart(node, budget)?;
    all.retain(|cube| !space.is_empty(cube));
    Ok(all)
}

fn taken_apart(node: &Node, budget: &Budget) -> Ways {
    match node {
        Node::Is(false) => Ok(Vec::new()),
        Node::Is(true) => Ok(vec![Cube::all()]),
        Node::Literal(literal) => Ok(vec![Cube::of(literal)]),
        Node::Any(parts) => {
            let mut all = Vec::new();
            for part in parts {
                for cube in taken_apart(part, budget)? {
                    add(&mut all, cube, budget)?;
                }
            }
            Ok(all)
        }
        Node::All(parts) => {
            let mut all = vec![Cube::all()];
            for part in parts {
                all = product(&all, &taken_apart(part, budget)?, budget)?;
            }
            Ok(all)
        }
    }
}

/// What one of the first and one of the second have in common.
pub(super) fn product(ours: &[Cube], theirs: &[Cube], budget: &Budget) -> Ways {
    let mut both = Vec::new();
    for cube in ours {
        for with in theirs {
            if let Some(cube) = cube.and(with) {
                add(&mut both, cube, budget)?;
            }
        }
    }
    Ok(both)
}

/// Adds a cube, unless it is part of another.
fn add(all: &mut Vec<Cube>, cube: Cube, budget: &Budget) -> Result<(), Exhausted> {
    budget.step()?;
    // Few are compared with all; of many that is not worth its while.
    if all.len() < 64 {
        if all.iter().any(|known| cube.is_in(known)) {
            return Ok(());
        }
        all.retain(|known| !known.is_in(&cube));
    }
    all.push(cube);
    match all.len() > WAYS {
        true => Err(Exhausted),
        false => Ok(()),
    }
}

/// What looking for an event came to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outside {
    /// This one is.
    Some(Point),
    /// None is.
    None,
    /// By the tests there is one, and the matcher does not confirm those that were tried.
    Unconfirmed,
    /// It is not known whether there is one.
    Unknown,
}

/// Events that are tried before it is left to what it is.
pub(super) const TRIED: usize = 64;

/// Looks for an event of a cube that is in none of the others, and that `takes` takes.
pub(super) struct Look<'l, 'm> {
    pub(super) space: &'l Space<'m>,
    pub(super) takes: &'l dyn Fn(&Point) -> bool,
    pub(super) budget: &'l Budget,
    /// Events that were tried, and not taken.
    pub(super) refused: usize,
    /// Whether for some cube no event was found, and none excluded.
    pub(super) unsure: bool,
}

impl Look<'_, '_> {
    /// An event of a cube that is in one cube of each of some lists.
    pub(super) fn among(
        &mut self,
        cube: &Cube,
        lists: &[&[Cube]],
        others: &[&Cube],
    ) -> Result<Option<Point>, Exhausted> {
        let Some((list, rest)) = lists.split_first() else {
            return match self.space.is_empty(cube) {
                true => Ok(None),
                false => self.outside(cube, others),
            };
        };
        for with in *list {
            self.budget.step()?;
            if let Some(both) = cube.and(with)
                && let Some(point) = self.among(&both, rest, others)?
            {
                return Ok(Some(point));
            }
        }
        Ok(None)
    }

    pub(super) fn outside(
        &mut self,
        cube: &Cube,
        others: &[&Cube],
    ) -> Result<Option<Point>, Exhausted> {
        self.budget.step()?;
        if self.refused >= TRIED {
            return Ok(None);
        }
        let (space, mut cube) = (self.space, cube.clone());
        let mut near: Vec<&Cube> = Vec::new();
        let mut next = (usize::MAX, 0);
        let mut all = others.to_vec();
        loop {
            let mut has_narrowed = false;
            for other in all {
                match cube.asks_less(other) {
                    None => {}
                    Some(0) => return Ok(None),
                    // One piece is left, and no choice.
                    Some(1) if cube.narrow_without(other, space) => has_narrowed = true,
                    // The one of which least is to be asked.
                    Some(open) => {
                        next = next.min((open, near.len()));
                        near.push(other);
                    }
                }
            }
            if !has_narrowed {
                break;
            }
            // What was looked at before may ask less now.
            self.budget.step()?;
            all = std::mem::take(&mut near);
            next = (usize::MAX, 0);
        }
        if near.is_empty() {
            return Ok(self.tries(&cube));
        }
        let other = near.swap_remove(next.1);
        let came = cube.each_without(
            other,
            space,
            &mut |piece| match self.outside(&piece, &near) {
                Ok(None) => ControlFlow::Continue(()),
                came => ControlFlow::Break(came),
            },
        );
        came.break_value().unwrap_or(Ok(None))
    }

    /// An event of a cube, if it is taken.
    pub(super) fn tries(&mut self, cube: &Cube) -> Option<Point> {
        match self.space.choose(cube) {
            Chosen::Some(point) if (self.takes)(&point) => return Some(point),
            Chosen::Some(_) => self.refused += 1,
            Chosen::None => {}
            Chosen::Unknown => self.unsure = true,
        }
        None
    }
}
