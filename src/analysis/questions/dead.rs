//! What no event meets.

use super::{Asked, OfKind, answer};
use crate::analysis::prover::Part;
use crate::analysis::{Answer, Grade, Question};

impl Asked<'_, '_> {
    /// Lanes that never attach, and rules that never apply.
    pub(super) fn dead(&self, answers: &mut Vec<Answer>) {
        for (index, lane) in self.matrix.lanes.iter().enumerate() {
            let grade = self.never(|kind| Some(&kind.lanes.get(index)?.as_ref()?.reaches));
            answers.extend(grade.map(|grade| {
                let what = match grade {
                    Grade::NotDecided => "may never fire",
                    _ => "can neither fire nor be unsure: no event meets its trigger",
                };
                let message = format!("lane `{}` {what}", lane.name);
                answer(Question::Dead, [&lane.name], lane.head, message, grade)
            }));
        }
        for (index, rule) in self.matrix.rules.iter().enumerate() {
            let grade = self.never(|kind| Some(&kind.rules.get(index)?.as_ref()?.possible));
            answers.extend(grade.map(|grade| {
                let what = match grade {
                    Grade::NotDecided => "may never apply",
                    _ => "never applies: no event meets its condition",
                };
                let message = format!("`{} {}` {what}", rule.effect.as_str(), rule.name);
                answer(Question::Dead, [&rule.name], rule.head, message, grade)
            }));
        }
    }

    /// How sure it is that something has no event of any kind; nothing where it has one.
    pub(super) fn never<'s>(
        &'s self,
        of: impl Fn(&'s OfKind<'s>) -> Option<&'s Part>,
    ) -> Option<Grade> {
        let budget = self.budget();
        let mut grade = Grade::Proved;
        for kind in &self.kinds {
            let Some(part) = of(kind) else { continue };
            match kind.prover.is_possible(part, &budget) {
                Some(true) => return None,
                Some(false) => {}
                None => grade = Grade::NotDecided,
            }
        }
        Some(grade)
    }
}
