//! Escalations in one file of SQLite.
//!
//! In: units of work. Out: each done as a whole and durable, or not at all.
//! Invariant: the schema refuses what breaks a rule of the lifecycle, whoever writes. One thread writes, and
//! what it says is done survives a loss of power. Only the owner may read the file.
//! Knows no rule of the lifecycle but those in its schema.
//!
//! The write-ahead log makes a reader see one state while the writer goes on. Several processes may have the
//! file open; each waits for the other for a few seconds.

mod audit;
mod backup;
mod columns;
mod connect;
mod error;
mod kept;
mod load;
mod migrate;
mod outbox;
mod page;
mod put;
mod readers;
#[cfg(test)]
mod tests;
mod transaction;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

pub use backup::backup;

use super::transaction::{Store, StoreError, Work};
use crate::clock::Timestamp;
use readers::Readers;
use writer::{Wall, Writer};

/// A store in a file.
pub struct SqliteStore {
    readers: Readers,
    writer: Writer,
    wall: Wall,
}

/// How a file is opened.
pub struct SqliteOptions {
    /// The clock of the machine. It is read in each transaction, behind its locks.
    pub wall: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Whether what is done survives a loss of power. Only a test may do without.
    pub survives_power_loss: bool,
}

impl SqliteOptions {
    /// With a clock, and durable.
    #[must_use]
    pub fn new(wall: Arc<dyn Fn() -> Timestamp + Send + Sync>) -> Self {
        Self {
            wall,
            survives_power_loss: true,
        }
    }
}

impl SqliteStore {
    /// Opens a file, and makes it if it is not there.
    ///
    /// # Errors
    /// When it cannot be made, is of another program, or of a newer version of this one.
    pub fn open(path: &Path, options: SqliteOptions) -> Result<Self, StoreError> {
        connect::make_file(path)?;
        let mut connection = connect::to_write(path, &options)?;
        migrate::migrate(&mut connection, (options.wall)())?;
        Ok(Self {
            readers: Readers::new(path.to_owned()),
            writer: Writer::start(connection, Arc::clone(&options.wall))?,
            wall: options.wall,
        })
    }
}

impl Store for SqliteStore {
    fn write(&self, work: Work) -> Result<(), StoreError> {
        self.writer.write(work)
    }

    fn read(&self, work: Work) -> Result<(), StoreError> {
        self.readers.read(work, &self.wall)
    }

    fn kind(&self) -> &'static str {
        "sqlite"
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // Readers go first, so that the writer can empty its log.
        self.readers.close();
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("readers", &self.readers)
            .field("writer", &self.writer)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SqliteOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteOptions")
            .field("survives_power_loss", &self.survives_power_loss)
            .finish_non_exhaustive()
    }
}
