//! What an edit of a matrix changes, for all events.
//!
//! In: two matrices. Out: regions by what was decided and what is, each with an event and a condition.
//! Invariant: every event of a kind that both have, whose decision demands something else now, is in a region, unless
//! the answer says that it was not finished; each region carries an event that both evaluators decided so.
//! Lanes and rules that did not change demand the same on both sides: of many of them only that counts which can tell
//! regions apart.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde::Serialize;

use super::cube::Cube;
use super::space::{At, Differs, Named, Node, Space};
use super::ways::{Budget, Exhausted, ways};
use super::{Engine, Witness};
use crate::matrix::{Effect, Matrix, Otherwise};
use crate::router::Router;
use crate::schema::{FieldId, Kind};
use crate::value::Value;

mod change;
mod classes;
mod clauses;
mod entry;
mod look;

pub use change::Change;
use classes::Beside;
use clauses::differences;
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
pub fn diff(
    old: &Arc<Matrix>,
    new: &Arc<Matrix>,
    patience: &dyn Fn() -> Box<dyn Fn() -> bool>,
) -> Diff {
    diff_by(old, new, Engine::Either, patience)
}

/// The same by one engine.
#[must_use]
pub fn diff_by(
    old: &Arc<Matrix>,
    new: &Arc<Matrix>,
    engine: Engine,
    patience: &dyn Fn() -> Box<dyn Fn() -> bool>,
) -> Diff {
    let routers = [old, new].map(|matrix| Arc::new(Router::new(Arc::clone(matrix))));
    let mut diff = Diff {
        is_whole: true,
        ..Diff::default()
    };
    diff.notes.extend(notes_of_fallbacks(old, new));
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
                let pair = Pair::new(&space, [old, new], [kind, other], &routers);
                pair.compare(engine, &Budget::new(patience()), &mut diff);
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

/// What `otherwise` and `unreadable` ask otherwise, clause by clause; whom they ask at all is for the regions to say.
fn notes_of_fallbacks(old: &Matrix, new: &Matrix) -> Vec<String> {
    let asks = |matrix: &Matrix| match &matrix.otherwise {
        Otherwise::Escalate(terms) => clauses::of_terms(matrix, terms),
        Otherwise::Allow | Otherwise::Deny => Vec::new(),
    };
    let unreadable = |matrix: &Matrix| {
        let terms = matrix.unreadable.as_ref();
        terms.map_or_else(Vec::new, |terms| clauses::of_terms(matrix, terms))
    };
    let both = [
        ("otherwise", asks(old), asks(new)),
        ("unreadable", unreadable(old), unreadable(new)),
    ];
    let both = both
        .into_iter()
        .filter(|(_, old, new)| !old.is_empty() && !new.is_empty());
    let notes = both.filter_map(|(name, old, new)| {
        let differs = differences(&old, &new)?;
        Some(format!("`{name}`: {differs}"))
    });
    notes.collect()
}

/// Lanes and rules beside those that changed, up to which all are told apart by boxes.
const BESIDE: usize = 16;

/// Lanes and rules that are followed to adjusted events, in each set of adjusts, up to which they are told apart.
const AGAIN: usize = 24;

/// How many are told apart only among adjusted events.
fn again(touched: &Touched<'_>, beside: &[Beside<'_>]) -> usize {
    let beside = beside.iter().map(|it| it.entry);
    let all = touched.entries.iter().copied().chain(beside);
    let again = all.filter(|entry| entry.sort == Sort::Again);
    // Of what changed there are two of a name.
    let names: HashSet<&str> = again.map(|entry| &*entry.name).collect();
    names.len()
}

/// Steps that boxes may take before it is left to clauses.
const STEPS: u64 = 50_000;

/// What changed: where, and which entries that are.
struct Touched<'e> {
    pieces: Vec<Cube>,
    entries: Vec<&'e Entry>,
    nodes: Vec<Node>,
}

/// What was found so far.
#[derive(Clone, Default)]
struct Found {
    regions: BTreeMap<Change, Changed>,
    gap: Option<Gap>,
}

/// Why not everything was compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gap {
    Adjusts,
    History,
    Exact,
    Trial,
}

/// A kind of two matrices.
struct Pair<'s, 'm> {
    space: &'s Space<'m>,
    matrices: [&'m Matrix; 2],
    kinds: [&'m Kind; 2],
    routers: &'s [Arc<Router>; 2],
    entries: [Vec<Entry>; 2],
    /// Whether the entries tell what becomes of adjusted events.
    is_followed: bool,
}

impl<'s, 'm> Pair<'s, 'm> {
    fn new(
        space: &'s Space<'m>,
        matrices: [&'m Matrix; 2],
        kinds: [&'m Kind; 2],
        routers: &'s [Arc<Router>; 2],
    ) -> Self {
        let [old, new] = matrices;
        let [old_kind, new_kind] = kinds;
        let (olds, is_old_followed) = entries(space, 0, old, old_kind);
        let (news, is_new_followed) = entries(space, 1, new, new_kind);
        Self {
            space,
            matrices,
            kinds,
            routers,
            entries: [olds, news],
            is_followed: is_old_followed && is_new_followed,
        }
    }

    fn compare(&self, engine: Engine, budget: &Budget, diff: &mut Diff) {
        let others: HashMap<&str, &Entry> = self.entries[1]
            .iter()
            .map(|entry| (&*entry.name, entry))
            .collect();
        for entry in &self.entries[0] {
            let other = others.get(&*entry.name);
            let differs = other.and_then(|other| differences(&entry.clauses, &other.clauses));
            if let Some(differs) = differs {
                let note = format!("{}: {differs}", entry.name);
                if !diff.notes.contains(&note) {
                    diff.notes.push(note);
                }
            }
        }
        let mut found = Found::default();
        let done = self.regions(engine, budget, &mut found);
        let why = match (done, found.gap) {
            (Err(Exhausted), _) => Some("it took too long, or was not exact"),
            (_, Some(Gap::Exact)) => {
                Some("what changed asks of a field in a way that is not exact")
            }
            (_, Some(Gap::Trial)) => Some("a lane that changed is on trial, and not for ever"),
            (_, Some(Gap::Adjusts)) => Some("what changed may look at events that are adjusted"),
            (_, Some(Gap::History)) => Some("what changed may show only after other events"),
            (Ok(()), None) => None,
        };
        if let Some(why) = why {
            let name = &self.kinds[0].name;
            diff.is_whole = false;
            diff.notes.push(format!(
                "not all of events `{name}` was compared: {why}; there may be more"
            ));
        }
        diff.changed.extend(found.regions.into_values());
    }

    /// Looks at all events that an entry which changed looks at.
    fn regions(&self, engine: Engine, budget: &Budget, found: &mut Found) -> Result<(), Exhausted> {
        let followed = self.is_followed.then(|| self.looked_at(true, budget));
        let (touched, beside) = match followed {
            Some(Ok((touched, beside))) if again(&touched, &beside) <= AGAIN => (touched, beside),
            _ => {
                let (touched, beside) = self.looked_at(false, budget)?;
                if self.adjusts_into(&touched.pieces, budget)? {
                    found.gap = Some(Gap::Adjusts);
                }
                (touched, beside)
            }
        };
        let Touched {
            pieces,
            entries,
            nodes,
        } = touched;
        let mut named = Named::default();
        for node in &nodes {
            self.space.add_named(node, &mut named);
        }
        if !self.space.shows_all(&named) {
            found.gap = Some(Gap::Exact);
        }
        if entries.iter().any(|entry| entry.trial_ends) {
            found.gap = Some(Gap::Trial);
        }
        // What is decided otherwise is adjusted otherwise, and counts otherwise for later events.
        if !pieces.is_empty() && (0..2).any(|side| self.is_counted_adjusted(side)) {
            found.gap = found.gap.or(Some(Gap::History));
        }
        let by_boxes = match engine {
            Engine::Boxes => true,
            Engine::Clauses => false,
            Engine::Either => beside.len() <= BESIDE,
        };
        if by_boxes {
            let mut boxed = found.clone();
            let most = match engine {
                Engine::Boxes => u64::MAX,
                _ => STEPS,
            };
            let part = budget.part(most);
            let done = self.by_boxes(&pieces, &entries, &beside, &part, &mut boxed);
            if done.is_ok() || engine == Engine::Boxes {
                *found = boxed;
                return done;
            }
        }
        self.by_clauses(&pieces, &entries, &beside, budget, found)
    }

    /// What changed, and what of the rest looks at the same events; with what becomes of adjusted events or without.
    fn looked_at(
        &self,
        again: bool,
        budget: &Budget,
    ) -> Result<(Touched<'_>, Vec<Beside<'_>>), Exhausted> {
        let touched = self.touched(again, budget)?;
        let beside = self.beside(&touched.pieces, &touched.entries, again, budget)?;
        Ok((touched, beside))
    }

    /// Whether some measure counts events of this kind by what an adjust sets.
    fn is_counted_adjusted(&self, side: At) -> bool {
        let (Some(matrix), Some(kind)) = (self.matrices.get(side), self.kinds.get(side)) else {
            return false;
        };
        let rules = matrix
            .rules
            .iter()
            .filter(|rule| rule.on.contains(&kind.id));
        let mut sets = rules.filter_map(|rule| match &rule.effect {
            Effect::Adjust(sets) => Some(sets.iter().map(|(field, value)| (*field, value))),
            Effect::Allow | Effect::Deny => None,
        });
        sets.any(|set| {
            let set: Vec<(FieldId, &Value)> = set.collect();
            let mut measures = matrix.measures.iter().filter(|it| it.kind == kind.id);
            measures.any(|measure| self.space.counts_by(side, measure, &set))
        })
    }

    /// Whether an adjust may make an event one that something which changed looks at: it is decided again.
    fn adjusts_into(&self, pieces: &[Cube], budget: &Budget) -> Result<bool, Exhausted> {
        let adjusts = || {
            let entries = self.entries.iter().flatten();
            entries.filter(|entry| entry.sort == Sort::Adjust)
        };
        // Another one may apply as well, and set what this one asks of.
        let sets: Vec<_> = adjusts().flat_map(|entry| &entry.sets).copied().collect();
        for entry in adjusts() {
            for cube in ways(self.space, &entry.rails.yes, budget)? {
                let adjusted = cube.whatever(&sets);
                if pieces.iter().any(|piece| piece.meets(&adjusted)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Where entries that changed look at events, and which entries these are.
    fn touched(&self, again: bool, budget: &Budget) -> Result<Touched<'_>, Exhausted> {
        let own = |side: usize| -> Vec<&Entry> {
            let entries = self.entries.get(side).into_iter().flatten();
            entries
                .filter(|entry| again || entry.sort != Sort::Again)
                .collect()
        };
        let (old, new) = (own(0), own(1));
        let by_name = |entries: &[&Entry]| -> HashMap<String, usize> {
            let names = entries.iter().map(|entry| entry.name.clone());
            names.zip(0..).collect()
        };
        let (old_names, new_names) = (by_name(&old), by_name(&new));
        let mut nodes = Vec::new();
        let mut touched = Vec::new();
        for entry in old.iter().copied() {
            match new_names
                .get(&entry.name)
                .and_then(|at| new.get(*at))
                .copied()
            {
                None => {
                    nodes.push(entry.rails.maybe.clone());
                    touched.push(entry);
                }
                Some(other) if other.follows != entry.follows => {
                    nodes.extend([entry.rails.maybe.clone(), other.rails.maybe.clone()]);
                    touched.extend([entry, other]);
                }
                // The adjusts changed, and say themselves where; it only tells their events apart.
                Some(other) if entry.inner.is_some() && entry.inner == other.inner => {
                    if entry.rails != other.rails {
                        touched.extend([entry, other]);
                    }
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
        let mut known: HashSet<*const Entry> = HashSet::new();
        touched.retain(|entry| known.insert(std::ptr::from_ref(*entry)));
        for entry in new
            .iter()
            .copied()
            .filter(|entry| !old_names.contains_key(&entry.name))
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
            // Adjusted events among them, and adjusts that contradict each other.
            let asks = |entry: &&Entry| matches!(entry.sort, Sort::Deny | Sort::Adjust);
            let both = old.iter().chain(&new).copied().filter(asks);
            nodes.extend(both.map(|entry| entry.rails.maybe.clone()));
        }
        let mut pieces = Vec::new();
        for node in &nodes {
            pieces.extend(ways(self.space, node, budget)?);
        }
        Ok(Touched {
            pieces,
            entries: touched,
            nodes,
        })
    }
}
