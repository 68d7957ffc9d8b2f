//! Connections that read.
//!
//! In: units of work. Out: what they read, each in a transaction that sees one state. Invariant: at most so
//! many connections; none writes.
//! Knows nothing of what the work reads.

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, PoisonError};

use rusqlite::Connection;

use super::connect::to_read;
use super::transaction::SqliteTransaction;
use super::writer::Wall;
use crate::limits::STORE_READERS;
use crate::store::attempt::{attempt, broke_off};
use crate::store::transaction::{StoreError, Work};

/// Connections that wait to be used.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    free: Mutex<Free>,
    returned: Condvar,
}

#[derive(Debug, Default)]
struct Free {
    connections: Vec<Connection>,
    lent: usize,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            free: Mutex::default(),
            returned: Condvar::new(),
        }
    }

    pub(super) fn read(&self, mut work: Work, wall: &Wall) -> Result<(), StoreError> {
        let connection = self.take()?;
        let done = in_one(&connection, &mut work, wall);
        let ended = match connection.is_autocommit() {
            true => Ok(()),
            false => connection.execute_batch("ROLLBACK"),
        };
        // One whose transaction does not end is not used again.
        self.give_back(ended.is_ok().then_some(connection));
        done
    }

    fn take(&self) -> Result<Connection, StoreError> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(connection) = free.connections.pop() {
                free.lent += 1;
                return Ok(connection);
            }
            if free.lent < STORE_READERS {
                let connection = to_read(&self.path)?;
                free.lent += 1;
                return Ok(connection);
            }
            let waited = self.returned.wait(free);
            free = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn give_back(&self, connection: Option<Connection>) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.lent = free.lent.saturating_sub(1);
        free.connections.extend(connection);
        self.returned.notify_one();
    }

    /// Closes what is not in use.
    pub(super) fn close(&self) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.connections.clear();
    }
}

fn in_one(connection: &Connection, work: &mut Work, wall: &Wall) -> Result<(), StoreError> {
    connection.execute_batch("BEGIN DEFERRED")?;
    let mut transaction = SqliteTransaction {
        connection,
        wall: &**wall,
        erased: &Cell::new(false),
    };
    attempt(work, &mut transaction).unwrap_or_else(|| Err(broke_off()))
}
