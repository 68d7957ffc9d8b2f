//! A store that fails when it is told to: before the work, in the middle of it, before the commit, and
//! behind it, so that the answer is lost.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use laneway::clock::Timestamp;
use laneway::escalation::audit::{Checkpoint, Payload, Row};
use laneway::escalation::{Counts, Principal};
use laneway::store::{
    Attempt, AttemptQuery, Behind, Delivery, Entry, EntryKind, Known, Outbox, Posted, Query,
    Request, Store, StoreError, StoreErrorKind, Stored, Summary, Tombstone, Transaction, Work,
    Writing,
};

/// What goes wrong, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The call of that number fails, counted over all works.
    Call(u64, StoreErrorKind),
    /// The commit of that number fails, and nothing is done.
    BeforeCommit(u64),
    /// The commit of that number is done, and its answer is lost.
    AfterCommit(u64),
    /// The connections are cut at the call of that number, and the store has to notice.
    #[allow(dead_code, reason = "not every store has connections")]
    Cut(u64),
    /// The connections are cut before the commit of that number, and the store has to notice.
    #[allow(dead_code, reason = "not every store has connections")]
    CutBeforeCommit(u64),
}

/// Cuts the connections of a store.
pub type Cut = Arc<dyn Fn() + Send + Sync>;

/// A wall clock in place of the store's own.
pub type Wall = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A store that fails.
pub struct Faulty {
    inner: Arc<dyn Store>,
    calls: Arc<AtomicU64>,
    commits: AtomicU64,
    fault: Mutex<Option<Fault>>,
    cut: Cut,
    wall: Option<Wall>,
    /// Whether the fault has happened.
    pub struck: Arc<AtomicBool>,
}

impl Faulty {
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self {
            inner,
            calls: Arc::default(),
            commits: AtomicU64::new(0),
            fault: Mutex::new(None),
            cut: Arc::new(|| {}),
            wall: None,
            struck: Arc::default(),
        }
    }

    /// With connections that can be cut, and a clock that is told what time it is.
    #[allow(
        dead_code,
        reason = "not every store has connections and a clock of its own"
    )]
    pub fn with(mut self, cut: Cut, wall: Wall) -> Self {
        self.cut = cut;
        self.wall = Some(wall);
        self
    }

    /// Counts anew, and fails so.
    pub fn set(&self, fault: Option<Fault>) {
        self.calls.store(0, Ordering::SeqCst);
        self.commits.store(0, Ordering::SeqCst);
        self.struck.store(false, Ordering::SeqCst);
        *self.fault.lock().unwrap() = fault;
    }

    /// Calls since the last setting.
    #[allow(dead_code, reason = "not every test counts them")]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// Looks without failing and without being counted.
    #[allow(dead_code, reason = "not every test looks in between")]
    pub fn set_aside<T>(&self, look: impl FnOnce() -> T) -> T {
        let fault = self.fault.lock().unwrap().take();
        let calls = self.calls.load(Ordering::SeqCst);
        let commits = self.commits.load(Ordering::SeqCst);
        let seen = look();
        self.calls.store(calls, Ordering::SeqCst);
        self.commits.store(commits, Ordering::SeqCst);
        *self.fault.lock().unwrap() = fault;
        seen
    }

    fn wrap(&self, mut work: Work) -> Work {
        let (calls, fault) = (Arc::clone(&self.calls), *self.fault.lock().unwrap());
        let struck = Arc::clone(&self.struck);
        let (cut, wall) = (Arc::clone(&self.cut), self.wall.clone());
        Box::new(move |transaction| {
            let mut counting = Counting {
                inner: transaction,
                calls: Arc::clone(&calls),
                struck: Arc::clone(&struck),
                cut: Arc::clone(&cut),
                wall: wall.clone(),
                fault,
            };
            work(&mut counting)
        })
    }
}

impl Store for Faulty {
    fn write(&self, work: Work) -> Result<(), StoreError> {
        let number = self.commits.fetch_add(1, Ordering::SeqCst) + 1;
        let fault = *self.fault.lock().unwrap();
        let mut work = self.wrap(work);
        match fault {
            Some(Fault::BeforeCommit(at)) if at == number => {
                let struck = Arc::clone(&self.struck);
                self.inner.write(Box::new(move |transaction| {
                    work(transaction)?;
                    struck.store(true, Ordering::SeqCst);
                    Err(StoreError::new(StoreErrorKind::Io, "the disk failed"))
                }))
            }
            Some(Fault::CutBeforeCommit(at)) if at == number => {
                let (struck, cut) = (Arc::clone(&self.struck), Arc::clone(&self.cut));
                self.inner.write(Box::new(move |transaction| {
                    work(transaction)?;
                    struck.store(true, Ordering::SeqCst);
                    cut();
                    Ok(())
                }))
            }
            Some(Fault::AfterCommit(at)) if at == number => {
                self.inner.write(work)?;
                self.struck.store(true, Ordering::SeqCst);
                let error = StoreError::new(StoreErrorKind::Io, "the connection was cut");
                Err(error.unknown())
            }
            _ => self.inner.write(work),
        }
    }

    fn read(&self, work: Work) -> Result<(), StoreError> {
        self.inner.read(self.wrap(work))
    }

    fn kind(&self) -> &'static str {
        "faulty"
    }
}

impl std::fmt::Debug for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Faulty")
            .field("inner", &self.inner)
            .field("fault", &self.fault)
            .finish_non_exhaustive()
    }
}

struct Counting<'t> {
    inner: &'t mut dyn Transaction,
    calls: Arc<AtomicU64>,
    struck: Arc<AtomicBool>,
    cut: Cut,
    wall: Option<Wall>,
    fault: Option<Fault>,
}

impl Counting<'_> {
    fn call(&mut self) -> Result<&mut dyn Transaction, StoreError> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        match self.fault {
            Some(Fault::Call(at, kind)) if at == number => {
                self.struck.store(true, Ordering::SeqCst);
                let error = StoreError::new(kind, format!("call {number} failed"));
                assert_eq!(error.known, Known::NotDone);
                return Err(error);
            }
            Some(Fault::Cut(at)) if at == number => {
                self.struck.store(true, Ordering::SeqCst);
                (self.cut)();
            }
            _ => {}
        }
        Ok(&mut *self.inner)
    }
}

impl Transaction for Counting<'_> {
    fn wall(&mut self) -> Result<Timestamp, StoreError> {
        let own = self.call()?.wall()?;
        Ok(self.wall.as_ref().map_or(own, |wall| wall()))
    }
    fn lock(&mut self, id: &str) -> Result<Option<Stored>, StoreError> {
        self.call()?.lock(id)
    }
    fn get(&mut self, id: &str) -> Result<Option<Stored>, StoreError> {
        self.call()?.get(id)
    }
    fn put(&mut self, writing: &Writing<'_>) -> Result<(), StoreError> {
        self.call()?.put(writing)
    }
    fn request(&mut self, requester: &Principal, key: &str) -> Result<Option<Request>, StoreError> {
        self.call()?.request(requester, key)
    }
    fn put_request(&mut self, request: &Request) -> Result<(), StoreError> {
        self.call()?.put_request(request)
    }
    fn drop_request(&mut self, requester: &Principal, key: &str) -> Result<bool, StoreError> {
        self.call()?.drop_request(requester, key)
    }
    fn drop_requests(&mut self, ended_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.call()?.drop_requests(ended_before, limit)
    }
    fn drop_notices(&mut self, ended_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.call()?.drop_notices(ended_before, limit)
    }
    fn group(&mut self, group: &str) -> Result<Option<String>, StoreError> {
        self.call()?.group(group)
    }
    fn counts(&mut self, requester: &Principal, flood: &str) -> Result<Counts, StoreError> {
        self.call()?.counts(requester, flood)
    }
    fn due(&mut self, now: Timestamp, limit: u32) -> Result<Vec<String>, StoreError> {
        self.call()?.due(now, limit)
    }
    fn page(&mut self, query: &Query) -> Result<Vec<Summary>, StoreError> {
        self.call()?.page(query)
    }
    fn history(&mut self, id: &str) -> Result<Vec<(Row, Payload)>, StoreError> {
        self.call()?.history(id)
    }
    fn put_matrix(&mut self, digest: &str, source: &str) -> Result<(), StoreError> {
        self.call()?.put_matrix(digest, source)
    }
    fn matrix(&mut self, digest: &str) -> Result<Option<String>, StoreError> {
        self.call()?.matrix(digest)
    }
    fn take_notices(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Posted>, StoreError> {
        self.call()?.take_notices(now, until, limit)
    }
    fn note_delivery(&mut self, id: &str, delivery: &Delivery) -> Result<(), StoreError> {
        self.call()?.note_delivery(id, delivery)
    }
    fn all_failed(&mut self, step: &str) -> Result<bool, StoreError> {
        self.call()?.all_failed(step)
    }
    fn outbox(&mut self) -> Result<Outbox, StoreError> {
        self.call()?.outbox()
    }
    fn last_checkpoint(&mut self) -> Result<Option<Checkpoint>, StoreError> {
        self.call()?.last_checkpoint()
    }
    fn checkpoints(&mut self) -> Result<Vec<Checkpoint>, StoreError> {
        self.call()?.checkpoints()
    }
    fn behind(&mut self, seq: u64) -> Result<Behind, StoreError> {
        self.call()?.behind(seq)
    }
    fn put_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        self.call()?.put_checkpoint(checkpoint)
    }
    fn rows(&mut self, behind: u64, limit: u32) -> Result<Vec<(Row, Payload)>, StoreError> {
        self.call()?.rows(behind, limit)
    }
    fn erase(&mut self, id: &str, tombstone: &Tombstone) -> Result<(), StoreError> {
        self.call()?.erase(id, tombstone)
    }
    fn ended(&mut self, before: Timestamp, limit: u32) -> Result<Vec<String>, StoreError> {
        self.call()?.ended(before, limit)
    }
    fn setting(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        self.call()?.setting(name)
    }
    fn put_setting(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        self.call()?.put_setting(name, value)
    }
    fn entry(&mut self, kind: EntryKind, key: &str) -> Result<Option<Entry>, StoreError> {
        self.call()?.entry(kind, key)
    }
    fn put_entry(&mut self, entry: &Entry) -> Result<(), StoreError> {
        self.call()?.put_entry(entry)
    }
    fn drop_entry(&mut self, kind: EntryKind, key: &str) -> Result<bool, StoreError> {
        self.call()?.drop_entry(kind, key)
    }
    fn entries(
        &mut self,
        kind: EntryKind,
        owner: Option<&str>,
        behind: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        self.call()?.entries(kind, owner, behind, limit)
    }
    fn drop_entries_of(&mut self, kind: EntryKind, owner: &str) -> Result<u64, StoreError> {
        self.call()?.drop_entries_of(kind, owner)
    }
    fn drop_entries(&mut self, until: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.call()?.drop_entries(until, limit)
    }
    fn put_attempt(&mut self, attempt: &Attempt) -> Result<(), StoreError> {
        self.call()?.put_attempt(attempt)
    }
    fn attempts(&mut self, query: &AttemptQuery) -> Result<Vec<(u64, Attempt)>, StoreError> {
        self.call()?.attempts(query)
    }
    fn taken_by(&mut self, notice: &str) -> Result<Vec<String>, StoreError> {
        self.call()?.taken_by(notice)
    }
    fn look_at_tables(&mut self) -> Result<bool, StoreError> {
        self.call()?.look_at_tables()
    }
    fn drop_attempts(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.call()?.drop_attempts(before, limit)
    }
    fn redeliver(&mut self, id: &str, at: Timestamp) -> Result<bool, StoreError> {
        self.call()?.redeliver(id, at)
    }
}
