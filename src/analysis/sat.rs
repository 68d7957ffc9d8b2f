//! Questions about many lanes at once as clauses, for a solver.
//!
//! In: nodes of one space. Out: a model of some and none of others, as a cube; or that there is none.
//! Invariant: a model is one of the nodes' literals; whether fields can compare so, and measures be so many, is asked
//! of the space, and what is impossible becomes a clause (a lemma).
//!
//! A dimension of `n` regions has a variable for each `is at most the k-th` that some literal needs, in the order of
//! the regions (an order encoding, which a range of regions needs two of); a comparison has one for whether it holds.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use batsat::{Callbacks, Lit, Solver, SolverInterface as _, SolverOpts, lbool};

use super::cube::{Cube, Dim, Literal, Rel};
use super::set::Regions;
use super::space::{Named, Node, Space};
use super::ways::{Budget, Exhausted};

/// Asks now and then whether time is up.
#[derive(Default)]
struct Stop {
    is_over: Option<Rc<dyn Fn() -> bool>>,
    asked: Cell<u32>,
}

/// Between two looks at whether time is up.
const LOOK: u32 = 64;

impl Callbacks for Stop {
    fn stop(&self) -> bool {
        let asked = self.asked.get().wrapping_add(1);
        self.asked.set(asked);
        asked.is_multiple_of(LOOK) && self.is_over.as_ref().is_some_and(|is_over| is_over())
    }
}

/// The clauses of one space.
pub(super) struct Sat {
    solver: Solver<Stop>,
    /// By dimension: `is at most the k-th`.
    at_most: HashMap<Dim, BTreeMap<u32, Lit>>,
    literals: HashMap<Literal, Lit>,
    /// Whether a comparison holds, and whether both fields are there and it does not.
    relations: HashMap<Rel, [Lit; 2]>,
    /// Always true.
    truth: Lit,
}

impl Sat {
    pub(super) fn new() -> Self {
        let mut solver = Solver::new(SolverOpts::default(), Stop::default());
        let truth = Lit::new(solver.new_var_default(), true);
        solver.add_clause_reuse(&mut vec![truth]);
        Self {
            solver,
            at_most: HashMap::new(),
            literals: HashMap::new(),
            relations: HashMap::new(),
            truth,
        }
    }

    fn fresh(&mut self) -> Lit {
        Lit::new(self.solver.new_var_default(), true)
    }

    /// At least one of them.
    pub(super) fn clause(&mut self, mut lits: Vec<Lit>) {
        self.solver.add_clause_reuse(&mut lits);
    }

    /// A literal that is true exactly for the events of a node.
    pub(super) fn node(&mut self, space: &Space<'_>, node: &Node) -> Lit {
        match node {
            Node::Is(true) => self.truth,
            Node::Is(false) => !self.truth,
            Node::Literal(literal) => self.literal(space, literal),
            Node::All(parts) => {
                let parts: Vec<Lit> = parts.iter().map(|part| self.node(space, part)).collect();
                self.all(&parts)
            }
            Node::Any(parts) => {
                let parts: Vec<Lit> = parts.iter().map(|part| !self.node(space, part)).collect();
                !self.all(&parts)
            }
        }
    }

    /// True exactly where all of them are.
    fn all(&mut self, parts: &[Lit]) -> Lit {
        match parts {
            [] => self.truth,
            [one] => *one,
            _ => {
                let all = self.fresh();
                for part in parts {
                    self.clause(vec![!all, *part]);
                }
                let mut back: Vec<Lit> = parts.iter().map(|part| !*part).collect();
                back.push(all);
                self.clause(back);
                all
            }
        }
    }

    fn literal(&mut self, space: &Space<'_>, literal: &Literal) -> Lit {
        if let Some(known) = self.literals.get(literal) {
            return *known;
        }
        let lit = match literal {
            Literal::In(dim, set) => {
                let count = space.count(*dim);
                let ranges: Vec<Lit> = set
                    .ranges()
                    .map(|range| {
                        let ends = self.ends(*dim, range, count);
                        !self.all(&ends)
                    })
                    .collect();
                !self.all(&ranges)
            }
            Literal::Compares(relation, holds) => {
                let [compares, differs] = self.relation(space, *relation);
                if *holds { compares } else { differs }
            }
        };
        self.literals.insert(literal.clone(), lit);
        lit
    }

    /// What is true exactly in a range of regions.
    fn ends(&mut self, dim: Dim, (from, to): (u32, u32), count: u32) -> Vec<Lit> {
        let mut ends = Vec::with_capacity(2);
        if let Some(before) = from.checked_sub(1) {
            ends.push(!self.is_at_most(dim, before));
        }
        if to + 1 < count {
            ends.push(self.is_at_most(dim, to));
        }
        ends
    }

    fn is_at_most(&mut self, dim: Dim, region: u32) -> Lit {
        let known = self.at_most.get(&dim).and_then(|known| known.get(&region));
        if let Some(known) = known {
            return *known;
        }
        let lit = self.fresh();
        let order = self.at_most.entry(dim).or_default();
        let below = order.range(..region).next_back().map(|(_, lit)| *lit);
        let above = order.range(region..).next().map(|(_, lit)| *lit);
        order.insert(region, lit);
        if let Some(below) = below {
            self.clause(vec![!below, lit]);
        }
        if let Some(above) = above {
            self.clause(vec![!lit, above]);
        }
        lit
    }

    fn relation(&mut self, space: &Space<'_>, relation: Rel) -> [Lit; 2] {
        if let Some(known) = self.relations.get(&relation) {
            return *known;
        }
        let compares = self.fresh();
        let there = space.are_there(relation);
        let there = self.node(space, &there);
        self.clause(vec![!compares, there]);
        let differs = self.all(&[there, !compares]);
        self.relations.insert(relation, [compares, differs]);
        [compares, differs]
    }

    /// Where all of these are true, as a cube of some dimensions and comparisons; nothing where they never are.
    pub(super) fn model(
        &mut self,
        space: &Space<'_>,
        all: &[Lit],
        named: &Named,
        budget: &Budget,
    ) -> Result<Option<Cube>, Exhausted> {
        budget.step()?;
        self.solver.cb_mut().is_over = Some(budget.is_over());
        let came = self.solver.solve_limited(all);
        self.solver.cb_mut().is_over = None;
        if came == lbool::FALSE {
            return Ok(None);
        }
        if came != lbool::TRUE {
            return Err(Exhausted);
        }
        let mut cube = Cube::all();
        for dim in &named.dims {
            let count = space.count(*dim);
            let mut from = 0;
            let mut before = count;
            for (region, lit) in self.at_most.get(dim).into_iter().flatten() {
                if self.solver.value_lit(*lit) == lbool::TRUE {
                    before = region + 1;
                    break;
                }
                from = region + 1;
            }
            if (from, before) != (0, count) {
                let set = Literal::In(*dim, Regions::between(from, before));
                // One more dimension: never empty.
                cube = cube.and(&Cube::of(&set)).unwrap_or(cube);
            }
        }
        for relation in &named.relations {
            let Some([compares, differs]) = self.relations.get(relation).copied() else {
                continue;
            };
            for (lit, holds) in [(compares, true), (differs, false)] {
                if self.solver.value_lit(lit) == lbool::TRUE {
                    let is = Literal::Compares(*relation, holds);
                    cube = cube.and(&Cube::of(&is)).unwrap_or(cube);
                }
            }
        }
        Ok(Some(cube))
    }

    /// No event of this cube, where `when` is true.
    pub(super) fn exclude(&mut self, space: &Space<'_>, cube: &Cube, when: Option<Lit>) {
        let mut clause: Vec<Lit> = when.map(|lit| !lit).into_iter().collect();
        for literal in cube.literals() {
            clause.push(!self.literal(space, &literal));
        }
        self.clause(clause);
    }

    /// A literal that is true exactly for the events of a cube.
    pub(super) fn cube(&mut self, space: &Space<'_>, cube: &Cube) -> Lit {
        let literals: Vec<Literal> = cube.literals().collect();
        let literals = literals.iter().map(|literal| self.literal(space, literal));
        let literals: Vec<Lit> = literals.collect();
        self.all(&literals)
    }

    /// Whether a literal holds in the last model.
    pub(super) fn holds(&self, lit: Lit) -> bool {
        self.solver.value_lit(lit) == lbool::TRUE
    }

    /// A literal that nothing else speaks of.
    pub(super) fn switch(&mut self) -> Lit {
        self.fresh()
    }
}
