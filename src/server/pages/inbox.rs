//! The inbox: what waits, the most urgent first.

use std::sync::Arc;

use axum::extract::{Query as Asked, State};
use axum::response::{IntoResponse, Response};
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Deserialize;

use super::text::{away, plain, when};
use super::{Page, known, layout, paged};
use crate::clock::Timestamp;
use crate::decision::Urgency;
use crate::desk::wire;
use crate::server::app::App;
use crate::server::caller::{Caller, Perhaps};
use crate::server::problem::Problem;
use crate::store::{Order, Query, Summary};

/// Escalations of one urgency on a page.
const PAGE: u32 = 50;

/// Which escalations.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Filter {
    /// `mine`, `all` or `ended`.
    view: Option<String>,
    lane: Option<String>,
    team: Option<String>,
    after: Option<String>,
}

/// What waits for the person, or for anybody.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    caller: Perhaps,
    Asked(filter): Asked<Filter>,
) -> Response {
    let caller = match known(&app, caller, "/") {
        Ok(caller) => caller,
        Err(response) => return *response,
    };
    paged(&app, &caller, move |app, caller| {
        let content = content(app, caller, &filter)?;
        Ok(Page::fine(layout::page(app, Some(caller), "Inbox", "/", &content)).into_response())
    })
    .await
}

fn content(app: &App, caller: &Caller, filter: &Filter) -> Result<Markup, Problem> {
    let now = app.now()?;
    let zone = app.deciding().map_or(Tz::UTC, |it| it.router.matrix().zone);
    let view = match filter.view.as_deref() {
        Some("all") if caller.sees_all() => "all",
        Some("ended") => "ended",
        _ => "mine",
    };
    let query = Query {
        pending: Some(view != "ended"),
        person: (view == "mine" || !caller.sees_all()).then(|| caller.principal.clone()),
        lane: filter.lane.clone().filter(|it| !it.is_empty()),
        team: filter.team.clone().filter(|it| !it.is_empty()),
        order: if view == "ended" {
            Order::Newest
        } else {
            Order::Due
        },
        limit: PAGE + 1,
        ..Query::default()
    };
    let mut groups = Vec::new();
    if view == "ended" {
        groups.push((
            None,
            app.desk.page(Query {
                behind: filter.after.as_deref().and_then(wire::read_cursor),
                ..query
            })?,
        ));
    } else {
        for urgency in [
            Urgency::Critical,
            Urgency::High,
            Urgency::Normal,
            Urgency::Low,
        ] {
            let page = app.desk.page(Query {
                urgency: Some(urgency),
                ..query.clone()
            })?;
            groups.push((Some(urgency), page));
        }
    }
    let is_empty = groups.iter().all(|(_, page)| page.is_empty());
    let views = [("mine", "Waits for me"), ("all", "All"), ("ended", "Ended")];
    Ok(html! {
        h1 { "Inbox" }
        nav.tabs aria-label="Which" {
            @for (name, words) in views {
                @if name != "all" || caller.sees_all() {
                    a href={ "/?view=" (name) } aria-current=[(name == view).then_some("true")] { (words) }
                }
            }
        }
        div #live data-live="inbox" {
            @if is_empty {
                p.empty { @if view == "ended" { "Nothing has ended yet." } @else { "Nothing waits." } }
            }
            @for (urgency, page) in &groups {
                @if !page.is_empty() {
                    (group(*urgency, page, now, zone))
                }
            }
        }
    })
}

fn group(urgency: Option<Urgency>, page: &[Summary], now: Timestamp, zone: Tz) -> Markup {
    let is_more = page.len() > PAGE as usize;
    let shown = page.iter().take(PAGE as usize);
    html! {
        section {
            @if let Some(urgency) = urgency {
                h2 { span class={ "urgency " (urgency.as_str()) } { (urgency.as_str()) } }
            }
            ul.rows {
                @for it in shown { (row(it, now, zone)) }
            }
            @if is_more {
                p.quiet { "More than " (PAGE) " wait here; the next due are shown." }
            }
        }
    }
}

fn row(it: &Summary, now: Timestamp, zone: Tz) -> Markup {
    let state = wire::state(it.outcome).replace('_', " ");
    let is_late = it.respond_by.is_some_and(|by| by < now) && it.outcome.is_none();
    html! {
        li.row {
            a href={ "/escalations/" (it.id) } {
                strong { (plain(&it.lane)) }
                span.quiet { " asked by " (it.requester) ", " (away(it.opened, now)) }
            }
            span.tags {
                @for team in &it.teams { span.tag { (team) } }
                @if is_late { span.tag.bad { "overdue" } }
                @if it.joined > 0 { span.tag { "+" (it.joined) " joined" } }
                @if it.by_silence { span.tag.bad { "by silence" } }
            }
            span.due {
                @match (it.ended, it.due) {
                    (Some(ended), _) => { (state) " " (when(ended, zone)) },
                    (None, Some(due)) => { "next step " span data-until=(crate::clock::format_timestamp(due)) { (away(due, now)) } },
                    (None, None) => { (state) },
                }
            }
        }
    }
}
