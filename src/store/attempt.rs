//! One attempt at a unit of work.
//!
//! In: the work, and a transaction for it. Out: that it was done as a whole, or why not.
//! Invariant: work of which a call failed has failed, also where it goes on as if nothing was: half of what
//! it meant to do would be kept. A panic is a failure.
//! Knows neither what the work does, nor how a transaction begins and ends.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::kept::{Attempt, AttemptQuery, Entry, EntryKind};
use super::transaction::{
    Behind, Delivery, Outbox, Posted, Query, Request, StoreError, StoreErrorKind, Stored, Summary,
    Tombstone, Transaction, Work, Writing,
};
use crate::clock::Timestamp;
use crate::escalation::audit::{Checkpoint, Payload, Row};
use crate::escalation::{Counts, Principal};

/// Does the work; `None` where it broke off with a panic.
pub(super) fn attempt(
    work: &mut Work,
    transaction: &mut dyn Transaction,
) -> Option<Result<(), StoreError>> {
    let mut remembering = Remembering {
        inner: transaction,
        failure: None,
    };
    let done = catch_unwind(AssertUnwindSafe(|| work(&mut remembering))).ok()?;
    Some(match (done, remembering.failure) {
        (Ok(()), Some(failure)) => Err(failure),
        (done, _) => done,
    })
}

/// What is answered where work broke off.
pub(super) fn broke_off() -> StoreError {
    StoreError::new(StoreErrorKind::Work, "the work broke off with a panic")
}

/// A transaction that remembers which failure came first.
struct Remembering<'t> {
    inner: &'t mut dyn Transaction,
    failure: Option<StoreError>,
}

impl Remembering<'_> {
    fn note<T>(&mut self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &done {
            self.failure.get_or_insert_with(|| error.clone());
        }
        done
    }
}

macro_rules! calls {
    ($($name:ident($($argument:ident: $of:ty),*) -> $value:ty;)*) => {
        impl Transaction for Remembering<'_> {
            $(fn $name(&mut self, $($argument: $of),*) -> Result<$value, StoreError> {
                let done = self.inner.$name($($argument),*);
                self.note(done)
            })*
        }
    };
}

calls! {
    wall() -> Timestamp;
    lock(id: &str) -> Option<Stored>;
    get(id: &str) -> Option<Stored>;
    put(writing: &Writing<'_>) -> ();
    request(requester: &Principal, key: &str) -> Option<Request>;
    put_request(request: &Request) -> ();
    drop_request(requester: &Principal, key: &str) -> bool;
    drop_requests(ended_before: Timestamp, limit: u32) -> u64;
    drop_notices(ended_before: Timestamp, limit: u32) -> u64;
    group(group: &str) -> Option<String>;
    counts(requester: &Principal, flood: &str) -> Counts;
    due(now: Timestamp, limit: u32) -> Vec<String>;
    page(query: &Query) -> Vec<Summary>;
    history(id: &str) -> Vec<(Row, Payload)>;
    put_matrix(digest: &str, source: &str) -> ();
    matrix(digest: &str) -> Option<String>;
    take_notices(now: Timestamp, until: Timestamp, limit: u32) -> Vec<Posted>;
    note_delivery(id: &str, delivery: &Delivery) -> ();
    all_failed(step: &str) -> bool;
    outbox() -> Outbox;
    last_checkpoint() -> Option<Checkpoint>;
    checkpoints() -> Vec<Checkpoint>;
    behind(seq: u64) -> Behind;
    put_checkpoint(checkpoint: &Checkpoint) -> ();
    rows(behind: u64, limit: u32) -> Vec<(Row, Payload)>;
    erase(id: &str, tombstone: &Tombstone) -> ();
    ended(before: Timestamp, limit: u32) -> Vec<String>;
    setting(name: &str) -> Option<String>;
    put_setting(name: &str, value: &str) -> ();
    entry(kind: EntryKind, key: &str) -> Option<Entry>;
    put_entry(entry: &Entry) -> ();
    drop_entry(kind: EntryKind, key: &str) -> bool;
    entries(kind: EntryKind, owner: Option<&str>, behind: Option<&str>, limit: u32) -> Vec<Entry>;
    drop_entries_of(kind: EntryKind, owner: &str) -> u64;
    drop_entries(until: Timestamp, limit: u32) -> u64;
    put_attempt(attempt: &Attempt) -> ();
    attempts(query: &AttemptQuery) -> Vec<(u64, Attempt)>;
    taken_by(notice: &str) -> Vec<String>;
    drop_attempts(before: Timestamp, limit: u32) -> u64;
    look_at_tables() -> bool;
    redeliver(id: &str, at: Timestamp) -> bool;
}
