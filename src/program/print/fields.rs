//! Fields as cells, and the numbers of clauses in the words of the fields.
//!
//! In: the layout of a kind. Out: a table; values, sets and bounds as the matrix writes them.
//! Invariant: a bound in words lets the same values pass as the bound in cells.

use std::fmt::{self, Formatter};

use rust_decimal::Decimal;

use super::Page;
use super::list::counted;
use crate::clock::{Duration, format_timestamp};
use crate::schema::{Field, Presence};
use crate::slots::{Absent, Cell, FieldLayout, Small};
use crate::value::{Type, Value, quote};

impl<'p> Page<'p> {
    /// The fields with how they are held.
    pub(super) fn fields(self, f: &mut Formatter<'_>) -> fmt::Result {
        let columns = self.layout.fields.iter().filter(|f| f.column.is_some());
        let bits = self.layout.fields.iter().filter_map(|f| f.small);
        let bits: u32 = bits.map(|small| small.mask.count_ones()).sum();
        writeln!(
            f,
            "\n  fields: {}; columns used: {} of {}; bits used: {bits} of 64",
            counted(self.layout.fields.len(), "cell"),
            columns.count(),
            crate::slots::ORDERED,
        )?;
        let fields = self.declared.fields.iter().zip(&self.layout.fields);
        let rows: Vec<[String; 6]> = (0..)
            .zip(fields)
            .map(|(slot, (field, laid)): (usize, _)| {
                [
                    format!("s{slot}"),
                    field.path.to_string(),
                    self.held(&laid.cell),
                    absent(field, laid),
                    laid.column
                        .map_or_else(String::new, |column| format!("column {column}")),
                    laid.small.as_ref().map_or_else(String::new, bits_of),
                ]
            })
            .collect();
        self.table(f, "    ", &rows)
    }

    /// How a field is held.
    fn held(self, cell: &Cell) -> String {
        match cell {
            Cell::Flag => "0 no, 1 yes".to_owned(),
            Cell::Word(words) => {
                let words = words.list().iter().enumerate();
                let words: Vec<String> = words.map(|(n, word)| format!("{n} {word}")).collect();
                self.few(&words, ", ")
            }
            Cell::Whole => "the number".to_owned(),
            Cell::Scaled { places, exact } => {
                let step = Decimal::new(1, u32::from(*places));
                let exact = if *exact { ", only exact ones" } else { "" };
                format!("halves of {step}{exact}")
            }
            Cell::Instant => "nanoseconds since 1970".to_owned(),
            Cell::Span => "milliseconds".to_owned(),
            Cell::Text { folded: false } => "range of bytes".to_owned(),
            Cell::Text { folded: true } => "range of bytes, folded".to_owned(),
            Cell::List(item) => format!("range of items: {}", self.held(item)),
            Cell::Unheld => "not held, not tested".to_owned(),
        }
    }

    pub(super) fn field(self, slot: u16) -> Option<(&'p Field, &'p FieldLayout)> {
        let slot = usize::from(slot);
        let field = self.declared.fields.get(slot)?;
        Some((field, self.layout.fields.get(slot)?))
    }

    /// The field that has a column; `entry` is one of the two of its column.
    pub(super) fn of_column(self, entry: u8) -> Option<(&'p Field, &'p FieldLayout)> {
        let mut fields = self.declared.fields.iter().zip(&self.layout.fields);
        fields.find(|(_, laid)| laid.column == Some(entry / 2))
    }

    /// What the bits let pass of each field that they say something about.
    pub(super) fn passes(self, forbidden: u64) -> Vec<String> {
        let fields = self.declared.fields.iter().zip(&self.layout.fields);
        let said = fields.filter_map(|(field, laid)| {
            let small = laid.small.filter(|small| small.mask & forbidden != 0)?;
            let values = small.mask & !small.missing;
            let cells = 0..i64::from(values.count_ones());
            let allowed = cells.filter(|cell| small.bit(*cell) & forbidden == 0);
            let mut words: Vec<String> = match laid.steps.is_empty() {
                true => allowed.map(|cell| value(field, laid, cell)).collect(),
                false => self.between(laid, &allowed.collect::<Vec<i64>>()),
            };
            let can_miss = matches!(laid.absent, Absent::Optional { .. });
            if can_miss && small.missing & forbidden == 0 {
                words.push("missing".to_owned());
            }
            let words = match words.is_empty() {
                true => "nothing".to_owned(),
                false => self.few(&words, ", "),
            };
            Some(format!("{}: {words}", field.path))
        });
        said.collect()
    }

    /// What lies between steps of an ordered field: the bounds of each run of them.
    fn between(self, laid: &FieldLayout, allowed: &[i64]) -> Vec<String> {
        let column = laid.column.unwrap_or(u8::MAX / 2);
        let step = |n: i64| laid.steps.get(usize::try_from(n).ok()?).copied();
        let runs = allowed.chunk_by(|a, b| a + 1 == *b);
        let words = runs.filter_map(|run| {
            let low = step(run.first()? - 1).map(|least| self.bound(column * 2, least));
            let high = step(*run.last()?).map(|least| self.bound(column * 2 + 1, -least));
            let ends: Vec<String> = [low, high].into_iter().flatten().collect();
            Some(ends.join(" and "))
        });
        words.collect()
    }

    /// A bound of a column in words: `amount >= 100`.
    pub(super) fn bound(self, entry: u8, least: i64) -> String {
        let Some((field, laid)) = self.of_column(entry) else {
            return format!("column {} at least {least}", entry / 2);
        };
        let path = &field.path;
        let up = entry.is_multiple_of(2);
        if let Cell::Text { .. } = laid.cell {
            let (op, symbol) = if up {
                ("from", least)
            } else {
                ("up to", !least)
            };
            return format!("{path} {op} {}", value(field, laid, symbol));
        }
        // Half a unit is what lies between two: from it up is above the unit below.
        let (strict, cell) = match (&laid.cell, up) {
            (Cell::Scaled { .. }, true) if least % 2 != 0 => (true, least - 1),
            (Cell::Scaled { .. }, false) if !least % 2 != 0 => (true, !least + 1),
            (_, true) => (false, least),
            (_, false) => (false, !least),
        };
        let op = match (up, strict) {
            (true, false) => ">=",
            (true, true) => ">",
            (false, false) => "<=",
            (false, true) => "<",
        };
        format!("{path} {op} {}", value(field, laid, cell))
    }

    /// The optional fields that have these bits.
    pub(super) fn optional(self, bits: u64) -> Vec<String> {
        let fields = self.declared.fields.iter().zip(&self.layout.fields);
        let optional = fields.filter(|(_, laid)| match laid.absent {
            Absent::Optional { bit } => bit & bits != 0,
            _ => false,
        });
        optional.map(|(field, _)| field.path.to_string()).collect()
    }
}

fn absent(field: &Field, laid: &FieldLayout) -> String {
    match (laid.absent, &field.presence) {
        (Absent::Required, _) => "required".to_owned(),
        (Absent::Optional { bit }, _) => format!("optional {}", bit.trailing_zeros()),
        (Absent::Default, Presence::Default(value)) => format!("default {value}"),
        (Absent::Default, _) => "default".to_owned(),
    }
}

fn bits_of(small: &Small) -> String {
    let values = (small.mask & !small.missing).count_ones();
    let last = u32::from(small.base) + values.saturating_sub(1);
    match small.missing {
        0 => format!("bits {} to {last}", small.base),
        bit => format!(
            "bits {} to {last}, missing {}",
            small.base,
            bit.trailing_zeros()
        ),
    }
}

/// A cell as the matrix writes the value.
pub(super) fn value(field: &Field, laid: &FieldLayout, cell: i64) -> String {
    match &laid.cell {
        Cell::Flag => if cell == 0 { "no" } else { "yes" }.to_owned(),
        Cell::Word(words) => {
            let at = usize::try_from(cell).ok();
            let word = at.and_then(|at| words.list().get(at));
            word.map_or_else(
                || format!("word {cell}"),
                |word| Value::Word(word.clone()).to_string(),
            )
        }
        Cell::Scaled { places, .. } => {
            let number = Decimal::new(cell >> 1, u32::from(*places)).normalize();
            match &field.ty {
                Type::Money(currency, _) => format!("{number} {currency}"),
                _ => number.to_string(),
            }
        }
        Cell::Text { .. } => {
            let number = u32::try_from(cell - 1).ok();
            let symbols = laid.symbols.as_ref();
            let text = symbols.zip(number).and_then(|(all, n)| all.text(n));
            text.map_or_else(|| "any other text".to_owned(), quote)
        }
        Cell::Instant => format_timestamp(chrono::DateTime::from_timestamp_nanos(cell)),
        Cell::Span => u64::try_from(cell).map_or_else(
            |_| format!("{cell}ms"),
            |millis| Duration::from_millis(millis).to_string(),
        ),
        _ => cell.to_string(),
    }
}
