//! A copy of the file while it is in use.
//!
//! In: a path at which nothing is. Out: a file with one state of everything.
//! Invariant: only the owner may read it, from the first moment on; a copy that was not made whole is not
//! there.

use std::path::Path;

use super::connect;
use crate::store::transaction::{StoreError, StoreErrorKind};

/// Copies the store of a file to another. Who writes meanwhile is not in the way.
///
/// # Errors
/// When something is at that path, or the copy cannot be made.
pub fn backup(from: &Path, to: &Path) -> Result<(), StoreError> {
    if to.exists() {
        let message = format!("`{}` is there already", to.display());
        return Err(StoreError::new(StoreErrorKind::Io, message));
    }
    let Some(name) = to.to_str() else {
        let message = format!("`{}` is no UTF-8, which SQLite needs", to.display());
        return Err(StoreError::new(StoreErrorKind::Io, message));
    };
    // SQLite writes into an empty file that is there, and that is its owner's alone.
    connect::make_file(to)?;
    let connection = connect::to_copy(from)?;
    let copied = connection.execute("VACUUM INTO ?1", [name]);
    let synced = copied.map_err(StoreError::from).and_then(|_| {
        let file = std::fs::File::open(to).and_then(|file| file.sync_all());
        file.map_err(|error| StoreError::new(StoreErrorKind::Io, error.to_string()))
    });
    if synced.is_err() {
        // What is there is no copy.
        let _ = std::fs::remove_file(to);
    }
    synced
}
