//! The page for a terminal: a table fitted to its width, or lanes in prose.

use std::io::{self, Write};

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

use crate::cli::output::Paint;
use crate::cli::screen::{clean, wrap};
use crate::words::page::{Item, LaneView, Page, TITLES, Text};

/// The width of a table in a file or a pipe.
const PAPER: usize = 140;

/// Columns of the labels.
const LABEL: usize = 13;

/// Narrower than this a table of six columns has one word a line; each lane gets a block then.
const TABLE: usize = 100;

pub(super) fn table(
    out: &mut impl Write,
    paint: Paint,
    screen: Option<usize>,
    page: &Page,
) -> io::Result<()> {
    let width = screen.unwrap_or(PAPER);
    writeln!(out, "{}", paint.bold(&clean(&page.title)))?;
    writeln!(out, "{}\n", clean(&page.line.bare()))?;
    if width < TABLE {
        return blocks(out, paint, width, page);
    }
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_FULL)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width).unwrap_or(u16::MAX))
        .set_header(TITLES);
    for lane in &page.lanes {
        let trial = lane.trial.as_ref().map(|_| "\n(on trial)");
        let name = format!("{}{}", clean(&lane.name), trial.unwrap_or_default());
        let cells = lane.cells.iter().map(|lines| cell(lines));
        table.add_row(std::iter::once(name).chain(cells));
    }
    // The trigger is what a reader looks for, and its field names are long.
    if let Some(trigger) = table.column_mut(1) {
        let wide = u16::try_from(width * 2 / 5).unwrap_or(u16::MAX);
        trigger.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(wide)));
    }
    writeln!(out, "{table}")
}

fn cell(lines: &[Text]) -> String {
    let lines = lines.iter().map(|line| clean(&line.bare()));
    lines.collect::<Vec<_>>().join("\n")
}

/// The cells of the table below each other.
fn blocks(out: &mut impl Write, paint: Paint, width: usize, page: &Page) -> io::Result<()> {
    for lane in &page.lanes {
        title(out, paint, lane)?;
        for (label, lines) in TITLES.iter().skip(1).zip(&lane.cells) {
            let label = label.to_lowercase();
            let mut label = label.as_str();
            // Names and steps share a line, alternatives do not.
            let joined = match label {
                "trigger" => lines.iter().map(|line| clean(&line.bare())).collect(),
                _ => vec![Text::join(lines.iter().cloned(), ", ").bare()],
            };
            for line in joined {
                for line in wrap(&clean(&line), Some(width.saturating_sub(18))) {
                    writeln!(out, "  {}{line}", paint.quiet(&format!("{label:16}")))?;
                    label = "";
                }
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

fn title(out: &mut impl Write, paint: Paint, lane: &LaneView) -> io::Result<()> {
    let name = paint.bold(&clean(&lane.name));
    let trial = lane.trial.as_ref();
    let trial = trial.map_or_else(String::new, |t| format!(" ({})", paint.warn(t)));
    writeln!(out, "{name}{trial}")
}

/// Lanes in prose.
pub(super) fn lanes(
    out: &mut impl Write,
    paint: Paint,
    screen: Option<usize>,
    page: &Page,
) -> io::Result<()> {
    for lane in &page.lanes {
        title(out, paint, lane)?;
        if let Some(about) = &lane.about {
            for line in wrap(&clean(about), screen) {
                writeln!(out, "{line}")?;
            }
        }
        writeln!(out)?;
        for fact in &lane.facts {
            let room = screen.map(|screen| screen.saturating_sub(LABEL).max(20));
            let mut label = fact.label;
            for line in wrap(&clean(&fact.text.bare()), room) {
                writeln!(out, "{}{line}", paint.quiet(&format!("{label:LABEL$}")))?;
                label = "";
            }
            items(out, screen, &fact.list, LABEL)?;
        }
    }
    Ok(())
}

fn items(
    out: &mut impl Write,
    screen: Option<usize>,
    list: &[Item],
    indent: usize,
) -> io::Result<()> {
    for item in list {
        let room = screen.map(|screen| screen.saturating_sub(indent + 2).max(20));
        let mut mark = "- ";
        for line in wrap(&clean(&item.text.bare()), room) {
            writeln!(out, "{}{mark}{line}", " ".repeat(indent))?;
            mark = "  ";
        }
        items(out, screen, &item.parts, indent + 2)?;
    }
    Ok(())
}
