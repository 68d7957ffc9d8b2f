//! A case as a line of the language, to put into a matrix.
//!
//! In: an event with what happened before it, and what comes of it. Out: an `example` or a `scenario`.
//! Invariant: the line reads back to the same case where the matrix has the sample that it starts from.

use std::fmt::Write as _;

use crate::calendar::example_instant;
use crate::clock::{Timestamp, format_timestamp};
use crate::matrix::{Before, Case, Expect, LaneId, Matrix, Record, Sample};
use crate::schema::{FieldId, Kind};
use crate::span::Span;
use crate::value::{Value, quote};

/// An event, and what happened before it.
#[derive(Debug, Clone)]
pub(super) struct Happening {
    pub(super) record: Record,
    pub(super) at: Timestamp,
    pub(super) before: Option<Before>,
}

impl Happening {
    /// What a case speaks of.
    pub(super) fn of(case: &Case) -> Self {
        Self {
            record: case.record.clone(),
            at: case.at,
            before: case.before.clone(),
        }
    }

    /// As a case of a lane, or of the whole matrix.
    pub(super) fn case(&self, lane: Option<LaneId>, expect: Expect) -> Case {
        Case {
            title: String::new(),
            span: Span::default(),
            lane,
            record: self.record.clone(),
            at: self.at,
            before: self.before.clone(),
            expect,
        }
    }

    /// Whether both are the same event behind the same events.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let before = |it: &Self| {
            let before = it.before.as_ref();
            before.map(|before| (before.count, before.record.clone(), before.over))
        };
        self.record == other.record && self.at == other.at && before(self) == before(other)
    }
}

/// A line, and the sample that it starts from where the matrix has none of the kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// A `sample` item to put before it.
    pub sample: Option<String>,
    /// The `example` or `scenario`.
    pub text: String,
}

/// The line of a case. Nothing where the language has no words for it: earlier events that lack a field which every
/// sample of their kind has.
///
/// `made` are samples that earlier lines brought with them; what this one brings is added.
pub(super) fn line(matrix: &Matrix, made: &mut Vec<Sample>, case: &Case) -> Option<Line> {
    let kind = matrix.kind(case.record.kind)?;
    let zone = matrix.zone;
    let mut sample = None;
    if nearest(matrix, made, kind, &case.record).is_none() {
        let new = Sample {
            name: format!("some_{}", kind.name),
            record: case.record.clone(),
            span: Span::default(),
        };
        let all = with(&differences(kind, None, &case.record));
        let values = all.trim_start_matches(" with");
        sample = Some(format!("sample {} is {}{values}", new.name, kind.name));
        made.push(new);
    }
    let (nearest, changes) = nearest(matrix, made, kind, &case.record)?;
    let name = &nearest.name;
    let title = title(case, &changes, zone);
    let word = if case.lane.is_some() {
        "example"
    } else {
        "scenario"
    };
    let mut text = format!("{word} {} {name}{}", quote(&title), with(&changes));
    let without = changes.iter().filter(|(_, value)| value.is_none());
    let without: Vec<&str> = without.map(|(path, _)| *path).collect();
    if !without.is_empty() {
        let _ = write!(text, " without {}", without.join(", "));
    }
    let told = case.record.values.get(&FieldId::AT);
    if told != Some(&Value::Timestamp(case.at)) && case.at != example_instant(zone) {
        let _ = write!(text, " at {}", format_timestamp(case.at));
    }
    if let Some(before) = &case.before {
        text.push_str(&history(matrix, made, before)?);
    }
    let _ = write!(text, " -> {}", case.expect);
    Some(Line { sample, text })
}

/// What tells the case from its sample, in a few words.
fn title(case: &Case, changes: &[Change<'_>], zone: chrono_tz::Tz) -> String {
    let mut parts: Vec<String> = changes
        .iter()
        .map(|(path, value)| match value {
            Some(value) => format!("{path} {}", plain(value)),
            None => format!("no {path}"),
        })
        .collect();
    if case.at != example_instant(zone) {
        parts.push(format!("at {}", format_timestamp(case.at)));
    }
    if let Some(before) = &case.before {
        parts.push(format!("after {}", before.count));
    }
    match parts.is_empty() {
        true => "as it is".to_owned(),
        false => parts.join(", "),
    }
}

/// A value without the quotes of a text.
fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        Value::List(items) if items.is_empty() => "empty".to_owned(),
        Value::List(items) => items.iter().map(plain).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// ` after 4 of good_mail with { result = error } over 10m`
fn history(matrix: &Matrix, made: &[Sample], before: &Before) -> Option<String> {
    let kind = matrix.kind(before.record.kind)?;
    let samples = matrix.samples.iter().chain(made);
    let changed = samples
        .filter(|sample| sample.record.kind == kind.id)
        .map(|sample| (sample, differences(kind, Some(sample), &before.record)))
        .filter(|(_, changes)| changes.iter().all(|(_, value)| value.is_some()));
    let (sample, changes) = changed.min_by_key(|(_, changes)| changes.len())?;
    let (count, over) = (before.count, before.over);
    let with = with(&changes);
    Some(format!(
        " after {count} of {}{with} over {over}",
        sample.name
    ))
}

/// A field that is another than in the sample; without a value where it is left out.
type Change<'a> = (&'a str, Option<&'a Value>);

/// The sample of which a record is the fewest changes away.
fn nearest<'m>(
    matrix: &'m Matrix,
    made: &'m [Sample],
    kind: &'m Kind,
    record: &'m Record,
) -> Option<(&'m Sample, Vec<Change<'m>>)> {
    let samples = matrix.samples.iter().chain(made);
    let of_kind = samples.filter(|sample| sample.record.kind == kind.id);
    of_kind
        .map(|sample| (sample, differences(kind, Some(sample), record)))
        .min_by_key(|(_, changes)| changes.len())
}

/// How many fields a record changes of the nearest sample.
pub(super) fn distance(matrix: &Matrix, record: &Record) -> usize {
    let kind = matrix.kind(record.kind);
    let nearest = kind.and_then(|kind| nearest(matrix, &[], kind, record));
    nearest.map_or(usize::MAX, |(_, changes)| changes.len())
}

fn differences<'m>(
    kind: &'m Kind,
    sample: Option<&'m Sample>,
    record: &'m Record,
) -> Vec<Change<'m>> {
    let fields = kind.fields.iter().filter_map(|field| {
        let old = sample.and_then(|sample| sample.record.values.get(&field.id));
        let new = record.values.get(&field.id);
        (old != new).then_some((&*field.path, new))
    });
    fields.collect()
}

/// ` with { amount = 250 USD }`, or nothing.
fn with(changes: &[Change<'_>]) -> String {
    let set = changes
        .iter()
        .filter_map(|(path, value)| value.map(|value| format!("{path} = {value}")));
    let set: Vec<String> = set.collect();
    match set.is_empty() {
        true => String::new(),
        false => format!(" with {{ {} }}", set.join(", ")),
    }
}
