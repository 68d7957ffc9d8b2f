//! Lanes that contradict each other.

use super::{Asked, Shown, answer, both};
use crate::analysis::space::Point;
use crate::analysis::ways::{Budget, Outside, outside};
use crate::analysis::{Answer, Grade, Question};
use crate::matrix::{Lane, Matrix, StepAction};

impl Asked<'_, '_> {
    /// Lanes that attach together and contradict each other.
    pub(super) fn conflicts(&self, answers: &mut Vec<Answer>) {
        let lanes: Vec<(usize, &Lane)> = self
            .matrix
            .lanes
            .iter()
            .enumerate()
            .filter(|(_, lane)| lane.trial.is_none())
            .collect();
        for (at, (first, one)) in lanes.iter().enumerate() {
            let over = (self.patience)();
            let budget = Budget::new(&*over);
            for (second, other) in lanes.iter().skip(at + 1) {
                let Some(why) = contradiction(self.matrix, one, other) else {
                    continue;
                };
                let (grade, shown) = match self.together(*first, *second, &budget) {
                    Together::Never => continue,
                    Together::So(shown) => (Grade::Confirmed, Some(shown)),
                    Together::NotConfirmed => (Grade::NotConfirmed, None),
                    Together::Unknown => (Grade::NotDecided, None),
                };
                let may = if grade == Grade::Confirmed {
                    ""
                } else {
                    "may "
                };
                let message = format!(
                    "lanes `{}` and `{}` {may}attach together, and {why}",
                    one.name, other.name
                );
                let title = format!("{} and {} together", one.name, other.name);
                let mut answer = answer(
                    Question::Conflict,
                    [&one.name, &other.name],
                    one.head,
                    message,
                    grade,
                );
                answer.witness = shown.map(|shown| self.witness(*shown, &title));
                answers.push(answer);
            }
        }
    }

    /// Whether two lanes attach to one event that is not denied.
    fn together(&self, first: usize, second: usize, budget: &Budget<'_>) -> Together {
        let mut unconfirmed = false;
        for kind in &self.kinds {
            let (Some(one), Some(other)) = (kind.attaches.get(first), kind.attaches.get(second))
            else {
                continue;
            };
            let denied = both(kind.denied.clone(), &kind.denied_unsure);
            let (Ok(one), Ok(other), Ok(denied)) = (one, other, denied) else {
                return Together::Unknown;
            };
            for cube in one
                .iter()
                .flat_map(|cube| other.iter().filter_map(|with| cube.and(with)))
            {
                let found = std::cell::RefCell::new(None);
                let takes = |point: &Point| {
                    let shown = self.decide(kind, point);
                    let names = [first, second]
                        .map(|lane| self.matrix.lanes.get(lane).map(|lane| &lane.name));
                    let has = |name: Option<&String>| {
                        let lanes = shown.as_ref().map(|shown| &shown.decision.lanes);
                        lanes.is_some_and(|lanes| lanes.iter().any(|lane| Some(&lane.lane) == name))
                    };
                    let is_so = names.into_iter().all(has);
                    if is_so {
                        *found.borrow_mut() = shown;
                    }
                    is_so
                };
                match outside(&kind.space, &cube, &denied, &takes, budget) {
                    Outside::Some(_) => {
                        if let Some(shown) = found.into_inner() {
                            return Together::So(Box::new(shown));
                        }
                    }
                    Outside::None => {}
                    Outside::Unknown => unconfirmed = true,
                }
            }
        }
        match unconfirmed {
            true => Together::NotConfirmed,
            false => Together::Never,
        }
    }
}

/// Whether two lanes attach to one event.
enum Together {
    Never,
    So(Box<Shown>),
    NotConfirmed,
    Unknown,
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
