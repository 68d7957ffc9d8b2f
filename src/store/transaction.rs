//! What every store of escalations can do, and how it says that it could not.
//!
//! In: units of work. Out: each done as a whole and durable, or not at all.
//! Invariant: what a store answered with `Ok` is there after any crash (rule 14). Where it is not known
//! whether something was done, the error says so, and the same request again is safe.
//! Knows no rule of the lifecycle; the schema says the invariants again.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

pub use super::error::{Known, StoreError, StoreErrorKind};
use super::kept::{Attempt, AttemptQuery, Entry, EntryKind};
use crate::clock::Timestamp;
use crate::decision::Urgency;
use crate::escalation::audit::{Checkpoint, Digest, Head, Payload, Row, Salt};
use crate::escalation::{Counts, Escalation, Notice, Outcome, Principal};

/// Whose escalations a server keeps: every table has the column, so that there can be several.
pub const TENANT: &str = "main";

/// A unit of work. It may run again, if the store asks for that (a serialization failure), so it must do
/// nothing outside of the transaction that it could not do twice.
pub type Work = Box<dyn FnMut(&mut dyn Transaction) -> Result<(), StoreError> + Send>;

/// A store of escalations.
pub trait Store: Send + Sync + fmt::Debug {
    /// Does a unit of work in one transaction. When it returns `Ok`, all of it is durable.
    ///
    /// # Errors
    /// Those of the work, and those of the store. [`StoreError::known`] says what is known.
    fn write(&self, work: Work) -> Result<(), StoreError>;

    /// Reads in one transaction that sees one state of everything, and blocks no writer. What the work
    /// writes is an error or is lost.
    ///
    /// # Errors
    /// As above.
    fn read(&self, work: Work) -> Result<(), StoreError>;

    /// What it is, for people: `memory`, `sqlite`, `postgres`.
    fn kind(&self) -> &'static str;
}

/// [`Store::write`] with a value.
///
/// # Errors
/// As there.
pub fn write<T: Send + 'static>(
    store: &dyn Store,
    work: impl FnMut(&mut dyn Transaction) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    with_value(work, |work| store.write(work))
}

/// [`Store::read`] with a value.
///
/// # Errors
/// As there.
pub fn read<T: Send + 'static>(
    store: &dyn Store,
    work: impl FnMut(&mut dyn Transaction) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    with_value(work, |work| store.read(work))
}

fn with_value<T: Send + 'static>(
    mut work: impl FnMut(&mut dyn Transaction) -> Result<T, StoreError> + Send + 'static,
    run: impl FnOnce(Work) -> Result<(), StoreError>,
) -> Result<T, StoreError> {
    let value = Arc::new(Mutex::new(None));
    let put = Arc::clone(&value);
    run(Box::new(move |transaction| {
        let made = work(transaction)?;
        *put.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
        Ok(())
    }))?;
    let mut value = value.lock().unwrap_or_else(PoisonError::into_inner);
    value
        .take()
        .ok_or_else(|| StoreError::other("the work was not run"))
}

/// What can be done in a transaction.
pub trait Transaction {
    /// The wall clock, read now: after every lock that was taken before (rule 4).
    ///
    /// # Errors
    /// When the store cannot be asked.
    fn wall(&mut self) -> Result<Timestamp, StoreError>;

    /// Locks an escalation until the end of the transaction, and reads it.
    ///
    /// # Errors
    /// When it cannot be read.
    fn lock(&mut self, id: &str) -> Result<Option<Stored>, StoreError>;

    /// Reads an escalation without locking it.
    ///
    /// # Errors
    /// When it cannot be read.
    fn get(&mut self, id: &str) -> Result<Option<Stored>, StoreError>;

    /// Writes what a command did. The matrix of a new escalation is kept before
    /// ([`put_matrix`](Self::put_matrix)). A notice whose id is there already is left out; one with a
    /// merge key that waits already, and was not taken, is counted there.
    ///
    /// # Errors
    /// When it cannot be written, or the schema refuses it ([`StoreErrorKind::Refused`]).
    fn put(&mut self, writing: &Writing<'_>) -> Result<(), StoreError>;

    /// The request of a key (rule 1). Locks the key where there is none, so that of two openings with one
    /// key the second waits for the first.
    ///
    /// # Errors
    /// When it cannot be read.
    fn request(&mut self, requester: &Principal, key: &str) -> Result<Option<Request>, StoreError>;

    /// Writes a request, behind the opening of its escalation.
    ///
    /// # Errors
    /// When it cannot be written, or the key is taken.
    fn put_request(&mut self, request: &Request) -> Result<(), StoreError>;

    /// Removes one key, whose escalation has ended. Whether it was there.
    ///
    /// # Errors
    /// When it cannot be removed.
    fn drop_request(&mut self, requester: &Principal, key: &str) -> Result<bool, StoreError>;

    /// Removes the keys of escalations that ended before an instant, at most so many. How many they were.
    ///
    /// # Errors
    /// When they cannot be removed.
    fn drop_requests(&mut self, ended_before: Timestamp, limit: u32) -> Result<u64, StoreError>;

    /// Removes the notices of escalations that ended before an instant: those that were sent or given up, at
    /// most so many. How many they were.
    ///
    /// # Errors
    /// When they cannot be removed.
    fn drop_notices(&mut self, ended_before: Timestamp, limit: u32) -> Result<u64, StoreError>;

    /// The pending escalation of a group.
    ///
    /// # Errors
    /// When it cannot be read.
    fn group(&mut self, group: &str) -> Result<Option<String>, StoreError>;

    /// How many escalations are open.
    ///
    /// # Errors
    /// When they cannot be counted.
    fn counts(&mut self, requester: &Principal, flood: &str) -> Result<Counts, StoreError>;

    /// Escalations that are due, the longest due first, at most so many. They are locked, and those that
    /// another desk has locked are left out.
    ///
    /// # Errors
    /// When they cannot be found.
    fn due(&mut self, now: Timestamp, limit: u32) -> Result<Vec<String>, StoreError>;

    /// A page of escalations.
    ///
    /// # Errors
    /// When they cannot be read.
    fn page(&mut self, query: &Query) -> Result<Vec<Summary>, StoreError>;

    /// All that happened to an escalation, the oldest first.
    ///
    /// # Errors
    /// When it cannot be read.
    fn history(&mut self, id: &str) -> Result<Vec<(Row, Payload)>, StoreError>;

    /// Keeps the source of a matrix, if it is not kept yet.
    ///
    /// # Errors
    /// When it cannot be written.
    fn put_matrix(&mut self, digest: &str, source: &str) -> Result<(), StoreError>;

    /// The source of a matrix.
    ///
    /// # Errors
    /// When it cannot be read.
    fn matrix(&mut self, digest: &str) -> Result<Option<String>, StoreError>;

    /// Takes notices that are to be sent now, the oldest first, and keeps others from taking them until
    /// an instant.
    ///
    /// # Errors
    /// When they cannot be taken.
    fn take_notices(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Posted>, StoreError>;

    /// Notes what came of sending one.
    ///
    /// # Errors
    /// When it cannot be written.
    fn note_delivery(&mut self, id: &str, delivery: &Delivery) -> Result<(), StoreError>;

    /// Whether every notice to a person whose id is this, a slash and the person has failed, and there is one.
    /// One that still waits counts as failed when it was tried
    /// [`NOTICE_TRIES_UNTOLD`](crate::limits::NOTICE_TRIES_UNTOLD) times, and no channel took it.
    ///
    /// # Errors
    /// When they cannot be read.
    fn all_failed(&mut self, step: &str) -> Result<bool, StoreError>;

    /// Waiting and failed notices.
    ///
    /// # Errors
    /// When they cannot be counted.
    fn outbox(&mut self) -> Result<Outbox, StoreError>;

    /// The last checkpoint of the audit.
    ///
    /// # Errors
    /// When it cannot be read.
    fn last_checkpoint(&mut self) -> Result<Option<Checkpoint>, StoreError>;

    /// Every checkpoint, the oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    fn checkpoints(&mut self) -> Result<Vec<Checkpoint>, StoreError>;

    /// What came behind a row: how many rows, the last of them, and the heads of their chains. Waits for
    /// writers that have begun, so that no row comes before the last one later. In a transaction that only
    /// reads it waits for nobody, and such rows may come: it tells whether a checkpoint is due, and makes none.
    ///
    /// # Errors
    /// When it cannot be read.
    fn behind(&mut self, seq: u64) -> Result<Behind, StoreError>;

    /// Writes a checkpoint.
    ///
    /// # Errors
    /// When it cannot be written.
    fn put_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), StoreError>;

    /// Rows of all chains behind one, in their order, at most so many.
    ///
    /// # Errors
    /// When they cannot be read.
    fn rows(&mut self, behind: u64, limit: u32) -> Result<Vec<(Row, Payload)>, StoreError>;

    /// Replaces the payloads of an ended escalation by a tombstone, removes its notices, and replaces the
    /// names of people by numbers: in its plans, seats and votes and in what brought its end about. Numbers
    /// and places in lists are drawn by lot, so that they do not say who is who; the votes still tell the
    /// quorum. Of a team of one it is known who that was.
    ///
    /// What was pinned keeps its names: the requester, the agent and who is excluded with them. They are
    /// services and their owners, and a request that comes again is known by them. The matrix keeps whom it
    /// names. What is written behind an erasure is erased by the next one ([`ended`](Self::ended)).
    ///
    /// # Errors
    /// When it is not there, has not ended, has a live grant, or cannot be written.
    fn erase(&mut self, id: &str, tombstone: &Tombstone) -> Result<(), StoreError>;

    /// Escalations that ended before an instant, have no live grant, and were not erased; also those that were
    /// and have a payload since, but for the one that tells of the erasure. At most so many.
    ///
    /// # Errors
    /// When they cannot be read.
    fn ended(&mut self, before: Timestamp, limit: u32) -> Result<Vec<String>, StoreError>;

    /// A setting of the store itself, such as whether it was made for a demonstration.
    ///
    /// # Errors
    /// When it cannot be read.
    fn setting(&mut self, name: &str) -> Result<Option<String>, StoreError>;

    /// Writes a setting.
    ///
    /// # Errors
    /// When it cannot be written.
    fn put_setting(&mut self, name: &str, value: &str) -> Result<(), StoreError>;

    /// What a service keeps under a key, also where its time is over.
    ///
    /// # Errors
    /// When it cannot be read.
    fn entry(&mut self, kind: EntryKind, key: &str) -> Result<Option<Entry>, StoreError>;

    /// Writes one, or replaces the one of its kind and key.
    ///
    /// # Errors
    /// When it cannot be written, or is longer than its bounds.
    fn put_entry(&mut self, entry: &Entry) -> Result<(), StoreError>;

    /// Removes one. Whether it was there: of two who remove one, one is told so.
    ///
    /// # Errors
    /// When it cannot be removed.
    fn drop_entry(&mut self, kind: EntryKind, key: &str) -> Result<bool, StoreError>;

    /// Those of an owner, or all, by key in the order of their bytes, behind a key, at most so many.
    ///
    /// # Errors
    /// When they cannot be read.
    fn entries(
        &mut self,
        kind: EntryKind,
        owner: Option<&str>,
        behind: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError>;

    /// Removes all of an owner at once: a change of a password ends the sessions. How many they were.
    ///
    /// # Errors
    /// When they cannot be removed.
    fn drop_entries_of(&mut self, kind: EntryKind, owner: &str) -> Result<u64, StoreError>;

    /// Removes those of every kind whose time ended before an instant, the longest ended first, at most so
    /// many. How many they were.
    ///
    /// # Errors
    /// When they cannot be removed.
    fn drop_entries(&mut self, until: Timestamp, limit: u32) -> Result<u64, StoreError>;

    /// Writes an attempt to deliver a notice, and gives it a position of its own. Of a notice that is gone
    /// nothing is written: its escalation was erased meanwhile, and an attempt names people.
    ///
    /// # Errors
    /// When it cannot be written, or is longer than its bounds.
    fn put_attempt(&mut self, attempt: &Attempt) -> Result<(), StoreError>;

    /// Attempts with their positions, the latest first.
    ///
    /// # Errors
    /// When they cannot be read.
    fn attempts(&mut self, query: &AttemptQuery) -> Result<Vec<(u64, Attempt)>, StoreError>;

    /// The channels that took a notice since it was posted or last sent again.
    ///
    /// # Errors
    /// When they cannot be read.
    fn taken_by(&mut self, notice: &str) -> Result<Vec<String>, StoreError>;

    /// Removes attempts before an instant, the oldest first, at most so many. How many they were. Those of a
    /// notice that waits stay: a retry goes by them.
    ///
    /// # Errors
    /// When they cannot be removed.
    fn drop_attempts(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;

    /// Has the database look at its tables where they grew much since it last did, so that it reads them by
    /// what is in them. Whether it did. A young database is read as if it were small until then, which takes
    /// seconds where it should take milliseconds.
    ///
    /// # Errors
    /// When it cannot look.
    fn look_at_tables(&mut self) -> Result<bool, StoreError> {
        Ok(false)
    }

    /// Sends a notice again that was sent or given up: it waits from an instant on, with no tries behind it,
    /// and goes by every channel. It merges with no other. Whether it was there; one that waits is not
    /// touched, since somebody may be sending it.
    ///
    /// # Errors
    /// When it cannot be written.
    fn redeliver(&mut self, id: &str, at: Timestamp) -> Result<bool, StoreError>;
}

/// An escalation with the end of its audit chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// It.
    pub escalation: Escalation,
    /// The number of its last row, from 1.
    pub n: u64,
    /// The hash of that row.
    pub head: Digest,
}

/// What one command writes.
#[derive(Debug)]
pub struct Writing<'w> {
    /// As it was locked; absent at the opening.
    pub before: Option<&'w Escalation>,
    /// As it is from now on.
    pub after: &'w Escalation,
    /// New rows of its audit chain, at least one.
    pub rows: &'w [NewRow],
    /// To be sent.
    pub notices: &'w [Notice],
}

/// A new row of the audit; the store gives it its `seq`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRow {
    /// The row.
    pub row: Row,
    /// Of its payload.
    pub salt: Salt,
    /// Its payload.
    pub body: String,
}

/// A request for a decision that opened an escalation or joined one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who asked.
    pub requester: Principal,
    /// The idempotency key.
    pub key: String,
    /// The action digest.
    pub digest: String,
    /// The escalation.
    pub escalation: String,
    /// Whether it joined one that was open.
    pub joined: bool,
    /// When.
    pub at: Timestamp,
}

/// Which escalations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Pending ones, or those that ended.
    pub pending: Option<bool>,
    /// Of an end.
    pub outcome: Option<Outcome>,
    /// Of a lane that names the decision.
    pub lane: Option<String>,
    /// Some sign-off of which asks a team now.
    pub team: Option<String>,
    /// Of an urgency.
    pub urgency: Option<Urgency>,
    /// Some sign-off of which asks a person now.
    pub person: Option<Principal>,
    /// Asked for by someone.
    pub requester: Option<Principal>,
    /// Opened at or after an instant.
    pub since: Option<Timestamp>,
    /// Opened before an instant.
    pub before: Option<Timestamp>,
    /// In which order.
    pub order: Order,
    /// Behind the last of the page before.
    pub behind: Option<Cursor>,
    /// At most so many.
    pub limit: u32,
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
impl Query {
    /// Whether it can show only what is pending: by its filter or by its order.
    pub(super) fn is_of_pending(&self) -> bool {
        self.pending == Some(true) || self.order == Order::Due
    }
}

/// The order of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The latest opening first.
    #[default]
    Newest,
    /// The next due first; for pending ones.
    Due,
}

/// Where a page ends: the instant that it is ordered by, and the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Of the opening, or of what is due.
    pub at: Timestamp,
    /// The escalation.
    pub id: String,
}

impl Cursor {
    /// Behind an escalation in a list of that order.
    #[must_use]
    pub fn behind(last: &Summary, order: Order) -> Self {
        let at = match order {
            Order::Newest => last.opened,
            Order::Due => last.due.unwrap_or(last.opened),
        };
        Self {
            at,
            id: last.id.clone(),
        }
    }
}

/// An escalation in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its id.
    pub id: String,
    /// The lane that names the decision.
    pub lane: String,
    /// Its urgency.
    pub urgency: Urgency,
    /// The digest of the action that the votes of this round are about.
    pub digest: String,
    /// Who asked.
    pub requester: Principal,
    /// When it opened.
    pub opened: Timestamp,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// When.
    pub ended: Option<Timestamp>,
    /// Whether silence alone approved it.
    pub by_silence: bool,
    /// When something is due.
    pub due: Option<Timestamp>,
    /// When the earliest of its sign-offs is overdue.
    pub respond_by: Option<Timestamp>,
    /// When an eligible person first saw it.
    pub first_viewed: Option<Timestamp>,
    /// The teams that its sign-offs ask, in their order.
    pub teams: Vec<String>,
    /// How many events joined.
    pub joined: u32,
    /// Votes that came too late.
    pub late_votes: u32,
    /// Notices that could not be delivered.
    pub undelivered: u32,
    /// Whether its payloads are erased.
    pub is_erased: bool,
}

/// A notice in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// It.
    pub notice: Notice,
    /// The escalation.
    pub escalation: String,
    /// For how many escalations it stands, itself included.
    pub count: u32,
    /// How often it was tried before.
    pub attempts: u32,
    /// The channels that took it before: they are not asked again. A store leaves it empty, and who takes
    /// notices to send them fills it ([`taken_by`](Transaction::taken_by)).
    pub taken: Vec<String>,
}

/// What came of sending a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It was taken.
    Sent(Timestamp),
    /// It is tried again, from an instant on.
    Retry(Timestamp, String),
    /// It is given up.
    Failed(Timestamp, String),
}

/// The state of the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Outbox {
    /// Not sent yet.
    pub waiting: u64,
    /// Given up.
    pub failed: u64,
}

/// What came behind a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Behind {
    /// How many rows.
    pub rows: u64,
    /// The last one's `seq`; that of the checkpoint without any.
    pub seq: u64,
    /// The heads of the chains that they belong to, by tenant and escalation.
    pub heads: Vec<Head>,
}

/// What stands where payloads were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// When.
    #[serde(with = "crate::escalation::time::as_micros")]
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// Why.
    pub why: String,
}
