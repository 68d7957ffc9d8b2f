//! What a decision is: the verdict with its reasons, route, interim action, evidence, deadlines.
//!
//! In: filled by an evaluator. Out: the same shape for the library, the command line and HTTP.
//! Invariant: a key that does not apply is absent; the same event, matrix, history and clock give
//! the same bytes.
//! Knows nothing of how it was reached.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::{Duration, Timestamp};
use crate::event::Problem;
use crate::value::Value;

pub use crate::value::Kleene;

pub use crate::syntax::ast::{Hold, Scope, Urgency, Verdict};

pub mod recorded;
pub mod stricter;

mod history;

pub use history::{HistoryEntry, Subject, Subjects};

/// The answer to one event.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Decision {
    /// The event's id; the line number of a stream, or nothing, without one.
    pub event: EventRef,
    /// What is to happen.
    pub verdict: Verdict,
    /// The lane or rule that names the decision, `otherwise` or `unreadable`.
    pub by: String,
    /// Why, in one sentence.
    pub reason: String,
    /// Every attached lane, the primary one first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lanes: Vec<AttachedLane>,
    /// The rules that apply or could not be ruled out, in file order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<AppliedRule>,
    /// The primary lane's team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The primary lane's urgency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urgency: Option<Urgency>,
    /// The primary lane's service level, such as `30m of office_hours`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub respond_within: Option<String>,
    /// The earliest instant at which some attached lane is overdue.
    #[serde(
        skip_serializing_if = "Option::is_none",
        with = "crate::clock::optional_rfc3339"
    )]
    #[cfg_attr(
        feature = "server",
        schema(value_type = Option<String>, format = DateTime)
    )]
    pub respond_by: Option<Timestamp>,
    /// The strictest hold per scope.
    #[serde(skip_serializing_if = "Holds::is_empty")]
    pub meanwhile: Holds,
    /// Actions that the caller is asked for now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Actions withheld, because their lane is only unsure.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<String>,
    /// What the primary lane tells its owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// The union of the evidence that the lanes ask for.
    #[serde(skip_serializing_if = "EvidenceNeeds::is_empty")]
    pub evidence: EvidenceNeeds,
    /// The timeout steps of all attached lanes as instants, in order of time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub timeout: Vec<TimeoutStep>,
    /// The fields that adjusts changed, with their new values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub adjusted: BTreeMap<String, Value>,
    /// The same fields before the adjusts; `None` where the field was missing.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub original: BTreeMap<String, Option<Value>>,
    /// Lanes under trial that fire or are unsure; without effect.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trial: Vec<AttachedLane>,
    /// What was wrong with the event, or is worth knowing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    /// The matrix that decided.
    pub matrix: MatrixRef,
    /// What exactly was decided on: the SHA-256 of the event's canonical JSON, in hex. After an
    /// adjust, of the adjusted event.
    pub action_digest: String,
}

/// How an answer names its event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum EventRef {
    /// The event's own id.
    Id(String),
    /// The line of the stream, from 1.
    Line(u64),
    /// Neither.
    None,
}

/// Which matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct MatrixRef {
    /// Its title.
    pub name: String,
    /// The SHA-256 of its source, in hex.
    pub digest: String,
    /// The version of the time zones by which its instants are worked out.
    pub tzdb: &'static str,
}

impl MatrixRef {
    /// Of a matrix.
    #[must_use]
    pub fn of(matrix: &crate::matrix::Matrix) -> Self {
        Self {
            name: matrix.name.clone(),
            digest: matrix.digest.clone(),
            tzdb: chrono_tz::IANA_TZDB_VERSION,
        }
    }
}

/// Whether a trigger surely holds, or could not be ruled out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub enum State {
    /// Surely true.
    Fired,
    /// Not decidable from this event.
    Unsure,
}

/// A lane that fires or is unsure, with what it demands: one sign-off.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct AttachedLane {
    /// The lane; `otherwise` and `unreadable` for their sign-offs.
    pub lane: String,
    /// Whether it surely applies.
    pub state: State,
    /// The team that owns it.
    pub owner: String,
    /// How urgent.
    pub urgency: Urgency,
    /// The tests that made it so.
    pub because: Vec<Reason>,
    /// The values of `group by`, where the lane has it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub group: BTreeMap<String, Option<Value>>,
    /// Its service level.
    pub respond_within: String,
    /// When it is overdue.
    #[serde(
        skip_serializing_if = "Option::is_none",
        with = "crate::clock::optional_rfc3339"
    )]
    #[cfg_attr(
        feature = "server",
        schema(value_type = Option<String>, format = DateTime)
    )]
    pub respond_by: Option<Timestamp>,
    /// Its own hold; an unsure lane's covers the item only.
    pub meanwhile: Holds,
    /// Its own steps as instants.
    pub timeout: Vec<TimeoutStep>,
}

/// A rule that applies, or that could not be ruled out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct AppliedRule {
    /// The rule.
    pub rule: String,
    /// What it does: `always allow`, `always deny` or `adjust`.
    pub does: &'static str,
    /// Whether it surely applies.
    pub state: State,
    /// The tests that made it so.
    pub because: Vec<Reason>,
}

/// One test with what it saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Reason {
    /// The test as the matrix has it.
    pub test: String,
    /// The file, where it is not the root file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its line, from 1.
    pub line: u32,
    /// The value it saw, as the matrix would write it; `missing` for none.
    pub saw: String,
    /// What came out.
    pub result: Kleene,
    /// The window that a measure was taken of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
}

/// The window of a measure as an event saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Window {
    /// What was measured: `4`, or between what it lies: `2 to 4`, `at least 4`.
    pub value: String,
    /// What it was compared with.
    pub threshold: String,
    /// Why it is only a lower bound, where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial: Option<&'static str>,
    /// The last events in it, the oldest first; at most [`WINDOW_IDS`](crate::limits::WINDOW_IDS).
    pub events: Vec<WindowEvent>,
}

impl Window {
    /// The last events in a line: `e-1 at 2026-11-20T10:00:00Z, ...`; nothing without any.
    #[must_use]
    pub fn events_text(&self) -> Option<String> {
        let events = self.events.iter().map(|event| {
            let at = crate::clock::format_timestamp(event.at);
            match &event.id {
                Some(id) => format!("{id} at {at}"),
                None => at,
            }
        });
        let events: Vec<String> = events.collect();
        (!events.is_empty()).then(|| events.join(", "))
    }
}

/// An event in a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct WindowEvent {
    /// Its id; absent where it has none, or where many came behind it since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The instant at which it counts.
    #[serde(with = "crate::clock::rfc3339")]
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
}

/// The hold of each scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Holds {
    /// Of the item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<Hold>,
    /// Of the workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<Hold>,
    /// Of the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<Hold>,
}

impl Holds {
    /// The hold of one lane: a wider scope also covers what is inside it.
    #[must_use]
    pub fn of(hold: Hold, scope: Scope) -> Self {
        Self {
            item: Some(hold),
            workflow: (scope >= Scope::Workflow).then_some(hold),
            system: (scope >= Scope::System).then_some(hold),
        }
    }

    /// The strictest of both in each scope.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self {
            item: self.item.max(other.item),
            workflow: self.workflow.max(other.workflow),
            system: self.system.max(other.system),
        }
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What evidence the owners need, and what of it did not come with the event.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct EvidenceNeeds {
    /// Required by some lane.
    pub required: Vec<String>,
    /// Welcome, and required by none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub optional: Vec<String>,
    /// Required and not there.
    pub missing: Vec<String>,
}

impl EvidenceNeeds {
    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.required.is_empty() && self.optional.is_empty()
    }
}

/// A timeout step at its instant.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct TimeoutStep {
    /// The lane that it belongs to.
    pub lane: String,
    /// When; of a repeated step the first time. Absent where the calendar never gets there.
    #[serde(
        skip_serializing_if = "Option::is_none",
        with = "crate::clock::optional_rfc3339"
    )]
    #[cfg_attr(
        feature = "server",
        schema(value_type = Option<String>, format = DateTime)
    )]
    pub at: Option<Timestamp>,
    /// `notify`, `route`, `run`, `deny`, `expire` or `allow`.
    #[serde(rename = "do")]
    pub action: &'static str,
    /// The team or `backup` that is notified, the new team, the action that is run, the reason of
    /// an `allow`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// How often it repeats until the next step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<Duration>,
}
