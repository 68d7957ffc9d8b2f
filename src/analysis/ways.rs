//! The ways in which something holds, as cubes; and what is in none of several cubes.
//!
//! In: a node of a space. Out: cubes whose union it is, or that there are too many; an event outside of cubes, or that
//! there is none.
//! Invariant: work is bounded by a budget of steps, and what was not finished says so.

use std::cell::Cell;

use super::cube::Cube;
use super::space::{Chosen, Node, Point, Space};

/// How much may still be done for a question.
pub(super) struct Budget<'o> {
    steps: Cell<u64>,
    /// Whether whoever asks has waited long enough.
    is_over: &'o dyn Fn() -> bool,
}

/// Between two looks at whether time is up.
const LOOK: u64 = 256;

impl<'o> Budget<'o> {
    pub(super) fn new(is_over: &'o dyn Fn() -> bool) -> Self {
        Self {
            steps: Cell::new(0),
            is_over,
        }
    }

    /// Takes a step, unless all are taken.
    pub(super) fn step(&self) -> Result<(), Exhausted> {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        match steps.is_multiple_of(LOOK) && (self.is_over)() {
            true => Err(Exhausted),
            false => Ok(()),
        }
    }
}

/// A question was not finished within its budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exhausted;

/// Ways of one trigger; with more it is not taken apart.
const WAYS: usize = 4_096;

/// The cubes of a node.
pub(super) fn ways(
    space: &Space<'_>,
    node: &Node,
    budget: &Budget<'_>,
) -> Result<Vec<Cube>, Exhausted> {
    let all = taken_apart(node, budget)?;
    Ok(all
        .into_iter()
        .filter(|cube| !space.is_empty(cube))
        .collect())
}

fn taken_apart(node: &Node, budget: &Budget<'_>) -> Result<Vec<Cube>, Exhausted> {
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
                let ways = taken_apart(part, budget)?;
                let mut next = Vec::new();
                for cube in &all {
                    for way in &ways {
                        if let Some(both) = cube.and(way) {
                            add(&mut next, both, budget)?;
                        }
                    }
                }
                all = next;
            }
            Ok(all)
        }
    }
}

/// Adds a cube, unless it is part of another.
fn add(all: &mut Vec<Cube>, cube: Cube, budget: &Budget<'_>) -> Result<(), Exhausted> {
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

/// What looking for an event outside of cubes came to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outside {
    /// This one is.
    Some(Point),
    /// None is.
    None,
    /// None was found, and it is not known whether there is one.
    Unknown,
}

/// An event of one cube that is in none of the others, and that `takes` takes.
pub(super) fn outside(
    space: &Space<'_>,
    cube: &Cube,
    others: &[Cube],
    takes: &dyn Fn(&Point) -> bool,
    budget: &Budget<'_>,
) -> Outside {
    let mut unsure = false;
    let found = look(space, cube, others, takes, budget, &mut unsure);
    match found {
        Ok(Some(point)) => Outside::Some(point),
        Ok(None) if !unsure => Outside::None,
        _ => Outside::Unknown,
    }
}

fn look(
    space: &Space<'_>,
    cube: &Cube,
    others: &[Cube],
    takes: &dyn Fn(&Point) -> bool,
    budget: &Budget<'_>,
    unsure: &mut bool,
) -> Result<Option<Point>, Exhausted> {
    budget.step()?;
    let first = others.iter().position(|other| cube.meets(other));
    let Some((first, other)) = first.and_then(|first| Some((first, others.get(first)?))) else {
        return Ok(match space.choose(cube) {
            Chosen::Some(point) if takes(&point) => Some(point),
            Chosen::None => None,
            Chosen::Some(_) | Chosen::Unknown => {
                *unsure = true;
                None
            }
        });
    };
    let rest = others.get(first + 1..).unwrap_or_default();
    for piece in space.without(cube, other) {
        if let Some(point) = look(space, &piece, rest, takes, budget, unsure)? {
            return Ok(Some(point));
        }
    }
    Ok(None)
}
