//! `laneway analyze`: what a matrix will do to every event.
//!
//! In: a matrix. Out: findings and reports, each with an event that shows it.
//! Invariant: exit code 1 where there is a finding, with `--strict` also where a question was not decided.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::ValueEnum;
use serde::Serialize;

use super::render::count;
use super::shell::{Answer, Budget, Failure, Shell};
use crate::analysis::{self, Analysis, Grade, Question};
use crate::clock::format_timestamp;
use crate::decision::Verdict;
use crate::matrix::Matrix;

/// Prove what a matrix will do to every event
///
/// Finds lanes that can never fire or are hidden, lanes that contradict each other, promises that do not hold; and
/// reports which events reach nobody. What it finds it shows by an event, as a scenario to put into the matrix.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The matrix: a file, the folder of one, or - for standard input
    #[arg(value_name = "MATRIX")]
    matrix: PathBuf,
    /// Exit with 1 also where a question was not decided
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    budget: Budget,
    /// How to print the answers
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person
    Text,
    /// For a program
    Json,
}

/// What was found, for a program.
#[derive(Debug, Serialize)]
struct Report<'a> {
    matrix: &'a str,
    digest: &'a str,
    answers: Vec<Told<'a>>,
}

/// One answer.
#[derive(Debug, Serialize)]
struct Told<'a> {
    question: Question,
    is_finding: bool,
    about: &'a [String],
    file: String,
    line: u32,
    message: &'a str,
    grade: Grade,
    #[serde(skip_serializing_if = "Option::is_none")]
    witness: Option<Shown<'a>>,
}

/// An event that shows an answer.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    at: String,
    verdict: Verdict,
    by: &'a str,
    /// To put into the matrix.
    scenario: String,
}

pub(super) fn run(args: &Args, shell: &mut Shell) -> Result<Answer, Failure> {
    let (matrix, _) = shell.matrix(&args.matrix)?;
    let analysis = analysis::analyze(&matrix, &args.budget.patience());
    let is_bad = analysis.findings().next().is_some() || args.strict && analysis.is_undecided();
    Answer::findings(is_bad).after(write(args, &matrix, &analysis, shell))
}

fn write(
    args: &Args,
    matrix: &Matrix,
    analysis: &Analysis,
    shell: &mut Shell,
) -> Result<(), Failure> {
    let told: Vec<Told<'_>> = analysis.answers.iter().map(|it| told(matrix, it)).collect();
    match args.format {
        Format::Json => {
            let report = Report {
                matrix: &matrix.name,
                digest: &matrix.digest,
                answers: told,
            };
            shell.json(&report)?;
        }
        Format::Text => {
            for told in &told {
                text(told, shell)?;
            }
            let summary = summary(analysis, &crate::files::shown(&args.matrix), matrix);
            writeln!(shell.out, "{}", shell.paint.bold(&summary))?;
        }
    }
    Ok(shell.out.flush()?)
}

fn told<'a>(matrix: &'a Matrix, answer: &'a analysis::Answer) -> Told<'a> {
    Told {
        question: answer.question,
        is_finding: answer.question.is_finding(),
        about: &answer.about,
        file: matrix.sources.name(answer.span).to_owned(),
        line: matrix.sources.start(answer.span).line,
        message: &answer.message,
        grade: answer.grade,
        witness: answer.witness.as_ref().map(|witness| Shown {
            at: format_timestamp(witness.at()),
            verdict: witness.decision().verdict,
            by: &witness.decision().by,
            scenario: witness.line(),
        }),
    }
}

fn text(told: &Told<'_>, shell: &mut Shell) -> io::Result<()> {
    let word = told.question.as_str();
    let word = match told.is_finding {
        true => shell.paint.bad(word),
        false => shell.paint.bold(word),
    };
    writeln!(
        shell.out,
        "{word}: {} ({})",
        told.message,
        told.grade.as_str()
    )?;
    writeln!(shell.out, "  --> {}:{}", told.file, told.line)?;
    if let Some(witness) = &told.witness {
        for line in witness.scenario.lines() {
            writeln!(shell.out, "  {line}")?;
        }
    }
    writeln!(shell.out)
}

/// `1 finding, 2 reports in agents.lane (6 lanes)`.
fn summary(analysis: &Analysis, name: &str, matrix: &Matrix) -> String {
    let findings = analysis.findings().count();
    let undecided = analysis
        .answers
        .iter()
        .filter(|it| it.grade == Grade::NotDecided)
        .count();
    let reports = analysis.answers.len() - findings - undecided;
    let counts = [
        (findings, "finding"),
        (reports, "report"),
        (undecided, "undecided question"),
    ];
    let counts = counts.into_iter().filter(|(number, _)| *number > 0);
    let counts: Vec<String> = counts.map(|(number, word)| count(number, word)).collect();
    let found = match counts.is_empty() {
        true => "nothing found".to_owned(),
        false => counts.join(", "),
    };
    format!("{found} in {name} ({})", count(matrix.lanes.len(), "lane"))
}
