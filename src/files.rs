//! A matrix on disk: finds its root file, reads it with its imports, checks it and runs its examples.
//!
//! In: a path as a person gave it (a file, a folder, or `-` for standard input). Out: what the check
//! found, with the files named as that person named them.
//! Invariant: nothing outside the root file's folder is ever read for an import or written for a
//! fix, also not through a link; a file is never read further than its bound.
//! Knows nothing of the language but how a `matrix` block starts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::check::{LoadError, Loaded, Options};
use crate::matrix::Matrix;

mod cases;
#[cfg(feature = "config")]
pub mod config;
mod disk;
mod finish;
mod replace;
mod root;

pub use cases::{CaseFile, CaseFileError};
pub use disk::read;
use finish::finish;
pub use replace::replace;
pub use root::Root;
#[cfg(feature = "cli")]
pub(crate) use root::starts_matrix;

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
    let mut shown = String::new();
    for c in path.to_string_lossy().chars() {
        if acts_on_terminal(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Whether a character moves, colours or reorders what a terminal shows: the control characters
/// and the bidirectional ones (Unicode UAX #9, and the two separators).
#[must_use]
pub fn acts_on_terminal(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character has no width, or turns what follows: general category Cf and its kin that browsers
/// and mail programs act on.
#[must_use]
pub fn hides(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}')
}

fn listed(files: &[String]) -> String {
    let names: Vec<String> = files
        .iter()
        .map(|f| format!("`{}`", shown(Path::new(f))))
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_path_does_not_act_on_a_terminal() {
        let path = Path::new("a\u{1b}[31m\u{202e}b ü.lane");
        assert_eq!(shown(path), "a\\u{1b}[31m\\u{202e}b ü.lane");
    }
}
