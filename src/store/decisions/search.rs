//! Looking into the log, the newest line first.
//!
//! In: the folder, what is looked for, and from where. Out: lines that fit, and where to go on.
//! Invariant: the bytes that are read and the lines that are given are bounded; where it stopped it says so.
//! Knows nothing of lines that are not written yet: the log flushes before.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use serde::Deserialize;

use super::files::{NewestFirst, Place};
use crate::clock::{Timestamp, rfc3339};
use crate::decision::recorded::{RecordedDecision, VERSION};
use crate::decision::{EventRef, Subject, Verdict};
use crate::limits::{LOG_SEARCH_BYTES, LOG_SEARCH_SLACK};

/// Bytes that are read at once.
const CHUNK: u64 = 256 << 10;

/// What is looked for; all of it has to fit.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// A lane or rule: that names the decision, or is attached.
    pub by: Option<String>,
    /// A verdict.
    pub verdict: Option<Verdict>,
    /// What it is filed under: one of these.
    pub subjects: Vec<Subject>,
    /// The id of an event or of an escalation.
    pub id: Option<String>,
    /// Received at or after an instant.
    pub since: Option<Timestamp>,
    /// Received before an instant.
    pub until: Option<Timestamp>,
    /// Where the search before stopped.
    pub behind: Option<Place>,
    /// So many lines at most.
    pub limit: usize,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// The newest first.
    pub lines: Vec<Logged>,
    /// Where to go on; absent where all was looked at.
    pub rest: Option<Place>,
    /// How far back it looked.
    pub back_to: Option<Timestamp>,
    /// Files that are packed, and were passed over.
    pub packed: usize,
}

/// A line in short.
#[derive(Debug, Clone, PartialEq)]
pub struct Logged {
    /// When its event was received.
    pub received: Timestamp,
    /// The event.
    pub event: EventRef,
    /// Who asked.
    pub asked: Option<String>,
    /// What was decided.
    pub verdict: Verdict,
    /// By what.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The lanes that attached.
    pub lanes: Vec<String>,
    /// The escalation that was opened or joined.
    pub escalation: Option<String>,
}

/// The members of a line that are looked at.
#[derive(Deserialize)]
struct Form<'a> {
    log: u64,
    #[serde(with = "rfc3339")]
    received: Timestamp,
    #[serde(default)]
    by: Option<String>,
    #[serde(default)]
    escalation: Option<String>,
    #[serde(default)]
    subjects: Vec<String>,
    #[serde(borrow)]
    decision: RecordedDecision<'a>,
}

impl Form<'_> {
    fn fits(&self, wanted: &Wanted, keys: &[String]) -> bool {
        let decision = &self.decision;
        let is_by = |name: &String| {
            decision.by == *name || decision.lanes.iter().any(|lane| lane.lane == *name)
        };
        let is_id = |id: &String| {
            self.escalation.as_ref() == Some(id)
                || matches!(&decision.event, EventRef::Id(its) if its == id)
        };
        wanted.by.as_ref().is_none_or(is_by)
            && wanted.verdict.is_none_or(|it| it == decision.verdict)
            && wanted.id.as_ref().is_none_or(is_id)
            && wanted.since.is_none_or(|since| self.received >= since)
            && wanted.until.is_none_or(|until| self.received < until)
            && (wanted.subjects.is_empty() || self.subjects.iter().any(|it| keys.contains(it)))
    }

    fn logged(self) -> Logged {
        let decision = self.decision;
        Logged {
            received: self.received,
            event: decision.event,
            asked: self.by,
            verdict: decision.verdict,
            by: decision.by.into_owned(),
            reason: decision.reason.into_owned(),
            lanes: decision
                .lanes
                .into_iter()
                .map(|lane| lane.lane.into_owned())
                .collect(),
            escalation: self.escalation,
        }
    }
}

/// Looks through the files of a folder. The keys are those of the subjects.
pub(super) fn search(folder: &Path, wanted: &Wanted, keys: &[String]) -> io::Result<Found> {
    let mut found = Found::default();
    let mut room = LOG_SEARCH_BYTES;
    for (name, path) in NewestFirst::of(folder, wanted.behind)? {
        // What began a day later has nothing of before.
        if wanted.until.is_some_and(|until| name.begins_after(until)) {
            continue;
        }
        if path.extension().is_none_or(|end| end != "ndjson") {
            found.packed += 1;
            continue;
        }
        let from = wanted.behind.filter(|behind| behind.is_in(name));
        let mut lines = Backwards::open(&path, from.map(|from| from.offset))?;
        while let Some((at, line)) = lines.next_line(&mut room)? {
            let rest = Place { name, offset: at };
            let Ok(form) = serde_json::from_slice::<Form<'_>>(&line) else {
                continue;
            };
            if form.log != VERSION {
                continue;
            }
            found.back_to = Some(form.received);
            if wanted
                .since
                .is_some_and(|since| is_long_before(form.received, since))
            {
                return Ok(found);
            }
            if form.fits(wanted, keys) {
                found.lines.push(form.logged());
            }
            if found.lines.len() >= wanted.limit {
                found.rest = Some(rest);
                return Ok(found);
            }
        }
        if room == 0 {
            let offset = lines.end();
            found.rest = Some(Place { name, offset });
            return Ok(found);
        }
    }
    Ok(found)
}

/// Lines stand in the order of their receipt but for those of several threads at one time.
fn is_long_before(received: Timestamp, since: Timestamp) -> bool {
    since - received > LOG_SEARCH_SLACK.to_chrono()
}

/// The lines of a file, the last one first.
struct Backwards {
    file: File,
    /// Bytes before those that are held.
    unread: u64,
    held: Vec<u8>,
}

impl Backwards {
    /// From an offset back to the beginning, else from the end.
    fn open(path: &Path, from: Option<u64>) -> io::Result<Self> {
        let file = File::open(path)?;
        let all = file.metadata()?.len();
        Ok(Self {
            file,
            unread: from.unwrap_or(all).min(all),
            held: Vec::new(),
        })
    }

    /// Where what was not given yet ends.
    fn end(&self) -> u64 {
        self.unread + self.held.len() as u64
    }

    /// The line before, with where it begins; nothing at the beginning, or where there is no room to read on.
    fn next_line(&mut self, room: &mut u64) -> io::Result<Option<(u64, Vec<u8>)>> {
        loop {
            let text = self.held.strip_suffix(b"\n").unwrap_or(&self.held);
            if let Some(at) = memchr::memrchr(b'\n', text) {
                let line = text.get(at + 1..).unwrap_or_default().to_vec();
                self.held.truncate(at + 1);
                return Ok(Some((self.end(), line)));
            }
            if self.unread == 0 {
                let line = std::mem::take(&mut self.held);
                return Ok((!line.is_empty()).then_some((0, line)));
            }
            if *room == 0 {
                return Ok(None);
            }
            self.read_more(room)?;
        }
    }

    fn read_more(&mut self, room: &mut u64) -> io::Result<()> {
        let bytes = CHUNK.min(self.unread);
        let from = self.unread - bytes;
        self.file.seek(SeekFrom::Start(from))?;
        let mut chunk = Vec::new();
        Read::by_ref(&mut self.file)
            .take(bytes)
            .read_to_end(&mut chunk)?;
        chunk.append(&mut self.held);
        self.held = chunk;
        self.unread = from;
        *room = room.saturating_sub(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_from_the_last_to_the_first_with_their_places() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let long = "x".repeat(CHUNK as usize + 7);
        std::fs::write(&path, format!("one\n{long}\nthree\n")).unwrap();
        let mut lines = Backwards::open(&path, None).unwrap();
        let mut room = u64::MAX;
        let mut next = || lines.next_line(&mut room).unwrap();
        let (at, line) = next().unwrap();
        assert_eq!(
            (line.as_slice(), at),
            (&b"three"[..], 4 + long.len() as u64 + 1)
        );
        assert_eq!(next(), Some((4, long.clone().into_bytes())));
        assert_eq!(next().unwrap().0, 0);
        assert_eq!(next(), None);
        // From a place on, and without room.
        let mut lines = Backwards::open(&path, Some(4)).unwrap();
        let mut room = 1;
        assert_eq!(
            lines.next_line(&mut room).unwrap(),
            Some((0, b"one\n".to_vec()))
        );
        let mut lines = Backwards::open(&path, None).unwrap();
        assert_eq!(lines.next_line(&mut 0).unwrap(), None);
        assert_eq!(lines.end(), 4 + long.len() as u64 + 7);
    }
}
