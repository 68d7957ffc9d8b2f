//! Triggers of events whose fields an adjust has set.
//!
//! In: an expression, and fields with what they are set to. Out: of which events as they come it is true after that.
//! Invariant: what cannot be told from the event as it came is said, and not guessed.

use std::sync::Arc;

use super::found::Found;
use super::node::Node;
use super::{At, Rails, Space, other_field, place};
use crate::analysis::ways::{Budget, ways};
use crate::matrix::{
    Comparison, Effect, Expr, ExprKind, Matrix, Measure, MeasureFunction, Test, TestOp,
};
use crate::reference::answer;
use crate::schema::{FieldId, Kind};
use crate::value::{Type, Value};

/// Fields, each with what it is set to.
pub(in crate::analysis) type Set<'v> = [(FieldId, &'v Value)];

fn set_to<'v>(set: &Set<'v>, field: FieldId) -> Option<&'v Value> {
    let mut fields = set.iter();
    fields
        .find(|(own, _)| *own == field)
        .map(|(_, value)| *value)
}

/// A test that compares two fields, where an adjust sets one of them: a test of the other one.
#[derive(Debug)]
pub(super) struct Half {
    pub(super) side: At,
    /// The number of the test that compares them.
    of: usize,
    set: FieldId,
    value: Value,
    pub(super) test: Arc<Test>,
}

/// So many at most: each takes values of the fields, among which a comparison is looked for.
const HALVES: usize = 8;

/// What is left of comparisons of a kind where adjusts set one of the fields.
pub(super) fn halves(sides: &[(&Matrix, &Kind)], found: &Found) -> Vec<Half> {
    let mut halves: Vec<Half> = Vec::new();
    for (side, (matrix, kind)) in sides.iter().enumerate() {
        let rules = matrix
            .rules
            .iter()
            .filter(|rule| rule.on.contains(&kind.id));
        let sets = rules.filter_map(|rule| match &rule.effect {
            Effect::Adjust(sets) => Some(sets),
            Effect::Allow | Effect::Deny => None,
        });
        let compared = found.tests.iter().enumerate();
        let compared = compared.filter(|(_, owned)| owned.side == side);
        let compared: Vec<_> = compared
            .filter(|(_, owned)| other_field(&owned.test).is_some())
            .collect();
        for (set, value) in sets.flatten() {
            for (of, owned) in compared.iter().copied() {
                let known =
                    |it: &Half| (it.side, it.of, it.set) == (side, of, *set) && it.value == *value;
                if halves.len() >= HALVES || halves.iter().any(known) {
                    continue;
                }
                halves.extend(left_of(kind, &owned.test, *set, value).map(|test| Half {
                    side,
                    of,
                    set: *set,
                    value: value.clone(),
                    test: Arc::new(test),
                }));
            }
        }
    }
    halves
}

/// What a comparison asks of one field where the other one is set.
fn left_of(kind: &Kind, test: &Test, set: FieldId, value: &Value) -> Option<Test> {
    let other = other_field(test)?;
    let (field, is_first) = match (test.field == set, other == set) {
        (true, false) => (other, true),
        (false, true) => (test.field, false),
        _ => return None,
    };
    let declared = kind.field(field)?;
    // Literals of such a field are folded, and what is set is not.
    if matches!(
        declared.ty,
        Type::Text {
            ignoring_case: true
        }
    ) {
        return None;
    }
    let how = match test.op {
        TestOp::SameAs(_) => Comparison::Is,
        TestOp::DiffersFrom(_) => Comparison::IsNot,
        TestOp::CompareField(how, _) if is_first => mirrored(how),
        TestOp::CompareField(how, _) => how,
        _ => return None,
    };
    Some(Test {
        field,
        op: TestOp::Compare(how, value.clone()),
        // A field that is compared with may be missing all the same.
        if_present: !is_first && test.if_present,
        text: format!("{} {} {value}", declared.path, how.as_str()),
    })
}

/// The same, the other way round.
fn mirrored(how: Comparison) -> Comparison {
    match how {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        Comparison::Is => Comparison::Is,
        Comparison::IsNot => Comparison::IsNot,
    }
}

/// Sets of adjusts of one kind that are followed, with that of none.
const FOLLOWED: usize = 32;

/// Steps in which it is seen whether adjusts apply together.
const SEEN: u64 = 256;

/// What one adjust sets, and where it surely applies.
pub(in crate::analysis) type Adjust<'a> = (&'a [(FieldId, Value)], &'a Node);

/// Events to which some adjusts apply and no others.
pub(in crate::analysis) struct Together<'a> {
    /// The places of these adjusts.
    pub(in crate::analysis) which: Vec<usize>,
    pub(in crate::analysis) node: Node,
    /// What they set together; nothing where they set one field differently.
    pub(in crate::analysis) set: Option<Vec<(FieldId, &'a Value)>>,
}

/// How an expression stands to fields that are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::analysis) enum Asks {
    /// It asks of none.
    Not,
    /// It asks of some.
    Of,
    /// What it asks depends on more than what they are set to.
    Beyond,
}

impl Space<'_> {
    /// Each set of adjusts that apply together to some event, as far as boxes tell; nothing where there are too many.
    pub(in crate::analysis) fn together<'a>(
        &self,
        adjusts: &[Adjust<'a>],
    ) -> Option<Vec<Together<'a>>> {
        let mut sets = vec![(Vec::new(), Node::Is(true))];
        for (place, (_, applies)) in adjusts.iter().enumerate() {
            let mut next = Vec::with_capacity(sets.len() * 2);
            for (which, node) in sets {
                let with = Node::all(vec![node.clone(), (*applies).clone()]);
                let without = Node::all(vec![node, self.not(applies)]);
                if !self.is_never(&with) {
                    let with_it: Vec<usize> = [&which[..], &[place]].concat();
                    next.push((with_it, with));
                }
                next.push((which, without));
            }
            sets = next;
            if sets.len() > FOLLOWED {
                return None;
            }
        }
        let sets = sets.into_iter().filter(|(which, _)| !which.is_empty());
        let together = sets.map(|(which, node)| {
            let mut set: Vec<(FieldId, &Value)> = Vec::new();
            let mut is_clash = false;
            let all = which.iter().filter_map(|place| adjusts.get(*place));
            for (field, value) in all.flat_map(|(sets, _)| *sets) {
                match set_to(&set, *field) {
                    None => set.push((*field, value)),
                    Some(known) => is_clash |= known != value,
                }
            }
            let set = (!is_clash).then_some(set);
            Together { which, node, set }
        });
        Some(together.collect())
    }

    /// Whether a node surely has no event, where that is seen at once.
    fn is_never(&self, node: &Node) -> bool {
        let budget = Budget::new(Box::new(|| false)).part(SEEN);
        *node == Node::Is(false) || ways(self, node, &budget).is_ok_and(|ways| ways.is_empty())
    }

    /// How an expression stands to fields that are set.
    pub(in crate::analysis) fn asks(&self, side: At, expr: &Expr, set: &Set<'_>) -> Asks {
        let most = |parts: &[Expr]| {
            let parts = parts.iter().map(|part| self.asks(side, part, set));
            parts.max().unwrap_or(Asks::Not)
        };
        let matrix = self.sides.get(side).map(|side| side.matrix);
        match &expr.kind {
            ExprKind::All(parts)
            | ExprKind::Any(parts)
            | ExprKind::None(parts)
            | ExprKind::AtLeast(_, parts) => most(parts),
            ExprKind::Not(inner) => self.asks(side, inner, set),
            ExprKind::Condition(id) => {
                let condition = matrix.and_then(|matrix| matrix.condition(*id));
                condition.map_or(Asks::Not, |condition| self.asks(side, &condition.expr, set))
            }
            ExprKind::Test(test) => {
                let other = other_field(test);
                let is_set = |field| set_to(set, field).is_some();
                if self.half(side, test, set).is_some() {
                    return Asks::Of;
                }
                match (is_set(test.field), other.map(is_set)) {
                    (false, None | Some(false)) => Asks::Not,
                    // Its age is told from when the event happens.
                    (true, None) if is_age(test) => Asks::Beyond,
                    (true, None | Some(true)) => Asks::Of,
                    (true, Some(false)) | (false, Some(true)) => Asks::Beyond,
                }
            }
            ExprKind::Measure(test) => {
                let measure = matrix.and_then(|matrix| matrix.measure(test.measure));
                match measure.is_some_and(|measure| self.counts_by(side, measure, set)) {
                    true => Asks::Beyond,
                    false => Asks::Not,
                }
            }
        }
    }

    /// Whether a measure counts an event otherwise whose fields are set.
    pub(in crate::analysis) fn counts_by(
        &self,
        side: At,
        measure: &Measure,
        set: &Set<'_>,
    ) -> bool {
        let is_set = |field: &FieldId| set_to(set, *field).is_some();
        let is_summed = match &measure.function {
            MeasureFunction::Count => false,
            MeasureFunction::Distinct(field) | MeasureFunction::Sum(field) => is_set(field),
        };
        let filter = measure.filter.as_ref();
        is_summed
            || measure.by.iter().any(is_set)
            || filter.is_some_and(|filter| self.asks(side, filter, set) != Asks::Not)
    }

    /// A comparison of a field that is set with one that is not, as a test of that one.
    fn half(&self, side: At, test: &Arc<Test>, set: &Set<'_>) -> Option<&Half> {
        let is_set = |field| set_to(set, field).is_some();
        if is_set(test.field) == is_set(other_field(test)?) {
            return None;
        }
        let of = *self.numbers.get(&place(test))?;
        let mut halves = self.halves.iter();
        halves.find(|it| (it.side, it.of) == (side, of) && set_to(set, it.set) == Some(&it.value))
    }

    /// What a test says of fields that are set, or of one of them; nothing where it asks of none.
    pub(super) fn says(&self, side: At, test: &Arc<Test>, set: &Set<'_>) -> Option<Rails> {
        if let Some(half) = self.half(side, test, set) {
            return self.rails_of(&half.test).cloned();
        }
        let value = set_to(set, test.field)?;
        let side = self.sides.get(side)?;
        let holds = match test.op {
            TestOp::Missing => false,
            TestOp::Present => true,
            _ => {
                let other = |field| set_to(set, field);
                answer(test, value, side.matrix, side.kind, self.at, other)?
            }
        };
        Some(Rails {
            yes: Node::Is(holds),
            maybe: Node::Is(holds),
        })
    }
}

fn is_age(test: &Test) -> bool {
    matches!(test.op, TestOp::OlderThan(_) | TestOp::NewerThan(_))
}
