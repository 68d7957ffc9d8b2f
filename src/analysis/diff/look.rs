//! Looking at every event that something which changed looks at: by boxes each part by itself, by clauses one event of
//! each mixture of what tells decisions apart.

use std::sync::Arc;

use batsat::Lit;

use super::classes::Beside;
use super::entry::Entry;
use super::{Budget, Change, Changed, Cube, Direction, Exhausted, Found, Gap, Pair};
use crate::analysis::Witness;
use crate::analysis::sat::Sat;
use crate::analysis::shown::{self, Shown};
use crate::analysis::space::{At, Chosen, Named};
use crate::decision::stricter::{Demands, stricter};
use crate::matrix::{Before, Record};

impl Pair<'_, '_> {
    pub(super) fn by_boxes(
        &self,
        pieces: &[Cube],
        touched: &[&Entry],
        beside: &[Beside<'_>],
        budget: &Budget,
        found: &mut Found,
    ) -> Result<(), Exhausted> {
        let classes = self.classes_of_cubes(touched, beside, budget)?;
        let mut seen: Vec<Cube> = Vec::new();
        for piece in pieces {
            // What an earlier piece had need not be looked at again.
            let mut rest = vec![piece.clone()];
            for cube in &seen {
                rest = rest
                    .iter()
                    .flat_map(|it| match it.meets(cube) {
                        true => self.space.without(it, cube),
                        false => vec![it.clone()],
                    })
                    .collect();
                budget.step()?;
            }
            for cube in rest {
                self.leaves(piece, &cube, &classes, budget, found)?;
                seen.push(cube);
            }
        }
        Ok(())
    }

    pub(super) fn by_clauses(
        &self,
        pieces: &[Cube],
        touched: &[&Entry],
        beside: &[Beside<'_>],
        budget: &Budget,
        found: &mut Found,
    ) -> Result<(), Exhausted> {
        let space = self.space;
        let mut sat = Sat::new();
        let (classes, denied) = self.classes_of_nodes(touched, beside);
        let mut named = Named::default();
        for node in classes.iter().chain([&denied]) {
            space.add_named(node, &mut named);
        }
        for piece in pieces {
            named.dims.extend(piece.dims());
        }
        let classes: Vec<Lit> = classes.iter().map(|node| sat.node(space, node)).collect();
        let mut all = vec![!sat.node(space, &denied)];
        for piece in pieces {
            let inside = sat.cube(space, piece);
            let switch = sat.switch();
            let mut within = all.clone();
            within.extend([inside, switch]);
            while let Some(cube) = sat.model(space, &within, &named, budget)? {
                let mixture: Vec<Lit> = classes
                    .iter()
                    .map(|class| if sat.holds(*class) { *class } else { !*class })
                    .collect();
                match space.choose(&cube) {
                    Chosen::None => {
                        let lemma = space.bound(&cube);
                        sat.exclude(space, &lemma, None);
                        continue;
                    }
                    Chosen::Unknown => found.gap = found.gap.or(Some(Gap::Exact)),
                    Chosen::Some(_) => self.decide(piece, &cube, found)?,
                }
                let mut other: Vec<Lit> = mixture.into_iter().map(|lit| !lit).collect();
                other.push(!switch);
                sat.clause(other);
            }
            // What an earlier piece had need not be looked at again.
            all.push(!inside);
        }
        Ok(())
    }

    /// Cuts a cube until all of its events are in the same classes, and decides one of each part.
    fn leaves(
        &self,
        whole: &Cube,
        cube: &Cube,
        classes: &[Vec<Cube>],
        budget: &Budget,
        found: &mut Found,
    ) -> Result<(), Exhausted> {
        budget.step()?;
        if self.space.is_empty(cube) {
            return Ok(());
        }
        let Some((class, rest)) = classes.split_first() else {
            return self.decide(whole, cube, found);
        };
        let mut outside = vec![cube.clone()];
        for inner in class {
            let mut next = Vec::new();
            for piece in &outside {
                match piece.and(inner) {
                    Some(inside) if piece.meets(inner) => {
                        self.leaves(whole, &inside, rest, budget, found)?;
                        next.extend(self.space.without(piece, inner));
                    }
                    _ => next.push(piece.clone()),
                }
            }
            outside = next;
        }
        for piece in &outside {
            self.leaves(whole, piece, rest, budget, found)?;
        }
        Ok(())
    }

    fn decide(&self, whole: &Cube, cube: &Cube, found: &mut Found) -> Result<(), Exhausted> {
        let point = match self.space.choose(cube) {
            Chosen::Some(point) => point,
            Chosen::None => return Ok(()),
            Chosen::Unknown => {
                found.gap = found.gap.or(Some(Gap::Exact));
                return Ok(());
            }
        };
        let alone = |side: At| shown::alone(self.space, side, self.routers.get(side)?, &point);
        // What only one side can read is for neither.
        let (Some(old), Some(new)) = (alone(0), alone(1)) else {
            return Ok(());
        };
        let changed = |old: &Shown, new: &Shown| {
            let demands = [
                Demands::of(old.decision(), self.matrices[0]),
                Demands::of(new.decision(), self.matrices[1]),
            ];
            let change = Change::between(&demands[0], &demands[1], &new.decision().by)?;
            Some((demands, change))
        };
        let mut came = changed(&old, &new).map(|changed| (old.clone(), new.clone(), changed));
        if came.is_none() && point.needs_history() {
            let none = |_| None;
            let histories = [1, 0].map(|side| {
                let histories = shown::histories(self.space, side, &point, &none);
                histories.into_iter().map(move |before| (side, before))
            });
            came = histories.into_iter().flatten().find_map(|(side, before)| {
                let [ours, theirs] = self.on_both(side, &before)?;
                let (old, new) = (shown::after(&old, &ours), shown::after(&new, &theirs));
                let changed = changed(&old, &new)?;
                Some((old, new, changed))
            });
        }
        let Some((old, new, (demands, change))) = came else {
            if point.needs_history() {
                found.gap = found.gap.or(Some(Gap::History));
            }
            return Ok(());
        };
        let tightens = stricter(&demands[0], &demands[1]).is_some();
        let loosens = stricter(&demands[1], &demands[0]).is_some();
        let direction = match (tightens, loosens) {
            (true, false) => Direction::Tighter,
            (false, true) => Direction::Looser,
            _ => Direction::Different,
        };
        let words = self.space.words(whole);
        if let Some(known) = found.regions.get_mut(&change) {
            if !known.when.contains(&words) {
                known.when.push(words);
            }
            known.loses |= loosens;
            if known.direction != direction {
                known.direction = Direction::Different;
            }
            return Ok(());
        }
        let (verdict, by) = crate::analysis::came(old.decision());
        let title = format!("was {} by {by}", verdict.as_str());
        let changed = Changed {
            kind: self.kinds[1].name.to_string(),
            change: change.clone(),
            direction,
            loses: loosens,
            when: vec![words],
            witness: Witness::new(Arc::new(new), title),
        };
        found.regions.insert(change, changed);
        Ok(())
    }

    /// Earlier events of one matrix as both have them.
    fn on_both(&self, side: At, before: &Before) -> Option<[Before; 2]> {
        let [from, to] = match side {
            0 => [self.matrices[0], self.matrices[1]],
            _ => [self.matrices[1], self.matrices[0]],
        };
        let kind = from.kind(before.record.kind)?;
        let mut kinds = to.schema.kinds().iter();
        let other = kinds.find(|other| other.name == kind.name)?;
        let values = before.record.values.iter().map(|(field, value)| {
            let path = from.schema.path(*field);
            let field = to.schema.field_id(path)?;
            Some((field, value.clone()))
        });
        let moved = Before {
            record: Record {
                kind: other.id,
                values: values.collect::<Option<_>>()?,
            },
            ..before.clone()
        };
        Some(match side {
            0 => [before.clone(), moved],
            _ => [moved, before.clone()],
        })
    }
}
