//! Lanes that contradict each other.

use std::collections::BTreeMap;

use super::pairs::Pairs;
use super::{Asked, Came, answer, tell};
use crate::analysis::{Answer, Grade, Question};
use crate::matrix::{Lane, LaneId, Matrix, StepAction};

impl Asked<'_, '_> {
    /// Lanes that attach together and contradict each other.
    pub(super) fn conflicts(&self, answers: &mut Vec<Answer>) {
        let mut found: BTreeMap<(LaneId, LaneId), (&Lane, &Lane, Came)> = BTreeMap::new();
        for kind in &self.kinds {
            let budget = self.budget();
            let pairs = Pairs::of(self, kind, &budget);
            let sorts: Vec<Sort> = pairs.lanes.iter().map(|(lane, _)| Sort::of(lane)).collect();
            for (one, ours) in sorts.iter().enumerate() {
                for (other, theirs) in sorts.iter().enumerate().skip(one + 1) {
                    if pairs.are_apart(one, other) || !ours.contradicts(theirs) {
                        continue;
                    }
                    let lanes = pairs.lanes.get(one).zip(pairs.lanes.get(other));
                    let Some(((first, _), (second, _))) = lanes else {
                        continue;
                    };
                    let key = (first.id, second.id);
                    let known = found.remove(&key).map(|(.., came)| came);
                    let came = match known {
                        Some(Came::Shown(shown)) => Came::Shown(shown),
                        known => {
                            let came = pairs.together(self, one, other, &budget);
                            known.unwrap_or(Came::Never).or(came)
                        }
                    };
                    if !matches!(came, Came::Never) {
                        found.insert(key, (first, second, came));
                    }
                }
            }
        }
        for (one, other, came) in found.into_values() {
            let (Some(why), Some(grade)) = (contradiction(self.matrix, one, other), came.grade())
            else {
                continue;
            };
            let may = match grade {
                Grade::Confirmed => "",
                _ => "may ",
            };
            let message = format!(
                "lanes `{}` and `{}` {may}attach together, and {why}",
                one.name, other.name
            );
            let title = format!("{} and {} together", one.name, other.name);
            let about = [&one.name, &other.name];
            let answer = answer(Question::Conflict, about, one.head, message, grade);
            tell(answers, answer, came.shown(), title);
        }
    }
}

/// What of a lane can contradict another.
#[derive(Clone, Copy)]
struct Sort {
    end: Option<End>,
    runs: bool,
    owner: crate::matrix::TeamId,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Allow,
    Deny,
    Expire,
}

impl Sort {
    fn of(lane: &Lane) -> Self {
        Self {
            end: end(lane).map(|action| match action {
                StepAction::Deny => End::Deny,
                StepAction::Expire => End::Expire,
                _ => End::Allow,
            }),
            runs: lane.terms.hold.is_running(),
            owner: lane.terms.owner,
        }
    }

    /// Whether there is a [`contradiction`].
    pub(super) fn contradicts(self, other: &Self) -> bool {
        let (Some(ours), Some(theirs)) = (self.end, other.end) else {
            return false;
        };
        (ours == End::Allow) != (theirs == End::Allow)
            || self.runs != other.runs && ours != End::Allow
            || self.owner == other.owner && ours != theirs
    }
}

/// Whether two lanes contradict each other where they attach together.
pub(super) fn contradict(one: &Lane, other: &Lane) -> bool {
    Sort::of(one).contradicts(&Sort::of(other))
}

/// Why two lanes contradict each other, if they do.
fn contradiction(matrix: &Matrix, one: &Lane, other: &Lane) -> Option<String> {
    let (ours, theirs) = (end(one)?, end(other)?);
    let allows = |end: &StepAction| matches!(end, StepAction::Allow(_));
    let word = |end: &StepAction| match end {
        StepAction::Deny => "deny",
        StepAction::Expire => "expire",
        _ => "allow",
    };
    let (our, their) = (word(ours), word(theirs));
    if allows(ours) != allows(theirs) {
        return Some(format!(
            "silence ends the one in `{our}` and the other in `{their}`"
        ));
    }
    let runs = |lane: &Lane| lane.terms.hold.is_running();
    if runs(one) != runs(other) && !allows(ours) {
        let (free, bound) = if runs(one) {
            (one, other)
        } else {
            (other, one)
        };
        return Some(format!(
            "`{}` lets the action run while `{}` keeps it",
            free.name, bound.name
        ));
    }
    if one.terms.owner == other.terms.owner && our != their {
        let team = matrix.team_name(one.terms.owner);
        return Some(format!(
            "silence of `{team}` ends the one in `{our}` and the other in `{their}`"
        ));
    }
    None
}

/// How a lane ends if nobody answers.
fn end(lane: &Lane) -> Option<&StepAction> {
    lane.terms.steps.last().map(|step| &step.action)
}
