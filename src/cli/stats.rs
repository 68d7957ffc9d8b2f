//! `laneway stats`: figures of what became of escalations.
//!
//! In: a store, and a matrix to find lanes that never fired. Out: a row for each lane and team, and what
//! stands out in plain words; or all of it as JSON.
//! Invariant: the figures are those that the desk takes, and nothing is written.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use comfy_table::{CellAlignment, Table, presets};

use super::escalations::{Common, Format, Since, Trouble, end, json, open_for_audit, since};
use super::screen::clean;
use super::shell::{Answer, Failure, Shell};
use crate::clock::Duration;
use crate::desk::{Figures, Spread, Statistics};
use crate::matrix::Matrix;
use crate::words::moment;

/// Figures of escalations by lane and by team
///
/// How many opened, how they ended, votes that came too late, how long it took until somebody looked and
/// until the end, which lanes are always approved or never fire.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The matrix, to name its lanes that never fired
    #[arg(value_name = "MATRIX")]
    matrix: Option<PathBuf>,
    /// The store: a file, or the URL of a database; without it that of laneway.toml
    #[arg(long, value_name = "PATH")]
    store: Option<String>,
    /// Only what opened since: an instant, or how long ago, as 30d
    #[arg(long, value_name = "SINCE", value_parser = since)]
    since: Option<Since>,
    /// How to print the result
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(super) fn run(args: &Args, shell: &mut Shell) -> Result<Answer, Failure> {
    let matrix = match &args.matrix {
        Some(path) => Some(shell.matrix(path)?.0),
        None => None,
    };
    let done = taken(args, matrix.as_deref(), shell);
    let done = done.and_then(|statistics| match args.format {
        Format::Json => json(&statistics, &mut shell.out),
        Format::Text => say(&statistics, matrix.as_deref(), shell),
    });
    end(done, args.format, shell)
}

fn taken(args: &Args, matrix: Option<&Matrix>, shell: &Shell) -> Result<Statistics, Trouble> {
    let common = Common::of_store(args.store.clone(), args.format);
    let desk = open_for_audit(&common, shell)?;
    let since = match args.since {
        None => None,
        Some(Since::At(at)) => Some(at),
        Some(Since::Ago(ago)) => desk.now()?.at.checked_sub_signed(ago.to_chrono()),
    };
    Ok(desk.statistics(since, matrix)?)
}

fn say(statistics: &Statistics, matrix: Option<&Matrix>, shell: &mut Shell) -> Result<(), Trouble> {
    let zone = matrix.map_or(chrono_tz::UTC, |matrix| matrix.zone);
    let all = &statistics.all;
    let since = statistics.since.map_or_else(String::new, |since| {
        format!(", since {}", moment(since, zone))
    });
    writeln!(
        shell.out,
        "{} opened{since}, {} of them open",
        all.opened, all.pending
    )?;
    if all.opened > 0 {
        writeln!(shell.out, "{}", table("lane", &statistics.lanes))?;
        writeln!(shell.out, "{}", table("team", &statistics.teams))?;
    }
    if !statistics.never.is_empty() {
        let never: Vec<String> = statistics.never.iter().map(|lane| clean(lane)).collect();
        writeln!(shell.out, "never fired: {}", never.join(", "))?;
    }
    for advice in &statistics.advice {
        writeln!(
            shell.out,
            "{} {}",
            shell.paint.warn("look at"),
            clean(advice)
        )?;
    }
    Ok(())
}

fn table(name: &str, rows: &BTreeMap<String, Figures>) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header([
        name,
        "opened",
        "open",
        "overdue",
        "approved",
        "amended",
        "denied",
        "timed out",
        "cancelled",
        "by silence",
        "late votes",
        "first look",
        "end",
    ]);
    for (name, of) in rows {
        table.add_row([
            clean(name),
            of.opened.to_string(),
            of.pending.to_string(),
            of.overdue.to_string(),
            of.approved.to_string(),
            of.amended.to_string(),
            of.denied.to_string(),
            of.timed_out.to_string(),
            of.cancelled.to_string(),
            of.by_silence.to_string(),
            of.late_votes.to_string(),
            spread(&of.to_first_view),
            spread(&of.to_resolution),
        ]);
    }
    for (position, column) in table.column_iter_mut().enumerate() {
        if position > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// The median and, where it says more, what nine of ten took at most.
fn spread(spread: &Spread) -> String {
    let short = |time: Duration| {
        // To the second: nobody answers more precisely.
        Duration::from_millis(time.as_millis() / 1_000 * 1_000).to_string()
    };
    match (spread.median, spread.p90) {
        (Some(median), Some(p90)) if p90 > median => {
            format!("{} (90%: {})", short(median), short(p90))
        }
        (Some(median), _) => short(median),
        _ => String::new(),
    }
}
