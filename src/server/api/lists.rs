//! Lists of escalations: `GET /v1/escalations`.
//!
//! In: who calls, a filter. Out: a page.
//! Invariant: a page has what is the caller's: what it asked for, what asks it, or all for who sees all.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::clock::{Duration as Span, Timestamp, parse_timestamp};
use crate::decision::Urgency;
use crate::desk::wire::{self, Listed};
use crate::escalation::Outcome;
use crate::server::access::Scope;
use crate::server::app::App;
use crate::server::caller::{Caller, blocking};
use crate::server::extract::Query as Asked;
use crate::server::openapi::{Allowed, Known, Queried};
use crate::server::problem::Problem;
use crate::store::{Order, Query};

/// Escalations of a page, at most.
const PAGE: u32 = 500;

/// Which escalations.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(in crate::server) struct Filter {
    /// `pending`, `ended`, `approved`, `amended`, `denied`, `timed_out` or `cancelled`; pending ones without
    /// it, and all with `any`.
    #[param(pattern = "^(pending|ended|any|approved|amended|denied|timed_out|cancelled)$")]
    state: Option<String>,
    /// Of the lane that names the decision.
    lane: Option<String>,
    /// That ask this team now.
    team: Option<String>,
    /// `critical`, `high`, `normal` or `low`.
    #[param(pattern = "^(critical|high|normal|low)$")]
    urgency: Option<String>,
    /// That ask the caller now.
    mine: bool,
    /// Opened at least so long ago, such as `2h`.
    #[param(
        pattern = "^([0-9]{1,3}d)?([0-9]{1,3}h)?([0-9]{1,3}m)?([0-9]{1,3}s)?([0-9]{1,3}ms)?$",
        example = "2h"
    )]
    older_than: Option<String>,
    /// Opened at or behind an instant of RFC 3339.
    #[param(format = DateTime, example = "2026-11-20T10:00:00Z")]
    since: Option<String>,
    /// At most so many, up to 500; 50 without it.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// Behind the page before, which said how.
    #[param(pattern = "^[0-9]{1,16}-[0-9a-f]+$")]
    after: Option<String>,
}

/// A page of escalations.
#[derive(Debug, Serialize, utoipa::ToSchema)]
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
        if !caller.sees_all() && !caller.answers() {
            // A token that neither asks nor answers lists nothing, whoever it belongs to.
            caller.needs(Scope::Decide)?;
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
#[utoipa::path(
    get,
    path = "/v1/escalations",
    operation_id = "list_escalations",
    tag = "escalations",
    params(Filter),
    responses((status = 200, description = "The page.", body = Page<'static>), Known, Allowed, Queried)
)]
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
