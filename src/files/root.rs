//! Which file is the root of a matrix, and in which folder its imports lie.
//!
//! In: a path as a person gave it. Out: a [`Root`] that loads the matrix, and later tells where a
//! named file lies on disk.
//! Invariant: a root's folder is the real folder of its real file.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::FilesError;
use super::disk::{Disk, describe};
use super::finish::finish;
use crate::check::{Loaded, Options, ReadError, check};
use crate::limits::Limits;

/// The root file of a matrix. It may be loaded more than once: after a fix, or when it changed.
#[derive(Debug)]
pub struct Root {
    pub(super) place: Place,
    /// Where each file that was read lies, by the name that messages show.
    pub(super) read: RefCell<BTreeMap<String, PathBuf>>,
}

/// Where the root's bytes come from.
#[derive(Debug)]
pub(super) enum Place {
    /// Standard input, read once.
    Stdin(OnceCell<Result<Vec<u8>, ReadError>>),
    /// A file.
    Disk(OnDisk),
}

/// A root file on disk.
#[derive(Debug)]
pub(super) struct OnDisk {
    /// The real file.
    pub(super) file: PathBuf,
    /// Its name, by which the check asks for it.
    pub(super) name: String,
    /// How messages show it.
    pub(super) shown: PathBuf,
    /// The real folder, which no import leaves.
    pub(super) folder: PathBuf,
    /// How messages show what lies in the folder.
    pub(super) shown_folder: PathBuf,
}

impl Root {
    /// Finds the root file: the file itself, the one file of a folder that has a `matrix` block,
    /// or standard input for `-`.
    ///
    /// # Errors
    /// When the path names none of these.
    pub fn open(path: &Path) -> Result<Self, FilesError> {
        let place = if path == Path::new("-") {
            Place::Stdin(OnceCell::new())
        } else {
            let kind = fs::metadata(path).map_err(|e| unusable(path, &e))?;
            if kind.is_dir() {
                Place::Disk(OnDisk::new(&only_matrix(path)?)?)
            } else if kind.is_file() {
                Place::Disk(OnDisk::new(path)?)
            } else {
                let path = path.to_owned();
                return Err(FilesError::NotAFile { path });
            }
        };
        let read = RefCell::default();
        Ok(Self { place, read })
    }

    /// The root file as messages show it.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.place {
            Place::Stdin(_) => STDIN.to_owned(),
            Place::Disk(root) => super::shown(&root.shown),
        }
    }

    /// The folder of the root file as messages show it; none for standard input.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match &self.place {
            Place::Stdin(_) => None,
            Place::Disk(root) => Some(&root.shown_folder),
        }
    }

    /// Checks the matrix, and runs its examples if it has no error and they are asked for.
    pub fn load(&self, options: &Options, run_examples: bool) -> Loaded {
        self.read.borrow_mut().clear();
        let disk = Disk::new(self, &options.limits);
        let name = match &self.place {
            Place::Stdin(_) => STDIN,
            Place::Disk(root) => &root.name,
        };
        finish(check(&disk, name, options), run_examples)
    }

    /// The shown names of the files that the last load read from the disk.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.read.borrow().keys().cloned().collect()
    }

    /// Where the file of that shown name lies on disk, if the last load read it from there.
    #[must_use]
    pub fn path_of(&self, name: &str) -> Option<PathBuf> {
        self.read.borrow().get(name).cloned()
    }
}

/// The name of standard input in messages.
pub(super) const STDIN: &str = "<stdin>";

impl OnDisk {
    fn new(path: &Path) -> Result<Self, FilesError> {
        let file = fs::canonicalize(path).map_err(|e| unusable(path, &e))?;
        let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
        let given = path.parent().unwrap_or(Path::new(""));
        let here = if given.as_os_str().is_empty() {
            Path::new(".")
        } else {
            given
        };
        // Behind a link the imports lie beside the real file, so they are shown there.
        let beside = fs::canonicalize(here).is_ok_and(|real| real == folder);
        let shown_folder = if beside {
            given.to_owned()
        } else {
            folder.clone()
        };
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        Ok(Self {
            name: name.into_owned(),
            shown: path.to_owned(),
            file,
            folder,
            shown_folder,
        })
    }
}

fn unusable(path: &Path, error: &io::Error) -> FilesError {
    let path = path.to_owned();
    match error.kind() {
        io::ErrorKind::NotFound => FilesError::NotFound { path },
        _ => FilesError::Unreadable {
            path,
            reason: describe(error),
        },
    }
}

/// The one file of a folder that has a `matrix` block.
fn only_matrix(folder: &Path) -> Result<PathBuf, FilesError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| unusable(folder, &e))? {
        let path = entry.map_err(|e| unusable(folder, &e))?.path();
        if is_lane_file(&path) && has_matrix_block(&path).map_err(|e| unusable(&path, &e))? {
            found.push(path);
        }
    }
    found.sort();
    match found.as_slice() {
        [one] => Ok(one.strip_prefix(".").unwrap_or(one).to_owned()),
        [] => Err(FilesError::NoMatrix {
            path: folder.to_owned(),
        }),
        _ => Err(FilesError::SeveralMatrices {
            path: folder.to_owned(),
            files: found.iter().map(|p| file_name(p)).collect(),
        }),
    }
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Whether a path is a visible `*.lane` file. Editors leave hidden ones behind.
fn is_lane_file(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "lane")
        && !file_name(path).starts_with('.')
        && path.is_file()
}

fn has_matrix_block(path: &Path) -> io::Result<bool> {
    let bound = Limits::default().file_bytes as u64;
    starts_matrix(BufReader::new(File::open(path)?.take(bound)))
}

/// Whether a line starts a `matrix` block. Strings end on their line, and nowhere else does a
/// string follow the word, so no parse is needed.
pub(crate) fn starts_matrix(mut reader: impl BufRead) -> io::Result<bool> {
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line);
        let rest = text.trim_ascii_start().strip_prefix(b"matrix");
        if rest.is_some_and(|rest| rest.trim_ascii_start().starts_with(b"\"")) {
            return Ok(true);
        }
        line.clear();
    }
    Ok(false)
}
