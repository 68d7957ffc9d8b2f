//! Case files: samples and scenarios that lie beside a matrix and not in it.
//!
//! In: a root, and the texts of case files. Out: what the check found of all together, as if the
//! last lines of the root file imported the case files.
//! Invariant: spans in the root file are those without the case files, and a case file adds
//! nothing but samples and scenarios.

use std::cell::RefCell;
use std::path::Path;

use super::disk::Disk;
use super::root::{Place, Root, STDIN};
use super::{finish, read, shown};
use crate::check::{Loaded, Options, ReadError, Reader, check};
use crate::limits::Limits;
use crate::span::{FileId, Source};
use crate::syntax::ast::ItemKind;
use crate::syntax::parse;

/// A file that holds only samples and scenarios.
#[derive(Debug, Clone)]
pub struct CaseFile {
    /// How messages name it.
    name: String,
    bytes: Vec<u8>,
}

/// Why a file is no case file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CaseFileError {
    /// It cannot be read.
    #[error("`{name}` cannot be read: {reason}")]
    Unreadable {
        /// The file as messages name it.
        name: String,
        /// Why not.
        reason: ReadError,
    },
    /// It holds something else.
    #[error(
        "{name}:{line}: a case file holds only samples and scenarios, and this is another item"
    )]
    AnotherItem {
        /// The file as messages name it.
        name: String,
        /// The line of the item, from 1.
        line: u32,
    },
}

impl CaseFile {
    /// Reads a case file, or standard input for `-`. Its syntax errors are findings of the load.
    ///
    /// # Errors
    /// When it cannot be read, or holds items other than samples and scenarios.
    pub fn read(path: &Path, limits: &Limits) -> Result<Self, CaseFileError> {
        let is_stdin = path == Path::new("-");
        let name = if is_stdin {
            STDIN.to_owned()
        } else {
            shown(path)
        };
        let bytes = match read(path, limits.file_bytes as u64) {
            Ok(bytes) => bytes,
            Err(reason) => return Err(CaseFileError::Unreadable { name, reason }),
        };
        if let Ok(text) = std::str::from_utf8(&bytes) {
            let ast = parse(FileId(0), text, limits).ast;
            let other = ast.items.iter().find(|item| {
                let is_case = matches!(item.node, ItemKind::Sample(_) | ItemKind::Scenario(_));
                !is_case && !matches!(item.node, ItemKind::Broken(_))
            });
            if let Some(other) = other {
                let line = Source::new("", text).line_column(other.span.start).line;
                return Err(CaseFileError::AnotherItem { name, line });
            }
        }
        Ok(Self { name, bytes })
    }
}

impl Root {
    /// Checks the matrix together with case files. No example is run.
    pub fn load_with_cases(&self, options: &Options, cases: &[CaseFile]) -> Loaded {
        if cases.is_empty() {
            return self.load(options, false);
        }
        self.load_with_paths(options, cases).0
    }

    /// The same, and by which path the check asked for each file, in the order of the sources.
    pub fn load_with_paths(&self, options: &Options, cases: &[CaseFile]) -> (Loaded, Vec<String>) {
        let root = match &self.place {
            Place::Stdin(_) => STDIN,
            Place::Disk(root) => &root.name,
        };
        let disk = Disk::new(self, &options.limits);
        let together = Together { disk, root, cases };
        let noted = Noted {
            reader: &together,
            paths: RefCell::default(),
        };
        let loaded = finish(check(&noted, root, options), false);
        (loaded, noted.paths.into_inner())
    }
}

/// A reader that notes what it is asked for.
struct Noted<'a> {
    reader: &'a dyn Reader,
    paths: RefCell<Vec<String>>,
}

impl Reader for Noted<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        self.paths.borrow_mut().push(path.to_owned());
        self.reader.read(path)
    }

    fn display(&self, path: &str) -> String {
        self.reader.display(path)
    }
}

/// A root with case files.
struct Together<'a> {
    disk: Disk<'a>,
    root: &'a str,
    cases: &'a [CaseFile],
}

/// The path by which the root imports a case file. No import of a person looks like it.
fn import_name(position: usize) -> String {
    format!("<cases {}>", position + 1)
}

impl Together<'_> {
    fn case(&self, path: &str) -> Option<&CaseFile> {
        let mut cases = (0..).zip(self.cases);
        cases.find_map(|(n, case)| (import_name(n) == path).then_some(case))
    }
}

impl Reader for Together<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        if let Some(case) = self.case(path) {
            return Ok(case.bytes.clone());
        }
        let mut bytes = self.disk.read(path)?;
        if path == self.root {
            for n in 0..self.cases.len() {
                bytes.extend(format!("\nimport \"{}\"\n", import_name(n)).bytes());
            }
        }
        Ok(bytes)
    }

    fn display(&self, path: &str) -> String {
        match self.case(path) {
            Some(case) => case.name.clone(),
            None => self.disk.display(path),
        }
    }
}
