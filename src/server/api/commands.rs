//! Commands to an escalation: `POST /v1/escalations/{id}/{act}`.
//!
//! In: who calls, an id, what they say to it. Out: what the command came to.
//! Invariant: who acts is the caller, and nobody whom a body names; whoever does not see the escalation is
//! told that there is none.

use std::sync::Arc;

use axum::Json as Answer;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::decisions::{key_in_body, key_of};
use super::escalations::{ID, sees};
use crate::desk::wire::Answered;
use crate::desk::{Consumption, Done};
use crate::escalation::{Command, Principal, VoteOf};
use crate::server::access::Scope;
use crate::server::app::App;
use crate::server::body;
use crate::server::caller::{Caller, blocking};
use crate::server::extract::Path;
use crate::server::openapi::{Allowed, Commanded, Known, Named, Sent};
use crate::server::problem::Problem;

/// What is said to an escalation.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::server) struct Said {
    /// Why.
    reason: Option<String>,
    /// The digest of the action that was seen (approve), or that is about to run (consume).
    digest: Option<String>,
    /// The changed event (amend), or the one that is about to run (consume).
    #[schema(value_type = Option<Value>)]
    event: Option<Box<RawValue>>,
    /// The team (reassign).
    team: Option<String>,
    /// Whose sign-off, where several wait (reassign).
    lane: Option<String>,
    /// The person (delegate).
    to: Option<String>,
    /// The comment.
    text: Option<String>,
    /// The name of the evidence.
    name: Option<String>,
    /// The evidence.
    #[schema(value_type = Option<Value>)]
    value: Option<Box<RawValue>>,
    /// What makes a repeated use of a grant the same one; `Idempotency-Key` says the same.
    #[schema(min_length = 1, max_length = 256)]
    #[serde(deserialize_with = "key_in_body")]
    key: Option<String>,
}

impl Said {
    /// What a form of a page says: the same words.
    pub(in crate::server) fn of_form(
        get: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Problem> {
        let event = get("event").map(RawValue::from_string).transpose();
        let event = event.map_err(|error| {
            let message = format!("the event is not JSON: {error}");
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "event", message)
        })?;
        // A form gives texts; what is typed is a piece of evidence as it is.
        let value = get("value").and_then(|text| serde_json::value::to_raw_value(&text).ok());
        Ok(Self {
            reason: get("reason"),
            digest: get("digest"),
            event,
            team: get("team"),
            lane: get("lane"),
            to: get("to"),
            text: get("text"),
            name: get("name"),
            value,
            key: None,
        })
    }

    fn bytes(value: Option<&RawValue>) -> Option<Vec<u8>> {
        value.map(|value| value.get().as_bytes().to_vec())
    }
}

/// Gives a command to an escalation.
///
/// `approve` takes `digest`, `deny` `reason`, `amend` `event`, `reassign` `team`, `delegate` `to`, `comment`
/// `text`, `evidence` `name` and `value`, `consume` `digest` or `event`, and a key. Who acts is the caller, and
/// nobody whom the body names.
#[utoipa::path(
    post,
    path = "/v1/escalations/{id}/{act}",
    operation_id = "command_escalation",
    tag = "escalations",
    params(
        ("id" = String, Path, description = ID),
        ("act" = inline(Act), Path, description = "The command."),
        ("Idempotency-Key" = Option<String>, Header, description = "Of `consume`: makes a repeated use the same one.", min_length = 1),
    ),
    request_body(content = Said, example = json!({ "reason": "the price of the order is right", "digest": "…" })),
    responses(
        (status = 200, description = "It is done.", body = Answered<'static>),
        Known, Allowed, Named, Sent, Commanded,
    )
)]
pub(in crate::server) async fn act(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, act)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let act = Act::from_word(&act).ok_or_else(Problem::not_found)?;
    let most = app.config().limits.event_total_bytes + 64 * 1024;
    let mut said: Said = body::json(&app, &headers, body, most).await?;
    said.key = key_of(&headers, said.key)?;
    let done = blocking({
        let app = Arc::clone(&app);
        move || {
            let done = command(&app, &caller, &id, act, &said)?;
            let answered = Answered::of(&done, app.now()?);
            let answer = Answer(answered).into_response();
            app.live.ring(&id);
            Ok(answer)
        }
    })
    .await?;
    Ok(done)
}

/// The commands of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
pub(in crate::server) enum Act {
    Approve,
    Deny,
    Withdraw,
    Amend,
    Cancel,
    Reassign,
    Delegate,
    Comment,
    Evidence,
    Consume,
    Revoke,
    Release,
}

impl Act {
    fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "approve" => Self::Approve,
            "deny" => Self::Deny,
            "withdraw" => Self::Withdraw,
            "amend" => Self::Amend,
            "cancel" => Self::Cancel,
            "reassign" => Self::Reassign,
            "delegate" => Self::Delegate,
            "comment" => Self::Comment,
            "evidence" => Self::Evidence,
            "consume" => Self::Consume,
            "revoke" => Self::Revoke,
            "release" => Self::Release,
            _ => return None,
        })
    }
}

/// Gives a command by its word.
pub(in crate::server) fn command_by_word(
    app: &App,
    caller: &Caller,
    id: &str,
    act: &str,
    said: &Said,
) -> Result<Done, Problem> {
    let act = Act::from_word(act).ok_or_else(Problem::not_found)?;
    command(app, caller, id, act, said)
}

/// Refuses a token that is not for a command, whoever it belongs to: one that only asks never answers, one that
/// only reads neither asks nor answers.
fn may_say(caller: &Caller, act: Act) -> Result<(), Problem> {
    let may = match act {
        Act::Consume => caller.asks(),
        Act::Cancel | Act::Comment | Act::Evidence => {
            caller.asks() || caller.answers() || caller.is_operator()
        }
        _ => return caller.needs(Scope::Answer),
    };
    match may {
        true => Ok(()),
        false => caller.needs(Scope::Decide),
    }
}

/// Gives a command, as the caller. Whoever does not see the escalation is told that there is none.
pub(in crate::server) fn command(
    app: &App,
    caller: &Caller,
    id: &str,
    act: Act,
    said: &Said,
) -> Result<Done, Problem> {
    let it = app.desk.show(id)?.escalation;
    if !sees(caller, &it) {
        return Err(Problem::not_found());
    }
    let is_requester = it.pinned.requester == caller.principal;
    may_say(caller, act)?;
    if act == Act::Consume && !is_requester {
        return Err(Problem::forbidden("only who asked uses the permission"));
    }
    let (desk, actor) = (&app.desk, caller.actor());
    let missing = |what: &str| {
        let message = format!("`{what}` is missing");
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "missing", message)
    };
    let reason = said.reason.clone();
    let command = match act {
        Act::Approve => Command::Vote(VoteOf::Approve {
            digest: said.digest.clone().ok_or_else(|| missing("digest"))?,
            reason,
        }),
        Act::Deny => Command::Vote(VoteOf::Deny {
            reason: reason.unwrap_or_default(),
        }),
        Act::Withdraw => Command::Vote(VoteOf::Withdraw { reason }),
        Act::Cancel => Command::Cancel { reason },
        Act::Delegate => {
            let to = said.to.as_deref().ok_or_else(|| missing("to"))?;
            let to = Principal::parse(to);
            let to = to.map_err(|error| Problem::bad("to", error.to_string()))?;
            Command::Delegate { to }
        }
        Act::Comment => Command::Comment {
            text: said.text.clone().ok_or_else(|| missing("text"))?,
        },
        Act::Revoke => Command::Revoke { reason },
        Act::Release => Command::Release,
        Act::Amend => {
            let event = Said::bytes(said.event.as_deref()).ok_or_else(|| missing("event"))?;
            return Ok(desk.amend(id, &event, reason, actor)?);
        }
        Act::Reassign => {
            let team = said.team.as_deref().ok_or_else(|| missing("team"))?;
            return Ok(desk.reassign(id, said.lane.clone(), team, actor)?);
        }
        Act::Evidence => {
            let name = said.name.as_deref().ok_or_else(|| missing("name"))?;
            let value = Said::bytes(said.value.as_deref()).ok_or_else(|| missing("value"))?;
            return Ok(desk.attach(id, name, &value, actor)?);
        }
        Act::Consume => {
            let deciding = super::decisions::deciding(app)?;
            let event = Said::bytes(said.event.as_deref());
            if event.is_none() && said.digest.is_none() {
                return Err(missing("digest"));
            }
            let consumption = Consumption {
                digest: said.digest.clone(),
                event,
                key: said.key.clone().ok_or_else(|| missing("key"))?,
            };
            let live = deciding.router.matrix();
            return Ok(desk.consume(id, &consumption, &live, actor)?);
        }
    };
    Ok(desk.act(id, command, actor)?)
}
