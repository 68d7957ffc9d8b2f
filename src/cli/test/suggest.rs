//! `laneway test --suggest`: examples at the edges of a lane's tests.
//!
//! In: a matrix. Out: lines to put into its lanes.
//! Invariant: each line passes with the matrix as it is, and none is there already.

use std::io::{self, Write};

use serde::Serialize;

use super::{Args, Format};
use crate::cli::shell::{Answer, Failure, Shell};
use crate::examples::{Suggested, suggest};
use crate::matrix::Matrix;

/// What a lane could show.
#[derive(Debug, Serialize)]
struct Lane {
    lane: String,
    file: String,
    line: u32,
    /// Samples to put before the lane, where the matrix has none of a kind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    samples: Vec<String>,
    examples: Vec<String>,
    /// Tests of which no event was found on which the lane depends.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    untold: Vec<String>,
}

pub(super) fn run(args: &Args, matrix: &Matrix, shell: &mut Shell) -> Result<Answer, Failure> {
    let lanes = suggest(matrix, &args.budget.patience());
    let mut samples: Vec<String> = Vec::new();
    let lanes: Vec<Lane> = lanes
        .into_iter()
        .map(|suggested| lane(matrix, suggested, &mut samples))
        .filter(|lane| !(lane.examples.is_empty() && lane.untold.is_empty()))
        .collect();
    match args.format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut shell.out, &lanes).map_err(io::Error::from)?;
            writeln!(shell.out)?;
        }
        Format::Text => text(&lanes, shell)?,
        Format::Junit => {
            let message = "`--suggest` prints examples, which JUnit XML has no place for";
            return Err(Failure::Unusable(message.to_owned()));
        }
    }
    shell.out.flush()?;
    Ok(Answer::Fine)
}

fn lane(matrix: &Matrix, suggested: Suggested, samples: &mut Vec<String>) -> Lane {
    let mut own = Vec::new();
    for sample in suggested
        .lines
        .iter()
        .filter_map(|line| line.sample.clone())
    {
        if !samples.contains(&sample) {
            samples.push(sample.clone());
            own.push(sample);
        }
    }
    Lane {
        lane: suggested.lane,
        file: matrix.sources.name(suggested.span).to_owned(),
        line: matrix.sources.start(suggested.span).line,
        samples: own,
        examples: suggested.lines.into_iter().map(|line| line.text).collect(),
        untold: suggested.untold,
    }
}

fn text(lanes: &[Lane], shell: &mut Shell) -> io::Result<()> {
    for (n, lane) in lanes.iter().enumerate() {
        if n > 0 {
            writeln!(shell.out)?;
        }
        writeln!(
            shell.out,
            "# lane {} ({}:{})",
            lane.lane, lane.file, lane.line
        )?;
        for line in lane.samples.iter().chain(&lane.examples) {
            writeln!(shell.out, "{line}")?;
        }
        for test in &lane.untold {
            writeln!(shell.out, "# no event was found on which `{test}` decides")?;
        }
    }
    Ok(())
}
