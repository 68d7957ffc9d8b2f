//! The one thread that writes.
//!
//! In: units of work, queued. Out: for each, that it is durable, or why not.
//! Invariant: nobody is answered with `Ok` before the transaction that has the work is committed; work that
//! fails takes nothing of the others with it.
//! Knows nothing of what the work does.
//!
//! Durability costs a wait for the disk. What came while one batch waited is the next batch, so that the
//! wait is shared.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use super::connect::empty_log;
use super::error::failed_to_commit;
use super::migrate::is_current;
use super::transaction::SqliteTransaction;
use crate::clock::Timestamp;
use crate::limits::STORE_BATCH;
use crate::store::attempt::{attempt, broke_off};
use crate::store::transaction::{StoreError, StoreErrorKind, Work};

/// The clock of the machine, as it is given.
pub(super) type Wall = Arc<dyn Fn() -> Timestamp + Send + Sync>;

pub(super) type Answer = Result<(), StoreError>;

/// Work that waits.
struct Job {
    work: Work,
    answer: SyncSender<Answer>,
}

/// The queue in front of the thread.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job")
    }
}

impl Writer {
    /// Begins to write on a connection.
    pub(super) fn start(connection: Connection, wall: Wall) -> Result<Self, StoreError> {
        // Who comes while so many wait, waits at the door.
        let (jobs, queue) = sync_channel(2 * STORE_BATCH);
        let thread = std::thread::Builder::new().name("laneway-store".to_owned());
        let thread = thread.spawn(move || run(&connection, &queue, &wall));
        let thread = thread.map_err(|error| {
            StoreError::new(StoreErrorKind::Io, format!("no thread to write: {error}"))
        })?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Does work, and waits until it is durable.
    pub(super) fn write(&self, work: Work) -> Answer {
        let gone = || StoreError::other("the thread that writes has ended");
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        let (answer, answered) = sync_channel(1);
        jobs.send(Job { work, answer }).map_err(|_| gone())?;
        // It took the work and did not say what came of it.
        answered.recv().map_err(|_| gone().unknown())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        let is_other =
            |thread: &JoinHandle<()>| thread.thread().id() != std::thread::current().id();
        // A thread does not wait for itself: it ends with its queue.
        if let Some(thread) = self.thread.take().filter(is_other) {
            // A panic there was answered to whom it concerned.
            let _ = thread.join();
        }
    }
}

/// How long a log that has what was erased stays, where a reader kept it from being emptied and nobody
/// writes: readers take less than that.
const RETRY: Duration = Duration::from_secs(1);

fn run(connection: &Connection, queue: &Receiver<Job>, wall: &Wall) {
    let erased = Cell::new(false);
    loop {
        let first = match erased.get() {
            true => queue.recv_timeout(RETRY),
            false => queue.recv().map_err(RecvTimeoutError::from),
        };
        let mut batch = match first {
            Ok(first) => vec![first],
            Err(RecvTimeoutError::Timeout) => {
                erased.set(!empty_log(connection));
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => break,
        };
        batch.extend(queue.try_iter().take(STORE_BATCH - 1));
        let writing = Writing {
            connection,
            wall,
            erased: &erased,
            execute,
        };
        let answers = writing.batch(&mut batch);
        if erased.get() {
            erased.set(!empty_log(connection));
        }
        for (job, answer) in batch.into_iter().zip(answers) {
            // Work may hold the store that it is for. Were it dropped behind the answer, this thread could be
            // the last to hold it.
            drop(job.work);
            // Who does not wait any more has no use for it.
            let _ = job.answer.send(answer);
        }
    }
    let _ = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
}

/// What a batch is written with.
pub(super) struct Writing<'c> {
    pub(super) connection: &'c Connection,
    pub(super) wall: &'c Wall,
    pub(super) erased: &'c Cell<bool>,
    /// Executes a statement around the work: [`execute`], but in a test of what fails there.
    pub(super) execute: fn(&Connection, &str) -> Answer,
}

impl Writing<'_> {
    /// Does all work of a batch, and makes it durable.
    fn batch(&self, batch: &mut [Job]) -> Vec<Answer> {
        self.all(batch.iter_mut().map(|job| &mut job.work))
    }

    pub(super) fn all<'w>(&self, batch: impl Iterator<Item = &'w mut Work>) -> Vec<Answer> {
        let connection = self.connection;
        let mut answers: Vec<Answer> = Vec::new();
        let mut begun = begin(connection);
        for work in batch {
            if let Err(error) = &begun {
                answers.push(Err(error.clone()));
                continue;
            }
            let ended = self.one(work);
            let is_open = ended.is_ok() && !connection.is_autocommit();
            answers.push(ended.unwrap_or_else(Err));
            // Some errors, a full disk among them, take the whole transaction back. Where the work could not
            // be taken back by itself, all of it is.
            if !is_open {
                let why = answers.last().cloned().and_then(Result::err);
                let why =
                    why.unwrap_or_else(|| StoreError::other("the transaction was taken back"));
                fail_all(&mut answers, &why);
                begun = begin(connection);
            }
        }
        if begun.is_ok()
            && let Err(error) = connection.execute_batch("COMMIT")
        {
            roll_back(connection);
            fail_all(&mut answers, &failed_to_commit(&error));
        }
        answers
    }

    /// Does one piece of work, wholly or not at all. An error beside its answer says that the transaction is in
    /// no state to be committed.
    fn one(&self, work: &mut Work) -> Result<Answer, StoreError> {
        let execute = |text| (self.execute)(self.connection, text);
        execute("SAVEPOINT work")?;
        let mut transaction = SqliteTransaction {
            connection: self.connection,
            wall: &**self.wall,
            erased: self.erased,
        };
        let done = attempt(work, &mut transaction).unwrap_or_else(|| Err(broke_off()));
        if done.is_err() && !self.connection.is_autocommit() {
            execute("ROLLBACK TO work")?;
        }
        if !self.connection.is_autocommit() {
            execute("RELEASE work")?;
        }
        Ok(done)
    }
}

fn fail_all(answers: &mut [Answer], why: &StoreError) {
    for answer in answers.iter_mut().filter(|answer| answer.is_ok()) {
        *answer = Err(why.clone());
    }
}

/// Takes back a transaction that is open. One that cannot be is not gone on with: the next `BEGIN` fails.
fn roll_back(connection: &Connection) {
    if !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
}

fn begin(connection: &Connection) -> Answer {
    roll_back(connection);
    connection.execute_batch("BEGIN IMMEDIATE")?;
    // Behind the lock: a newer program cannot come in between.
    is_current(connection).inspect_err(|_| roll_back(connection))
}

pub(super) fn execute(connection: &Connection, text: &str) -> Answer {
    connection.prepare_cached(text)?.execute([])?;
    Ok(())
}
