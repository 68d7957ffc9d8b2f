//! `laneway test --mutate`: the edits of a matrix that no case would notice.
//!
//! In: a matrix and case files, all of whose cases pass. Out: the mutants that are missed, each with a line that would
//! catch it.
//! Invariant: exit code 1 where a mutant is missed; a matrix whose cases fail is no measure for mutants.

use std::io::{self, Write};

use serde::Serialize;

use super::{Args, Format};
use crate::cases;
use crate::cli::progress::Progress;
use crate::cli::render::count;
use crate::cli::screen::clean;
use crate::cli::shell::{Answer, Failure, Shell};
use crate::examples::{Came, Mutant, Original, mutants};
use crate::files::{CaseFile, Root};
use crate::matrix::Matrix;

/// What came of all mutants.
#[derive(Debug, Serialize)]
struct Report {
    matrix: String,
    mutants: usize,
    caught: usize,
    /// Changes with which the matrix does not load; they are no mutants.
    not_valid: usize,
    /// Proved to demand the same of every event: what is left out here was never needed.
    same: Vec<Told>,
    missed: Vec<Told>,
}

/// A mutant that no case notices.
#[derive(Debug, Serialize)]
struct Told {
    file: String,
    line: u32,
    column: u32,
    /// In which lane, rule, condition or list.
    of: String,
    was: String,
    /// Absent where it was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    is: Option<String>,
    /// A sample to put before the line, where the matrix has none of the kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    sample: Option<String>,
    /// A line that passes now and fails with the mutant, where one was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    add: Option<String>,
}

pub(super) fn run(args: &Args, shell: &mut Shell) -> Result<Answer, Failure> {
    if args.format == Format::Junit {
        let message = "`--mutate` shows changes of the matrix, which JUnit XML has no place for";
        return Err(Failure::Unusable(message.to_owned()));
    }
    let root = Root::open(&args.matrix)?;
    let options = shell.options(&root)?;
    let case_files: Result<Vec<_>, _> = args
        .cases
        .iter()
        .map(|path| CaseFile::read(path, &options.limits))
        .collect();
    let (loaded, paths) = root.load_with_paths(&options, &case_files?);
    let matrix = shell.sound(loaded, &args.matrix)?;
    let failed = cases::check_examples(&matrix).len();
    if failed > 0 {
        let message = format!(
            "{} now, so that no mutant can be told from the matrix: run `laneway test` first",
            match failed {
                1 => "1 case fails".to_owned(),
                many => format!("{many} cases fail"),
            }
        );
        return Err(Failure::Unusable(message));
    }
    let original = Original {
        matrix: &matrix,
        paths: &paths,
        options: &options,
    };
    let mut progress = None;
    let all = mutants(original, &args.budget.patience(), &mut |_, all| {
        let bar = progress.get_or_insert_with(|| Progress::new(Some(all as u64), "mutants"));
        bar.advance(1);
    });
    drop(progress);
    let report = report(&matrix, all);
    let answer = match report.missed.is_empty() {
        true => Answer::Fine,
        false => Answer::Findings,
    };
    match write(args, &report, shell) {
        // The answer is in the exit code as well.
        Ok(()) | Err(Failure::Closed) => Ok(answer),
        Err(failure) => Err(failure),
    }
}

fn report(matrix: &Matrix, all: Vec<Mutant>) -> Report {
    let mut report = Report {
        matrix: matrix.name.clone(),
        mutants: 0,
        caught: 0,
        not_valid: 0,
        same: Vec::new(),
        missed: Vec::new(),
    };
    for mutant in all {
        report.mutants += 1;
        match &mutant.came {
            Came::NotValid => {
                report.mutants -= 1;
                report.not_valid += 1;
            }
            Came::Caught(_) => report.caught += 1,
            Came::Same => report.same.push(told(matrix, mutant)),
            Came::Missed(_) => report.missed.push(told(matrix, mutant)),
        }
    }
    report
}

fn told(matrix: &Matrix, mutant: Mutant) -> Told {
    let place = mutant.place(matrix);
    let line = match mutant.came {
        Came::Missed(line) => line,
        Came::NotValid | Came::Caught(_) | Came::Same => None,
    };
    let (sample, add) = line.map_or((None, None), |line| (line.sample, Some(line.text)));
    Told {
        file: matrix.sources.name(mutant.span).to_owned(),
        line: place.line,
        column: place.column,
        of: mutant.of,
        was: mutant.was,
        is: mutant.is,
        sample,
        add,
    }
}

fn write(args: &Args, report: &Report, shell: &mut Shell) -> Result<(), Failure> {
    if args.format == Format::Json {
        serde_json::to_writer_pretty(&mut shell.out, report).map_err(io::Error::from)?;
        writeln!(shell.out)?;
    } else {
        text(report, shell)?;
    }
    Ok(shell.out.flush()?)
}

fn text(report: &Report, shell: &mut Shell) -> io::Result<()> {
    for missed in &report.missed {
        let word = shell.paint.bad("missed");
        let (of, was) = (clean(&missed.of), clean(&missed.was));
        match &missed.is {
            Some(is) => writeln!(shell.out, "{word}: {of}: `{was}` to `{}`", clean(is))?,
            None => writeln!(shell.out, "{word}: {of}: without `{was}`")?,
        }
        let (file, line, column) = (clean(&missed.file), missed.line, missed.column);
        writeln!(shell.out, "  --> {file}:{line}:{column}")?;
        match &missed.add {
            Some(add) => {
                let lines = missed.sample.iter().chain([add]);
                for line in lines {
                    writeln!(shell.out, "  {line}")?;
                }
            }
            None => writeln!(
                shell.out,
                "  no event was found that shows it: not known whether it matters"
            )?,
        }
        writeln!(shell.out)?;
    }
    let caught = format!("{} caught", report.caught);
    let mut parts = vec![caught];
    if !report.same.is_empty() {
        let same = report.same.len();
        parts.push(format!("{same} proved to change nothing"));
    }
    let missed = format!("{} missed", report.missed.len());
    parts.push(match report.missed.is_empty() {
        true => shell.paint.good(&missed),
        false => shell.paint.bad(&missed),
    });
    let invalid = match report.not_valid {
        0 => String::new(),
        many => format!(" ({} did not load)", count(many, "more change")),
    };
    writeln!(
        shell.out,
        "{}: {}{invalid}",
        count(report.mutants, "mutant"),
        parts.join(", ")
    )
}
