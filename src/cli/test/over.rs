//! The decision for every combination of some fields' values: the role by tool by environment
//! matrix that policy tests are made of.
//!
//! In: a matrix, paths, a sample. Out: a table, or JSON.
//! Invariant: at most [`COMBINATIONS`]; nothing happened before, as in an example without `after`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::calendar::example_instant;
use crate::cli::decide::paint;
use crate::cli::output::Paint;
use crate::cli::progress::Progress;
use crate::cli::screen::{self, clean, columns, fill};
use crate::cli::shell::Failure;
use crate::clock::Timestamp;
use crate::decision::{Decision, State, Verdict};
use crate::diagnostic::nearest;
use crate::event::Event;
use crate::examples::domain;
use crate::matrix::{Matrix, Sample};
use crate::reference::{History, Reference, Times};
use crate::schema::{Field, FieldId, Kind};
use crate::value::Value;

/// Combinations that one run decides. Nobody reads more, and a build does not wait for them.
const COMBINATIONS: usize = 10_000;

/// All combinations with their decisions.
pub(super) struct Grid<'m> {
    pub(super) sample: &'m Sample,
    pub(super) fields: Vec<&'m Field>,
    pub(super) rows: Vec<Row>,
}

/// One combination.
pub(super) struct Row {
    /// By field; `None` where it is missing.
    pub(super) values: Vec<Option<Value>>,
    pub(super) verdict: Verdict,
    pub(super) by: String,
    /// Whether the lane that decides could only not be ruled out.
    pub(super) unsure: bool,
}

impl<'m> Grid<'m> {
    pub(super) fn new(matrix: &'m Matrix, fields: &str, sample: &str) -> Result<Self, Failure> {
        let sample = named_sample(matrix, sample)?;
        let kind = matrix.kind(sample.record.kind).ok_or_else(no_kind)?;
        let fields = fields.split(',').map(|path| named_field(kind, path.trim()));
        let fields = fields.collect::<Result<Vec<_>, _>>()?;
        if let Some((n, twice)) = (0..)
            .zip(&fields)
            .find(|(n, field)| fields.iter().take(*n).any(|earlier| earlier.id == field.id))
        {
            let message = format!("`{}` is named twice, as field {} again", twice.path, n + 1);
            return Err(Failure::Unusable(message));
        }
        let at = instant(matrix, sample);
        let domains = fields.iter();
        let domains = domains.map(|f| domain::values(matrix, kind, f, &sample.record, at));
        let combinations = product(&domains.collect::<Vec<_>>())?;
        let many = combinations.len() > COMBINATIONS / 10;
        let progress = many.then(|| Progress::new(Some(combinations.len() as u64), "combinations"));
        let rows = combinations.into_iter().map(|values| {
            if let Some(progress) = &progress {
                progress.advance(1);
            }
            decide(matrix, sample, &fields, values, at)
        });
        let rows = rows.collect();
        Ok(Self {
            sample,
            fields,
            rows,
        })
    }

    pub(super) fn write_table(&self, out: &mut impl Write, style: Paint) -> io::Result<()> {
        let mut titles: Vec<String> = self.fields.iter().map(|f| f.path.to_string()).collect();
        titles.extend(["verdict", "by"].map(str::to_owned));
        let cells: Vec<Vec<String>> = self.rows.iter().map(Row::cells).collect();
        let mut widths: Vec<usize> = titles.iter().map(|title| columns(title)).collect();
        for row in &cells {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = columns(cell).max(*width);
            }
        }
        // A long text gives way, so that the verdict stays on the screen.
        let most = screen::width().map_or(usize::MAX, |w| (w / (widths.len() + 1)).max(12));
        for width in widths.iter_mut().take(self.fields.len()) {
            *width = (*width).min(most);
        }
        let line = |cells: &[String]| -> Vec<String> {
            let cells = cells.iter().zip(&widths);
            cells.map(|(cell, width)| fill(cell, *width)).collect()
        };
        let title = line(&titles).join("  ");
        writeln!(out, "{}", style.bold(title.trim_end()))?;
        for (row, cells) in self.rows.iter().zip(&cells) {
            let mut filled = line(cells);
            if let Some(cell) = filled.get_mut(self.fields.len()) {
                *cell = paint(style, row.verdict, cell);
            }
            writeln!(out, "{}", filled.join("  ").trim_end())?;
        }
        let unsure = self.rows.iter().any(|row| row.unsure);
        let legend = if unsure {
            "; `?` marks a lane that could not be ruled out"
        } else {
            ""
        };
        let number = self.rows.len();
        writeln!(
            out,
            "\n{number} combinations of `{}`{legend}",
            self.sample.name
        )
    }

    pub(super) fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        #[derive(Serialize)]
        struct Shown<'a> {
            values: BTreeMap<&'a str, Option<&'a Value>>,
            verdict: Verdict,
            by: &'a str,
            unsure: bool,
        }
        let paths: Vec<&str> = self.fields.iter().map(|field| &*field.path).collect();
        let rows = self.rows.iter().map(|row| Shown {
            values: paths
                .iter()
                .copied()
                .zip(row.values.iter().map(Option::as_ref))
                .collect(),
            verdict: row.verdict,
            by: &row.by,
            unsure: row.unsure,
        });
        let rows: Vec<_> = rows.collect();
        serde_json::to_writer_pretty(&mut *out, &rows)?;
        writeln!(out)
    }
}

impl Row {
    fn of(values: Vec<Option<Value>>, decision: Decision) -> Self {
        let unsure = decision.lanes.first();
        Self {
            values,
            verdict: decision.verdict,
            unsure: unsure.is_some_and(|lane| lane.state == State::Unsure),
            by: decision.by,
        }
    }

    fn cells(&self) -> Vec<String> {
        let values = self.values.iter().map(|value| match value {
            Some(value) => clean(&value.to_string()),
            None => "missing".to_owned(),
        });
        let mark = if self.unsure { "?" } else { "" };
        let by = format!("{}{mark}", clean(&self.by));
        values
            .chain([self.verdict.as_str().to_owned(), by])
            .collect()
    }
}

fn no_kind() -> Failure {
    Failure::Unusable("the sample has no kind".to_owned())
}

fn named_sample<'m>(matrix: &'m Matrix, name: &str) -> Result<&'m Sample, Failure> {
    let found = matrix.samples.iter().find(|sample| sample.name == name);
    found.ok_or_else(|| {
        let names = matrix.samples.iter().map(|sample| sample.name.as_str());
        let hint = match nearest(name, names.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if matrix.samples.is_empty() => "it has none".to_owned(),
            None => format!("it has `{}`", names.collect::<Vec<_>>().join("`, `")),
        };
        Failure::Unusable(format!("no sample `{}` in the matrix; {hint}", clean(name)))
    })
}

fn named_field<'m>(kind: &'m Kind, path: &str) -> Result<&'m Field, Failure> {
    let found = kind.fields.iter().find(|field| &*field.path == path);
    found.ok_or_else(|| {
        let paths = kind.fields.iter().map(|field| &*field.path);
        let hint = match nearest(path, paths.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has `{}`", paths.collect::<Vec<_>>().join("`, `")),
        };
        let (path, kind) = (clean(path), &kind.name);
        Failure::Unusable(format!("no field `{path}` in `{kind}`; {hint}"))
    })
}

/// The instant of a sample: its own, else that of an example without `at`.
fn instant(matrix: &Matrix, sample: &Sample) -> Timestamp {
    if let Some(Value::Timestamp(at)) = sample.record.values.get(&FieldId::AT) {
        return *at;
    }
    example_instant(matrix.zone)
}

/// All combinations; the last field changes fastest.
fn product(domains: &[Vec<Option<Value>>]) -> Result<Vec<Vec<Option<Value>>>, Failure> {
    let sizes = domains.iter().map(Vec::len);
    let number = sizes.clone().try_fold(1usize, usize::checked_mul);
    if number.is_none_or(|number| number > COMBINATIONS) {
        let sizes = sizes.map(|n| n.to_string()).collect::<Vec<_>>().join(" × ");
        let message =
            format!("{sizes} combinations are more than {COMBINATIONS}; name fewer fields");
        return Err(Failure::Unusable(message));
    }
    let mut all = vec![Vec::new()];
    for domain in domains {
        all = all
            .iter()
            .flat_map(|row: &Vec<Option<Value>>| {
                domain.iter().map(|value| {
                    let mut row = row.clone();
                    row.push(value.clone());
                    row
                })
            })
            .collect();
    }
    Ok(all)
}

fn decide(
    matrix: &Matrix,
    sample: &Sample,
    fields: &[&Field],
    values: Vec<Option<Value>>,
    at: Timestamp,
) -> Row {
    let mut given = sample.record.values.clone();
    for (field, value) in fields.iter().zip(&values) {
        match value {
            Some(value) => given.insert(field.id, value.clone()),
            None => given.remove(&field.id),
        };
    }
    let at = match given.get(&FieldId::AT) {
        Some(Value::Timestamp(at)) => *at,
        _ => at,
    };
    let reference = Reference::new(matrix);
    let event = Event::from_record(&matrix.schema, sample.record.kind, &given, at, None);
    let decision = match event {
        Ok(event) => reference.decide(&event, &History::new(matrix), Times::of(&event)),
        Err(event) => reference.decide_unreadable(&event, at),
    };
    Row::of(values, decision)
}
