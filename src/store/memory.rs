//! Escalations in memory, for tests and trials.
//!
//! In: units of work. Out: each done as a whole, or not at all; gone with the process.
//! Invariant: work that fails leaves nothing behind. What breaks an invariant of the lifecycle is refused, as
//! a schema would.
//! Knows no disk.

mod kept;
mod page;
mod table;
mod transaction;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::attempt::{attempt, broke_off};
use super::kept::{Attempt, Entry, EntryKind};
use super::transaction::{Request, Store, StoreError, Tombstone, Work};
use crate::clock::Timestamp;
use crate::escalation::audit::{Checkpoint, Row, Salt};
use crate::escalation::{Escalation, Notice};
use table::Table;
use transaction::MemoryTransaction;

/// A store in memory.
pub struct MemoryStore {
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    state: Mutex<State>,
}

/// All that it keeps.
#[derive(Debug, Default)]
struct State {
    escalations: Table<String, Kept>,
    requests: Table<(String, String), Request>,
    matrices: Table<String, String>,
    audit: Table<u64, AuditRow>,
    /// The rows of a chain, by escalation and place.
    chains: Table<(String, u64), u64>,
    outbox: Table<u64, Waiting>,
    /// Where a notice is in the outbox.
    posted: Table<String, u64>,
    checkpoints: Table<u64, Checkpoint>,
    settings: Table<String, String>,
    entries: Table<(EntryKind, String), Entry>,
    attempts: Table<u64, Attempt>,
    /// The last position that an attempt was given. One that was taken back is not given again.
    attempt: u64,
}

/// An escalation that is kept.
#[derive(Debug, Clone)]
struct Kept {
    escalation: Escalation,
    is_erased: bool,
}

/// A row of the audit with its payload.
#[derive(Debug, Clone)]
struct AuditRow {
    row: Row,
    payload: Result<(Salt, String), Tombstone>,
}

/// A notice in the outbox.
#[derive(Debug, Clone)]
struct Waiting {
    notice: Notice,
    escalation: String,
    /// What it merges with; nothing once it is sent again.
    merge: Option<String>,
    state: Sending,
    count: u32,
    attempts: u32,
    not_before: Timestamp,
    /// The last attempt before it was sent again.
    attempts_before: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sending {
    Waiting,
    Sent,
    Failed,
}

impl State {
    /// Keeps what was done since the last time, or takes it back.
    fn end(&mut self, keep: bool) {
        self.escalations.end(keep);
        self.requests.end(keep);
        self.matrices.end(keep);
        self.audit.end(keep);
        self.chains.end(keep);
        self.outbox.end(keep);
        self.posted.end(keep);
        self.checkpoints.end(keep);
        self.settings.end(keep);
        self.entries.end(keep);
        self.attempts.end(keep);
    }
}

impl MemoryStore {
    /// An empty one, with a clock.
    #[must_use]
    pub fn new(clock: Arc<dyn Fn() -> Timestamp + Send + Sync>) -> Self {
        Self {
            clock,
            state: Mutex::default(),
        }
    }

    fn run(&self, mut work: Work, keeps: bool) -> Result<(), StoreError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut transaction = MemoryTransaction {
            state: &mut state,
            clock: &*self.clock,
        };
        let done = attempt(&mut work, &mut transaction).unwrap_or_else(|| Err(broke_off()));
        state.end(keeps && done.is_ok());
        done
    }
}

impl Store for MemoryStore {
    fn write(&self, work: Work) -> Result<(), StoreError> {
        self.run(work, true)
    }

    fn read(&self, work: Work) -> Result<(), StoreError> {
        self.run(work, false)
    }

    fn kind(&self) -> &'static str {
        "memory"
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

/// The keys of one escalation in a map that is sorted by it.
fn of<'t, V>(
    table: &'t BTreeMap<(String, u64), V>,
    id: &str,
) -> impl DoubleEndedIterator<Item = &'t V> {
    let all = (id.to_owned(), 0)..=(id.to_owned(), u64::MAX);
    table.range(all).map(|(_, value)| value)
}
