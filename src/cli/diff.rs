//! `laneway diff`: what an edit of a matrix changes, for all events.
//!
//! In: two matrices. Out: regions of events by what was decided and what is, each with a condition and an event.
//! Invariant: exit code 0 unless `--no-looser` is asked for and something is demanded no more, or not all was
//! compared.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::ValueEnum;
use serde::Serialize;

use super::analyze::patience;
use super::render::count;
use super::shell::{Answer, Failure, Shell};
use crate::analysis::{self, Change, Changed, Diff, Direction};
use crate::clock::{Duration, format_timestamp};

/// Show what an edit of a matrix changes, for all events
///
/// Regions of events whose decision is another now, each with its condition in the words of the language and an event
/// that shows it. Looser: something that was demanded is not demanded any more.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The matrix as it was: a file, or the folder of one
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The matrix as it is
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Exit with 1 where something that was demanded is not demanded any more, or not all was compared
    #[arg(long)]
    no_looser: bool,
    /// How long a kind of event may take
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = Duration::parse)]
    budget: Duration,
    /// How to print the regions
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person
    Text,
    /// To be pasted into a review
    Markdown,
    /// For a program
    Json,
}

/// Parts of a condition that a person is shown.
const PARTS: usize = 4;

#[derive(Debug, Serialize)]
struct Report<'a> {
    is_whole: bool,
    notes: &'a [String],
    regions: Vec<Region<'a>>,
}

#[derive(Debug, Serialize)]
struct Region<'a> {
    kind: &'a str,
    direction: Direction,
    /// Whether something that was demanded is not any more.
    loses: bool,
    #[serde(flatten)]
    change: &'a Change,
    when: &'a [String],
    at: String,
    /// To put into the new matrix.
    scenario: &'a str,
}

pub(super) fn run(args: &Args, shell: &mut Shell) -> Result<Answer, Failure> {
    let (old, _) = shell.matrix(&args.old)?;
    let (new, _) = shell.matrix(&args.new)?;
    let diff = analysis::diff(&old, &new, &patience(args.budget));
    let is_looser = diff.changed.iter().any(|it| it.loses) || !diff.is_whole;
    let answer = match args.no_looser && is_looser {
        true => Answer::Findings,
        false => Answer::Fine,
    };
    match write(args, &diff, shell) {
        // The answer is in the exit code as well.
        Ok(()) | Err(Failure::Closed) => Ok(answer),
        Err(failure) => Err(failure),
    }
}

fn write(args: &Args, diff: &Diff, shell: &mut Shell) -> Result<(), Failure> {
    match args.format {
        Format::Json => {
            let report = Report {
                is_whole: diff.is_whole,
                notes: &diff.notes,
                regions: diff.changed.iter().map(region).collect(),
            };
            serde_json::to_writer_pretty(&mut shell.out, &report).map_err(io::Error::from)?;
            writeln!(shell.out)?;
        }
        Format::Text => text(diff, shell)?,
        Format::Markdown => markdown(diff, shell)?,
    }
    Ok(shell.out.flush()?)
}

fn region(changed: &Changed) -> Region<'_> {
    Region {
        kind: &changed.kind,
        direction: changed.direction,
        loses: changed.loses,
        change: &changed.change,
        when: &changed.when,
        at: format_timestamp(changed.witness.at),
        scenario: &changed.witness.line,
    }
}

/// `escalate -> allow by otherwise`, `escalate, without finance_approver (financial_risk)`.
fn words(change: &Change) -> String {
    let (old, new) = (change.old.as_str(), change.new.as_str());
    let mut words = match (&change.by, old == new) {
        (Some(by), _) => format!("{old} -> {new} by {by}"),
        (None, false) => format!("{old} -> {new}"),
        (None, true) => old.to_owned(),
    };
    for (word, demands) in [("without", &change.lost), ("with", &change.gained)] {
        if !demands.is_empty() {
            words.push_str(&format!(", {word} {}", demands.join(" and ")));
        }
    }
    if let Some((old, new)) = &change.holds {
        words.push_str(&format!(", meanwhile {new} instead of {old}"));
    }
    words
}

/// The first parts of a condition, and how many there are beside them.
fn parts(changed: &Changed) -> (Vec<&str>, usize) {
    let shown = changed
        .when
        .iter()
        .take(PARTS)
        .map(String::as_str)
        .collect();
    (shown, changed.when.len().saturating_sub(PARTS))
}

fn text(diff: &Diff, shell: &mut Shell) -> io::Result<()> {
    for changed in &diff.changed {
        let word = changed.direction.as_str();
        let word = match changed.loses {
            true => shell.paint.bad(word),
            false => shell.paint.bold(word),
        };
        writeln!(
            shell.out,
            "{word}: {}: {}",
            changed.kind,
            words(&changed.change)
        )?;
        let (shown, more) = parts(changed);
        for part in shown {
            writeln!(shell.out, "  among: {part}")?;
        }
        if more > 0 {
            writeln!(shell.out, "  and {}", count(more, "further part"))?;
        }
        for line in changed.witness.line.lines() {
            writeln!(shell.out, "  {line}")?;
        }
        writeln!(shell.out)?;
    }
    for note in &diff.notes {
        writeln!(shell.out, "note: {note}")?;
    }
    let summary = summary(diff);
    writeln!(shell.out, "{}", shell.paint.bold(&summary))
}

fn markdown(diff: &Diff, shell: &mut Shell) -> io::Result<()> {
    writeln!(shell.out, "**{}**", summary(diff))?;
    for changed in &diff.changed {
        let (way, kind) = (changed.direction.as_str(), &changed.kind);
        writeln!(
            shell.out,
            "
### {way}: `{kind}`: {}

Among events
",
            words(&changed.change)
        )?;
        let (shown, more) = parts(changed);
        for part in shown {
            writeln!(shell.out, "- `{part}`")?;
        }
        if more > 0 {
            writeln!(shell.out, "- {}", count(more, "further part"))?;
        }
        writeln!(shell.out, "\n```\n{}\n```", changed.witness.line)?;
    }
    for note in &diff.notes {
        writeln!(shell.out, "\n> {note}")?;
    }
    Ok(())
}

/// `2 regions: 1 looser, 1 tighter`.
fn summary(diff: &Diff) -> String {
    let all = diff.changed.len();
    if all == 0 {
        let whole = if diff.is_whole {
            ""
        } else {
            ", but not all was compared"
        };
        return format!("no event is decided otherwise{whole}");
    }
    let of = |direction: Direction| {
        let many = diff
            .changed
            .iter()
            .filter(|it| it.direction == direction)
            .count();
        (many > 0).then(|| format!("{many} {}", direction.as_str()))
    };
    let each = [Direction::Looser, Direction::Tighter, Direction::Different];
    let each: Vec<String> = each.into_iter().filter_map(of).collect();
    format!("{}: {}", count(all, "region"), each.join(", "))
}
