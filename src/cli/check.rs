//! `laneway check`: everything that is wrong with a matrix, and its examples.
//!
//! In: a matrix. Out: its findings; with `--fix` also the files, mended where a fix is safe.

use std::io::Write;
use std::path::PathBuf;

use super::fix;
use super::render::{self, Format, count};
use super::shell::{Answer, Failure, Shell};
use crate::check::Loaded;
use crate::diagnostic::Severity;
use crate::files::Root;

/// Check a matrix, and run its examples and scenarios
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
    let loaded = root.load(&options, !args.no_examples);
    let answer = answer(args, &loaded);
    answer.after(write(args, &root, &loaded, shell))
}

fn answer(args: &Args, loaded: &Loaded) -> Answer {
    let warnings = loaded.diagnostics.count(Severity::Warning) > 0;
    if loaded.diagnostics.has_errors() || args.deny_warnings && warnings {
        Answer::Findings
    } else {
        Answer::Fine
    }
}

fn write(args: &Args, root: &Root, loaded: &Loaded, shell: &mut Shell) -> Result<(), Failure> {
    render::findings(&mut shell.out, args.format, shell.paint, loaded)?;
    if args.format == Format::Text {
        let summary = summary(loaded, &root.name(), !args.no_examples);
        writeln!(shell.out, "{}", shell.paint.bold(&summary))?;
    }
    Ok(shell.out.flush()?)
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
