//! Adjusts that set one field differently.

use super::{Asked, Came, Shown, answer, tell};
use crate::analysis::{Answer, Grade, Question};
use crate::event::ProblemCode;
use crate::matrix::{Effect, Rule};

impl Asked<'_, '_> {
    /// Two adjusts that can apply to one event and set one path differently.
    pub(super) fn adjusts(&self, answers: &mut Vec<Answer>) {
        let rules = self.matrix.rules.iter().enumerate();
        let adjusts: Vec<(usize, &Rule)> = rules
            .filter(|(_, rule)| matches!(rule.effect, Effect::Adjust(_)))
            .collect();
        for (place, (first, one)) in adjusts.iter().enumerate() {
            let budget = self.budget();
            for (second, other) in adjusts.iter().skip(place + 1) {
                let Some(field) = clash(one, other) else {
                    continue;
                };
                let is_clash = |shown: &Shown| {
                    let mut problems = shown.decision().problems.iter();
                    problems.any(|problem| problem.code == ProblemCode::AdjustConflict)
                };
                let came = self.find_in(|kind| {
                    let of = |index: usize| kind.rules.get(index).and_then(Option::as_ref);
                    let (Some(ours), Some(theirs)) = (of(*first), of(*second)) else {
                        return Came::Never;
                    };
                    let both = [&ours.applies, &theirs.applies];
                    // Nothing is adjusted where a lane asks or an `always deny` decides.
                    let mut strict = kind.denied(self.matrix);
                    strict.extend(kind.denied_unsure(self.matrix));
                    strict.extend(kind.ruled_by_unreadable(self.matrix));
                    let attaching = kind.attaching(self.matrix);
                    strict.extend(attaching.into_iter().map(|(_, part)| part));
                    self.find(kind, &both, &strict, &is_clash, &budget)
                });
                let Some(grade) = came.grade() else { continue };
                let may = if grade == Grade::Confirmed {
                    ""
                } else {
                    "may "
                };
                let path = self.matrix.schema.path(field);
                let message = format!(
                    "`adjust {}` and `adjust {}` {may}apply together, and set `{path}` differently",
                    one.name, other.name
                );
                let about = [&one.name, &other.name];
                let answer = answer(Question::Adjusts, about, one.head, message, grade);
                let title = format!("{} and {} together", one.name, other.name);
                tell(answers, answer, came.shown(), title);
            }
        }
    }
}

/// A field that both set, to different values.
fn clash(one: &Rule, other: &Rule) -> Option<crate::schema::FieldId> {
    let (Effect::Adjust(ours), Effect::Adjust(theirs)) = (&one.effect, &other.effect) else {
        return None;
    };
    let differs = ours.iter().find(|(field, value)| {
        theirs
            .iter()
            .any(|(other, set)| other == field && set != value)
    });
    differs.map(|(field, _)| *field)
}
