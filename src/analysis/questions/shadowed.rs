//! What `always deny` hides.

use super::{Asked, answer};
use crate::analysis::ways::{Budget, Outside, outside};
use crate::analysis::{Answer, Grade, Question};
use crate::decision::Verdict;
use crate::matrix::Effect;

impl Asked<'_, '_> {
    /// Lanes that attach only where an `always deny` decides.
    pub(super) fn shadowed(&self, answers: &mut Vec<Answer>) {
        for (index, lane) in self.matrix.lanes.iter().enumerate() {
            let mut grade = Grade::Proved;
            let mut reaches = false;
            let mut free = false;
            let over = (self.patience)();
            let budget = Budget::new(&*over);
            for kind in &self.kinds {
                let (Some(Ok(ways)), Ok(denied)) = (kind.reaches.get(index), &kind.denied) else {
                    grade = Grade::NotDecided;
                    continue;
                };
                reaches |= !ways.is_empty();
                if !ways.is_empty() && kind.impossible() == Grade::NotDecided {
                    grade = Grade::NotDecided;
                }
                for cube in ways {
                    match outside(&kind.space, cube, denied, &|_| true, &budget) {
                        Outside::Some(_) => free = true,
                        Outside::None => {}
                        Outside::Unknown => grade = Grade::NotDecided,
                    }
                    if free {
                        break;
                    }
                }
            }
            if free || !reaches {
                continue;
            }
            let names = self.denying(index);
            let shown = self.kinds.iter().find_map(|kind| {
                let cube = kind.reaches.get(index)?.as_ref().ok()?.first()?;
                self.show(kind, cube, &|shown| shown.decision.verdict == Verdict::Deny)
            });
            let message = match grade {
                Grade::NotDecided => format!(
                    "lane `{}` may attach only where `always deny` decides",
                    lane.name
                ),
                _ => format!(
                    "lane `{}` attaches only where `always deny {names}` decides: it never opens",
                    lane.name
                ),
            };
            let title = format!("{} is never asked", lane.name);
            let mut answer = answer(Question::Shadowed, [&lane.name], lane.head, message, grade);
            answer.witness = shown.map(|shown| self.witness(shown, &title));
            answers.push(answer);
        }
    }

    /// The rules that deny where a lane attaches.
    fn denying(&self, lane: usize) -> String {
        let rules = self.matrix.rules.iter().enumerate();
        let names = rules.filter(|(index, rule)| {
            rule.effect == Effect::Deny
                && self.kinds.iter().any(|kind| {
                    let (Some(Ok(ways)), Some((Ok(yes), _))) =
                        (kind.reaches.get(lane), kind.applies.get(*index))
                    else {
                        return false;
                    };
                    ways.iter()
                        .any(|cube| yes.iter().any(|rule| cube.meets(rule)))
                })
        });
        let names: Vec<&str> = names.map(|(_, rule)| rule.name.as_str()).collect();
        names.join("`, `")
    }
}
