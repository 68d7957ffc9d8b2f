//! Lanes that attach together, and what that asks of people.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::conflict::contradict;
use super::pairs::Pairs;
use super::{Asked, Came, Shown, answer, tell};
use crate::analysis::{Answer, Grade, Question};
use crate::matrix::{Lane, LaneId};

/// Lanes beside one that are looked for; a lane with more has many.
const BESIDE: usize = 12;

/// A lane, those that attach beside it, and an event of most of them.
type Beside<'l> = (&'l Lane, Vec<&'l Lane>, Option<Arc<Shown>>, bool);

impl Asked<'_, '_> {
    /// Lanes that attach together without a contradiction: several sign-offs for one event.
    pub(super) fn overlaps(&self, answers: &mut Vec<Answer>) {
        let mut found: BTreeMap<LaneId, Beside<'_>> = BTreeMap::new();
        for kind in &self.kinds {
            let budget = self.budget();
            let pairs = Pairs::of(self, kind, &budget);
            for (one, (lane, _)) in pairs.lanes.iter().enumerate() {
                for (other, (beside, _)) in pairs.lanes.iter().enumerate().skip(one + 1) {
                    if pairs.are_apart(one, other) || contradict(lane, beside) {
                        continue;
                    }
                    let known = found.get(&lane.id);
                    if known.is_some_and(|(_, all, ..)| all.len() >= BESIDE) {
                        if let Some((.., is_more)) = found.get_mut(&lane.id) {
                            *is_more = true;
                        }
                        break;
                    }
                    if known.is_some_and(|(_, all, ..)| all.iter().any(|it| it.id == beside.id)) {
                        continue;
                    }
                    let Came::Shown(shown) = pairs.together(self, one, other, &budget) else {
                        continue;
                    };
                    let (_, all, best, _) =
                        found
                            .entry(lane.id)
                            .or_insert((lane, Vec::new(), None, false));
                    all.push(beside);
                    let many = |shown: &Shown| shown.lanes().len();
                    if best.as_ref().is_none_or(|best| many(&shown) > many(best)) {
                        *best = Some(shown);
                    }
                }
            }
        }
        for (lane, beside, shown, is_more) in found.into_values() {
            let names: Vec<String> = beside.iter().map(|it| format!("`{}`", it.name)).collect();
            let more = if is_more { " and others" } else { "" };
            let mut teams: Vec<&str> = [lane]
                .iter()
                .chain(&beside)
                .map(|lane| self.matrix.team_name(lane.terms.owner))
                .collect();
            teams.sort_unstable();
            teams.dedup();
            let signs = match &teams[..] {
                [team] => format!("each asks `{team}` for a sign-off of its own"),
                teams => format!("they ask for sign-offs of `{}`", teams.join("` and `")),
            };
            let message = format!(
                "lane `{}` can attach together with {}{more}: {signs}",
                lane.name,
                names.join(", ")
            );
            let about = [lane].into_iter().chain(beside).map(|lane| &lane.name);
            let answer = answer(
                Question::Overlap,
                about,
                lane.head,
                message,
                Grade::Confirmed,
            );
            let title = format!("{} and others together", lane.name);
            tell(answers, answer, shown, title);
        }
    }
}
