//! The result of a test run for a person.

use std::io::{self, Write};

use super::{CaseReport, Report};
use crate::cli::output::Paint;
use crate::cli::render::count;
use crate::cli::screen::{self, clean, wrap};

pub(super) fn write(out: &mut impl Write, paint: Paint, report: &Report) -> io::Result<()> {
    for case in report.cases.iter().filter(|case| !case.passed) {
        write_failure(out, paint, case)?;
    }
    if let Some(coverage) = &report.coverage {
        coverage.write(out, paint)?;
    }
    let passed = format!("{} passed", report.passed);
    let number = count(report.cases.len(), "case");
    match report.failed {
        0 => writeln!(out, "{number}: {}", paint.good(&passed)),
        failed => {
            let failed = paint.bad(&format!("{failed} failed"));
            writeln!(out, "{number}: {failed}, {passed}")
        }
    }
}

fn write_failure(out: &mut impl Write, paint: Paint, case: &CaseReport) -> io::Result<()> {
    let word = paint.bad("failed");
    let of = case.lane.as_ref().map_or("scenario", |lane| lane);
    let (title, file) = (clean(&case.title), clean(&case.file));
    writeln!(out, "{word}  {}: {}", paint.bold(of), paint.bold(&title))?;
    let place = format!("{file}:{}", case.line);
    let room = screen::width().map(|width| width.saturating_sub(12).max(20));
    for (label, text) in [
        ("at", place.as_str()),
        ("expected", case.expected.as_str()),
        ("got", case.got.as_str()),
        ("why", case.why.as_deref().unwrap_or("")),
    ] {
        let mut label = label;
        for line in wrap(&clean(text), room) {
            writeln!(out, "  {}{line}", paint.quiet(&format!("{label:10}")))?;
            label = "";
        }
    }
    writeln!(out)
}
