//! `laneway replay`: a recorded stream of events, summed up.
//!
//! In: a matrix, files of events, perhaps another matrix. Out: a summary as text, data or a page.
//! Invariant: the summary depends on the events and the matrices alone, and not on how many threads
//! counted nor on how long it took; that is said on standard error.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use clap::ValueEnum;

use super::decide::{Bar, Jobs, LONG_BYTES, warn};
use super::input::{Block, Files};
use super::screen;
use super::shell::{Answer, Failure, Shell};
use crate::compile::compile;
use crate::limits::{LOG_LINE_BYTES, Limits};
use crate::parallel;
use crate::replay::{Place, Replay, Summary, Tally, Waiting, Worker};
use crate::store::decisions;

mod html;
mod plot;
mod text;
mod words;

pub(super) use words::{number, share};

/// Bytes of a block: what one worker counts at a time.
const BLOCK: usize = 1 << 18;

/// Sum up a recorded stream of events
///
/// Counts what the matrix decides on each event: verdicts, lanes and rules, what was missing where a
/// lane was unsure, what could not be read, and all of it over time. With --against another matrix
/// decides too, and the events whose decision changes are shown, by what it was and what it becomes.
///
/// The events are JSON objects, one a line; files may be packed with gzip or zstd, which is seen by
/// their first bytes. Several files are one stream, in the order given. The clock is each event's
/// own `at`. An event that cannot be read is counted as such. Nothing is opened.
///
/// The folder of a decision log, or files of it, are events too: each is received when the log says, and
/// what was decided then is compared with what is decided now.
///
/// The same events and matrices give the same summary. All cores take part; events of a kind that a
/// measure counts, or that is tested for one, are decided one after the other, which is slower.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The matrix: a file, the folder of one, or - for standard input
    #[arg(value_name = "MATRIX")]
    matrix: PathBuf,
    /// The events: files in the order of the stream, or - for standard input
    #[arg(value_name = "EVENTS", required = true)]
    events: Vec<PathBuf>,
    /// Show what this other matrix would decide differently
    #[arg(long, value_name = "OTHER")]
    against: Option<PathBuf>,
    /// End with exit code 1 if a decision changes
    #[arg(long, requires = "against")]
    fail_on_change: bool,
    /// How to show the summary
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    jobs: Jobs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person at a terminal
    Text,
    /// For a program: one object
    Json,
    /// One HTML file with plots, without other files
    Html,
}

pub(super) fn run(args: &Args, shell: &mut Shell) -> Result<Answer, Failure> {
    stdin_once(args)?;
    let (matrix, limits) = shell.matrix(&args.matrix)?;
    let other = args.against.as_deref().map(|path| shell.matrix(path));
    let other = other.transpose()?.map(|(matrix, _)| compile(&matrix));
    let program = compile(&matrix);
    let paths = logs(&args.events)?;
    let files = Files::look(&paths)?;
    let start = Instant::now();
    let replay = Replay::new(&program, other.as_ref(), &limits, shell.now);
    let bar = Bar::shown(&files, true);
    let mut in_order = replay.in_order();
    let lines = Limits {
        event_total_bytes: limits.event_total_bytes.max(LOG_LINE_BYTES),
        ..limits.clone()
    };
    let blocks = files.blocks(BLOCK, &lines);
    let jobs = args.jobs.number();
    let mut tally = count(&replay, blocks, jobs, &bar, |waiting| {
        in_order.event(waiting)
    })?;
    drop(bar);
    warn(in_order.windows(), shell);
    tally.merge(in_order.finish());
    let summary = replay.summary(tally, paths.len());
    if summary.bytes >= LONG_BYTES {
        shell.tell(&words::throughput(&summary, start.elapsed()));
    }
    show(args, &summary, shell)?;
    let changes = summary.against.as_ref().map_or(0, |a| a.changed.events);
    Ok(match args.fail_on_change && changes > 0 {
        true => Answer::Findings,
        false => Answer::Fine,
    })
}

/// The paths with the files of a decision log in place of its folder.
pub(super) fn logs(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut all = Vec::new();
    for path in paths {
        if !path.is_dir() {
            all.push(path.clone());
            continue;
        }
        let name = crate::files::shown(path);
        let files = decisions::files(path).map_err(|error| {
            Failure::Unusable(format!("the folder `{name}` cannot be read: {error}"))
        })?;
        if files.is_empty() {
            let message = format!(
                "`{name}` is a folder without a decision log; name that of a log, or files of events"
            );
            return Err(Failure::Unusable(message));
        }
        all.extend(files);
    }
    Ok(all)
}

/// Standard input is read once, so it cannot be two things.
fn stdin_once(args: &Args) -> Result<(), Failure> {
    let all = std::iter::once(&args.matrix)
        .chain(&args.events)
        .chain(&args.against);
    if all.filter(|path| *path == Path::new("-")).count() > 1 {
        let message =
            "standard input can be one thing only: the matrix, the other matrix or events";
        return Err(Failure::Unusable(message.to_owned()));
    }
    Ok(())
}

fn show(args: &Args, summary: &Summary, shell: &mut Shell) -> Result<(), Failure> {
    match args.format {
        Format::Text => text::write(&mut shell.out, shell.paint, screen::width(), summary)?,
        Format::Html => html::write(&mut shell.out, summary)?,
        Format::Json => shell.json(summary)?,
    }
    Ok(())
}

/// Counts all events. Those that wait for their order are given to `decide`.
fn count(
    replay: &Replay<'_>,
    mut blocks: super::input::Blocks,
    jobs: usize,
    bar: &Bar,
    mut decide: impl FnMut(&Waiting),
) -> Result<Tally, Failure> {
    let tallies = Mutex::new(Vec::new());
    parallel::stream::<_, _, _, Failure>(
        jobs,
        || blocks.next_block(),
        || Counting {
            worker: Some(replay.worker()),
            tallies: &tallies,
        },
        |counting, block| counting.block(&block),
        |counted: Counted| {
            for waiting in &counted.waiting {
                decide(waiting);
            }
            bar.advance(counted.taken, counted.events);
            Ok(ControlFlow::Continue(()))
        },
    )?;
    let tallies = tallies.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut all = replay.worker().finish();
    for tally in tallies {
        all.merge(tally);
    }
    Ok(all)
}

/// A worker that hands in what it counted when its thread ends.
struct Counting<'r> {
    worker: Option<Worker<'r>>,
    tallies: &'r Mutex<Vec<Tally>>,
}

/// A block of which all was counted that needs no history.
struct Counted {
    waiting: Vec<Waiting>,
    taken: u64,
    events: u64,
}

impl Counting<'_> {
    fn block(&mut self, block: &Block) -> Counted {
        let mut counted = Counted {
            waiting: Vec::new(),
            taken: block.taken,
            events: 0,
        };
        let Some(worker) = &mut self.worker else {
            return counted;
        };
        for line in block.lines() {
            counted.events += 1;
            let place = Place {
                file: block.source,
                line: line.number,
            };
            match line.bytes_or_digest() {
                Ok(bytes) => counted.waiting.extend(worker.event(place, bytes)),
                Err((bytes, digest)) => worker.too_long(place, bytes, digest),
            }
        }
        counted
    }
}

impl Drop for Counting<'_> {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take() {
            let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
            tallies.push(worker.finish());
        }
    }
}
