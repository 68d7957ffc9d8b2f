//! `laneway escalations watch`: the desk at work, until the process is stopped.
//!
//! In: the store, a second after the other. Out: what happened to any escalation, a line for each thing;
//! notices by the channels of laneway.toml.
//! Invariant: it may be stopped at any instant: each step is one transaction.

use std::io::Write;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;

use super::Format;
use super::find::short;
use super::place::{AT_ONCE, Desk, say_suspicion, untouched};
use super::trouble::Trouble;
use crate::cli::screen::clean;
use crate::cli::shell::Shell;
use crate::clock::format_timestamp;
use crate::escalation::audit::{Payload, Row};
use crate::notify::Router;
use crate::store::{read, write};
use crate::words::{moment, story};

/// Rows that are read at once.
const ROWS: u32 = 500;

/// Perform what is due and send notices, every second, until ctrl-c
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Do one round until nothing is due, and end
    #[arg(long)]
    once: bool,
}

pub(super) fn run(args: &Args, desk: &Desk, shell: &mut Shell) -> Result<(), Trouble> {
    let post = Router::of_lines(desk.config.notify.file.clone());
    let mut seen = last_row(desk)?;
    let mut is_suspect = desk.desk.suspicion().is_some();
    loop {
        round(desk, &post, shell)?;
        desk.tend(shell);
        seen = news(desk, seen, shell)?;
        shell.out.flush()?;
        if args.once {
            return Ok(());
        }
        let is_now = desk.desk.suspicion().is_some();
        if is_now && !is_suspect {
            say_suspicion(&desk.desk, shell)?;
        }
        is_suspect = is_now;
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// Until nothing is due and nothing waits to be sent.
fn round(desk: &Desk, post: &Router, shell: &Shell) -> Result<(), Trouble> {
    loop {
        let stepped = desk.desk.run_due(AT_ONCE)?;
        untouched(&stepped, shell);
        let sent = desk.desk.send(post, AT_ONCE)?;
        let is_done = sent.sent + sent.retried + sent.failed == 0;
        if stepped.escalations == 0 && is_done {
            return Ok(());
        }
    }
}

/// The last row of the audit.
fn last_row(desk: &Desk) -> Result<u64, Trouble> {
    let store = desk.desk.store().as_ref();
    Ok(write(store, |transaction| {
        let last = transaction.last_checkpoint()?;
        let behind = transaction.behind(last.map_or(0, |last| last.seq))?;
        Ok(behind.seq)
    })?)
}

/// Prints what happened behind a row, by whomever; the last row then.
fn news(desk: &Desk, mut seen: u64, shell: &mut Shell) -> Result<u64, Trouble> {
    loop {
        let store = desk.desk.store().as_ref();
        let rows = read(store, move |transaction| transaction.rows(seen, ROWS))?;
        let Some((last, _)) = rows.last() else {
            return Ok(seen);
        };
        seen = last.seq;
        for (row, payload) in &rows {
            tell(desk, row, payload, shell)?;
        }
    }
}

/// What happened, for a program.
#[derive(Debug, Serialize)]
struct Said<'r> {
    at: String,
    escalation: &'r str,
    what: &'r str,
    /// As it was written, so that numbers keep their digits; `null` where it is not there.
    body: Option<&'r RawValue>,
}

fn tell(desk: &Desk, row: &Row, payload: &Payload, shell: &mut Shell) -> Result<(), Trouble> {
    if desk.format == Format::Json {
        let said = Said {
            at: format_timestamp(row.at),
            escalation: &row.escalation,
            what: &row.kind,
            body: match payload {
                Payload::Kept { body, .. } => serde_json::from_str(body).ok(),
                _ => None,
            },
        };
        serde_json::to_writer(&mut shell.out, &said).map_err(std::io::Error::from)?;
        return Ok(writeln!(shell.out)?);
    }
    let zone = chrono_tz::Tz::UTC;
    let at = moment(row.at, zone);
    let what = clean(&story::what(row, payload, zone));
    Ok(writeln!(
        shell.out,
        "{at}  {}  {what}",
        short(&row.escalation)
    )?)
}
