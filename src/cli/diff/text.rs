//! A comparison for a terminal.

use std::io::{self, Write};

use super::report::{ELSEWHERE, Report, change, of_recorded};
use crate::cli::output::Paint;
use crate::cli::screen::clean;

pub(super) fn write(out: &mut impl Write, paint: Paint, report: &Report<'_>) -> io::Result<()> {
    for region in &report.regions {
        let word = region.direction.as_str();
        let word = match region.loses {
            true => paint.bad(word),
            false => paint.bold(word),
        };
        let words = clean(&change(region.change).bare());
        writeln!(out, "{word}: {}: {words}", region.kind)?;
        if let Some(part) = region.recorded {
            writeln!(out, "  {}", of_recorded(part))?;
        }
        let (shown, more) = region.parts();
        for part in shown {
            writeln!(out, "  among: {}", clean(part))?;
        }
        if let Some(more) = more {
            writeln!(out, "  and {more}")?;
        }
        for line in region.scenario.lines() {
            writeln!(out, "  {}", clean(line))?;
        }
        writeln!(out)?;
    }
    if !report.elsewhere().is_empty() {
        writeln!(out, "{}: {ELSEWHERE}", paint.warn("elsewhere"))?;
        for it in report.elsewhere() {
            let words = clean(&change(&it.change).bare());
            let part = of_recorded(it.recorded);
            writeln!(out, "  {}: {words}: {part}", it.kind)?;
        }
        writeln!(out)?;
    }
    for note in report.notes {
        writeln!(out, "note: {}", clean(note))?;
    }
    let mut recorded = report.recorded().into_iter();
    let first = recorded.next();
    for note in recorded {
        writeln!(out, "note: {note}")?;
    }
    let summary = match first {
        Some(first) => format!("{}; {first}", report.summary()),
        None => report.summary(),
    };
    writeln!(out, "{}", paint.bold(&summary))
}
