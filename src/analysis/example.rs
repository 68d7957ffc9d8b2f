//! An event as a line of the language: a scenario to put into the matrix.

use std::fmt::Write as _;

use crate::calendar::example_instant;
use crate::clock::format_timestamp;
use crate::matrix::{Matrix, Record, Sample};
use crate::schema::{FieldId, Kind};
use crate::value::{Value, quote};

use super::came;
use super::shown::Shown;

/// A scenario that says what came; behind samples of its own where the matrix has none of the kind.
pub(super) fn scenario(shown: &Shown, title: &str) -> String {
    let (samples, line) = shown.line.get_or_init(|| said(&shown.matrix(), shown));
    format!("{samples}scenario {} {line}", quote(title))
}

/// The samples that a scenario needs, and what it says behind its title.
fn said(matrix: &Matrix, shown: &Shown) -> (String, String) {
    let mut samples = String::new();
    let Some(kind) = matrix.kind(shown.record.kind) else {
        return (samples, String::new());
    };
    let mut line = like_a_sample(matrix, kind, &shown.record, true, &mut samples);
    if shown.at != example_instant(matrix.zone) {
        let _ = write!(line, " at {}", format_timestamp(shown.at));
    }
    if let Some(before) = shown.before()
        && let Some(kind) = matrix.kind(before.record.kind)
    {
        let earlier = like_a_sample(matrix, kind, &before.record, false, &mut samples);
        let (count, over) = (before.count, before.over);
        let _ = write!(line, " after {count} of {earlier} over {over}");
    }
    let (verdict, by) = came(shown.decision());
    let _ = write!(line, " -> {} by {by}", verdict.as_str());
    (samples, line)
}

/// A record as a sample and what differs from it: the sample that is nearest, or one of its own.
fn like_a_sample(
    matrix: &Matrix,
    kind: &Kind,
    record: &Record,
    may_lack: bool,
    samples: &mut String,
) -> String {
    let of_kind = |sample: &&Sample| sample.record.kind == kind.id;
    let known = matrix.samples.iter().filter(of_kind);
    let known = known.map(|sample| (sample, changes(kind, sample, record)));
    // An earlier event has all fields of its sample.
    let fits = |changes: &[(&str, Option<&Value>)]| {
        may_lack || changes.iter().all(|(_, value)| value.is_some())
    };
    let nearest = known
        .filter(|(_, changes)| fits(changes))
        .min_by_key(|(_, changes)| changes.len());
    let Some((sample, changes)) = nearest else {
        let which = if may_lack { "some" } else { "earlier" };
        let name = format!("{which}_{}", kind.name);
        let values = kind.fields.iter().filter(|field| field.id != FieldId::AT);
        let values = values.filter_map(|field| {
            let value = record.values.get(&field.id)?;
            Some(format!("{} = {value}", field.path))
        });
        let values: Vec<String> = values.collect();
        let _ = writeln!(
            samples,
            "sample {name} is {} {{ {} }}",
            kind.name,
            values.join(", ")
        );
        return name;
    };
    let mut text = sample.name.clone();
    let with: Vec<String> = changes
        .iter()
        .filter_map(|(path, value)| value.map(|value| format!("{path} = {value}")))
        .collect();
    if !with.is_empty() {
        let _ = write!(text, " with {{ {} }}", with.join(", "));
    }
    let without = changes.iter().filter(|(_, value)| value.is_none());
    let without: Vec<&str> = without.map(|(path, _)| *path).collect();
    if !without.is_empty() {
        let _ = write!(text, " without {}", without.join(", "));
    }
    text
}

/// What differs from a sample: the values to give, and the fields to leave out.
fn changes<'a>(
    kind: &'a Kind,
    sample: &Sample,
    record: &'a Record,
) -> Vec<(&'a str, Option<&'a Value>)> {
    let fields = kind.fields.iter().filter(|field| field.id != FieldId::AT);
    let changed = fields.filter_map(|field| {
        let (old, new) = (
            sample.record.values.get(&field.id),
            record.values.get(&field.id),
        );
        (old != new).then_some((&*field.path, new))
    });
    changed.collect()
}
