//! The one thread that writes.
//!
//! In: units of work, queued. Out: for each, that it is durable, or why not.
//! Invariant: nobody is answered with `Ok` before the transaction that has the work is committed; work that
//! fails takes nothing of the others with it.
//! Knows nothing of what the work does.
//!
//! Durability costs a wait for the disk. What came while one batch waited is the next batch, so that the
//! wait is shared.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::error::failed_to_commit;
use super::migrate::is_current;
use super::transaction::SqliteTransaction;
use crate::clock::Timestamp;
use crate::limits::STORE_BATCH;
use crate::store::transaction::{StoreError, StoreErrorKind, Work};

/// The clock of the machine, as it is given.
pub(super) type Wall = Arc<dyn Fn() -> Timestamp + Send + Sync>;

type Answer = Result<(), StoreError>;

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

fn run(connection: &Connection, queue: &Receiver<Job>, wall: &Wall) {
    while let Ok(first) = queue.recv() {
        let mut batch = vec![first];
        batch.extend(queue.try_iter().take(STORE_BATCH - 1));
        let answers = batch_of(connection, &mut batch, wall);
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

/// Does all work of a batch, and makes it durable.
fn batch_of(connection: &Connection, batch: &mut [Job], wall: &Wall) -> Vec<Answer> {
    let mut answers: Vec<Answer> = Vec::with_capacity(batch.len());
    let mut begun = begin(connection);
    for job in batch.iter_mut() {
        if let Err(error) = &begun {
            answers.push(Err(error.clone()));
            continue;
        }
        answers.push(one(connection, &mut job.work, wall));
        // Some errors, a full disk among them, take the whole transaction back.
        if connection.is_autocommit() {
            let why = answers.last().cloned().and_then(Result::err);
            let why = why.unwrap_or_else(|| StoreError::other("the transaction was taken back"));
            fail_all(&mut answers, &why);
            begun = begin(connection);
        }
    }
    if begun.is_ok()
        && let Err(error) = connection.execute_batch("COMMIT")
    {
        if !connection.is_autocommit() {
            let _ = connection.execute_batch("ROLLBACK");
        }
        fail_all(&mut answers, &failed_to_commit(&error));
    }
    answers
}

fn fail_all(answers: &mut [Answer], why: &StoreError) {
    for answer in answers.iter_mut().filter(|answer| answer.is_ok()) {
        *answer = Err(why.clone());
    }
}

fn begin(connection: &Connection) -> Answer {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    // Behind the lock: a newer program cannot come in between.
    is_current(connection).inspect_err(|_| {
        let _ = connection.execute_batch("ROLLBACK");
    })
}

/// Does one piece of work, wholly or not at all.
fn one(connection: &Connection, work: &mut Work, wall: &Wall) -> Answer {
    execute(connection, "SAVEPOINT work")?;
    let mut transaction = SqliteTransaction {
        connection,
        wall: &**wall,
    };
    let done = catch_unwind(AssertUnwindSafe(|| work(&mut transaction)));
    let done = done.unwrap_or_else(|_| {
        Err(StoreError::new(
            StoreErrorKind::Work,
            "the work broke off with a panic",
        ))
    });
    if done.is_err() && !connection.is_autocommit() {
        execute(connection, "ROLLBACK TO work")?;
    }
    if !connection.is_autocommit() {
        execute(connection, "RELEASE work")?;
    }
    done
}

fn execute(connection: &Connection, text: &str) -> Answer {
    connection.prepare_cached(text)?.execute([])?;
    Ok(())
}
