//! The evidence packet: what an approver sees of an escalation.
//!
//! In: a decision, its [`Matter`], earlier decisions on the same subject, what is to be hidden. Out: a
//! [`Packet`], which is stored with the escalation.
//! Invariant: what is hidden is in no part of a packet; evidence that is required and did not come is
//! named, and once it is there it is not replaced.
//! Knows nothing of where it is stored, nor of who reads it.
//!
//! # What is hidden
//! The value at each redacted path is `[redacted]`: in the action, the input, the context, the links, all
//! other evidence, in what a test of that field saw, in the values before and after an adjust, and in each
//! sentence. The words of the matrix stay, so that a test such as `customer is "c1"` that fired says
//! what it saw.
//!
//! The action digest stays that of the event as it came: a client can still name what it asked for. Who
//! can guess a hidden value can check the guess against it.
//!
//! An event of which a part of the action is hidden cannot be decided again from its packet
//! ([`Packet::event`] gives nothing). At consumption the caller supplies it again, and the digest says
//! whether it is the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::policy::RedactPath;
use crate::clock::{Timestamp, format_timestamp, rfc3339};
use crate::decision::{
    Decision, HistoryEntry, Holds, Kleene, Reason, State, Urgency, Verdict, WindowEvent,
};
use crate::event::Json;
use crate::value::Value;

mod matter;
mod redact;

pub use matter::Matter;
pub use redact::REDACTED;

use redact::{Redaction, is_envelope};

/// What an approver sees. Its JSON is read back from text only, so that numbers keep their digits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Packet {
    /// What was decided.
    pub decision: Summary,
    /// The event's id, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The event's instant.
    #[serde(with = "rfc3339")]
    pub at: Timestamp,
    /// The original input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Json>,
    /// The proposed action: the event as it came, without `id`, `at` and `evidence`. Absent where it
    /// was not JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Json>,
    /// The fields that adjusts changed, with their new values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub adjusted: BTreeMap<String, Json>,
    /// What triggered it: each attached lane with what its tests saw.
    pub trigger: Vec<Trigger>,
    /// What the agent had before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Json>,
    /// Links to logs and records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<Json>,
    /// Earlier decisions on the same subject.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<HistoryEntry>,
    /// All other evidence by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub other: BTreeMap<String, Json>,
    /// The evidence that some lane requires.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<String>,
    /// The evidence that is welcome.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub optional: Vec<String>,
    /// What is required and not there yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// The fields that the event did not give, and that have their default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub defaulted: Vec<String>,
    /// What was wrong with the event, or is worth knowing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// Where values were hidden, as paths of the event.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redacted: Vec<String>,
}

/// A decision in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// The verdict.
    pub verdict: Verdict,
    /// Who gave it.
    pub by: String,
    /// Why, in one sentence.
    pub reason: String,
    /// The primary lane's team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The primary lane's urgency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urgency: Option<Urgency>,
    /// What holds meanwhile.
    #[serde(default, skip_serializing_if = "Holds::is_empty")]
    pub meanwhile: Holds,
    /// What the owner is told to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// The title of the matrix.
    pub matrix: String,
    /// The digest of the matrix.
    pub matrix_digest: String,
    /// The digest of what was decided on, with nothing hidden; after an adjust, of the adjusted event.
    pub action_digest: String,
}

/// Why a lane attaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// The lane.
    pub lane: String,
    /// Whether it surely applies.
    pub state: State,
    /// The tests that made it so.
    pub because: Vec<Seen>,
}

/// One test with what it saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// The test as the matrix has it.
    pub test: String,
    /// The file, where it is not the root file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its line, from 1.
    pub line: u32,
    /// The value it saw; `missing` for none.
    pub saw: String,
    /// What came out.
    pub result: Kleene,
    /// Why a measure is only a lower bound, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial: Option<String>,
    /// The last events in the window of a measure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<WindowEvent>,
}

/// Why evidence cannot be attached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// It comes from the engine.
    #[error("`{0}` comes from the engine")]
    OfEngine(String),
    /// It is there, and people may have answered by it.
    #[error("`{0}` is there already, and is not replaced")]
    Present(String),
    /// It is `null`.
    #[error("`{0}` is `null`, which is no evidence")]
    Empty(String),
}

impl Packet {
    /// Puts together what is known at the opening, without what is hidden.
    #[must_use]
    pub fn assemble(
        decision: &Decision,
        matter: &Matter<'_>,
        history: Vec<HistoryEntry>,
        redact: &[RedactPath],
    ) -> Self {
        let mut redaction = Redaction::of_matter(redact, matter);
        let mut action = matter.action.clone();
        if let Some(action) = &mut action {
            redaction.apply(action, &[]);
        }
        let mut other = matter.evidence.clone();
        for (name, value) in &mut other {
            redaction.apply(value, &["evidence", name]);
        }
        let shown = |(path, value): (&String, &Value)| match redaction.hides_path(path) {
            true => (path.clone(), Json::Text(REDACTED.to_owned())),
            false => (path.clone(), Json::from_value(value)),
        };
        let problems = decision.problems.iter();
        Self {
            decision: Summary::of(decision, &redaction),
            id: matter.id.clone(),
            at: matter.at,
            input: other.remove("input"),
            action,
            adjusted: decision.adjusted.iter().map(shown).collect(),
            trigger: triggers(decision, &redaction),
            context: other.remove("context"),
            links: other.remove("links"),
            history,
            other,
            required: decision.evidence.required.clone(),
            optional: decision.evidence.optional.clone(),
            missing: decision.evidence.missing.clone(),
            defaulted: matter.defaulted.clone(),
            problems: problems.map(|problem| redaction.message(problem)).collect(),
            redacted: redaction.into_hidden(),
        }
    }

    /// A piece of evidence by its name, if it is there and is none of the engine's.
    #[must_use]
    pub fn piece(&self, name: &str) -> Option<&Json> {
        match name {
            "input" => self.input.as_ref(),
            "context" => self.context.as_ref(),
            "links" => self.links.as_ref(),
            name => self.other.get(name),
        }
    }

    /// Adds evidence that did not come with the event, without what is hidden.
    ///
    /// # Errors
    /// When it is not evidence that one can add, or is there already.
    pub fn attach(
        &mut self,
        name: &str,
        mut value: Json,
        redact: &[RedactPath],
    ) -> Result<(), AttachError> {
        if value == Json::Null {
            return Err(AttachError::Empty(name.to_owned()));
        }
        if matches!(name, "action" | "trigger" | "history") {
            return Err(AttachError::OfEngine(name.to_owned()));
        }
        if self.piece(name).is_some() {
            return Err(AttachError::Present(name.to_owned()));
        }
        let mut redaction = Redaction::of(redact, self.action.as_ref());
        redaction.apply(&mut value, &["evidence", name]);
        match name {
            "input" => self.input = Some(value),
            "context" => self.context = Some(value),
            "links" => self.links = Some(value),
            _ => {
                self.other.insert(name.to_owned(), value);
            }
        }
        self.missing.retain(|missing| missing != name);
        let hidden = redaction.into_hidden();
        self.redacted.extend(hidden);
        Ok(())
    }

    /// The event, without its evidence, to be decided again; `None` where it was not JSON, or where a
    /// part of it is hidden.
    #[must_use]
    pub fn event(&self) -> Option<Json> {
        let is_evidence = |path: &String| path.split('.').next() == Some("evidence");
        if !self.redacted.iter().all(is_evidence) {
            return None;
        }
        let mut event = self.action.clone().filter(|action| {
            // Else nothing could be put into it.
            matches!(action, Json::Object(_))
        })?;
        let at = Json::Text(format_timestamp(self.at));
        let name = match is_envelope(&event) {
            true => "time",
            false => "at",
        };
        event.set(&[name], at);
        if let Some(id) = &self.id {
            event.set(&["id"], Json::Text(id.clone()));
        }
        Some(event)
    }
}

impl Summary {
    fn of(decision: &Decision, redaction: &Redaction<'_>) -> Self {
        Self {
            verdict: decision.verdict,
            by: decision.by.clone(),
            reason: reason(decision, redaction),
            owner: decision.owner.clone(),
            urgency: decision.urgency,
            meanwhile: decision.meanwhile,
            operator: decision.operator.clone(),
            matrix: decision.matrix.name.clone(),
            matrix_digest: decision.matrix.digest.clone(),
            action_digest: decision.action_digest.clone(),
        }
    }
}

/// The sentence of a decision, without what tests of hidden fields saw.
fn reason(decision: &Decision, redaction: &Redaction<'_>) -> String {
    let lanes = decision.lanes.iter().flat_map(|lane| &lane.because);
    let rules = decision.rules.iter().flat_map(|rule| &rule.because);
    let mut sentence = decision.reason.clone();
    for reason in lanes.chain(rules).filter(|r| redaction.hides_test(&r.test)) {
        let saw = |saw: &str| format!("`{}`: {saw}", reason.test);
        let shown = format!("`{}` saw {}", reason.test, reason.saw);
        sentence = sentence.replace(&shown, &saw(REDACTED));
    }
    match redaction.is_in(&sentence)
        || decision.problems.iter().any(|problem| {
            // What cannot be read is named by its first problem.
            sentence.contains(&problem.message) && redaction.message(problem) != problem.message
        }) {
        true => format!("decided by `{}`; why: {REDACTED}", decision.by),
        false => sentence,
    }
}

fn triggers(decision: &Decision, redaction: &Redaction<'_>) -> Vec<Trigger> {
    let lanes = decision.lanes.iter();
    let seen = |reason: &Reason| Seen::of(reason, redaction);
    lanes
        .map(|lane| Trigger {
            lane: lane.lane.clone(),
            state: lane.state,
            because: lane.because.iter().map(seen).collect(),
        })
        .collect()
}

impl Seen {
    fn of(reason: &Reason, redaction: &Redaction<'_>) -> Self {
        let window = reason.window.as_ref();
        Self {
            test: reason.test.clone(),
            file: reason.file.clone(),
            line: reason.line,
            saw: match redaction.hides_test(&reason.test) {
                true => REDACTED.to_owned(),
                false => reason.saw.clone(),
            },
            result: reason.result,
            partial: window.and_then(|window| window.partial.map(str::to_owned)),
            events: window.map_or_else(Vec::new, |window| window.events.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
