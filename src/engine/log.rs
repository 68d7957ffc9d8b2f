//! The decision log of an engine: what is written of a decision, and the history of a subject.
//!
//! In: where a log is, decisions with their events. Out: lines of the log; earlier decisions on what a
//! decision is about.
//! Invariant: a log that cannot be written stops no decision and no escalation, and is said. What
//! `redact` of `[escalations]` hides is in no line.
//! Knows nothing of what is printed of a decision.

use std::cmp::Reverse;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::clock::Timestamp;
use crate::decision::recorded::{Came, Clock};
use crate::decision::{Decision, HistoryEntry, Subject, Subjects};
use crate::escalation::packet::Matter;
use crate::escalation::policy::RedactPath;
use crate::event::{Event, Problem, ProblemCode, Unreadable};
use crate::files::config::{Config, Decisions};
use crate::limits::{HISTORY_ENTRIES, HISTORY_SHOWN};
use crate::matrix::Matrix;
use crate::store::DecisionLog;
use crate::store::decisions::{Entry, Found, Hidden, Ready, Wanted};

/// An open log for the decisions of one matrix.
#[derive(Debug)]
pub struct Log {
    log: Arc<DecisionLog>,
    folder: PathBuf,
    matrix: Arc<Matrix>,
    subjects: Subjects,
    redact: Vec<RedactPath>,
}

/// A decision with what it was made on.
pub struct Made<'a> {
    /// When the event was received.
    pub received: Timestamp,
    /// By which clock it counts.
    pub clock: Clock,
    /// The event as it came.
    pub came: Came<'a>,
    /// The same as JSON, where somebody has read it as that already.
    pub json: Option<&'a RawValue>,
    /// The event as it was read.
    pub event: Result<&'a Event, &'a Unreadable>,
    /// The decision.
    pub decision: &'a Decision,
    /// The same as JSON, where it was written already.
    pub text: Option<&'a RawValue>,
    /// The escalation that it opened or joined.
    pub escalation: Option<&'a str>,
    /// Who asked.
    pub by: Option<&'a str>,
}

impl Log {
    /// Opens a log. Why it cannot be opened is said in words.
    pub fn open(
        decisions: &Decisions,
        config: &Config,
        matrix: &Arc<Matrix>,
        now: Timestamp,
    ) -> Result<Self, String> {
        let folder = decisions.log.clone();
        let log = DecisionLog::open(&folder, decisions.settings.clone(), now);
        let log = log.map_err(|error| {
            let folder = crate::files::shown(&folder);
            format!("the decision log `{folder}` cannot be opened: {error}")
        })?;
        Ok(Self {
            log: Arc::new(log),
            folder,
            matrix: Arc::clone(matrix),
            subjects: Subjects::of(matrix),
            redact: config.escalations.policy.redact.clone(),
        })
    }

    /// The same log for the decisions of another matrix.
    #[must_use]
    pub fn by(&self, matrix: &Arc<Matrix>, config: &Config) -> Self {
        Self {
            log: Arc::clone(&self.log),
            folder: self.folder.clone(),
            matrix: Arc::clone(matrix),
            subjects: Subjects::of(matrix),
            redact: config.escalations.policy.redact.clone(),
        }
    }

    /// The line of a decision; nothing where it is not of the sample.
    pub fn ready(&self, made: &Made<'_>) -> Option<Ready> {
        let subjects = made.event.ok();
        let subjects = subjects.map(|event| self.subjects.of_event(&self.matrix, event));
        let subjects = subjects.unwrap_or_default();
        let hidden = (!self.redact.is_empty()).then(|| {
            let matter = match made.event {
                Ok(event) => Matter::of(&self.matrix, event),
                Err(unreadable) => Matter::of_unreadable(&self.matrix, unreadable),
            };
            Hidden::of(made.decision, &matter, &self.redact)
        });
        let take_out = |line: &mut serde_json::Value| {
            if let Some(hidden) = &hidden {
                hidden.take_out(line);
            }
        };
        self.log.ready(&Entry {
            received: made.received,
            clock: made.clock,
            event: made.came.clone(),
            json: made.json,
            is_read: made.event.is_ok(),
            decision: made.decision,
            text: made.text,
            escalation: made.escalation,
            by: made.by,
            subjects: &subjects,
            redact: hidden.is_some().then_some(&take_out),
        })
    }

    /// Logs a line.
    pub fn add(&self, ready: Ready, now: Timestamp) {
        self.log.add(ready, now);
    }

    /// Hands everything to the system. Says what is not in the log, if anything is not.
    pub fn end(&self) -> Option<String> {
        self.log.flush();
        let lost = self.log.lost();
        (lost > 0).then(|| {
            let folder = crate::files::shown(&self.folder);
            let why = self.log.problem();
            let why = why.map_or(String::new(), |why| format!(": {why}"));
            let decisions = match lost {
                1 => "a decision is".to_owned(),
                lost => format!("{lost} decisions are"),
            };
            format!("{decisions} not in the decision log `{folder}`{why}")
        })
    }

    /// Looks into the log, the newest decision first. Why it cannot be read is said in words.
    pub fn search(&self, wanted: &Wanted) -> Result<Found, String> {
        self.log.search(wanted).map_err(|error| {
            let folder = crate::files::shown(&self.folder);
            format!("the decision log `{folder}` cannot be read: {error}")
        })
    }

    /// Earlier decisions on what a decision is about, the newest first: on the group of each attached
    /// lane, and where none has one on each subject that the event is filed under. Says in words why
    /// there is no such thing.
    pub fn history(
        &self,
        decision: &Decision,
        event: Option<&Event>,
        now: Timestamp,
    ) -> Result<Vec<HistoryEntry>, String> {
        let groups = decision.lanes.iter();
        let groups = groups.filter_map(|lane| Subject::of_group(&lane.group));
        let mut subjects: Vec<Subject> = groups.collect();
        if let Some(event) = event.filter(|_| subjects.is_empty()) {
            subjects = self.subjects.of_event(&self.matrix, event);
        }
        if subjects.is_empty() {
            return Err(
                "the event has the fields of no `group by`, by which it would be known".into(),
            );
        }
        let limit = match asked(decision) {
            Some((_, Some(last))) => last.min(HISTORY_ENTRIES),
            _ => HISTORY_SHOWN,
        };
        let mut all: Vec<HistoryEntry> = Vec::new();
        for entry in subjects
            .iter()
            .flat_map(|subject| self.log.recent(subject, limit, now))
        {
            if !all.contains(&entry) {
                all.push(entry);
            }
        }
        // Of one instant they stay in their order.
        all.sort_by_key(|entry| Reverse(entry.at));
        all.truncate(limit);
        Ok(all)
    }
}

/// Says in a decision that its history is missing and why, where a lane asks for it.
pub fn without_history(decision: &mut Decision, why: &str) {
    let Some((word, _)) = asked(decision) else {
        return;
    };
    if decision.evidence.required.contains(&word) {
        decision.evidence.missing.push(word);
    }
    decision.problems.push(Problem {
        code: ProblemCode::History,
        field: None,
        message: format!("the history is missing: {why}"),
    });
}

/// How the lanes ask for history, and for how much of it.
fn asked(decision: &Decision) -> Option<(String, Option<usize>)> {
    let needs = &decision.evidence;
    let mut needs = needs.required.iter().chain(&needs.optional);
    needs.find_map(|need| {
        let last = need.strip_prefix("history")?;
        let last = match last {
            "" => None,
            last => Some(last.strip_prefix(" last ")?.parse().ok()?),
        };
        Some((need.clone(), last))
    })
}
