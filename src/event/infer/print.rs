//! What was seen of events, as `event` blocks in canonical layout.
//!
//! In: the counts of an inferrer. Out: text of the language.
//! Invariant: the text is a valid part of a matrix: every name is a name, no path is declared twice
//! or inside another, and nothing from a sample stands outside of quotes unless it is a name.
//! Must not read samples.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{Inferrer, KindSeen, Seen};
use crate::event::problems::cut;
use crate::limits::{INFER_KINDS, INFER_MEMBERS, SHOWN_CHARS};
use crate::value::{is_name, quote};

/// Members that are no fields.
pub(super) const RESERVED: [&str; 4] = ["kind", "id", "at", "evidence"];

/// Words that cannot be a field's first segment, an enum value or a name.
const KEYWORDS: [&str; 18] = [
    "and", "or", "not", "is", "in", "missing", "present", "inside", "outside", "yes", "no",
    "where", "by", "over", "when", "because", "with", "without",
];

/// How often each word of a closed set is to come on average before it is believed to be one.
const OFTEN: u64 = 5;

/// How many values a closed set is to have been seen in.
const ENOUGH: u64 = 20;

/// Whether a text may be a value of a closed set.
pub(super) fn is_short_word(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    text.len() <= 32
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(plain)
        && !is_keyword(text)
}

fn is_keyword(text: &str) -> bool {
    KEYWORDS.contains(&text) || text == "of"
}

/// All blocks.
pub(super) fn blocks(inferrer: &Inferrer) -> String {
    let mut out = String::new();
    if inferrer.without_kind > 0 {
        let count = inferrer.without_kind;
        let _ = writeln!(out, "# {count} of the samples have no `kind` that is text");
    }
    if inferrer.kinds_left_out > 0 {
        let _ = writeln!(
            out,
            "# {} of the samples are left out: more than {INFER_KINDS} kinds, or a long name",
            inferrer.kinds_left_out
        );
    }
    let mut names = BTreeSet::new();
    for kind in &inferrer.kinds {
        if !out.is_empty() {
            out.push('\n');
        }
        block(kind, &mut names, &mut out);
    }
    out
}

fn block(kind: &KindSeen, names: &mut BTreeSet<String>, out: &mut String) {
    let name = unused(&name_of(&kind.name), names);
    let source = match name == kind.name {
        true => String::new(),
        false => format!(" from {}", quote(&kind.name)),
    };
    let _ = writeln!(out, "event {name}{source} {{");
    if kind.members_left_out > 0 {
        let _ = writeln!(
            out,
            "  # {} values are left out: more than {INFER_MEMBERS} members, or a long name",
            kind.members_left_out
        );
    }
    // What is a path as it stands keeps it; derived names make way.
    let valued = kind
        .members
        .iter()
        .filter(|(_, seen)| seen.values > seen.objects);
    let mut paths: BTreeSet<String> = valued.filter_map(|(path, _)| plain(path)).collect();
    for (path, seen) in &kind.members {
        if !has_mixed_parent(kind, path) {
            field(kind, path, seen, &mut paths, out);
        }
    }
    out.push_str("}\n");
}

/// Whether something around the member is an object in some events and a value in others. Then
/// neither can be declared, and the comment stands at the outermost.
fn has_mixed_parent(kind: &KindSeen, path: &[String]) -> bool {
    (1..path.len()).any(|length| {
        let seen = path
            .get(..length)
            .and_then(|parent| kind.by_path.get(parent))
            .and_then(|index| kind.members.get(*index));
        seen.is_some_and(|(_, seen)| seen.values > seen.objects)
    })
}

fn field(
    kind: &KindSeen,
    path: &[String],
    seen: &Seen,
    paths: &mut BTreeSet<String>,
    out: &mut String,
) {
    if seen.objects == seen.values {
        // Its members are declared.
        return;
    }
    let (ty, comments) = match guess(seen) {
        Guess::Type { ty, comments } => (Some(ty), comments),
        Guess::None(comment) => (None, vec![comment]),
    };
    let Some(ty) = ty else {
        let place: Vec<_> = path.iter().map(|n| quote(&cut(n, SHOWN_CHARS))).collect();
        for comment in comments {
            let _ = writeln!(out, "  # {} is not declared: {comment}", place.join("."));
        }
        return;
    };
    for comment in comments {
        let _ = writeln!(out, "  # {comment}");
    }
    let (name, source) = match plain(path) {
        Some(name) => (name, String::new()),
        None => {
            let quoted: Vec<_> = path.iter().map(|segment| quote(segment)).collect();
            (
                unused_path(path, paths),
                format!(" from {}", quoted.join(".")),
            )
        }
    };
    let optional = if seen.values < kind.events {
        " optional"
    } else {
        ""
    };
    let _ = writeln!(out, "  {name}{source}: {ty}{optional}");
}

/// What the values at a place suggest.
enum Guess {
    Type { ty: String, comments: Vec<String> },
    None(String),
}

fn guess(seen: &Seen) -> Guess {
    let numbers = seen.whole + seen.number + seen.unfit;
    let money: u64 = seen.money.values().sum();
    let all = seen.values;
    let plain = |ty: &str| Guess::Type {
        ty: ty.to_owned(),
        comments: Vec::new(),
    };
    if seen.objects > 0 {
        return Guess::None(format!("it was {}", sorts(seen)));
    }
    if seen.lists == all {
        return guess_list(seen);
    }
    if seen.yes_no == all {
        return plain("yes/no");
    }
    if numbers + money == all && seen.money.len() <= 1 {
        return guess_number(seen);
    }
    if seen.text == all {
        return if seen.timestamps == all {
            plain("timestamp")
        } else if seen.durations == all {
            plain("duration")
        } else {
            plain(&closed_set(seen).unwrap_or_else(|| "text".to_owned()))
        };
    }
    Guess::Type {
        ty: "text".to_owned(),
        comments: vec![format!("it was {}", sorts(seen))],
    }
}

fn guess_number(seen: &Seen) -> Guess {
    let currency = seen.money.keys().next();
    let ty = match currency {
        Some(currency) => format!("money {currency}"),
        None if seen.whole == seen.values => "whole number".to_owned(),
        None => "number".to_owned(),
    };
    let mut comments = Vec::new();
    if let (Some(low), Some(high)) = (seen.low, seen.high) {
        comments.push(format!("seen from {low} to {high}"));
    }
    if seen.unfit > 0 {
        let unfit = seen.unfit;
        comments.push(format!(
            "{unfit} had more digits than an exact number holds"
        ));
    }
    Guess::Type { ty, comments }
}

fn guess_list(seen: &Seen) -> Guess {
    let Some(items) = seen.items.as_deref().filter(|items| items.values > 0) else {
        return Guess::Type {
            ty: "list of text".to_owned(),
            comments: vec!["all lists were empty".to_owned()],
        };
    };
    if items.lists > 0 {
        return Guess::None("it was a list of lists".to_owned());
    }
    match guess(items) {
        Guess::Type { ty, comments } => Guess::Type {
            ty: format!("list of {ty}"),
            comments: comments
                .into_iter()
                .map(|c| format!("items: {c}"))
                .collect(),
        },
        Guess::None(_) => Guess::None(format!("its items were {}", sorts(items))),
    }
}

/// `one of` where few short words came often.
fn closed_set(seen: &Seen) -> Option<String> {
    let distinct = u64::try_from(seen.words.len()).ok()?;
    let believed = !seen.free_text && seen.text >= ENOUGH && seen.text >= OFTEN * distinct;
    let words = seen.words.keys().map(|word| match is_name(word) {
        true => word.clone(),
        false => quote(word),
    });
    believed.then(|| format!("one of {}", words.collect::<Vec<_>>().join(", ")))
}

/// The sorts of values that were seen, with their numbers.
fn sorts(seen: &Seen) -> String {
    let numbers = seen.whole + seen.number + seen.unfit;
    let counts = [
        ("yes/no", seen.yes_no),
        ("a number", numbers),
        ("text", seen.text),
        ("a list", seen.lists),
        ("an object or null", seen.objects),
    ];
    let money = seen.money.iter().map(|(c, n)| (format!("money {c}"), *n));
    let counts = counts.map(|(sort, count)| (sort.to_owned(), count));
    let parts: Vec<_> = counts
        .into_iter()
        .chain(money.take(3))
        .filter(|(_, count)| *count > 0)
        .map(|(sort, count)| format!("{sort} ({count})"))
        .collect();
    parts.join(", ")
}

/// A name of the language from any text: `customerId` and `customer-id` give `customer_id`.
fn name_of(text: &str) -> String {
    let mut name = String::new();
    let mut after_small = false;
    for c in text.chars() {
        let gap = c.is_ascii_uppercase() && after_small || !c.is_ascii_alphanumeric() && c != '_';
        if gap && !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
        if c.is_ascii_alphanumeric() || c == '_' {
            name.push(c.to_ascii_lowercase());
        }
        after_small = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    let name = match is_name(text) {
        true => text,
        false => name.trim_matches('_'),
    };
    if is_name(name) {
        name.to_owned()
    } else {
        format!("x_{name}").trim_end_matches('_').to_owned()
    }
}

/// A name that was not given before.
fn unused(name: &str, names: &mut BTreeSet<String>) -> String {
    let base = if is_keyword(name) {
        format!("{name}_value")
    } else {
        name.to_owned()
    };
    let numbered = (2..).map(|i: u64| format!("{base}_{i}"));
    let mut free = std::iter::once(base.clone()).chain(numbered);
    let name = free.find(|name| !names.contains(name)).unwrap_or(base);
    names.insert(name.clone());
    name
}

/// The path of a member whose names are names of the language.
fn plain(path: &[String]) -> Option<String> {
    let first = path.first()?;
    let free = !is_keyword(first) && !RESERVED.contains(&first.as_str());
    (free && path.iter().all(|segment| is_name(segment))).then(|| path.join("."))
}

/// A path for a member's names that is not declared, and neither inside nor around one that is.
fn unused_path(path: &[String], paths: &mut BTreeSet<String>) -> String {
    let segments: Vec<_> = path.iter().map(|segment| name_of(segment)).collect();
    let Some((first, rest)) = segments.split_first() else {
        return String::new();
    };
    let reserved = is_keyword(first) || RESERVED.contains(&first.as_str());
    let ending = if reserved { "_value" } else { "" };
    // The first segment is what is numbered: so the path leaves whatever it would lie inside.
    let numbered = |number: &str| {
        let first = format!("{first}{ending}{number}");
        let segments: Vec<_> = std::iter::once(&first)
            .chain(rest)
            .map(String::as_str)
            .collect();
        segments.join(".")
    };
    let clashes = |name: &str| {
        let inside = |a: &str, b: &str| a.strip_prefix(b).is_some_and(|r| r.starts_with('.'));
        paths
            .iter()
            .any(|p| p == name || inside(p, name) || inside(name, p))
    };
    let later = (2..).map(|i: u64| numbered(&format!("_{i}")));
    let mut free = std::iter::once(numbered("")).chain(later);
    let name = free.find(|name| !clashes(name)).unwrap_or_default();
    paths.insert(name.clone());
    name
}
