//! What is learned never turns a sure answer round: filling in a missing field changes unsure
//! only. And expressions of any depth that a matrix can have are worked out on a small stack.

use proptest::prelude::*;

use super::build::{at, condition, event, expr, is_yes, lane, matrix, test};
use crate::decision::{Kleene, State};
use crate::limits;
use crate::matrix::{Comparison, ContainsHow, ExprKind, LaneId, Matrix, TestOp, TextHow};
use crate::reference::{Coverage, History, Reference, Standing, Times};
use crate::schema::{FieldId, Presence};
use crate::value::{Type, Value};

const YES: FieldId = FieldId(1);
const ALSO: FieldId = FieldId(2);
const TEXT: FieldId = FieldId(3);
const NUMBER: FieldId = FieldId(4);
const TAGS: FieldId = FieldId(5);
const FIELDS: [FieldId; 5] = [YES, ALSO, TEXT, NUMBER, TAGS];

fn all_optional() -> Matrix {
    let text = Type::Text {
        ignoring_case: false,
    };
    let tags = Type::List(Box::new(text.clone()));
    matrix(&[
        ("yes", Type::YesNo, Presence::Optional),
        ("also", Type::YesNo, Presence::Optional),
        ("text", text, Presence::Optional),
        ("number", Type::Whole(None), Presence::Optional),
        ("tags", tags, Presence::Optional),
    ])
}

fn text(word: &str) -> Value {
    Value::Text(word.into())
}

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "a", "b", "ab"]).prop_map(str::to_owned)
}

fn any_value(field: FieldId) -> BoxedStrategy<Value> {
    match field {
        TEXT => word().prop_map(|w| text(&w)).boxed(),
        NUMBER => (0i64..4).prop_map(Value::Whole).boxed(),
        TAGS => prop::collection::vec(word().prop_map(|w| text(&w)), 0..3)
            .prop_map(Value::List)
            .boxed(),
        _ => any::<bool>().prop_map(Value::Bool).boxed(),
    }
}

/// A test that is two-valued on a field that is there and unknown on one that is not.
fn any_test() -> impl Strategy<Value = (FieldId, TestOp)> {
    let order = prop::sample::select(vec![
        Comparison::Less,
        Comparison::GreaterOrEqual,
        Comparison::Is,
        Comparison::IsNot,
    ]);
    let equal = prop::sample::select(vec![Comparison::Is, Comparison::IsNot]);
    let how = prop::sample::select(vec![
        TextHow::StartsWith,
        TextHow::EndsWith,
        TextHow::Contains,
        TextHow::Like,
    ]);
    let how_many =
        prop::sample::select(vec![ContainsHow::Any, ContainsHow::All, ContainsHow::None]);
    let words = || prop::collection::vec(word().prop_map(|w| text(&w)), 0..3);
    prop_oneof![
        (order, 0i64..4).prop_map(|(op, n)| (NUMBER, TestOp::Compare(op, Value::Whole(n)))),
        (equal, any::<bool>()).prop_map(|(op, yes)| (YES, TestOp::Compare(op, Value::Bool(yes)))),
        Just((YES, TestOp::SameAs(ALSO))),
        Just((ALSO, TestOp::DiffersFrom(YES))),
        (any::<bool>(), words()).prop_map(|(not, values)| (TEXT, TestOp::In { not, values })),
        (how_many, words()).prop_map(|(how, values)| (TAGS, TestOp::Contains { how, values })),
        (any::<bool>(), how, word()).prop_map(|(not, how, word)| {
            let literal = word.as_str().into();
            (TEXT, TestOp::Text { not, how, literal })
        }),
    ]
}

/// The shape of an expression; conditions are made of the second part of `Named`.
#[derive(Debug, Clone)]
enum Shape {
    Test(FieldId, TestOp),
    Block(u8, Vec<Shape>),
    Not(Box<Shape>),
    Named(Box<Shape>),
}

fn any_shape() -> impl Strategy<Value = Shape> {
    let leaf = any_test().prop_map(|(field, op)| Shape::Test(field, op));
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            4 => (any::<u8>(), prop::collection::vec(inner.clone(), 0..4))
                .prop_map(|(how, parts)| Shape::Block(how, parts)),
            1 => inner.clone().prop_map(|part| Shape::Not(Box::new(part))),
            1 => inner.prop_map(|part| Shape::Named(Box::new(part))),
        ]
    })
}

fn built(matrix: &mut Matrix, shape: &Shape) -> crate::matrix::Expr {
    match shape {
        Shape::Test(field, op) => test(*field, op.clone()),
        Shape::Not(part) => {
            let part = built(matrix, part);
            expr(ExprKind::Not(Box::new(part)))
        }
        Shape::Named(part) => {
            let part = built(matrix, part);
            let id = condition(matrix, part);
            expr(ExprKind::Condition(id))
        }
        Shape::Block(how, parts) => {
            let n = u32::from(*how) / 4 % 4;
            let parts = parts.iter().map(|part| built(matrix, part)).collect();
            expr(match how % 4 {
                0 => ExprKind::All(parts),
                1 => ExprKind::Any(parts),
                2 => ExprKind::None(parts),
                _ => ExprKind::AtLeast(n, parts),
            })
        }
    }
}

fn any_values() -> impl Strategy<Value = Vec<Option<Value>>> {
    let value = |field| prop::option::of(any_value(field));
    FIELDS.map(value).to_vec()
}

fn standing(matrix: &Matrix, values: &[Option<Value>]) -> Standing {
    let given = FIELDS.into_iter().zip(values.iter().cloned());
    let given: Vec<_> = given.filter_map(|(f, v)| Some((f, v?))).collect();
    let event = event(matrix, &given, at("2026-01-07T12:00:00Z"));
    let reference = Reference::new(matrix);
    let (history, times) = (History::new(matrix), Times::of(&event));
    let lane = &matrix.lanes[0];
    let standing = reference.standing(lane, &event, &history, times);

    // The decision and the explanation say the same, and the reasons are of the right sort.
    let decision = reference.decide(&event, &history, times);
    let attached = decision.lanes.first().map(|lane| lane.state);
    assert_eq!(attached, standing.state());
    let explanation = reference.explain(&event, &history, times);
    assert_eq!(explanation.lanes[0].state, standing);
    if attached == Some(State::Unsure) {
        let because = &decision.lanes[0].because;
        assert!(because.iter().any(|r| r.result == Kleene::Unknown));
        assert!(!explanation.lanes[0].unknown.is_empty());
    }
    standing
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_field_that_is_added_changes_unsure_only(
        when in any_shape(),
        unless in prop::option::of(any_shape()),
        values in any_values(),
        more in any_values(),
    ) {
        let mut matrix = all_optional();
        let when = built(&mut matrix, &when);
        let unless = unless.map(|unless| built(&mut matrix, &unless));
        lane(&mut matrix, when, unless);

        let before = standing(&matrix, &values);
        let filled: Vec<_> = values.iter().zip(&more).map(|(v, m)| v.clone().or(m.clone())).collect();
        let after = standing(&matrix, &filled);
        if before != Standing::Unsure {
            prop_assert_eq!(before, after);
        }
        let all: Vec<_> = filled.iter().all(Option::is_some).then_some(&filled).into_iter().collect();
        for filled in all {
            prop_assert_ne!(standing(&matrix, filled), Standing::Unsure);
        }
    }
}

#[test]
fn at_least_counts_what_may_be() {
    // Two true, one unknown, one false.
    let mut matrix = all_optional();
    let parts = || {
        let not = |part| expr(ExprKind::Not(Box::new(part)));
        vec![is_yes(YES), is_yes(YES), is_yes(ALSO), not(is_yes(YES))]
    };
    for n in 0..=5 {
        lane(&mut matrix, expr(ExprKind::AtLeast(n, parts())), None);
    }
    let event = event(
        &matrix,
        &[(YES, Value::Bool(true))],
        at("2026-01-07T12:00:00Z"),
    );
    let history = History::new(&matrix);
    let standings = matrix.lanes.iter().map(|lane| {
        let reference = Reference::new(&matrix).only(lane.id);
        reference.standing(lane, &event, &history, Times::of(&event))
    });
    use Standing::{Fired, Silent, Unsure};
    assert_eq!(
        standings.collect::<Vec<_>>(),
        [Fired, Fired, Fired, Unsure, Silent, Silent]
    );
}

/// The deepest trigger that a matrix can have, of conditions that each name the one before twice.
/// Test threads have 2 MiB of stack, like those of a server.
#[test]
fn the_deepest_trigger_fits_the_stack() {
    let mut matrix = all_optional();
    let mut inner = is_yes(YES);
    for _ in 0..limits::EXPRESSION_DEPTH {
        let id = condition(&mut matrix, inner);
        // Named twice: worked out once, or this would not end.
        let name = || expr(ExprKind::Condition(id));
        inner = expr(ExprKind::All(vec![name(), name()]));
    }
    let id: LaneId = lane(&mut matrix, inner, None);
    let yes = [(YES, Value::Bool(true))];
    let event = event(&matrix, &yes, at("2026-01-07T12:00:00Z"));
    let (history, times) = (History::new(&matrix), Times::of(&event));
    let reference = Reference::new(&matrix);
    let decision = reference.decide(&event, &history, times);
    assert_eq!(decision.lanes.len(), 1);
    assert_eq!(decision.lanes[0].because.len(), 1);
    let explanation = reference.explain(&event, &history, times);
    assert!(!serde_json::to_string(&explanation).unwrap().is_empty());
    let mut seen = Coverage::default();
    reference.observe(&event, &history, times, &mut seen);
    assert_eq!(seen.lane(id).fired, 1);
}
