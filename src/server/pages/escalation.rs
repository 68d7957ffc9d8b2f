//! One escalation: what is asked, why, what is known, what happens if nobody answers, and the answers.
//!
//! In: who looks, and what they say. Out: the page; a changed input is shown beside the one before, and counts
//! when that is confirmed.
//! Invariant: what is done is what the person saw: a vote names the digest of the action, a change is given in
//! the form in which it was shown.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};

use super::form::Form;
use super::text::plain;
use super::{Page, known, layout, paged, see, wrong};
use crate::desk::Shown;
use crate::escalation::Command;
use crate::server::api::escalations::{self, is_asked, sees};
use crate::server::app::App;
use crate::server::caller::{Caller, Perhaps};
use crate::server::problem::Problem;

mod answers;
mod change;
mod view;

use view::View;

/// One escalation.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    caller: Perhaps,
    Path(id): Path<String>,
) -> Response {
    let caller = match known(&app, caller, &format!("/escalations/{id}")) {
        Ok(caller) => caller,
        Err(response) => return *response,
    };
    paged(&app, &caller, move |app, caller| {
        let shown = look(app, caller, &id)?;
        let view = View::of(app, caller, &shown)?;
        let title = plain(&shown.escalation.pinned.lane);
        let content = view.whole();
        Ok(Page::fine(layout::page(app, Some(caller), &title, "", &content)).into_response())
    })
    .await
}

/// What a caller may see; that who is asked has seen it is noted.
fn look(app: &App, caller: &Caller, id: &str) -> Result<Shown, Problem> {
    let shown = app.desk.show(id)?;
    let it = &shown.escalation;
    if !sees(caller, it) {
        return Err(Problem::not_found());
    }
    let is_first = it.is_pending() && it.first_viewed.is_none();
    if is_first && is_asked(&caller.principal, it) {
        app.desk.act(id, Command::View, caller.actor())?;
        return Ok(app.desk.show(id)?);
    }
    Ok(shown)
}

/// An answer, from a form.
pub(super) async fn act(
    State(app): State<Arc<App>>,
    caller: Perhaps,
    Path((id, act)): Path<(String, String)>,
    body: Body,
) -> Response {
    let caller = match known(&app, caller, &format!("/escalations/{id}")) {
        Ok(caller) => caller,
        Err(response) => return *response,
    };
    let form = match Form::of(&app, &caller, body).await {
        Ok(form) => form,
        Err(problem) => return wrong(&app, Some(&caller), &problem),
    };
    paged(&app, &caller, move |app, caller| {
        if act == "amend" && form.get(change::CONFIRMED).is_none() {
            return change::page(app, caller, &id, &form);
        }
        let said = escalations::Said::of_form(|name| form.get(name).map(str::to_owned))?;
        escalations::command_by_word(app, caller, &id, &act, &said)?;
        app.live.ring(&id);
        Ok(see(&format!("/escalations/{id}")))
    })
    .await
}
