//! The audit: rows of all chains, the last checkpoint, and whether everything fits.
//!
//! In: rows of the store. Out: pages of them, the latest first; a report when somebody asks for one.
//! Invariant: to verify changes nothing, reads everything, and is done by one at a time.

use std::sync::{Arc, TryLockError};

use axum::body::Body;
use axum::extract::{Query as Asked, State};
use axum::response::Response;
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Deserialize;

use super::text::{plain, when};
use super::{form, place, posted, shown};
use crate::escalation::audit::{Checkpoint, Payload, Report, Row};
use crate::server::app::App;
use crate::server::caller::{Caller, Perhaps};
use crate::server::problem::Problem;
use crate::store::read;
use crate::words::story;

/// Rows on a page.
const PAGE: u32 = 100;

/// Faults that are shown.
const FAULTS: usize = 100;

/// Which rows: those behind a position, else the last.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Which {
    behind: Option<u64>,
}

/// The page.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    caller: Perhaps,
    Asked(which): Asked<Which>,
) -> Response {
    shown(&app, caller, "/audit", move |app, caller| {
        content(app, caller, &which, None)
    })
    .await
}

/// Verifies everything, and says what does not fit.
pub(super) async fn verify(State(app): State<Arc<App>>, caller: Perhaps, body: Body) -> Response {
    posted(&app, caller, "/audit", body, |app, caller, _| {
        let _verifying = match app.verifying.try_lock() {
            Ok(verifying) => verifying,
            Err(TryLockError::Poisoned(verifying)) => verifying.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(Problem::too_many("somebody verifies it just now", 5));
            }
        };
        let report = app.desk.verify(Vec::new())?;
        let content = content(app, caller, &Which::default(), Some(&report))?;
        Ok(place(app, caller, "/audit", &content))
    })
    .await
}

/// What is read for a page.
struct Rows {
    checkpoint: Option<Checkpoint>,
    last: u64,
    rows: Vec<(Row, Payload)>,
}

fn rows(app: &App, which: &Which) -> Result<Rows, Problem> {
    let behind = which.behind;
    Ok(read(app.desk.store().as_ref(), move |transaction| {
        let checkpoint = transaction.last_checkpoint()?;
        let pinned = checkpoint.as_ref().map_or(0, |it| it.seq);
        let last = transaction.behind(pinned)?.seq;
        let behind = behind.unwrap_or_else(|| last.saturating_sub(u64::from(PAGE)));
        Ok(Rows {
            rows: transaction.rows(behind, PAGE)?,
            checkpoint,
            last,
        })
    })?)
}

fn content(
    app: &App,
    caller: &Caller,
    which: &Which,
    report: Option<&Report>,
) -> Result<Markup, Problem> {
    let zone = app.deciding().map_or(Tz::UTC, |it| it.router.matrix().zone);
    let read = rows(app, which)?;
    Ok(html! {
        h1 { "Audit" }
        (checkpoint(read.checkpoint.as_ref(), zone))
        form method="post" action="/audit/verify" {
            (form::word(caller))
            button.main { "Verify everything" }
        }
        @if let Some(report) = report { (said(report)) }
        section {
            h2 { "Rows" }
            @if read.rows.is_empty() {
                p.empty { "Nothing happened yet." }
            } @else {
                (table(&read.rows, zone))
            }
            (pages(&read))
        }
        p.quiet { "To keep it elsewhere, and to verify it without this service: " code { "laneway audit export" } "." }
    })
}

fn checkpoint(last: Option<&Checkpoint>, zone: Tz) -> Markup {
    html! {
        @match last {
            None => p { "There is no checkpoint yet." },
            Some(it) => {
                p {
                    "The last checkpoint is number " (it.n) ", made " (when(it.at, zone)) ": it pins " (it.rows)
                    " rows, up to position " (it.seq) "."
                }
                p.quiet { "Its hash is " code { (it.hash) } }
            },
        }
    }
}

fn said(report: &Report) -> Markup {
    html! {
        section #report role="status" {
            h2 { @if report.is_sound() { "Everything fits" } @else { "The audit was changed" } }
            dl {
                dt { "Rows" } dd { (report.rows) }
                dt { "Chains" } dd { (report.chains) }
                dt { "Checkpoints" } dd { (report.checkpoints) }
                dt { "Erased" } dd { (report.erased) }
                dt { "Not pinned yet" } dd {
                    (report.unchecked_tail) @if report.unchecked_tail == 1 { " row" } @else { " rows" }
                    " behind the last checkpoint"
                }
            }
            @if !report.is_sound() {
                ul {
                    @for fault in report.faults.iter().take(FAULTS) { li.bad { (plain(&fault.to_string())) } }
                }
                @let more = report.faults.len().saturating_sub(FAULTS) as u64 + report.more_faults;
                @if more > 0 { p.bad { "And " (more) " more." } }
            }
        }
    }
}

fn table(rows: &[(Row, Payload)], zone: Tz) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Rows of the audit" {
            table {
                thead {
                    tr {
                        th scope="col" { "Position" } th scope="col" { "When" } th scope="col" { "Escalation" }
                        th scope="col" { "Row" } th scope="col" { "What" } th scope="col" { "Hash" }
                    }
                }
                tbody {
                    @for (row, payload) in rows.iter().rev() {
                        tr {
                            td.number { (row.seq) }
                            td { (when(row.at, zone)) }
                            td {
                                a href={ "/escalations/" (row.escalation) } {
                                    (plain(crate::words::digest(&row.escalation)))
                                }
                            }
                            td.number { (row.n) }
                            td.long { (plain(&story::what(row, payload, zone))) }
                            td { code { (crate::words::digest(&row.hash.to_string())) } }
                        }
                    }
                }
            }
        }
    }
}

fn pages(read: &Rows) -> Markup {
    let (first, last) = (read.rows.first(), read.rows.last());
    let earlier = first.map_or(0, |(row, _)| row.seq.saturating_sub(1));
    let page = u64::from(PAGE);
    html! {
        nav.tabs aria-label="Pages of rows" {
            @if earlier > 0 {
                a href={ "/audit?behind=" (earlier.saturating_sub(page)) } rel="next" { "Earlier" }
            }
            @if let Some((row, _)) = last.filter(|(row, _)| row.seq < read.last) {
                a href={ "/audit?behind=" (row.seq) } rel="prev" { "Later" }
            }
            @if read.rows.is_empty() && read.last > 0 { a href="/audit" { "The last rows" } }
        }
    }
}
