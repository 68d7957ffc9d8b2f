//! What is different about a changed input, shown before it counts.
//!
//! In: the input before and after. Out: lines that went and lines that came; the page that asks to confirm.
//! Invariant: both are laid out alike, so that what is shown as different is different.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use similar::{ChangeTag, TextDiff};

use super::super::form::{self, Form};
use super::super::text::plain;
use super::super::{Page, layout};
use crate::event::Json;
use crate::limits::Limits;
use crate::server::app::App;
use crate::server::caller::Caller;
use crate::server::problem::Problem;
use crate::words::input;

/// The field by which a person says that they saw what is different.
pub(super) const CONFIRMED: &str = "confirmed";

/// Shows what a change would change, and asks whether it is to.
pub(super) fn page(app: &App, caller: &Caller, id: &str, form: &Form) -> Result<Response, Problem> {
    let shown = super::look(app, caller, id)?;
    let typed = form.get("event").unwrap_or_default();
    let event = read(typed, &app.config().limits)?;
    let before = input::current(&shown).map(|event| input::laid_out(&event));
    let (before, after) = (before.unwrap_or_default(), input::laid_out(&event));
    let content = html! {
        h1 { "Change the input of " (plain(&shown.escalation.pinned.lane)) }
        @if before == after {
            p.note { "Nothing of the action is changed." }
        } @else {
            p { "This is what is different. All who approved are asked again about the changed input." }
            (difference(&before, &after))
            form method="post" action={ "/escalations/" (id) "/amend" } {
                (form::word(caller))
                input type="hidden" name=(CONFIRMED) value="yes";
                input type="hidden" name="event" value=(typed);
                input type="hidden" name="reason" value=(form.get("reason").unwrap_or_default());
                @if let Some(reason) = form.get("reason") { p { "Why: " (plain(reason)) } }
                button.main { "Approve the changed input" }
            }
        }
        p { a href={ "/escalations/" (id) } { "Back, without a change" } }
    };
    let title = "Change the input";
    Ok(Page::fine(layout::page(app, Some(caller), title, "", &content)).into_response())
}

fn read(typed: &str, limits: &Limits) -> Result<Json, Problem> {
    Json::parse(typed.as_bytes(), limits).map_err(|problems| {
        let first = problems.first().map(|problem| problem.message.as_str());
        let message = format!("the event is not JSON: {}", first.unwrap_or("it is empty"));
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "event", message)
    })
}

/// Lines that went and that came, with those around them; each says in words which it is.
pub(super) fn difference(before: &str, after: &str) -> Markup {
    let diff = TextDiff::from_lines(before, after);
    html! {
        div.diff {
            @for change in diff.iter_all_changes() {
                @let line = change.value().trim_end_matches('\n');
                @match change.tag() {
                    ChangeTag::Delete => del { span.sign { "− " } (plain(line)) },
                    ChangeTag::Insert => ins { span.sign { "+ " } (plain(line)) },
                    ChangeTag::Equal => span.same { span.sign { "  " } (plain(line)) },
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_went_and_came_are_told_apart_and_escaped() {
        let shown = difference("a\n<b>\n", "a\nb\u{202e}\n").into_string();
        assert!(
            shown.contains("<del>") && shown.contains("&lt;b&gt;"),
            "{shown}"
        );
        assert!(
            shown.contains("<ins>") && shown.contains("b\\u{202e}"),
            "{shown}"
        );
        assert!(shown.contains("same"), "{shown}");
    }
}
