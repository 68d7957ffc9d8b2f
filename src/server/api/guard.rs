//! The simple guard protocol of tool calls: `POST /v1/guard/evaluate`,
//! `GET /v1/guard/escalations/{id}/status`.
//!
//! In: `{tool_name, tool_input, context}`, which is decided as an event of the kind `tool_call`; later the id
//! of the escalation. Out: what a client of the protocol does.
//! Invariant: whatever fails, the answer says `block`; `approved` is told to the one token that used the
//! grant, with exactly what was approved, until the grant would have lapsed.
//! Knows no other kind of event.
//!
//! A client that takes any other status than 200 for leave to go on is not unheard of, and what it asks about
//! may be chosen by whoever talks to its agent. So a failure is answered to it as a decision: 200, `block`.
//! Only who is not known, or may not ask, gets 401 and 403, with the same body.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::decisions::{Asked, ENVELOPE, Given, KEY, deciding, key_of, note, open};
use super::permit;
use super::tool_call::{Action, Call, Evaluation, KIND};
use crate::clock::Timestamp;
use crate::decision::Verdict;
use crate::desk::Opened;
use crate::event::Json;
use crate::server::access::Scope;
use crate::server::app::{App, Made};
use crate::server::body;
use crate::server::caller::{Caller, blocking};
use crate::server::extract::Path;
use crate::server::problem::Problem;

/// Evaluates a call of a tool.
///
/// Whatever fails is answered by 200 and `block`, so that no client takes a failure for leave to go on; only who
/// is not known, or may not ask, gets another status, with the same body. Where `action` is `escalate`, the
/// escalation is durable when the answer comes. Each call is asked for by itself, unless it says by
/// `Idempotency-Key` that it is the same one.
#[utoipa::path(
    post,
    path = "/v1/guard/evaluate",
    operation_id = "evaluate_tool_call",
    tag = "guard",
    security(("token" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = KEY, min_length = 1, max_length = 256)),
    request_body(content = Call, example = json!({
        "tool_name": "transfer_funds",
        "tool_input": { "amount": 950, "to": "acct-2" },
        "context": { "agent_id": "agent-7" },
    })),
    responses(
        (status = 200, description = "What the client does.", body = Evaluation),
        (status = 401, description = "Nobody known asks.", body = Evaluation),
        (status = 403, description = "The token is not for this.", body = Evaluation),
    )
)]
pub(in crate::server) async fn evaluate(
    State(app): State<Arc<App>>,
    caller: Result<Caller, Problem>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let began = Instant::now();
    let evaluated = match caller {
        Ok(caller) => evaluated(app, caller, headers, body).await,
        Err(problem) => Err(problem),
    };
    let (problem, mut evaluation) = match evaluated {
        Ok(evaluation) => (None, evaluation),
        Err(problem) => {
            let evaluation = Evaluation::block(problem.detail());
            (Some(problem), evaluation)
        }
    };
    evaluation.latency_ms = millis(began.elapsed());
    let mut response = answer(problem, &evaluation);
    let is_stranger = matches!(
        response.status(),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
    );
    if !is_stranger {
        *response.status_mut() = StatusCode::OK;
    }
    response
}

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1_000.0
}

/// A body of the protocol, with the status and the headers of a problem where there is one.
fn answer(problem: Option<Problem>, body: &impl Serialize) -> Response {
    let mut response = match problem {
        Some(problem) => problem.into_response(),
        None => StatusCode::OK.into_response(),
    };
    let text = serde_json::to_vec(body).unwrap_or_else(|_| br#"{"action":"block"}"#.to_vec());
    *response.body_mut() = Body::from(text);
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

async fn evaluated(
    app: Arc<App>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Evaluation, Problem> {
    caller.needs(Scope::Decide)?;
    let deciding = deciding(&app)?;
    body::is_json(&headers)?;
    let most = app.config().limits.event_total_bytes + ENVELOPE;
    let bytes = body::read(&app, body, most).await?;
    let call: Call = body::parse(&bytes)?;
    let key = match key_of(&headers, None)? {
        Some(key) => key,
        // Each call is asked for by itself: two equal ones are not one permission.
        None => fresh_key()?,
    };
    let (event, agent) = (call.event()?, call.agent());
    let now = app.now()?;
    let made = deciding.decide(&event, &caller.principal, now, true);
    if made.matrix.schema.kind_named(KIND).is_none() {
        let message = format!("the matrix knows no `{KIND}`, so that no call can be decided");
        return Err(Problem::unavailable("no_tool_calls", message));
    }
    if made.decision.verdict != Verdict::Escalate {
        // Whether it could be logged is seen at `/healthz`.
        let _ = note(&app, &made, Given::Bytes(&event), &caller, None, now);
        app.metrics.decided(&made.decision, made.took);
        return settled(&made);
    }
    blocking(move || {
        let asked = Asked {
            agent,
            key: Some(key),
            asks: true,
        };
        let (opened, made, _) = open(&app, made, Given::Bytes(&event), &caller, asked, now)?;
        app.metrics.decided(&made.decision, made.took);
        Ok(escalated(&made, &opened, now))
    })
    .await
}

/// A key that no other request has.
fn fresh_key() -> Result<String, Problem> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        let message = format!("no random bytes are to be had: {error}");
        Problem::unavailable("internal", message)
    })?;
    Ok(format!("guard-{:032x}", u128::from_be_bytes(bytes)))
}

/// What is decided without people.
fn settled(made: &Made) -> Result<Evaluation, Problem> {
    let action = match made.decision.verdict {
        Verdict::Allow => Action::Allow,
        Verdict::Adjust => Action::Modify,
        Verdict::Escalate | Verdict::Deny => Action::Block,
    };
    let mut evaluation = Evaluation::of(made, action);
    if action == Action::Modify {
        evaluation.modified_input = Some(modified(made)?);
    }
    Ok(evaluation)
}

/// The input as adjusts changed it. They may change nothing else: the protocol has no words for it.
fn modified(made: &Made) -> Result<Json, Problem> {
    let schema = &made.matrix.schema;
    let read = made.event.as_ref();
    let read = read.map_err(|_| Problem::unavailable("internal", "this failed unexpectedly"))?;
    let changed = read.with_adjusted(schema, &made.decision.adjusted);
    let is_same = |name| changed.body().member(name) == read.body().member(name);
    let input = changed.body().member("tool_input");
    match input.filter(|_| is_same("tool_name") && is_same("context")) {
        Some(input) => Ok(input.clone()),
        None => {
            let message = "a rule changed more of the call than its input";
            Err(Problem::unavailable("changed_call", message))
        }
    }
}

fn escalated(made: &Made, opened: &Opened, now: Timestamp) -> Evaluation {
    let mut evaluation = Evaluation::of(made, Action::Escalate);
    let it = &opened.escalation;
    let id = &it.pinned.id;
    if opened.joined {
        // Its permission will be for another call, so its id is none to ask about.
        return evaluation.blocked_because(format!(
            "another call of this group waits (`{id}`); ask again when that has ended"
        ));
    }
    evaluation.escalation_id = Some(id.clone());
    match it.word(now) {
        "block" => evaluation.blocked_because("what was asked for has ended, and allows nothing"),
        // Of a repeated call that is approved too: the status uses the permission.
        _ => evaluation,
    }
}

/// Where an escalation stands.
///
/// `approved` uses the permission, by the token that reads it; that token may read it again until the
/// permission lapses, which reads `timeout`. An escalation that was taken back reads `denied`. Only the
/// requester reads anything.
#[utoipa::path(
    get,
    path = "/v1/guard/escalations/{id}/status",
    operation_id = "tool_call_status",
    tag = "guard",
    security(("token" = [])),
    params(("id" = String, Path, description = "The `escalation_id` of the answer to the call.")),
    responses(
        (status = 200, description = "Where it stands.", body = permit::Status),
        (status = 401, description = "Nobody known asks.", body = permit::Status),
        (status = 403, description = "The token is not for this.", body = permit::Status),
        (status = 404, description = "It is not there, or another's.", body = permit::Status),
        (status = 410, description = "What was stored with it was erased.", body = permit::Status),
        (status = 500, description = "What was stored cannot be used any more.", body = permit::Status),
        (status = 503, description = "It cannot be known now: ask again.", body = permit::Status),
    )
)]
pub(in crate::server) async fn status(
    State(app): State<Arc<App>>,
    caller: Result<Caller, Problem>,
    path: Result<Path<String>, Problem>,
) -> Response {
    let id = path.map(|Path(id)| id).unwrap_or_default();
    let looked = match caller {
        Ok(caller) => {
            let id = id.clone();
            blocking(move || permit::look(&app, &caller, &id)).await
        }
        Err(problem) => Err(problem),
    };
    match looked {
        Ok(status) => answer(None, &status),
        Err(problem) => {
            let status = permit::Status::failed(&id, &problem);
            answer(Some(problem), &status)
        }
    }
}
