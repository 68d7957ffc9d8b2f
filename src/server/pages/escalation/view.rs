//! What is seen of one escalation.
//!
//! In: an escalation with its history, who looks. Out: the page.
//! Invariant: what was erased is said to be, and everything else stays; only what the person may say is
//! offered.

use std::sync::Arc;

use chrono_tz::Tz;
use maud::{Markup, html};

use super::super::text::{away, plain, when};
use super::change;
use crate::clock::{Timestamp, format_timestamp};
use crate::decision::{Kleene, State as Standing};
use crate::desk::Shown;
use crate::desk::wire::{self, remaining};
use crate::escalation::packet::{Packet, Trigger};
use crate::escalation::{Escalation, VoteKind};
use crate::event::Json;
use crate::matrix::Matrix;
use crate::server::api::escalations::sees_evidence;
use crate::server::app::App;
use crate::server::caller::Caller;
use crate::server::problem::Problem;
use crate::words::{self, input, story};

/// Bytes of a piece of evidence that is open from the start.
const SHORT: usize = 2_000;

/// An escalation as somebody sees it.
pub(super) struct View<'v> {
    pub(super) it: &'v Escalation,
    pub(super) shown: &'v Shown,
    pub(super) caller: &'v Caller,
    pub(super) matrix: Option<Arc<Matrix>>,
    zone: Tz,
    now: Timestamp,
    /// Whether they see the evidence and what happened too; who only asked does not.
    pub(super) is_whole: bool,
}

impl<'v> View<'v> {
    pub(super) fn of(app: &App, caller: &'v Caller, shown: &'v Shown) -> Result<Self, Problem> {
        let it = &shown.escalation;
        let matrix = app.desk.pinned(&it.pinned.matrix).ok();
        Ok(Self {
            it,
            shown,
            caller,
            zone: matrix.as_ref().map_or(Tz::UTC, |it| it.zone),
            matrix,
            now: app.now()?,
            is_whole: sees_evidence(caller, it),
        })
    }

    pub(super) fn whole(&self) -> Markup {
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
                @if self.is_whole { (self.history()) }
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
            @if self.it.is_pending() && pinned.asks {
                p { "Meanwhile: " (words::holds(&pinned.holds)) }
            }
            @if self.it.joined > 0 {
                p.note {
                    (words::count(self.it.joined, "further event")) " joined it; approving it approves none of them."
                }
            }
            @if !self.it.is_readable {
                p.bad { "It cannot be read: it can be denied, cancelled or amended, and not approved." }
            }
        }
    }

    pub(super) fn packet(&self) -> Option<&Packet> {
        self.shown.packet.as_ref().filter(|_| self.is_whole)
    }

    fn asked(&self) -> Markup {
        html! {
            section {
                h2 { "What is asked" }
                @match self.packet() {
                    None if !self.is_whole => p.quiet { "Those who are asked see what it is." },
                    None => p.quiet { "What was stored with it was erased." },
                    Some(packet) => {
                        @if self.it.round == 1 { (members(packet.action.as_ref())) }
                        @for (path, value) in &packet.adjusted {
                            p { code { (plain(path)) } " set to " code { (json_text(value)) } }
                        }
                    },
                }
                @if self.is_whole && self.it.round > 1 { (self.changed()) }
                p.quiet { "Action " code { (words::digest(&self.it.digest)) } }
            }
        }
    }

    /// The input of this round, with what is different about it.
    fn changed(&self) -> Markup {
        let laid_out = |event: Option<Json>| event.map(|event| input::laid_out(&event));
        let after = input::current(self.shown);
        let before = laid_out(input::original(self.shown)).unwrap_or_default();
        html! {
            (members(after.as_ref()))
            p.note { "The input was changed: round " (self.it.round) " of votes is about this one." }
            @if let Some(after) = laid_out(after) {
                h3 { "Against what was asked for first" }
                (change::difference(&before, &after))
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
                    @let text = pretty(value);
                    details open[text.len() <= SHORT] {
                        summary { (plain(name)) }
                        pre { (plain(&text)) }
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
                @if self.it.is_pending() && self.may_talk() { (self.attach()) }
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
                            @let approved = self.it.approvals().find(|vote| vote.person == seat.person);
                            @let denied = self.it.vote_of(&seat.person, VoteKind::Deny);
                            li {
                                (seat.person)
                                @if let Some(whom) = &seat.for_whom { " for " (whom) }
                                @match (denied, approved) {
                                    (Some(vote), _) => { strong { " denied" } ", " (when(vote.at, self.zone)) },
                                    (None, Some(vote)) => { strong { " approved" } ", " (when(vote.at, self.zone)) },
                                    (None, None) => {},
                                }
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
                            span data-until=(format_timestamp(at)) { (away(at, self.now)) }
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

pub(super) fn pretty(json: &Json) -> String {
    serde_json::to_string_pretty(json).unwrap_or_default()
}
