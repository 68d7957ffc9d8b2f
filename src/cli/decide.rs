//! `laneway decide`: the decision on each event of a stream, in its order.
//!
//! In: a matrix, and events as NDJSON. Out: a line for each event, for a person or a program.
//! Invariant: memory does not grow with the stream but by what the longest window needs; each line
//! that is not blank gets its decision, whatever is wrong with it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::input::Input;
use super::progress::Progress;
use super::shell::{Answer, Failure, Shell};
use crate::decision::{Decision, EventRef};
use crate::limits::Limits;
use crate::matrix::Matrix;
use crate::reference::{History, Reference, Times};

mod rows;
mod tally;

use rows::Rows;
pub(super) use rows::paint;
use tally::Tally;

/// Files above this many bytes take long enough for a bar.
const LONG_BYTES: u64 = 1 << 20;

/// Decide events by a matrix
///
/// The events are JSON objects, one a line. Their clock is each event's own `at`; an event without
/// one happens now. Measures count the events of the stream that came before. Nothing is opened,
/// and the examples of the matrix are not run.
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
    let (matrix, limits) = shell.matrix(&args.matrix)?;
    let input = Input::open(&args.events, &limits)?;
    let progress = Bar::over(&input, shell);
    let mut stream = Stream::new(&matrix, limits, input, progress);
    match args.format {
        Format::Json => json(&mut stream, shell)?,
        Format::Text => text(args, &mut stream, shell)?,
    }
    stream.warn(shell);
    Ok(Answer::Fine)
}

/// Standard input is read once, so it cannot be two things.
pub(super) fn not_both_stdin(matrix: &Path, events: &Path) -> Result<(), Failure> {
    if matrix == Path::new("-") && events == Path::new("-") {
        let message = "the matrix and the events cannot both be standard input";
        return Err(Failure::Unusable(message.to_owned()));
    }
    Ok(())
}

fn json(stream: &mut Stream<'_>, shell: &mut Shell) -> Result<(), Failure> {
    while let Some(decided) = stream.next_decided(shell)? {
        serde_json::to_writer(&mut shell.out, &decided.decision).map_err(io::Error::from)?;
        shell.out.write_all(b"\n")?;
        if stream.input.may_wait() {
            shell.out.flush()?;
        }
    }
    Ok(())
}

fn text(args: &Args, stream: &mut Stream<'_>, shell: &mut Shell) -> Result<(), Failure> {
    let mut rows = Rows::new(stream.matrix, shell.paint, args.verbose);
    let mut tally = Tally::default();
    while let Some(decided) = stream.next_decided(shell)? {
        tally.add(&decided);
        rows.add(&decided);
        if rows.is_full() || stream.input.may_wait() {
            rows.write(&mut shell.out)?;
            shell.out.flush()?;
        }
    }
    rows.write(&mut shell.out)?;
    Ok(tally.write(&mut shell.out, shell.paint)?)
}

/// A decision with the instant of its event and its line.
pub(super) struct Decided {
    pub(super) line: u64,
    pub(super) at: crate::clock::Timestamp,
    pub(super) decision: Decision,
}

/// The events of a stream, decided one after the other.
struct Stream<'m> {
    matrix: &'m Matrix,
    limits: Limits,
    history: History,
    input: Input,
    progress: Bar,
}

impl<'m> Stream<'m> {
    fn new(matrix: &'m Matrix, limits: Limits, input: Input, progress: Bar) -> Self {
        Self {
            matrix,
            limits,
            history: History::new(matrix),
            input,
            progress,
        }
    }

    fn next_decided(&mut self, shell: &Shell) -> Result<Option<Decided>, Failure> {
        let Some(line) = self.input.next_line()? else {
            return Ok(None);
        };
        self.progress.advance(line.length);
        let now = shell.clock();
        let reference = Reference::new(self.matrix);
        let (at, mut decision) = match line.event(&self.matrix.schema, &self.limits, now) {
            Ok(event) => {
                let times = Times::of(&event);
                let decision = reference.decide_and_record(&event, &mut self.history, times);
                (event.at(), decision)
            }
            Err(event) => (event.at, reference.decide_unreadable(&event, event.at)),
        };
        if decision.event == EventRef::None {
            decision.event = EventRef::Line(line.number);
        }
        Ok(Some(Decided {
            line: line.number,
            at,
            decision,
        }))
    }

    /// What the stream did to the measures: a count that is only a lower bound is no secret.
    fn warn(&self, shell: &Shell) {
        let word = shell.error_paint.warn("warning");
        let (late, refused) = (self.history.late_dropped(), self.history.keys_refused());
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
}

/// The progress of a long stream.
struct Bar {
    bar: Option<Progress>,
    in_bytes: bool,
}

impl Bar {
    /// A bar where it does not stand between the decisions themselves, and is worth it.
    fn over(input: &Input, shell: &Shell) -> Self {
        let size = input.size();
        let wanted = !shell.out.is_terminal() && size.is_none_or(|bytes| bytes >= LONG_BYTES);
        let unit = if size.is_some() { "bytes" } else { "events" };
        Self {
            bar: wanted.then(|| Progress::new(size, unit)),
            in_bytes: size.is_some(),
        }
    }

    fn advance(&self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.advance(if self.in_bytes { bytes } else { 1 });
        }
    }
}
