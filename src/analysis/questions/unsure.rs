//! Lanes that can be unsure, and of what.

use super::{Asked, Came, Shown, answer, tell};
use crate::analysis::{Answer, Grade, Question};
use crate::decision::State;
use crate::matrix::Unsure;

impl Asked<'_, '_> {
    /// Which optional fields can make which lanes unsure.
    pub(super) fn unsure(&self, answers: &mut Vec<Answer>) {
        for (index, lane) in self.matrix.lanes.iter().enumerate() {
            let budget = self.budget();
            let mut fields: Vec<String> = Vec::new();
            let mut first = None;
            for kind in &self.kinds {
                let Some(Some(of)) = kind.lanes.get(index) else {
                    continue;
                };
                let unsure = of.unsure(&kind.prover);
                for (dim, field, missing) in kind.prover.space.optional() {
                    if !kind.prover.asks_of(unsure, dim) {
                        continue;
                    }
                    let path = field.path.to_string();
                    if fields.contains(&path) {
                        continue;
                    }
                    let missing = kind.prover.part(missing);
                    let among = [unsure, &missing];
                    let is_unsure = |shown: &Shown| {
                        let mut lanes = shown.decision().lanes.iter();
                        shown.has_attached(lane)
                            && lanes.any(|it| it.lane == lane.name && it.state == State::Unsure)
                    };
                    // A lane that skips is on no list.
                    let came = match lane.unsure {
                        Unsure::Escalate if lane.trial.is_none() => {
                            self.find(kind, &among, &[], &is_unsure, &budget)
                        }
                        _ => self.find(kind, &among, &[], &|_| true, &budget),
                    };
                    if let Came::Shown(shown) = came {
                        fields.push(path);
                        first.get_or_insert(shown);
                    }
                }
            }
            if fields.is_empty() {
                continue;
            }
            let then = match lane.unsure {
                Unsure::Escalate => "it asks all the same",
                Unsure::Deny => "it denies then",
                Unsure::Skip(_) => "it is skipped then",
            };
            let message = format!(
                "lane `{}` can be unsure where `{}` is missing: {then}",
                lane.name,
                fields.join("` or `")
            );
            let about = [&lane.name];
            let answer = answer(
                Question::Unsure,
                about,
                lane.head,
                message,
                Grade::Confirmed,
            );
            let title = format!("{} is unsure", lane.name);
            tell(answers, answer, first, title);
        }
    }
}
