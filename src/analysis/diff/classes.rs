//! What tells decisions apart, besides what changed.
//!
//! An unchanged lane brings the same sign-off on both sides. It tells regions apart by whether anybody is asked, and
//! by what it holds: all that hold alike are one. Of rules that allow or adjust, the first names the decision; of a few
//! that adjust each makes another event.

use std::collections::BTreeMap;

use super::entry::{Entry, Sort};
use super::{Budget, Cube, Exhausted, Node, Pair, ways};

/// An unchanged lane or rule that looks at events which something that changed looks at.
pub(super) struct Beside<'e> {
    pub(super) entry: &'e Entry,
    pub(super) yes: Vec<Cube>,
    pub(super) maybe: Vec<Cube>,
}

/// Unchanged adjusts, up to which each is told apart.
const ADJUSTS: usize = 6;

impl Pair<'_, '_> {
    /// The unchanged entries that look at the same events.
    pub(super) fn beside(
        &self,
        pieces: &[Cube],
        touched: &[&Entry],
        again: bool,
        budget: &Budget,
    ) -> Result<Vec<Beside<'_>>, Exhausted> {
        let touched: std::collections::HashSet<&str> =
            touched.iter().map(|entry| &*entry.name).collect();
        let mut beside = Vec::new();
        for entry in &self.entries[0] {
            if touched.contains(&*entry.name) || !again && entry.sort == Sort::Again {
                continue;
            }
            let maybe = ways(self.space, &entry.rails.maybe, budget)?;
            let meets = |piece: &Cube| maybe.iter().any(|cube| piece.meets(cube));
            if pieces.iter().any(meets) {
                let yes = ways(self.space, &entry.rails.yes, budget)?;
                beside.push(Beside { entry, yes, maybe });
            }
        }
        Ok(beside)
    }

    /// As cubes, each entry by itself; those that deny come first, because behind them little is left to be told
    /// apart.
    pub(super) fn classes_of_cubes(
        &self,
        touched: &[&Entry],
        beside: &[Beside<'_>],
        budget: &Budget,
    ) -> Result<Vec<Vec<Cube>>, Exhausted> {
        let mut classes: Vec<(bool, Vec<Cube>)> = Vec::new();
        let mut add = |sort: Sort, yes: Vec<Cube>, maybe: Vec<Cube>| {
            let comes_behind = sort != Sort::Deny;
            classes.extend([(comes_behind, yes), (comes_behind, maybe)]);
        };
        for entry in touched {
            let yes = ways(self.space, &entry.rails.yes, budget)?;
            let maybe = ways(self.space, &entry.rails.maybe, budget)?;
            add(entry.sort, yes, maybe);
        }
        for it in beside {
            add(it.entry.sort, it.yes.clone(), it.maybe.clone());
        }
        classes.sort_by_key(|(comes_behind, _)| *comes_behind);
        Ok(classes.into_iter().map(|(_, class)| class).collect())
    }

    /// As nodes, for many entries; and where an unchanged rule denies, so that nothing changes.
    pub(super) fn classes_of_nodes(
        &self,
        touched: &[&Entry],
        beside: &[Beside<'_>],
    ) -> (Vec<Node>, Node) {
        let mut classes = Vec::new();
        for entry in touched {
            classes.extend([entry.rails.yes.clone(), entry.rails.maybe.clone()]);
        }
        let mut denied = Vec::new();
        let mut alike: BTreeMap<&str, Vec<Node>> = BTreeMap::new();
        let mut denying = Vec::new();
        let mut possible = Vec::new();
        let adjusts = beside.iter().filter(|it| it.entry.sort == Sort::Adjust);
        let is_few = adjusts.count() <= ADJUSTS;
        for it in beside {
            let rails = &it.entry.rails;
            match it.entry.sort {
                Sort::Deny => {
                    denied.push(rails.yes.clone());
                    possible.push(rails.maybe.clone());
                }
                Sort::Lane => {
                    let alike = alike.entry(&it.entry.holds).or_default();
                    alike.push(rails.maybe.clone());
                }
                Sort::Denying => {
                    let alike = alike.entry(&it.entry.holds).or_default();
                    alike.push(rails.yes.clone());
                    let unsure = vec![rails.maybe.clone(), self.space.not(&rails.yes)];
                    denying.push(Node::all(unsure));
                }
                Sort::Adjust if is_few => classes.push(rails.yes.clone()),
                Sort::Again => classes.extend([rails.yes.clone(), rails.maybe.clone()]),
                Sort::Allow | Sort::Adjust => {}
            }
        }
        classes.extend(alike.into_values().map(Node::any));
        classes.extend([Node::any(denying), Node::any(possible)]);
        for sort in [Sort::Adjust, Sort::Allow] {
            let mut before: Vec<Node> = Vec::new();
            for it in beside.iter().filter(|it| it.entry.sort == sort) {
                let yes = it.entry.rails.yes.clone();
                let mut first = vec![yes.clone()];
                first.extend(before.iter().map(|before| self.space.not(before)));
                classes.push(Node::all(first));
                before.push(yes);
            }
        }
        (classes, Node::any(denied))
    }
}
