//! Findings as workflow commands, which GitHub shows beside the lines of a pull request.
//!
//! The escapes are those of the documentation of workflow commands: `%`, CR and LF in the message,
//! in a property also `:` and `,`.

use std::io::{self, Write};

use super::located;
use crate::diagnostic::{Diagnostics, Located, Severity};
use crate::span::Sources;

pub(super) fn write(out: &mut impl Write, all: &Diagnostics, sources: &Sources) -> io::Result<()> {
    for finding in all {
        writeln!(out, "{}", command(&located(finding, sources)))?;
    }
    Ok(())
}

fn command(finding: &Located) -> String {
    let word = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let place = &finding.place;
    let file = property(&place.file);
    let mut lines = format!("line={},endLine={}", place.line, place.end_line);
    // GitHub takes columns only where both are on one line.
    if place.line == place.end_line {
        lines = format!(
            "line={},col={},endLine={},endColumn={}",
            place.line, place.column, place.end_line, place.end_column
        );
    }
    let parts = [&finding.message, &finding.caption].into_iter();
    let parts: Vec<&str> = parts
        .chain(&finding.help)
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    let message = data(&parts.join("\n"));
    format!(
        "::{word} file={file},{lines},title={}::{message}",
        finding.code
    )
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Diagnostic, codes};
    use crate::span::{Source, Span};

    #[test]
    fn a_command_escapes_what_would_end_it() {
        let mut sources = Sources::default();
        let file = sources.add(Source::new("a,b:c%.lane", "x and y\nz\n"));
        let mut all = Diagnostics::default();
        all.push(
            Diagnostic::new(codes::SYNTAX, Span::new(file, 2..5), "100% wrong\nhere")
                .help("write: it, right"),
        );
        all.push(Diagnostic::new(
            codes::NO_ABOUT,
            Span::new(file, 6..9),
            "two lines",
        ));
        let mut out = Vec::new();
        write(&mut out, &all, &sources).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "::error file=a%2Cb%3Ac%25.lane,line=1,col=3,endLine=1,endColumn=6,title=E0201\
             ::100%25 wrong%0Ahere%0Awrite: it, right\n\
             ::warning file=a%2Cb%3Ac%25.lane,line=1,endLine=2,title=W0815::two lines\n"
        );
    }
}
