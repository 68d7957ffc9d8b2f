//! An event is tried: what would be decided, why, and why not by another lane.
//!
//! In: an event, typed or picked of those beside the matrix; a lane. Out: the decision and its explanation.
//! Invariant: it is a dry run: nothing is opened, counted or logged.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query as Asked, State};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::text::{editable, plain};
use super::{explained, form, place, posted, shown};
use crate::reference::Explanation;
use crate::server::api::decisions::{deciding, explanation, word};
use crate::server::app::{App, Made};
use crate::server::caller::{Caller, Perhaps};
use crate::server::demo;
use crate::server::problem::Problem;

/// Examples that are offered.
const EXAMPLES: usize = 20;

/// Characters of an example in the list.
const LABEL: usize = 100;

/// Lanes that are offered.
const OFFERED: usize = 500;

/// Which example is picked, from 1.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Picked {
    example: usize,
}

/// The form.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    caller: Perhaps,
    Asked(picked): Asked<Picked>,
) -> Response {
    shown(&app, caller, "/try", move |app, caller| {
        let examples = demo::events(app);
        let picked = picked.example.checked_sub(1);
        let event = picked.and_then(|n| examples.get(n));
        let event = event.map(|event| laid_out(event)).unwrap_or_default();
        let tried = Tried {
            event: &event,
            lane: "",
        };
        Ok(content(app, caller, &tried, None))
    })
    .await
}

/// What was tried.
struct Tried<'t> {
    event: &'t str,
    /// Of which it is asked why it does not fire.
    lane: &'t str,
}

/// Decides, without any consequence.
pub(super) async fn decide(State(app): State<Arc<App>>, caller: Perhaps, body: Body) -> Response {
    posted(&app, caller, "/try", body, |app, caller, form| {
        let tried = Tried {
            event: form.get("event").unwrap_or_default(),
            lane: form.get("lane").unwrap_or_default(),
        };
        let result = result(app, caller, &tried)?;
        Ok(place(
            app,
            caller,
            "/try",
            &content(app, caller, &tried, Some(&result)),
        ))
    })
    .await
}

fn content(app: &App, caller: &Caller, tried: &Tried<'_>, result: Option<&Markup>) -> Markup {
    let matrix = app.deciding().map(|it| it.router.matrix());
    let lanes = matrix.iter().flat_map(|matrix| &matrix.lanes);
    let examples = demo::events(app);
    html! {
        h1 { "Try it" }
        p.quiet { "What would be decided on an event now. Nothing is opened, counted or logged." }
        div.columns {
            form method="post" action="/try" {
                (form::word(caller))
                label for="event" { "The event, as JSON" }
                textarea #event name="event" rows="14" spellcheck="false" required { (editable(tried.event)) }
                label for="lane" { "Why not lane (may be empty)" }
                input #lane name="lane" list="lanes" value=(tried.lane);
                datalist #lanes { @for lane in lanes.take(OFFERED) { option value=(lane.name) {} } }
                button.main { "Decide" }
            }
            section {
                h2 { "Examples" }
                @if examples.is_empty() {
                    p.empty { "There is no events.ndjson beside the matrix." }
                } @else {
                    // Behind a decision they would only be in the way.
                    details open[result.is_none()] {
                        summary { "Events beside the matrix" }
                        ol.examples {
                            @for (n, event) in examples.iter().take(EXAMPLES).enumerate() {
                                li { a href={ "/try?example=" (n + 1) } { code { (label(event)) } } }
                            }
                        }
                    }
                }
            }
        }
        @if let Some(result) = result { (result) }
    }
}

fn label(event: &str) -> String {
    let event = plain(event);
    match event.char_indices().nth(LABEL) {
        Some((end, _)) => format!("{}…", event.get(..end).unwrap_or_default()),
        None => event,
    }
}

fn laid_out(event: &str) -> String {
    let value: Option<serde_json::Value> = serde_json::from_str(event).ok();
    let text = value.and_then(|value| serde_json::to_string_pretty(&value).ok());
    text.unwrap_or_else(|| event.to_owned())
}

fn result(app: &App, caller: &Caller, tried: &Tried<'_>) -> Result<Markup, Problem> {
    let deciding = deciding(app)?;
    let now = app.now()?;
    let event = tried.event.as_bytes();
    let made: Made = deciding.decide(event, &caller.principal, now, false);
    let explained = explanation(&deciding, &made, now);
    Ok(html! {
        section #result {
            h2 { "The decision" }
            p { "The caller is told: " strong { (word(made.decision.verdict)) } "." }
            (explained::decision(&made.decision, made.matrix.zone))
        }
        @if !tried.lane.is_empty() {
            section {
                h2 { "Why not " (plain(tried.lane)) }
                (why_not(explained.as_deref(), tried.lane))
            }
        }
        section {
            h2 { "The explanation" }
            @match &explained {
                Some(explanation) => (explained::explanation(explanation)),
                None => p.note { "The event cannot be read, so no lane is looked at." },
            }
        }
    })
}

fn why_not(explanation: Option<&Explanation>, lane: &str) -> Markup {
    let sentence = explanation.and_then(|explanation| explanation.why_not(lane));
    let standing = explanation.and_then(|explanation| explanation.lane(lane));
    html! {
        @match (&sentence, explanation) {
            (Some(sentence), _) => p { (plain(sentence)) },
            (None, Some(_)) => p.bad { "The matrix has no such lane." },
            (None, None) => p.note { "The event cannot be read, so no lane is looked at." },
        }
        @if let Some(standing) = standing {
            @for reason in &standing.because {
                p { (explained::sign(reason.result)) " " code { (plain(&reason.test)) } " saw " code { (plain(&reason.saw)) } }
            }
        }
    }
}
