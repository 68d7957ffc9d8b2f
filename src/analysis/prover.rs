//! Whether there is an event of some nodes and of none of others: two engines, one answer.
//!
//! In: nodes of one space. Out: an event, or that there is none.
//! Invariant: what is called impossible is so for every event; both engines say the same where both come to an end,
//! and `tests/analysis.rs` holds them against each other.

use std::cell::{OnceCell, RefCell};

use batsat::Lit;

use super::Engine;
use super::cube::{Cube, Dim};
use super::sat::Sat;
use super::space::{Chosen, Named, Node, Point, Space};
use super::ways::{Budget, Exhausted, Look, Outside, TRIED, Ways, ways};

/// Steps that boxes may take before it is left to clauses.
const STEPS: u64 = 4_000;

/// Steps in which a part is taken apart, whatever was done for a question before: it is kept for other questions.
const APART: u64 = 1 << 17;

/// A set of events that is asked about, with what each engine made of it.
pub(super) struct Part {
    pub(super) node: Node,
    named: OnceCell<Named>,
    /// Whether what it asks of shows all that is possible.
    shows_all: OnceCell<bool>,
    ways: OnceCell<Ways>,
    lit: OnceCell<Lit>,
}

/// What answers about the events of one kind.
pub(super) struct Prover<'m> {
    pub(super) space: Space<'m>,
    engine: Engine,
    sat: RefCell<Sat>,
}

impl<'m> Prover<'m> {
    pub(super) fn new(space: Space<'m>, engine: Engine) -> Self {
        Self {
            space,
            engine,
            sat: RefCell::new(Sat::new()),
        }
    }

    pub(super) fn part(&self, node: Node) -> Part {
        Part {
            node,
            named: OnceCell::new(),
            shows_all: OnceCell::new(),
            ways: OnceCell::new(),
            lit: OnceCell::new(),
        }
    }

    fn named<'p>(&self, part: &'p Part) -> &'p Named {
        part.named.get_or_init(|| {
            let mut named = Named::default();
            self.space.add_named(&part.node, &mut named);
            named
        })
    }

    fn shows_all(&self, part: &Part) -> bool {
        let shows_all = || self.space.shows_all(self.named(part));
        *part.shows_all.get_or_init(shows_all)
    }

    /// Whether a part asks of a dimension.
    pub(super) fn asks_of(&self, part: &Part, dim: Dim) -> bool {
        self.named(part).dims.contains(&dim)
    }

    /// The cubes of a part.
    pub(super) fn ways<'p>(
        &self,
        part: &'p Part,
        budget: &Budget,
    ) -> Result<&'p [Cube], Exhausted> {
        if part.ways.get().is_none() {
            let ways = ways(&self.space, &part.node, &budget.part(APART));
            // The next question may have the time that this one has not.
            if ways.is_err() && (budget.is_over())() {
                return Err(Exhausted);
            }
            part.ways.get_or_init(|| ways);
        }
        match part.ways.get() {
            Some(Ok(ways)) => Ok(ways),
            _ => Err(Exhausted),
        }
    }

    /// Whether a part has an event, whatever is decided on it; nothing where that is not known.
    pub(super) fn is_possible(&self, part: &Part, budget: &Budget) -> Option<bool> {
        if self.engine != Engine::Clauses
            && let Ok(ways) = self.ways(part, budget)
            && !ways.is_empty()
        {
            return Some(true);
        }
        match self.find(&[part], &[], &|_| true, budget) {
            Outside::Some(_) | Outside::Unconfirmed => Some(true),
            Outside::None => Some(false),
            Outside::Unknown => None,
        }
    }

    /// An event of all of the first parts and of none of the others, that `takes` takes.
    pub(super) fn find(
        &self,
        among: &[&Part],
        but: &[&Part],
        takes: &dyn Fn(&Point) -> bool,
        budget: &Budget,
    ) -> Outside {
        let came = match self.engine {
            Engine::Boxes => self.by_boxes(among, but, takes, budget),
            Engine::Clauses => self.by_clauses(among, but, takes, budget),
            Engine::Either => self
                .by_boxes(among, but, takes, &budget.part(STEPS))
                .or_else(|Exhausted| self.by_clauses(among, but, takes, budget)),
        };
        match came {
            Err(Exhausted) => Outside::Unknown,
            // What was not looked at may be one.
            Ok(Outside::None) if !among.iter().chain(but).all(|part| self.shows_all(part)) => {
                Outside::Unknown
            }
            Ok(came) => came,
        }
    }

    fn by_boxes(
        &self,
        among: &[&Part],
        but: &[&Part],
        takes: &dyn Fn(&Point) -> bool,
        budget: &Budget,
    ) -> Result<Outside, Exhausted> {
        let among = among.iter().map(|part| self.ways(part, budget));
        let among = among.collect::<Result<Vec<_>, _>>()?;
        let mut others = Vec::new();
        for part in but {
            others.extend(self.ways(part, budget)?);
        }
        let mut look = Look {
            space: &self.space,
            takes,
            budget,
            refused: 0,
            unsure: false,
        };
        if let Some(point) = look.among(&Cube::all(), &among, &others)? {
            return Ok(Outside::Some(point));
        }
        Ok(match (look.refused > 0, look.unsure) {
            (true, _) => Outside::Unconfirmed,
            (_, true) => Outside::Unknown,
            _ => Outside::None,
        })
    }

    /// The literal of a part.
    fn lit(&self, part: &Part, sat: &mut Sat) -> Lit {
        *part.lit.get_or_init(|| sat.node(&self.space, &part.node))
    }

    fn by_clauses(
        &self,
        among: &[&Part],
        but: &[&Part],
        takes: &dyn Fn(&Point) -> bool,
        budget: &Budget,
    ) -> Result<Outside, Exhausted> {
        let mut sat = self.sat.borrow_mut();
        let mut all_named = Named::default();
        for part in among.iter().chain(but) {
            let named = self.named(part);
            all_named.dims.extend(&named.dims);
            all_named.relations.extend(&named.relations);
        }
        let switch = sat.switch();
        let mut all = vec![switch];
        for part in among {
            all.push(self.lit(part, &mut sat));
        }
        for part in but {
            all.push(!self.lit(part, &mut sat));
        }
        let (mut refused, mut tried) = (0, 0);
        let mut unsure = false;
        while tried < TRIED {
            let model = sat.model(&self.space, &all, &all_named, budget)?;
            let Some(cube) = model else { break };
            match self.space.choose(&cube) {
                Chosen::Some(point) if takes(&point) => return Ok(Outside::Some(point)),
                Chosen::Some(_) => {
                    refused += 1;
                    tried += 1;
                    sat.exclude(&self.space, &cube, Some(switch));
                }
                // Not for this question only: fields never compare so, and measures are never so many.
                Chosen::None => {
                    let lemma = self.space.bound(&cube);
                    sat.exclude(&self.space, &lemma, None);
                }
                Chosen::Unknown => {
                    // This one only: others may be known.
                    unsure = true;
                    tried += 1;
                    sat.exclude(&self.space, &cube, Some(switch));
                }
            }
        }
        // What was excluded for this question is so no more.
        sat.clause(vec![!switch]);
        Ok(match (refused > 0, unsure) {
            (true, _) => Outside::Unconfirmed,
            (_, true) => Outside::Unknown,
            _ => Outside::None,
        })
    }
}
