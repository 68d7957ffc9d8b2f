//! `laneway check`: everything that is wrong with a matrix, its examples, and what all events show.
//!
//! In: a matrix. Out: its findings; with `--fix` also the files, mended where a fix is safe.
//! Invariant: exit code 1 where the matrix does not load, or some event shows a mistake.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::all_events::{self, Shown, Why};
use super::fix;
use super::render::{self, Format, count};
use super::shell::{Answer, Failure, Shell};
use crate::check::Loaded;
use crate::clock::Duration;
use crate::diagnostic::Severity;
use crate::files::Root;

/// Check a matrix, run its examples and scenarios, and ask what all events show
///
/// What all events show is what `laneway analyze` calls a finding: a lane that no event meets, lanes that contradict
/// each other, a promise that does not hold. It is asked for as long as `--budget` says.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The matrix: a file, the folder of one, or - for standard input
    #[arg(value_name = "MATRIX")]
    matrix: PathBuf,
    /// Apply the safe fixes to the files, then check again
    #[arg(long)]
    fix: bool,
    /// Exit with 1 for warnings as for errors
    #[arg(long)]
    deny_warnings: bool,
    /// Leave out the examples and scenarios
    #[arg(long)]
    no_examples: bool,
    /// Leave out what all events show
    #[arg(long)]
    no_analysis: bool,
    /// How long all questions about all events may take together
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = Duration::parse)]
    budget: Duration,
    /// How to print the findings
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(super) fn run(args: &Args, shell: &mut Shell) -> Result<Answer, Failure> {
    let root = Root::open(&args.matrix)?;
    let options = shell.options(&root)?;
    if args.fix {
        fix::apply(&root, &options, shell)?;
    }
    let mut loaded = root.load(&options, !args.no_examples);
    let shown = match args.no_analysis {
        true => Shown::default(),
        false => all_events::add(&mut loaded, args.budget),
    };
    let answer = answer(args, &loaded, shown);
    answer.after(write(args, &root, &loaded, shown, shell))
}

fn answer(args: &Args, loaded: &Loaded, shown: Shown) -> Answer {
    let warnings = loaded.diagnostics.count(Severity::Warning) > 0;
    if loaded.diagnostics.has_errors() || shown.findings > 0 || args.deny_warnings && warnings {
        Answer::Findings
    } else {
        Answer::Fine
    }
}

fn write(
    args: &Args,
    root: &Root,
    loaded: &Loaded,
    shown: Shown,
    shell: &mut Shell,
) -> Result<(), Failure> {
    render::findings(&mut shell.out, args.format, shell.paint, loaded)?;
    if args.format == Format::Text {
        let summary = summary(loaded, &root.name(), !args.no_examples);
        writeln!(shell.out, "{}", shell.paint.bold(&summary))?;
    }
    if let Some(why) = shown.undecided {
        let message = undecided(why, args.budget, &args.matrix);
        match args.format {
            Format::Text => writeln!(shell.out, "{message}")?,
            // The result is for a tool.
            _ => shell.tell(&message),
        }
    }
    Ok(shell.out.flush()?)
}

/// That silence is no proof, and what says more.
fn undecided(why: Why, budget: Duration, matrix: &Path) -> String {
    let matrix = crate::files::shown(matrix);
    match why {
        Why::Late => format!(
            "not all questions about all events were decided within {budget}; `laneway analyze {matrix}` takes its time"
        ),
        Why::Inexact => format!(
            "not all questions about all events can be decided; `laneway analyze {matrix}` says which"
        ),
    }
}

/// `2 errors, 1 warning in agents.lane`; for a matrix that loads also what was looked at.
fn summary(loaded: &Loaded, name: &str, ran: bool) -> String {
    let all = &loaded.diagnostics;
    let counts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .map(|severity| (all.count(severity), severity.as_str()))
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| count(number, word))
        .collect();
    let found = if counts.is_empty() {
        "no findings".to_owned()
    } else {
        counts.join(", ")
    };
    let lanes = loaded.matrix.as_ref().map(|m| count(m.lanes.len(), "lane"));
    match lanes {
        Some(lanes) if ran => {
            let examples = count(loaded.examples, "example");
            format!("{found} in {name} ({lanes}, {examples} run)")
        }
        Some(lanes) => format!("{found} in {name} ({lanes}, examples not run)"),
        None => format!("{found} in {name}"),
    }
}
