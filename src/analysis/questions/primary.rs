//! Lanes that are never the first one.

use std::cmp::Reverse;

use super::{Asked, Came, OfKind, Shown, answer, tell};
use crate::analysis::prover::Part;
use crate::analysis::ways::Budget;
use crate::analysis::{Answer, Grade, Question};
use crate::decision::{State, Verdict};
use crate::matrix::{Lane, Unsure};

impl Asked<'_, '_> {
    /// Lanes that attach, and always behind another one: their urgency and their notice never count.
    pub(super) fn never_primary(&self, answers: &mut Vec<Answer>) {
        for lane in self.matrix.lanes.iter().filter(|lane| lane.trial.is_none()) {
            let budget = self.budget();
            let came = self.find_in(|kind| self.is_primary(kind, lane, &budget));
            let grade = match came {
                Came::Shown(_) | Came::Unconfirmed => continue,
                Came::Never => Grade::Proved,
                Came::Unknown => Grade::NotDecided,
            };
            // One that never opens at all is told of as dead or shadowed.
            let open = self.find_in(|kind| self.opens(kind, lane, &budget));
            let Came::Shown(shown) = open else { continue };
            let what = match grade {
                Grade::Proved => "is never the primary lane: another one always comes before it",
                _ => "may never be the primary lane",
            };
            let message = format!("lane `{}` {what}", lane.name);
            let about = [&lane.name];
            let answer = answer(Question::NeverPrimary, about, lane.head, message, grade);
            let title = format!("{} behind another lane", lane.name);
            tell(answers, answer, Some(shown), title);
        }
    }

    /// An event of a kind that opens a lane before all others.
    fn is_primary(&self, kind: &OfKind<'_>, lane: &Lane, budget: &Budget) -> Came {
        let Some(Some(of)) = kind.lanes.get(lane.id.index()) else {
            return Came::Never;
        };
        let is_first = |shown: &Shown| {
            shown.verdict() == Verdict::Escalate && shown.decision().by == lane.name
        };
        let mut states = vec![(State::Fired, &of.fires)];
        if lane.unsure == Unsure::Escalate {
            states.push((State::Unsure, of.unsure(&kind.prover)));
        }
        let mut came = Came::Never;
        for (state, part) in states {
            // Mostly any event of it will do.
            let first = self.find(kind, &[part], &[], &|_| true, budget);
            came = came.or(match first {
                Came::Shown(shown) if is_first(&shown) => Came::Shown(shown),
                Came::Never => Came::Never,
                _ => {
                    let mut before = self.before(kind, lane, state);
                    before.extend(kind.denied(self.matrix));
                    before.extend(kind.denied_unsure(self.matrix));
                    self.find(kind, &[part], &before, &is_first, budget)
                }
            });
            if matches!(came, Came::Shown(_)) {
                break;
            }
        }
        came
    }

    /// Where another lane comes before one in that state: by urgency, then by state, then by place.
    fn before<'k>(&'k self, kind: &'k OfKind<'_>, lane: &Lane, state: State) -> Vec<&'k Part> {
        let rank = |lane: &Lane, state: State| (Reverse(lane.terms.urgency), state, lane.id);
        let own = rank(lane, state);
        let others = kind.lanes(self.matrix);
        let others = others.filter(|(other, _)| other.id != lane.id && other.trial.is_none());
        let parts = others.flat_map(|(other, of)| {
            let fired = (rank(other, State::Fired) < own).then_some(&of.fires);
            let asks = other.unsure == Unsure::Escalate;
            let unsure =
                (asks && rank(other, State::Unsure) < own).then(|| of.unsure(&kind.prover));
            [fired, unsure]
        });
        parts.flatten().collect()
    }

    /// An event of a kind that opens a lane.
    fn opens(&self, kind: &OfKind<'_>, lane: &Lane, budget: &Budget) -> Came {
        let Some(Some(of)) = kind.lanes.get(lane.id.index()) else {
            return Came::Never;
        };
        let mut denied = kind.denied(self.matrix);
        denied.extend(kind.denied_unsure(self.matrix));
        let part = super::attaches(lane, of);
        self.find(kind, &[part], &denied, &|_| true, budget)
    }
}
