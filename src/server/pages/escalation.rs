//! One escalation: what is asked, why, what is known, what happens if nobody answers, and the answers.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use chrono_tz::Tz;
use maud::{Markup, html};

use super::form::{self, Form};
use super::text::{away, plain, when};
use super::{Page, known, layout, paged, see, wrong};
use crate::clock::Timestamp;
use crate::decision::{Kleene, State as Standing};
use crate::desk::Shown;
use crate::desk::wire::{self, remaining};
use crate::escalation::packet::{Packet, Trigger};
use crate::escalation::{Command, Escalation, SignOff, VoteKind};
use crate::event::Json;
use crate::server::api::escalations::{self, is_asked, sees};
use crate::server::app::App;
use crate::server::caller::{Caller, Perhaps, blocking};
use crate::server::problem::Problem;
use crate::words::{self, story};

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
    let form = match Form::of(&caller, body).await {
        Ok(form) => form,
        Err(problem) => return wrong(&app, Some(&caller), &problem),
    };
    let (app2, caller2, id2) = (Arc::clone(&app), caller.clone(), id.clone());
    let done = blocking(move || {
        let said = escalations::Said::of_form(|name| form.get(name).map(str::to_owned))?;
        escalations::command_by_word(&app2, &caller2, &id2, &act, &said)?;
        app2.live.ring(&id2);
        Ok(())
    });
    match done.await {
        Ok(()) => see(&format!("/escalations/{id}")),
        Err(problem) => wrong(&app, Some(&caller), &problem),
    }
}

struct View<'v> {
    it: &'v Escalation,
    shown: &'v Shown,
    caller: &'v Caller,
    zone: Tz,
    now: Timestamp,
}

impl<'v> View<'v> {
    fn of(app: &App, caller: &'v Caller, shown: &'v Shown) -> Result<Self, Problem> {
        let it = &shown.escalation;
        Ok(Self {
            it,
            shown,
            caller,
            zone: app
                .desk
                .pinned(&it.pinned.matrix)
                .map_or(Tz::UTC, |it| it.zone),
            now: app.now()?,
        })
    }

    fn whole(&self) -> Markup {
        html! {
            article #live data-live={ "escalation " (self.it.pinned.id) } {
                (self.head())
                div.columns {
                    div {
                        (self.asked())
                        (self.why())
                        (self.evidence())
                    }
                    div {
                        (self.answers())
                        (self.sign_offs())
                        (self.silence())
                    }
                }
                (self.history())
            }
        }
    }

    fn head(&self) -> Markup {
        let pinned = &self.it.pinned;
        let state = wire::state(self.it.resolution.as_ref().map(|it| it.outcome));
        html! {
            h1 {
                (plain(&pinned.lane)) " "
                span class={ "state " (state) } { (state.replace('_', " ")) } " "
                span class={ "urgency " (pinned.urgency.as_str()) } { (pinned.urgency.as_str()) }
            }
            p {
                @if pinned.asks { "Asked" } @else { "Reported" }
                " by " strong { (pinned.requester) }
                @if let Some(agent) = &pinned.agent { " on behalf of " strong { (agent) } }
                ", " (when(pinned.opened, self.zone)) " (" (away(pinned.opened, self.now)) ")"
            }
            @if let Some(resolution) = &self.it.resolution {
                p.ended { "Ended " (plain(&words::ended(resolution, self.zone))) }
            }
            @if let Some(grant) = words::grant(self.it, self.zone) {
                p { "Permission " (grant) }
            }
            @if !self.it.is_readable {
                p.bad { "It cannot be read: it can be denied, cancelled or amended, and not approved." }
            }
        }
    }

    fn packet(&self) -> Option<&Packet> {
        self.shown.packet.as_ref()
    }

    fn asked(&self) -> Markup {
        html! {
            section {
                h2 { "What is asked" }
                @match self.packet() {
                    None => p.quiet { "What was stored with it was erased." },
                    Some(packet) => {
                        (members(packet.action.as_ref()))
                        @for (path, value) in &packet.adjusted {
                            p { code { (plain(path)) } " set to " code { (json_text(value)) } }
                        }
                        @if self.it.round > 1 {
                            p.note { "The input was changed: round " (self.it.round) " of votes is about the changed input, below in the history." }
                        }
                    },
                }
                p.quiet { "Action " code { (words::digest(&self.it.digest)) } }
            }
        }
    }

    fn why(&self) -> Markup {
        let Some(packet) = self.packet() else {
            return html! {};
        };
        html! {
            section {
                h2 { "Why" }
                p { (plain(&packet.decision.reason)) }
                @for trigger in &packet.trigger { (trigger_of(trigger)) }
                @for problem in &packet.problems { p.bad { (plain(problem)) } }
                @if let Some(operator) = &packet.decision.operator {
                    p.note { (plain(operator)) }
                }
            }
        }
    }

    fn evidence(&self) -> Markup {
        let Some(packet) = self.packet() else {
            return html! {};
        };
        let named = [
            ("input", packet.input.as_ref()),
            ("context", packet.context.as_ref()),
            ("links", packet.links.as_ref()),
        ];
        let named = named
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let other = packet
            .other
            .iter()
            .map(|(name, value)| (name.as_str(), value));
        html! {
            section {
                h2 { "Evidence" }
                @if !packet.missing.is_empty() {
                    p.bad { "Missing: " (plain(&packet.missing.join(", "))) }
                }
                @for (name, value) in named.chain(other) {
                    details {
                        summary { (plain(name)) }
                        pre { (plain(&pretty(value))) }
                    }
                }
                @if !packet.history.is_empty() {
                    h3 { "Earlier, on the same subject" }
                    ul {
                        @for entry in &packet.history {
                            li {
                                (when(entry.at, self.zone)) " " (entry.verdict.as_str()) " by "
                                (plain(&entry.by))
                            }
                        }
                    }
                }
                @if !packet.redacted.is_empty() {
                    p.quiet { "Hidden: " (plain(&packet.redacted.join(", "))) }
                }
            }
        }
    }

    fn form(&self, act: &str, content: &Markup) -> Markup {
        html! {
            form method="post" action={ "/escalations/" (self.it.pinned.id) "/" (act) } {
                (form::word(self.caller))
                (content)
            }
        }
    }

    /// What this person may say now.
    fn answers(&self) -> Markup {
        let it = self.it;
        let me = &self.caller.principal;
        let waits = |sign_off: &&SignOff| {
            sign_off.is_waiting() && sign_off.seated().any(|seat| seat.person == *me)
        };
        let is_mine = it.sign_offs.iter().any(|sign_off| waits(&sign_off));
        let is_involved = it.pinned.excluded.contains(me);
        let has_voted = it.approvals().any(|vote| vote.person == *me);
        let approve = html! {
            input type="hidden" name="digest" value=(it.digest);
            label for="why-approve" { "Why (may be empty)" }
            input #why-approve name="reason";
            button.main { "Approve" }
        };
        let deny = html! {
            label for="why-deny" { "Why not" }
            input #why-deny name="reason" required;
            button.danger { "Deny" }
        };
        html! {
            section.answers {
                h2 { "Your answer" }
                @if !it.is_pending() {
                    p { "It has ended; nothing can be answered any more." }
                } @else if is_involved {
                    p { "You asked for it, or stand behind who asked, so somebody else has to answer." }
                } @else if has_voted {
                    p { "You approved it." }
                    (self.form("withdraw", &html! { button { "Take it back" } }))
                    (self.form("deny", &deny))
                } @else if is_mine {
                    @if it.is_readable { (self.form("approve", &approve)) }
                    (self.form("deny", &deny))
                    (self.amend())
                    (self.form("delegate", &html! {
                        label for="to" { "Let somebody else answer for you" }
                        input #to name="to" required;
                        button { "Delegate" }
                    }))
                } @else {
                    p { "You are not asked now." }
                }
                @if it.is_pending() && (it.pinned.requester == *me || self.caller.is_operator()) {
                    (self.form("cancel", &html! { button { "Cancel the request" } }))
                }
                @if it.is_pending() && (is_mine || self.caller.is_operator()) {
                    (self.form("reassign", &html! {
                        label for="team" { "Ask another team" }
                        input #team name="team" required;
                        @if it.sign_offs.len() > 1 {
                            label for="lane" { "In lane" }
                            select #lane name="lane" {
                                @for sign_off in &it.sign_offs {
                                    option value=(sign_off.plan.lane) { (sign_off.plan.lane) }
                                }
                            }
                        }
                        button { "Reassign" }
                    }))
                }
                (self.form("comment", &html! {
                    label for="text" { "Say something to those who are asked" }
                    textarea #text name="text" rows="2" required {}
                    button { "Comment" }
                }))
            }
        }
    }

    fn amend(&self) -> Markup {
        let Some(event) = self.packet().and_then(Packet::event) else {
            return html! {};
        };
        html! {
            details {
                summary { "Change the input, and approve that" }
                (self.form("amend", &html! {
                    label for="event" { "The whole event as it should be" }
                    textarea #event name="event" rows="12" spellcheck="false" { (pretty(&event)) }
                    label for="why-amend" { "Why" }
                    input #why-amend name="reason";
                    button { "Amend" }
                }))
            }
        }
    }

    fn sign_offs(&self) -> Markup {
        html! {
            section {
                h2 { "Who answers" }
                @for sign_off in &self.it.sign_offs {
                    h3 {
                        (plain(&sign_off.plan.lane)) ": "
                        (self.it.counted(sign_off).len()) " of " (sign_off.quorum) " of " (sign_off.team)
                        " agreed, " (words::sign_off_state(sign_off))
                    }
                    ul {
                        @for seat in sign_off.seated() {
                            @let is_approved = self.it.approvals().any(|vote| vote.person == seat.person);
                            @let is_denied = self.it.vote_of(&seat.person, VoteKind::Deny).is_some();
                            li {
                                (seat.person)
                                @if let Some(whom) = &seat.for_whom { " for " (whom) }
                                @if is_denied { " denied" } @else if is_approved { " approved" }
                            }
                        }
                    }
                }
            }
        }
    }

    fn silence(&self) -> Markup {
        if !self.it.is_pending() {
            return html! {};
        }
        let lanes = self.it.sign_offs.iter();
        let mut steps: Vec<_> = lanes
            .flat_map(|sign_off| remaining(sign_off, self.it.pinned.cap))
            .collect();
        steps.sort_by_key(|(at, _)| *at);
        html! {
            section {
                h2 { "If nobody answers" }
                ol.steps {
                    @for (at, does) in steps {
                        li {
                            (when(at, self.zone)) " ("
                            span data-until=(crate::clock::format_timestamp(at)) { (away(at, self.now)) }
                            ") " (plain(&words::does(does)))
                        }
                    }
                }
            }
        }
    }

    fn history(&self) -> Markup {
        html! {
            section {
                h2 { "What happened" }
                ol.steps {
                    @for it in &self.shown.history {
                        li {
                            (when(it.row.at, self.zone)) " "
                            (plain(&story::what(&it.row, &it.payload, self.zone)))
                        }
                    }
                }
            }
        }
    }
}

fn trigger_of(trigger: &Trigger) -> Markup {
    let state = match trigger.state {
        Standing::Fired => "fired",
        Standing::Unsure => "could not be ruled out",
    };
    html! {
        p { "Lane " strong { (plain(&trigger.lane)) } " " (state) ":" }
        ul.tests {
            @for seen in &trigger.because {
                @let sign = match seen.result {
                    Kleene::True => "true",
                    Kleene::False => "false",
                    Kleene::Unknown => "unknown",
                };
                li { code { (plain(&seen.test)) } " saw " code { (plain(&seen.saw)) } span.quiet { " " (sign) } }
            }
        }
    }
}

/// The members of an object as a list of terms.
fn members(json: Option<&Json>) -> Markup {
    let Some(Json::Object(members)) = json else {
        return html! {
            @if let Some(json) = json { pre { (plain(&pretty(json))) } }
        };
    };
    html! {
        dl {
            @for (name, value) in members {
                dt { (plain(name)) }
                dd { (json_text(value)) }
            }
        }
    }
}

/// A value on one line; a text without its quotes.
fn json_text(json: &Json) -> String {
    match json {
        Json::Text(text) => plain(text),
        json => plain(&serde_json::to_string(json).unwrap_or_default()),
    }
}

fn pretty(json: &Json) -> String {
    serde_json::to_string_pretty(json).unwrap_or_default()
}
