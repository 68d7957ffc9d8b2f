//! Decisions: `POST /v1/decisions`.
//!
//! In: an event, in an envelope. Out: the decision, and the escalation that it opened.
//! Invariant: the answer to a request that could not be carried out says `block`; nothing is opened by a dry
//! run; an escalate decision of an enforced request is answered when its escalation is durable.

use std::sync::Arc;

use axum::Json as Answer;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

pub(in crate::server) use super::opening::{Asked, Given, note, open};
use crate::clock::Timestamp;
use crate::decision::{Decision, Verdict};
use crate::desk::wire::Data;
use crate::escalation::Principal;
use crate::limits::{BATCH_BYTES, BATCH_EVENTS, EVENT_ID_BYTES};
use crate::reference::Explanation;
use crate::server::access::Scope;
use crate::server::app::{App, Deciding, Made};
use crate::server::body;
use crate::server::caller::{Caller, blocking};
use crate::server::openapi::{Allowed, Commanded, Known, Sent};
use crate::server::problem::Problem;

/// A request for a decision.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::server) struct Wanted<'b> {
    /// The event, as the matrix declares its kind. Its numbers keep their digits. What is none is decided as
    /// `unreadable`.
    #[schema(value_type = Value)]
    #[serde(borrow)]
    event: &'b RawValue,
    /// `enforce` opens an escalation where the decision is to escalate; `dry_run` opens and counts nothing.
    #[serde(default)]
    mode: Mode,
    /// Whether every lane is explained.
    #[serde(default)]
    explain: bool,
    /// The agent on whose behalf the caller asks.
    agent: Option<String>,
    /// Whether the event asks for an action; `false` where it reports one that happened.
    #[serde(default = "yes")]
    asks: bool,
    /// What makes a repeated request the same one; the header `Idempotency-Key` says the same.
    #[schema(min_length = 1, max_length = 256)]
    #[serde(default, deserialize_with = "key_in_body")]
    key: Option<String>,
}

fn yes() -> bool {
    true
}

/// Whether a decision has consequences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::server) enum Mode {
    /// It has.
    #[default]
    Enforce,
    /// It has none.
    DryRun,
}

/// A decision.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = DecisionAnswer)]
pub(in crate::server) struct Decision1<'d> {
    /// What the caller does: `allow`, `modify`, `block` or `escalate`.
    #[schema(example = "escalate")]
    word: &'static str,
    #[schema(value_type = Decision)]
    decision: &'d RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    explanation: Option<Box<Explanation>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    escalation: Option<Data<'d>>,
    /// Whether the same request was made before.
    #[serde(skip_serializing_if = "Option::is_none")]
    replayed: Option<bool>,
    /// Whether it joined an escalation of its group; then it stays blocked, and is asked again behind the
    /// end.
    #[serde(skip_serializing_if = "Option::is_none")]
    joined: Option<bool>,
    /// How events come: where it is `shared`, measures are lower bounds.
    measures: &'static str,
    /// Why the decision is not in the decision log, where it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_logged: Option<String>,
}

/// What the header `Idempotency-Key` is.
pub(super) const KEY: &str = "Makes a repeated request the same one.";

/// Decides an event.
///
/// Where the decision is to escalate, the escalation is durable when the answer comes. The key is the one of the
/// header or the body, else the `id` of the event; without any, what escalates is refused.
#[utoipa::path(
    post,
    path = "/v1/decisions",
    operation_id = "decide",
    tag = "decisions",
    security(("token" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = KEY, min_length = 1, max_length = 256)),
    request_body(content = Wanted<'static>, example = json!({
        "event": { "kind": "refund", "id": "r-4711", "customerId": "c-1", "reason": "goodwill", "amount": 950,
            "method": "original" },
        "mode": "enforce",
    })),
    responses(
        (status = 200, description = "The decision.", body = Decision1<'static>),
        Known, Allowed, Sent, Commanded,
    )
)]
pub(in crate::server) async fn one(
    State(app): State<Arc<App>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    caller.needs(Scope::Decide)?;
    if app.deciding_now().is_none() {
        return Err(no_matrix(&app));
    }
    let (head, body) = request.into_parts();
    body::is_json(&head.headers)?;
    let most = app.config_now().limits.event_total_bytes + ENVELOPE;
    let bytes = body::read(&app, body, most).await?;
    let mut wanted: Wanted<'_> = body::parse(&bytes)?;
    wanted.key = key_of(&head.headers, wanted.key)?;
    let text = answered(&app, &caller, wanted).await?;
    let mut response = Response::new(Body::from(text));
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

/// Bytes of what stands around an event.
pub(super) const ENVELOPE: usize = 4 * 1024;

/// What makes a repeated request the same one: what the header says, else what the body does.
pub(super) fn key_of(headers: &HeaderMap, body: Option<String>) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(body);
    };
    let text = value.to_str().map_err(|_| {
        let message = "the idempotency key has characters that a header cannot have";
        Problem::bad("key", message)
    })?;
    is_key(text).map_err(|message| Problem::bad("key", message))?;
    Ok(Some(text.to_owned()))
}

/// A key in a body: what cannot be one makes the body unreadable.
pub(super) fn key_in_body<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let key = Option::<String>::deserialize(from)?;
    match key.as_deref().map_or(Ok(()), is_key) {
        Ok(()) => Ok(key),
        Err(message) => Err(D::Error::custom(message)),
    }
}

/// An empty key would make one request of all that have it; a long one does not fit into the index.
fn is_key(text: &str) -> Result<(), String> {
    match (1..=EVENT_ID_BYTES).contains(&text.len()) {
        true => Ok(()),
        false => Err(format!(
            "an idempotency key has 1 to {EVENT_ID_BYTES} bytes"
        )),
    }
}

/// Several decisions.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::server) struct Batch<'b> {
    /// Each as it would be asked for by itself, decided in this order.
    #[schema(max_items = 1000)]
    #[serde(borrow)]
    requests: Vec<Wanted<'b>>,
}

/// The answers to several requests.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::server) struct Batched {
    /// Each as it would be by itself, in the order of the requests: a decision, or a problem.
    #[schema(value_type = Vec<OneOfBatch>)]
    decisions: Vec<Box<RawValue>>,
}

/// One answer of a batch.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = BatchAnswer)]
#[serde(untagged)]
#[expect(dead_code, reason = "it says what stands in the texts of a batch")]
enum OneOfBatch {
    Decision(Box<Decision1<'static>>),
    Problem(Problem),
}

/// Decides several events, each independently of the others, in their order.
#[utoipa::path(
    post,
    path = "/v1/decisions/batch",
    operation_id = "decide_batch",
    tag = "decisions",
    security(("token" = [])),
    request_body = Batch<'static>,
    responses(
        (status = 200, description = "The decisions.", body = Batched),
        Known, Allowed, Sent,
    )
)]
pub(in crate::server) async fn batch(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    caller.needs(Scope::Decide)?;
    deciding(&app)?;
    body::is_json(&headers)?;
    let bytes = body::read(&app, body, BATCH_BYTES).await?;
    let batch: Batch<'_> = body::parse(&bytes)?;
    if batch.requests.len() > BATCH_EVENTS {
        let message = format!("a batch has at most {BATCH_EVENTS} requests");
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_many_events",
            message,
        ));
    }
    let mut all = Vec::with_capacity(batch.requests.len());
    for wanted in batch.requests {
        let text = match answered(&app, &caller, wanted).await {
            Ok(text) => text,
            Err(problem) => serde_json::to_string(&problem).unwrap_or_default(),
        };
        all.push(RawValue::from_string(text).map_err(|_| internal())?);
    }
    Ok(Answer(Batched { decisions: all }).into_response())
}

fn internal() -> Problem {
    Problem::unavailable("internal", "this failed unexpectedly")
}

/// What decides, or why nothing does: then everything is blocked.
pub(in crate::server) fn deciding(app: &App) -> Result<Arc<Deciding>, Problem> {
    app.deciding().ok_or_else(|| no_matrix(app))
}

fn no_matrix(app: &App) -> Problem {
    let why = app.trouble().unwrap_or_default();
    Problem::unavailable("no_matrix", format!("nothing can be decided: {why}"))
}

/// The answer to one request.
async fn answered(app: &Arc<App>, caller: &Caller, wanted: Wanted<'_>) -> Result<String, Problem> {
    let opens = match settled(app, caller, &wanted)? {
        Settled::Answered(text) => return Ok(text),
        Settled::Opens(opens) => opens,
    };
    let (app, caller, event) = (Arc::clone(app), caller.clone(), wanted.event.to_owned());
    blocking(move || opens.answered(&app, &caller, Given::Json(&event))).await
}

/// What a request came to.
enum Settled {
    /// A decision that opens nothing.
    Answered(String),
    /// One that opens an escalation, which waits for the store.
    Opens(Box<Opens>),
}

/// A decision that opens an escalation.
struct Opens {
    made: Made,
    explanation: Option<Box<Explanation>>,
    asked: Asked,
    now: Timestamp,
}

/// Decides, and answers unless something is to be opened.
fn settled(app: &App, caller: &Caller, wanted: &Wanted<'_>) -> Result<Settled, Problem> {
    let agent = wanted.agent.as_deref().map(Principal::parse).transpose();
    let agent = agent.map_err(|error| Problem::bad("agent", error.to_string()))?;
    let now = app.now()?;
    let is_real = wanted.mode == Mode::Enforce;
    let deciding = app.deciding_now();
    let deciding = deciding.as_ref().ok_or_else(|| no_matrix(app))?;
    let event = Given::Json(wanted.event);
    let made = deciding.decide(event.bytes(), &caller.principal, now, is_real);
    let explanation = match wanted.explain {
        true => explanation(deciding, &made, now),
        false => None,
    };
    if is_real && made.decision.verdict == Verdict::Escalate {
        let (key, asks) = (wanted.key.clone(), wanted.asks);
        return Ok(Settled::Opens(Box::new(Opens {
            made,
            explanation,
            asked: Asked { agent, key, asks },
            now,
        })));
    }
    let not_logged = match is_real {
        true => note(app, &made, event, caller, None, now),
        false => None,
    };
    let answered = Decision1 {
        word: word(made.decision.verdict),
        decision: made.text().ok_or_else(internal)?,
        explanation,
        escalation: None,
        replayed: None,
        joined: None,
        measures: app.routing().as_str(),
        not_logged,
    };
    app.metrics.decided(&made.decision, made.took);
    let mut text = Vec::with_capacity(answered.decision.get().len() + 256);
    serde_json::to_writer(&mut text, &answered).map_err(|_| internal())?;
    Ok(Settled::Answered(
        String::from_utf8(text).map_err(|_| internal())?,
    ))
}

impl Opens {
    /// Opens it, and answers when it is durable.
    fn answered(self, app: &App, caller: &Caller, event: Given<'_>) -> Result<String, Problem> {
        let (opened, made, not_logged) = open(app, self.made, event, caller, self.asked, self.now)?;
        let answered = Decision1 {
            word: opened.escalation.word(self.now),
            decision: made.text().ok_or_else(internal)?,
            explanation: self.explanation,
            escalation: Some(Data::of(&opened.escalation, self.now)),
            replayed: Some(opened.replayed),
            joined: Some(opened.joined),
            measures: app.routing().as_str(),
            not_logged,
        };
        app.metrics.decided(&made.decision, made.took);
        serde_json::to_string(&answered).map_err(|_| internal())
    }
}

/// The word of a decision that opens nothing.
pub(in crate::server) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allow => "allow",
        Verdict::Adjust => "modify",
        Verdict::Escalate => "escalate",
        Verdict::Deny => "block",
    }
}

/// How each lane and rule stands to an event; nothing of one that cannot be read.
pub(in crate::server) fn explanation(
    deciding: &Deciding,
    made: &Made,
    now: Timestamp,
) -> Option<Box<Explanation>> {
    let event = made.event.as_ref().ok()?;
    Some(Box::new(deciding.router.explain(event, now)))
}
