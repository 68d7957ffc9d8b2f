//! Escalations: `/v1/escalations`.
//!
//! In: who calls, an id, what they say to it. Out: lists, one escalation, what a command came to.
//! Invariant: what a caller may not see and what is not there are one answer; who acts is the caller.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json as Answer;
use axum::body::Body;
use axum::extract::{Path, Query as Asked, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{Stream, unfold};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::broadcast::error::RecvError;

use crate::clock::{Duration as Span, Timestamp, parse_timestamp};
use crate::decision::Urgency;
use crate::desk::wire::{self, Answered, Data, Listed, Whole};
use crate::desk::{Consumption, Done};
use crate::escalation::{Command, Escalation, Outcome, Principal, VoteOf};
use crate::limits::LONG_POLL;
use crate::server::access::Scope;
use crate::server::app::App;
use crate::server::body;
use crate::server::caller::{Caller, blocking};
use crate::server::problem::Problem;
use crate::store::{Order, Query};

/// Escalations of a page, at most.
const PAGE: u32 = 500;

/// Which escalations.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
pub(in crate::server) struct Filter {
    /// `pending`, `ended`, `approved`, `amended`, `denied`, `timed_out` or `cancelled`; pending ones without
    /// it, and all with `any`.
    state: Option<String>,
    /// Of the lane that names the decision.
    lane: Option<String>,
    /// That ask this team now.
    team: Option<String>,
    /// `critical`, `high`, `normal` or `low`.
    urgency: Option<String>,
    /// That ask the caller now.
    mine: bool,
    /// Opened at least so long ago, such as `2h`.
    older_than: Option<String>,
    /// Opened at or behind an instant of RFC 3339.
    since: Option<String>,
    /// At most so many, up to 500; 50 without it.
    limit: Option<u32>,
    /// Behind the page before, which said how.
    after: Option<String>,
}

/// A page of escalations.
#[derive(Debug, Serialize)]
struct Page<'d> {
    escalations: Vec<Listed<'d>>,
    /// What to give as `after` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl Filter {
    /// As the store is asked, for a caller who sees what is theirs.
    pub(in crate::server) fn query(
        &self,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Query, Problem> {
        let wrong = |key: &str, what: &str| Problem::bad("filter", format!("`{key}` is {what}"));
        let (pending, outcome) = match self.state.as_deref() {
            None | Some("pending") => (Some(true), None),
            Some("any") => (None, None),
            Some("ended") => (Some(false), None),
            Some(word) => {
                let outcome = Outcome::from_word(word).ok_or_else(|| {
                    let words =
                        "pending, ended, any, approved, amended, denied, timed_out or cancelled";
                    wrong("state", words)
                })?;
                (Some(false), Some(outcome))
            }
        };
        let urgency = match self.urgency.as_deref() {
            None => None,
            Some(word) => Some(
                Urgency::from_word(word)
                    .ok_or_else(|| wrong("urgency", "critical, high, normal or low"))?,
            ),
        };
        let before = match self.older_than.as_deref() {
            None => None,
            Some(text) => {
                let span = Span::parse(text)
                    .map_err(|_| wrong("older_than", "a duration such as `2h`"))?;
                now.checked_sub_signed(span.to_chrono())
            }
        };
        let since = match self.since.as_deref() {
            None => None,
            Some(text) => Some(
                parse_timestamp(text)
                    .ok_or_else(|| wrong("since", "an instant such as `2026-11-20T10:00:00Z`"))?,
            ),
        };
        let behind = match self.after.as_deref() {
            None => None,
            Some(text) => Some(
                wire::read_cursor(text)
                    .ok_or_else(|| wrong("after", "what the page before ended with"))?,
            ),
        };
        let limit = self.limit.unwrap_or(50);
        if limit == 0 || limit > PAGE {
            return Err(wrong("limit", "1 to 500"));
        }
        let is_asked = self.mine || (!caller.sees_all() && caller.answers());
        let asks_itself = !caller.sees_all() && !caller.answers();
        Ok(Query {
            pending,
            outcome,
            lane: self.lane.clone(),
            team: self.team.clone(),
            urgency,
            person: is_asked.then(|| caller.principal.clone()),
            requester: asks_itself.then(|| caller.principal.clone()),
            since,
            before,
            order: match pending {
                Some(true) => Order::Due,
                _ => Order::Newest,
            },
            behind,
            limit,
        })
    }
}

/// A page of escalations: those that a requester asked for, that ask a person, or all.
pub(in crate::server) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Asked(filter): Asked<Filter>,
) -> Result<Response, Problem> {
    blocking(move || {
        let query = filter.query(&caller, app.now()?)?;
        let (order, limit) = (query.order, query.limit as usize);
        let mut found = app.desk.page(Query {
            // One more says whether there is another page.
            limit: query.limit + 1,
            ..query
        })?;
        let is_more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| is_more);
        let page = Page {
            escalations: found.iter().map(Listed::of).collect(),
            next: next.map(|last| wire::cursor_text(last, order)),
        };
        Ok(Answer(page).into_response())
    })
    .await
}

/// Whether a caller sees an escalation: who asked for it, whom it asks or asked, and who sees all.
pub(in crate::server) fn sees(caller: &Caller, it: &Escalation) -> bool {
    let is_caller = |name: &Principal| *name == caller.principal;
    caller.sees_all()
        || is_caller(&it.pinned.requester)
        || it.pinned.agent.as_ref().is_some_and(is_caller)
        || (caller.answers() && is_asked(&caller.principal, it))
}

/// Whether a person is, or was, asked.
pub(in crate::server) fn is_asked(person: &Principal, it: &Escalation) -> bool {
    let mut seats = it.sign_offs.iter().flat_map(|sign_off| &sign_off.seats);
    seats.any(|seat| seat.person == *person)
}

/// Whether a caller sees the evidence too: whom it asks, and who sees all.
fn sees_evidence(caller: &Caller, it: &Escalation) -> bool {
    caller.sees_all() || (caller.answers() && is_asked(&caller.principal, it))
}

/// How long to wait for an end.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
pub(in crate::server) struct Wait {
    /// At most so long, such as `30s`, and never over 55 seconds: what is still pending then is answered as
    /// pending.
    wait: Option<String>,
}

/// One escalation. With `wait` the answer comes when it ends, or when the time is over.
pub(in crate::server) async fn one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Asked(wait): Asked<Wait>,
) -> Result<Response, Problem> {
    let wait = match wait.wait.as_deref() {
        None => Duration::ZERO,
        Some(text) => {
            let span = Span::parse(text)
                .map_err(|_| Problem::bad("wait", "`wait` is a duration such as `30s`"))?;
            Duration::from_millis(span.as_millis()).min(LONG_POLL)
        }
    };
    let until = Instant::now() + wait;
    let ear = app.live.listen(&id);
    loop {
        let heard = ear.heard();
        let (app2, caller2, id2) = (Arc::clone(&app), caller.clone(), id.clone());
        let (is_pending, response) = blocking(move || look(&app2, &caller2, &id2)).await?;
        let left = until.saturating_duration_since(Instant::now());
        if !is_pending || left.is_zero() || app.is_ending() {
            return Ok(response);
        }
        tokio::select! {
            () = heard => {}
            () = app.ended() => {}
            // News can be lost; what is true is looked up from time to time.
            () = tokio::time::sleep(left.min(LOOK)) => {}
        }
    }
}

/// Between two looks without news.
const LOOK: Duration = Duration::from_secs(10);

fn look(app: &App, caller: &Caller, id: &str) -> Result<(bool, Response), Problem> {
    let shown = app.desk.show(id)?;
    let it = &shown.escalation;
    if !sees(caller, it) {
        return Err(Problem::not_found());
    }
    let now = app.now()?;
    let response = match sees_evidence(caller, it) {
        true => Answer(Whole::of(&shown, now)).into_response(),
        false => Answer(Data::of(it, now)).into_response(),
    };
    Ok((it.is_pending(), response))
}

/// What happened to an escalation.
pub(in crate::server) async fn history(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    blocking(move || {
        let shown = app.desk.show(&id)?;
        if !sees_evidence(&caller, &shown.escalation) {
            return Err(Problem::not_found());
        }
        let history = Whole::of(&shown, app.now()?).history;
        Ok(Answer(serde_json::json!({ "history": history })).into_response())
    })
    .await
}

/// What is said to an escalation.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::server) struct Said {
    /// Why.
    reason: Option<String>,
    /// The digest of the action that was seen (approve), or that is about to run (consume).
    digest: Option<String>,
    /// The changed event (amend), or the one that is about to run (consume).
    #[schema(value_type = Option<Object>)]
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
    #[schema(value_type = Option<Object>)]
    value: Option<Box<RawValue>>,
    /// What makes a repeated use of a grant the same one; `Idempotency-Key` says the same.
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
        Ok(Self {
            reason: get("reason"),
            digest: get("digest"),
            event,
            team: get("team"),
            lane: get("lane"),
            to: get("to"),
            text: get("text"),
            name: get("name"),
            value: None,
            key: None,
        })
    }

    fn bytes(value: Option<&RawValue>) -> Option<Vec<u8>> {
        value.map(|value| value.get().as_bytes().to_vec())
    }
}

/// A command.
pub(in crate::server) async fn act(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, act)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let act = Act::from_word(&act).ok_or_else(Problem::not_found)?;
    let most = app.config().limits.event_total_bytes + 64 * 1024;
    let mut said: Said = body::json(&headers, body, most).await?;
    if let Some(key) = headers.get("idempotency-key") {
        said.key = key.to_str().ok().map(str::to_owned);
    }
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    if !matches!(
        act,
        Act::Cancel | Act::Consume | Act::Comment | Act::Evidence
    ) {
        // A token that only asks never answers, whoever it belongs to.
        caller.needs(Scope::Answer)?;
    }
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

/// What happens to escalations, as it happens: server-sent events, each named by what happened. Who missed
/// some is told `missed`, and looks again.
pub(in crate::server) async fn events(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Sse<impl Stream<Item = Result<Sent, Infallible>>>, Problem> {
    let news = app.live.follow();
    let stream = unfold((app, caller, news), |(app, caller, mut news)| async move {
        loop {
            let next = tokio::select! {
                next = news.recv() => next,
                () = app.ended() => return None,
            };
            let event = match next {
                Ok(news) => {
                    let (app2, caller2, id) =
                        (Arc::clone(&app), caller.clone(), news.escalation.clone());
                    let is_seen = blocking(move || {
                        Ok(caller2.sees_all() || sees(&caller2, &app2.desk.show(&id)?.escalation))
                    });
                    if !is_seen.await.unwrap_or(false) {
                        continue;
                    }
                    let text = serde_json::to_string(&*news).unwrap_or_default();
                    Sent::default()
                        .event("escalation")
                        .id(news.seq.to_string())
                        .data(text)
                }
                Err(RecvError::Lagged(_)) => Sent::default().event("missed").data("{}"),
                Err(RecvError::Closed) => return None,
            };
            return Some((Ok(event), (app, caller, news)));
        }
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}
