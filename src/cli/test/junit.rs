//! The result of a test run as JUnit XML: a suite for each lane and one for the scenarios.
//!
//! Invariant: the text is well-formed XML 1.0 whatever is in titles and values. No times are given,
//! so that the same matrix gives the same bytes.

use std::io::{self, Write};

use super::{CaseReport, Report};

/// The suite of the cases that belong to no lane.
const SCENARIOS: &str = "scenarios";

pub(super) fn write(out: &mut impl Write, report: &Report) -> io::Result<()> {
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(
        out,
        r#"<testsuites name="{}" tests="{}" failures="{}" errors="0">"#,
        escape(&report.matrix),
        report.cases.len(),
        report.failed
    )?;
    // The cases of a lane stand together.
    for suite in report.cases.chunk_by(|a, b| a.lane == b.lane) {
        write_suite(out, suite)?;
    }
    writeln!(out, "</testsuites>")
}

fn write_suite(out: &mut impl Write, cases: &[CaseReport]) -> io::Result<()> {
    let lane = cases.first().and_then(|case| case.lane.as_deref());
    let name = escape(lane.unwrap_or(SCENARIOS));
    let failures = cases.iter().filter(|case| !case.passed).count();
    let tests = cases.len();
    writeln!(
        out,
        r#"  <testsuite name="{name}" tests="{tests}" failures="{failures}" errors="0" skipped="0">"#
    )?;
    for case in cases {
        let (title, file) = (escape(&case.title), escape(&case.file));
        let line = case.line;
        let open = format!(
            r#"    <testcase name="{title}" classname="{name}" file="{file}" line="{line}""#
        );
        if case.passed {
            writeln!(out, "{open}/>")?;
            continue;
        }
        let (expected, got) = (escape(&case.expected), escape(&case.got));
        let why = escape(case.why.as_deref().unwrap_or(""));
        writeln!(out, "{open}>")?;
        writeln!(
            out,
            r#"      <failure type="case" message="expected {expected}, got {got}">{why} ({file}:{line})</failure>"#
        )?;
        writeln!(out, "    </testcase>")?;
    }
    writeln!(out, "  </testsuite>")
}

/// The text as it may stand in an attribute or an element. Characters that XML 1.0 cannot hold in
/// any form become U+FFFD.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\t' => escaped.push_str("&#9;"),
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_an_attribute() {
        assert_eq!(
            escape("a<b & \"c\" 'd'\n\u{0}\u{fffe}é"),
            "a&lt;b &amp; &quot;c&quot; &apos;d&apos;&#10;\u{fffd}\u{fffd}é"
        );
    }
}
