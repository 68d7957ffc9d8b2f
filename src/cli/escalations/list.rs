//! `laneway escalations list`: a page of escalations.
//!
//! In: filters. Out: a row for each, and where the next page begins.

use std::io::Write;
use std::str::FromStr;

use serde::Serialize;

use super::find::short;
use super::place::Desk;
use super::trouble::Trouble;
use super::{Format, Since};
use crate::cli::screen::{self, clean, columns, cut, fill};
use crate::cli::shell::Shell;
use crate::clock::Timestamp;
use crate::decision::Urgency;
use crate::desk::wire::{self, Listed};
use crate::escalation::Outcome;
use crate::store::{Cursor, Order, Query, Summary};
use crate::words;

/// List escalations
///
/// Pending ones, the next due first; with `--all` also those that ended, the latest first.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// In this state: pending, ended, approved, amended, denied, timed_out, cancelled
    #[arg(long, value_name = "STATE", conflicts_with = "all")]
    state: Option<StateOf>,
    /// Of the lane that names the decision
    #[arg(long, value_name = "LANE")]
    lane: Option<String>,
    /// That ask this team now
    #[arg(long, value_name = "TEAM")]
    team: Option<String>,
    /// Of this urgency: critical, high, normal, low
    #[arg(long, value_name = "URGENCY", value_parser = urgency)]
    urgency: Option<Urgency>,
    /// That ask you now
    #[arg(long)]
    mine: bool,
    /// Opened since an instant, or a time ago such as 2d
    #[arg(long, value_name = "WHEN", value_parser = super::since)]
    since: Option<Since>,
    /// Also those that ended
    #[arg(long)]
    all: bool,
    /// At most so many
    #[arg(long, value_name = "N", default_value = "50", value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Behind the page before, which said how
    #[arg(long, value_name = "CURSOR", value_parser = read_cursor)]
    after: Option<Cursor>,
}

/// Pending, ended, or an end.
#[derive(Debug, Clone, Copy)]
enum StateOf {
    Pending,
    Ended,
    Of(Outcome),
}

impl FromStr for StateOf {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "pending" => Ok(Self::Pending),
            "ended" => Ok(Self::Ended),
            word => Outcome::from_word(word).map(Self::Of).ok_or_else(|| {
                "the states are pending, ended, approved, amended, denied, timed_out, cancelled"
                    .to_owned()
            }),
        }
    }
}

fn urgency(word: &str) -> Result<Urgency, String> {
    let all = [
        Urgency::Critical,
        Urgency::High,
        Urgency::Normal,
        Urgency::Low,
    ];
    all.into_iter()
        .find(|urgency| urgency.as_str() == word)
        .ok_or_else(|| "the urgencies are critical, high, normal, low".to_owned())
}

fn read_cursor(text: &str) -> Result<Cursor, String> {
    wire::read_cursor(text)
        .ok_or_else(|| "that is no cursor: it is what the page before ended with".to_owned())
}

#[derive(Debug, Serialize)]
struct Listing<'d> {
    escalations: Vec<Listed<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

pub(super) fn run(args: &Args, desk: &Desk, shell: &mut Shell) -> Result<(), Trouble> {
    let query = query(args, desk)?;
    let (order, limit) = (query.order, query.limit as usize);
    let mut found = desk.desk.page(Query {
        // One more says whether there is another page.
        limit: query.limit + 1,
        ..query
    })?;
    let is_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| is_more);
    let next = next.map(|last| wire::cursor_text(last, order));
    if desk.format == Format::Json {
        let escalations = found.iter().map(Listed::of).collect();
        return super::json(&Listing { escalations, next }, &mut shell.out);
    }
    rows(&found, desk.desk.now()?.at, shell)?;
    if let Some(next) = next {
        writeln!(shell.out, "more behind these: --after {next}")?;
    }
    Ok(())
}

fn query(args: &Args, desk: &Desk) -> Result<Query, Trouble> {
    let (pending, outcome) = match args.state {
        _ if args.all => (None, None),
        None | Some(StateOf::Pending) => (Some(true), None),
        Some(StateOf::Ended) => (Some(false), None),
        Some(StateOf::Of(outcome)) => (Some(false), Some(outcome)),
    };
    let since = match args.since {
        None => None,
        Some(Since::At(at)) => Some(at),
        Some(Since::Ago(ago)) => desk.desk.now()?.at.checked_sub_signed(ago.to_chrono()),
    };
    Ok(Query {
        pending,
        outcome,
        lane: args.lane.clone(),
        team: args.team.clone(),
        urgency: args.urgency,
        person: args.mine.then(|| desk.actor.principal.clone()),
        since,
        order: match pending {
            Some(true) => Order::Due,
            _ => Order::Newest,
        },
        behind: args.after.clone(),
        limit: args.limit,
        ..Query::default()
    })
}

const TITLES: [&str; 7] = ["id", "urgency", "state", "lane", "asks", "by", "due"];

/// The columns whose words may be cut.
const MAY_BE_CUT: [usize; 3] = [3, 4, 5];

/// A name is not cut below this.
const NARROW: usize = 9;

fn rows(found: &[Summary], now: Timestamp, shell: &mut Shell) -> Result<(), Trouble> {
    if found.is_empty() {
        writeln!(shell.out, "nothing")?;
        return Ok(());
    }
    let rows: Vec<[String; 7]> = found.iter().map(|it| row(it, now)).collect();
    let widths = widths(&rows);
    let line = |cells: &[String; 7]| {
        let cells = cells.iter().zip(widths);
        let cells: Vec<_> = cells.map(|(cell, width)| fill(cell, width)).collect();
        cells.join("  ").trim_end().to_owned()
    };
    let titles = line(&TITLES.map(str::to_owned));
    writeln!(shell.out, "{}", shell.paint.bold(&titles))?;
    for row in &rows {
        writeln!(shell.out, "{}", line(row))?;
    }
    Ok(())
}

/// The widths that the rows want; on a screen names give way.
fn widths(rows: &[[String; 7]]) -> [usize; 7] {
    let mut widths = TITLES.map(columns);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = columns(cell).max(*width);
        }
    }
    let Some(screen) = screen::width() else {
        return widths;
    };
    let taken = |widths: &[usize; 7]| widths.iter().sum::<usize>() + 2 * (widths.len() - 1);
    while taken(&widths) > screen {
        let widest = widths
            .iter_mut()
            .enumerate()
            .filter(|(n, width)| MAY_BE_CUT.contains(n) && **width > NARROW)
            .max_by_key(|(_, width)| **width);
        let Some((_, widest)) = widest else { break };
        *widest -= 1;
    }
    widths
}

fn row(it: &Summary, now: Timestamp) -> [String; 7] {
    let due = match (it.ended, it.due) {
        (Some(ended), _) => words::away(ended, now),
        (None, Some(due)) => words::away(due, now),
        (None, None) => String::new(),
    };
    let silence = if it.by_silence { " by silence" } else { "" };
    let state = wire::state(it.outcome).replace('_', " ");
    let name = |text: &str| cut(&clean(text), 40);
    [
        short(&it.id).to_owned(),
        it.urgency.as_str().to_owned(),
        format!("{state}{silence}"),
        name(&it.lane),
        name(&it.teams.join(", ")),
        name(&it.requester),
        due,
    ]
}
