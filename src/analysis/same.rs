//! Whether two matrices that differ in conditions only demand the same of every event, whatever happened before it.
//!
//! In: a matrix, and one with the same lanes and rules that asks otherwise. Out: whether it is proved.
//! Invariant: nothing is called the same that an event and a history could tell apart. A lane on trial counts as if
//! it had effect, because its trial ends.
//! Method: each trigger is compared by itself, with any amount of each measure; only what a sure `always deny` hides
//! on both sides may differ, and for rules that give way to lanes what lanes ask about anyway.

use super::questions::trigger;
use super::space::{Node, Rails, Space};
use super::ways::{Budget, ways};
use crate::matrix::{
    Effect, Expr, ExprKind, Lane, Matrix, Measure, Otherwise, Rule, TestOp, Unsure,
};
use crate::schema::Kind;

/// Whether it is proved that both demand the same. `patience` gives for each kind what says that its time is up.
pub(crate) fn same(
    old: &Matrix,
    new: &Matrix,
    patience: &dyn Fn() -> Box<dyn Fn() -> bool>,
) -> bool {
    let names = |matrix: &Matrix| -> Vec<String> {
        let lanes = matrix.lanes.iter().map(|lane| lane.name.clone());
        lanes
            .chain(matrix.rules.iter().map(|rule| rule.name.clone()))
            .collect()
    };
    // Measures that count other events are other measures, though their words are the same.
    let count_alike = |measure: &Measure| {
        let others = new
            .measures
            .iter()
            .filter(|other| other.text == measure.text);
        let mut others = others.peekable();
        others.peek().is_none()
            || others.any(|other| match (&measure.filter, &other.filter) {
                (Some(filter), Some(other)) => is_same_text([old, new], [filter, other]),
                (None, None) => true,
                _ => false,
            })
    };
    names(old) == names(new)
        && old.measures.iter().all(count_alike)
        && old
            .schema
            .kinds()
            .iter()
            .zip(new.schema.kinds())
            .all(|(kind, other)| {
                let over = patience();
                let budget = Budget::new(&*over);
                let Ok(space) = Space::of_two((old, kind), (new, other)) else {
                    return false;
                };
                Both {
                    space: &space,
                    matrices: [old, new],
                    kind,
                    budget: &budget,
                }
                .is_same()
            })
}

/// A kind as both matrices have it.
struct Both<'s, 'm> {
    space: &'s Space<'m>,
    matrices: [&'m Matrix; 2],
    kind: &'s Kind,
    budget: &'s Budget<'s>,
}

impl<'m> Both<'_, 'm> {
    fn is_same(&self) -> bool {
        let denied = Node::all(
            self.of_rules(|effect| matches!(effect, Effect::Deny))
                .map(|it| it.yes)
                .into(),
        );
        let asked = Node::all(vec![self.asked(0), self.asked(1)]);
        self.lanes()
            .all(|[one, other]| self.lane_is_same([one, other], &denied))
            && self.denials_are_same()
            && self.rules_are_same(&Node::any(vec![denied, asked]))
    }

    fn lanes(&self) -> impl Iterator<Item = [&'m Lane; 2]> {
        let [old, new] = self.matrices;
        let both = old.lanes.iter().zip(&new.lanes);
        let kind = self.kind.id;
        both.filter(move |(lane, _)| lane.on.contains(&kind))
            .map(|(one, other)| [one, other])
    }

    fn rules(&self) -> impl Iterator<Item = [&'m Rule; 2]> {
        let [old, new] = self.matrices;
        let both = old.rules.iter().zip(&new.rules);
        let kind = self.kind.id;
        both.filter(move |(rule, _)| rule.on.contains(&kind))
            .map(|(one, other)| [one, other])
    }

    fn lane_is_same(&self, lanes: [&Lane; 2], denied: &Node) -> bool {
        let [one, other] = lanes;
        let is_unchanged = is_same_text(self.matrices, [&one.when, &other.when])
            && match (&one.unless, &other.unless) {
                (Some(one), Some(other)) => is_same_text(self.matrices, [one, other]),
                (None, None) => true,
                _ => false,
            };
        if is_unchanged {
            return true;
        }
        let [old, new] = [trigger(self.space, 0, one), trigger(self.space, 1, other)];
        // Where it is not sure, a lane that is skipped is as silent as one that is surely false.
        let is_skipped = matches!(one.unsure, Unsure::Skip(_));
        self.alike(&old.yes, &new.yes, denied)
            && (is_skipped || self.alike(&old.maybe, &new.maybe, denied))
    }

    /// Whoever denies, it is denied.
    fn denials_are_same(&self) -> bool {
        let unchanged = self.rules().filter(|[rule, _]| rule.effect == Effect::Deny);
        if self.are_unchanged(unchanged) {
            return true;
        }
        let [old, new] = self.of_rules(|effect| matches!(effect, Effect::Deny));
        let nothing = Node::Is(false);
        self.alike(&old.yes, &new.yes, &nothing) && self.alike(&old.maybe, &new.maybe, &nothing)
    }

    /// The rules that give way: to what is hidden, and an `always allow` to nothing else where all is allowed.
    fn rules_are_same(&self, hidden: &Node) -> bool {
        let allows = |effect: &Effect| matches!(effect, Effect::Allow);
        let is_allowed = matches!(
            self.matrices.map(|matrix| &matrix.otherwise),
            [Otherwise::Allow, Otherwise::Allow]
        );
        let allowed = is_allowed
            || self.are_unchanged(self.rules().filter(|[rule, _]| allows(&rule.effect)))
            || {
                let [old, new] = self.of_rules(allows);
                self.alike(&old.yes, &new.yes, hidden)
            };
        let mut adjusts = self
            .rules()
            .filter(|[rule, _]| matches!(rule.effect, Effect::Adjust(_)));
        allowed
            && adjusts.all(|[one, other]| {
                is_same_text(self.matrices, [&one.when, &other.when]) || {
                    let [old, new] = [
                        self.space.rails(0, &one.when),
                        self.space.rails(1, &other.when),
                    ];
                    self.alike(&old.yes, &new.yes, hidden)
                }
            })
    }

    fn are_unchanged(&self, mut rules: impl Iterator<Item = [&'m Rule; 2]>) -> bool {
        rules.all(|[one, other]| is_same_text(self.matrices, [&one.when, &other.when]))
    }

    /// Where one of the rules of a sort applies, on each side.
    fn of_rules(&self, is_of_sort: impl Fn(&Effect) -> bool) -> [Rails; 2] {
        [0, 1].map(|side| {
            let rules = self.rules().filter(|[rule, _]| is_of_sort(&rule.effect));
            let rails: Vec<Rails> = rules
                .filter_map(|both| Some(self.space.rails(side, &both.get(side)?.when)))
                .collect();
            Rails {
                yes: Node::any(rails.iter().map(|rails| rails.yes.clone()).collect()),
                maybe: Node::any(rails.into_iter().map(|rails| rails.maybe).collect()),
            }
        })
    }

    /// Where some lane surely asks.
    fn asked(&self, side: usize) -> Node {
        let lanes = self.lanes().filter(|[lane, _]| lane.trial.is_none());
        let rails = lanes.filter_map(|both| Some(trigger(self.space, side, both.get(side)?).yes));
        Node::any(rails.collect())
    }

    /// Whether no event beside the hidden ones is of one and not of the other. What a dimension does not show all
    /// of proves nothing.
    fn alike(&self, one: &Node, other: &Node, hidden: &Node) -> bool {
        let none = |one: &Node, other: &Node| {
            let parts = vec![one.clone(), self.space.not(other)];
            let beside = Node::all(parts);
            match ways(self.space, &beside, self.budget) {
                Ok(ways) if ways.is_empty() => true,
                Ok(_) => {
                    let beside = Node::all(vec![beside, self.space.not(hidden)]);
                    ways(self.space, &beside, self.budget).is_ok_and(|ways| ways.is_empty())
                }
                Err(_) => false,
            }
        };
        self.space.is_exact() && none(one, other) && none(other, one)
    }
}

/// Whether two expressions ask the same in the same words, down to the conditions and lists that they name.
fn is_same_text(matrices: [&Matrix; 2], exprs: [&Expr; 2]) -> bool {
    let [old, new] = matrices;
    let [one, other] = exprs;
    let each = |parts: &[Expr], others: &[Expr]| {
        parts.len() == others.len()
            && parts
                .iter()
                .zip(others)
                .all(|(one, other)| is_same_text(matrices, [one, other]))
    };
    match (&one.kind, &other.kind) {
        (ExprKind::All(parts), ExprKind::All(others))
        | (ExprKind::Any(parts), ExprKind::Any(others))
        | (ExprKind::None(parts), ExprKind::None(others)) => each(parts, others),
        (ExprKind::AtLeast(least, parts), ExprKind::AtLeast(other, others)) => {
            least == other && each(parts, others)
        }
        (ExprKind::Not(inner), ExprKind::Not(other)) => is_same_text(matrices, [inner, other]),
        (ExprKind::Condition(id), ExprKind::Condition(other)) => {
            match (old.condition(*id), new.condition(*other)) {
                (Some(one), Some(other)) => is_same_text(matrices, [&one.expr, &other.expr]),
                _ => false,
            }
        }
        (ExprKind::Test(test), ExprKind::Test(other)) => {
            let values = |op: &TestOp| match op {
                TestOp::In { values, .. } | TestOp::Contains { values, .. } => values.clone(),
                _ => Vec::new(),
            };
            test.text == other.text
                && test.if_present == other.if_present
                && values(&test.op) == values(&other.op)
        }
        (ExprKind::Measure(test), ExprKind::Measure(other)) => test.text == other.text,
        _ => false,
    }
}
