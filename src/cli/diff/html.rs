//! A comparison as one HTML file.
//!
//! Invariant: it loads nothing from elsewhere, runs nothing, and no word of a matrix acts as HTML.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::report::{ELSEWHERE, Region, Report, change, of_all, of_recorded};
use crate::analysis::Direction;
use crate::cli::show::html::{STYLE, escape, text};
use crate::replay::summary::Part;

const LOOK: &str = include_str!("page.css");

pub(super) fn write(out: &mut impl Write, report: &Report<'_>) -> io::Result<()> {
    out.write_all(page(report).as_bytes())
}

fn page(report: &Report<'_>) -> String {
    let mut html = String::new();
    head(&mut html, report);
    if !report.regions.is_empty() {
        table(&mut html, report);
    }
    if !report.elsewhere().is_empty() {
        elsewhere(&mut html, report);
    }
    for (number, region) in report.regions.iter().enumerate() {
        section(&mut html, number, region);
    }
    html += "</main>\n</body>\n</html>\n";
    html
}

fn head(html: &mut String, report: &Report<'_>) {
    let (old, new) = (&report.old, &report.new);
    let name = escape(new.name);
    *html += "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
    *html += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
    *html += "<meta name=\"color-scheme\" content=\"light dark\">\n";
    let _ = writeln!(html, "<title>{name}: what changes</title>");
    let _ = writeln!(html, "<style>\n{STYLE}{LOOK}</style>\n</head>\n<body>");
    let _ = writeln!(html, "<header>\n<h1>{name}: what changes</h1>");
    let side = |path: &str, digest: &str| {
        let digest = escape(digest.get(..12).unwrap_or_default());
        format!(
            "<code>{}</code> (digest <code>{digest}</code>)",
            escape(path)
        )
    };
    let _ = writeln!(
        html,
        "<p>From {} to {}, for all events</p>\n</header>\n<main class=\"diff\">",
        side(&old.path, old.digest),
        side(&new.path, new.digest)
    );
    let summary = escape(&report.summary());
    let _ = writeln!(html, "<p class=\"summary\">{summary}</p>");
    let recorded = report.recorded().into_iter();
    let notes = recorded.chain(report.notes.iter().cloned());
    let notes: Vec<String> = notes.map(|note| escape(&note)).collect();
    if !notes.is_empty() {
        let items = notes.join("</li>\n<li>");
        let _ = writeln!(html, "<ul class=\"notes\">\n<li>{items}</li>\n</ul>");
    }
}

fn way(direction: Direction, loses: bool) -> String {
    let word = direction.as_str();
    let class = if loses { "loses" } else { word };
    format!("<span class=\"way {class}\">{word}</span>")
}

/// How much of the recorded events, as a bar with its words.
fn weight(part: Part) -> String {
    let percent = part.share() * 100.0;
    let bar = match part.events {
        0 => String::new(),
        _ => format!("<span style=\"width:{percent:.2}%\"></span>"),
    };
    format!(
        "<div class=\"weight\"><span class=\"bar\">{bar}</span>{}</div>",
        escape(&of_all(part))
    )
}

fn table(html: &mut String, report: &Report<'_>) {
    let titles: &[&str] = match report.recorded {
        Some(_) => &["Direction", "Events", "What changes", "Recorded"],
        None => &["Direction", "Events", "What changes"],
    };
    *html += "<table>\n<thead>\n<tr>";
    for title in titles {
        let _ = write!(html, "<th scope=\"col\">{title}</th>");
    }
    *html += "</tr>\n</thead>\n<tbody>\n";
    for (number, region) in report.regions.iter().enumerate() {
        let way = way(region.direction, region.loses);
        let _ = writeln!(
            html,
            "<tr>\n<th scope=\"row\"><a href=\"#region-{number}\">{way}</a></th>\n\
             <td data-label=\"Events\"><div><code>{}</code></div></td>\n\
             <td data-label=\"What changes\"><div>{}</div></td>",
            escape(region.kind),
            text(&change(region.change))
        );
        if let Some(part) = region.recorded {
            let weight = weight(part);
            let _ = writeln!(html, "<td data-label=\"Recorded\">{weight}</td>");
        }
        *html += "</tr>\n";
    }
    *html += "</tbody>\n</table>\n";
}

fn elsewhere(html: &mut String, report: &Report<'_>) {
    let _ = writeln!(
        html,
        "<section>\n<h2>Elsewhere</h2>\n<p>Recorded events that are {ELSEWHERE}.</p>\n<ul>"
    );
    for it in report.elsewhere() {
        let loses = match it.loses {
            true => way(Direction::Looser, true) + " ",
            false => String::new(),
        };
        let _ = writeln!(
            html,
            "<li>{loses}<code>{}</code>: {}: {}</li>",
            escape(&it.kind),
            text(&change(&it.change)),
            escape(&of_recorded(it.recorded))
        );
    }
    *html += "</ul>\n</section>\n";
}

fn section(html: &mut String, number: usize, region: &Region<'_>) {
    let way = way(region.direction, region.loses);
    let _ = writeln!(
        html,
        "<section id=\"region-{number}\">\n<h2>{way} <code>{}</code> {}</h2>",
        escape(region.kind),
        text(&change(region.change))
    );
    if let Some(part) = region.recorded {
        let _ = writeln!(html, "<p>{}</p>", escape(&of_recorded(part)));
    }
    *html += "<h3>Among events</h3>\n<ul>\n";
    let (shown, more) = region.parts();
    for part in shown {
        let _ = writeln!(html, "<li><code>{}</code></li>", escape(part));
    }
    if let Some(more) = more {
        let _ = writeln!(html, "<li>and {more}</li>");
    }
    *html += "</ul>\n<h3>One of them, to put into the new matrix</h3>\n<pre><code>";
    for line in region.scenario.lines() {
        let _ = writeln!(html, "{}", escape(line));
    }
    *html += "</code></pre>\n</section>\n";
}
