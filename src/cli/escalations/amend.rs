//! `laneway escalations amend`: names a changed input, and approves it (rule 7).

use std::io::Write;
use std::path::PathBuf;

use similar::TextDiff;

use super::Format;
use super::act::said;
use super::find::find;
use super::place::Desk;
use super::trouble::Trouble;
use crate::cli::screen::clean;
use crate::cli::shell::Shell;
use crate::desk::{DeskError, Shown};
use crate::words::input;

/// Change the input of what is asked, and approve that
///
/// It starts a new round: all who approved are asked about the changed input. What is under stricter
/// rules than the event as it was is refused.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The escalation
    #[arg(value_name = "ID")]
    id: String,
    /// The whole event as it should be: a file, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(super) fn run(args: &Args, desk: &Desk, shell: &mut Shell) -> Result<(), Trouble> {
    let id = find(desk, &args.id)?;
    let limits = &desk.config.limits;
    let new = super::read_file(&args.file, limits.event_total_bytes)?;
    let shown = desk.desk.show(&id)?;
    if shown.packet.is_none() {
        return Err(DeskError::Erased.into());
    }
    // An event that was not JSON had no input.
    let before = last_input(&shown).unwrap_or_default();
    let (reason, actor) = (args.reason.clone(), desk.actor.clone());
    let done = desk.desk.amend(&id, &new, reason, actor)?;
    if desk.format == Format::Text {
        let after = last_input(&desk.desk.show(&id)?).ok_or(DeskError::Erased)?;
        diff(&before, &after, shell)?;
    }
    said(desk, &done, shell, "amended")
}

/// The input that the votes are about, laid out: what its digest is of.
fn last_input(shown: &Shown) -> Option<String> {
    input::current(shown).map(|event| input::laid_out(&event))
}

fn diff(before: &str, after: &str, shell: &mut Shell) -> Result<(), Trouble> {
    let diff = TextDiff::from_lines(before, after);
    let text = diff.unified_diff().context_radius(0).to_string();
    for line in text.lines() {
        let line = clean(line);
        let painted = match line.as_bytes().first() {
            Some(b'+') => shell.paint.good(&line),
            Some(b'-') => shell.paint.bad(&line),
            Some(b'@') => continue,
            _ => line,
        };
        writeln!(shell.out, "{painted}")?;
    }
    Ok(())
}
