//! Event kinds and their fields.
//!
//! In: `event` items. Out: the schema.
//! Invariant: every declared kind gets its id, also one whose fields are partly wrong.

use std::collections::HashMap;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::build::Checker;
use crate::diagnostic::{Diagnostic, codes};
use crate::schema::{Field, Kind, Presence};
use crate::span::{Span, Spanned};
use crate::syntax::ast::{self, FieldType, LiteralRange, Word};
use crate::value::{Currency, Range, Type, parse_decimal, parse_whole};

/// The members of an event that are no fields.
const RESERVED_MEMBERS: [&str; 4] = ["kind", "id", "at", "evidence"];

impl<'a> Checker<'a> {
    pub(super) fn kinds(&mut self, kinds: &[&'a ast::Event]) {
        let mut answers: HashMap<&str, (Span, bool)> = HashMap::new();
        for event in kinds {
            let id = self.schema.next_kind();
            let fields = self.fields(event);
            if !event.broken.is_empty() || fields.len() != event.fields.len() {
                self.kinds_in_part.insert(id);
            }
            let source = event
                .source
                .as_ref()
                .filter(|source| source.node != event.name.node);
            let names = [(&event.name, false)]
                .into_iter()
                .chain(source.map(|s| (s, true)));
            for (name, is_source) in names {
                let first = answers.insert(&name.node, (name.span, is_source));
                // Two kinds of one name are a duplicate name; that is said elsewhere.
                if let Some((first, was_source)) = first
                    && (is_source || was_source)
                {
                    self.out.push(
                        Diagnostic::new(
                            codes::DUPLICATE_SOURCE_NAME,
                            name.span,
                            format!("a second kind answers to `{}`", name.node),
                        )
                        .label(first, "the first one"),
                    );
                }
            }
            let name: Arc<str> = Arc::from(event.name.node.as_str());
            let source = source.map(|s| Arc::from(s.node.as_str()));
            self.schema
                .add(Kind::new(id, name, source, fields, event.name.span));
        }
    }

    fn fields(&mut self, event: &'a ast::Event) -> Vec<Field> {
        let mut fields: Vec<Field> = Vec::new();
        // PERF: every prefix of every path, so that a kind of many fields is not compared pairwise.
        let mut places: HashMap<Vec<&str>, (bool, Span)> = HashMap::new();
        let mut paths: HashMap<Vec<&str>, (bool, Span)> = HashMap::new();
        for field in &event.fields {
            let declared = &field.node;
            let path: Vec<&str> = declared.path.node.split('.').collect();
            let json: Vec<&str> = if declared.source.is_empty() {
                path.clone()
            } else {
                declared
                    .source
                    .iter()
                    .map(|part| part.node.as_str())
                    .collect()
            };
            let reserved = !self.not_reserved(declared, &path, &json);
            let clash = !reserved && self.clashes(declared, &path, &json, &mut paths, &mut places);
            let ty = self.field_type(&declared.ty);
            let (false, false, Some(ty)) = (reserved, clash, ty) else {
                continue;
            };
            let Some(presence) = self.presence(&declared.presence, &ty) else {
                continue;
            };
            fields.push(Field {
                id: self.schema.intern(&declared.path.node),
                path: Arc::from(declared.path.node.as_str()),
                json: json.into_iter().map(Arc::from).collect(),
                ty,
                presence,
                span: field.span,
            });
        }
        fields
    }

    fn not_reserved(&mut self, field: &ast::Field, path: &[&str], json: &[&str]) -> bool {
        let first = |parts: &[&str]| {
            parts
                .first()
                .is_some_and(|first| RESERVED_MEMBERS.contains(first))
        };
        let (span, name) = match (first(path), first(json)) {
            (true, _) => (field.path.span, path.first()),
            (_, true) => (
                field.source.first().map_or(field.path.span, |s| s.span),
                json.first(),
            ),
            _ => return true,
        };
        let name = name.copied().unwrap_or("");
        let help = if name == "at" {
            "every kind has the timestamp field `at` without declaring it"
        } else {
            "`kind`, `id`, `at` and `evidence` belong to every event"
        };
        self.out.push(
            Diagnostic::new(
                codes::RESERVED_FIELD,
                span,
                format!("`{name}` cannot be a field"),
            )
            .help(help),
        );
        false
    }

    /// Whether a field stands at, inside or around another one.
    fn clashes<'p>(
        &mut self,
        field: &'p ast::Field,
        path: &[&'p str],
        json: &[&'p str],
        paths: &mut HashMap<Vec<&'p str>, (bool, Span)>,
        places: &mut HashMap<Vec<&'p str>, (bool, Span)>,
    ) -> bool {
        let span = field.path.span;
        let name = &field.path.node;
        if let Some((other, equal)) = occupied(paths, path) {
            self.out.push(if equal {
                Diagnostic::new(
                    codes::DUPLICATE_FIELD,
                    span,
                    format!("a second field `{name}`"),
                )
                .label(other, "first declared here")
            } else {
                Diagnostic::new(
                    codes::FIELD_PREFIX,
                    span,
                    format!("`{name}` lies inside another field, or another one inside it"),
                )
                .label(other, "the other one")
            });
            return true;
        }
        if let Some((other, _)) = occupied(places, json) {
            self.out.push(
                Diagnostic::new(
                    codes::JSON_NAME_CLASH,
                    field.source.first().map_or(span, |s| s.span),
                    format!("`{name}` and another field are read from one place of the JSON"),
                )
                .label(other, "the other one"),
            );
            return true;
        }
        occupy(paths, path, span);
        occupy(places, json, span);
        false
    }

    fn field_type(&mut self, ty: &Spanned<FieldType>) -> Option<Type> {
        Some(match &ty.node {
            FieldType::YesNo => Type::YesNo,
            FieldType::Text { ignoring_case } => Type::Text {
                ignoring_case: *ignoring_case,
            },
            FieldType::Whole(range) => {
                Type::Whole(self.range(range.as_ref(), parse_whole, "a whole number of 64 bits")?)
            }
            FieldType::Number(range) => Type::Number(self.range(
                range.as_ref(),
                decimal,
                "an exact decimal of at most 28 digits",
            )?),
            FieldType::Money(currency, range) => {
                let range = self.range(
                    range.as_ref(),
                    decimal,
                    "an exact decimal of at most 28 digits",
                );
                let code = self.currency(currency);
                Type::Money(code?, range?)
            }
            FieldType::OneOf(words) => Type::OneOf(self.enum_words(words)),
            FieldType::Timestamp => Type::Timestamp,
            FieldType::Duration => Type::Duration,
            FieldType::List(item) => {
                if matches!(item.node, FieldType::List(_)) {
                    self.out.push(
                        Diagnostic::new(
                            codes::NESTED_LIST,
                            ty.span,
                            "a list of lists has no tests",
                        )
                        .help("declare a list of plain values, or several fields"),
                    );
                    return None;
                }
                Type::List(Box::new(self.field_type(item)?))
            }
        })
    }

    pub(super) fn currency(&mut self, code: &Spanned<String>) -> Option<Currency> {
        let currency = Currency::parse(&code.node);
        if currency.is_none() {
            let mut found = Diagnostic::new(
                codes::CURRENCY_MISMATCH,
                code.span,
                format!("`{}` is no currency", code.node),
            )
            .help("a currency is three capital letters, such as `USD`");
            let upper = code.node.to_ascii_uppercase();
            if Currency::parse(&upper).is_some() {
                found = found.safe_fix(format!("write `{upper}`"), code.span, upper);
            }
            self.out.push(found);
        }
        currency
    }

    fn range<T: PartialOrd>(
        &mut self,
        range: Option<&LiteralRange>,
        read: fn(&str) -> Option<T>,
        what: &str,
    ) -> Option<Option<Range<T>>> {
        let Some(range) = range else {
            return Some(None);
        };
        let mut end = |text: &Spanned<String>| {
            let number = read(&text.node);
            if number.is_none() {
                let message = format!("`{}` is not {what}", text.node);
                self.out
                    .push(Diagnostic::new(codes::BAD_NUMBER, text.span, message));
            }
            number
        };
        let (low, high) = (end(&range.low), end(&range.high));
        let (low, high) = (low?, high?);
        if low > high {
            self.out.push(
                Diagnostic::new(
                    codes::BAD_RANGE,
                    range.low.span.to(range.high.span),
                    format!(
                        "from {} to {} there is nothing",
                        range.low.node, range.high.node
                    ),
                )
                .guess(
                    "swap the ends",
                    range.low.span.to(range.high.span),
                    format!("{} to {}", range.high.node, range.low.node),
                ),
            );
            return None;
        }
        Some(Some(Range { low, high }))
    }

    fn enum_words(&mut self, words: &[Spanned<Word>]) -> Arc<[Arc<str>]> {
        let mut seen: HashMap<&str, Span> = HashMap::new();
        let mut values = Vec::new();
        for word in words {
            if let Some(first) = seen.insert(&word.node.text, word.span) {
                self.out.push(
                    Diagnostic::new(
                        codes::DUPLICATE_VALUE,
                        word.span,
                        format!("the value `{}` is listed twice", word.node.text),
                    )
                    .label(first, "here already"),
                );
            }
            values.push(Arc::from(word.node.text.as_str()));
        }
        values.into()
    }

    fn presence(&mut self, presence: &ast::Presence, ty: &Type) -> Option<Presence> {
        Some(match presence {
            ast::Presence::Required => Presence::Required,
            ast::Presence::Optional => Presence::Optional,
            ast::Presence::Default(literal) => {
                let before = self.out.len();
                let value = self
                    .literal(ty, literal)
                    .filter(|value| self.in_range(ty, value, literal.span()));
                // One finding, in the words of what is wrong with the value.
                for found in self.out.split_off(before) {
                    let message = format!("the default does not fit: {}", found.message);
                    let mut found = Diagnostic {
                        code: codes::BAD_DEFAULT,
                        message,
                        ..found
                    };
                    found.labels.clear();
                    self.out.push(found);
                }
                Presence::Default(value?)
            }
        })
    }
}

fn decimal(text: &str) -> Option<Decimal> {
    parse_decimal(text).ok()
}

/// The field that stands at, inside or around a path, and whether it is the same path.
fn occupied(taken: &HashMap<Vec<&str>, (bool, Span)>, path: &[&str]) -> Option<(Span, bool)> {
    if let Some((leaf, span)) = taken.get(path) {
        return Some((*span, *leaf));
    }
    (1..path.len()).find_map(|len| {
        let prefix = path.get(..len)?;
        let (leaf, span) = taken.get(prefix)?;
        leaf.then_some((*span, false))
    })
}

/// Takes a path, and its prefixes as the way to it.
fn occupy<'p>(taken: &mut HashMap<Vec<&'p str>, (bool, Span)>, path: &[&'p str], span: Span) {
    for len in 1..path.len() {
        if let Some(prefix) = path.get(..len) {
            taken.entry(prefix.to_vec()).or_insert((false, span));
        }
    }
    taken.insert(path.to_vec(), (true, span));
}
