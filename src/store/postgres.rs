//! Escalations in PostgreSQL, for several servers on one database.
//!
//! In: units of work. Out: each in one transaction, committed durably or not at all.
//! Invariant: an escalation is locked before it is read, and the clock is that of the database, read
//! behind the lock: servers with different clocks judge by one. What the schema refuses, no server can
//! write.
//! Knows no rule of the lifecycle, and speaks to this machine only: connections are not encrypted yet.
//!
//! A call blocks its thread. It must not be made on a thread that drives an async runtime.

use std::time::Duration;

mod error;
mod kept;
mod load;
mod look;
mod migrate;
mod page;
mod pool;
mod put;
mod rows;
mod statements;
#[cfg(test)]
mod tests;
mod transaction;

use error::Failure;
use pool::{Lease, Pool};
use transaction::PostgresTransaction;

use super::attempt::{attempt, broke_off};
use super::{Store, StoreError, StoreErrorKind, Work};
use crate::limits::{POSTGRES_CONNECTIONS, POSTGRES_RERUNS};

/// How a store uses its database.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// Connections at once, at least one. Further calls wait.
    pub connections: usize,
    /// How long a call waits for a connection.
    pub patience: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            connections: POSTGRES_CONNECTIONS,
            patience: Duration::from_secs(5),
        }
    }
}

/// Escalations in a database of PostgreSQL, version 14 or later.
#[derive(Debug)]
pub struct PostgresStore {
    pool: Pool,
}

const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

impl PostgresStore {
    /// Opens a database by its URL (`postgres://..`) or its words (`host=.. user=.. dbname=..`), and
    /// brings its schema up to this program's version.
    ///
    /// # Errors
    /// When it cannot be reached, is not on this machine, does not commit durably, or has the schema of
    /// a newer program.
    pub fn open(url: &str, options: PostgresOptions) -> Result<Self, StoreError> {
        let pool = Pool::new(url, options)?;
        let mut lease = pool.lend()?;
        migrate::migrate(lease.get()?)?;
        lease.give_back();
        Ok(Self { pool })
    }

    /// A connection with a transaction that has begun. One that broke while nobody used it is replaced.
    fn begin(&self, sql: &str) -> Result<Lease<'_>, StoreError> {
        let mut lease = self.pool.lend()?;
        match lease.get()?.client.batch_execute(sql) {
            Ok(()) => return Ok(lease),
            Err(error) => {
                let failure = Failure::of(&error);
                if !failure.is_broken {
                    // It is closed with its failed transaction.
                    return Err(failure.error);
                }
            }
        }
        drop(lease);
        self.pool.forget_idle();
        let mut lease = self.pool.lend()?;
        let begun = lease.get()?.client.batch_execute(sql);
        begun.map_err(|error| Failure::of(&error).error)?;
        Ok(lease)
    }

    fn run(&self, work: &mut Work, writes: bool) -> Result<(), Failure> {
        let sql = if writes { BEGIN_WRITE } else { BEGIN_READ };
        let mut lease = self.begin(sql).map_err(Failure::plain)?;
        let connection = lease.get().map_err(Failure::plain)?;
        let mut transaction = PostgresTransaction::new(connection, writes);
        // A panic may have left the work half done, and the connection in the middle of an answer.
        let Some(done) = attempt(work, &mut transaction) else {
            return Err(Failure::plain(broke_off()));
        };
        // Work that goes on behind a failed statement has not done what it thinks: the server would
        // answer its commit by rolling back.
        let failure = match (done, transaction.failure()) {
            (Ok(()), None) => {
                return match connection.client.batch_execute("COMMIT") {
                    Ok(()) => {
                        lease.give_back();
                        Ok(())
                    }
                    Err(error) => {
                        let failure = Failure::of_commit(&error);
                        if !failure.is_broken {
                            lease.give_back();
                        }
                        Err(failure)
                    }
                };
            }
            (Ok(()), Some(failure)) => failure,
            (Err(error), Some(failure)) => Failure { error, ..failure },
            (Err(error), None) => Failure::plain(error),
        };
        if !failure.is_broken && connection.client.batch_execute("ROLLBACK").is_ok() {
            lease.give_back();
        }
        Err(failure)
    }
}

impl Store for PostgresStore {
    fn write(&self, mut work: Work) -> Result<(), StoreError> {
        let mut tries = 0;
        loop {
            match self.run(&mut work, true) {
                Ok(()) => return Ok(()),
                Err(failure) if failure.reruns && tries < POSTGRES_RERUNS => {
                    tries += 1;
                    std::thread::sleep(pause(tries));
                }
                Err(failure) if failure.reruns => {
                    return Err(StoreError::new(
                        StoreErrorKind::Busy,
                        format!(
                            "others were in the way {tries} times: {}",
                            failure.error.message
                        ),
                    ));
                }
                Err(failure) => return Err(failure.error),
            }
        }
    }

    fn read(&self, mut work: Work) -> Result<(), StoreError> {
        self.run(&mut work, false).map_err(|failure| failure.error)
    }

    fn kind(&self) -> &'static str {
        "postgres"
    }
}

/// Longer with each try, and not of equal length: those who met do not meet again.
fn pause(tries: u32) -> Duration {
    let most = 4_u64 << tries.min(6);
    let random = getrandom::u64().unwrap_or(u64::from(tries));
    Duration::from_millis(1 + random % most)
}
