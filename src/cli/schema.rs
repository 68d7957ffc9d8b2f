//! `laneway schema`: from sample events to `event` blocks, and from a kind to its JSON Schema.
//!
//! In: events, or a matrix and the name of a kind. Out: text for a matrix, or JSON Schema.

use std::io::Write;
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use serde::Serialize;

use super::input::Input;
use super::progress::Progress;
use super::render::count;
use super::screen::clean;
use super::shell::{Answer, Failure, Shell};
use crate::diagnostic::nearest;
use crate::event::Json;
use crate::event::infer::Inferrer;
use crate::schema::json_schema;

/// Files above this many bytes take long enough for a bar.
const LONG_BYTES: u64 = 1 << 20;

/// Unreadable lines that are named one by one.
const NAMED: usize = 5;

/// Write the `event` blocks of samples, or the JSON Schema of a kind
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Infer(Infer),
    Export(Export),
}

/// Print the `event` blocks that fit sample events
///
/// What the samples do not prove is a comment: read the blocks before you use them.
#[derive(Debug, clap::Args)]
struct Infer {
    /// The events: a file with one a line, or - for standard input
    #[arg(value_name = "EVENTS")]
    events: PathBuf,
    /// How to print the blocks
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// As they stand in a matrix
    Text,
    /// As a member of one object, with what was read and what was not
    Json,
}

/// Print the JSON Schema (draft 2020-12) of an event kind
#[derive(Debug, clap::Args)]
struct Export {
    /// The matrix: a file, the folder of one, or - for standard input
    #[arg(value_name = "MATRIX")]
    matrix: PathBuf,
    /// The kind, by its name in the matrix or in JSON
    #[arg(value_name = "KIND")]
    kind: String,
}

/// What was inferred.
#[derive(Serialize)]
struct Inferred {
    events: u64,
    /// The lines that are no JSON objects.
    skipped: Vec<Skipped>,
    blocks: String,
}

#[derive(Serialize)]
struct Skipped {
    line: u64,
    message: String,
}

pub(super) fn run(args: &Args, shell: &mut Shell) -> Result<Answer, Failure> {
    match &args.command {
        Command::Infer(args) => infer(args, shell),
        Command::Export(args) => export(args, shell),
    }
}

fn infer(args: &Infer, shell: &mut Shell) -> Result<Answer, Failure> {
    let limits = shell.limits(None)?;
    let mut input = Input::open(&args.events, &limits)?;
    let long = input.size().is_some_and(|bytes| bytes >= LONG_BYTES);
    let progress = long.then(|| Progress::new(input.size(), "bytes"));
    let mut inferrer = Inferrer::new();
    let (mut events, mut number, mut skipped) = (0, 0, Vec::new());
    while let Some(line) = input.next_line()? {
        if let Some(progress) = &progress {
            progress.advance(line.length);
        }
        let problem = match line.bytes().map(|bytes| Json::parse(bytes, &limits)) {
            Some(Ok(event @ Json::Object(_))) => {
                inferrer.observe(&event);
                events += 1;
                continue;
            }
            Some(Ok(_)) => "an event is an object".to_owned(),
            Some(Err(problems)) => problems
                .first()
                .map(ToString::to_string)
                .unwrap_or_default(),
            None => format!("an event has at most {} bytes", limits.event_total_bytes),
        };
        number += 1;
        if skipped.len() < NAMED {
            let line = line.number;
            let message = clean(&problem);
            skipped.push(Skipped { line, message });
        }
    }
    drop(progress);
    warn(shell, number, &skipped);
    if events == 0 {
        let message = "there is no event to learn from".to_owned();
        return Err(Failure::Unusable(message));
    }
    let blocks = inferrer.finish();
    match args.format {
        Format::Text => shell.out.write_all(blocks.as_bytes())?,
        Format::Json => {
            let inferred = Inferred {
                events,
                skipped,
                blocks,
            };
            shell.json(&inferred)?;
        }
    }
    Ok(Answer::Fine)
}

fn warn(shell: &Shell, number: usize, skipped: &[Skipped]) {
    if number == 0 {
        return;
    }
    let word = shell.error_paint.warn("warning");
    let lines = count(number, "line");
    shell.tell(&format!(
        "{word}: {lines} could not be read and taught nothing"
    ));
    for Skipped { line, message } in skipped {
        shell.tell(&format!("  line {line}: {message}"));
    }
    if number > skipped.len() {
        shell.tell(&format!("  and {} more", number - skipped.len()));
    }
}

fn export(args: &Export, shell: &mut Shell) -> Result<Answer, Failure> {
    let (matrix, _) = shell.matrix(&args.matrix)?;
    let schema = &matrix.schema;
    let kind = schema.kind_named(&args.kind).ok_or_else(|| {
        let names = schema.kinds().iter().map(|kind| &*kind.name);
        let hint = match nearest(&args.kind, names.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has `{}`", names.collect::<Vec<_>>().join("`, `")),
        };
        let kind = clean(&args.kind);
        Failure::Unusable(format!("no event kind `{kind}` in the matrix; {hint}"))
    })?;
    shell.json(&json_schema(schema, kind))?;
    Ok(Answer::Fine)
}
