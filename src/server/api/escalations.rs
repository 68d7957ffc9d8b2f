//! Escalations: `/v1/escalations`.
//!
//! In: who calls, an id. Out: one escalation, what happened to it, what happens to all of them.
//! Invariant: what a caller may not see and what is not there are one answer.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json as Answer;
use axum::extract::State;
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{Stream, unfold};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;

pub(in crate::server) use super::commands::{Said, command_by_word};
use crate::clock::Duration as Span;
use crate::desk::wire::{Data, HappenedData, Whole};
use crate::escalation::packet::Packet;
use crate::escalation::{Escalation, Principal, Roster};
use crate::event::Json;
use crate::limits::LONG_POLL;
use crate::server::app::App;
use crate::server::caller::{Caller, blocking};
use crate::server::extract::{Path, Query as Asked};
use crate::server::openapi::{Known, Named, Queried};
use crate::server::problem::Problem;

/// Whether a caller sees an escalation: who asked for it, whom it asks or asked, and who sees all.
pub(in crate::server) fn sees(caller: &Caller, it: &Escalation) -> bool {
    let is_caller = |name: &Principal| *name == caller.principal;
    let is_theirs =
        is_caller(&it.pinned.requester) || it.pinned.agent.as_ref().is_some_and(is_caller);
    caller.sees_all()
        || (is_theirs && (caller.asks() || caller.answers()))
        || (caller.answers() && concerns(&caller.principal, it))
}

/// Whether a person is, or was, asked, or is of a team that is asked or may be later. Who stands behind the
/// request is not.
fn concerns(person: &Principal, it: &Escalation) -> bool {
    let mut rosters = it.sign_offs.iter().flat_map(|it| it.plan.rosters.values());
    let is_of_team = |roster: &Roster| {
        let mut people = roster.first.iter().chain(&roster.backup);
        people.any(|asked| asked.person == *person)
    };
    is_asked(person, it) || (!it.pinned.excluded.contains(person) && rosters.any(is_of_team))
}

/// Whether a person is, or was, asked.
pub(in crate::server) fn is_asked(person: &Principal, it: &Escalation) -> bool {
    let mut seats = it.sign_offs.iter().flat_map(|sign_off| &sign_off.seats);
    seats.any(|seat| seat.person == *person)
}

/// Whether a caller sees the evidence too: whom it asks, and who sees all.
pub(in crate::server) fn sees_evidence(caller: &Caller, it: &Escalation) -> bool {
    caller.sees_all() || (caller.answers() && concerns(&caller.principal, it))
}

/// How long to wait for an end.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(in crate::server) struct Wait {
    /// At most so long, such as `30s`, and never over 55 seconds: what is still pending then is answered as
    /// pending.
    #[param(
        pattern = "^([0-9]{1,3}d)?([0-9]{1,3}h)?([0-9]{1,3}m)?([0-9]{1,3}s)?([0-9]{1,3}ms)?$",
        example = "30s"
    )]
    wait: Option<String>,
}

/// One escalation, as its caller sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = SeenEscalation)]
pub(in crate::server) struct Seen<'d> {
    #[serde(flatten)]
    escalation: Data<'d>,
    /// What the people see who are asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    packet: Option<&'d Packet>,
    /// What happened, the oldest first; for those who see the evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<HappenedData<'d>>>,
    /// What may run, where a person changed it: the event without `id`, `at` and `evidence`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    event: Option<Json>,
}

/// One escalation. With `wait` the answer comes when it ends, or when the time is over.
///
/// Who is asked, and who sees all, also sees its evidence and its history.
#[utoipa::path(
    get,
    path = "/v1/escalations/{id}",
    operation_id = "show_escalation",
    tag = "escalations",
    params(("id" = String, Path, description = ID), Wait),
    responses(
        (status = 200, description = "The escalation.", body = Seen<'static>),
        Known, Queried, Named,
    )
)]
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
    let event = match it.word(now) {
        "modify" => app.desk.action(id)?.event,
        _ => None,
    };
    let sees_evidence = sees_evidence(caller, it);
    let seen = Seen {
        escalation: Data::of(it, now),
        packet: shown.packet.as_ref().filter(|_| sees_evidence),
        history: sees_evidence.then(|| Whole::of(&shown, now).history),
        event,
    };
    Ok((it.is_pending(), Answer(seen).into_response()))
}

/// What an `id` in a path is.
pub(super) const ID: &str = "The id of the escalation.";

/// What happened to an escalation.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct History<'d> {
    /// The oldest first.
    history: Vec<HappenedData<'d>>,
}

/// What happened to an escalation, for those who see its evidence.
#[utoipa::path(
    get,
    path = "/v1/escalations/{id}/history",
    operation_id = "escalation_history",
    tag = "escalations",
    params(("id" = String, Path, description = ID)),
    responses((status = 200, description = "The history.", body = History<'static>), Known, Named)
)]
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
        Ok(Answer(History { history }).into_response())
    })
    .await
}

/// What happens to escalations, as it happens: server-sent events named `escalation`.
///
/// Who missed some is told `missed`, and looks again.
#[utoipa::path(
    get,
    path = "/v1/events",
    operation_id = "follow_events",
    tag = "escalations",
    responses(
        (status = 200, description = "News, until the connection ends.", content_type = "text/event-stream",
            body = crate::server::live::News),
        Known,
    )
)]
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
