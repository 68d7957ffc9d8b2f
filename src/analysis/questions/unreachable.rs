//! Parts of triggers that change nothing.

use super::{Asked, OfKind, Rails, answer, trigger_with};
use crate::analysis::space::With;
use crate::analysis::ways::{Budget, Outside};
use crate::analysis::{Answer, Grade, Question};
use crate::matrix::{Expr, ExprKind};
use crate::schema::KindId;
use crate::span::Span;

/// Whether a part matters.
#[derive(PartialEq, Eq)]
enum Matters {
    Yes,
    No,
    Unknown,
}

/// A lane or a rule, as far as it is looked through.
struct Looked<'m> {
    what: String,
    name: &'m str,
    head: Span,
    on: &'m [KindId],
    when: &'m Expr,
    unless: Option<&'m Expr>,
}

impl Asked<'_, '_> {
    /// Tests of a trigger without which it is the same for every event.
    pub(super) fn unreachable(&self, answers: &mut Vec<Answer>) {
        let lanes = self.matrix.lanes.iter().map(|lane| Looked {
            what: format!("lane `{}`", lane.name),
            name: &lane.name,
            head: lane.head,
            on: &lane.on,
            when: &lane.when,
            unless: lane.unless.as_ref(),
        });
        let rules = self.matrix.rules.iter().map(|rule| Looked {
            what: format!("`{} {}`", rule.effect.as_str(), rule.name),
            name: &rule.name,
            head: rule.head,
            on: &rule.on,
            when: &rule.when,
            unless: None,
        });
        for looked in lanes.chain(rules) {
            let budget = self.budget();
            let mut leaves = Vec::new();
            for expr in [Some(looked.when), looked.unless].into_iter().flatten() {
                collect(expr, &mut leaves);
            }
            // By itself it is the trigger, and told of as dead if it never holds.
            if leaves.len() < 2 {
                continue;
            }
            // What never fires has no part that matters.
            if self.never_holds(&looked, &budget) {
                continue;
            }
            let mut is_known = true;
            for leaf in leaves {
                match self.matters(&looked, leaf, &budget) {
                    Matters::Yes => {}
                    Matters::Unknown => is_known = false,
                    Matters::No => {
                        let text = self.text(leaf);
                        let message = format!(
                            "`{text}` changes nothing in {}: without it the same events meet it",
                            looked.what
                        );
                        let about = [looked.name];
                        let grade = Grade::Proved;
                        answers.push(answer(
                            Question::Unreachable,
                            about,
                            leaf.span,
                            message,
                            grade,
                        ));
                    }
                }
            }
            if !is_known {
                let message = format!(
                    "it is not known whether every part of {} matters",
                    looked.what
                );
                let about = [looked.name];
                let grade = Grade::NotDecided;
                answers.push(answer(
                    Question::Unreachable,
                    about,
                    looked.head,
                    message,
                    grade,
                ));
            }
        }
    }

    fn of<'k>(&'k self, looked: &Looked<'_>) -> impl Iterator<Item = &'k OfKind<'k>> {
        let on = looked.on.to_vec();
        self.kinds
            .iter()
            .filter(move |kind| on.contains(&kind.kind.id))
    }

    fn never_holds(&self, looked: &Looked<'_>, budget: &Budget) -> bool {
        self.of(looked).all(|kind| {
            let rails = trigger_with(
                &kind.prover.space,
                0,
                looked.when,
                looked.unless,
                With::AsIs,
            );
            let maybe = kind.prover.part(rails.maybe);
            kind.prover.is_possible(&maybe, budget) == Some(false)
        })
    }

    /// Whether a trigger is another one where a part of it always holds, and where it never does.
    fn matters(&self, looked: &Looked<'_>, leaf: &Expr, budget: &Budget) -> Matters {
        let mut matters = Matters::Yes;
        for holds in [true, false] {
            let replaced = With::Part { part: leaf, holds };
            let mut changes = Matters::No;
            for kind in self.of(looked) {
                let space = &kind.prover.space;
                let of = |with: With<'_>| trigger_with(space, 0, looked.when, looked.unless, with);
                match differ(kind, of(With::AsIs), of(replaced), budget) {
                    Matters::Yes => {
                        changes = Matters::Yes;
                        break;
                    }
                    Matters::Unknown => changes = Matters::Unknown,
                    Matters::No => {}
                }
            }
            match changes {
                Matters::No => return Matters::No,
                Matters::Unknown => matters = Matters::Unknown,
                Matters::Yes => {}
            }
        }
        matters
    }

    /// A part in canonical words.
    fn text(&self, leaf: &Expr) -> String {
        match &leaf.kind {
            ExprKind::Test(test) => test.text.clone(),
            ExprKind::Measure(test) => test.text.clone(),
            ExprKind::Condition(id) => {
                let condition = self.matrix.condition(*id);
                condition.map_or_else(String::new, |condition| condition.name.clone())
            }
            _ => String::new(),
        }
    }
}

/// Whether two triggers differ for some event of a kind.
fn differ(kind: &OfKind<'_>, one: Rails, other: Rails, budget: &Budget) -> Matters {
    let mut known = Matters::No;
    for (one, other) in [(one.yes, other.yes), (one.maybe, other.maybe)] {
        if one == other {
            continue;
        }
        let (one, other) = (kind.prover.part(one), kind.prover.part(other));
        for (among, but) in [(&one, &other), (&other, &one)] {
            match kind.prover.find(&[among], &[but], &|_| true, budget) {
                Outside::None => {}
                Outside::Some(_) | Outside::Unconfirmed => return Matters::Yes,
                Outside::Unknown => known = Matters::Unknown,
            }
        }
    }
    known
}

/// The tests of an expression; a named condition is one.
fn collect<'e>(expr: &'e Expr, leaves: &mut Vec<&'e Expr>) {
    match &expr.kind {
        ExprKind::All(parts)
        | ExprKind::Any(parts)
        | ExprKind::None(parts)
        | ExprKind::AtLeast(_, parts) => parts.iter().for_each(|part| collect(part, leaves)),
        ExprKind::Not(inner) => collect(inner, leaves),
        ExprKind::Condition(_) | ExprKind::Test(_) | ExprKind::Measure(_) => leaves.push(expr),
    }
}
