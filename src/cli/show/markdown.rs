//! The page as Markdown (CommonMark, with the tables of GitHub).
//!
//! Invariant: no word of a matrix acts as Markdown or as HTML.

use std::io::{self, Write};

use crate::cli::screen::clean;
use crate::words::page::{Item, Page, Piece, TITLES, Text};

pub(super) fn write(out: &mut impl Write, page: &Page) -> io::Result<()> {
    writeln!(out, "# {}\n", words(&page.title))?;
    writeln!(out, "{}\n", text(&page.line))?;
    table(out, page)?;
    for lane in &page.lanes {
        writeln!(out, "\n## `{}`\n", lane.name)?;
        if let Some(trial) = &lane.trial {
            writeln!(out, "**{}**\n", words(trial))?;
        }
        if let Some(about) = &lane.about {
            writeln!(out, "{}\n", words(about))?;
        }
        for fact in &lane.facts {
            writeln!(out, "- **{}**: {}", fact.label, text(&fact.text))?;
            items(out, &fact.list, 1)?;
        }
    }
    for section in &page.sections {
        writeln!(out, "\n## {}\n", section.title)?;
        if let Some(words) = &section.text {
            writeln!(out, "{}", text(words))?;
            if !section.list.is_empty() {
                writeln!(out)?;
            }
        }
        items(out, &section.list, 0)?;
    }
    Ok(())
}

fn table(out: &mut impl Write, page: &Page) -> io::Result<()> {
    writeln!(out, "| {} |", TITLES.join(" | "))?;
    writeln!(out, "|{}", " --- |".repeat(TITLES.len()))?;
    for lane in &page.lanes {
        let trial = lane.trial.as_ref().map_or("", |_| "<br>(on trial)");
        write!(out, "| `{}`{trial} |", lane.name)?;
        for lines in &lane.cells {
            // A bar would end the cell, also inside code.
            let lines = lines.iter().map(|line| text(line).replace('|', "\\|"));
            write!(out, " {} |", lines.collect::<Vec<_>>().join("<br>"))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn items(out: &mut impl Write, list: &[Item], depth: usize) -> io::Result<()> {
    for item in list {
        writeln!(out, "{}- {}", "  ".repeat(depth), text(&item.text))?;
        items(out, &item.parts, depth + 1)?;
    }
    Ok(())
}

pub(in crate::cli) fn text(text: &Text) -> String {
    let pieces = text.0.iter().map(|piece| match piece {
        Piece::Words(text) => words(text),
        Piece::Code(text) => code(text),
    });
    pieces.collect()
}

/// Code between as many backticks as it needs.
pub(in crate::cli) fn code(text: &str) -> String {
    let text = clean(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    match longest {
        0 => format!("`{text}`"),
        n => {
            let fence = "`".repeat(n + 1);
            format!("{fence} {text} {fence}")
        }
    }
}

/// Words in which no character has a meaning.
pub(in crate::cli) fn words(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '>' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_matrix_acts_as_markdown() {
        assert_eq!(
            words("a_b <i> [x](y) | #1"),
            "a\\_b &lt;i\\> \\[x\\](y) \\| \\#1"
        );
        assert_eq!(code("a `b` ``c"), "``` a `b` ``c ```");
        assert_eq!(code("a < b"), "`a < b`");
    }
}
