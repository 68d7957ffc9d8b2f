//! What a command is given to work with, and how it answers.
//!
//! In: the global options. Out: a [`Shell`] with the streams, the instant and the configuration;
//! an [`Answer`] or a [`Failure`] becomes the exit code.
//! Invariant: results go to standard output, everything else to standard error.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use clap::Args;
use serde::Serialize;

use super::Global;
use super::output::{Out, Paint, takes_colour};
use super::render;
use crate::check::{Loaded, Options};
use crate::clock::{Duration, Timestamp, parse_timestamp};
use crate::files::config::{self, Config, ConfigError};
use crate::files::{CaseFileError, FilesError, Root};
use crate::limits::Limits;
use crate::matrix::Matrix;

/// What every command works with.
#[derive(Debug)]
pub(super) struct Shell {
    /// Standard output: the result and nothing else.
    pub(super) out: Out,
    /// The styles of standard output.
    pub(super) paint: Paint,
    /// The styles of standard error.
    pub(super) error_paint: Paint,
    /// The instant that stands for now.
    pub(super) now: Timestamp,
    /// Whether `now` was given, and stands still.
    fixed: bool,
    config: Option<PathBuf>,
}

/// How a command that did its work answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Nothing to complain about: exit code 0.
    Fine,
    /// Findings, failed cases, files that would change: exit code 1.
    Findings,
}

impl Answer {
    /// Findings, if there are any.
    pub(super) fn findings(are_there: bool) -> Self {
        match are_there {
            true => Self::Findings,
            false => Self::Fine,
        }
    }

    /// The answer of a command that wrote its result, or tried to. It is in the exit code as well: `check | head`
    /// must not pass a broken matrix.
    pub(super) fn after(self, written: Result<(), Failure>) -> Result<Self, Failure> {
        match written {
            Ok(()) | Err(Failure::Closed) => Ok(self),
            Err(failure) => Err(failure),
        }
    }
}

/// How long an analysis may take.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Budget {
    /// How long one question may take, or one kind of events
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = Duration::parse)]
    budget: Duration,
}

impl Budget {
    /// What says for each question that its time is up.
    pub(super) fn patience(self) -> impl Fn() -> Box<dyn Fn() -> bool> {
        let length = std::time::Duration::from_millis(self.budget.as_millis());
        move || {
            let end = Instant::now() + length;
            Box::new(move || Instant::now() >= end)
        }
    }
}

/// Why a command could not do its work: exit code 2.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum Failure {
    /// The reader of standard output went away. Not shown, and exit code 0.
    #[error("the reader of the output went away")]
    Closed,
    /// The result cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(io::Error),
    /// The path names no matrix.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file holds no cases.
    #[error(transparent)]
    Cases(#[from] CaseFileError),
    /// Anything else, in words.
    #[error("{0}")]
    Unusable(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Output(error),
        }
    }
}

impl Shell {
    pub(super) fn new(global: &Global) -> Self {
        Self {
            out: Out::stdout(),
            paint: Paint::new(takes_colour(global.color, &io::stdout())),
            error_paint: Paint::new(takes_colour(global.color, &io::stderr())),
            now: global.now.unwrap_or_else(|| SystemTime::now().into()),
            fixed: global.now.is_some(),
            config: global.config.clone(),
        }
    }

    /// The instant at which something arrives: what `--now` says, else the system's.
    pub(super) fn clock(&self) -> Timestamp {
        self.clock_for_threads()()
    }

    /// The same for a thread that the shell does not go to.
    pub(super) fn clock_for_threads(&self) -> impl Fn() -> Timestamp + Send + use<> {
        let fixed = self.fixed.then_some(self.now);
        move || fixed.unwrap_or_else(|| SystemTime::now().into())
    }

    /// A message beside the result.
    pub(super) fn tell(&self, message: &str) {
        // Nobody is left to hear that nobody listens.
        let _ = writeln!(io::stderr(), "{message}");
    }

    /// Something that went wrong beside the result.
    pub(super) fn complain(&self, why: &str) {
        let word = self.error_paint.bad("error");
        self.tell(&format!("{word}: {why}"));
    }

    /// Writes a result for a program.
    pub(super) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        serde_json::to_writer_pretty(&mut self.out, value).map_err(io::Error::from)?;
        Ok(writeln!(self.out)?)
    }

    /// The options of a check of that root.
    pub(super) fn options(&self, root: &Root) -> Result<Options, Failure> {
        let config = config::read(self.config.as_deref(), root.folder())?;
        Ok(Options {
            limits: config.limits,
            today: Some(self.now.date_naive()),
        })
    }

    /// The configuration that was named, if one was.
    #[cfg_attr(
        not(feature = "server"),
        expect(dead_code, reason = "the service takes it")
    )]
    pub(super) fn config_path(&self) -> Option<PathBuf> {
        self.config.clone()
    }

    /// The instant of `--now`, if it was given.
    pub(super) fn still(&self) -> Option<Timestamp> {
        self.fixed.then_some(self.now)
    }

    /// The configuration: the named one, the one in a folder, or the one here.
    pub(super) fn config_beside(&self, folder: Option<&Path>) -> Result<Config, Failure> {
        Ok(config::read(self.config.as_deref(), folder)?)
    }

    /// The bounds for files that belong to no matrix, such as those to format.
    pub(super) fn limits(&self, folder: Option<&Path>) -> Result<Limits, Failure> {
        Ok(config::read(self.config.as_deref(), folder)?.limits)
    }

    /// The whole configuration that holds beside a matrix.
    pub(super) fn settings(&self, path: &Path) -> Result<config::Config, Failure> {
        let root = Root::open(path)?;
        Ok(config::read(self.config.as_deref(), root.folder())?)
    }

    /// The matrix at a path, for a command that only uses it, with the bounds that hold beside it:
    /// its errors are shown, and are a failure; warnings are for `check`.
    pub(super) fn matrix(&self, path: &Path) -> Result<(Arc<Matrix>, Limits), Failure> {
        let (matrix, config) = self.matrix_and_config(path)?;
        Ok((matrix, config.limits))
    }

    /// The same with the whole configuration that holds beside it.
    pub(super) fn matrix_and_config(&self, path: &Path) -> Result<(Arc<Matrix>, Config), Failure> {
        let root = Root::open(path)?;
        let config = self.config_beside(root.folder())?;
        let options = Options {
            limits: config.limits.clone(),
            today: Some(self.now.date_naive()),
        };
        let loaded = root.load(&options, false);
        Ok((self.sound(loaded, path)?, config))
    }

    /// The matrix that was loaded from a path, unless it has errors; those are shown.
    pub(super) fn sound(&self, loaded: Loaded, path: &Path) -> Result<Arc<Matrix>, Failure> {
        let Loaded {
            sources,
            matrix,
            diagnostics,
            ..
        } = loaded;
        match matrix {
            Some(matrix) if !diagnostics.has_errors() => Ok(matrix),
            _ => {
                let mut text = Vec::new();
                render::errors(&mut text, self.error_paint, &diagnostics, &sources)?;
                let _ = io::stderr().write_all(&text);
                let path = crate::files::shown(path);
                Err(Failure::Unusable(format!(
                    "the matrix `{path}` does not load"
                )))
            }
        }
    }

    /// Ends the program: writes what is still buffered, says what failed, and gives the code.
    pub(super) fn end(mut self, answer: Result<Answer, Failure>) -> ExitCode {
        let written = self.out.flush().map_err(Failure::from);
        match (answer, written) {
            // A closed output takes nothing from an answer that is known.
            (Ok(answer), Ok(()) | Err(Failure::Closed)) => match answer {
                Answer::Fine => ExitCode::SUCCESS,
                Answer::Findings => ExitCode::from(1),
            },
            (Err(Failure::Closed), _) => ExitCode::SUCCESS,
            (Err(failure), _) | (Ok(_), Err(failure)) => {
                let word = self.error_paint.bad("error");
                self.tell(&format!("{word}: {failure}"));
                ExitCode::from(2)
            }
        }
    }
}

/// Reads the value of `--now`.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    parse_timestamp(text)
        .ok_or_else(|| "an instant looks like `2026-11-20T10:00:00Z`, with its offset".to_owned())
}
