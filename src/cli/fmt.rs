//! `laneway fmt`: one way to write a matrix.
//!
//! In: matrix files, folders of them, or standard input. Out: the canonical text, in place; or what
//! would change.
//! Invariant: a file that cannot be read in full is left alone, and no file is written whose new text
//! would say something else.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;
use similar::TextDiff;

use super::progress::Progress;
use super::render;
use super::shell::{Answer, Failure, Shell};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::files::{self, replace, shown};
use crate::limits::Limits;
use crate::span::{FileId, Source, Sources};
use crate::syntax::{self, print::print};

/// Format matrix files in place
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files, folders with *.lane files below them, or - for standard input
    #[arg(value_name = "FILES", default_value = ".")]
    files: Vec<PathBuf>,
    /// Write nothing; list the files that would change and exit with 1 if there are any
    #[arg(long)]
    check: bool,
    /// Write nothing; print what would change
    #[arg(long)]
    diff: bool,
    /// How to print what was done
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person
    Text,
    /// One array with an object for each file
    Json,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Fate {
    /// It was as it should be.
    Unchanged,
    /// It was not, and is now.
    Formatted,
    /// It is not, and stays so.
    WouldChange,
    /// It has syntax errors.
    Broken,
    /// It cannot be read or written.
    Unusable,
}

#[derive(Serialize)]
struct Report {
    file: String,
    status: Fate,
}

pub(super) fn run(args: &Args, shell: &mut Shell) -> Result<Answer, Failure> {
    let mut files = Vec::new();
    for path in &args.files {
        collect(path, &mut files)?;
    }
    let limits = shell.limits(None)?;
    let progress = (files.len() > 1).then(|| Progress::new(Some(files.len() as u64), "files"));
    let mut reports = Vec::with_capacity(files.len());
    for path in files {
        let status = file(args, &path, &limits, shell)?;
        let file = path.to_string_lossy().into_owned();
        reports.push(Report { file, status });
        if let Some(progress) = &progress {
            progress.advance(1);
        }
    }
    drop(progress);
    if args.format == Format::Json {
        shell.json(&reports)?;
    }
    answer(args, &reports)
}

fn answer(args: &Args, reports: &[Report]) -> Result<Answer, Failure> {
    let number = |fate| reports.iter().filter(|r| r.status == fate).count();
    match number(Fate::Unusable) {
        0 if number(Fate::Broken) > 0 => Ok(Answer::Findings),
        0 if args.check && number(Fate::WouldChange) > 0 => Ok(Answer::Findings),
        0 => Ok(Answer::Fine),
        some => {
            let files = render::count(some, "file");
            Err(Failure::Unusable(format!("{files} could not be formatted")))
        }
    }
}

/// The files that a path stands for: itself, or the visible `*.lane` files below a folder.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if path == Path::new("-") || !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let failed = |e| Failure::Unusable(format!("`{}` cannot be read: {e}", shown(path)));
    let entries: io::Result<Vec<_>> = fs::read_dir(path).map_err(failed)?.collect();
    let mut entries = entries.map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        // A link to a folder is not followed: it may lead back here.
        let kind = entry.file_type().map_err(failed)?;
        let inner = entry.path();
        if kind.is_dir() {
            collect(&inner, files)?;
        } else if inner.extension().is_some_and(|e| e == "lane") && inner.is_file() {
            files.push(inner.strip_prefix(".").unwrap_or(&inner).to_owned());
        }
    }
    Ok(())
}

fn file(args: &Args, path: &Path, limits: &Limits, shell: &mut Shell) -> Result<Fate, Failure> {
    let is_stdin = path == Path::new("-");
    let text = match read(path, limits) {
        Ok(text) => text,
        Err(reason) => {
            shell.tell(&format!("`{}` cannot be read: {reason}", shown(path)));
            return Ok(Fate::Unusable);
        }
    };
    let formatted = match format(path, &text, limits) {
        Ok(formatted) => formatted,
        Err(refusal) => return refuse(path, refusal, shell),
    };
    let changes = formatted != text;
    if is_stdin && !args.check && !args.diff && args.format == Format::Text {
        shell.out.write_all(formatted.as_bytes())?;
    } else if changes && args.format == Format::Text {
        show(args, path, &text, &formatted, shell)?;
    }
    match (changes, args.check || args.diff || is_stdin) {
        (false, _) => Ok(Fate::Unchanged),
        (true, true) => Ok(Fate::WouldChange),
        (true, false) => match replace(path, formatted.as_bytes()) {
            Ok(()) => {
                shell.tell(&format!("formatted {}", shown(path)));
                Ok(Fate::Formatted)
            }
            Err(error) => {
                shell.tell(&format!("`{}` cannot be written: {error}", shown(path)));
                Ok(Fate::Unusable)
            }
        },
    }
}

fn show(args: &Args, path: &Path, old: &str, new: &str, shell: &mut Shell) -> Result<(), Failure> {
    let name = name(path);
    if args.diff {
        let diff = TextDiff::from_lines(old, new);
        let text = diff.unified_diff().header(&name, &name).to_string();
        for line in text.split_inclusive('\n') {
            let (body, end) = match line.strip_suffix('\n') {
                Some(body) => (body, "\n"),
                None => (line, ""),
            };
            let painted = match body.as_bytes().first() {
                Some(b'+') => shell.paint.good(body),
                Some(b'-') => shell.paint.bad(body),
                Some(b'@') => shell.paint.quiet(body),
                _ => body.to_owned(),
            };
            write!(shell.out, "{painted}{end}")?;
        }
    } else if args.check {
        writeln!(shell.out, "{name}")?;
    }
    Ok(())
}

fn name(path: &Path) -> String {
    if path == Path::new("-") {
        "<stdin>".to_owned()
    } else {
        shown(path)
    }
}

/// Why a text is not formatted.
enum Refusal {
    /// It has syntax errors.
    Broken(Sources, Diagnostics),
    /// The printer would change what it says.
    Unfaithful,
}

fn refuse(path: &Path, refusal: Refusal, shell: &Shell) -> Result<Fate, Failure> {
    match refusal {
        Refusal::Broken(sources, diagnostics) => {
            let mut text = Vec::new();
            render::errors(&mut text, shell.error_paint, &diagnostics, &sources)?;
            shell.tell(String::from_utf8_lossy(&text).trim_end());
            let errors = render::count(diagnostics.count(Severity::Error), "error");
            shell.tell(&format!("\n{} is left alone: {errors}", name(path)));
            Ok(Fate::Broken)
        }
        Refusal::Unfaithful => {
            let name = name(path);
            shell.tell(&format!(
                "{name} is left alone: its formatted text would not say the same; this is a defect of laneway"
            ));
            Ok(Fate::Unusable)
        }
    }
}

/// The canonical text.
fn format(path: &Path, text: &str, limits: &Limits) -> Result<String, Refusal> {
    let file = FileId::default();
    let parsed = syntax::parse(file, text, limits);
    let is_error = |d: &Diagnostic| d.severity() == Severity::Error;
    if parsed.diagnostics.iter().any(is_error) {
        let mut sources = Sources::default();
        sources.add(Source::new(name(path), text));
        let mut diagnostics = Diagnostics::default();
        diagnostics.extend(parsed.diagnostics);
        diagnostics.finish();
        return Err(Refusal::Broken(sources, diagnostics));
    }
    let formatted = print(&parsed.ast, text, &parsed.comments);
    let again = syntax::parse(file, &formatted, limits);
    let faithful = again.ast == parsed.ast
        && again.comments.len() == parsed.comments.len()
        && !again.diagnostics.iter().any(is_error);
    if faithful {
        Ok(formatted)
    } else {
        Err(Refusal::Unfaithful)
    }
}

fn read(path: &Path, limits: &Limits) -> Result<String, String> {
    let bytes = files::read(path, limits.file_bytes as u64).map_err(|e| e.to_string())?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}
