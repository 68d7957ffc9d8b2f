//! Reads the files of one matrix for the check.
//!
//! In: paths relative to the root's folder. Out: bytes, and the names that messages show.
//! Invariant: only regular files, never beyond their bound, and for imports only inside the folder.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use super::root::{OnDisk, Place, Root, STDIN};
use crate::check::{ReadError, Reader};
use crate::limits::Limits;

/// A root as the check reads it, with its bound on one file.
#[derive(Debug)]
pub(super) struct Disk<'a> {
    root: &'a Root,
    most: u64,
}

impl<'a> Disk<'a> {
    pub(super) fn new(root: &'a Root, limits: &Limits) -> Self {
        Self {
            root,
            most: limits.file_bytes as u64,
        }
    }
}

impl Reader for Disk<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        let root = match &self.root.place {
            Place::Stdin(text) if path == STDIN => {
                return text.get_or_init(|| read(Path::new("-"), self.most)).clone();
            }
            Place::Stdin(_) => {
                let reason = "a matrix from standard input has no folder to import from";
                return Err(ReadError::Io(reason.to_owned()));
            }
            Place::Disk(root) => root,
        };
        let file = if path == root.name {
            root.file.clone()
        } else {
            inside(root, path)?
        };
        let bytes = read(&file, self.most)?;
        let mut places = self.root.read.borrow_mut();
        places.insert(self.display(path), file);
        Ok(bytes)
    }

    fn display(&self, path: &str) -> String {
        match &self.root.place {
            Place::Stdin(_) => path.to_owned(),
            Place::Disk(root) if path == root.name => root.shown.to_string_lossy().into_owned(),
            Place::Disk(root) => {
                let shown = root.shown_folder.join(path);
                shown.to_string_lossy().into_owned()
            }
        }
    }
}

/// The real file of an import, if it lies inside the root's folder.
fn inside(root: &OnDisk, path: &str) -> Result<PathBuf, ReadError> {
    let relative = Path::new(path);
    let plain = |c| matches!(c, Component::Normal(_) | Component::CurDir);
    if !relative.components().all(plain) {
        return Err(ReadError::Outside);
    }
    let real = fs::canonicalize(root.folder.join(relative)).map_err(failed)?;
    if real.starts_with(&root.folder) {
        Ok(real)
    } else {
        Err(ReadError::Outside)
    }
}

/// Reads a regular file, or standard input for `-`, of at most `most` bytes.
///
/// # Errors
/// When it is not there, is not a regular file, has more bytes, or cannot be read.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>, ReadError> {
    if path == Path::new("-") {
        return whole(io::stdin().lock(), most);
    }
    // The kind is asked before the file is opened: opening a pipe waits for its writer.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(ReadError::Io("it is not a regular file".to_owned()));
    }
    let file = File::open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    if bytes > most {
        return Err(ReadError::TooLarge { bytes });
    }
    // The length is a promise only: a file may grow, and those of /proc say 0.
    whole(file, most)
}

/// All bytes of a reader, unless there are more than `most`.
fn whole(reader: impl Read, most: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    let mut bounded = reader.take(most.saturating_add(1));
    bounded.read_to_end(&mut bytes).map_err(failed)?;
    match bytes.len() as u64 {
        read if read > most => Err(ReadError::TooLarge { bytes: read }),
        _ => Ok(bytes),
    }
}

fn failed(error: io::Error) -> ReadError {
    match error.kind() {
        io::ErrorKind::NotFound => ReadError::NotFound,
        _ => ReadError::Io(describe(&error)),
    }
}

/// What the system said, in lower case and without its number.
pub(super) fn describe(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(_) => error.kind().to_string(),
        None => error.to_string(),
    }
}
