//! What a recorded stream came to, as data.
//!
//! In: filled when all events were counted. Out: the same shape for text, JSON and HTML.
//! Invariant: the same events and matrices give the same bytes; no wall clock is in it. A share is
//! of all events, from 0 to 1, with six decimals. Lists are sorted by count, then in file order.

use serde::{Serialize, Serializer};

use super::Counts;
use crate::clock::{Timestamp, format_timestamp};
use crate::decision::{MatrixRef, Verdict};
use crate::event::ProblemCode;

/// A recorded stream, summed up.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The matrix that decided.
    pub matrix: MatrixRef,
    /// How many events there were; one for each line that is not blank.
    pub events: u64,
    /// Bytes of their lines, without line breaks.
    pub bytes: u64,
    /// The first instant of an event.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "instant")]
    pub first: Option<Timestamp>,
    /// The last one.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "instant")]
    pub last: Option<Timestamp>,
    /// Events that gave no instant of their own; they are not in `over_time`.
    #[serde(skip_serializing_if = "is_zero")]
    pub untimed: u64,
    /// How many events each verdict was given to.
    pub verdicts: Verdicts,
    /// Events that no lane and no rule decided.
    pub otherwise: Part,
    /// The lanes that attached at least once.
    pub lanes: Vec<LaneSummary>,
    /// Lanes that never attached, nor would have without their trial, in file order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub never_attached: Vec<String>,
    /// Lanes while they are under trial.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trial: Vec<TrialSummary>,
    /// The rules.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleSummary>,
    /// The kinds of event.
    pub kinds: Vec<KindSummary>,
    /// Events with a lane or rule that could not be ruled out.
    pub unsure: UnsureSummary,
    /// Events that could not be decided on.
    pub unreadable: UnreadableSummary,
    /// The verdicts over time; absent where no event has an instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_time: Option<OverTime>,
    /// What another matrix decides differently.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
    /// What a decision log says was decided, beside what is decided now; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<LogSummary>,
}

/// What a decision log says was decided, beside what is decided now: by verdict and by name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogSummary {
    /// Decisions of the log that were made again.
    pub decisions: u64,
    /// Those that come out with another verdict or another name.
    pub changed: Part,
    /// Lines that stand for others too, because the log is a sample: counts and measures are those of
    /// the sample.
    #[serde(skip_serializing_if = "is_zero")]
    pub sampled: u64,
    /// Lines from which something was taken out.
    #[serde(skip_serializing_if = "is_zero")]
    pub redacted: u64,
    /// Lines that do not have their event; they are not among the events.
    #[serde(skip_serializing_if = "is_zero")]
    pub absent: u64,
    /// The changes by what they are, the most frequent first.
    pub changes: Vec<LogChange>,
}

/// One sort of change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogChange {
    /// What it was.
    pub old: Named,
    /// What it is now.
    pub new: Named,
    /// How many decisions.
    #[serde(flatten)]
    pub part: Part,
    /// The first few.
    pub examples: Vec<Example>,
}

/// A number of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Part {
    /// How many.
    pub events: u64,
    /// Of how many.
    pub of: u64,
}

impl Part {
    /// The share, from 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share is rounded anyway")]
    pub fn share(self) -> f64 {
        match self.of {
            0 => 0.0,
            of => (self.events as f64 / of as f64 * 1e6).round() / 1e6,
        }
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown {
            events: u64,
            share: f64,
        }
        let (events, share) = (self.events, self.share());
        Shown { events, share }.serialize(serializer)
    }
}

/// Events by verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verdicts {
    /// Allowed.
    pub allow: u64,
    /// Adjusted.
    pub adjust: u64,
    /// Escalated.
    pub escalate: u64,
    /// Denied.
    pub deny: u64,
}

impl Verdicts {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.each().iter().map(|(_, events)| events).sum()
    }

    /// Each, from the loosest to the strictest.
    #[must_use]
    pub fn each(&self) -> [(Verdict, u64); 4] {
        [
            (Verdict::Allow, self.allow),
            (Verdict::Adjust, self.adjust),
            (Verdict::Escalate, self.escalate),
            (Verdict::Deny, self.deny),
        ]
    }

    pub(super) fn add(&mut self, counts: Counts) {
        let [allow, adjust, escalate, deny] = counts;
        self.allow += allow;
        self.adjust += adjust;
        self.escalate += escalate;
        self.deny += deny;
    }

    pub(super) fn of(counts: Counts) -> Self {
        let mut verdicts = Self::default();
        verdicts.add(counts);
        verdicts
    }
}

impl Serialize for Verdicts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let of = self.total();
        let parts = self.each().map(|(verdict, events)| {
            let part = Part { events, of };
            (verdict.as_str(), part)
        });
        serializer.collect_map(parts)
    }
}

/// A lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LaneSummary {
    /// Its name.
    pub lane: String,
    /// The team that owns it.
    pub owner: String,
    /// Events that it attached to.
    #[serde(flatten)]
    pub part: Part,
    /// Events for which it fired.
    pub fired: u64,
    /// Events for which it could not be ruled out.
    pub unsure: u64,
    /// Events whose decision it named.
    pub primary: u64,
    /// Events for which it could not be ruled out and was left out, as its author wrote.
    #[serde(skip_serializing_if = "is_zero")]
    pub skipped: u64,
}

/// A lane under trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrialSummary {
    /// Its name.
    pub lane: String,
    /// Events that it would have attached to.
    #[serde(flatten)]
    pub part: Part,
    /// Events for which it fired.
    pub fired: u64,
    /// Events for which it could not be ruled out.
    pub unsure: u64,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleSummary {
    /// Its name.
    pub rule: String,
    /// What it does: `always allow`, `always deny` or `adjust`.
    pub does: &'static str,
    /// Events that it applied to.
    #[serde(flatten)]
    pub part: Part,
    /// Events for which it could not be ruled out.
    pub unsure: u64,
    /// Events whose decision it named.
    pub decided: u64,
}

/// A kind of event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KindSummary {
    /// Its name.
    pub kind: String,
    /// Its readable events.
    #[serde(flatten)]
    pub part: Part,
}

/// Events with a lane or rule that could not be ruled out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct UnsureSummary {
    /// All of them; lanes under trial and lanes that are left out do not count.
    #[serde(flatten)]
    pub part: Part,
    /// By what was not known; an event that lacks two things is in both.
    pub by_missing: Vec<MissingSummary>,
}

/// Something that was not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingSummary {
    /// The path of a field, or the words of a measure that is only known in part.
    pub missing: String,
    /// Events that were unsure without it.
    #[serde(flatten)]
    pub part: Part,
}

/// Events that could not be decided on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct UnreadableSummary {
    /// All of them.
    #[serde(flatten)]
    pub part: Part,
    /// By the first problem of each.
    pub by_problem: Vec<ProblemSummary>,
}

/// A sort of problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProblemSummary {
    /// The sort.
    pub code: ProblemCode,
    /// The kind of the events, where that could be read and is declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The field, where it is a declared one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// How many events.
    #[serde(flatten)]
    pub part: Part,
    /// What the first one said.
    pub message: String,
    /// The first few.
    pub examples: Vec<Example>,
}

/// An event by its place and its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    /// The file, from 1, where there were several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<u32>,
    /// The line.
    pub line: u64,
    /// Its id, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
}

/// How long a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// An hour.
    Hour,
    /// A local day.
    Day,
    /// From Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
    /// A calendar year.
    Year,
}

impl Step {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

/// The verdicts over time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OverTime {
    /// How long each bucket is.
    pub step: Step,
    /// The zone of hours and days: that of the matrix.
    pub zone: String,
    /// One after the other, also those without events.
    pub buckets: Vec<Bucket>,
}

/// A span of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its beginning: an instant for an hour, else a date, a month or a year.
    pub from: String,
    /// The events in it.
    pub verdicts: Verdicts,
}

impl Bucket {
    pub(super) fn new(from: String) -> Self {
        Self {
            from,
            verdicts: Verdicts::default(),
        }
    }
}

impl Serialize for Bucket {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            from: &'a str,
            allow: u64,
            adjust: u64,
            escalate: u64,
            deny: u64,
        }
        let Verdicts {
            allow,
            adjust,
            escalate,
            deny,
        } = self.verdicts;
        Shown {
            from: &self.from,
            allow,
            adjust,
            escalate,
            deny,
        }
        .serialize(serializer)
    }
}

/// What another matrix decides differently.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Against {
    /// The other matrix.
    pub matrix: MatrixRef,
    /// Its verdicts.
    pub verdicts: Verdicts,
    /// Events whose decision changes.
    pub changed: Part,
    /// Those of them that it decides more strictly.
    pub stricter: u64,
    /// Less strictly.
    pub looser: u64,
    /// More strictly in one way and less so in another.
    pub mixed: u64,
    /// As strictly: another lane or rule decides, or the terms of a lane are other ones.
    pub equal: u64,
    /// The changes by what they are, the most frequent first.
    pub changes: Vec<ChangeSummary>,
}

impl Against {
    /// How many events change which way, without the ways in which none does.
    pub fn by_strictness(&self) -> impl Iterator<Item = (Strictness, u64)> {
        let counts = [
            (Strictness::Stricter, self.stricter),
            (Strictness::Looser, self.looser),
            (Strictness::Mixed, self.mixed),
            (Strictness::Equal, self.equal),
        ];
        counts.into_iter().filter(|(_, count)| *count > 0)
    }
}

/// One sort of change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangeSummary {
    /// What it was.
    pub old: Named,
    /// What it becomes.
    pub new: Named,
    /// Which of both is stricter.
    pub strictness: Strictness,
    /// What differs under one verdict: `another sign-off`, `a sign-off less`, `a larger hold`,
    /// `a smaller hold`, `other terms`, `other values`, `decided by another`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differs: Vec<&'static str>,
    /// How many events.
    #[serde(flatten)]
    pub part: Part,
    /// The first few.
    pub examples: Vec<Example>,
}

/// A verdict and what names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    /// The verdict.
    pub verdict: Verdict,
    /// The lane or rule, `otherwise` or `unreadable`.
    pub by: String,
}

/// How strict a new decision is, beside the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Strictness {
    /// A stricter verdict; of two escalations one more sign-off, or a larger hold.
    Stricter,
    /// The opposite.
    Looser,
    /// Both: one sign-off more and another one less.
    Mixed,
    /// Neither.
    Equal,
}

impl Strictness {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stricter => "stricter",
            Self::Looser => "looser",
            Self::Mixed => "mixed",
            Self::Equal => "equal",
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde calls"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(clippy::ref_option, reason = "the signature that serde calls")]
fn instant<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.serialize_str(&format_timestamp(*at)),
        None => serializer.serialize_none(),
    }
}
