//! Tests of the event layer: one per rule, and properties over random events.

mod forms;
mod infer;
mod properties;
mod rules;

use std::sync::Arc;

use crate::clock::{Timestamp, parse_timestamp};
use crate::event::{Event, ProblemCode, Unreadable, read};
use crate::limits::Limits;
use crate::schema::{Field, Kind, Presence, Schema};
use crate::span::Span;
use crate::value::{Currency, Range, Type, Value, parse_decimal};

/// A field as a test declares it: path, JSON names (empty: those of the path), type, presence.
pub(super) type Declared = (&'static str, Vec<&'static str>, Type, Presence);

pub(super) fn schema(kinds: Vec<(&str, Option<&str>, Vec<Declared>)>) -> Schema {
    let mut schema = Schema::default();
    for (name, source, declared) in kinds {
        let fields = declared
            .into_iter()
            .map(|(path, json, ty, presence)| Field {
                id: schema.intern(path),
                path: Arc::from(path),
                json: match json.is_empty() {
                    true => path.split('.').map(Arc::from).collect(),
                    false => json.into_iter().map(Arc::from).collect(),
                },
                ty,
                presence,
                span: Span::default(),
            });
        let fields = fields.collect();
        let source = source.map(Arc::from);
        let id = schema.next_kind();
        schema.add(Kind::new(
            id,
            Arc::from(name),
            source,
            fields,
            Span::default(),
        ));
    }
    schema
}

pub(super) fn text() -> Type {
    Type::Text {
        ignoring_case: false,
    }
}

pub(super) fn words(words: &[&str]) -> Type {
    Type::OneOf(words.iter().map(|w| Arc::from(*w)).collect())
}

pub(super) fn usd() -> Currency {
    Currency::parse("USD").unwrap()
}

pub(super) fn range(low: &str, high: &str) -> Range<rust_decimal::Decimal> {
    Range {
        low: parse_decimal(low).unwrap(),
        high: parse_decimal(high).unwrap(),
    }
}

/// The kind of the tests: each type, each presence, nested fields and a JSON name.
pub(super) fn sample() -> Schema {
    use Presence::{Default, Optional, Required};
    let none = Vec::new;
    schema(vec![(
        "tool_call",
        Some("com.acme.tool.call"),
        vec![
            (
                "action",
                none(),
                words(&["lookup", "refund", "grant-role"]),
                Required,
            ),
            (
                "amount",
                none(),
                Type::Money(usd(), Some(range("0", "1000"))),
                Optional,
            ),
            (
                "confidence",
                none(),
                Type::Number(Some(range("0", "1"))),
                Optional,
            ),
            ("customer", vec!["customerId"], text(), Optional),
            ("tenant.source", none(), text(), Optional),
            (
                "retries",
                none(),
                Type::Whole(Some(Range { low: 0, high: 9 })),
                Optional,
            ),
            ("total", none(), Type::Whole(None), Optional),
            ("urgent", none(), Type::YesNo, Default(Value::Bool(false))),
            ("due", none(), Type::Timestamp, Optional),
            ("wait", none(), Type::Duration, Optional),
            (
                "tags",
                none(),
                Type::List(Box::new(text())),
                Default(Value::List(Vec::new())),
            ),
            (
                "scores",
                none(),
                Type::List(Box::new(Type::Number(Some(range("0", "1"))))),
                Optional,
            ),
        ],
    )])
}

pub(super) fn noon() -> Timestamp {
    parse_timestamp("2026-01-07T12:00:00Z").unwrap()
}

pub(super) fn event(text: &str) -> Result<Event, Box<Unreadable>> {
    read(text.as_bytes(), &sample(), &Limits::default(), noon())
}

/// An event of the sample kind with further members.
pub(super) fn with(members: &str) -> Result<Event, Box<Unreadable>> {
    let comma = if members.is_empty() { "" } else { "," };
    event(&format!(
        r#"{{"kind":"tool_call","action":"refund"{comma}{members}}}"#
    ))
}

/// The problems of an event, readable or not: their codes and fields.
pub(super) fn found(result: &Result<Event, Box<Unreadable>>) -> Vec<(ProblemCode, Option<&str>)> {
    let problems = match result {
        Ok(event) => event.problems(),
        Err(unreadable) => &unreadable.problems,
    };
    problems
        .iter()
        .map(|p| (p.code, p.field.as_deref()))
        .collect()
}

/// The only problem's message.
pub(super) fn message(result: &Result<Event, Box<Unreadable>>) -> String {
    let problems = match result {
        Ok(event) => event.problems(),
        Err(unreadable) => &unreadable.problems,
    };
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems[0].message.clone()
}

pub(super) fn value<'e>(event: &'e Event, path: &str) -> Option<&'e Value> {
    let schema = sample();
    let kind = schema.kind(event.kind).unwrap();
    event.get(kind, schema.field_id(path).unwrap())
}
