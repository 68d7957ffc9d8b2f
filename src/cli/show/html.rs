//! The page as one HTML file.
//!
//! Invariant: it loads nothing from elsewhere, and no word of a matrix acts as HTML.

use std::io::{self, Write};

use crate::cli::screen::clean;
use crate::words::page::{Item, LaneView, Page, Piece, TITLES, Text};

/// The look of every page.
pub(in crate::cli) const STYLE: &str = include_str!("page.css");

pub(super) fn write(out: &mut impl Write, page: &Page) -> io::Result<()> {
    let title = escape(&page.title);
    writeln!(out, "<!doctype html>\n<html lang=\"en\">\n<head>")?;
    writeln!(out, "<meta charset=\"utf-8\">")?;
    writeln!(
        out,
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
    )?;
    writeln!(out, "<meta name=\"color-scheme\" content=\"light dark\">")?;
    writeln!(out, "<title>{title}</title>\n<style>\n{STYLE}</style>")?;
    writeln!(out, "</head>\n<body>\n<header>\n<h1>{title}</h1>")?;
    writeln!(out, "<p>{}</p>\n</header>\n<main>", text(&page.line))?;
    table(out, page)?;
    for view in &page.lanes {
        lane(out, view)?;
    }
    for section in &page.sections {
        writeln!(out, "<section>\n<h2>{}</h2>", escape(section.title))?;
        if let Some(words) = &section.text {
            writeln!(out, "<p>{}</p>", text(words))?;
        }
        items(out, &section.list)?;
        writeln!(out, "</section>")?;
    }
    writeln!(out, "</main>\n</body>\n</html>")
}

fn table(out: &mut impl Write, page: &Page) -> io::Result<()> {
    writeln!(out, "<table>\n<thead>\n<tr>")?;
    for title in TITLES {
        writeln!(out, "<th scope=\"col\">{title}</th>")?;
    }
    writeln!(out, "</tr>\n</thead>\n<tbody>")?;
    for lane in &page.lanes {
        let name = escape(&lane.name);
        let trial = lane.trial.as_ref().map_or("", |_| " <em>on trial</em>");
        writeln!(
            out,
            "<tr>\n<th scope=\"row\"><a href=\"#lane-{name}\">{name}</a>{trial}</th>"
        )?;
        for (label, lines) in TITLES.iter().skip(1).zip(&lane.cells) {
            let lines = lines.iter().map(|line| format!("<p>{}</p>", text(line)));
            let lines = lines.collect::<String>();
            writeln!(out, "<td data-label=\"{label}\"><div>{lines}</div></td>")?;
        }
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</tbody>\n</table>")
}

fn lane(out: &mut impl Write, lane: &LaneView) -> io::Result<()> {
    let name = escape(&lane.name);
    writeln!(out, "<section id=\"lane-{name}\">\n<h2>{name}</h2>")?;
    if let Some(trial) = &lane.trial {
        writeln!(out, "<p><em>{}</em></p>", escape(trial))?;
    }
    if let Some(about) = &lane.about {
        writeln!(out, "<p>{}</p>", escape(about))?;
    }
    writeln!(out, "<dl>")?;
    for fact in &lane.facts {
        writeln!(out, "<dt>{}</dt>\n<dd>", fact.label)?;
        writeln!(out, "{}", text(&fact.text))?;
        items(out, &fact.list)?;
        writeln!(out, "</dd>")?;
    }
    writeln!(out, "</dl>\n</section>")
}

fn items(out: &mut impl Write, list: &[Item]) -> io::Result<()> {
    if list.is_empty() {
        return Ok(());
    }
    writeln!(out, "<ul>")?;
    for item in list {
        write!(out, "<li>{}", text(&item.text))?;
        items(out, &item.parts)?;
        writeln!(out, "</li>")?;
    }
    writeln!(out, "</ul>")
}

pub(in crate::cli) fn text(text: &Text) -> String {
    let pieces = text.0.iter().map(|piece| match piece {
        Piece::Words(words) => escape(words),
        Piece::Code(code) => format!("<code>{}</code>", escape(code)),
    });
    pieces.collect()
}

/// A text that is no HTML, and nothing that acts on a screen.
pub(in crate::cli) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_matrix_acts_as_html() {
        assert_eq!(
            escape("<script>\"a\" & 'b'\u{0}"),
            "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;\\u{0}"
        );
    }
}
