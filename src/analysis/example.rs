//! An event as a line of the language: a scenario to put into the matrix.

use std::fmt::Write as _;

use crate::calendar::example_instant;
use crate::clock::{Timestamp, format_timestamp};
use crate::decision::Decision;
use crate::matrix::{Matrix, Record, Sample};
use crate::schema::{FieldId, Kind};
use crate::value::{Value, quote};

use super::came;

/// A scenario that says what came; behind a sample of its own where the matrix has none of the kind.
pub(super) fn scenario(
    matrix: &Matrix,
    record: &Record,
    at: Timestamp,
    title: &str,
    decision: &Decision,
) -> String {
    let mut line = String::new();
    let Some(kind) = matrix.kind(record.kind) else {
        return line;
    };
    let of_kind = |sample: &&Sample| sample.record.kind == kind.id;
    let nearest = matrix
        .samples
        .iter()
        .filter(of_kind)
        .min_by_key(|it| changes(kind, it, record).len());
    let name = match nearest {
        Some(sample) => sample.name.clone(),
        None => {
            let name = format!("some_{}", kind.name);
            let values = kind.fields.iter().filter(|field| field.id != FieldId::AT);
            let values = values.filter_map(|field| {
                let value = record.values.get(&field.id)?;
                Some(format!("{} = {value}", field.path))
            });
            let values: Vec<String> = values.collect();
            let _ = writeln!(
                line,
                "sample {name} is {} {{ {} }}",
                kind.name,
                values.join(", ")
            );
            name
        }
    };
    let _ = write!(line, "scenario {} {name}", quote(title));
    if let Some(sample) = nearest {
        let changes = changes(kind, sample, record);
        let with: Vec<String> = changes
            .iter()
            .filter_map(|(path, value)| value.map(|value| format!("{path} = {value}")))
            .collect();
        if !with.is_empty() {
            let _ = write!(line, " with {{ {} }}", with.join(", "));
        }
        let without = changes.iter().filter(|(_, value)| value.is_none());
        let without: Vec<&str> = without.map(|(path, _)| *path).collect();
        if !without.is_empty() {
            let _ = write!(line, " without {}", without.join(", "));
        }
    }
    if at != example_instant(matrix.zone) {
        let _ = write!(line, " at {}", format_timestamp(at));
    }
    let (verdict, by) = came(decision);
    let _ = write!(line, " -> {} by {by}", verdict.as_str());
    line
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
