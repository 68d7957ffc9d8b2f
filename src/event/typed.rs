//! One JSON value as a value of a field's type.
//!
//! In: a field and the JSON at its place. Out: a typed value within its range, or problems.
//! Invariant: nothing is converted: the text "5" is no number, and 1 is not yes.
//! Knows one field at a time, and nothing of where in the event it stood.

use std::fmt;
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::clock::{Duration, parse_timestamp};
use crate::diagnostic::nearest;
use crate::event::problems::{Problems, cut, seen};
use crate::event::{Json, ProblemCode};
use crate::limits::NEAR_CHARS;
use crate::schema::Field;
use crate::value::{
    Currency, NumberError, Range, Type, Value, parse_decimal, parse_whole, plain_number,
};

/// Words of a closed set that a message lists before it cuts off.
const LISTED_WORDS: usize = 8;

/// The value of a field from its JSON, which is not `null`.
pub(super) fn read(field: &Field, json: &Json, problems: &mut Problems) -> Option<Value> {
    let mut reader = Reader {
        field,
        item: None,
        problems,
    };
    reader.value(&field.ty, json)
}

/// The type that a message asks for.
pub(super) fn expected(ty: &Type) -> String {
    match ty {
        Type::YesNo => "yes/no, which is true or false in JSON".to_owned(),
        Type::Timestamp => "a timestamp with an offset, such as 2026-11-20T10:00:00Z".to_owned(),
        Type::Duration => "a duration, such as 1h30m".to_owned(),
        Type::OneOf(words) => {
            let more = words.len() > LISTED_WORDS;
            let shown: Vec<_> = words
                .iter()
                .take(LISTED_WORDS)
                .map(|word| cut(word, NEAR_CHARS))
                .collect();
            let more = if more { ", …" } else { "" };
            format!("one of {}{more}", shown.join(", "))
        }
        Type::List(item) => format!("list of {}", expected(item)),
        Type::Text { .. } | Type::Whole(_) | Type::Number(_) | Type::Money(..) => ty.to_string(),
    }
}

/// The nearest word, unless the input is too long to be a slip.
pub(super) fn near_word<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if word.len() > NEAR_CHARS {
        return None;
    }
    let known: Vec<_> = known
        .into_iter()
        .filter(|k| k.len() <= NEAR_CHARS)
        .collect();
    let same = known.iter().find(|k| k.eq_ignore_ascii_case(word)).copied();
    same.or_else(|| nearest(word, known))
}

struct Reader<'f, 'p> {
    field: &'f Field,
    item: Option<usize>,
    problems: &'p mut Problems,
}

impl fmt::Display for Reader<'_, '_> {
    /// What a message calls the place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(item) = self.item {
            write!(f, "item {item} of ")?;
        }
        write!(f, "`{}`", self.field.path)
    }
}

impl Reader<'_, '_> {
    fn value(&mut self, ty: &Type, json: &Json) -> Option<Value> {
        match (ty, json) {
            (Type::YesNo, Json::Bool(yes)) => Some(Value::Bool(*yes)),
            (Type::Text { .. }, Json::Text(text)) => Some(Value::Text(Arc::from(text.as_str()))),
            (Type::Whole(range), Json::Number(text)) => self.whole(ty, *range, text),
            (Type::Number(range), Json::Number(_)) => {
                let number = self.decimal(ty, json)?;
                self.within(*range, number).map(Value::Number)
            }
            (Type::Money(currency, range), json) => {
                let amount = self.money(ty, *currency, json)?;
                self.within(*range, amount)
                    .map(|amount| Value::Money(amount, *currency))
            }
            (Type::OneOf(words), Json::Text(text)) => self.word(words, text),
            (Type::Timestamp, Json::Text(text)) => match parse_timestamp(text) {
                Some(at) => Some(Value::Timestamp(at)),
                None => self.wrong(ty, json),
            },
            (Type::Duration, Json::Text(text)) => match Duration::parse(text) {
                Ok(span) => Some(Value::Duration(span)),
                Err(error) => {
                    let message = format!("{self} is {}: {error}", seen(json));
                    self.reject(ProblemCode::WrongType, message)
                }
            },
            (Type::List(item), Json::List(items)) => self.list(item, items),
            _ => self.wrong(ty, json),
        }
    }

    fn list(&mut self, ty: &Type, items: &[Json]) -> Option<Value> {
        let mut values = Vec::with_capacity(items.len());
        for (i, json) in items.iter().enumerate() {
            self.item = Some(i + 1);
            // All items are read, so that all problems are found.
            values.push(self.value(ty, json));
        }
        values.into_iter().collect::<Option<_>>().map(Value::List)
    }

    fn whole(&mut self, ty: &Type, range: Option<Range<i64>>, text: &str) -> Option<Value> {
        if let Some(number) = parse_whole(text) {
            return self.within(range, number).map(Value::Whole);
        }
        let shown = cut(text, crate::limits::SHOWN_CHARS);
        // A number without a plain notation was rejected when it was parsed.
        if plain_number(text)?.contains('.') {
            let message = format!("{self} is {shown}; it must be {}", expected(ty));
            return self.reject(ProblemCode::WrongType, message);
        }
        let message = format!("{self} is {shown}, which is beyond 64 bits");
        self.reject(ProblemCode::BadNumber, message)
    }

    fn decimal(&mut self, ty: &Type, json: &Json) -> Option<Decimal> {
        let (Json::Number(text) | Json::Text(text)) = json else {
            return self.wrong(ty, json);
        };
        match parse_decimal(text) {
            Ok(number) => Some(number),
            Err(NumberError::Form) => self.wrong(ty, json),
            // Such a number was rejected when it was parsed; a text was not.
            Err(_) if matches!(json, Json::Number(_)) && plain_number(text).is_none() => None,
            Err(error) => {
                let shown = cut(text, crate::limits::SHOWN_CHARS);
                let message = format!("{self} is {shown}, which has {error}");
                self.reject(ProblemCode::BadNumber, message)
            }
        }
    }

    /// A plain number, or an amount with its currency.
    fn money(&mut self, ty: &Type, currency: Currency, json: &Json) -> Option<Decimal> {
        match json {
            Json::Number(_) => self.decimal(ty, json),
            Json::Object(_) => {
                let (amount, code) = (json.member("amount"), json.member("currency"));
                let (Some(amount @ (Json::Number(_) | Json::Text(_))), Some(Json::Text(code))) =
                    (amount, code)
                else {
                    let message = format!(
                        "{self} is {}; it must be money {currency}: a number, or an object with \
                         `amount` and `currency`",
                        seen(json)
                    );
                    return self.reject(ProblemCode::WrongType, message);
                };
                if code != currency.as_str() {
                    let code = cut(code, 8);
                    let message = format!("{self} is in {code}; it must be money {currency}");
                    return self.reject(ProblemCode::WrongType, message);
                }
                self.decimal(ty, amount)
            }
            _ => self.wrong(ty, json),
        }
    }

    fn word(&mut self, words: &Arc<[Arc<str>]>, text: &str) -> Option<Value> {
        if let Some(word) = words.iter().find(|word| &***word == text) {
            return Some(Value::Word(word.clone()));
        }
        let shown = seen(&Json::Text(text.to_owned()));
        let wanted = expected(&Type::OneOf(words.clone()));
        let near = near_word(text, words.iter().map(|word| &**word));
        let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        let message = format!("{self} is {shown}; it must be {wanted}{hint}");
        self.reject(ProblemCode::UnknownValue, message)
    }

    fn within<T: PartialOrd + fmt::Display>(
        &mut self,
        range: Option<Range<T>>,
        value: T,
    ) -> Option<T> {
        match range {
            Some(range) if !range.holds(&value) => {
                let message = format!(
                    "{self} is {value}, outside of {} to {}",
                    range.low, range.high
                );
                self.reject(ProblemCode::OutOfRange, message)
            }
            _ => Some(value),
        }
    }

    fn wrong<T>(&mut self, ty: &Type, json: &Json) -> Option<T> {
        let message = format!("{self} is {}; it must be {}", seen(json), expected(ty));
        self.reject(ProblemCode::WrongType, message)
    }

    fn reject<T>(&mut self, code: ProblemCode, message: String) -> Option<T> {
        self.problems.of(code, &self.field.path, message);
        None
    }
}
