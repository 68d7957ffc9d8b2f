//! A comparison to be pasted into a review: a table first, and the details folded (CommonMark, with the tables and
//! the `<details>` of GitHub and GitLab).
//!
//! Invariant: no word of a matrix acts as Markdown or as HTML; the whole is short enough for a comment.

use std::io::{self, Write};

use super::report::{ELSEWHERE, Region, Report, change, of_all, of_recorded};
use crate::cli::screen::clean;
use crate::cli::show::html::escape;
use crate::cli::show::markdown::{code, text, words};
use crate::words::page::Text;

/// Rows of the table. A comment of GitHub has at most 65,536 characters.
const ROWS: usize = 60;

/// Regions whose details are shown.
const DETAILS: usize = 20;

pub(super) fn write(out: &mut impl Write, report: &Report<'_>) -> io::Result<()> {
    writeln!(out, "**{}**", report.summary())?;
    let [old, new] = [&report.old.path, &report.new.path].map(|path| code(path));
    writeln!(out, "\nFrom {old} to {new}, for all events.")?;
    for sentence in report.recorded() {
        writeln!(out, "\n{}.", words(&sentence))?;
    }
    if !report.regions.is_empty() {
        table(out, report)?;
    }
    if !report.elsewhere().is_empty() {
        writeln!(out, "\n**Elsewhere**: {ELSEWHERE}.\n")?;
        for it in report.elsewhere().iter().take(ROWS) {
            let (kind, part) = (code(&it.kind), of_recorded(it.recorded));
            let loses = if it.loses { "**looser** " } else { "" };
            writeln!(
                out,
                "- {loses}{kind}: {}: {part}",
                text(&change(&it.change))
            )?;
        }
        more(out, "- ", report.elsewhere().len(), ROWS)?;
    }
    for note in report.notes {
        writeln!(out, "\n> {}", words(note))?;
    }
    for region in report.regions.iter().take(DETAILS) {
        details(out, region)?;
    }
    Ok(())
}

fn table(out: &mut impl Write, report: &Report<'_>) -> io::Result<()> {
    let is_weighed = report.recorded.is_some();
    let (title, rule) = match is_weighed {
        true => (" recorded |", " ---: |"),
        false => ("", ""),
    };
    writeln!(out, "\n| | events | what changes |{title}")?;
    writeln!(out, "| --- | --- | --- |{rule}")?;
    for region in report.regions.iter().take(ROWS) {
        let way = region.direction.as_str();
        let way = match region.loses {
            true => format!("**{way}**"),
            false => way.to_owned(),
        };
        let cells = [cell(&Text::code(region.kind)), cell(&change(region.change))];
        write!(out, "| {way} | {} |", cells.join(" | "))?;
        if let Some(part) = region.recorded {
            write!(out, " {} |", of_all(part))?;
        }
        writeln!(out)?;
    }
    more(out, "\n", report.regions.len(), ROWS)
}

/// A bar would end the cell, also inside code.
fn cell(of: &Text) -> String {
    text(of).replace("\\|", "|").replace('|', "\\|")
}

/// What is not shown is said.
fn more(out: &mut impl Write, start: &str, all: usize, shown: usize) -> io::Result<()> {
    match all.saturating_sub(shown) {
        0 => Ok(()),
        more => writeln!(out, "{start}and {more} more"),
    }
}

fn details(out: &mut impl Write, region: &Region<'_>) -> io::Result<()> {
    let title = format!(
        "{}: {}: {}",
        region.direction.as_str(),
        region.kind,
        change(region.change).bare()
    );
    let title = escape(&title);
    writeln!(out, "\n<details><summary>{title}</summary>\n")?;
    writeln!(out, "Among these events:\n")?;
    let (shown, further) = region.parts();
    for part in shown {
        writeln!(out, "- {}", code(part))?;
    }
    if let Some(further) = further {
        writeln!(out, "- and {further}")?;
    }
    writeln!(out, "\nOne of them, to put into the new matrix:\n")?;
    let fence = fence(&region.scenario);
    writeln!(out, "{fence}")?;
    for line in region.scenario.lines() {
        writeln!(out, "{}", clean(line))?;
    }
    writeln!(out, "{fence}\n\n</details>")
}

/// More backticks than a text has one after the other.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_ends_no_cell_and_backticks_no_fence() {
        assert_eq!(
            cell(&Text::words("a | ").with("b|`c")),
            "a \\| `` b\\|`c ``"
        );
        assert_eq!(fence("a"), "```");
        assert_eq!(fence("a ```` b"), "`````");
    }
}
