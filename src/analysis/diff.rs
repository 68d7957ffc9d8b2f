//! What an edit of a matrix changes, for all events.
//!
//! In: two matrices. Out: regions by what was decided and what is, each with an event and a condition.
//! Invariant: every event of a kind that both have, whose decision demands something else now, is in a region, unless
//! the answer says that it was not finished; each region carries an event that both evaluators decided so.
//! Lanes and rules that did not change demand the same on both sides, and tell regions apart only where they are few.

use std::collections::BTreeMap;

use serde::Serialize;

use super::cube::Cube;
use super::space::{At, Chosen, Differs, Node, Space};
use super::ways::{Budget, Exhausted, ways};
use super::{Witness, came, example};
use crate::decision::Decision;
use crate::decision::stricter::{Demands, stricter};
use crate::matrix::Matrix;
use crate::reference::{History, Reference, Times};
use crate::schema::Kind;

mod change;
mod entry;

pub use change::Change;
use entry::{Entry, Sort, entries, otherwise, terms};

/// Which way a region went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// What was demanded before is not enough, or what is demanded now is less.
    Looser,
    /// More is demanded than before, and nothing less.
    Tighter,
    /// Something else is demanded: more in one way, and less in another, or the same by another lane.
    Different,
}

impl Direction {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Looser => "looser",
            Self::Tighter => "tighter",
            Self::Different => "different",
        }
    }
}

/// Events whose decision changed in one way.
#[derive(Debug, Clone)]
pub struct Changed {
    /// Their kind.
    pub kind: String,
    /// How.
    pub change: Change,
    /// Which way that is.
    pub direction: Direction,
    /// Whether something that was demanded before is not any more.
    pub loses: bool,
    /// Among which events they are, in the language's own words: where what changed looks otherwise now. Which of
    /// these are in the region is for what did not change to say.
    pub when: Vec<String>,
    /// One of them, as the new matrix has it; the decision is the new one.
    pub witness: Witness,
}

/// What changed.
#[derive(Debug, Clone, Default)]
pub struct Diff {
    /// The regions; what became looser first.
    pub changed: Vec<Changed>,
    /// What cannot be compared, and why.
    pub notes: Vec<String>,
    /// Whether everything was looked at.
    pub is_whole: bool,
}

/// Compares two matrices. `patience` gives for each kind what says that its time is up.
#[must_use]
pub fn diff(old: &Matrix, new: &Matrix, patience: &dyn Fn() -> Box<dyn Fn() -> bool>) -> Diff {
    let mut diff = Diff {
        is_whole: true,
        ..Diff::default()
    };
    for kind in old.schema.kinds() {
        let other = new
            .schema
            .kinds()
            .iter()
            .find(|other| other.name == kind.name);
        let Some(other) = other else {
            diff.notes
                .push(format!("events `{}` are not declared any more", kind.name));
            continue;
        };
        match Space::of_two((old, kind), (new, other)) {
            Ok(space) => {
                let over = patience();
                let pair = Pair::new(&space, [old, new], [kind, other]);
                pair.compare(&Budget::new(&*over), &mut diff);
            }
            Err(Differs { path }) => {
                let name = &kind.name;
                diff.notes.push(format!(
                    "events `{name}` are read differently: the field `{path}` is declared otherwise"
                ));
                diff.is_whole = false;
            }
        }
    }
    for kind in new.schema.kinds() {
        if !old
            .schema
            .kinds()
            .iter()
            .any(|other| other.name == kind.name)
        {
            diff.notes.push(format!("events `{}` are new", kind.name));
        }
    }
    diff.changed.sort_by(|a, b| {
        let key = |it: &Changed| (it.direction, it.kind.clone(), it.change.clone());
        key(a).cmp(&key(b))
    });
    diff
}

/// Lanes and rules beside those that changed that are told apart by themselves.
const BESIDE: usize = 16;

/// Whether everything was compared, or why not.
enum Whole {
    Yes,
    ManyBeside,
    Adjusts,
}

/// A kind of two matrices.
struct Pair<'s, 'm> {
    space: &'s Space<'m>,
    matrices: [&'m Matrix; 2],
    kinds: [&'m Kind; 2],
    entries: [Vec<Entry>; 2],
}

impl<'s, 'm> Pair<'s, 'm> {
    fn new(space: &'s Space<'m>, matrices: [&'m Matrix; 2], kinds: [&'m Kind; 2]) -> Self {
        let [old, new] = matrices;
        let [old_kind, new_kind] = kinds;
        Self {
            space,
            matrices,
            kinds,
            entries: [
                entries(space, 0, old, old_kind),
                entries(space, 1, new, new_kind),
            ],
        }
    }

    fn compare(&self, budget: &Budget<'_>, diff: &mut Diff) {
        for entry in &self.entries[0] {
            let others = self.entries[1].iter();
            let mut others =
                others.filter(|other| other.name == entry.name && other.follows != entry.follows);
            if let Some(other) = others.next() {
                let note = format!(
                    "{}: was {}; is {}",
                    entry.name, entry.follows, other.follows
                );
                if !diff.notes.contains(&note) {
                    diff.notes.push(note);
                }
            }
        }
        let mut regions: BTreeMap<Change, Changed> = BTreeMap::new();
        let done = self.regions(budget, &mut regions);
        let why = match done {
            Ok(Whole::Yes) => None,
            Ok(Whole::ManyBeside) => Some("too many lanes and rules look at the same events"),
            Ok(Whole::Adjusts) => Some("what changed may look at events that are adjusted"),
            Err(Exhausted) => Some("it took too long, or was not exact"),
        };
        if let Some(why) = why {
            let name = &self.kinds[0].name;
            diff.is_whole = false;
            diff.notes.push(format!(
                "not all of events `{name}` was compared: {why}; there may be more"
            ));
        }
        diff.changed.extend(regions.into_values());
    }

    /// Looks at all events that an entry which changed looks at.
    fn regions(
        &self,
        budget: &Budget<'_>,
        regions: &mut BTreeMap<Change, Changed>,
    ) -> Result<Whole, Exhausted> {
        let (pieces, touched) = self.touched(budget)?;
        let (classes, is_each) = self.classes(&pieces, &touched, budget)?;
        let mut whole = match is_each {
            true => Whole::Yes,
            false => Whole::ManyBeside,
        };
        if self.adjusts_into(&pieces, budget)? {
            whole = Whole::Adjusts;
        }
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
                self.leaves(&piece, &cube, &classes, budget, regions)?;
                seen.push(cube);
            }
        }
        Ok(whole)
    }

    /// Whether an adjust may make an event one that something which changed looks at: it is decided again.
    fn adjusts_into(&self, pieces: &[Cube], budget: &Budget<'_>) -> Result<bool, Exhausted> {
        let entries = self.entries.iter().flatten();
        for entry in entries.filter(|entry| entry.sort == Sort::Adjust) {
            for cube in ways(self.space, &entry.rails.yes, budget)? {
                let adjusted = cube.whatever(&entry.sets);
                if pieces.iter().any(|piece| piece.meets(&adjusted)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Where entries that changed look at events, and which entries these are.
    fn touched(&self, budget: &Budget<'_>) -> Result<(Vec<Cube>, Vec<&Entry>), Exhausted> {
        let [old, new] = &self.entries;
        let mut nodes = Vec::new();
        let mut touched = Vec::new();
        for entry in old {
            match new.iter().find(|other| other.name == entry.name) {
                None => {
                    nodes.push(entry.rails.maybe.clone());
                    touched.push(entry);
                }
                Some(other) if other.follows != entry.follows => {
                    nodes.extend([entry.rails.maybe.clone(), other.rails.maybe.clone()]);
                    touched.extend([entry, other]);
                }
                Some(other) => {
                    let pairs = [
                        (&entry.rails.maybe, &other.rails.maybe),
                        (&entry.rails.yes, &other.rails.yes),
                    ];
                    for (one, two) in pairs.into_iter().filter(|(one, two)| one != two) {
                        nodes.push(Node::all(vec![one.clone(), self.space.not(two)]));
                        nodes.push(Node::all(vec![two.clone(), self.space.not(one)]));
                        touched.extend([entry, other]);
                    }
                }
            }
        }
        let mut known: Vec<*const Entry> = Vec::new();
        touched.retain(|entry| {
            let is_new = !known.contains(&std::ptr::from_ref(*entry));
            known.push(std::ptr::from_ref(*entry));
            is_new
        });
        for entry in new
            .iter()
            .filter(|entry| !old.iter().any(|other| other.name == entry.name))
        {
            nodes.push(entry.rails.maybe.clone());
            touched.push(entry);
        }
        // Where nothing decides, or an `always deny` is not ruled out, these do.
        let ends = self.matrices.map(otherwise);
        let unreadable = self
            .matrices
            .map(|matrix| terms(matrix, matrix.unreadable.as_ref()));
        if ends[0] != ends[1] {
            nodes.push(Node::Is(true));
        } else if unreadable[0] != unreadable[1] {
            let denies = old.iter().filter(|entry| entry.sort == Sort::Deny);
            nodes.extend(denies.map(|entry| entry.rails.maybe.clone()));
        }
        let mut pieces = Vec::new();
        for node in &nodes {
            pieces.extend(ways(self.space, node, budget)?);
        }
        Ok((pieces, touched))
    }

    /// What tells decisions apart: each entry that changed, and each that did not and looks at the same events. Of
    /// many of these only whether one attaches, which does not tell all apart.
    fn classes(
        &self,
        pieces: &[Cube],
        touched: &[&Entry],
        budget: &Budget<'_>,
    ) -> Result<(Vec<Vec<Cube>>, bool), Exhausted> {
        // Those that deny come first: behind them little is left to be told apart.
        let mut classes: Vec<(bool, Vec<Cube>)> = Vec::new();
        let mut add = |sort: Sort, yes: Vec<Cube>, maybe: Vec<Cube>| {
            let comes_behind = sort != Sort::Deny;
            classes.extend([(comes_behind, yes), (comes_behind, maybe)]);
        };
        for entry in touched {
            let yes = ways(self.space, &entry.rails.yes, budget)?;
            add(
                entry.sort,
                yes,
                ways(self.space, &entry.rails.maybe, budget)?,
            );
        }
        let mut beside = Vec::new();
        for entry in &self.entries[0] {
            if touched.iter().any(|it| it.name == entry.name) {
                continue;
            }
            let maybe = ways(self.space, &entry.rails.maybe, budget)?;
            let meets = |piece: &Cube| maybe.iter().any(|cube| piece.meets(cube));
            if pieces.iter().any(meets) {
                beside.push((
                    entry.sort,
                    ways(self.space, &entry.rails.yes, budget)?,
                    maybe,
                ));
            }
        }
        let is_each = beside.len() <= BESIDE;
        if is_each {
            for (sort, yes, maybe) in beside {
                add(sort, yes, maybe);
            }
        } else {
            for sort in [
                Sort::Deny,
                Sort::Denying,
                Sort::Lane,
                Sort::Adjust,
                Sort::Allow,
            ] {
                let of_sort = || beside.iter().filter(|(its, ..)| *its == sort);
                let yes = of_sort().flat_map(|(_, yes, _)| yes.iter().cloned());
                let maybe = of_sort().flat_map(|(.., maybe)| maybe.iter().cloned());
                add(sort, yes.collect(), maybe.collect());
            }
        }
        classes.sort_by_key(|(comes_behind, _)| *comes_behind);
        Ok((
            classes.into_iter().map(|(_, class)| class).collect(),
            is_each,
        ))
    }

    /// Cuts a cube until all of its events are in the same classes, and decides one of each part.
    fn leaves(
        &self,
        whole: &Cube,
        cube: &Cube,
        classes: &[Vec<Cube>],
        budget: &Budget<'_>,
        regions: &mut BTreeMap<Change, Changed>,
    ) -> Result<(), Exhausted> {
        budget.step()?;
        if self.space.is_empty(cube) {
            return Ok(());
        }
        let Some((class, rest)) = classes.split_first() else {
            return self.decide(whole, cube, regions);
        };
        let mut outside = vec![cube.clone()];
        for inner in class {
            let mut next = Vec::new();
            for piece in &outside {
                match piece.and(inner) {
                    Some(inside) if piece.meets(inner) => {
                        self.leaves(whole, &inside, rest, budget, regions)?;
                        next.extend(self.space.without(piece, inner));
                    }
                    _ => next.push(piece.clone()),
                }
            }
            outside = next;
        }
        for piece in &outside {
            self.leaves(whole, piece, rest, budget, regions)?;
        }
        Ok(())
    }

    fn decide(
        &self,
        whole: &Cube,
        cube: &Cube,
        regions: &mut BTreeMap<Change, Changed>,
    ) -> Result<(), Exhausted> {
        let point = match self.space.choose(cube) {
            Chosen::Some(point) => point,
            Chosen::None => return Ok(()),
            Chosen::Unknown => return Err(Exhausted),
        };
        let decided = |side: At| -> Option<Decision> {
            let matrix = self.matrices.get(side)?;
            let event = self.space.event(side, &point)?;
            let history = History::new(matrix);
            Some(Reference::new(matrix).decide(&event, &history, Times::of(&event)))
        };
        // What only one side can read is for neither.
        let (Some(old), Some(new)) = (decided(0), decided(1)) else {
            return Ok(());
        };
        let demands = [
            Demands::of(&old, self.matrices[0]),
            Demands::of(&new, self.matrices[1]),
        ];
        let Some(change) = Change::between(&demands[0], &demands[1], &new.by) else {
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
        if let Some(known) = regions.get_mut(&change) {
            if !known.when.contains(&words) {
                known.when.push(words);
            }
            known.loses |= loosens;
            if known.direction != direction {
                known.direction = Direction::Different;
            }
            return Ok(());
        }
        let Some(record) = self.space.record(1, &point) else {
            return Ok(());
        };
        let (verdict, by) = came(&old);
        let title = format!("was {} by {by}", verdict.as_str());
        let line = example::scenario(self.matrices[1], &record, point.at, &title, &new);
        let changed = Changed {
            kind: self.kinds[1].name.to_string(),
            change: change.clone(),
            direction,
            loses: loosens,
            when: vec![words],
            witness: Witness {
                record,
                at: point.at,
                decision: new,
                line,
            },
        };
        regions.insert(change, changed);
        Ok(())
    }
}
