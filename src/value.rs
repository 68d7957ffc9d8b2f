//! Typed values: what a field can hold, what a matrix can say, and how two of them compare.
//!
//! In: the text of literals and of JSON numbers. Out: [`Value`]s of a [`Type`].
//! Invariant: numbers are exact. No float, no null, no coercion: values of two types never compare.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize, Serializer};

use crate::clock::{Duration, Timestamp, format_timestamp};

/// A currency code: three capital letters, as in ISO 4217.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Reads `USD`; nothing but three capital letters is a currency.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let code: [u8; 3] = text.as_bytes().try_into().ok()?;
        code.iter()
            .all(u8::is_ascii_uppercase)
            .then_some(Self(code))
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An inclusive range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Range<T> {
    /// The smallest value.
    pub low: T,
    /// The largest value.
    pub high: T,
}

impl<T: PartialOrd> Range<T> {
    /// Whether a value lies in it.
    pub fn holds(&self, value: &T) -> bool {
        *value >= self.low && *value <= self.high
    }
}

/// The type of a field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Type {
    /// `yes/no`
    YesNo,
    /// `text`, compared by code point, or `text ignoring case`
    Text {
        /// Whether letters compare without regard to case.
        ignoring_case: bool,
    },
    /// `whole number`: 64 bits
    Whole(Option<Range<i64>>),
    /// `number`: an exact decimal of at most 28 significant digits
    Number(Option<Range<Decimal>>),
    /// `money USD`: an exact decimal with a currency
    Money(Currency, Option<Range<Decimal>>),
    /// `one of a, b`: closed
    OneOf(Arc<[Arc<str>]>),
    /// `timestamp`
    Timestamp,
    /// `duration`
    Duration,
    /// `list of T`, where `T` is no list
    List(Box<Type>),
}

impl Type {
    /// Whether two fields of these types hold the same sort of value, whatever their ranges.
    #[must_use]
    pub fn same_sort(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Whole(_), Self::Whole(_)) | (Self::Number(_), Self::Number(_)) => true,
            (Self::Money(a, _), Self::Money(b, _)) => a == b,
            (Self::List(a), Self::List(b)) => a.same_sort(b),
            // A closed set has no order.
            (Self::OneOf(a), Self::OneOf(b)) => {
                let set = |words: &Arc<[Arc<str>]>| words.iter().cloned().collect::<BTreeSet<_>>();
                a == b || set(a) == set(b)
            }
            (a, b) => a == b,
        }
    }

    /// Whether `<` and its kin work on it.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        matches!(
            self,
            Self::Whole(_) | Self::Number(_) | Self::Money(..) | Self::Timestamp | Self::Duration
        )
    }

    /// The type's words without its range or values: `money USD`, `one of ...`.
    #[must_use]
    pub fn short(&self) -> String {
        match self {
            Self::YesNo => "yes/no".to_owned(),
            Self::Text {
                ignoring_case: false,
            } => "text".to_owned(),
            Self::Text {
                ignoring_case: true,
            } => "text ignoring case".to_owned(),
            Self::Whole(_) => "whole number".to_owned(),
            Self::Number(_) => "number".to_owned(),
            Self::Money(currency, _) => format!("money {currency}"),
            Self::OneOf(_) => "one of".to_owned(),
            Self::Timestamp => "timestamp".to_owned(),
            Self::Duration => "duration".to_owned(),
            Self::List(item) => format!("list of {}", item.short()),
        }
    }
}

impl fmt::Display for Type {
    /// The type as a matrix declares it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())?;
        match self {
            Self::Whole(Some(r)) => write!(f, " {} to {}", r.low, r.high),
            Self::Number(Some(r)) | Self::Money(_, Some(r)) => {
                write!(f, " {} to {}", r.low, r.high)
            }
            Self::OneOf(words) => write!(f, " {}", words.join(", ")),
            _ => Ok(()),
        }
    }
}

/// A value of a field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value {
    /// Of `yes/no`.
    Bool(bool),
    /// Of `text`.
    Text(Arc<str>),
    /// Of `whole number`.
    Whole(i64),
    /// Of `number`; normalised, without trailing zeros.
    Number(Decimal),
    /// Of `money`; normalised.
    Money(Decimal, Currency),
    /// Of `one of`.
    Word(Arc<str>),
    /// Of `timestamp`.
    Timestamp(Timestamp),
    /// Of `duration`.
    Duration(Duration),
    /// Of `list of`.
    List(Vec<Value>),
}

impl Value {
    /// How two values of one ordered type compare; `None` for two types or an unordered one.
    #[must_use]
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => Some(a.cmp(b)),
            (Self::Number(a), Self::Number(b)) => Some(a.cmp(b)),
            (Self::Money(a, x), Self::Money(b, y)) if x == y => Some(a.cmp(b)),
            (Self::Timestamp(a), Self::Timestamp(b)) => Some(a.cmp(b)),
            (Self::Duration(a), Self::Duration(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

impl fmt::Display for Value {
    /// The value as a matrix writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(true) => f.write_str("yes"),
            Self::Bool(false) => f.write_str("no"),
            Self::Text(text) => f.write_str(&quote(text)),
            Self::Whole(number) => write!(f, "{number}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Money(amount, currency) => write!(f, "{amount} {currency}"),
            Self::Word(word) if is_name(word) => f.write_str(word),
            Self::Word(word) => f.write_str(&quote(word)),
            Self::Timestamp(at) => f.write_str(&format_timestamp(*at)),
            Self::Duration(span) => write!(f, "{span}"),
            Self::List(items) => {
                f.write_str("(")?;
                for (i, item) in items.iter().enumerate() {
                    let comma = if i > 0 { ", " } else { "" };
                    write!(f, "{comma}{item}")?;
                }
                f.write_str(")")
            }
        }
    }
}

impl Serialize for Value {
    /// The value as an event's JSON carries it: a field of its type reads it back.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(yes) => serializer.serialize_bool(*yes),
            Self::Text(text) | Self::Word(text) => serializer.serialize_str(text),
            Self::Whole(number) => serializer.serialize_i64(*number),
            Self::Number(number) | Self::Money(number, _) => {
                // Raw, so that no digit is lost in a float on the way out.
                let raw = serde_json::value::RawValue::from_string(number.to_string());
                raw.map_err(serde::ser::Error::custom)?
                    .serialize(serializer)
            }
            Self::Timestamp(at) => serializer.serialize_str(&format_timestamp(*at)),
            Self::Duration(span) => serializer.collect_str(span),
            Self::List(items) => items.serialize(serializer),
        }
    }
}

/// The three answers of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub enum Kleene {
    /// Surely.
    True,
    /// Surely not.
    False,
    /// The event does not say.
    Unknown,
}

impl Kleene {
    /// From what is known.
    #[must_use]
    pub fn from_bool(yes: bool) -> Self {
        if yes { Self::True } else { Self::False }
    }

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::False => "false",
            Self::Unknown => "unknown",
        }
    }
}

impl std::ops::Not for Kleene {
    type Output = Self;

    /// Kleene's negation: unknown stays unknown.
    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// Why a text is not an exact decimal of this engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NumberError {
    /// Not digits with at most one point and, in JSON, an exponent.
    #[error("not a number")]
    Form,
    /// More than 28 significant digits, or none of them within 28 places of the point.
    #[error("more digits than an exact decimal holds (28)")]
    TooManyDigits,
}

/// Reads a number's text exactly, with an optional exponent as JSON has it. The result is
/// normalised: `5.0`, `5` and `0.5e1` are equal in every way.
///
/// # Errors
/// When the text is not a number, or needs more than 28 significant digits, more than 28 places
/// behind the point, or is 10^28 and above.
pub fn parse_decimal(text: &str) -> Result<Decimal, NumberError> {
    let number = Digits::read(text).ok_or(NumberError::Form)?;
    if number.digits.len() > 28 {
        return Err(NumberError::TooManyDigits);
    }
    let mantissa: i128 = if number.digits.is_empty() {
        return Ok(Decimal::ZERO);
    } else {
        number.digits.parse().map_err(|_| NumberError::Form)?
    };
    // 10^28 and above has more than 28 digits before the point.
    let zeros = usize::try_from(number.exponent.max(0)).unwrap_or(usize::MAX);
    if number.digits.len().saturating_add(zeros) > 28 {
        return Err(NumberError::TooManyDigits);
    }
    let mantissa = mantissa * 10i128.pow(u32::try_from(zeros).unwrap_or(0));
    let places = number.exponent.min(0).unsigned_abs();
    let scale = u32::try_from(places).unwrap_or(u32::MAX);
    if scale > 28 {
        return Err(NumberError::TooManyDigits);
    }
    let signed = if number.negative { -mantissa } else { mantissa };
    let exact = Decimal::try_from_i128_with_scale(signed, scale);
    exact
        .map(|d| d.normalize())
        .map_err(|_| NumberError::TooManyDigits)
}

/// Reads a JSON number's text as a 64-bit whole number: `5`, `5.0` and `5e0` are, `5.5` is not.
#[must_use]
pub fn parse_whole(text: &str) -> Option<i64> {
    let number = Digits::read(text)?;
    if number.digits.is_empty() {
        return Some(0);
    }
    let zeros = usize::try_from(number.exponent).ok()?;
    if number.digits.len() + zeros > 19 {
        return None;
    }
    let sign = if number.negative { "-" } else { "" };
    format!("{sign}{}{}", number.digits, "0".repeat(zeros))
        .parse()
        .ok()
}

/// The shortest exact plain text of a JSON number of any size: `1e4`, `10000.0` and `10000` give
/// `10000`; `-0` gives `0`. `None` when the text is no number or would take more than
/// [`crate::limits::NUMBER_CHARS`] characters.
#[must_use]
pub fn plain_number(text: &str) -> Option<String> {
    let number = Digits::read(text)?;
    if number.digits.is_empty() {
        return Some("0".to_owned());
    }
    let digits = &number.digits;
    let sign = if number.negative { "-" } else { "" };
    let count = i64::try_from(digits.len()).ok()?;
    let point = count.checked_add(number.exponent)?;
    let limit = i64::try_from(crate::limits::NUMBER_CHARS).ok()?;
    if point > limit || number.exponent < -limit {
        return None;
    }
    let plain = if number.exponent >= 0 {
        let zeros = "0".repeat(usize::try_from(number.exponent).ok()?);
        [sign, digits, &zeros].concat()
    } else if point > 0 {
        let (whole, fraction) = digits.split_at(usize::try_from(point).ok()?);
        format!("{sign}{whole}.{fraction}")
    } else {
        format!(
            "{sign}0.{}{digits}",
            "0".repeat(usize::try_from(-point).ok()?)
        )
    };
    (plain.len() <= crate::limits::NUMBER_CHARS).then_some(plain)
}

/// A number's text taken apart: significant digits without zeros at either end, times ten to the
/// power of `exponent`. No digits means zero.
struct Digits {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Digits {
    fn read(text: &str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (text, 0),
        };
        let is_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        let (all, exponent) = match mantissa.split_once('.') {
            None if is_digits(mantissa) => (Cow::Borrowed(mantissa), exponent),
            Some((whole, fraction)) if is_digits(whole) && is_digits(fraction) => {
                let behind = i64::try_from(fraction.len()).ok()?;
                (
                    Cow::Owned([whole, fraction].concat()),
                    exponent.checked_sub(behind)?,
                )
            }
            _ => return None,
        };
        let stripped = all.trim_end_matches('0');
        let zeros = i64::try_from(all.len() - stripped.len()).ok()?;
        Some(Self {
            negative,
            digits: stripped.trim_start_matches('0').to_owned(),
            exponent: exponent.checked_add(zeros)?,
        })
    }
}

fn read_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // An exponent beyond 18 digits is as good as this one: no bound lets it through.
    let size: i64 = digits.parse().unwrap_or(i64::MAX / 4).min(i64::MAX / 4);
    Some(if text.starts_with('-') { -size } else { size })
}

/// Whether a text is a name of the language: `[a-z][a-z0-9_]*`.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let rest = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    text.bytes().next().is_some_and(|b| b.is_ascii_lowercase()) && text.bytes().all(rest)
}

/// A text as a string literal of the language.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || is_hidden(c) => {
                out.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Whether a character is a bidirectional control or another one that makes text look different
/// from what it is (Unicode TR 36 and the "Trojan source" characters).
#[must_use]
pub fn is_hidden(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
        | '\u{061c}' | '\u{feff}' | '\u{2028}' | '\u{2029}')
}

/// A text folded for comparison without regard to case: each character to lower case by itself.
#[must_use]
pub fn fold_case(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_set_has_no_order() {
        let set = |words: &[&str]| Type::OneOf(words.iter().map(|w| Arc::from(*w)).collect());
        assert!(set(&["calm", "upset"]).same_sort(&set(&["upset", "calm"])));
        assert!(!set(&["calm", "upset"]).same_sort(&set(&["calm", "angry"])));
        assert!(!set(&["calm", "upset"]).same_sort(&set(&["calm"])));
    }

    #[test]
    fn decimals_are_exact_and_normalised() {
        for (text, shown) in [
            ("5.0", "5"),
            ("0.5e1", "5"),
            ("1e4", "10000"),
            ("-0.250", "-0.25"),
            ("-0", "0"),
        ] {
            assert_eq!(parse_decimal(text).unwrap().to_string(), shown, "{text}");
        }
        let longest = "1234567890123456789012345678";
        assert_eq!(parse_decimal(longest).unwrap().to_string(), longest);
        assert_eq!(
            parse_decimal("12345678901234567890123456789"),
            Err(NumberError::TooManyDigits)
        );
        assert_eq!(parse_decimal("1e28"), Err(NumberError::TooManyDigits));
        assert!(parse_decimal("1e27").is_ok());
        assert!(parse_decimal("1e-28").is_ok());
        assert_eq!(parse_decimal("1e-29"), Err(NumberError::TooManyDigits));
        assert_eq!(
            parse_decimal("1e99999999999999999999"),
            Err(NumberError::TooManyDigits)
        );
        assert_eq!(
            parse_decimal("0e99999999999999999999").unwrap(),
            Decimal::ZERO
        );
        for bad in ["", ".5", "5.", "1e", "1_000", "NaN", "+1", "--1", "1e+-1"] {
            assert_eq!(parse_decimal(bad), Err(NumberError::Form), "{bad}");
        }
    }

    #[test]
    fn whole_numbers_reach_their_edges() {
        assert_eq!(parse_whole("9223372036854775807"), Some(i64::MAX));
        assert_eq!(parse_whole("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(parse_whole("9223372036854775808"), None);
        assert_eq!(parse_whole("5.0"), Some(5));
        assert_eq!(parse_whole("5.5"), None);
        assert_eq!(parse_whole("1e400"), None);
    }

    #[test]
    fn plain_numbers_have_one_form() {
        for (text, shown) in [
            ("1e4", "10000"),
            ("10000.0", "10000"),
            ("1.50", "1.5"),
            ("15e-3", "0.015"),
            ("-0.0", "0"),
            ("123.456e1", "1234.56"),
        ] {
            assert_eq!(plain_number(text).as_deref(), Some(shown), "{text}");
        }
        assert_eq!(plain_number("1e399").map(|s| s.len()), Some(400));
        assert_eq!(plain_number("1e400"), None);
        assert_eq!(plain_number("1e-500"), None);
    }
}
