//! What no event meets.

use super::{Asked, OfKind, Ways, answer};
use crate::analysis::ways::Exhausted;
use crate::analysis::{Answer, Grade, Question};

impl Asked<'_, '_> {
    /// Lanes that never attach, and rules that never apply.
    pub(super) fn dead(&self, answers: &mut Vec<Answer>) {
        for (index, lane) in self.matrix.lanes.iter().enumerate() {
            let grade = self.never(|kind| kind.reaches.get(index));
            answers.extend(grade.map(|grade| {
                let what = match grade {
                    Grade::NotDecided => {
                        "may never fire: its trigger has too many ways to be taken apart"
                    }
                    _ => "can neither fire nor be unsure: no event meets its trigger",
                };
                answer(
                    Question::Dead,
                    [&lane.name],
                    lane.head,
                    format!("lane `{}` {what}", lane.name),
                    grade,
                )
            }));
        }
        for (index, rule) in self.matrix.rules.iter().enumerate() {
            let grade = self.never(|kind| kind.applies.get(index).map(|(_, maybe)| maybe));
            answers.extend(grade.map(|grade| {
                let what = match grade {
                    Grade::NotDecided => {
                        "may never apply: its condition has too many ways to be taken apart"
                    }
                    _ => "never applies: no event meets its condition",
                };
                let message = format!("`{} {}` {what}", rule.effect.as_str(), rule.name);
                answer(Question::Dead, [&rule.name], rule.head, message, grade)
            }));
        }
    }

    /// How sure it is that something has no way in any kind; nothing where it has one.
    fn never<'s>(&'s self, of: impl Fn(&'s OfKind<'_>) -> Option<&'s Ways>) -> Option<Grade> {
        let mut grade = Grade::Proved;
        for kind in &self.kinds {
            match of(kind) {
                Some(Ok(ways)) if !ways.is_empty() => return None,
                Some(Ok(_)) | None => {
                    if kind.impossible() == Grade::NotDecided {
                        grade = Grade::NotDecided;
                    }
                }
                Some(Err(Exhausted)) => grade = Grade::NotDecided,
            }
        }
        Some(grade)
    }
}
