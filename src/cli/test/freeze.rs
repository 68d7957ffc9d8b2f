//! The decisions of a grid as scenarios for a case file.
//!
//! Invariant: the text is canonical, and each scenario passes with the matrix that it came from.

use std::fmt::Write as _;

use super::over::{Grid, Row};
use crate::cli::shell::Failure;
use crate::limits::Limits;
use crate::schema::Field;
use crate::span::FileId;
use crate::syntax::parse;
use crate::syntax::print::print;
use crate::value::{Value, quote};

/// The scenarios of all combinations.
pub(super) fn scenarios(grid: &Grid<'_>) -> Result<String, Failure> {
    let mut text = String::new();
    for row in &grid.rows {
        scenario(&mut text, grid, row);
    }
    // The printer has the last word on what is canonical.
    let limits = Limits::default();
    let parsed = parse(FileId(0), &text, &limits);
    match parsed.diagnostics.iter().next() {
        None => Ok(print(&parsed.ast, &text, &[])),
        Some(finding) => {
            let message = format!(
                "a value cannot be written as a scenario: {}",
                finding.message
            );
            Err(Failure::Unusable(message))
        }
    }
}

fn scenario(text: &mut String, grid: &Grid<'_>, row: &Row) {
    let sample = &grid.sample.name;
    let pairs: Vec<(&Field, Option<&Value>)> = grid
        .fields
        .iter()
        .copied()
        .zip(row.values.iter().map(Option::as_ref))
        .collect();
    let shown = pairs.iter().map(|(field, value)| match value {
        Some(value) => format!("{} {value}", field.path),
        None => format!("{} missing", field.path),
    });
    let title = format!("{sample}: {}", shown.collect::<Vec<_>>().join(", "));
    let _ = write!(text, "scenario {} {sample}", quote(&title));
    let with: Vec<String> = pairs
        .iter()
        .filter_map(|(field, value)| value.map(|value| format!("{} = {value}", field.path)))
        .collect();
    if !with.is_empty() {
        let _ = write!(text, " with {{ {} }}", with.join(", "));
    }
    // A sample that lacks the field already has nothing to take away.
    let without: Vec<&str> = pairs
        .iter()
        .filter(|(field, value)| {
            value.is_none() && grid.sample.record.values.contains_key(&field.id)
        })
        .map(|(field, _)| &*field.path)
        .collect();
    if !without.is_empty() {
        let _ = write!(text, " without {}", without.join(", "));
    }
    match row.by.as_str() {
        "unreadable" => text.push_str(" -> unreadable\n\n"),
        by => {
            let _ = write!(text, " -> {} by {by}\n\n", row.verdict.as_str());
        }
    }
}
