//! The matrix that decides: its one-page table, each lane in prose with what was found and counted of it, and
//! what is staged to take its place.
//!
//! In: the matrix, its findings, figures. Out: the page; a staged matrix that decides when an operator says so.
//! Invariant: what is applied is what was shown: the form names its digest.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query as Asked, State};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::text::plain;
use super::{form, posted, see, shown};
use crate::desk::Figures;
use crate::diagnostic::Located;
use crate::server::access::Scope;
use crate::server::app::App;
use crate::server::caller::{Caller, Perhaps};
use crate::server::findings::Findings;
use crate::server::problem::Problem;
use crate::words::page::{Item, LaneView, Page, Piece, TITLES, Text};

/// Lanes on the page; of a larger matrix one is looked at by its name.
const LANES: usize = 500;

/// Which lane, where the page is of one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Which {
    lane: String,
}

/// The matrix that decides.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    caller: Perhaps,
    Asked(which): Asked<Which>,
) -> Response {
    shown(&app, caller, "/matrix", move |app, caller| {
        content(app, caller, &which)
    })
    .await
}

/// Lets what is staged decide.
pub(super) async fn apply(State(app): State<Arc<App>>, caller: Perhaps, body: Body) -> Response {
    posted(&app, caller, "/matrix", body, |app, caller, form| {
        caller.needs(Scope::Operate)?;
        let digest = form.get("digest").unwrap_or_default();
        app.reload(Some(digest))
            .map_err(|why| Problem::new(StatusCode::CONFLICT, "matrix", why))?;
        Ok(see("/matrix"))
    })
    .await
}

fn content(app: &App, caller: &Caller, which: &Which) -> Result<Markup, Problem> {
    let Some(deciding) = app.deciding() else {
        return Ok(html! {
            h1 { "Matrix" }
            p.bad role="alert" { "No matrix decides; every decision is `block`." }
            (staged(app, caller))
        });
    };
    let matrix = deciding.router.matrix();
    let only = match which.lane.as_str() {
        "" => None,
        name => Some(matrix.lane_named(name).ok_or_else(Problem::not_found)?),
    };
    let page = match only {
        None => Page::first(&matrix, LANES),
        only => Page::of(&matrix, only),
    };
    let findings = Findings::of(app, &matrix, app.now()?);
    let statistics = match caller.sees_all() {
        true => Some(app.statistics()?),
        false => None,
    };
    let view = View {
        page,
        findings,
        figures: statistics.as_ref().map(|statistics| &statistics.lanes),
    };
    Ok(html! {
        h1 { (plain(&view.page.title)) }
        p.quiet { (text(&view.page.line)) }
        (staged(app, caller))
        @if matrix.lanes.len() > LANES && only.is_none() {
            p.note { "It has " (matrix.lanes.len()) " lanes, of which the first " (LANES) " are shown." }
            form.filter method="get" action="/matrix" {
                span { label for="lane" { "Show lane" } input #lane name="lane" required; }
                button { "Show" }
            }
        }
        (view.whole())
    })
}

/// What is staged to decide, with its difference.
fn staged(app: &App, caller: &Caller) -> Markup {
    let Some(staged) = app.staged() else {
        return html! {
            @if let Some(trouble) = app.trouble() { p.bad role="alert" { (plain(&trouble)) "." } }
        };
    };
    let digest = &staged.matrix.digest;
    html! {
        section.staged {
            h2 { "Staged: it does not decide yet" }
            @if staged.diff.is_empty() {
                p { "The matrix is the same; laneway.toml is different." }
            } @else {
                details open {
                    summary { "What is different" }
                    (unified(&staged.diff))
                }
            }
            @if caller.is_operator() {
                form method="post" action="/matrix/apply" {
                    (form::word(caller))
                    input type="hidden" name="digest" value=(digest);
                    button.main { "Apply the staged matrix" }
                }
                p.quiet { "Its digest is " code { (crate::words::digest(digest)) } ". What is pending keeps the matrix by which it was opened." }
            } @else {
                p.quiet { "An operator can apply it." }
            }
        }
    }
}

/// A difference in the form of `diff -u`.
fn unified(diff: &str) -> Markup {
    html! {
        div.diff {
            @for line in diff.lines() {
                @match line.as_bytes().first() {
                    Some(b'+') if !line.starts_with("+++") => ins { (plain(line)) },
                    Some(b'-') if !line.starts_with("---") => del { (plain(line)) },
                    _ => span.same { (plain(line)) },
                }
            }
        }
    }
}

struct View<'v> {
    page: Page,
    findings: Findings,
    /// Of each lane; for who may see figures.
    figures: Option<&'v BTreeMap<String, Figures>>,
}

impl View<'_> {
    fn whole(&self) -> Markup {
        html! {
            (self.table())
            @if !self.findings.others.is_empty() {
                section {
                    h2 { "Findings" }
                    (findings(&self.findings.others))
                }
            }
            @for lane in &self.page.lanes { (self.lane(lane)) }
            @for section in &self.page.sections {
                section {
                    h2 { (section.title) }
                    @if let Some(words) = &section.text { p { (text(words)) } }
                    (items(&section.list))
                }
            }
        }
    }

    fn table(&self) -> Markup {
        html! {
            div.scroll tabindex="0" role="region" aria-label="The lanes as a table" {
                table.lanes {
                    thead {
                        tr {
                            @for title in TITLES { th scope="col" { (title) } }
                            @if self.figures.is_some() { th scope="col" { "Last 30 days" } }
                        }
                    }
                    tbody {
                        @for lane in &self.page.lanes {
                            tr {
                                th scope="row" {
                                    a href={ "#lane-" (lane.name) } { (plain(&lane.name)) }
                                    @if lane.trial.is_some() { em { " on trial" } }
                                }
                                @for lines in &lane.cells {
                                    td { @for line in lines { div { (text(line)) } } }
                                }
                                @if self.figures.is_some() { td { (self.opened(&lane.name)) } }
                            }
                        }
                    }
                }
            }
        }
    }

    /// How many opened, in short.
    fn opened(&self, lane: &str) -> Markup {
        let of = self.figures.and_then(|figures| figures.get(lane));
        html! {
            @match of {
                None => "none",
                Some(of) => { (of.opened) " opened, " (of.pending) " wait" },
            }
        }
    }

    fn lane(&self, lane: &LaneView) -> Markup {
        html! {
            section.lane id={ "lane-" (lane.name) } {
                h2 { (plain(&lane.name)) }
                @if let Some(trial) = &lane.trial { p { em { (plain(trial)) } } }
                @if let Some(about) = &lane.about { p { (plain(about)) } }
                @if let Some(figures) = self.figures { (counts(figures.get(&lane.name))) }
                @if let Some(found) = self.findings.lanes.get(&lane.name) { (findings(found)) }
                dl {
                    @for fact in &lane.facts {
                        dt { (fact.label) }
                        dd { (text(&fact.text)) (items(&fact.list)) }
                    }
                }
            }
        }
    }
}

fn counts(of: Option<&Figures>) -> Markup {
    html! {
        p.quiet {
            "In the last 30 days: "
            @match of {
                None => "it opened nothing.",
                Some(of) => {
                    (of.opened) " opened, " (of.pending) " wait, " (of.approved + of.amended) " approved, "
                    (of.denied) " denied, " (of.timed_out) " timed out, " (of.cancelled) " cancelled."
                },
            }
        }
    }
}

fn findings(found: &[Located]) -> Markup {
    html! {
        ul.findings {
            @for finding in found {
                li {
                    strong { (finding.severity.as_str()) } " " code { (finding.code) } " "
                    (plain(&finding.message))
                    span.quiet { " (" (plain(&finding.place.file)) ":" (finding.place.line) ")" }
                    @if let Some(help) = &finding.help { div.quiet { (plain(help)) } }
                }
            }
        }
    }
}

fn text(words: &Text) -> Markup {
    html! {
        @for piece in &words.0 {
            @match piece {
                Piece::Words(words) => (plain(words)),
                Piece::Code(code) => code { (plain(code)) },
            }
        }
    }
}

fn items(list: &[Item]) -> Markup {
    html! {
        @if !list.is_empty() {
            ul { @for item in list { li { (text(&item.text)) (items(&item.parts)) } } }
        }
    }
}
