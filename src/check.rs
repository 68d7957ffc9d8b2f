//! From the texts of a matrix to a [`Matrix`] that is valid by construction.
//!
//! In: a [`Reader`] of files and the root's path. Out: a [`Loaded`]: the matrix, if there is no
//! error, and every finding.
//! Invariant: names become ids here and nowhere else; all findings come at once, and nothing is
//! reported that only follows from another finding.
//! Knows no file system and runs no examples.

use std::sync::Arc;

use chrono::NaiveDate;

use crate::diagnostic::{Diagnostics, Severity};
use crate::limits::Limits;
use crate::matrix::Matrix;
use crate::span::Sources;

mod build;
mod cases;
mod conds;
mod fields;
mod files;
mod kinds;
mod lanes;
mod lint;
mod names;
mod people;
mod terms;
mod tests_of;
mod values;

/// Where the texts come from.
pub trait Reader {
    /// Reads a file. The path is relative to the root file's folder, with `/` between its parts and
    /// without `.` and `..`.
    ///
    /// # Errors
    /// When there is no such file, or it must not or cannot be read.
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError>;

    /// How messages name the file.
    fn display(&self, path: &str) -> String {
        path.to_owned()
    }
}

/// Why a file cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is none.
    #[error("there is no such file")]
    NotFound,
    /// It lies outside the root's folder, perhaps through a link.
    #[error("it lies outside the folder of the root file")]
    Outside,
    /// It is larger than the limit.
    #[error("it has {bytes} bytes")]
    TooLarge {
        /// Its size.
        bytes: u64,
    },
    /// The system says no.
    #[error("{0}")]
    Io(String),
}

/// Texts in memory, by path.
impl Reader for std::collections::BTreeMap<String, String> {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        let text = self.get(path).ok_or(ReadError::NotFound)?;
        Ok(text.clone().into_bytes())
    }
}

/// How to check.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The bounds.
    pub limits: Limits,
    /// The day on which it is checked, for findings about dates that pass; none of them without.
    pub today: Option<NaiveDate>,
}

/// What came of a check.
#[derive(Debug)]
pub struct Loaded {
    /// The texts.
    pub sources: Arc<Sources>,
    /// The matrix, if there is no error.
    pub matrix: Option<Arc<Matrix>>,
    /// Every finding, in order of place.
    pub diagnostics: Diagnostics,
    /// How many examples and scenarios the texts have.
    pub examples: usize,
}

/// Checks a matrix: reads the root and what it imports, resolves names, types every test, and looks
/// for common mistakes. Examples are not run.
#[must_use]
pub fn check(reader: &dyn Reader, root: &str, options: &Options) -> Loaded {
    let files = files::read(reader, root, &options.limits);
    build::build(files, options)
}

/// Checks a matrix of one text.
#[must_use]
pub fn check_text(name: &str, text: &str, options: &Options) -> Loaded {
    let files = std::collections::BTreeMap::from([(name.to_owned(), text.to_owned())]);
    check(&files, name, options)
}

/// A matrix that does not load, with everything that is wrong with it.
#[derive(Debug)]
pub struct LoadError {
    /// The texts that the findings point into.
    pub sources: Arc<Sources>,
    /// Every finding, warnings too.
    pub diagnostics: Diagnostics,
}

impl std::fmt::Display for LoadError {
    /// One line for each error: `file:line:column: E0307 message`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the matrix does not load")?;
        let errors = self
            .diagnostics
            .iter()
            .filter(|d| d.severity() == Severity::Error);
        for error in errors {
            let place = error.locate(&self.sources).place;
            write!(
                f,
                "\n{}:{}:{}: {} {}",
                place.file, place.line, place.column, error.code, error.message
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for LoadError {}

impl Loaded {
    /// The matrix, or everything that is wrong with it.
    ///
    /// # Errors
    /// When there is an error among the findings.
    pub fn into_matrix(self) -> Result<Arc<Matrix>, LoadError> {
        let failed = LoadError {
            sources: self.sources,
            diagnostics: self.diagnostics,
        };
        match self.matrix {
            Some(matrix) if !failed.diagnostics.has_errors() => Ok(matrix),
            _ => Err(failed),
        }
    }
}
