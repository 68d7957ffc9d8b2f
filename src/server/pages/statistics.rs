//! Figures as plots: what became of escalations, each with its advice and its numbers.
//!
//! In: the figures of the last 30 days. Out: the page. Invariant: every plot has a table with the same
//! numbers, and sentences that say what they may mean.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use maud::{Markup, html};

use super::plot::{self, Bar, Column};
use super::shown;
use super::text::{moment, plain};
use crate::desk::{Figures, Spread, Statistics};
use crate::matrix::Matrix;
use crate::server::app::App;
use crate::server::caller::Perhaps;
use crate::words::advice;

/// Names that have a colour of their own; the others share one.
const COLOURED: usize = plot::COLOURS - 1;

/// Rows of a plot.
const BARS: usize = 20;

/// Rows of a table.
const ROWS: usize = 500;

/// Days that are shown at most.
const DAYS: u64 = 60;

/// The page.
pub(super) async fn page(State(app): State<Arc<App>>, caller: Perhaps) -> Response {
    shown(&app, caller, "/statistics", |app, _| {
        let statistics = app.statistics()?;
        let matrix = app.deciding().map(|it| it.router.matrix());
        Ok(content(&statistics, matrix.as_deref()))
    })
    .await
}

fn content(statistics: &Statistics, matrix: Option<&Matrix>) -> Markup {
    let zone = matrix.map_or(Tz::UTC, |matrix| matrix.zone);
    html! {
        h1 { "Statistics" }
        p.quiet {
            @if let Some(since) = statistics.since { "Of what opened since " (moment(since, zone)) ", taken " }
            @else { "Taken " }
            (moment(statistics.at, zone)) "."
        }
        @if statistics.all.opened == 0 {
            p.empty { "Nothing was escalated in this time; there is nothing to plot yet." }
        } @else {
            (over_time(statistics, zone))
            (to_resolution(statistics, matrix))
            (votes(statistics))
            (timeouts(statistics))
        }
        @if matrix.is_some() { (never(statistics)) }
        @if statistics.all.opened > 0 { (load(statistics)) }
    }
}

/// A plot with its advice, and its numbers as a table.
struct Figure<'f> {
    title: &'f str,
    advice: Vec<String>,
    legend: Vec<String>,
    plot: Markup,
    heads: Vec<&'f str>,
    rows: Vec<Vec<String>>,
}

impl Figure<'_> {
    fn shown(&self) -> Markup {
        html! {
            section {
                h2 { (self.title) }
                @for said in &self.advice { p.note { (plain(&sentence(said))) } }
                figure {
                    (self.plot)
                    figcaption { (plot::legend(&self.legend)) }
                }
                details {
                    summary { "The numbers: " (self.title.to_lowercase()) }
                    div.scroll tabindex="0" role="region" aria-label={ "Numbers: " (self.title) } {
                        table {
                            thead { tr { @for head in &self.heads { th scope="col" { (plain(head)) } } } }
                            tbody { @for row in self.rows.iter().take(ROWS) { (table_row(row)) } }
                        }
                    }
                    @if self.rows.len() > ROWS { p.quiet { "And " (self.rows.len() - ROWS) " more." } }
                }
            }
        }
    }
}

fn table_row(row: &[String]) -> Markup {
    html! {
        tr {
            @for (n, cell) in row.iter().enumerate() {
                @if n == 0 { th scope="row" { (plain(cell)) } } @else { td.number { (plain(cell)) } }
            }
        }
    }
}

/// Words as a sentence.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => String::new(),
    }
}

/// Those with the most first.
fn by_most(all: &BTreeMap<String, Figures>) -> Vec<(&String, &Figures)> {
    let mut all: Vec<_> = all.iter().collect();
    all.sort_by_key(|(_, of)| std::cmp::Reverse(of.opened));
    all
}

fn over_time(statistics: &Statistics, zone: Tz) -> Markup {
    let lanes = by_most(&statistics.lanes);
    let named: Vec<&String> = lanes.iter().take(COLOURED).map(|(lane, _)| *lane).collect();
    let days = days(statistics, zone);
    let none = BTreeMap::new();
    let of_day = |day: &String| statistics.days.get(day).unwrap_or(&none);
    let columns: Vec<Column> = days
        .iter()
        .map(|day| {
            let of = of_day(day);
            let mut parts: Vec<u64> = named
                .iter()
                .map(|lane| of.get(*lane).copied().unwrap_or(0))
                .collect();
            let others = of.values().sum::<u64>() - parts.iter().sum::<u64>();
            parts.push(others);
            Column {
                name: day.clone(),
                parts,
            }
        })
        .collect();
    let mut legend: Vec<String> = named.iter().map(|lane| (*lane).clone()).collect();
    if lanes.len() > COLOURED {
        legend.push("other lanes".to_owned());
    }
    let rows = days.iter().rev().flat_map(|day| {
        let of = of_day(day).iter();
        of.map(move |(lane, many)| vec![day.clone(), lane.clone(), many.to_string()])
    });
    Figure {
        title: "Escalations over time, by lane",
        advice: advice::opened(statistics),
        plot: plot::columns("Escalations that opened, by day and lane", &columns),
        legend,
        heads: vec!["Day", "Lane", "Opened"],
        rows: rows.collect(),
    }
    .shown()
}

/// Every day from the first to the last, also those without any.
fn days(statistics: &Statistics, zone: Tz) -> Vec<String> {
    let last = statistics.at.with_timezone(&zone).date_naive();
    let first = statistics.days.keys().next();
    let first: Option<NaiveDate> = first.and_then(|day| day.parse().ok());
    let since = statistics
        .since
        .map(|at| at.with_timezone(&zone).date_naive());
    let earliest = last.checked_sub_days(Days::new(DAYS)).unwrap_or(last);
    let first = since.or(first).unwrap_or(last).max(earliest);
    let days = first.iter_days().take_while(|day| *day <= last);
    days.map(|day| day.to_string()).collect()
}

fn spread_text(spread: &Spread) -> String {
    match (spread.median, spread.p90) {
        (Some(median), Some(p90)) if p90 > median => {
            format!("{} (90 %: {})", advice::short(median), advice::short(p90))
        }
        (Some(median), _) => advice::short(median),
        _ => "none ended".to_owned(),
    }
}

fn to_resolution(statistics: &Statistics, matrix: Option<&Matrix>) -> Markup {
    let lanes = by_most(&statistics.lanes);
    let timed = lanes.iter().filter(|(_, of)| of.to_resolution.count > 0);
    let bars = timed.take(BARS).map(|(lane, of)| {
        let millis = |of: Option<crate::clock::Duration>| of.map_or(0, |of| of.as_millis());
        let (median, p90) = (
            millis(of.to_resolution.median),
            millis(of.to_resolution.p90),
        );
        Bar {
            name: (*lane).clone(),
            parts: vec![median, p90.saturating_sub(median)],
            says: spread_text(&of.to_resolution),
        }
    });
    let rows = lanes.iter().map(|(lane, of)| {
        let text = |time: Option<crate::clock::Duration>| time.map_or(String::new(), advice::short);
        let to = &of.to_resolution;
        vec![
            (*lane).clone(),
            to.count.to_string(),
            text(to.median),
            text(to.p90),
            text(to.longest),
        ]
    });
    Figure {
        title: "Time to resolution",
        advice: advice::resolved(statistics, matrix),
        legend: vec![
            "half took at most".to_owned(),
            "nine of ten took at most".to_owned(),
        ],
        plot: plot::bars(
            "Time from the opening to the end, by lane",
            &bars.collect::<Vec<_>>(),
        ),
        heads: vec![
            "Lane",
            "Ended",
            "Half within",
            "Nine of ten within",
            "Longest",
        ],
        rows: rows.collect(),
    }
    .shown()
}

/// Counts of each lane, as bars and as a table.
fn counted(
    lanes: &[(&String, &Figures)],
    parts: impl Fn(&Figures) -> Vec<u64>,
    names: &[&str],
) -> (Markup, Vec<Vec<String>>) {
    let says = |parts: &[u64]| {
        let set = parts.iter().zip(names).filter(|(many, _)| **many > 0);
        let words: Vec<String> = set.map(|(many, name)| format!("{many} {name}")).collect();
        words.join(", ")
    };
    let bars = lanes.iter().map(|(name, of)| {
        let parts = parts(of);
        Bar {
            name: (*name).clone(),
            says: says(&parts),
            parts,
        }
    });
    // What has none of these is in the table.
    let bars = bars.filter(|bar| !bar.says.is_empty()).take(BARS);
    let rows = lanes.iter().map(|(name, of)| {
        let numbers = parts(of).into_iter().map(|many| many.to_string());
        std::iter::once((*name).clone()).chain(numbers).collect()
    });
    let title = names.join(", ");
    (
        plot::bars(&title, &bars.collect::<Vec<_>>()),
        rows.collect(),
    )
}

fn votes(statistics: &Statistics) -> Markup {
    let names = ["approved", "amended", "denied"];
    let parts = |of: &Figures| vec![of.approved, of.amended, of.denied];
    let (plot, rows) = counted(&by_most(&statistics.lanes), parts, &names);
    Figure {
        title: "Approvals against denials",
        advice: advice::voted(statistics),
        legend: names.map(str::to_owned).to_vec(),
        plot,
        heads: vec!["Lane", "Approved", "Amended", "Denied"],
        rows,
    }
    .shown()
}

fn timeouts(statistics: &Statistics) -> Markup {
    let names = ["timed out", "allowed by silence", "votes too late"];
    let parts = |of: &Figures| vec![of.timed_out, of.by_silence, of.late_votes];
    let (plot, rows) = counted(&by_most(&statistics.lanes), parts, &names);
    Figure {
        title: "Timeouts",
        advice: advice::timed_out(statistics),
        legend: names.map(str::to_owned).to_vec(),
        plot,
        heads: vec!["Lane", "Timed out", "Allowed by silence", "Votes too late"],
        rows,
    }
    .shown()
}

fn never(statistics: &Statistics) -> Markup {
    html! {
        section {
            h2 { "Lanes that never fire" }
            @for said in advice::never(statistics) { p.note { (plain(&sentence(&said))) } }
            @if !statistics.never.is_empty() {
                ul {
                    @for lane in statistics.never.iter().take(ROWS) {
                        li { a href={ "/matrix#lane-" (lane) } { (plain(lane)) } }
                    }
                }
                @if statistics.never.len() > ROWS { p.quiet { "And " (statistics.never.len() - ROWS) " more." } }
            }
        }
    }
}

fn load(statistics: &Statistics) -> Markup {
    let names = ["ended", "waiting", "overdue"];
    let parts = |of: &Figures| {
        let waiting = of.pending.saturating_sub(of.overdue);
        vec![of.opened.saturating_sub(of.pending), waiting, of.overdue]
    };
    let (plot, rows) = counted(&by_most(&statistics.teams), parts, &names);
    Figure {
        title: "Load by team",
        advice: advice::load(statistics),
        legend: names.map(str::to_owned).to_vec(),
        plot,
        heads: vec!["Team", "Ended", "Waiting", "Overdue"],
        rows,
    }
    .shown()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_sentences() {
        assert_eq!(sentence("no team stands out"), "No team stands out.");
        assert_eq!(sentence(""), "");
    }

    #[test]
    fn days_without_any_are_days_too() {
        let at = |text: &str| Some(text.parse().unwrap());
        let statistics = Statistics {
            since: at("2026-11-18T23:30:00Z"),
            at: at("2026-11-20T10:00:00Z").unwrap(),
            all: Figures::default(),
            lanes: BTreeMap::new(),
            teams: BTreeMap::new(),
            days: BTreeMap::new(),
            never: Vec::new(),
            advice: Vec::new(),
        };
        assert_eq!(
            days(&statistics, Tz::UTC),
            ["2026-11-18", "2026-11-19", "2026-11-20"]
        );
        assert_eq!(
            days(&statistics, Tz::Europe__Berlin),
            ["2026-11-19", "2026-11-20"]
        );
    }
}
