//! Notices and what came of sending them, those that failed first.
//!
//! In: attempts of the store. Out: the page; a notice that is sent again when an operator says so.
//! Invariant: a channel is shown without its secrets, as the store has it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query as Asked, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Deserialize;

use super::text::{plain, when};
use super::{form, posted, see, shown};
use crate::server::access::Scope;
use crate::server::app::App;
use crate::server::caller::{Caller, Perhaps};
use crate::server::problem::Problem;
use crate::store::{Attempt, AttemptOutcome, AttemptQuery, read, write};

/// Attempts on a page.
const PAGE: u32 = 50;

/// Which attempts, as the address says.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Filter {
    /// `sent`, `later` or `never`; all without it.
    outcome: String,
    escalation: String,
    after: String,
}

impl Filter {
    fn query(&self, outcome: Option<AttemptOutcome>) -> AttemptQuery {
        let escalation = (!self.escalation.is_empty()).then(|| self.escalation.clone());
        AttemptQuery {
            escalation,
            outcome,
            behind: self.after.parse().ok(),
            limit: PAGE + 1,
        }
    }

    fn is_plain(&self) -> bool {
        self.outcome.is_empty() && self.after.is_empty()
    }
}

/// The page.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    caller: Perhaps,
    Asked(filter): Asked<Filter>,
) -> Response {
    shown(&app, caller, "/deliveries", move |app, caller| {
        content(app, caller, &filter)
    })
    .await
}

/// Sends a notice again, by every channel.
pub(super) async fn again(State(app): State<Arc<App>>, caller: Perhaps, body: Body) -> Response {
    posted(&app, caller, "/deliveries", body, |app, caller, form| {
        if !may_send(caller) {
            return Err(Problem::forbidden(
                "only an operator or an admin sends again",
            ));
        }
        let notice = form.get("notice").unwrap_or_default().to_owned();
        let now = app.now()?;
        let is_there = write(app.desk.store().as_ref(), move |transaction| {
            transaction.redeliver(&notice, now)
        })?;
        if !is_there {
            let message = "the notice is gone, or waits to be sent already";
            return Err(Problem::new(StatusCode::CONFLICT, "notice", message));
        }
        Ok(see("/deliveries"))
    })
    .await
}

fn may_send(caller: &Caller) -> bool {
    caller.is_operator() || caller.needs(Scope::Admin).is_ok()
}

fn content(app: &App, caller: &Caller, filter: &Filter) -> Result<Markup, Problem> {
    let zone = app.deciding().map_or(Tz::UTC, |it| it.router.matrix().zone);
    let outcome = AttemptOutcome::parse(&filter.outcome);
    let (failed, all) = (
        filter.query(Some(AttemptOutcome::Never)),
        filter.query(outcome),
    );
    let is_plain = filter.is_plain();
    let (outbox, failed, mut all) = read(app.desk.store().as_ref(), move |transaction| {
        let failed = match is_plain {
            true => transaction.attempts(&failed)?,
            false => Vec::new(),
        };
        Ok((transaction.outbox()?, failed, transaction.attempts(&all)?))
    })?;
    let is_more = all.len() > PAGE as usize;
    all.truncate(PAGE as usize);
    let next = all
        .last()
        .filter(|_| is_more)
        .map(|(position, _)| *position);
    let table = |attempts: &[(u64, Attempt)], name: &str| rows(caller, attempts, name, zone);
    Ok(html! {
        h1 { "Deliveries" }
        p { (outbox.waiting) " wait to be sent, " (outbox.failed) " were given up." }
        (filters(filter))
        @if !failed.is_empty() {
            section {
                h2 { "Given up" }
                (table(failed.get(..failed.len().min(PAGE as usize)).unwrap_or_default(), "Given up"))
            }
        }
        section {
            h2 { "The latest attempts" }
            @if all.is_empty() {
                p.empty { "Nothing was sent yet, or nothing fits." }
            } @else {
                (table(&all, "The latest attempts"))
            }
            @if let Some(next) = next {
                p { a href={ "/deliveries?" (address(filter, next)) } rel="next" { "Earlier ones" } }
            }
        }
    })
}

fn address(filter: &Filter, after: u64) -> String {
    let mut address = form_urlencoded::Serializer::new(String::new());
    for (name, value) in [
        ("outcome", &filter.outcome),
        ("escalation", &filter.escalation),
    ] {
        if !value.is_empty() {
            address.append_pair(name, value);
        }
    }
    address.append_pair("after", &after.to_string()).finish()
}

fn filters(filter: &Filter) -> Markup {
    html! {
        form.filter method="get" action="/deliveries" role="search" {
            span {
                label for="outcome" { "Outcome" }
                select #outcome name="outcome" {
                    option value="" { "any" }
                    @for outcome in AttemptOutcome::ALL {
                        option value=(outcome.as_str()) selected[outcome.as_str() == filter.outcome] { (words(outcome)) }
                    }
                }
            }
            span {
                label for="escalation" { "Escalation" }
                input #escalation name="escalation" value=(filter.escalation);
            }
            button { "Show" }
        }
    }
}

fn words(outcome: AttemptOutcome) -> &'static str {
    match outcome {
        AttemptOutcome::Sent => "sent",
        AttemptOutcome::Later => "to be tried again",
        AttemptOutcome::Never => "refused",
    }
}

fn rows(caller: &Caller, attempts: &[(u64, Attempt)], name: &str, zone: Tz) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(name) {
            table {
                thead {
                    tr {
                        th scope="col" { "When" } th scope="col" { "To" } th scope="col" { "Channel" }
                        th scope="col" { "Outcome" } th scope="col" { "What it said" } th scope="col" { "Took" }
                        th scope="col" { "Escalation" }
                        @if may_send(caller) { th scope="col" { "Again" } }
                    }
                }
                tbody { @for (_, attempt) in attempts { (row(caller, attempt, zone)) } }
            }
        }
    }
}

fn row(caller: &Caller, it: &Attempt, zone: Tz) -> Markup {
    let is_bad = it.outcome == AttemptOutcome::Never;
    html! {
        tr {
            td { (when(it.at, zone)) }
            td { (plain(&it.to)) }
            td { (plain(&it.channel)) }
            td { span.bad[is_bad] { (words(it.outcome)) } }
            td.long { (plain(&it.said)) }
            td.number { (it.took_micros / 1_000) " ms" }
            td { a href={ "/escalations/" (it.escalation) } { (plain(crate::words::digest(&it.escalation))) } }
            @if may_send(caller) {
                td {
                    form method="post" action="/deliveries/again" {
                        (form::word(caller))
                        input type="hidden" name="notice" value=(it.notice);
                        button aria-label={ "Send again to " (it.to) } { "Send again" }
                    }
                }
            }
        }
    }
}
