//! The decision log: what was decided on which event, in files that `replay` reads.
//!
//! In: decisions with their events as they came. Out: files of lines
//! ([`decision::recorded`](crate::decision::recorded)), and the recent decisions on a subject.
//! Invariant: a log never stops a decision: what cannot be written is counted, and writing goes on when
//! it can. A line is there as a whole or not at all. Nothing that was redacted is written or remembered.
//! One process has the folder at a time. Only its owner may read the files.
//! Knows no matrix, and is not the store of escalations: what was not flushed is lost with the process,
//! and the disk is waited for only at the end of a file.
//!
//! To be read in this order: what is logged at all (`sample`), a line (`line`), what is taken out of it
//! (`redact`), files that end and are
//! dropped (`files`), the history of subjects (`index`), looking into it (`search`).

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::clock::Timestamp;
use crate::decision::recorded::{Came, Clock};
use crate::decision::{Decision, HistoryEntry, Subject};
use crate::limits::{LOG_HELD, LOG_TOGETHER, LOG_TOGETHER_MAX};
use crate::measure::Secret;

use super::file;

mod files;
mod index;
mod line;
mod redact;
mod sample;
mod search;

#[cfg(test)]
mod tests;

pub use files::{Place, files};
pub use redact::Hidden;
pub use sample::{Sample, SampleError};
pub use search::{Found, Logged, Wanted};

use files::{Disk, Files, Folder};
use index::Index;
use line::Line;

/// What an operator sets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Which decisions are logged.
    pub sample: Sample,
    /// Bytes of a file before the next one begins; a file has at least one line.
    pub rotate_bytes: u64,
    /// Files that are kept, at least one; the oldest is dropped.
    pub keep_files: usize,
}

impl Default for Settings {
    /// Everything, in a hundred files of 64 MiB: some millions of decisions.
    fn default() -> Self {
        Self {
            sample: Sample::All,
            rotate_bytes: 64 << 20,
            keep_files: 100,
        }
    }
}

/// Takes out of a line what must not be kept. It is given the whole line as an object: the event stands
/// under `event`, and the decision, whose reasons quote values, under `decision`.
pub type Redact<'a> = &'a dyn Fn(&mut serde_json::Value);

/// A decision to be logged.
#[derive(Clone)]
pub struct Entry<'a> {
    /// When the event was received.
    pub received: Timestamp,
    /// What its windows went by.
    pub clock: Clock,
    /// The event as it came.
    pub event: Came<'a>,
    /// The same as JSON, where somebody has read it as that already.
    pub json: Option<&'a RawValue>,
    /// Whether the event was read without a problem; then it is not read again to be logged.
    pub is_read: bool,
    /// What was decided.
    pub decision: &'a Decision,
    /// The same as JSON, where it was written already.
    pub text: Option<&'a RawValue>,
    /// The escalation that was opened for it.
    pub escalation: Option<&'a str>,
    /// Who asked.
    pub by: Option<&'a str>,
    /// What the decision is filed under, for [`DecisionLog::recent`].
    pub subjects: &'a [Subject],
    /// What takes out of the line what must not be kept. An event that is no JSON, where nothing can be
    /// taken out, is then not kept at all.
    pub redact: Option<Redact<'a>>,
}

impl<'a> Entry<'a> {
    /// Of an event that was received from a source that is not trusted with the time.
    #[must_use]
    pub fn new(received: Timestamp, event: &'a [u8], decision: &'a Decision) -> Self {
        Self {
            received,
            clock: Clock::Received,
            event: Came::of(event),
            json: None,
            is_read: false,
            decision,
            text: None,
            escalation: None,
            by: None,
            subjects: &[],
            redact: None,
        }
    }
}

impl std::fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("received", &self.received)
            .field("event", &self.decision.event)
            .finish_non_exhaustive()
    }
}

/// A line that is ready to be logged.
#[derive(Debug)]
pub struct Ready(Option<Line>);

/// A log in a folder, for several threads.
#[derive(Debug)]
pub struct DecisionLog {
    sample: Sample,
    secret: Secret,
    /// Lines that were not given to the files yet, in their order.
    ///
    /// PERF: who decides waits for nobody who writes, and the order of a few lines is settled at once.
    fresh: Mutex<Vec<(Line, Timestamp)>>,
    inner: Mutex<Inner>,
    lost: AtomicU64,
    cut: u64,
    /// While it is open the folder is this process's.
    _lock: File,
}

#[derive(Debug)]
struct Inner {
    files: Files,
    index: Index,
}

const SECRET: &str = "secret";

impl DecisionLog {
    /// Opens a folder, and makes it if it is not there. What was written last goes on; a line at its end
    /// that was not written to its end is cut off. The history is read from the newest files.
    ///
    /// # Errors
    /// When the folder cannot be made or read, a file in it not be written, or another process has it.
    pub fn open(folder: &Path, settings: Settings, now: Timestamp) -> io::Result<Self> {
        Self::open_on(Box::new(Folder), folder, settings, now)
    }

    fn open_on(
        disk: Box<dyn Disk>,
        folder: &Path,
        settings: Settings,
        now: Timestamp,
    ) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let lock = file::lock(folder)?;
        let secret = secret(&folder.join(SECRET))?;
        let (files, cut) = Files::open(disk, folder, &settings, now)?;
        let index = Index::read(&files::files(folder)?)?;
        Ok(Self {
            sample: settings.sample,
            secret,
            fresh: Mutex::default(),
            inner: Mutex::new(Inner { files, index }),
            lost: AtomicU64::new(0),
            cut,
            _lock: lock,
        })
    }

    /// Logs a decision, unless it is not of the sample. It is written with the next ones, at the latest
    /// with the first that is received [`LOG_HELD`] later, or by a flush.
    pub fn append(&self, entry: &Entry<'_>) {
        if let Some(ready) = self.ready(entry) {
            self.add(ready, entry.received);
        }
    }

    /// Makes the line of a decision on any thread, for lines that stand in another order than that in
    /// which they are made; nothing where it is not of the sample.
    #[must_use]
    pub fn ready(&self, entry: &Entry<'_>) -> Option<Ready> {
        let share = self.sample.share_of(entry.decision)?;
        let subjects = entry.subjects.iter();
        let subjects = subjects.map(|subject| index::key(&self.secret, subject));
        Some(Ready(Line::of(
            entry,
            self.sample,
            share,
            subjects.collect(),
        )))
    }

    /// Logs a line that was made. Files end by `now`, which for a recorded stream is not when its events
    /// were received: a year of it, read in an hour, is not a year of files.
    pub fn add(&self, ready: Ready, now: Timestamp) {
        let Some(line) = ready.0 else {
            self.lose(1);
            return;
        };
        let mut fresh = held(&self.fresh);
        fresh.push((line, now));
        let first = fresh.first().map_or(now, |(_, first)| *first);
        let is_old = now - first >= LOG_HELD.to_chrono();
        if fresh.len() < LOG_TOGETHER && !is_old {
            return;
        }
        let inner = match self.inner.try_lock() {
            Ok(inner) => inner,
            Err(TryLockError::Poisoned(inner)) => inner.into_inner(),
            // Somebody writes: the next ones take these along, up to a bound.
            Err(_) if fresh.len() < LOG_TOGETHER_MAX && !is_old => return,
            Err(_) => held(&self.inner),
        };
        drop(self.settled(fresh, inner));
    }

    /// Gives the files all lines that came before.
    fn settled<'l>(
        &self,
        mut fresh: MutexGuard<'_, Vec<(Line, Timestamp)>>,
        mut inner: MutexGuard<'l, Inner>,
    ) -> MutexGuard<'l, Inner> {
        let lines = std::mem::take(&mut *fresh);
        drop(fresh);
        let mut lost = 0;
        for (line, now) in lines {
            lost += inner.files.push(&line.bytes, now);
            if let Some(entry) = line.entry {
                inner.index.add(&line.subjects, entry);
            }
        }
        self.lose(lost);
        inner
    }

    /// Hands what is held to the system. A failure is counted like any other.
    pub fn flush(&self) {
        let lost = self.inner().files.flush();
        self.lose(lost);
    }

    /// How many decisions of the sample could not be written since the log was opened.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Why the last thing that failed did, in words; nothing if all went well since.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.inner().files.problem().map(str::to_owned)
    }

    /// How many lines were cut off when the log was opened, because a crash had kept them from being
    /// written to their end: at most one of the last file and one of the file before.
    #[must_use]
    pub fn cut(&self) -> u64 {
        self.cut
    }

    /// The last decisions on a subject up to an instant, the newest first: those that the log has, and of
    /// them the last [`HISTORY_ENTRIES`](crate::limits::HISTORY_ENTRIES).
    #[must_use]
    pub fn recent(&self, subject: &Subject, limit: usize, now: Timestamp) -> Vec<HistoryEntry> {
        let key = index::key(&self.secret, subject);
        self.inner().index.recent(&key, limit, now)
    }

    /// Looks into it, the newest line first.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn search(&self, wanted: &Wanted) -> io::Result<Found> {
        self.flush();
        let folder = self.inner().files.folder().to_owned();
        let subjects = wanted.subjects.iter();
        let keys = subjects.map(|subject| index::key(&self.secret, subject));
        search::search(&folder, wanted, &keys.collect::<Vec<_>>())
    }

    fn lose(&self, lines: u64) {
        self.lost.fetch_add(lines, Ordering::Relaxed);
    }

    /// The files with all that was logged before.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        let fresh = held(&self.fresh);
        // Behind the lines, so that these go in their order.
        let inner = held(&self.inner);
        self.settled(fresh, inner)
    }
}

/// What a mutex holds. A thread that panicked left whole lines behind.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for DecisionLog {
    fn drop(&mut self) {
        // Nobody is left who could be told.
        let _ = self.inner().files.close();
    }
}

/// The secret by which subjects are hashed: whoever has the files without it does not learn whom they
/// are about.
fn secret(path: &Path) -> io::Result<Secret> {
    match fs::read(path) {
        Ok(bytes) => {
            if let Ok(bytes) = bytes.try_into() {
                return Ok(Secret::of(bytes));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    // One that is cut off is of no use: the history begins anew.
    let secret = Secret::random();
    io::Write::write_all(&mut file::create(path)?, &secret.bytes())?;
    Ok(secret)
}
