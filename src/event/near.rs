//! Members that may be meant for a field which does not read them.
//!
//! In: a kind and the members of an event. Out: names of members that lie at a field's place in
//! another spelling, or one slip away from it.
//! Invariant: a declared member is never a stray; work is bounded whatever the event holds.
//! Must not decide what follows from what it finds.

use crate::event::Json;
use crate::event::typed::near_word;
use crate::limits::{NEAR_CHARS, NEAR_MEMBERS};
use crate::schema::{Field, Kind};

/// Other places whose names, joined by dots, are those of the field: the literal member
/// `tenant.source` beside or instead of `source` in `tenant`. `null` members are not there.
pub(super) fn other_places(kind: &Kind, field: &Field, root: &Json) -> Vec<String> {
    // Most fields have one name, which lies at one place.
    if let [name] = field.json.as_slice()
        && !name.contains('.')
    {
        return Vec::new();
    }
    let joined = field.json.join(".");
    let segments: Vec<&str> = joined.split('.').collect();
    let mut places = Places {
        found: Vec::new(),
        trail: Vec::new(),
    };
    if segments.len() > 1 {
        places.walk(root, &segments);
    }
    let declared = |place: &Vec<String>| kind.fields.iter().any(|f| same_path(&f.json, place));
    places
        .found
        .into_iter()
        .filter(|place| !declared(place))
        .map(|place| describe(&place))
        .collect()
}

struct Places {
    found: Vec<Vec<String>>,
    trail: Vec<String>,
}

impl Places {
    fn walk(&mut self, json: &Json, rest: &[&str]) {
        for split in 1..=rest.len() {
            let Some((first, rest)) = rest.split_at_checked(split) else {
                continue;
            };
            let name = first.join(".");
            let Some(value) = json.member(&name).filter(|value| **value != Json::Null) else {
                continue;
            };
            self.trail.push(name);
            if rest.is_empty() {
                self.found.push(self.trail.clone());
            } else {
                self.walk(value, rest);
            }
            self.trail.pop();
        }
    }
}

/// A place in words: the member names in backticks from the outermost.
fn describe(place: &[String]) -> String {
    let names: Vec<_> = place.iter().map(|name| format!("`{name}`")).collect();
    names.join(" > ")
}

/// The dotted paths of members that no field reads.
pub(super) fn strays(kind: &Kind, root: &Json, reserved: &[&str]) -> Vec<String> {
    let mut walk = Strays {
        kind,
        left: NEAR_MEMBERS,
        path: Vec::new(),
        found: Vec::new(),
    };
    walk.object(root, reserved);
    walk.found
}

struct Strays<'a> {
    kind: &'a Kind,
    left: usize,
    path: Vec<&'a str>,
    found: Vec<String>,
}

impl<'a> Strays<'a> {
    fn object(&mut self, json: &'a Json, reserved: &[&str]) {
        let Json::Object(members) = json else {
            return;
        };
        for (name, value) in members {
            if self.left == 0 {
                return;
            }
            self.left -= 1;
            if reserved.contains(&name.as_str()) || *value == Json::Null {
                continue;
            }
            self.path.push(name);
            let fields = &self.kind.fields;
            // What lies inside a declared field, such as the currency of money, is the field's.
            if !fields
                .iter()
                .any(|field| same_path(&field.json, &self.path))
            {
                let inner = matches!(value, Json::Object(_));
                let leads = inner && fields.iter().any(|f| begins(&f.json, &self.path));
                if !leads {
                    self.found.extend(self.dotted());
                }
                self.object(value, &[]);
            }
            self.path.pop();
        }
    }

    /// The path, unless it is too long to be a slip of anything.
    fn dotted(&self) -> Option<String> {
        let length: usize = self.path.iter().map(|name| name.len() + 1).sum();
        (length <= NEAR_CHARS).then(|| self.path.join("."))
    }
}

/// The field that a stray is most likely meant for.
pub(super) fn meant<'a>(stray: &str, absent: &[&'a Field]) -> Option<&'a Field> {
    let plain = fold(stray);
    let exact =
        |field: &&&Field| fold(&field.json.join(".")) == plain || fold(&field.path) == plain;
    if let Some(field) = absent.iter().find(exact) {
        return Some(field);
    }
    let names = absent.iter().flat_map(|field| {
        [
            (field.json.join("."), *field),
            (field.path.to_string(), *field),
        ]
    });
    // PERF: lengths are cheap to compare, spellings are not.
    let names: Vec<_> = names
        .filter(|(name, _)| name.len().abs_diff(stray.len()) <= 16)
        .collect();
    let near = near_word(stray, names.iter().map(|(name, _)| name.as_str()))?;
    names.iter().find(|(name, _)| name == near).map(|(_, f)| *f)
}

/// A name without what people vary: case and the marks between words.
fn fold(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-' | '.'))
        .flat_map(char::to_lowercase)
        .collect()
}

fn same_path(declared: &[impl AsRef<str>], path: &[impl AsRef<str>]) -> bool {
    declared.len() == path.len() && begins(declared, path)
}

fn begins(declared: &[impl AsRef<str>], path: &[impl AsRef<str>]) -> bool {
    declared.len() >= path.len()
        && declared
            .iter()
            .zip(path)
            .all(|(a, b)| a.as_ref() == b.as_ref())
}
