//! `laneway show`: a matrix as a page that people read.
//!
//! In: a matrix. Out: one table of the lanes, and the facts of each lane in prose, as text,
//! Markdown, HTML or data; or the compiled program, for those who ask why a lane is looked at.
//! Invariant: the words of a trigger come from the checked expression, so that a view never says
//! something else than the matrix decides.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;

use super::screen::{self, clean};
use super::shell::{Answer, Failure, Shell};
use crate::compile::{Options, compile_with};
use crate::diagnostic::nearest;
use crate::matrix::{Lane, Matrix};
use crate::program::print::View;
use crate::words::page::Page;

mod data;
pub(super) mod html;
pub(super) mod markdown;
mod partitions;
mod text;

/// Show a matrix as a page
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The matrix: a file, the folder of one, or - for standard input
    #[arg(value_name = "MATRIX")]
    matrix: PathBuf,
    /// Show one lane, with everything that follows from it
    #[arg(long, value_name = "NAME")]
    lane: Option<String>,
    /// How to show it
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// With --format program: show long lists to their end
    #[arg(long, short)]
    verbose: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for the terminal; with --lane the lane in prose
    Table,
    /// Markdown: the table, and each lane in prose
    Markdown,
    /// One HTML file without other files: the table, and each lane in prose
    Html,
    /// The checked matrix as data
    Json,
    /// What decides: fields as cells, tests, the index, each lane with the ways it can hold
    Program,
    /// By which fields events have to be shared out among several engines, so that windows are whole
    Partitions,
}

pub(super) fn run(args: &Args, shell: &mut Shell) -> Result<Answer, Failure> {
    let (matrix, _) = shell.matrix(&args.matrix)?;
    let lane = args.lane.as_deref();
    let lane = lane.map(|name| named(&matrix, name)).transpose()?;
    if args.format == Format::Program {
        return program(&matrix, lane, args.verbose, shell);
    }
    if args.format == Format::Partitions {
        partitions::write(&mut shell.out, &matrix)?;
        return Ok(Answer::Fine);
    }
    let page = Page::of(&matrix, lane);
    match (args.format, lane) {
        (Format::Table, Some(_)) => {
            text::lanes(&mut shell.out, shell.paint, screen::width(), &page)?;
        }
        (Format::Table, None) => text::table(&mut shell.out, shell.paint, screen::width(), &page)?,
        (Format::Markdown, _) => markdown::write(&mut shell.out, &page)?,
        (Format::Html, _) => html::write(&mut shell.out, &page)?,
        (Format::Json, lane) => {
            let data = match lane {
                Some(lane) => data::lane(&matrix, lane),
                None => data::matrix(&matrix),
            };
            shell.json(&data)?;
        }
        (Format::Program | Format::Partitions, _) => {}
    }
    Ok(Answer::Fine)
}

fn program(
    matrix: &Arc<Matrix>,
    lane: Option<&Lane>,
    full: bool,
    shell: &mut Shell,
) -> Result<Answer, Failure> {
    let options = Options::default();
    let program = compile_with(matrix, options);
    let text = program.printed(View {
        full,
        lane: lane.map(|lane| lane.id),
        straight: Some(options.straight),
    });
    for line in text.to_string().lines() {
        writeln!(shell.out, "{}", clean(line))?;
    }
    Ok(Answer::Fine)
}

fn named<'m>(matrix: &'m Matrix, name: &str) -> Result<&'m Lane, Failure> {
    matrix.lane_named(name).ok_or_else(|| {
        let names = matrix.lanes.iter().map(|lane| lane.name.as_str());
        let hint = match nearest(name, names.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has `{}`", names.collect::<Vec<_>>().join("`, `")),
        };
        Failure::Unusable(format!("no lane `{}` in the matrix; {hint}", clean(name)))
    })
}
