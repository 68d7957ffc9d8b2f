//! Findings in the forms that people and tools read.
//!
//! In: diagnostics and the texts they speak of. Out: text with source excerpts, JSON, SARIF 2.1.0, or
//! the commands of a GitHub workflow.
//! Invariant: no character of a matrix or of a path acts on the terminal.

use std::io::{self, Write};

use clap::ValueEnum;

use super::output::Paint;
use crate::check::Loaded;
use crate::diagnostic::{Diagnostic, Diagnostics, Fix, Located, Severity};
use crate::span::Sources;

mod excerpt;
mod github;
mod json;
mod sarif;
mod text;

/// Edits of a fix that are printed for a tool. A fix may have one for each line of a file; such a one
/// is for `check --fix`, and would make the output longer than the matrix.
const EDITS: usize = 1_000;

/// The form of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For a person, with the lines that a finding is about
    Text,
    /// One array of findings
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands, which GitHub shows beside the lines
    Github,
}

/// Writes what a check found.
pub(super) fn findings(
    out: &mut impl Write,
    format: Format,
    paint: Paint,
    loaded: &Loaded,
) -> io::Result<()> {
    let (all, sources) = (&loaded.diagnostics, &*loaded.sources);
    match format {
        Format::Text => text::write(out, paint, all, sources),
        Format::Json => json::write(out, all, sources),
        Format::Sarif => sarif::write(out, all, sources),
        Format::Github => github::write(out, all, sources),
    }
}

/// Writes the errors among the findings as text, for a command that needs a sound matrix.
pub(super) fn errors(
    out: &mut impl Write,
    paint: Paint,
    all: &Diagnostics,
    sources: &Sources,
) -> io::Result<()> {
    let errors = all.iter().filter(|d| d.severity() == Severity::Error);
    list(out, paint, errors, sources)
}

/// Writes some findings as text.
pub(super) fn list<'a>(
    out: &mut impl Write,
    paint: Paint,
    some: impl IntoIterator<Item = &'a Diagnostic>,
    sources: &Sources,
) -> io::Result<()> {
    text::list(out, paint, some, sources)
}

/// A finding with its places, for a tool.
fn located(finding: &Diagnostic, sources: &Sources) -> Located {
    let long = |fix: &Fix| fix.edits.len() > EDITS;
    if !finding.fix.as_ref().is_some_and(long) {
        return finding.locate(sources);
    }
    let short = Diagnostic {
        fix: None,
        message: finding.message.clone(),
        caption: finding.caption.clone(),
        labels: finding.labels.clone(),
        help: finding.help.clone(),
        ..*finding
    };
    short.locate(sources)
}

/// `1 error`, `2 errors`.
pub(super) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
