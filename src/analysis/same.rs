//! Whether two matrices that differ in conditions only demand the same of every event, whatever happened before it.
//!
//! In: a matrix, and one with the same lanes and rules that asks otherwise. Out: whether it is proved.
//! Invariant: nothing is called the same that an event and a history could tell apart. A lane on trial counts as if
//! it had effect, because its trial ends.
//! Method: each trigger is compared by itself, with any amount of each measure; only what a sure `always deny` hides
//! on both sides may differ, and for rules that give way to lanes what lanes ask about anyway. What a space does not
//! show all of proves nothing.

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
                let budget = Budget::new(patience());
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
    budget: &'s Budget,
}

impl<'m> Both<'_, 'm> {
    fn is_same(&self) -> bool {
        let denied = self.denied();
        let asked = Node::any(self.lanes().filter_map(|both| self.asked(both)).collect());
        let hidden = Node::any(vec![denied.clone(), asked]);
        self.lanes().all(|both| self.lane_is_same(both, &denied))
            && self.denials_are_same()
            && self.allows_are_same(&hidden)
            && self.adjusts_are_same(&hidden)
    }

    fn lanes(&self) -> impl Iterator<Item = [&'m Lane; 2]> {
        let [old, new] = self.matrices;
        let both = old.lanes.iter().zip(&new.lanes);
        let kind = self.kind.id;
        both.filter(move |(lane, _)| lane.on.contains(&kind))
            .map(|(one, other)| [one, other])
    }

    fn rules(&self, is_of_sort: fn(&Effect) -> bool) -> impl Iterator<Item = [&'m Rule; 2]> {
        let [old, new] = self.matrices;
        let both = old.rules.iter().zip(&new.rules);
        let kind = self.kind.id;
        both.filter(move |(rule, _)| rule.on.contains(&kind) && is_of_sort(&rule.effect))
            .map(|(one, other)| [one, other])
    }

    fn lane_is_same(&self, lanes: [&Lane; 2], denied: &Node) -> bool {
        let [one, other] = lanes;
        let parts_alike = self.is_alike([&one.when, &other.when])
            && match (&one.unless, &other.unless) {
                (Some(one), Some(other)) => self.is_alike([one, other]),
                (None, None) => true,
                _ => false,
            };
        if parts_alike {
            return true;
        }
        if !self.is_exact_lane(0, one) || !self.is_exact_lane(1, other) {
            return false;
        }
        let [old, new] = [trigger(self.space, 0, one), trigger(self.space, 1, other)];
        // Where it is not sure, a lane that is skipped is as silent as one that is surely false.
        let is_skipped = matches!(one.unsure, Unsure::Skip(_));
        self.is_even([&old.yes, &new.yes], denied)
            && (is_skipped || self.is_even([&old.maybe, &new.maybe], denied))
    }

    fn is_exact_lane(&self, side: usize, lane: &Lane) -> bool {
        let unless = lane.unless.as_ref();
        [Some(&lane.when), unless]
            .into_iter()
            .flatten()
            .all(|expr| self.space.is_exact_in(side, expr))
    }

    /// Whoever denies, it is denied.
    fn denials_are_same(&self) -> bool {
        let mut denials = self.rules(|effect| *effect == Effect::Deny);
        if denials.all(|[one, other]| self.is_alike([&one.when, &other.when])) {
            return true;
        }
        let Some([old, new]) = self.applied(|effect| *effect == Effect::Deny) else {
            return false;
        };
        let nothing = Node::Is(false);
        self.is_even([&old.yes, &new.yes], &nothing)
            && self.is_even([&old.maybe, &new.maybe], &nothing)
    }

    /// An `always allow` gives way to what is hidden, and to nothing else unless all else is allowed too.
    fn allows_are_same(&self, hidden: &Node) -> bool {
        let otherwise = self.matrices.map(|matrix| &matrix.otherwise);
        if matches!(otherwise, [Otherwise::Allow, Otherwise::Allow]) {
            return true;
        }
        let mut allows = self.rules(|effect| *effect == Effect::Allow);
        if allows.all(|[one, other]| self.is_alike([&one.when, &other.when])) {
            return true;
        }
        let applied = self.applied(|effect| *effect == Effect::Allow);
        applied.is_some_and(|[old, new]| self.is_even([&old.yes, &new.yes], hidden))
    }

    fn adjusts_are_same(&self, hidden: &Node) -> bool {
        let mut adjusts = self.rules(|effect| matches!(effect, Effect::Adjust(_)));
        adjusts.all(|[one, other]| {
            let whens = [&one.when, &other.when];
            self.is_alike(whens)
                || self
                    .rails(whens)
                    .is_some_and(|[old, new]| self.is_even([&old.yes, &new.yes], hidden))
        })
    }

    /// Where one of the rules of a sort applies, on each side; nothing where that is not exact.
    fn applied(&self, is_of_sort: fn(&Effect) -> bool) -> Option<[Rails; 2]> {
        let rails: Vec<[Rails; 2]> = self
            .rules(is_of_sort)
            .map(|[one, other]| self.rails([&one.when, &other.when]))
            .collect::<Option<_>>()?;
        let mut sides = [Vec::new(), Vec::new()];
        for both in rails {
            for (side, rails) in sides.iter_mut().zip(both) {
                side.push(rails);
            }
        }
        Some(sides.map(|rails| Rails {
            yes: Node::any(rails.iter().map(|rails| rails.yes.clone()).collect()),
            maybe: Node::any(rails.into_iter().map(|rails| rails.maybe).collect()),
        }))
    }

    /// Where an `always deny` surely applies on both sides, of those that are exact.
    fn denied(&self) -> Node {
        let denials = self.rules(|effect| *effect == Effect::Deny);
        let denied = denials.filter_map(|[one, other]| {
            let [old, new] = self.rails([&one.when, &other.when])?;
            Some(Node::all(vec![old.yes, new.yes]))
        });
        Node::any(denied.collect())
    }

    /// Where a lane with effect surely asks on both sides; nothing of one that is not exact.
    fn asked(&self, [one, other]: [&Lane; 2]) -> Option<Node> {
        let is_known = self.is_exact_lane(0, one) && self.is_exact_lane(1, other);
        (is_known && one.trial.is_none()).then(|| {
            let sides = [trigger(self.space, 0, one), trigger(self.space, 1, other)];
            Node::all(sides.map(|rails| rails.yes).into())
        })
    }

    /// When expressions of both sides hold; nothing where that is not exact.
    fn rails(&self, [one, other]: [&Expr; 2]) -> Option<[Rails; 2]> {
        let is_known = self.space.is_exact_in(0, one) && self.space.is_exact_in(1, other);
        is_known.then(|| [self.space.rails(0, one), self.space.rails(1, other)])
    }

    /// Whether two expressions are true, false and unknown of the same events: by their words, part by part, or as a
    /// whole.
    fn is_alike(&self, exprs: [&Expr; 2]) -> bool {
        if is_same_text(self.matrices, exprs) {
            return true;
        }
        let [one, other] = exprs;
        let each = |parts: &[Expr], others: &[Expr]| {
            parts.len() == others.len()
                && parts
                    .iter()
                    .zip(others)
                    .all(|(one, other)| self.is_alike([one, other]))
        };
        let in_parts = match (&one.kind, &other.kind) {
            (ExprKind::All(parts), ExprKind::All(others))
            | (ExprKind::Any(parts), ExprKind::Any(others))
            | (ExprKind::None(parts), ExprKind::None(others)) => each(parts, others),
            (ExprKind::AtLeast(least, parts), ExprKind::AtLeast(other, others)) => {
                least == other && each(parts, others)
            }
            (ExprKind::Not(inner), ExprKind::Not(other)) => self.is_alike([inner, other]),
            _ => false,
        };
        let nothing = Node::Is(false);
        in_parts
            || self.rails(exprs).is_some_and(|[old, new]| {
                self.is_even([&old.yes, &new.yes], &nothing)
                    && self.is_even([&old.maybe, &new.maybe], &nothing)
            })
    }

    /// Whether no event beside the hidden ones is of one and not of the other.
    fn is_even(&self, [one, other]: [&Node; 2], hidden: &Node) -> bool {
        let none = |one: &Node, other: &Node| {
            let beside = Node::all(vec![one.clone(), self.space.not(other)]);
            match ways(self.space, &beside, self.budget) {
                Ok(ways) if ways.is_empty() => true,
                Ok(_) if *hidden == Node::Is(false) => false,
                Ok(_) => {
                    let beside = Node::all(vec![beside, self.space.not(hidden)]);
                    ways(self.space, &beside, self.budget).is_ok_and(|ways| ways.is_empty())
                }
                Err(_) => false,
            }
        };
        none(one, other) && none(other, one)
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
