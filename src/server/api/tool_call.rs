//! A call of a tool, and what is answered to it, as the guard protocol writes them.
//!
//! In: `{tool_name, tool_input, context}`, a decision. Out: an event of the kind `tool_call`, an
//! [`Evaluation`].
//! Invariant: numbers of a call keep their digits; a key that does not apply is `null`, so that a client finds
//! each one.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::decision::{AppliedRule, AttachedLane, Reason, State as Sure, Urgency};
use crate::escalation::Principal;
use crate::event::Json;
use crate::server::app::Made;
use crate::server::problem::Problem;

/// The kind of event that a call is.
pub(super) const KIND: &str = "tool_call";

/// A call of a tool that waits for leave.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::server) struct Call {
    /// The tool.
    #[schema(example = "transfer_funds")]
    tool_name: String,
    /// What it is given. Its numbers keep their digits.
    #[schema(value_type = Option<Object>)]
    tool_input: Option<Box<RawValue>>,
    /// What is known around the call. Its `agent_id` names the agent: neither it nor its owner may approve.
    #[schema(value_type = Option<Object>)]
    context: Option<Box<RawValue>>,
}

/// A call as an event.
#[derive(Debug, Serialize)]
struct ToolCall<'c> {
    kind: &'static str,
    tool_name: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_input: Option<&'c RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'c RawValue>,
}

/// Who acts, where a context says so.
#[derive(Debug, Deserialize)]
struct Acts {
    agent_id: Option<String>,
}

impl Call {
    /// As an event.
    pub(super) fn event(&self) -> Result<Vec<u8>, Problem> {
        let event = serde_json::to_vec(&ToolCall {
            kind: KIND,
            tool_name: &self.tool_name,
            tool_input: self.tool_input.as_deref(),
            context: self.context.as_deref(),
        });
        event.map_err(|_| Problem::unavailable("internal", "this failed unexpectedly"))
    }

    /// The agent. It only adds to those who may not approve; a name that is none adds nobody, and is left to
    /// the matrix.
    pub(super) fn agent(&self) -> Option<Principal> {
        let acts: Acts = serde_json::from_str(self.context.as_deref()?.get()).ok()?;
        Principal::parse(&acts.agent_id?).ok()
    }
}

/// What a client of the protocol does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::server) enum Action {
    /// It runs the tool as it is.
    Allow,
    /// It does not run it.
    Block,
    /// It runs it with `modified_input`.
    Modify,
    /// It waits, and asks for the status of `escalation_id`.
    Escalate,
}

/// The answer to a call. A key that does not apply is `null`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::server) struct Evaluation {
    action: Action,
    /// Why, in one sentence.
    reason: String,
    /// The lane or rule that names the decision, `otherwise` or `unreadable`.
    rule_name: Option<String>,
    /// How urgent it is to those who are asked.
    severity: Option<Urgency>,
    /// Every lane and rule that applies, or could not be ruled out.
    results: Vec<Ruled>,
    /// What the tool is given instead, with `modify`.
    #[schema(value_type = Option<Object>)]
    pub(super) modified_input: Option<Json>,
    /// What to ask about, with `escalate`.
    pub(super) escalation_id: Option<String>,
    /// Milliseconds that the answer took.
    #[schema(minimum = 0)]
    pub(super) latency_ms: f64,
}

/// One lane or rule.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::server) struct Ruled {
    /// Its name.
    rule_name: String,
    /// What it asks for.
    action: Action,
    /// How urgent it is, of a lane.
    severity: Option<Urgency>,
    /// Whether it surely applies: `fired` or `unsure`.
    state: Sure,
    /// The tests that made it so.
    reason: String,
}

impl Ruled {
    fn of_lane(lane: &AttachedLane) -> Self {
        Self {
            rule_name: lane.lane.clone(),
            action: Action::Escalate,
            severity: Some(lane.urgency),
            state: lane.state,
            reason: because(&lane.because),
        }
    }

    fn of_rule(rule: &AppliedRule) -> Self {
        let action = match rule.does {
            "always allow" => Action::Allow,
            "adjust" => Action::Modify,
            _ => Action::Block,
        };
        Self {
            rule_name: rule.rule.clone(),
            action,
            severity: None,
            state: rule.state,
            reason: because(&rule.because),
        }
    }
}

fn because(tests: &[Reason]) -> String {
    let tests = tests
        .iter()
        .map(|test| format!("`{}` saw {}", test.test, test.saw));
    tests.collect::<Vec<_>>().join("; ")
}

impl Evaluation {
    /// Of a decision, before anything is opened.
    pub(super) fn of(made: &Made, action: Action) -> Self {
        let decision = &made.decision;
        let lanes = decision.lanes.iter().map(Ruled::of_lane);
        Self {
            action,
            reason: decision.reason.clone(),
            rule_name: Some(decision.by.clone()),
            severity: decision.urgency,
            results: lanes
                .chain(decision.rules.iter().map(Ruled::of_rule))
                .collect(),
            modified_input: None,
            escalation_id: None,
            latency_ms: 0.0,
        }
    }

    /// Of what failed.
    pub(super) fn block(reason: &str) -> Self {
        Self {
            action: Action::Block,
            reason: reason.to_owned(),
            rule_name: None,
            severity: None,
            results: Vec::new(),
            modified_input: None,
            escalation_id: None,
            latency_ms: 0.0,
        }
    }

    pub(super) fn blocked_because(self, reason: impl Into<String>) -> Self {
        Self {
            action: Action::Block,
            reason: reason.into(),
            ..self
        }
    }
}
