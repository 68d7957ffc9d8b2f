//! The recent decisions on each subject.
//!
//! In: lines as they are logged, and at the start those of the newest files. Out: summaries.
//! Invariant: bounded in subjects, in decisions of a subject and in all of them; what was not asked for
//! or added to for the longest time is forgotten first.
//! Knows a subject by a keyed hash only.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use siphasher::sip128::{Hasher128, SipHasher13};

use crate::clock::Timestamp;
use crate::decision::recorded::Recorded;
use crate::decision::{Decision, EventRef, HistoryEntry, Subject, Verdict};
use crate::hex;
use crate::limits::{HISTORY_ENTRIES, HISTORY_SUBJECTS, HISTORY_TOTAL, LOG_HISTORY_BYTES};
use crate::measure::Secret;

/// What stands for a subject in a log.
pub(super) fn key(secret: &Secret, subject: &Subject) -> String {
    let mut hasher = SipHasher13::new_with_key(&secret.bytes());
    std::hash::Hasher::write(&mut hasher, &subject.bytes());
    hex::of(&hasher.finish128().as_bytes())
}

/// What a history keeps of a line.
pub(super) fn entry(line: &Recorded<'_>) -> HistoryEntry {
    let decision = &line.decision;
    kept(
        line.received,
        &decision.event,
        decision.verdict,
        &decision.by,
    )
}

/// What a history keeps of a decision that is logged as it is.
pub(super) fn entry_of(received: Timestamp, decision: &Decision) -> HistoryEntry {
    kept(received, &decision.event, decision.verdict, &decision.by)
}

fn kept(at: Timestamp, event: &EventRef, verdict: Verdict, by: &str) -> HistoryEntry {
    HistoryEntry {
        at,
        event: match event {
            EventRef::Id(id) => Some(id.clone()),
            EventRef::Line(_) | EventRef::None => None,
        },
        verdict,
        by: by.to_owned(),
        // A log does not hear of ends.
        end: None,
    }
}

/// The history of all subjects.
#[derive(Debug)]
pub(super) struct Index {
    subjects: HashMap<String, Known>,
    /// Subjects by when they were touched.
    touched: BTreeMap<u64, String>,
    touches: u64,
    entries: usize,
    bounds: Bounds,
}

#[derive(Debug, Default)]
struct Known {
    touched: u64,
    /// The oldest first.
    entries: VecDeque<Arc<HistoryEntry>>,
}

#[derive(Debug, Clone, Copy)]
struct Bounds {
    subjects: usize,
    each: usize,
    total: usize,
}

impl Default for Index {
    fn default() -> Self {
        Self::bounded(Bounds {
            subjects: HISTORY_SUBJECTS,
            each: HISTORY_ENTRIES,
            total: HISTORY_TOTAL,
        })
    }
}

impl Index {
    fn bounded(bounds: Bounds) -> Self {
        Self {
            subjects: HashMap::new(),
            touched: BTreeMap::new(),
            touches: 0,
            entries: 0,
            bounds,
        }
    }

    /// What the newest files say; those that are packed are passed over.
    pub(super) fn read(files: &[PathBuf]) -> io::Result<Self> {
        let mut index = Self::default();
        let mut room = LOG_HISTORY_BYTES;
        let mut texts = Vec::new();
        let plain = files.iter().rev();
        for path in plain.filter(|path| path.extension().is_some_and(|end| end == "ndjson")) {
            let mut file = File::open(path)?;
            let all = file.metadata()?.len();
            let from = all.saturating_sub(room);
            file.seek(SeekFrom::Start(from))?;
            let mut text = Vec::new();
            file.take(room).read_to_end(&mut text)?;
            room = room.saturating_sub(text.len() as u64);
            texts.push(text);
            if room == 0 {
                break;
            }
        }
        // Half a line, where reading began in the middle of a file, is no line.
        for line in texts
            .iter()
            .rev()
            .flat_map(|text| text.split(|byte| *byte == b'\n'))
        {
            if let Some(line) = Recorded::read(line) {
                index.add(&line.subjects, entry(&line));
            }
        }
        Ok(index)
    }

    /// A decision on some subjects.
    pub(super) fn add(&mut self, subjects: &[String], entry: HistoryEntry) {
        let entry = Arc::new(entry);
        for subject in subjects {
            self.touch(subject);
            let known = self.subjects.entry(subject.clone()).or_default();
            known.entries.push_back(Arc::clone(&entry));
            self.entries += 1;
            if known.entries.len() > self.bounds.each {
                known.entries.pop_front();
                self.entries -= 1;
            }
        }
        while self.subjects.len() > self.bounds.subjects || self.entries > self.bounds.total {
            let Some((_, subject)) = self.touched.pop_first() else {
                break;
            };
            let forgotten = self.subjects.remove(&subject);
            self.entries -= forgotten.map_or(0, |known| known.entries.len());
        }
    }

    /// The last decisions on a subject up to an instant, the newest first.
    pub(super) fn recent(
        &mut self,
        subject: &str,
        limit: usize,
        now: Timestamp,
    ) -> Vec<HistoryEntry> {
        if !self.subjects.contains_key(subject) {
            return Vec::new();
        }
        self.touch(subject);
        let known = self.subjects.get(subject);
        let entries = known
            .into_iter()
            .flat_map(|known| known.entries.iter().rev());
        let entries = entries.filter(|entry| entry.at <= now).take(limit);
        entries.map(|entry| HistoryEntry::clone(entry)).collect()
    }

    fn touch(&mut self, subject: &str) {
        self.touches += 1;
        let known = self.subjects.entry(subject.to_owned()).or_default();
        self.touched.remove(&known.touched);
        known.touched = self.touches;
        self.touched.insert(self.touches, subject.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(at: i64) -> HistoryEntry {
        HistoryEntry {
            at: Timestamp::UNIX_EPOCH + chrono::TimeDelta::seconds(at),
            event: Some(format!("e-{at}")),
            verdict: Verdict::Allow,
            by: "otherwise".to_owned(),
            end: None,
        }
    }

    fn add(index: &mut Index, subject: &str, at: i64) {
        index.add(&[subject.to_owned()], entry(at));
    }

    fn seconds(index: &mut Index, subject: &str, limit: usize, now: i64) -> Vec<i64> {
        let entries = index.recent(subject, limit, entry(now).at);
        entries.iter().map(|entry| entry.at.timestamp()).collect()
    }

    #[test]
    fn the_newest_are_given_first_and_none_of_the_future() {
        let mut index = Index::default();
        for at in [1, 2, 3, 4] {
            add(&mut index, "a", at);
        }
        assert_eq!(seconds(&mut index, "a", 2, 9), [4, 3]);
        assert_eq!(seconds(&mut index, "a", 9, 3), [3, 2, 1]);
        assert_eq!(seconds(&mut index, "b", 9, 9), [0; 0]);
    }

    #[test]
    fn all_is_bounded_and_the_quiet_is_forgotten() {
        let bounds = Bounds {
            subjects: 2,
            each: 3,
            total: 5,
        };
        let mut index = Index::bounded(bounds);
        for at in 1..=5 {
            add(&mut index, "a", at);
        }
        assert_eq!(seconds(&mut index, "a", 9, 9), [5, 4, 3]);
        add(&mut index, "b", 6);
        // To ask is to touch.
        assert_eq!(seconds(&mut index, "a", 1, 9), [5]);
        add(&mut index, "c", 7);
        assert_eq!(seconds(&mut index, "b", 9, 9), [0; 0]);
        assert_eq!(seconds(&mut index, "a", 9, 9), [5, 4, 3]);
        add(&mut index, "c", 8);
        assert_eq!(index.entries, 5);
        add(&mut index, "c", 9);
        // Six of them are too many: of both `a` was touched longer ago.
        assert_eq!(seconds(&mut index, "a", 9, 9), [0; 0]);
        assert_eq!(
            (index.entries, index.subjects.len(), index.touched.len()),
            (3, 1, 1)
        );
    }
}
