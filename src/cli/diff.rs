//! `laneway diff`: what an edit of a matrix changes, for all events.
//!
//! In: two matrices, as files or in revisions; perhaps recorded events. Out: regions of events by what was decided
//! and what is, each with a condition, an event, and how many recorded events are in it.
//! Invariant: exit code 0 unless `--no-looser` is asked for and something is demanded no more, or not all was
//! compared.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::revision;
use super::shell::{Answer, Budget, Failure, Shell};
use crate::analysis;

mod html;
mod markdown;
mod report;
mod text;
mod weigh;

use report::Report;
use weigh::Recorded;

/// Show what an edit of a matrix changes, for all events
///
/// Regions of events whose decision is another now, each with its condition in the words of the language and an event
/// that shows it. Looser: something that was demanded is not demanded any more.
///
/// OLD and NEW are files or folders, or those of a git revision: `main:matrices/ops`, `HEAD~1:ops/matrix.lane`,
/// `:ops` for what is staged. The path is one from this folder, whatever folder of the repository it is; imports are
/// those of the same revision. A file that has such a name wins.
///
/// With --events, both matrices decide recorded events in their order, with measures that count what came before, and
/// each region says how many of the events are in it. An event that cannot be read is counted as such. The file may
/// be packed with gzip or zstd; the folder of a decision log will do too.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The matrix as it was: a file, the folder of one, either in a revision, or - for standard input
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The matrix as it is
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Exit with 1 where something that was demanded is not demanded any more, or not all was compared
    #[arg(long)]
    no_looser: bool,
    /// Say of each region how many of these recorded events are in it: JSON objects, one a line
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    #[command(flatten)]
    budget: Budget,
    /// How to print the regions
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person
    Text,
    /// To be pasted into a review: a table, and the details folded
    Markdown,
    /// For a program
    Json,
    /// One HTML file without other files
    Html,
}

pub(super) fn run(args: &Args, shell: &mut Shell) -> Result<Answer, Failure> {
    stdin_once(args)?;
    let (old, _) = revision::matrix(shell, &args.old)?;
    let (new, limits) = revision::matrix(shell, &args.new)?;
    // Before the long work: that they cannot be read is known at once.
    let recorded = args.events.as_deref().map(Recorded::look).transpose()?;
    let diff = analysis::diff(&old, &new, &args.budget.patience());
    let weights = recorded.map(|it| it.weigh(&old, &new, &limits, &diff, shell));
    let report = Report::new(
        (&args.old, &old),
        (&args.new, &new),
        &diff,
        weights.transpose()?,
    );
    let is_looser = report.loses() || !report.is_whole;
    let answer = Answer::findings(args.no_looser && is_looser);
    answer.after(write(args, &report, shell))
}

/// Standard input is read once, so it cannot be two things.
fn stdin_once(args: &Args) -> Result<(), Failure> {
    let all = [&args.old, &args.new].into_iter().chain(&args.events);
    if all.filter(|path| path.as_path() == Path::new("-")).count() > 1 {
        let message = "standard input can be one thing only: the old matrix, the new one or events";
        return Err(Failure::Unusable(message.to_owned()));
    }
    Ok(())
}

fn write(args: &Args, report: &Report<'_>, shell: &mut Shell) -> Result<(), Failure> {
    use std::io::Write as _;

    match args.format {
        Format::Json => shell.json(report)?,
        Format::Text => text::write(&mut shell.out, shell.paint, report)?,
        Format::Markdown => markdown::write(&mut shell.out, report)?,
        Format::Html => html::write(&mut shell.out, report)?,
    }
    Ok(shell.out.flush()?)
}
