//! `laneway test`: the examples of a matrix, its scenarios, and those of case files.
//!
//! In: a matrix and case files. Out: which cases fail and why, what they cover; or the decisions
//! for all combinations of some fields; or which edits of the matrix no case would notice; or examples at the edges
//! of its tests.
//! Invariant: exit code 1 when a case fails, and never 0 when none was run that was asked for.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use serde::Serialize;

use super::progress::Progress;
use super::shell::{Answer, Budget, Failure, Shell};
use crate::cases;
use crate::files::{CaseFile, Root};
use crate::matrix::{Case, Matrix};
use crate::reference::Coverage;

mod coverage;
mod freeze;
mod junit;
mod mutate;
mod over;
mod suggest;
mod text;

/// Runs of more cases than this take long enough for a bar.
const MANY_CASES: usize = 500;

/// Run the examples and scenarios of a matrix
///
/// A case file is a *.lane file that holds only samples and scenarios. It is checked and run as if
/// the last line of the matrix imported it, and may lie anywhere.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The matrix: a file, the folder of one, or - for standard input
    #[arg(value_name = "MATRIX")]
    matrix: PathBuf,
    /// Case files: samples and scenarios beside the matrix
    #[arg(value_name = "CASES")]
    cases: Vec<PathBuf>,
    /// Run only cases whose lane or title contains this text, in any case
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Show how often each lane fired, was unsure or silent, and each test true, false or unknown
    #[arg(long)]
    coverage: bool,
    /// Decide a sample with every combination of these fields' values, instead of running cases
    #[arg(long, num_args = 2, value_names = ["FIELD[,FIELD]", "SAMPLE"], conflicts_with_all = ["filter", "coverage"])]
    over: Option<Vec<String>>,
    /// Print the combinations as scenarios to put into a case file
    #[arg(long, requires = "over")]
    freeze: bool,
    /// Change the matrix one step at a time, and report the changes that no case notices
    ///
    /// Thresholds are moved by the smallest step, operators turned, `and` and `or` exchanged, tests and values left
    /// out. A change that is proved to demand the same of every event is none. Exit code 1 where one is missed.
    #[arg(long, conflicts_with_all = ["filter", "coverage", "over", "suggest"])]
    mutate: bool,
    /// Print examples for each lane at the edges of its tests, instead of running cases
    ///
    /// Both sides of each threshold, each value of a closed set, a missing field. Each line passes with the matrix
    /// as it is, so that what remains is to see whether it should. Thresholds of measures are left out.
    #[arg(long, conflicts_with_all = ["filter", "coverage", "over"])]
    suggest: bool,
    #[command(flatten)]
    budget: Budget,
    /// How to print the result
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person: the cases that fail, and a summary
    Text,
    /// For a program: every case with what came of it
    Json,
    /// JUnit XML, for a build server
    Junit,
}

/// What came of all cases.
#[derive(Debug, Serialize)]
struct Report {
    matrix: String,
    passed: usize,
    failed: usize,
    cases: Vec<CaseReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<coverage::Report>,
}

/// What came of one.
#[derive(Debug, Serialize)]
struct CaseReport {
    /// The lane of an example; a scenario has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    lane: Option<String>,
    title: String,
    file: String,
    line: u32,
    passed: bool,
    expected: String,
    got: String,
    /// Why it is not what was expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

pub(super) fn run(args: &Args, shell: &mut Shell) -> Result<Answer, Failure> {
    if args.mutate {
        return mutate::run(args, shell);
    }
    let matrix = load(args, shell)?;
    if args.suggest {
        return suggest::run(args, &matrix, shell);
    }
    if let Some([fields, sample]) = args.over.as_deref() {
        return over(args, &matrix, fields, sample, shell);
    }
    let cases = chosen(&matrix, args.filter.as_deref())?;
    let report = report(args, &matrix, &cases);
    Answer::findings(report.failed > 0).after(write(args, &report, shell))
}

fn load(args: &Args, shell: &Shell) -> Result<Arc<Matrix>, Failure> {
    let root = Root::open(&args.matrix)?;
    let options = shell.options(&root)?;
    let cases = args.cases.iter();
    let cases: Result<Vec<_>, _> = cases
        .map(|path| CaseFile::read(path, &options.limits))
        .collect();
    let loaded = root.load_with_cases(&options, &cases?);
    shell.sound(loaded, &args.matrix)
}

fn over(
    args: &Args,
    matrix: &Matrix,
    fields: &str,
    sample: &str,
    shell: &mut Shell,
) -> Result<Answer, Failure> {
    let grid = over::Grid::new(matrix, fields, sample)?;
    match (args.freeze, args.format) {
        (true, Format::Text) => {
            let text = freeze::scenarios(&grid)?;
            shell.out.write_all(text.as_bytes())?;
        }
        (false, Format::Text) => grid.write_table(&mut shell.out, shell.paint)?,
        (false, Format::Json) => grid.write_json(&mut shell.out)?,
        (true, _) => {
            let message = "`--freeze` prints scenarios, which have no other format";
            return Err(Failure::Unusable(message.to_owned()));
        }
        (_, Format::Junit) => {
            let message = "`--over` shows decisions, which JUnit XML has no place for";
            return Err(Failure::Unusable(message.to_owned()));
        }
    }
    Ok(Answer::Fine)
}

/// The cases in file order, the examples of each lane and then the scenarios; with a filter, those
/// that it finds.
fn chosen<'m>(matrix: &'m Matrix, filter: Option<&str>) -> Result<Vec<&'m Case>, Failure> {
    let examples = matrix.lanes.iter().flat_map(|lane| &lane.examples);
    let all = examples.chain(&matrix.scenarios);
    let Some(filter) = filter else {
        return Ok(all.collect());
    };
    let wanted = filter.to_lowercase();
    let found: Vec<_> = all
        .filter(|case| {
            let lane = lane_of(matrix, case).unwrap_or_default();
            format!("{lane} {}", case.title)
                .to_lowercase()
                .contains(&wanted)
        })
        .collect();
    if found.is_empty() {
        let message = format!("no example or scenario has `{filter}` in its lane or title");
        return Err(Failure::Unusable(message));
    }
    Ok(found)
}

fn lane_of<'m>(matrix: &'m Matrix, case: &Case) -> Option<&'m str> {
    let lane = matrix.lane(case.lane?)?;
    Some(&lane.name)
}

fn report(args: &Args, matrix: &Matrix, cases: &[&Case]) -> Report {
    let many = cases.len() > MANY_CASES;
    let progress = many.then(|| Progress::new(Some(cases.len() as u64), "cases"));
    let mut seen = Coverage::default();
    let mut reports = Vec::with_capacity(cases.len());
    for case in cases {
        reports.push(run_case(matrix, case));
        if args.coverage {
            cases::observe(matrix, case, &mut seen);
        }
        if let Some(progress) = &progress {
            progress.advance(1);
        }
    }
    let failed = reports.iter().filter(|case| !case.passed).count();
    Report {
        matrix: matrix.name.clone(),
        passed: reports.len() - failed,
        failed,
        cases: reports,
        coverage: args.coverage.then(|| coverage::Report::of(matrix, &seen)),
    }
}

fn run_case(matrix: &Matrix, case: &Case) -> CaseReport {
    let outcome = cases::run(matrix, case);
    // The sentence says again what is in the other members.
    let prefix = format!("expected `{}`, got `{}`: ", outcome.expected, outcome.came);
    let why = outcome.message.strip_prefix(&prefix);
    let why = why.unwrap_or(&outcome.message);
    CaseReport {
        lane: lane_of(matrix, case).map(str::to_owned),
        title: case.title.clone(),
        file: matrix.sources.name(case.span).to_owned(),
        line: matrix.sources.start(case.span).line,
        passed: outcome.passed,
        why: (!outcome.passed).then(|| why.to_owned()),
        expected: outcome.expected,
        got: outcome.came,
    }
}

fn write(args: &Args, report: &Report, shell: &mut Shell) -> Result<(), Failure> {
    match args.format {
        Format::Text => text::write(&mut shell.out, shell.paint, report)?,
        Format::Junit => junit::write(&mut shell.out, report)?,
        Format::Json => shell.json(report)?,
    }
    Ok(shell.out.flush()?)
}
