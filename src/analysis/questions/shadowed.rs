//! What `always deny` hides.

use super::{Asked, Came, OfKind, OfLane, answer, tell};
use crate::analysis::ways::{Budget, Outside};
use crate::analysis::{Answer, Grade, Question};
use crate::decision::Verdict;
use crate::matrix::Effect;

impl Asked<'_, '_> {
    /// Lanes that attach only where an `always deny` decides.
    pub(super) fn shadowed(&self, answers: &mut Vec<Answer>) {
        let mut denied = Vec::new();
        for kind in &self.kinds {
            denied.push(kind.denied(self.matrix));
        }
        for (index, lane) in self.matrix.lanes.iter().enumerate() {
            let of = |kind: &'_ OfKind<'_>| kind.lanes.get(index).is_some_and(Option::is_some);
            if !self.kinds.iter().any(of) {
                continue;
            }
            let budget = self.budget();
            let mut came = Outside::None;
            for (kind, denied) in self.kinds.iter().zip(&denied) {
                let Some(Some(OfLane { reaches, .. })) = kind.lanes.get(index) else {
                    continue;
                };
                match kind.prover.find(&[reaches], denied, &|_| true, &budget) {
                    Outside::None => {}
                    Outside::Unknown => came = Outside::Unknown,
                    other => {
                        came = other;
                        break;
                    }
                }
            }
            let grade = match came {
                Outside::Some(_) | Outside::Unconfirmed => continue,
                Outside::None => Grade::Proved,
                Outside::Unknown => Grade::NotDecided,
            };
            let shown = self.find_in(|kind| self.denies(kind, index, &budget));
            let Came::Shown(shown) = shown else {
                // It is dead, or nothing is known of it.
                continue;
            };
            let message = match grade {
                Grade::NotDecided => format!(
                    "lane `{}` may attach only where `always deny` decides",
                    lane.name
                ),
                _ => format!(
                    "lane `{}` attaches only where `always deny {}` decides: it never opens",
                    lane.name,
                    self.denying(index, &budget)
                ),
            };
            let title = format!("{} is never asked", lane.name);
            let answer = answer(Question::Shadowed, [&lane.name], lane.head, message, grade);
            tell(answers, answer, Some(shown), title);
        }
    }

    /// An event at which a lane looks, and that is denied.
    fn denies(&self, kind: &OfKind<'_>, lane: usize, budget: &Budget) -> Came {
        let Some(Some(OfLane { reaches, .. })) = kind.lanes.get(lane) else {
            return Came::Never;
        };
        let is_denied = |shown: &super::Shown| shown.verdict() == Verdict::Deny;
        self.find(kind, &[reaches], &[], &is_denied, budget)
    }

    /// The rules that deny where a lane attaches.
    fn denying(&self, lane: usize, budget: &Budget) -> String {
        let rules = self.matrix.rules.iter().enumerate();
        let names = rules.filter(|(index, rule)| {
            rule.effect == Effect::Deny
                && self.kinds.iter().any(|kind| {
                    let (Some(Some(of)), Some(Some(rule))) =
                        (kind.lanes.get(lane), kind.rules.get(*index))
                    else {
                        return false;
                    };
                    let both = [&of.reaches, &rule.applies];
                    let came = kind.prover.find(&both, &[], &|_| true, budget);
                    matches!(came, Outside::Some(_))
                })
        });
        let names: Vec<&str> = names.map(|(_, rule)| rule.name.as_str()).collect();
        names.join("`, `")
    }
}
