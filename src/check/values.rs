//! Literals and the types they must have.
//!
//! In: a literal as written and a field's type. Out: a typed value, or one finding.
//! Invariant: nothing is converted from one type to another.

use super::build::Checker;
use crate::clock::without_leap;
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::span::{Span, Spanned};
use crate::syntax::ast::{self, Literal};
use crate::syntax::print::value_text;
use crate::value::{Currency, NumberError, Type, Value, fold_case, parse_decimal, parse_whole};

impl Checker<'_> {
    /// A literal of a field: one value, or for a list a set of them.
    pub(super) fn literal(&mut self, ty: &Type, literal: &Literal) -> Option<Value> {
        match (ty, literal) {
            (Type::List(item), Literal::Set(set)) => {
                let values: Vec<_> = set
                    .node
                    .iter()
                    .map(|value| self.value(item, value))
                    .collect();
                values
                    .into_iter()
                    .collect::<Option<Vec<_>>>()
                    .map(Value::List)
            }
            (Type::List(_), Literal::One(value)) => {
                let text = value_text(&value.node);
                self.out.push(
                    Diagnostic::new(
                        codes::TYPE_MISMATCH,
                        value.span,
                        format!("`{text}` is no list"),
                    )
                    .safe_fix(
                        format!("write `({text})`"),
                        value.span,
                        format!("({text})"),
                    ),
                );
                None
            }
            (_, Literal::One(value)) => self.value(ty, value),
            (_, Literal::Set(set)) => {
                self.out.push(
                    Diagnostic::new(
                        codes::TYPE_MISMATCH,
                        set.span,
                        format!("a set of values where the field holds one `{}`", ty.short()),
                    )
                    .help("only a `list of` field holds several values"),
                );
                None
            }
        }
    }

    /// One value of a type that is no list.
    pub(super) fn value(&mut self, ty: &Type, value: &Spanned<ast::Value>) -> Option<Value> {
        use ast::Value as Written;
        let span = value.span;
        match (ty, &value.node) {
            (_, Written::Broken) => None,
            (Type::YesNo, Written::Yes) => Some(Value::Bool(true)),
            (Type::YesNo, Written::No) => Some(Value::Bool(false)),
            (Type::Text { .. }, Written::Str(text)) => Some(Value::Text(text.as_str().into())),
            (Type::Whole(_), Written::Number(text)) => self.whole(text, span),
            (Type::Number(_), Written::Number(text)) => self.decimal(text, span).map(Value::Number),
            (Type::Money(currency, _), Written::Money(text, code)) => {
                let given = self.currency(&Spanned::new(
                    code.clone(),
                    Span {
                        start: span.end.saturating_sub(3),
                        ..span
                    },
                ))?;
                let amount = self.decimal(text, span)?;
                self.same_currency(*currency, given, span)?;
                Some(Value::Money(amount, given))
            }
            (Type::OneOf(words), Written::Word(text) | Written::Str(text)) => {
                if let Some(word) = words.iter().find(|word| ***word == **text) {
                    return Some(Value::Word(word.clone()));
                }
                self.unknown_word(text, words.iter().map(|w| &**w), span);
                None
            }
            (Type::Timestamp, Written::Timestamp(at)) => {
                Some(Value::Timestamp(without_leap(at.to_utc())))
            }
            // A date stands for its first instant in the matrix's zone.
            (Type::Timestamp, Written::Date(day)) => Some(Value::Timestamp(
                crate::calendar::start_of_day(self.zone, *day),
            )),
            (Type::Duration, Written::Duration(length)) => Some(Value::Duration(*length)),
            _ => {
                let found = mismatch(ty, &value.node, span);
                self.out.push(found);
                None
            }
        }
    }

    fn whole(&mut self, text: &str, span: Span) -> Option<Value> {
        let number = parse_whole(text);
        if number.is_none() {
            let size = if text.contains('.') {
                ""
            } else {
                " of 64 bits"
            };
            let message = format!("`{text}` is no whole number{size}");
            self.out
                .push(Diagnostic::new(codes::TYPE_MISMATCH, span, message));
        }
        number.map(Value::Whole)
    }

    fn decimal(&mut self, text: &str, span: Span) -> Option<rust_decimal::Decimal> {
        match parse_decimal(text) {
            Ok(number) => Some(number),
            Err(error @ (NumberError::Form | NumberError::TooManyDigits)) => {
                self.out.push(Diagnostic::new(
                    codes::BAD_NUMBER,
                    span,
                    format!("`{text}`: {error}"),
                ));
                None
            }
        }
    }

    fn same_currency(&mut self, field: Currency, given: Currency, span: Span) -> Option<()> {
        if field == given {
            return Some(());
        }
        self.out.push(
            Diagnostic::new(
                codes::CURRENCY_MISMATCH,
                span,
                format!("`{given}` where the field holds `{field}`"),
            )
            .help("two currencies never compare; declare a field for each"),
        );
        None
    }

    fn unknown_word<'w>(&mut self, text: &str, words: impl Iterator<Item = &'w str>, span: Span) {
        let words: Vec<&str> = words.collect();
        let mut found = Diagnostic::new(
            codes::UNKNOWN_VALUE,
            span,
            format!("the field never holds `{text}`"),
        );
        let comparable = self.names.may_compare(words.len());
        let near = comparable.then(|| nearest(text, words.iter().copied()));
        found = match near.flatten() {
            Some(near) => {
                let written = Value::Word(near.into()).to_string();
                found.help(format!("did you mean `{written}`?")).guess(
                    format!("write `{written}`"),
                    span,
                    written,
                )
            }
            None => found.help(one_of(&words)),
        };
        self.out.push(found);
    }

    /// Whether a value lies in its field's declared range; a finding if not.
    pub(super) fn in_range(&mut self, ty: &Type, value: &Value, span: Span) -> bool {
        if is_in_range(ty, value) {
            return true;
        }
        self.out.push(
            Diagnostic::new(
                codes::OUT_OF_RANGE,
                span,
                format!("`{value}` lies outside `{ty}`"),
            )
            .help("an event with this value is unreadable"),
        );
        false
    }
}

/// Whether a value lies in the declared range of its type.
pub(super) fn is_in_range(ty: &Type, value: &Value) -> bool {
    match (ty, value) {
        (Type::Whole(Some(range)), Value::Whole(number)) => range.holds(number),
        (Type::Number(Some(range)), Value::Number(number)) => range.holds(number),
        (Type::Money(_, Some(range)), Value::Money(amount, _)) => range.holds(amount),
        (Type::List(item), Value::List(values)) => {
            values.iter().all(|value| is_in_range(item, value))
        }
        _ => true,
    }
}

/// A literal as it compares with values of a type: a text ignoring case is folded.
pub(super) fn comparable(ty: &Type, value: Value) -> Value {
    match (ty, value) {
        (
            Type::Text {
                ignoring_case: true,
            },
            Value::Text(text),
        ) => Value::Text(fold_case(&text).into()),
        (_, value) => value,
    }
}

/// The values of a field, the first of many.
fn one_of(words: &[&str]) -> String {
    let shown: Vec<&str> = words.iter().copied().take(12).collect();
    let more = if words.len() > 12 { ", ..." } else { "" };
    format!("it is one of {}{more}", super::names::list(&shown))
}

fn mismatch(ty: &Type, value: &ast::Value, span: Span) -> Diagnostic {
    use ast::Value as Written;
    let text = value_text(value);
    let found = Diagnostic::new(
        codes::TYPE_MISMATCH,
        span,
        format!("`{text}` is no `{}`", ty.short()),
    );
    match (ty, value) {
        (Type::Text { .. }, Written::Word(_) | Written::Yes | Written::No | Written::Number(_)) => {
            let quoted = crate::value::quote(&text);
            let sure = matches!(value, Written::Number(_));
            let title = format!("write `{quoted}`");
            if sure {
                found.guess(title, span, quoted)
            } else {
                found.safe_fix(title, span, quoted)
            }
        }
        (Type::Money(currency, _), Written::Number(_)) => {
            let written = format!("{text} {currency}");
            found.help("an amount of money names its currency").guess(
                format!("write `{written}`"),
                span,
                written,
            )
        }
        (Type::YesNo, Written::Word(word) | Written::Str(word))
            if matches!(word.as_str(), "true" | "false") =>
        {
            let ours = if word == "true" { "yes" } else { "no" };
            found.safe_fix(format!("write `{ours}`"), span, ours)
        }
        (Type::YesNo, _) => found.help("a yes/no field is `yes` or `no`"),
        (Type::OneOf(words), _) => {
            let words: Vec<&str> = words.iter().map(|word| &**word).collect();
            Diagnostic {
                message: format!("`{text}` is no value of this field"),
                ..found.help(one_of(&words))
            }
        }
        (Type::Timestamp, _) => found.help("an instant is written `2026-01-07T12:00:00+01:00`"),
        (Type::Duration, _) => found.help("a duration is written `1h30m`"),
        (Type::Number(_) | Type::Whole(_), Written::Str(inner)) if parse_decimal(inner).is_ok() => {
            found.guess(format!("write `{inner}`"), span, inner.clone())
        }
        _ => found,
    }
}
