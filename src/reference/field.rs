//! One test of a field against one event.
//!
//! In: a [`Test`] and an event. Out: a [`Kleene`].
//! Invariant: a missing field makes every test but `is missing` and `is present` unknown, also the
//! negative ones; `if present` makes it false instead.
//! Knows no expressions and no history.

use std::borrow::Cow;
use std::collections::HashSet;
use std::mem::discriminant;
use std::sync::Arc;

use crate::clock::{Duration, Timestamp};
use crate::decision::Kleene;
use crate::event::Event;
use crate::matrix::{Comparison, ContainsHow, Matrix, Test, TestOp, TextHow};
use crate::schema::{FieldId, Kind};
use crate::value::{Type, Value, fold_case};

/// What a test says of an event of that kind.
pub(super) fn holds(test: &Test, matrix: &Matrix, kind: &Kind, event: &Event) -> Kleene {
    let value = event.get(kind, test.field);
    match test.op {
        TestOp::Missing => return Kleene::from_bool(value.is_none()),
        TestOp::Present => return Kleene::from_bool(value.is_some()),
        _ => {}
    }
    let Some(value) = value else {
        return if test.if_present {
            Kleene::False
        } else {
            Kleene::Unknown
        };
    };
    let other = |field| event.get(kind, field);
    // What does not answer is unknown, so that a lane is escalated and not dropped.
    let answer = answer(test, value, matrix, kind, event.at(), other);
    answer.map_or(Kleene::Unknown, Kleene::from_bool)
}

/// The answer for a value that is there, in an event of that instant; `None` where the other field is missing.
pub(crate) fn answer<'v>(
    test: &Test,
    value: &Value,
    matrix: &Matrix,
    kind: &Kind,
    at: Timestamp,
    other: impl Fn(FieldId) -> Option<&'v Value>,
) -> Option<bool> {
    let value = comparable(kind, test.field, value);
    let other = |field: FieldId| Some(comparable(kind, field, other(field)?));
    Some(match &test.op {
        TestOp::Missing => false,
        TestOp::Present => true,
        TestOp::Inside(calendar) => matrix.calendar(*calendar)?.is_open(instant(&value)?),
        TestOp::Outside(calendar) => !matrix.calendar(*calendar)?.is_open(instant(&value)?),
        TestOp::In { not, values } => values.contains(&*value) != *not,
        TestOp::Contains { how, values } => contains(items(&value)?, *how, values),
        TestOp::Text { not, how, literal } => text_holds(text(&value)?, *how, literal) != *not,
        TestOp::Matches { not, pattern } => pattern.is_match(text(&value)?) != *not,
        TestOp::SameAs(field) => equal(&value, &*other(*field)?)?,
        TestOp::DiffersFrom(field) => !equal(&value, &*other(*field)?)?,
        TestOp::OlderThan(age) => is_older(instant(&value)?, at, *age),
        TestOp::NewerThan(age) => is_newer(instant(&value)?, at, *age),
        TestOp::Compare(op, literal) => compare(&value, *op, literal)?,
        TestOp::CompareField(op, field) => compare(&value, *op, &*other(*field)?)?,
    })
}

/// A value as tests, keys and distinct counts see it: a text ignoring case is folded.
pub(super) fn comparable<'v>(kind: &Kind, field: FieldId, value: &'v Value) -> Cow<'v, Value> {
    let ty = kind.field(field).map(|field| &field.ty);
    let ignores_case = match ty {
        Some(Type::Text { ignoring_case }) => *ignoring_case,
        Some(Type::List(item)) => matches!(
            **item,
            Type::Text {
                ignoring_case: true
            }
        ),
        _ => false,
    };
    if ignores_case {
        Cow::Owned(folded(value))
    } else {
        Cow::Borrowed(value)
    }
}

fn folded(value: &Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(Arc::from(fold_case(text))),
        Value::List(items) => Value::List(items.iter().map(folded).collect()),
        other => other.clone(),
    }
}

fn compare(value: &Value, op: Comparison, other: &Value) -> Option<bool> {
    match op {
        Comparison::Is => equal(value, other),
        Comparison::IsNot => equal(value, other).map(|equal| !equal),
        ordered => value.order(other).map(|order| ordered.holds(order)),
    }
}

/// Values of two sorts are neither equal nor different: no matrix that checks compares them.
fn equal(a: &Value, b: &Value) -> Option<bool> {
    (discriminant(a) == discriminant(b)).then(|| a == b)
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) | Value::Word(text) => Some(text),
        _ => None,
    }
}

fn instant(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Timestamp(at) => Some(*at),
        _ => None,
    }
}

fn items(value: &Value) -> Option<&[Value]> {
    match value {
        Value::List(items) => Some(items),
        _ => None,
    }
}

fn contains(items: &[Value], how: ContainsHow, values: &[Value]) -> bool {
    let items: HashSet<&Value> = items.iter().collect();
    let mut there = values.iter().map(|value| items.contains(value));
    match how {
        ContainsHow::Any => there.any(|there| there),
        ContainsHow::All => there.all(|there| there),
        ContainsHow::None => !there.any(|there| there),
    }
}

fn text_holds(text: &str, how: TextHow, literal: &str) -> bool {
    match how {
        TextHow::StartsWith => text.starts_with(literal),
        TextHow::EndsWith => text.ends_with(literal),
        TextHow::Contains => text.contains(literal),
        TextHow::Like => is_like(text, literal),
    }
}

/// Whether a text has the form of a pattern in which `*` stands for any text.
///
/// Each piece between stars is taken at its first place behind the piece before it. That is never
/// worse than a later place, so nothing is tried twice.
fn is_like(text: &str, pattern: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return text == pattern;
    };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(text) = text.strip_prefix(start) else {
        return false;
    };
    let Some(mut text) = text.strip_suffix(end) else {
        return false;
    };
    for piece in middle.split('*') {
        match text.split_once(piece) {
            Some((_, behind)) => text = behind,
            None => return false,
        }
    }
    true
}

/// `older than`: strictly before the event's instant less the age.
fn is_older(value: Timestamp, at: Timestamp, age: Duration) -> bool {
    at.checked_sub_signed(age.to_chrono())
        .is_some_and(|edge| value < edge)
}

/// `newer than`: strictly after the event's instant less the age, the future included. An instant
/// exactly that old is neither older nor newer.
fn is_newer(value: Timestamp, at: Timestamp, age: Duration) -> bool {
    at.checked_sub_signed(age.to_chrono())
        .is_none_or(|edge| value > edge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, like) in [
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("a*", "a", true),
            ("a*", "ba", false),
            ("*a", "ba", true),
            ("*a", "ab", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("*b*b*", "b", false),
            ("*b*b*", "bb", true),
            ("*", "", true),
            ("**", "anything", true),
            ("ab*ba", "aba", false),
            ("*é*", "café!", true),
        ] {
            assert_eq!(is_like(text, pattern), like, "`{text}` like `{pattern}`");
        }
    }

    #[test]
    fn many_stars_are_quick() {
        let text = "a".repeat(200_000);
        let pattern = "*a".repeat(1_000) + "*b*";
        assert!(!is_like(&text, &pattern));
    }

    #[test]
    fn an_instant_of_exactly_that_age_is_neither_older_nor_newer() {
        let at = crate::clock::parse_timestamp("2026-01-31T12:00:00Z").unwrap();
        let age = Duration::parse("30d").unwrap();
        let edge = at - age.to_chrono();
        let step = Duration::from_millis(1).to_chrono();
        assert!(!is_older(edge, at, age) && !is_newer(edge, at, age));
        assert!(is_older(edge - step, at, age) && !is_newer(edge - step, at, age));
        assert!(!is_older(edge + step, at, age) && is_newer(edge + step, at, age));
    }
}
