//! `laneway audit`: whether the audit of escalations is whole, and its export.
//!
//! In: a store, or an export of one. Out: a report with the place of each fault; NDJSON lines; a
//! checkpoint to be kept elsewhere.
//! Invariant: nothing is taken for sound that was not read to its end; exit code 1 on faults.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Subcommand;
use serde::Serialize;

use super::escalations::{Common, Format, Trouble, end, json, open_for_audit};
use super::shell::{Answer, Failure, Shell};
use crate::desk::Desk;
use crate::escalation::audit::{Checkpoint, Line, Report, Verifier};
use crate::files::shown;
use crate::store::{file, read};

/// Rows that are read at once.
const ROWS: u32 = 1_000;

/// Bytes of a line of an export: a row's payload holds an event with its evidence, and their escapes.
const LINE_BYTES: u64 = 16 << 20;

/// Verify the audit of escalations, export it, pin it
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The store: a file, or the URL of a database; without it that of laneway.toml
    #[arg(long, global = true, value_name = "PATH")]
    store: Option<String>,
    /// How to print the result
    #[arg(long, global = true, value_enum, default_value = "text")]
    format: Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Verify every row, its place in its chain, and the checkpoints
    Verify {
        /// An export to verify, instead of the store; - for standard input
        #[arg(value_name = "EXPORT.ndjson", conflicts_with = "store")]
        export: Option<PathBuf>,
        /// A checkpoint that was kept elsewhere
        #[arg(long, value_name = "CHECKPOINT.json")]
        against: Vec<PathBuf>,
    },
    /// Export the rows with their texts and the checkpoints, one a line
    Export {
        /// Where to; without it standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Pin all that happened up to now: keep the result where nobody can change it
    Checkpoint {
        /// Where to; without it standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

pub(super) fn run(args: &Args, shell: &mut Shell) -> Result<Answer, Failure> {
    let done = match &args.command {
        Command::Verify { export, against } => {
            match verify(args, export.as_deref(), against, shell) {
                Ok(true) => Ok(()),
                Ok(false) => return Ok(Answer::Findings),
                Err(trouble) => Err(trouble),
            }
        }
        Command::Export { out } => export(args, out.as_deref(), shell),
        Command::Checkpoint { out } => checkpoint(args, out.as_deref(), shell),
    };
    end(done, args.format, shell)
}

fn desk(args: &Args, shell: &Shell) -> Result<Desk, Trouble> {
    let common = Common::of_store(args.store.clone(), args.format);
    open_for_audit(&common, shell)
}

fn verify(
    args: &Args,
    export: Option<&Path>,
    against: &[PathBuf],
    shell: &mut Shell,
) -> Result<bool, Trouble> {
    let kept = against.iter().map(|path| kept(path));
    let kept = kept.collect::<Result<Vec<_>, _>>()?;
    let report = match export {
        Some(path) => verify_export(path, kept)?,
        None => desk(args, shell)?.verify(kept)?,
    };
    match args.format {
        Format::Json => json(&Said::of(&report), &mut shell.out)?,
        Format::Text => say(&report, shell)?,
    }
    Ok(report.is_sound())
}

/// A report for programs.
#[derive(Debug, Serialize)]
struct Said<'r> {
    sound: bool,
    #[serde(flatten)]
    report: &'r Report,
    /// The faults in words, in their order.
    messages: Vec<String>,
}

impl<'r> Said<'r> {
    fn of(report: &'r Report) -> Self {
        Self {
            sound: report.is_sound(),
            report,
            messages: report.faults.iter().map(ToString::to_string).collect(),
        }
    }
}

fn say(report: &Report, shell: &mut Shell) -> Result<(), Trouble> {
    let tail = match report.unchecked_tail {
        0 => "all of them up to the last checkpoint".to_owned(),
        rows => format!("{rows} of them behind the last checkpoint, so that nothing pins them yet"),
    };
    writeln!(shell.out, "rows         {}, {tail}", report.rows)?;
    writeln!(shell.out, "chains       {}", report.chains)?;
    writeln!(shell.out, "checkpoints  {}", report.checkpoints)?;
    writeln!(shell.out, "erased       {}", report.erased)?;
    for fault in &report.faults {
        let word = shell.paint.bad("fault");
        writeln!(shell.out, "{word}        {fault}")?;
    }
    if report.more_faults > 0 {
        writeln!(shell.out, "             and {} more", report.more_faults)?;
    }
    let end = match report.is_sound() {
        true => shell.paint.good("everything fits"),
        false => shell.paint.bad("the audit was changed"),
    };
    writeln!(shell.out, "{end}")?;
    Ok(())
}

fn unreadable(path: &Path, why: impl std::fmt::Display) -> Trouble {
    Trouble::unusable("file", format!("`{}` cannot be read: {why}", shown(path)))
}

/// A checkpoint that an auditor kept: as it was written, or as a line of an export.
fn kept(path: &Path) -> Result<Checkpoint, Trouble> {
    let mut text = String::new();
    let file = File::open(path).map_err(|error| unreadable(path, error))?;
    let read = file.take(LINE_BYTES).read_to_string(&mut text);
    read.map_err(|error| unreadable(path, error))?;
    if let Ok(Line::Checkpoint(checkpoint)) = Line::parse(text.trim()) {
        return Ok(checkpoint);
    }
    serde_json::from_str(&text).map_err(|error| unreadable(path, error))
}

fn verify_export(path: &Path, kept: Vec<Checkpoint>) -> Result<Report, Trouble> {
    let opened: Box<dyn Read> = match path.as_os_str() == "-" {
        true => Box::new(io::stdin()),
        false => Box::new(File::open(path).map_err(|error| unreadable(path, error))?),
    };
    let mut reader = BufReader::new(opened);
    let mut verifier = Verifier::new(kept);
    let mut number = 0_u64;
    let mut line = String::new();
    loop {
        line.clear();
        number += 1;
        let read = Read::by_ref(&mut reader)
            .take(LINE_BYTES)
            .read_line(&mut line);
        let read = read.map_err(|error| unreadable(path, format!("line {number}: {error}")))?;
        if read == 0 {
            return Ok(verifier.end());
        }
        if line.trim().is_empty() {
            continue;
        }
        let parsed = Line::parse(line.trim_end());
        let parsed = parsed.map_err(|error| unreadable(path, format!("line {number}: {error}")))?;
        verifier.line(&parsed);
    }
}

fn export(args: &Args, out: Option<&Path>, shell: &mut Shell) -> Result<(), Trouble> {
    let desk = desk(args, shell)?;
    to(out, shell, |out| write_export(&desk, out))
}

/// Every row in its order, with each checkpoint before the first row behind it.
fn write_export(desk: &Desk, out: &mut dyn Write) -> Result<(), Trouble> {
    let store = desk.store().as_ref();
    let checkpoints = read(store, |transaction| transaction.checkpoints())?;
    let mut checkpoints = checkpoints.into_iter().peekable();
    let mut seq = 0;
    loop {
        let behind = seq;
        let rows = read(store, move |transaction| transaction.rows(behind, ROWS))?;
        let Some((last, _)) = rows.last() else {
            for checkpoint in checkpoints {
                writeln!(out, "{}", Line::Checkpoint(checkpoint).to_json())?;
            }
            return Ok(());
        };
        seq = last.seq;
        for (row, payload) in rows {
            while let Some(checkpoint) = checkpoints.next_if(|it| it.seq < row.seq) {
                writeln!(out, "{}", Line::Checkpoint(checkpoint).to_json())?;
            }
            writeln!(out, "{}", Line::Row { row, payload }.to_json())?;
        }
    }
}

fn checkpoint(args: &Args, out: Option<&Path>, shell: &mut Shell) -> Result<(), Trouble> {
    let made = desk(args, shell)?.checkpoint()?;
    let Some(made) = made else {
        let message = "nothing happened yet that a checkpoint could pin";
        return Err(Trouble::unusable("nothing", message));
    };
    let made = Arc::new(made);
    to(out, shell, |out| {
        writeln!(out, "{}", Line::Checkpoint((*made).clone()).to_json())?;
        Ok(())
    })
}

/// Writes into a file that only its owner reads, or to standard output.
fn to(
    path: Option<&Path>,
    shell: &mut Shell,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let Some(path) = path else {
        return write(&mut shell.out);
    };
    let failed = |error: io::Error| {
        Trouble::unusable(
            "file",
            format!("`{}` cannot be written: {error}", shown(path)),
        )
    };
    let mut file = BufWriter::new(file::create(path).map_err(failed)?);
    write(&mut file)?;
    let file = file
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    shell.tell(&format!("wrote `{}`", shown(path)));
    Ok(())
}
