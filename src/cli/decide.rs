//! `laneway decide`: the decision on each event of a stream, in its order.
//!
//! In: a matrix, and events as NDJSON. Out: a line for each event, for a person or a program; the same
//! in a decision log, where one is kept.
//! Invariant: memory does not grow with the stream but by what the longest window needs; each line
//! that is not blank gets its decision, whatever is wrong with it; the output does not depend on how
//! many threads decide.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;

use super::input::Files;
use super::progress::Progress;
use super::shell::{Answer, Failure, Shell};
use crate::clock::Timestamp;
use crate::compile::compile;
use crate::decision::Decision;
use crate::engine::Log;
use crate::files::config::{Config, Decisions};
use crate::matrix::Matrix;
use crate::parallel;

use crate::measure::{Bounds, Counts, Secret, Sources, Windows};

mod rows;
mod stream;
mod tally;

pub(super) use rows::paint;
use rows::{Row, Rows, Style};
use stream::{Form, Stream};
use tally::Tally;

/// Files above this many bytes take long enough for a bar.
pub(super) const LONG_BYTES: u64 = 1 << 20;

/// Decide events by a matrix
///
/// The events are JSON objects, one a line; the file may be packed with gzip or zstd. Their clock is
/// each event's own `at`; an event without one happens now. Measures count the events of the stream
/// that came before. Nothing is opened, and the examples of the matrix are not run.
///
/// All cores take part, and the decisions stand in the order of the events. Events of a kind that a
/// measure counts, or that is tested for one, are decided one after the other.
///
/// With --log, or where laneway.toml has [decisions], each decision is logged with its event, for
/// `replay` and for the history of evidence packets. A log that cannot be written stops no decision: the
/// decisions are printed all the same, what is not logged is said, and the exit code is 1.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The matrix: a file, the folder of one, or - for standard input
    #[arg(value_name = "MATRIX")]
    matrix: PathBuf,
    /// The events: a file, or - for standard input
    #[arg(value_name = "EVENTS")]
    events: PathBuf,
    /// Show each escalation in full: lanes with what their tests saw, holds, evidence, timeouts
    #[arg(long, short)]
    verbose: bool,
    /// How to print the decisions
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Log the decisions in this folder; without it `log` of [decisions] in laneway.toml says where
    #[arg(long, value_name = "FOLDER", conflicts_with = "no_log")]
    log: Option<PathBuf>,
    /// Log nothing, whatever laneway.toml says
    #[arg(long)]
    no_log: bool,
    #[command(flatten)]
    jobs: Jobs,
}

/// How many threads decide.
#[derive(Debug, clap::Args)]
pub(super) struct Jobs {
    /// How many threads decide; without it one for each core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
}

impl Jobs {
    /// Their number.
    pub(super) fn number(&self) -> usize {
        self.jobs.map_or_else(parallel::cores, usize::from)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person: a row for each event, and a summary
    Text,
    /// For a program: an object for each event, one a line
    Json,
}

pub(super) fn run(args: &Args, shell: &mut Shell) -> Result<Answer, Failure> {
    not_both_stdin(&args.matrix, &args.events)?;
    let (matrix, config) = shell.matrix_and_config(&args.matrix)?;
    let limits = &config.limits;
    let files = Files::look(std::slice::from_ref(&args.events))?;
    let log = log_of(args, &config, &matrix, shell);
    let bar = Bar::over(&files, shell);
    let program = compile(&matrix);
    let windows = Windows::new(
        &matrix,
        Bounds::of(limits, &Sources::default(), Counts::default()),
        Secret::random(),
    );
    let stream = Stream {
        program: &program,
        limits,
        jobs: args.jobs.number(),
        log: log.as_ref().and_then(|log| log.as_ref().ok()),
        files,
        bar: &bar,
    };
    match args.format {
        Format::Json => stream.run(&Json, shell, &windows)?,
        Format::Text => {
            let style = Style::new(&program.matrix, shell.paint, args.verbose);
            stream.run(&Text(style), shell, &windows)?;
        }
    }
    drop(bar);
    warn(&windows, shell);
    let is_logged = match &log {
        None => true,
        // It was said before the first decision.
        Some(Err(())) => false,
        Some(Ok(log)) => match log.end() {
            None => true,
            Some(why) => {
                shell.complain(&why);
                false
            }
        },
    };
    Ok(match is_logged {
        true => Answer::Fine,
        false => Answer::Findings,
    })
}

/// The log, where one is wanted. Why it cannot be had is said.
fn log_of(
    args: &Args,
    config: &Config,
    matrix: &Arc<Matrix>,
    shell: &Shell,
) -> Option<Result<Log, ()>> {
    let decisions = match &args.log {
        _ if args.no_log => None,
        None => config.decisions.clone(),
        Some(folder) => Some(Decisions {
            log: folder.clone(),
            settings: config.decisions.clone().unwrap_or_default().settings,
        }),
    };
    let log = Log::open(&decisions?, config, matrix, shell.now);
    Some(log.map_err(|why| {
        let why = format!("{why}; the decisions are made, and not logged");
        shell.complain(&why);
    }))
}

/// Standard input is read once, so it cannot be two things.
pub(super) fn not_both_stdin(matrix: &Path, events: &Path) -> Result<(), Failure> {
    if matrix == Path::new("-") && events == Path::new("-") {
        let message = "the matrix and the events cannot both be standard input";
        return Err(Failure::Unusable(message.to_owned()));
    }
    Ok(())
}

/// A decision with the instant of its event and its line.
pub(super) struct Decided {
    pub(super) line: u64,
    pub(super) at: Timestamp,
    pub(super) decision: Decision,
}

/// An object a line.
struct Json;

impl Form for Json {
    type Made = Vec<u8>;
    type Sink<'s> = ();

    fn make(&self, decided: &Decided, made: &mut Vec<u8>) -> Result<(), Failure> {
        serde_json::to_writer(&mut *made, &decided.decision).map_err(io::Error::from)?;
        made.push(b'\n');
        Ok(())
    }

    fn sink(&self) {}

    fn put(&self, (): &mut (), made: Vec<u8>, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&made)
    }

    fn pause(&self, (): &mut (), out: &mut impl Write) -> io::Result<()> {
        out.flush()
    }

    fn end(&self, (): (), _: &mut impl Write) -> io::Result<()> {
        Ok(())
    }
}

/// Rows, and a summary below them.
struct Text<'m>(Style<'m>);

/// Some rows, and what they sum up to.
#[derive(Default)]
struct Part {
    rows: Vec<Row>,
    tally: Tally,
}

impl<'m> Form for Text<'m> {
    type Made = Part;
    type Sink<'s>
        = (Rows<'m>, Tally)
    where
        Self: 's;

    fn make(&self, decided: &Decided, made: &mut Part) -> Result<(), Failure> {
        made.tally.add(decided);
        made.rows.push(self.0.row(decided));
        Ok(())
    }

    fn sink(&self) -> (Rows<'m>, Tally) {
        (Rows::new(self.0), Tally::default())
    }

    fn put(
        &self,
        (rows, tally): &mut (Rows<'m>, Tally),
        made: Part,
        out: &mut impl Write,
    ) -> io::Result<()> {
        tally.merge(made.tally);
        for row in made.rows {
            rows.push(row);
            if rows.is_full() {
                rows.write(out, true)?;
            }
        }
        Ok(())
    }

    fn pause(&self, (rows, _): &mut (Rows<'m>, Tally), out: &mut impl Write) -> io::Result<()> {
        rows.write(out, true)?;
        out.flush()
    }

    fn end(&self, (mut rows, tally): (Rows<'m>, Tally), out: &mut impl Write) -> io::Result<()> {
        rows.write(out, false)?;
        tally.write(out, self.0.paint)
    }
}

/// Says what the stream did to the measures: a count that is only a lower bound is no secret.
pub(super) fn warn(windows: &Windows, shell: &Shell) {
    let word = shell.error_paint.warn("warning");
    let (late, refused) = (windows.late_dropped(), windows.keys_refused());
    if late > 0 {
        let most = crate::limits::LATENESS;
        shell.tell(&format!(
            "{word}: {late} events came more than {most} after younger ones, too late for the windows of measures: those are lower bounds"
        ));
    }
    if refused > 0 {
        shell.tell(&format!(
            "{word}: {refused} events had a key beyond those that a measure keeps: its value is unknown for them"
        ));
    }
}

/// The progress of a long stream.
pub(super) struct Bar {
    bar: Option<Progress>,
    in_bytes: bool,
}

impl Bar {
    /// A bar where it does not stand between the decisions themselves, and is worth it.
    fn over(files: &Files, shell: &Shell) -> Self {
        Self::shown(files, !shell.out.is_terminal())
    }

    /// A bar over a stream that is long, or that may be.
    pub(super) fn shown(files: &Files, wanted: bool) -> Self {
        let wanted = wanted && files.size.is_none_or(|bytes| bytes >= LONG_BYTES);
        let unit = match files.size {
            Some(_) => "bytes",
            None => "events",
        };
        Self {
            bar: wanted.then(|| Progress::new(files.size, unit)),
            in_bytes: files.size.is_some(),
        }
    }

    /// So many more bytes of the files were taken, and so many events done.
    pub(super) fn advance(&self, bytes: u64, events: u64) {
        if let Some(bar) = &self.bar {
            bar.advance(if self.in_bytes { bytes } else { events });
        }
    }
}
