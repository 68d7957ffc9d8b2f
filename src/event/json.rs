//! A JSON tree that keeps the text of its numbers and the order of its members.
//!
//! In: bytes, read strictly by [`Json::parse`], or values of fields. Out: a tree, and its text.
//! Invariant: no object that was parsed has a name twice, and each of its numbers has an exact
//! plain notation, so that the canonical text of a tree is one and the same for equal content.
//! Knows no schema and no reserved members.

use std::fmt;
use std::sync::Arc;

use serde::de::Error as _;
use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::event::Problem;
use crate::event::parse;
use crate::event::problems::Problems;
use crate::limits::Limits;
use crate::value::{Value, plain_number};

/// A JSON value with exact numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number's text, as it came.
    Number(String),
    /// Text.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object; no name comes twice.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads JSON of any sort strictly: valid UTF-8, no name twice in one object, no half of a
    /// surrogate pair, no number whose plain notation is too long, no deeper than an event may be.
    ///
    /// # Errors
    /// Everything that is wrong with the text.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        if bytes.len() > limits.event_total_bytes {
            problems.too_large(bytes.len(), limits.event_total_bytes);
            return Err(problems.finish());
        }
        let parsed = parse::parse(bytes, limits.event_depth, &mut problems);
        match parsed.tree {
            Some(tree) if problems.is_empty() => Ok(tree),
            _ => Err(problems.finish()),
        }
    }

    /// The JSON of a field's value; money as a plain number, since its field knows the currency.
    #[must_use]
    pub fn from_value(value: &Value) -> Self {
        match value {
            Value::Bool(yes) => Self::Bool(*yes),
            Value::Text(text) | Value::Word(text) => Self::Text(text.to_string()),
            Value::Whole(number) => Self::Number(number.to_string()),
            Value::Number(number) | Value::Money(number, _) => Self::Number(number.to_string()),
            Value::Timestamp(at) => Self::Text(crate::clock::format_timestamp(*at)),
            Value::Duration(span) => Self::Text(span.to_string()),
            Value::List(items) => Self::List(items.iter().map(Self::from_value).collect()),
        }
    }

    /// The member of an object.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(n, _)| n == name).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The value at a path of member names; a `null` is a value here.
    #[must_use]
    pub fn get(&self, path: &[impl AsRef<str>]) -> Option<&Self> {
        path.iter()
            .try_fold(self, |json, name| json.member(name.as_ref()))
    }

    /// Puts a value at a path of member names, making objects on the way; what is no object on the
    /// way is replaced by one.
    pub fn set(&mut self, path: &[impl AsRef<str>], value: Self) {
        let Some((first, rest)) = path.split_first() else {
            *self = value;
            return;
        };
        if !matches!(self, Self::Object(_)) {
            *self = Self::Object(Vec::new());
        }
        if let Self::Object(members) = self {
            let name = first.as_ref();
            if let Some((_, old)) = members.iter_mut().find(|(n, _)| n == name) {
                old.set(rest, value);
            } else {
                let mut new = Self::Null;
                new.set(rest, value);
                members.push((name.to_owned(), new));
            }
        }
    }

    /// Takes a member out of an object; a `null` is taken out and counts as nothing.
    pub(super) fn take(&mut self, name: &str) -> Option<Self> {
        let Self::Object(members) = self else {
            return None;
        };
        let index = members.iter().position(|(n, _)| n == name)?;
        match members.remove(index).1 {
            Self::Null => None,
            json => Some(json),
        }
    }

    /// The canonical text, the same for equal content whatever the order of members, the white
    /// space, the escapes and the form of numbers. The rules are those of [`crate::event::digest`].
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut out = String::new();
        // A string takes all that is written to it.
        let _ = self.write_canonical(&mut out);
        out
    }

    /// Writes the canonical text to a sink, which may stop it.
    pub(super) fn write_canonical(&self, out: &mut impl fmt::Write) -> fmt::Result {
        match self {
            Self::Null => out.write_str("null"),
            Self::Bool(true) => out.write_str("true"),
            Self::Bool(false) => out.write_str("false"),
            // A tree made by hand may hold any text; a parsed one has a plain notation for each.
            Self::Number(text) => out.write_str(plain_number(text).as_deref().unwrap_or(text)),
            Self::Text(text) => write_text(text, out),
            Self::List(items) => {
                out.write_char('[')?;
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.write_char(',')?;
                    }
                    item.write_canonical(out)?;
                }
                out.write_char(']')
            }
            Self::Object(members) => {
                // The order of UTF-8 bytes is the order of code points.
                let mut kept: Vec<_> = members.iter().filter(|(_, v)| *v != Self::Null).collect();
                kept.sort_by(|(a, _), (b, _)| a.cmp(b));
                out.write_char('{')?;
                for (i, (name, value)) in kept.into_iter().enumerate() {
                    if i > 0 {
                        out.write_char(',')?;
                    }
                    write_text(name, out)?;
                    out.write_char(':')?;
                    value.write_canonical(out)?;
                }
                out.write_char('}')
            }
        }
    }
}

/// Writes a text with the fewest escapes that JSON allows.
fn write_text(text: &str, out: &mut impl fmt::Write) -> fmt::Result {
    out.write_char('"')?;
    // PERF: what needs no escape is written in one piece.
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.write_str(text.get(from..at).unwrap_or_default())?;
        match byte {
            b'"' => out.write_str("\\\"")?,
            b'\\' => out.write_str("\\\\")?,
            8 => out.write_str("\\b")?,
            12 => out.write_str("\\f")?,
            b'\n' => out.write_str("\\n")?,
            b'\r' => out.write_str("\\r")?,
            b'\t' => out.write_str("\\t")?,
            byte => write!(out, "\\u{byte:04x}")?,
        }
        from = at + 1;
    }
    out.write_str(text.get(from..).unwrap_or_default())?;
    out.write_char('"')
}

impl Serialize for Json {
    /// The tree as it came: members in their order, numbers with their text.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(yes) => serializer.serialize_bool(*yes),
            Self::Number(text) => {
                // Raw, so that no digit is lost in a float on the way out.
                let raw = serde_json::value::RawValue::from_string(text.clone());
                raw.map_err(S::Error::custom)?.serialize(serializer)
            }
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    /// The tree as it was written, by the rules of [`Json::parse`], each number with its text. From the
    /// text of JSON only: other formats, and parts that serde holds back (`flatten`, `untagged`), do
    /// not keep it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<serde_json::value::RawValue>::deserialize(deserializer)?;
        let limits = Limits {
            event_total_bytes: usize::MAX,
            event_depth: crate::limits::EVENT_DEPTH_MAX,
            ..Limits::default()
        };
        Self::parse(raw.get().as_bytes(), &limits).map_err(|problems| {
            let first = problems.first();
            D::Error::custom(first.map_or("not JSON", |problem| &problem.message))
        })
    }
}

impl From<Arc<Json>> for Json {
    fn from(json: Arc<Json>) -> Self {
        Arc::unwrap_or_clone(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Json {
        Json::parse(text.as_bytes(), &Limits::default()).unwrap()
    }

    #[test]
    fn the_text_of_numbers_and_the_order_of_members_stay() {
        let text = r#"{"b":1.50,"a":[1e4,-0.0,null,true],"c":{"d":"x\n"}}"#;
        assert_eq!(serde_json::to_string(&parse(text)).unwrap(), text);
        assert_eq!(serde_json::from_str::<Json>(text).unwrap(), parse(text));
        assert!(serde_json::from_str::<Json>(r#"{"a":1,"a":2}"#).is_err());
    }

    #[test]
    fn the_canonical_text_has_one_form() {
        for (text, canonical) in [
            (r#" { "b" : 1.50 , "a" : 1e4 } "#, r#"{"a":10000,"b":1.5}"#),
            (r#"{"a":null,"b":[null,{"c":null}]}"#, r#"{"b":[null,{}]}"#),
            (
                r#"["\u0041\/\u00e9\u000b\u0008\f\r\n\t\"\\\u007f"]"#,
                "[\"A/é\\u000b\\b\\f\\r\\n\\t\\\"\\\\\u{7f}\"]",
            ),
            // U+FF5E sorts before U+1F600 by code point, and after it by UTF-16 unit.
            (
                r#"{"😀":1,"～":2,"Z":3,"a":4}"#,
                r#"{"Z":3,"a":4,"～":2,"😀":1}"#,
            ),
        ] {
            assert_eq!(parse(text).canonical(), canonical, "{text}");
        }
    }

    #[test]
    fn set_makes_objects_and_get_finds() {
        let mut json = parse(r#"{"a":{"b":1},"c":5}"#);
        json.set(&["a", "b"], Json::Bool(true));
        json.set(&["a", "x", "y"], Json::Null);
        json.set(&["c", "d"], Json::Text("z".to_owned()));
        let text = serde_json::to_string(&json).unwrap();
        assert_eq!(text, r#"{"a":{"b":true,"x":{"y":null}},"c":{"d":"z"}}"#);
        assert_eq!(json.get(&["a", "x", "y"]), Some(&Json::Null));
        assert_eq!(json.get(&["a", "b", "y"]), None);
    }
}
