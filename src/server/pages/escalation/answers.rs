//! What a person may say to an escalation, as forms.
//!
//! In: an escalation as somebody sees it. Out: forms of this session.
//! Invariant: what the rules would refuse is not offered; what is offered they judge all the same.

use maud::{Markup, html};

use super::super::form;
use super::super::text::editable;
use super::view::{View, pretty};
use crate::escalation::packet::Packet;
use crate::escalation::{GrantState, SignOff};
use crate::server::api::escalations::is_asked;
use crate::words::input;

impl View<'_> {
    fn form(&self, act: &str, content: &Markup) -> Markup {
        html! {
            form method="post" action={ "/escalations/" (self.it.pinned.id) "/" (act) } {
                (form::word(self.caller))
                (content)
            }
        }
    }

    pub(super) fn attach(&self) -> Markup {
        html! {
            details {
                summary { "Add evidence" }
                (self.form("evidence", &html! {
                    label for="name" { "Its name" }
                    input #name name="name" required;
                    label for="value" { "What it says" }
                    textarea #value name="value" rows="3" required {}
                    button { "Add" }
                }))
            }
        }
    }

    /// Whether this person may say something to it: who asked, whom it asks, operators.
    pub(super) fn may_talk(&self) -> bool {
        let me = &self.caller.principal;
        let is_involved = self.it.pinned.excluded.contains(me);
        is_involved || is_asked(me, self.it) || self.caller.is_operator()
    }

    /// What this person may say now.
    pub(super) fn answers(&self) -> Markup {
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
                @if it.is_pending() && (is_mine || self.caller.is_operator()) { (self.reassign()) }
                @if self.caller.is_operator() { (self.operator()) }
                @if self.may_talk() {
                    (self.form("comment", &html! {
                        label for="text" { "Say something to those who are asked" }
                        textarea #text name="text" rows="2" required {}
                        button { "Comment" }
                    }))
                }
            }
        }
    }

    /// Asks another team of the matrix by which it was opened.
    fn reassign(&self) -> Markup {
        let teams = self.matrix.iter().flat_map(|matrix| &matrix.teams);
        let it = self.it;
        self.form(
            "reassign",
            &html! {
                label for="team" { "Ask another team" }
                select #team name="team" required {
                    option value="" { "choose one" }
                    @for team in teams { option value=(team.name) { (team.name) } }
                }
                @if it.sign_offs.len() > 1 {
                    label for="lane" { "In lane" }
                    select #lane name="lane" {
                        @for sign_off in &it.sign_offs {
                            option value=(sign_off.plan.lane) { (sign_off.plan.lane) }
                        }
                    }
                }
                button { "Reassign" }
            },
        )
    }

    /// What operators alone may do with what has ended.
    fn operator(&self) -> Markup {
        let it = self.it;
        let is_live = it
            .grant
            .as_ref()
            .is_some_and(|grant| grant.state == GrantState::Live);
        let is_kept = !it.pinned.asks && !it.is_pending() && it.released.is_none();
        html! {
            @if is_live {
                (self.form("revoke", &html! {
                    label for="why-revoke" { "Why (may be empty)" }
                    input #why-revoke name="reason";
                    button.danger { "Take the permission back" }
                }))
            }
            @if is_kept {
                (self.form("release", &html! { button { "Release what is held" } }))
            }
        }
    }

    fn amend(&self) -> Markup {
        let of_round = match self.it.round {
            1 => self.packet().and_then(Packet::event),
            _ => input::current(self.shown),
        };
        let Some(event) = of_round.filter(|_| self.is_whole) else {
            return html! {};
        };
        html! {
            details {
                summary { "Change the input, and approve that" }
                (self.form("amend", &html! {
                    label for="event" { "The whole event as it should be" }
                    textarea #event name="event" rows="12" spellcheck="false" { (editable(&pretty(&event))) }
                    label for="why-amend" { "Why" }
                    input #why-amend name="reason";
                    button { "See what is different" }
                }))
            }
        }
    }
}
