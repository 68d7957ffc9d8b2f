//! Where an escalation stands, as the guard protocol says it.
//!
//! In: who asks, an id. Out: `pending`, `approved`, `denied` or `timeout`; the first `approved` uses the
//! grant.
//! Invariant: nobody but who asked is told anything, and a grant is used by one token; what is told as
//! approved is what its digest names.

use serde::Serialize;

use super::decisions::deciding;
use super::tool_call::Action;
use crate::clock::Timestamp;
use crate::desk::{Consumption, DeskError, Shown};
use crate::escalation::{Escalation, Grant, GrantState, Outcome, Refusal};
use crate::event::Json;
use crate::server::access::Scope;
use crate::server::app::App;
use crate::server::caller::Caller;
use crate::server::problem::Problem;

/// Where an escalation stands. A key that does not apply is `null`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::server) struct Status {
    escalation_id: String,
    status: Stands,
    /// What the client does now.
    action: Action,
    /// Why, in one sentence.
    reason: String,
    /// The tool that was approved.
    #[schema(value_type = Option<String>)]
    tool_name: Option<Json>,
    /// The input that was approved, which is the only one that may run.
    #[schema(value_type = Option<Object>)]
    tool_input: Option<Json>,
    /// The same, where a rule or a person changed it: then `action` is `modify`.
    #[schema(value_type = Option<Object>)]
    modified_input: Option<Json>,
}

/// The words of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::server) enum Stands {
    /// It waits for an answer.
    Pending,
    /// The call may run, once.
    Approved,
    /// It must not, or what was approved was used already or taken back.
    Denied,
    /// Nobody answered in time, or nobody used the permission in time.
    Timeout,
}

impl Status {
    fn of(id: &str, status: Stands, reason: impl Into<String>) -> Self {
        let action = match status {
            Stands::Pending => Action::Escalate,
            Stands::Approved => Action::Allow,
            Stands::Denied | Stands::Timeout => Action::Block,
        };
        Self {
            escalation_id: id.to_owned(),
            status,
            action,
            reason: reason.into(),
            tool_name: None,
            tool_input: None,
            modified_input: None,
        }
    }

    /// What could not be looked up. Where it may work later the client goes on asking; it is never told to
    /// run anything.
    pub(super) fn failed(id: &str, problem: &Problem) -> Self {
        let stands = match problem.status().is_server_error() {
            true => Stands::Pending,
            false => Stands::Denied,
        };
        Self {
            action: Action::Block,
            ..Self::of(id, stands, problem.detail())
        }
    }

    fn approved(id: &str, event: &Json, is_changed: bool) -> Self {
        let input = event.member("tool_input").cloned();
        let action = match is_changed {
            true => Action::Modify,
            false => Action::Allow,
        };
        Self {
            action,
            tool_name: event.member("tool_name").cloned(),
            modified_input: input.clone().filter(|_| is_changed),
            tool_input: input,
            ..Self::of(
                id,
                Stands::Approved,
                "it was approved, for this input, once",
            )
        }
    }
}

/// Looks where an escalation stands, as who asked for it.
pub(super) fn look(app: &App, caller: &Caller, id: &str) -> Result<Status, Problem> {
    caller.needs(Scope::Decide)?;
    let shown = app.desk.show(id)?;
    let it = &shown.escalation;
    if it.pinned.requester != caller.principal {
        return Err(Problem::not_found());
    }
    let Some(resolution) = &it.resolution else {
        return Ok(Status::of(id, Stands::Pending, "it waits for an answer"));
    };
    match resolution.outcome {
        Outcome::Approved | Outcome::Amended => permitted(app, caller, &shown, app.now()?),
        Outcome::Denied => Ok(Status::of(id, Stands::Denied, "it was denied")),
        Outcome::Cancelled => Ok(Status::of(id, Stands::Denied, "it was taken back")),
        Outcome::TimedOut => Ok(Status::of(id, Stands::Timeout, "nobody answered in time")),
    }
}

/// Uses the grant, and says what it permits. Where it cannot be said, or is over, nothing is used.
fn permitted(app: &App, caller: &Caller, shown: &Shown, now: Timestamp) -> Result<Status, Problem> {
    let it = &shown.escalation;
    let id = &*it.pinned.id;
    let key = format!("guard {}", caller.token().unwrap_or("-"));
    let over = it.grant.as_ref().and_then(|grant| over(grant, &key, now));
    if let Some((stands, reason)) = over {
        return Ok(Status::of(id, stands, reason));
    }
    let action = app.desk.action(id)?;
    let Some(event) = action.event else {
        let reason = "parts of the call were not stored: use the permission at \
                      `/v1/escalations/{id}/consume`, with the event";
        return Ok(Status::of(id, Stands::Denied, reason));
    };
    let asked = shown.packet.as_ref().and_then(|it| it.action.as_ref());
    let tool = |call: &Json| call.member("tool_name").cloned();
    if asked.and_then(tool) != tool(&event) {
        // A client that does not look would run its own tool with the input of another.
        let reason = "it was approved for another tool: ask for that one";
        return Ok(Status::of(id, Stands::Denied, reason));
    }
    if it.grant.is_some()
        && let Some(status) = not_used(app, caller, it, &event, key)?
    {
        return Ok(status);
    }
    Ok(Status::approved(id, &event, action.is_changed))
}

/// What a grant that permits nothing to the holder of a key reads as.
fn over(grant: &Grant, key: &str, now: Timestamp) -> Option<(Stands, &'static str)> {
    let is_mine = grant.consume_key.as_deref() == Some(key);
    match grant.state {
        GrantState::Revoked => Some((Stands::Denied, "the permission was taken back")),
        GrantState::Consumed if !is_mine => Some((Stands::Denied, "the permission was used")),
        GrantState::Lapsed => Some((Stands::Timeout, LAPSED)),
        _ if now >= grant.lapses => Some((Stands::Timeout, LAPSED)),
        _ => None,
    }
}

const LAPSED: &str = "the permission was not used in time";

/// Uses the grant as the desk does it: the live matrix decides again (rule 8). Gives back where it stands where
/// that is refused.
fn not_used(
    app: &App,
    caller: &Caller,
    it: &Escalation,
    event: &Json,
    key: String,
) -> Result<Option<Status>, Problem> {
    let id = &*it.pinned.id;
    let live = deciding(app)?.router.matrix();
    let consumption = Consumption {
        digest: Some(it.digest.clone()),
        event: serde_json::to_vec(event).ok(),
        key,
    };
    let done = app.desk.consume(id, &consumption, &live, caller.actor());
    app.live.ring(id);
    match done {
        Ok(_) => Ok(None),
        Err(DeskError::Refused(refusal)) => {
            let stands = match *refusal {
                Refusal::Lapsed(_) => Stands::Timeout,
                _ => Stands::Denied,
            };
            Ok(Some(Status::of(id, stands, refusal.to_string())))
        }
        Err(error) => Err(error.into()),
    }
}
