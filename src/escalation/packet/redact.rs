//! What of an event nobody is to see, taken out before it is stored.
//!
//! In: paths that an operator named, a matrix, JSON. Out: the same JSON with [`REDACTED`] for values.
//! Invariant: a value at a redacted path is in nothing that comes out, also not in what a test of its
//! field saw.
//! Knows no packets.
//!
//! A path names a member as the event has it (`data.customerId`), a field as the matrix has it
//! (`customer`), or a member of the evidence, with or without `evidence` in front of it. The `data` of an
//! envelope may be left out, and so may the number of an item of a list. Where two readings are possible
//! both are hidden.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::Matter;
use crate::escalation::policy::{RedactPath, Step};
use crate::event::{Json, Problem, ProblemCode};
use crate::matrix::{Expr, ExprKind, Matrix, MeasureFunction, Test, TestOp};
use crate::schema::{Field, FieldId};
use crate::value::Type;

/// What stands for a value that is hidden.
pub const REDACTED: &str = "[redacted]";

/// Shorter texts are in many words by chance.
const TEXT_CHARS: usize = 3;
/// Messages show the beginning of a value; so much of it is surely shown.
const BEGINNING_CHARS: usize = 30;

/// Where the fields of an envelope are.
const DATA: Step = Step::Member(Cow::Borrowed("data"));

/// Hides what is at some paths, and remembers what that was.
#[derive(Debug, Default)]
pub(super) struct Redaction<'a> {
    paths: &'a [RedactPath],
    /// Whether the event is an envelope, with its fields and its evidence in `data`.
    is_envelope: bool,
    /// Where hidden fields are in an event.
    places: Vec<Vec<String>>,
    /// The paths of hidden fields, in the matrix and in an event.
    names: BTreeSet<String>,
    /// The tests that show a hidden field.
    tests: BTreeSet<String>,
    /// The beginnings of the texts that were hidden.
    texts: BTreeSet<String>,
    /// Where they were.
    hidden: Vec<String>,
}

impl<'a> Redaction<'a> {
    /// For JSON that has no fields and came with an action, or behind it.
    pub(super) fn of(paths: &'a [RedactPath], action: Option<&Json>) -> Self {
        Self {
            paths,
            is_envelope: action.is_some_and(is_envelope),
            ..Self::default()
        }
    }

    /// For an event, by the fields of its kind; of any kind where that could not be read.
    pub(super) fn of_matter(paths: &'a [RedactPath], matter: &Matter<'_>) -> Self {
        let (matrix, kind) = (matter.matrix, matter.kind);
        let mut redaction = Self::of(paths, matter.action.as_ref());
        if paths.is_empty() {
            return redaction;
        }
        let kinds = matrix.schema.kinds().iter();
        let kinds = kinds.filter(|known| kind.is_none_or(|kind| kind == known.id));
        let fields = kinds.flat_map(|kind| &kind.fields);
        let fields: Vec<&Field> = fields.filter(|field| redaction.hides(field)).collect();
        for field in &fields {
            let place: Vec<String> = field.json.iter().map(ToString::to_string).collect();
            redaction.names.insert(field.path.to_string());
            redaction.names.insert(place.join("."));
            redaction.places.push(place);
        }
        let fields: BTreeSet<FieldId> = fields.into_iter().map(|field| field.id).collect();
        let exprs = matrix.lanes.iter().flat_map(|lane| {
            let unless = lane.unless.as_ref();
            std::iter::once(&lane.when).chain(unless)
        });
        let rules = matrix.rules.iter().map(|rule| &rule.when);
        let conditions = matrix.conditions.iter().map(|condition| &condition.expr);
        for expr in exprs.chain(rules).chain(conditions) {
            showing(expr, matrix, &fields, &mut redaction.tests);
        }
        redaction
    }

    /// Whether a field is hidden, or a part of its value: then all of it is.
    fn hides(&self, field: &Field) -> bool {
        let path: Vec<Step> = field.path.split('.').map(Step::member).collect();
        let json: Vec<Step> = field.json.iter().map(|name| Step::member(name)).collect();
        [path, json].into_iter().any(|mut path| {
            let mut ty = &field.ty;
            if let Type::List(inner) = ty {
                path.push(Step::AnyItem);
                ty = inner;
            }
            if matches!(ty, Type::Money(..)) {
                path.push(Step::member("amount"));
            }
            self.covers(&path)
        })
    }

    /// Whether what is at a path of the event is hidden.
    fn covers(&self, path: &[Step]) -> bool {
        self.paths.iter().any(|hidden| {
            hidden.reaches(path)
                || self.is_envelope && hidden.reaches(std::iter::once(&DATA).chain(path))
        })
    }

    /// Whether what is at a path below the root of the event is hidden.
    fn is_hidden(&self, path: &[Step]) -> bool {
        // What is below the root of an envelope's data, or of the evidence.
        let inner = path.split_first().and_then(|(first, rest)| {
            let is_inside = match first.name()? {
                "data" => self.is_envelope,
                name => name == "evidence",
            };
            is_inside.then_some(rest)
        });
        let is_place = |path: &[Step]| {
            let mut places = self.places.iter();
            places.any(|place| path.iter().filter_map(Step::name).eq(place))
        };
        let readings = std::iter::once(path).chain(inner);
        let mut readings = readings.filter(|path| !path.is_empty());
        readings.any(|path| self.covers(path) || is_place(path))
    }

    /// Hides what is to be hidden in JSON that is at a path of the event.
    pub(super) fn apply(&mut self, json: &mut Json, at: &[&str]) {
        let mut path: Vec<Step> = at.iter().map(|name| Step::member(name)).collect();
        if !self.paths.is_empty() {
            self.walk(json, &mut path);
        }
    }

    /// The depth of an event's JSON is bounded.
    fn walk(&mut self, json: &mut Json, path: &mut Vec<Step>) {
        if *json != Json::Null && !path.is_empty() && self.is_hidden(path) {
            self.forget(json);
            *json = Json::Text(REDACTED.to_owned());
            // Without the numbers of items: a list of many is named once.
            let names: Vec<&str> = path.iter().filter_map(Step::name).collect();
            let name = names.join(".");
            if !self.hidden.contains(&name) {
                self.hidden.push(name);
            }
            return;
        }
        match json {
            Json::Object(members) => {
                for (name, value) in members {
                    path.push(Step::member(name));
                    self.walk(value, path);
                    path.pop();
                }
            }
            Json::List(items) => {
                for (number, item) in items.iter_mut().enumerate() {
                    path.push(Step::Item(number.to_string()));
                    self.walk(item, path);
                    path.pop();
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => {}
        }
    }

    /// Keeps the texts of what is hidden, to find them in sentences.
    fn forget(&mut self, json: &Json) {
        match json {
            Json::Text(text) | Json::Number(text) => {
                let beginning: String = text.chars().take(BEGINNING_CHARS).collect();
                if beginning.chars().count() >= TEXT_CHARS {
                    self.texts.insert(beginning);
                }
            }
            Json::List(items) => items.iter().for_each(|item| self.forget(item)),
            Json::Object(members) => members.iter().for_each(|(_, value)| self.forget(value)),
            Json::Null | Json::Bool(_) => {}
        }
    }

    /// Whether a test shows a hidden field.
    pub(super) fn hides_test(&self, test: &str) -> bool {
        self.tests.contains(test)
    }

    /// Whether a field, by its path in the matrix, is hidden.
    pub(super) fn hides_path(&self, path: &str) -> bool {
        self.names.contains(path)
    }

    /// Whether a sentence shows something that is hidden: a text, or what a test saw.
    pub(super) fn is_in(&self, sentence: &str) -> bool {
        let saw = |test: &String| sentence.contains(&format!("`{test}` saw "));
        self.texts.iter().any(|text| sentence.contains(text)) || self.tests.iter().any(saw)
    }

    /// The message of a problem, without what it says of a hidden field.
    pub(super) fn message(&self, problem: &Problem) -> String {
        let of_hidden = problem.field.as_deref().is_some_and(|field| {
            let field = field.split('[').next().unwrap_or(field);
            let mut hidden = self.names.iter().chain(&self.hidden);
            let path: Vec<Step> = field.split('.').map(Step::member).collect();
            self.is_hidden(&path) || hidden.any(|name| meet(name, field))
        });
        // Of what is not JSON nobody knows at which path it is.
        let is_anywhere = problem.code == ProblemCode::BadNumber && problem.field.is_none();
        let is_hidden = of_hidden || self.is_in(&problem.message);
        let is_hidden = is_hidden || (is_anywhere && !self.paths.is_empty());
        match (is_hidden, &problem.field) {
            (false, _) => problem.message.clone(),
            (true, Some(field)) => format!("`{field}`: {REDACTED}"),
            (true, None) => REDACTED.to_owned(),
        }
    }

    /// What was hidden, as paths of the event.
    pub(super) fn into_hidden(self) -> Vec<String> {
        self.hidden
    }
}

/// Whether an event is a CloudEvents envelope.
pub(super) fn is_envelope(event: &Json) -> bool {
    let there = |name| event.member(name).is_some_and(|value| *value != Json::Null);
    there("specversion") && !there("kind")
}

/// Whether one of two paths is the other, or is above it.
fn meet(one: &str, other: &str) -> bool {
    let is_above = |above: &str, below: &str| {
        let rest = below.strip_prefix(above);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    is_above(one, other) || is_above(other, one)
}

/// The tests of an expression that show one of these fields. A sum shows the field that is summed;
/// no measure shows the fields that it is taken by.
fn showing(expr: &Expr, matrix: &Matrix, fields: &BTreeSet<FieldId>, tests: &mut BTreeSet<String>) {
    match &expr.kind {
        ExprKind::All(parts)
        | ExprKind::Any(parts)
        | ExprKind::None(parts)
        | ExprKind::AtLeast(_, parts) => {
            parts
                .iter()
                .for_each(|part| showing(part, matrix, fields, tests));
        }
        ExprKind::Not(part) => showing(part, matrix, fields, tests),
        ExprKind::Test(test) if reads(test).any(|field| fields.contains(&field)) => {
            tests.insert(test.text.clone());
        }
        ExprKind::Measure(test) => {
            let function = matrix.measure(test.measure).map(|measure| measure.function);
            if let Some(MeasureFunction::Sum(field)) = function
                && fields.contains(&field)
            {
                tests.insert(test.text.clone());
            }
        }
        ExprKind::Test(_) | ExprKind::Condition(_) => {}
    }
}

fn reads(test: &Test) -> impl Iterator<Item = FieldId> {
    let other = match test.op {
        TestOp::SameAs(other) | TestOp::DiffersFrom(other) | TestOp::CompareField(_, other) => {
            Some(other)
        }
        _ => None,
    };
    std::iter::once(test.field).chain(other)
}
