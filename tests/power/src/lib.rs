//! What SQLite writes to its files, in order, and what a loss of power leaves of it.
//!
//! In: a folder. Out: the [`Step`]s of every file of SQLite in it, and a [`Disk`] that loses what was not
//! synced.
//! Invariant: a step is recorded while no other can come in between, so that the order is the one in
//! which the files were changed. Locks and shared memory are not recorded: they do not outlive a machine.
//! Knows nothing of what is in the files.

mod disk;
mod shim;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

pub use disk::{Disk, Keep};

/// One thing that happened to the files of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A file came to be.
    Create {
        /// Its name.
        name: String,
    },
    /// Bytes were written.
    Write {
        /// Of the file.
        name: String,
        /// Where they begin.
        at: usize,
        /// They.
        bytes: Vec<u8>,
    },
    /// A file got another length.
    Truncate {
        /// Of the file.
        name: String,
        /// In bytes.
        length: usize,
    },
    /// A file was synced.
    Sync {
        /// Of the file.
        name: String,
        /// Whether its folder was synced as well.
        with_folder: bool,
    },
    /// A file was removed.
    Delete {
        /// Its name.
        name: String,
        /// Whether the folder was synced behind it.
        with_folder: bool,
    },
    /// The test said something, such as that it was told that its work is done.
    Noted(u64),
}

/// The record of one folder. It ends with the last of its copies.
#[derive(Debug, Clone)]
pub struct Record(Arc<Watched>);

#[derive(Debug)]
struct Watched {
    folder: PathBuf,
    steps: Mutex<Vec<Step>>,
}

static WATCHED: Mutex<Vec<Weak<Watched>>> = Mutex::new(Vec::new());

/// Records from now on what SQLite does in a folder. Only connections that are opened later are seen.
///
/// # Errors
/// When there is no such folder.
///
/// # Panics
/// When SQLite has no file system.
pub fn record(folder: &Path) -> std::io::Result<Record> {
    shim::register();
    let watched = Arc::new(Watched {
        // SQLite follows links before it opens.
        folder: folder.canonicalize()?,
        steps: Mutex::default(),
    });
    held(&WATCHED).push(Arc::downgrade(&watched));
    Ok(Record(watched))
}

impl Record {
    /// Records that the test knows something from here on.
    pub fn note(&self, what: u64) {
        held(&self.0.steps).push(Step::Noted(what));
    }

    /// What happened so far.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        held(&self.0.steps).clone()
    }
}

/// The record of the folder that a file is in, and the file's name in it.
fn watched(path: &Path) -> Option<(Arc<Watched>, String)> {
    let (folder, name) = (path.parent()?, path.file_name()?.to_str()?);
    let mut all = held(&WATCHED);
    all.retain(|watched| watched.strong_count() > 0);
    let found = all.iter().filter_map(Weak::upgrade);
    let found = found.into_iter().find(|watched| watched.folder == folder)?;
    Some((found, name.to_owned()))
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
