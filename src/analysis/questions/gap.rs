//! What reaches `otherwise`.

use super::{Asked, OfKind, Ways, answer, both};
use crate::analysis::cube::Cube;
use crate::analysis::space::Point;
use crate::analysis::ways::{Budget, Exhausted, Outside, outside};
use crate::analysis::{Answer, Grade, Question};
use crate::matrix::Effect;

impl Asked<'_, '_> {
    /// Kinds whose events can reach `otherwise`.
    pub(super) fn gaps(&self, answers: &mut Vec<Answer>) {
        for kind in &self.kinds {
            let over = (self.patience)();
            let budget = Budget::new(&*over);
            let name = &kind.kind.name;
            let found = std::cell::RefCell::new(None);
            let takes = |point: &Point| match self.decide(kind, point) {
                Some(shown) if shown.decision.by == "otherwise" => {
                    *found.borrow_mut() = Some(shown);
                    true
                }
                _ => false,
            };
            let came = match self.decided(kind) {
                Ok(decided) => outside(&kind.space, &Cube::all(), &decided, &takes, &budget),
                Err(Exhausted) => Outside::Unknown,
            };
            let span = kind
                .kind
                .fields
                .first()
                .map(|field| field.span)
                .unwrap_or_default();
            let (grade, message) = match came {
                Outside::None => continue,
                Outside::Some(_) => (
                    Grade::Confirmed,
                    format!("events `{name}` can reach `otherwise`"),
                ),
                Outside::Unknown => (
                    Grade::NotDecided,
                    format!("it is not known whether events `{name}` can reach `otherwise`"),
                ),
            };
            let shown = found.into_inner();
            let mut answer = answer(Question::Gap, [&**name], span, message, grade);
            answer.witness =
                shown.map(|shown| self.witness(shown, &format!("a {name} that nothing looks at")));
            answers.push(answer);
        }
    }

    /// Events of a kind that surely come to a lane or a rule.
    fn decided(&self, kind: &OfKind<'_>) -> Ways {
        let mut decided = kind.denied_unsure.clone();
        for (lane, ways) in self.matrix.lanes.iter().zip(&kind.attaches) {
            if lane.trial.is_none() {
                decided = both(decided, ways);
            }
        }
        for (rule, (yes, maybe)) in self.matrix.rules.iter().zip(&kind.applies) {
            let applies = if rule.effect == Effect::Deny {
                maybe
            } else {
                yes
            };
            decided = both(decided, applies);
        }
        decided
    }
}
