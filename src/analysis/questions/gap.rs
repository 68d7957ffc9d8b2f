//! What reaches `otherwise`.

use super::{Asked, Came, OfKind, Shown, answer, tell};
use crate::analysis::prover::Part;
use crate::analysis::{Answer, Grade, Question};
use crate::matrix::Effect;

/// Values of one field that are listed.
const VALUES: usize = 24;

impl Asked<'_, '_> {
    /// Kinds whose events can reach `otherwise`, and for which values of their closed sets.
    pub(super) fn gaps(&self, answers: &mut Vec<Answer>) {
        for kind in &self.kinds {
            let budget = self.budget();
            let name = &kind.kind.name;
            let decided = self.decided(kind);
            let is_gap = |shown: &Shown| shown.decision().by == "otherwise";
            let came = self.find(kind, &[], &decided, &is_gap, &budget);
            let Some(grade) = came.grade() else { continue };
            let is_sure = grade == Grade::Confirmed;
            let message = match is_sure {
                true => format!(
                    "events `{name}` can reach `otherwise`{}",
                    self.values(kind, &decided)
                ),
                false => format!("it is not known whether events `{name}` can reach `otherwise`"),
            };
            let span = kind
                .kind
                .fields
                .first()
                .map(|field| field.span)
                .unwrap_or_default();
            let answer = answer(Question::Gap, [&**name], span, message, grade);
            let title = format!("a {name} that nothing looks at");
            tell(answers, answer, came.shown(), title);
        }
    }

    /// For which values of closed sets, where not for all.
    fn values(&self, kind: &OfKind<'_>, decided: &[&Part]) -> String {
        let mut words = String::new();
        for (field, values) in kind.prover.space.closed() {
            let budget = self.budget();
            let (mut with, mut without) = (Vec::new(), Vec::new());
            for (value, node) in values {
                let part = kind.prover.part(node);
                let is_gap = |shown: &Shown| shown.decision().by == "otherwise";
                match self.find(kind, &[&part], decided, &is_gap, &budget) {
                    Came::Shown(_) => with.push(value.to_string()),
                    Came::Never => without.push(value.to_string()),
                    Came::Unconfirmed | Came::Unknown => {}
                }
            }
            if !without.is_empty() && !with.is_empty() {
                let path = &field.path;
                let (how, few) = match with.len() <= without.len() {
                    true => ("where", with),
                    false => ("but not where", without),
                };
                let shown: Vec<String> = few.iter().take(VALUES).cloned().collect();
                let more = match few.len() - shown.len() {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                words.push_str(&format!("; {how} `{path}` is {}{more}", shown.join(" or ")));
            }
        }
        words
    }

    /// Events of a kind that surely come to a lane or a rule.
    fn decided<'k>(&'k self, kind: &'k OfKind<'_>) -> Vec<&'k Part> {
        let mut decided = kind.denied_unsure(self.matrix);
        let attaching = kind.attaching(self.matrix);
        decided.extend(attaching.into_iter().map(|(_, part)| part));
        let rules = kind.rules(self.matrix);
        decided.extend(rules.map(|(rule, of)| match rule.effect {
            Effect::Deny => &of.possible,
            Effect::Allow | Effect::Adjust(_) => &of.applies,
        }));
        decided
    }
}
