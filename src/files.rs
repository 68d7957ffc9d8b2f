//! A matrix on disk: finds its root file, reads it with its imports, checks it and runs its examples.
//!
//! In: a path as a person gave it (a file, a folder, or `-` for standard input). Out: what the check
//! found, with the files named as that person named them.
//! Invariant: nothing outside the root file's folder is ever read for an import or written for a
//! fix, also not through a link; a file is never read further than its bound.
//! Knows nothing of the language but how a `matrix` block starts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cases::check_examples;
use crate::check::{LoadError, Loaded, Options};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity, codes};
use crate::limits;
use crate::matrix::Matrix;
use crate::span::{FileId, Span};

mod cases;
#[cfg(feature = "cli")]
pub mod config;
mod disk;
mod replace;
mod root;

pub use cases::{CaseFile, CaseFileError};
pub use disk::read;
pub use replace::replace;
pub use root::Root;

/// Why there is no matrix to check: the path names nothing that could be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FilesError {
    /// The path names nothing.
    #[error("`{}` does not exist", shown(path))]
    NotFound {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The path names something that is neither a file nor a folder.
    #[error("`{}` is neither a file nor a folder", shown(path))]
    NotAFile {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The system refuses to read it.
    #[error("`{}` cannot be read: {reason}", shown(path))]
    Unreadable {
        /// The path as it was given.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// No file of the folder has a `matrix` block.
    #[error("no `*.lane` file in `{}` has a `matrix` block", shown(path))]
    NoMatrix {
        /// The folder as it was given.
        path: PathBuf,
    },
    /// Several files of the folder have a `matrix` block.
    #[error(
        "several files in `{}` have a `matrix` block, name one of them: {}",
        shown(path),
        listed(files)
    )]
    SeveralMatrices {
        /// The folder as it was given.
        path: PathBuf,
        /// Their names.
        files: Vec<String>,
    },
}

/// Loads the matrix at a path: checks it, and runs its examples if it has no error and they are
/// asked for.
///
/// # Errors
/// When the path names nothing that could be a matrix. Mistakes inside the files are findings.
pub fn load(path: &Path, options: &Options, run_examples: bool) -> Result<Loaded, FilesError> {
    Ok(Root::open(path)?.load(options, run_examples))
}

/// Opens the matrix at a path: a file, or a folder with one file that has the `matrix` block. Its
/// examples must hold.
///
/// # Errors
/// When the path names nothing that could be a matrix, or the matrix has an error.
pub fn open(path: impl AsRef<Path>) -> Result<Arc<Matrix>, OpenError> {
    let loaded = load(path.as_ref(), &Options::default(), true)?;
    Ok(loaded.into_matrix()?)
}

/// Why a matrix cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The path names nothing that could be a matrix.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The matrix has errors.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// A path as messages show it: without characters that would act on a terminal.
#[must_use]
pub fn shown(path: &Path) -> String {
    path.to_string_lossy()
        .chars()
        .flat_map(|c| {
            let (kept, escaped) = if acts_on_terminal(c) {
                (None, Some(c.escape_unicode()))
            } else {
                (Some(c), None)
            };
            kept.into_iter().chain(escaped.into_iter().flatten())
        })
        .collect()
}

/// Whether a character moves, colours or reorders what a terminal shows: the control characters
/// and the bidirectional ones (Unicode UAX #9, and the two separators).
#[must_use]
pub fn acts_on_terminal(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn listed(files: &[String]) -> String {
    let names: Vec<String> = files
        .iter()
        .map(|f| format!("`{}`", shown(Path::new(f))))
        .collect();
    names.join(", ")
}

/// Completes what the check found: the examples' findings, or a note that they did not run, and
/// the bound on findings.
fn finish(mut loaded: Loaded, run_examples: bool) -> Loaded {
    if run_examples {
        match &loaded.matrix {
            Some(matrix) if !loaded.diagnostics.has_errors() => {
                loaded.diagnostics.extend(check_examples(matrix));
                loaded.diagnostics.finish();
            }
            _ if loaded.examples > 0 => loaded.diagnostics.push(not_run(loaded.examples)),
            _ => {}
        }
    }
    loaded.diagnostics = bounded(loaded.diagnostics, limits::FINDINGS);
    loaded
}

/// The note that examples did not run. It speaks of the whole matrix, so its place is the start.
fn not_run(examples: usize) -> Diagnostic {
    let subject = if examples == 1 {
        "1 example".to_owned()
    } else {
        format!("{examples} examples")
    };
    let message = format!("{subject} did not run, because the matrix has errors");
    Diagnostic::new(codes::EXAMPLES_NOT_RUN, Span::new(FileId(0), 0..0), message)
}

/// At most `most` findings, in their order; errors are kept before warnings, and those before
/// notes, so that what is cut never turns a broken matrix into a sound one.
fn bounded(all: Diagnostics, most: usize) -> Diagnostics {
    if all.len() + all.dropped() <= most {
        return all;
    }
    let more = all.len().saturating_sub(most) + all.dropped();
    let mut room = most;
    let mut quota = |severity| {
        let count = all.count(severity).min(room);
        room -= count;
        (severity, count)
    };
    let mut quotas = [Severity::Error, Severity::Warning, Severity::Note].map(&mut quota);
    let mut kept = Diagnostics::default();
    kept.extend(all.into_iter().filter(|finding| {
        let quota = quotas.iter_mut().find(|(s, _)| *s == finding.severity());
        match quota {
            Some((_, left)) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }));
    let message = format!("{more} more findings are not shown");
    kept.push(Diagnostic::new(
        codes::MORE_FINDINGS,
        Span::new(FileId(0), 0..0),
        message,
    ));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(codes: &[codes::Code]) -> Diagnostics {
        let mut all = Diagnostics::default();
        all.extend((0..).zip(codes).map(|(at, code)| {
            Diagnostic::new(*code, Span::new(FileId(0), at..at), format!("{at}"))
        }));
        all
    }

    #[test]
    fn a_cut_list_keeps_the_errors() {
        let all = [
            codes::NO_BACKUP,
            codes::NO_ABOUT,
            codes::SYNTAX,
            codes::OPT_OUT,
        ];
        assert_eq!(bounded(findings(&all), 4).len(), 4);
        let cut = bounded(findings(&all), 2);
        let shown: Vec<_> = cut.iter().map(|d| d.code.as_str()).collect();
        assert_eq!(shown, ["W0802", "E0201", "N0902"]);
        assert!(
            cut.iter()
                .any(|d| d.message == "2 more findings are not shown")
        );
    }

    #[test]
    fn a_shown_path_does_not_act_on_a_terminal() {
        let path = Path::new("a\u{1b}[31m\u{202e}b ü.lane");
        assert_eq!(shown(path), "a\\u{1b}[31m\\u{202e}b ü.lane");
    }
}
