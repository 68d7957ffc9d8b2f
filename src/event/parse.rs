//! The strict reading of JSON bytes.
//!
//! In: bytes and the depth that they may have. Out: a tree and every rejection.
//! Invariant: work grows with bytes times depth and never with the square of members; recursion is
//! bounded before it begins; what was read ambiguously or in part is never called exact.
//! Knows the reserved member names, and no schema.
//!
//! `serde_json` does the lexing. Each level is taken apart into raw slices, because that is the one
//! way in which it hands out the text of a number; scanning a raw slice does not recurse.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::event::problems::{Problems, cut, name};
use crate::event::{Json, ProblemCode};
use crate::limits::{EVENT_DEPTH_MAX, NUMBER_CHARS};
use crate::value::plain_number;

/// What came of the bytes.
#[derive(Debug)]
pub(super) struct Parsed {
    /// The content; `None` where there is no JSON.
    pub tree: Option<Json>,
    /// Whether the tree is all of the content, so that it has a canonical text.
    pub exact: bool,
    /// Names that come twice at the root: the first of each is in the tree and may be the wrong
    /// one, so an id or a kind among them is not to be believed.
    pub ambiguous: HashSet<String>,
    /// Bytes of the value of the member `evidence`.
    pub evidence_bytes: usize,
    /// Bytes of the value of the member `evidence` in the member `data`.
    pub data_evidence_bytes: usize,
}

/// Reads bytes. Problems are added to `problems`; without one the result is exact.
pub(super) fn parse(bytes: &[u8], depth: usize, problems: &mut Problems) -> Parsed {
    let mut parser = Parser {
        depth: depth.min(EVENT_DEPTH_MAX),
        path: Vec::new(),
        problems,
        done: Parsed {
            tree: None,
            exact: true,
            ambiguous: HashSet::new(),
            evidence_bytes: 0,
            data_evidence_bytes: 0,
        },
        too_deep: false,
    };
    parser.done.tree = parser.root(bytes);
    parser.done.exact &= parser.done.tree.is_some();
    parser.done
}

/// Members that are looked through for a name that comes twice; the names of more are hashed.
const FEW: usize = 16;

struct Parser<'a, 'p> {
    depth: usize,
    path: Vec<Cow<'a, str>>,
    problems: &'p mut Problems,
    done: Parsed,
    too_deep: bool,
}

impl<'a> Parser<'a, '_> {
    fn root(&mut self, bytes: &'a [u8]) -> Option<Json> {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let at = error.valid_up_to() + 1;
                let message = format!("not UTF-8: byte {at} begins no character");
                self.problems.add(ProblemCode::NotJson, message);
                return None;
            }
        };
        // PERF: most are objects, which are taken apart at once. Where that fails the scan says why.
        if self.depth > 0
            && let Ok(Members(found)) = serde_json::from_str(text)
        {
            return Some(self.members(found));
        }
        // This scan checks the syntax of all levels at once and does not recurse.
        match serde_json::from_str::<&'a RawValue>(text) {
            Ok(raw) => self.value(raw.get()),
            Err(error) => {
                self.problems
                    .add(ProblemCode::NotJson, not_json(&error, text));
                None
            }
        }
    }

    /// The value of a text whose syntax is known to be right. `None` where a name cannot be read.
    fn value(&mut self, raw: &'a str) -> Option<Json> {
        let opens = raw.starts_with(['{', '[']);
        if opens && self.path.len() >= self.depth {
            self.reject_depth();
            return Some(Json::Null);
        }
        Some(match raw.as_bytes().first() {
            Some(b'{') => return self.object(raw),
            Some(b'[') => self.list(raw),
            Some(b'"') => self.text(raw),
            Some(b't') => Json::Bool(true),
            Some(b'f') => Json::Bool(false),
            Some(b'n') => Json::Null,
            _ => self.number(raw),
        })
    }

    fn object(&mut self, raw: &'a str) -> Option<Json> {
        let Ok(Members(found)) = serde_json::from_str::<Members<'a>>(raw) else {
            // The syntax is right, so the one thing left is a name that is no text.
            self.reject_surrogate("a member name");
            return None;
        };
        Some(self.members(found))
    }

    fn members(&mut self, found: Vec<(Cow<'a, str>, &'a RawValue)>) -> Json {
        let mut members: Vec<(String, Json)> = Vec::with_capacity(found.len());
        // PERF: among few it is quicker to look at each.
        let is_long = found.len() > FEW;
        let mut seen = HashSet::with_capacity(if is_long { found.len() } else { 0 });
        for (name, raw) in found {
            self.path.push(name.clone());
            let is_new = match is_long {
                true => seen.insert(name.clone()),
                false => members.iter().all(|(other, _)| *other != name),
            };
            if is_new {
                self.measure(raw.get().len());
                let value = self.value(raw.get()).unwrap_or(Json::Null);
                members.push((name.into_owned(), value));
            } else {
                self.reject_duplicate();
            }
            self.path.pop();
        }
        Json::Object(members)
    }

    fn list(&mut self, raw: &'a str) -> Json {
        let items = serde_json::from_str::<Vec<&'a RawValue>>(raw).unwrap_or_default();
        let mut list = Vec::with_capacity(items.len());
        for (i, raw) in items.into_iter().enumerate() {
            self.path.push(Cow::Owned((i + 1).to_string()));
            list.push(self.value(raw.get()).unwrap_or(Json::Null));
            self.path.pop();
        }
        Json::List(list)
    }

    fn text(&mut self, raw: &'a str) -> Json {
        match serde_json::from_str(raw) {
            Ok(text) => Json::Text(text),
            Err(_) => {
                self.reject_surrogate("a text");
                Json::Text("\u{fffd}".to_owned())
            }
        }
    }

    fn number(&mut self, raw: &str) -> Json {
        // PERF: without an exponent the plain notation is no longer than the text.
        let short = raw.len() <= NUMBER_CHARS && !raw.contains(['e', 'E']);
        if !short && plain_number(raw).is_none() {
            self.done.exact = false;
            let path = self.dotted();
            let message = format!(
                "{} is {}, which takes more than {NUMBER_CHARS} digits",
                name(&path),
                cut(raw, crate::limits::SHOWN_CHARS)
            );
            self.problems.of(ProblemCode::BadNumber, &path, message);
        }
        Json::Number(raw.to_owned())
    }

    /// Notes the size of the evidence, which has its own bound.
    fn measure(&mut self, bytes: usize) {
        let mut path = self.path.iter().map(|name| &**name);
        match (path.next(), path.next(), path.next()) {
            (Some("evidence"), None, _) => self.done.evidence_bytes = bytes,
            (Some("data"), Some("evidence"), None) => self.done.data_evidence_bytes = bytes,
            _ => {}
        }
    }

    fn reject_depth(&mut self) {
        self.done.exact = false;
        // One is enough: a bomb has thousands of places at one depth.
        if !std::mem::replace(&mut self.too_deep, true) {
            let path = self.dotted();
            let message = format!(
                "{} is nested deeper than {} levels",
                name(&path),
                self.depth
            );
            self.problems.of(ProblemCode::TooDeep, &path, message);
        }
    }

    fn reject_duplicate(&mut self) {
        self.done.exact = false;
        let path = self.dotted();
        if self.path.len() == 1 {
            self.done.ambiguous.insert(path.clone());
        }
        let message = format!("{} comes twice in one object", name(&path));
        self.problems
            .of(ProblemCode::DuplicateMember, &path, message);
    }

    fn reject_surrogate(&mut self, what: &str) {
        self.done.exact = false;
        let path = self.dotted();
        let place = if path.is_empty() {
            String::new()
        } else {
            format!(" at {}", name(&path))
        };
        self.problems.add(
            ProblemCode::NotJson,
            format!("{what}{place} has half of a surrogate pair, which is no character"),
        );
    }

    fn dotted(&self) -> String {
        self.path.join(".")
    }
}

/// What keeps a text from being JSON, without a word of the text.
fn not_json(error: &serde_json::Error, text: &str) -> String {
    if text.trim().is_empty() {
        return "not JSON: there is nothing".to_owned();
    }
    let (line, column) = (error.line(), error.column());
    let place = if line > 1 {
        format!("line {line}, byte {column}")
    } else {
        format!("byte {column}")
    };
    match error.classify() {
        Category::Eof => format!("not JSON: it is cut off at {place}"),
        _ => {
            let full = error.to_string();
            let what = full.split(" at line ").next().unwrap_or("");
            format!("not JSON: {what} at {place}")
        }
    }
}

/// The members of one object as raw slices, duplicates included.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut members = Vec::new();
                while let Some((Name(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// A member name, borrowed where it has no escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrow;
        impl<'de> Visitor<'de> for Borrow {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(Borrow)
    }
}

/// Checks a tree that was built in code as strictly as parsed bytes.
pub(super) fn vet(tree: &Json, depth: usize, problems: &mut Problems) {
    let depth = depth.min(EVENT_DEPTH_MAX);
    let mut open = vec![(tree, 0)];
    let mut too_deep = false;
    while let Some((json, level)) = open.pop() {
        match json {
            Json::List(_) | Json::Object(_) if level >= depth => too_deep = true,
            Json::List(items) => open.extend(items.iter().map(|item| (item, level + 1))),
            Json::Object(members) => {
                let mut seen = HashSet::with_capacity(members.len());
                for (member, value) in members {
                    if !seen.insert(member) {
                        let message = format!("{} comes twice in one object", name(member));
                        problems.of(ProblemCode::DuplicateMember, member, message);
                    }
                    open.push((value, level + 1));
                }
            }
            Json::Number(text) if plain_number(text).is_none() => {
                let shown = cut(text, crate::limits::SHOWN_CHARS);
                let message =
                    format!("{shown} is no number, or takes more than {NUMBER_CHARS} digits");
                problems.add(ProblemCode::BadNumber, message);
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => {}
        }
    }
    if too_deep {
        let message = format!("the event is nested deeper than {depth} levels");
        problems.add(ProblemCode::TooDeep, message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    fn codes(bytes: &[u8]) -> Vec<(ProblemCode, Option<String>)> {
        match Json::parse(bytes, &Limits::default()) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.into_iter().map(|p| (p.code, p.field)).collect(),
        }
    }

    #[test]
    fn what_is_no_json_is_rejected() {
        for bad in [
            &b""[..],
            b"  ",
            b"{",
            b"{\"a\":1",
            b"{\"a\":1,}",
            b"{\"a\" 1}",
            b"{a:1}",
            b"{'a':1}",
            b"NaN",
            b"{\"a\":NaN}",
            b"{\"a\":-Infinity}",
            b"{\"a\":01}",
            b"{\"a\":.5}",
            b"{\"a\":5.}",
            b"{\"a\":+5}",
            b"{\"a\":1} x",
            b"{}{}",
            b"\"\n\"",
            b"\"\\x\"",
            b"\"\\ud800\"",
            b"\"\\udc00\"",
            b"\"\\ud800\\u0041\"",
            b"{\"\\ud800\":1}",
            b"\xef\xbb\xbf{}",
            b"{\"a\":\"\xff\"}",
            b"\"\xed\xa0\x80\"",
            b"/**/{}",
        ] {
            let found = codes(bad);
            let shown = String::from_utf8_lossy(bad);
            assert_eq!(found, [(ProblemCode::NotJson, None)], "{shown}");
        }
        assert!(codes(b"\"\\ud83d\\ude00\"").is_empty());
    }

    #[test]
    fn every_duplicate_is_found_also_behind_escapes() {
        let text = br#"{"a":1,"\u0061":2,"b":{"c":1,"c":1,"C":1},"d":[{"e":1,"e":2}]}"#;
        let found: Vec<_> = codes(text).into_iter().filter_map(|(_, f)| f).collect();
        assert_eq!(found, ["a", "b.c", "d.1.e"]);
    }

    #[test]
    fn depth_has_an_edge() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(codes(nested(64).as_bytes()).is_empty());
        assert_eq!(codes(nested(65).as_bytes())[0].0, ProblemCode::TooDeep);
        let objects = |n: usize| format!("{}1{}", "{\"a\":".repeat(n), "}".repeat(n));
        assert!(codes(objects(64).as_bytes()).is_empty());
        assert_eq!(codes(objects(65).as_bytes())[0].0, ProblemCode::TooDeep);
        let bomb = nested(500_000);
        assert_eq!(codes(bomb.as_bytes()).len(), 1);
        assert_eq!(
            codes("[".repeat(1 << 20).as_bytes())[0].0,
            ProblemCode::NotJson
        );
        // Whatever an operator sets, the stack has its own bound.
        let limits = Limits {
            event_depth: usize::MAX,
            ..Limits::default()
        };
        let at = |n: usize| Json::parse(nested(n).as_bytes(), &limits).is_ok();
        assert!(at(EVENT_DEPTH_MAX) && !at(EVENT_DEPTH_MAX + 1));
    }

    #[test]
    fn numbers_have_a_plain_notation() {
        assert!(codes(b"[1e399, -1e398, 0e999999999999, 1e-397]").is_empty());
        for bad in ["1e400", "-1e399", "1e-400", "1e99999999999999999999"] {
            let found = codes(format!("{{\"a\":{bad}}}").as_bytes());
            assert_eq!(found, [(ProblemCode::BadNumber, Some("a".to_owned()))]);
        }
        let digits = |n: usize| "9".repeat(n);
        assert!(codes(digits(NUMBER_CHARS).as_bytes()).is_empty());
        assert!(!codes(digits(NUMBER_CHARS + 1).as_bytes()).is_empty());
    }

    #[test]
    fn many_members_take_no_quadratic_time() {
        let mut text = String::from("{");
        for i in 0..100_000 {
            text.push_str(&format!("\"{i}\":1,"));
        }
        text.push_str("\"x\":1}");
        let start = std::time::Instant::now();
        assert!(codes(text.as_bytes()).is_empty());
        assert!(start.elapsed().as_secs() < 10);
    }
}
