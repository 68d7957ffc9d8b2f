//! The summary as one HTML file with plots.
//!
//! Invariant: it loads nothing from elsewhere, runs nothing, and no word of a matrix or an event acts
//! as HTML. Plots are stretched to the width there is; their words are HTML beside them.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::plot::joined;
use super::words::{
    Face, events, example, extent, kind_rows, missing_rows, named, number, one_bar, remarks,
    rule_rows, trial_rows, when,
};
use crate::cli::show::html::{STYLE, escape};
use crate::replay::Summary;
use crate::replay::summary::{
    Against, Bucket, ChangeSummary, LaneSummary, LogSummary, OverTime, Part, UnreadableSummary,
};

const PLOTS: &str = include_str!("page.css");

/// Bars that a plot over time has at most.
const BARS: usize = 366;

/// Rows of a table that a browser still shows at once.
const ROWS: usize = 1_000;

pub(super) fn write(out: &mut impl Write, summary: &Summary) -> io::Result<()> {
    out.write_all(page(summary).as_bytes())
}

fn page(summary: &Summary) -> String {
    let mut html = String::new();
    head(&mut html, summary);
    if summary.events > 0 {
        verdicts(&mut html, summary);
        if let Some(over) = &summary.over_time {
            over_time(&mut html, over);
        }
        if let Some(other) = &summary.against {
            against(&mut html, other);
        }
        if let Some(logged) = &summary.log {
            log(&mut html, logged);
        }
        lanes(&mut html, summary);
        rules(&mut html, summary);
        kinds(&mut html, summary);
        unsure(&mut html, summary);
        unreadable(&mut html, &summary.unreadable);
    }
    html += "</main>\n</body>\n</html>\n";
    html
}

fn head(html: &mut String, summary: &Summary) {
    let name = escape(&summary.matrix.name);
    let digest = escape(summary.matrix.digest.get(..12).unwrap_or_default());
    *html += "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
    *html += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
    *html += "<meta name=\"color-scheme\" content=\"light dark\">\n";
    let _ = writeln!(html, "<title>{name}: replay</title>");
    let _ = writeln!(html, "<style>\n{STYLE}{PLOTS}</style>\n</head>\n<body>");
    let _ = writeln!(html, "<header>\n<h1>{name}</h1>");
    let line = escape(&extent(summary));
    let _ = writeln!(
        html,
        "<p>{line}, decided by digest <code>{digest}</code></p>\n</header>\n<main class=\"replay\">"
    );
}

/// A section of the page.
fn section(html: &mut String, title: &str, beside: &str, body: impl FnOnce(&mut String)) {
    let _ = writeln!(html, "<section>\n<h2>{title}</h2>");
    if !beside.is_empty() {
        let _ = writeln!(html, "<p>{beside}</p>");
    }
    body(html);
    *html += "</section>\n";
}

/// The share of each verdict as one bar, and the numbers below it.
fn verdicts(html: &mut String, summary: &Summary) {
    let of = summary.events;
    section(html, "Verdicts", "", |html| {
        *html += "<svg class=\"whole\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" ";
        *html += "role=\"img\" aria-label=\"Shares of the verdicts\">\n";
        let mut left = 0.0;
        for (verdict, count) in summary.verdicts.each() {
            let part = Part { events: count, of };
            let width = part.share() * 1000.0;
            if count > 0 {
                let word = verdict.as_str();
                let _ = writeln!(
                    html,
                    "<rect class=\"{word}\" x=\"{left:.3}\" y=\"0\" width=\"{width:.3}\" height=\"10\"><title>{word} {}</title></rect>",
                    number(count)
                );
            }
            left += width;
        }
        *html += "</svg>\n<ul class=\"tiles\">\n";
        for (verdict, count) in summary.verdicts.each() {
            let part = Part { events: count, of };
            let (word, share) = (verdict.as_str(), share(part));
            let _ = writeln!(
                html,
                "<li><span class=\"key {word}\"></span>{word} <strong>{}</strong> <em>{share}</em></li>",
                number(count)
            );
        }
        *html += "</ul>\n";
    });
}

fn over_time(html: &mut String, over: &OverTime) {
    let buckets = joined(&over.buckets, BARS);
    let together = over.buckets.len().div_ceil(buckets.len().max(1));
    let (each, zone) = (one_bar(over.step, together), escape(&over.zone));
    let words = format!("Times of {zone}, {each}; the loosest verdict at the bottom.");
    section(html, "Over time", &words, |html| {
        let most = buckets.iter().map(|bucket| bucket.verdicts.total()).max();
        let most = most.unwrap_or(0);
        let _ = writeln!(
            html,
            "<figure>\n<figcaption><span>{}</span></figcaption>",
            events(most)
        );
        stacks(html, &buckets, most);
        let middle = buckets.get(buckets.len() / 2).filter(|_| buckets.len() > 6);
        let ends = [buckets.first(), middle, buckets.last()];
        *html += "<div class=\"axis\">";
        for (n, bucket) in ends.into_iter().flatten().enumerate() {
            if n == 0 || buckets.len() > 1 {
                let _ = write!(html, "<span>{}</span>", escape(&when(&bucket.from)));
            }
        }
        *html += "</div>\n</figure>\n";
    });
}

#[expect(clippy::cast_precision_loss, reason = "a plot has few pixels")]
fn stacks(html: &mut String, buckets: &[Bucket], most: u64) {
    const HIGH: f64 = 200.0;
    let _ = writeln!(
        html,
        "<svg class=\"time\" viewBox=\"0 0 {} {HIGH}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"Verdicts over time\">",
        buckets.len() * 10
    );
    for part in [0.25, 0.5, 0.75] {
        let (y, wide) = (HIGH * part, buckets.len() * 10);
        let _ = writeln!(html, "<path class=\"grid\" d=\"M0 {y}H{wide}\"/>");
    }
    for (n, bucket) in buckets.iter().enumerate() {
        let verdicts = bucket.verdicts.each();
        let words = verdicts.iter().filter(|(_, count)| *count > 0);
        let words: Vec<String> = words
            .map(|(verdict, count)| format!("{} {}", verdict.as_str(), number(*count)))
            .collect();
        if words.is_empty() {
            continue;
        }
        let (from, words) = (escape(&when(&bucket.from)), words.join(", "));
        let _ = write!(html, "<g><title>{from}: {words}</title>");
        let mut below = 0.0;
        for (verdict, count) in verdicts.into_iter().filter(|(_, count)| *count > 0) {
            let high = count as f64 / most.max(1) as f64 * HIGH;
            let (x, y) = (n * 10, HIGH - below - high);
            let _ = write!(
                html,
                "<rect class=\"{}\" x=\"{x}.5\" y=\"{y:.2}\" width=\"9\" height=\"{high:.2}\"/>",
                verdict.as_str()
            );
            below += high;
        }
        *html += "</g>\n";
    }
    *html += "</svg>\n";
}

/// A table of named columns; those of numbers stand to the right.
struct Table<'a> {
    titles: &'a [&'a str],
    numbers: &'a [usize],
    rows: Vec<Vec<String>>,
}

impl Table<'_> {
    fn write(self, html: &mut String) {
        *html += "<table>\n<thead>\n<tr>";
        let class = |n: usize| match self.numbers.contains(&n) {
            true => " class=\"number\"",
            false => "",
        };
        for (n, title) in self.titles.iter().enumerate() {
            let _ = write!(html, "<th scope=\"col\"{}>{title}</th>", class(n));
        }
        *html += "</tr>\n</thead>\n<tbody>\n";
        for row in self.rows.iter().take(ROWS) {
            *html += "<tr>";
            for (n, (cell, title)) in row.iter().zip(self.titles).enumerate() {
                let class = class(n);
                let _ = match n {
                    0 => write!(html, "<th scope=\"row\"{class}>{cell}</th>"),
                    _ => write!(
                        html,
                        "<td data-label=\"{title}\"{class}><div>{cell}</div></td>"
                    ),
                };
            }
            *html += "</tr>\n";
        }
        *html += "</tbody>\n</table>\n";
        if let more @ 1.. = self.rows.len().saturating_sub(ROWS) {
            let _ = writeln!(html, "<p>And {more} more; the JSON summary has all.</p>");
        }
    }
}

/// A share as HTML: it may be less than something.
fn share(part: Part) -> String {
    escape(&super::words::share(part))
}

const FACE: Face = Face { name: code, share };

fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

fn lanes(html: &mut String, summary: &Summary) {
    let most = summary.lanes.iter().map(|lane| lane.part.events).max();
    let most = most.unwrap_or(0);
    section(html, "Lanes", "", |html| {
        if !summary.lanes.is_empty() {
            lane_bars(html, &summary.lanes, most);
        }
        if !summary.never_attached.is_empty() {
            let never = summary.never_attached.iter().take(ROWS);
            let never: Vec<String> = never.map(|name| code(name)).collect();
            let _ = writeln!(
                html,
                "<p class=\"never\">Never attached: {}</p>",
                never.join(", ")
            );
        }
    });
    if summary.trial.is_empty() {
        return;
    }
    section(
        html,
        "On trial",
        "Decided and counted, without effect.",
        |html| {
            let table = Table {
                titles: &["Lane", "Events", "Share", "Fired", "Unsure"],
                numbers: &[1, 2, 3, 4],
                rows: trial_rows(summary, FACE),
            };
            table.write(html);
        },
    );
}

fn lane_bars(html: &mut String, lanes: &[LaneSummary], most: u64) {
    let rows = lanes.iter().map(|lane| {
        let skipped = match lane.skipped {
            0 => String::new(),
            skipped => format!(" <em>({} skipped)</em>", number(skipped)),
        };
        vec![
            code(&lane.lane),
            lane_bar(lane, most),
            number(lane.part.events),
            share(lane.part),
            number(lane.fired),
            format!("{}{skipped}", number(lane.unsure)),
            number(lane.primary),
            escape(&lane.owner),
        ]
    });
    let table = Table {
        titles: &[
            "Lane", "", "Events", "Share", "Fired", "Unsure", "Primary", "Owner",
        ],
        numbers: &[2, 3, 4, 5, 6],
        rows: rows.collect(),
    };
    *html += "<p class=\"legend\"><span class=\"key fired\"></span>fired ";
    *html += "<span class=\"key unsure\"></span>unsure</p>\n<div class=\"bars\">\n";
    table.write(html);
    *html += "</div>\n";
}

#[expect(clippy::cast_precision_loss, reason = "a plot has few pixels")]
fn lane_bar(lane: &LaneSummary, most: u64) -> String {
    let wide = |count: u64| count as f64 / most.max(1) as f64 * 1000.0;
    let (fired, unsure) = (wide(lane.fired), wide(lane.unsure));
    format!(
        "<svg class=\"bar\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"fired\" width=\"{fired:.2}\" height=\"10\"/><rect class=\"unsure\" x=\"{fired:.2}\" width=\"{unsure:.2}\" height=\"10\"/></svg>"
    )
}

fn rules(html: &mut String, summary: &Summary) {
    if summary.rules.is_empty() {
        return;
    }
    section(html, "Rules", "", |html| {
        let table = Table {
            titles: &["Rule", "Does", "Events", "Share", "Unsure", "Decides"],
            numbers: &[2, 3, 4, 5],
            rows: rule_rows(summary, FACE),
        };
        table.write(html);
    });
}

fn kinds(html: &mut String, summary: &Summary) {
    section(html, "Kinds of event", "", |html| {
        let table = Table {
            titles: &["Kind", "Events", "Share"],
            numbers: &[1, 2],
            rows: kind_rows(summary, FACE),
        };
        table.write(html);
    });
}

fn unsure(html: &mut String, summary: &Summary) {
    let unsure = &summary.unsure;
    if unsure.part.events == 0 {
        return;
    }
    let words = format!(
        "{} ({}) had a lane or a rule that could not be ruled out. An event that lacks two things is in both rows.",
        events(unsure.part.events),
        share(unsure.part)
    );
    section(html, "Unsure", &words, |html| {
        let table = Table {
            titles: &["What was missing", "Events", "Share"],
            numbers: &[1, 2],
            rows: missing_rows(summary, FACE),
        };
        table.write(html);
    });
}

fn unreadable(html: &mut String, unreadable: &UnreadableSummary) {
    if unreadable.part.events == 0 {
        return;
    }
    let words = events(unreadable.part.events);
    section(html, "Unreadable", &words, |html| {
        let rows = unreadable.by_problem.iter().map(|problem| {
            let kind = problem.kind.as_deref().map_or_else(String::new, code);
            let examples: Vec<String> = problem
                .examples
                .iter()
                .map(|e| escape(&example(e)))
                .collect();
            vec![
                escape(&problem.message),
                kind,
                number(problem.part.events),
                share(problem.part),
                examples.join(", "),
            ]
        });
        let table = Table {
            titles: &["First problem", "Kind", "Events", "Share", "Such as"],
            numbers: &[2, 3],
            rows: rows.collect(),
        };
        table.write(html);
    });
}

fn against(html: &mut String, against: &Against) {
    let name = escape(&against.matrix.name);
    let digest = escape(against.matrix.digest.get(..12).unwrap_or_default());
    let words = format!("By the other matrix, {name}, digest <code>{digest}</code>.");
    section(html, "What would change", &words, |html| {
        let changed = against.changed;
        if changed.events == 0 {
            *html += "<p>No decision changes.</p>\n";
            return;
        }
        let _ = writeln!(
            html,
            "<ul class=\"tiles\">\n<li>changed <strong>{}</strong> <em>{}</em></li>",
            number(changed.events),
            share(changed)
        );
        for (strictness, count) in against.by_strictness() {
            let word = strictness.as_str();
            let _ = writeln!(
                html,
                "<li><span class=\"mark {word}\">{word}</span> <strong>{}</strong></li>",
                number(count)
            );
        }
        *html += "</ul>\n";
        let table = Table {
            titles: &["", "Events", "Share", "Is", "Becomes", "Differs", "Such as"],
            numbers: &[1, 2],
            rows: against.changes.iter().map(change).collect(),
        };
        table.write(html);
    });
}

/// What a decision log says, beside what is decided now.
fn log(html: &mut String, log: &LogSummary) {
    let same = number(log.decisions - log.changed.events);
    let mut words = vec![format!("{same} decided as then.")];
    words.extend(remarks(log).map(|(count, says)| format!("{} {says}.", number(count))));
    section(html, "Decision log", &words.join(" "), |html| {
        if log.changes.is_empty() {
            *html += "<p>No decision changes.</p>\n";
            return;
        }
        let rows = log.changes.iter().map(|change| {
            let examples = change.examples.iter();
            let examples: Vec<String> = examples.map(|e| escape(&example(e))).collect();
            vec![
                number(change.part.events),
                share(change.part),
                escape(&named(&change.old)),
                escape(&named(&change.new)),
                examples.join(", "),
            ]
        });
        let table = Table {
            titles: &["Events", "Share", "Was", "Is now", "Such as"],
            numbers: &[0, 1],
            rows: rows.collect(),
        };
        table.write(html);
    });
}

fn change(change: &ChangeSummary) -> Vec<String> {
    let word = change.strictness.as_str();
    let examples: Vec<String> = change
        .examples
        .iter()
        .map(|e| escape(&example(e)))
        .collect();
    vec![
        format!("<span class=\"mark {word}\">{word}</span>"),
        number(change.part.events),
        share(change.part),
        escape(&named(&change.old)),
        escape(&named(&change.new)),
        change.differs.join(", "),
        examples.join(", "),
    ]
}
