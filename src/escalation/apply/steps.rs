//! Passing time: the steps that are due, and what they do (rules 4 and 5).

use serde_json::json;

use super::Work;
use super::asked::Telling;
use crate::clock::{Duration, format_timestamp};
use crate::escalation::command::{Actor, Refusal, Reply, Role};
use crate::escalation::effect::{About, RecordKind};
use crate::escalation::plan::Does;
use crate::escalation::state::{
    Cause, End, Escalation, GrantState, Outcome, SignOffState, Vote, VoteKind,
};
use crate::limits::STEP_LATENESS;

impl Work<'_> {
    /// Rule 3: a person who left loses votes that have not decided anything.
    pub(super) fn void_votes(&mut self) {
        if !self.it.is_pending() {
            return;
        }
        self.end_lent_seats();
        let directory = self.context.directory;
        let gone = self
            .it
            .approvals()
            .filter(|vote| directory.has_left(&vote.person) && !has_decided(&self.it, vote));
        let gone: Vec<Vote> = gone.cloned().collect();
        for vote in gone {
            self.record(
                RecordKind::Voided,
                json!({ "person": vote.person, "round": vote.round, "why": "the person left" }),
            );
            self.it.votes.push(Vote {
                kind: VoteKind::Void,
                at: self.now,
                operator: None,
                ..vote
            });
        }
    }

    /// A vote for one who left is a vote of one who left: where it is undecided, the seat by which it counts
    /// ends. The delegate may have others.
    fn end_lent_seats(&mut self) {
        let (directory, now) = (self.context.directory, self.now);
        let mut gone = Vec::new();
        for it in self.it.sign_offs.iter_mut().filter(|it| it.is_waiting()) {
            for seat in it.seats.iter_mut().filter(|seat| seat.until.is_none()) {
                let whom = seat.for_whom.clone();
                if let Some(whom) = whom.filter(|whom| directory.has_left(whom)) {
                    seat.until = Some(now);
                    gone.push((it.plan.lane.clone(), seat.person.clone(), whom));
                }
            }
        }
        for (lane, person, whom) in gone {
            let body = json!({
                "lane": lane, "person": person, "for": whom, "why": "who delegated left",
            });
            self.record(RecordKind::Voided, body);
        }
    }

    /// Rule 4: at most one due step of each sign-off, before the command is judged.
    pub(super) fn pass_time(&mut self) {
        // A clock that jumped performs nothing.
        if !self.context.is_confirmed {
            return;
        }
        self.lapse_if_due();
        for sign_off in 0..self.it.sign_offs.len() {
            let Some(it) = self.it.sign_offs.get(sign_off) else {
                return;
            };
            let due = it.due(self.it.pinned.cap);
            if self.it.is_pending() && it.is_waiting() && due.is_some_and(|due| due <= self.now) {
                self.step(sign_off);
            }
        }
    }

    fn step(&mut self, sign_off: usize) {
        let (now, cap) = (self.now, self.it.pinned.cap);
        let Some(it) = self.it.sign_offs.get_mut(sign_off) else {
            return;
        };
        let (position, lane) = (it.next, it.plan.lane.clone());
        let (Some(does), Some(due)) = (it.next_step().cloned(), it.due(cap)) else {
            return;
        };
        if !does.is_end() {
            it.next += 1;
        }
        let late = now.signed_duration_since(due);
        if late > STEP_LATENESS.to_chrono() {
            // Rule 4: its later instants move by its lateness, so that those whom it tells have the time
            // that the author gave them. `instant` keeps them before the cap.
            let millis = late.num_milliseconds().saturating_add(1);
            let late = Duration::from_millis(u64::try_from(millis).unwrap_or(0));
            if !does.is_end() {
                it.shift = Duration::from_millis(it.shift.as_millis() + late.as_millis());
            }
        }
        self.record(
            RecordKind::Stepped,
            json!({ "lane": lane, "step": position, "does": does, "due": format_timestamp(due) }),
        );
        self.perform(sign_off, position, &does);
    }

    fn perform(&mut self, sign_off: usize, position: u32, does: &Does) {
        let Some(it) = self.it.sign_offs.get(sign_off) else {
            return;
        };
        let lane = it.plan.lane.clone();
        match does {
            Does::NotifyBackup | Does::Notify(_) | Does::Route(_) | Does::Remind => {
                self.bring(sign_off, does);
                let id = format!("{lane}/step-{position}");
                let telling = Telling {
                    id: &id,
                    again: true,
                    merges: false,
                };
                // Rule 12: a step that can tell nobody is one whose sends all fail.
                let told = self.tell(&[sign_off], telling);
                if let Does::Notify(team) = does {
                    self.tell_team(team, telling, &About::Asked, Some(&lane));
                }
                if told == 0 {
                    self.unreached(sign_off, "nobody who is asked has a channel");
                }
            }
            Does::Run(action) => {
                let id = format!("{lane}/step-{position}");
                self.tell_caller(&id, Some(&lane), About::Action(action.clone()));
            }
            Does::Deny => self.time_out(sign_off, End::Deny),
            Does::Expire => self.time_out(sign_off, End::Expire),
            Does::Allow(reason) => self.allow(sign_off, reason),
        }
    }

    fn time_out(&mut self, sign_off: usize, end: End) {
        let Some(it) = self.it.sign_offs.get_mut(sign_off) else {
            return;
        };
        it.state = SignOffState::TimedOut;
        it.decided = Some(self.now);
        let lane = it.plan.lane.clone();
        self.resolve(Outcome::TimedOut, Some(end), Cause::Step(lane));
    }

    /// Rule 5: silence satisfies this sign-off only. The plan has an `allow` only where the author wrote
    /// one, for a lane that surely fired on an event that could be read.
    fn allow(&mut self, sign_off: usize, reason: &str) {
        let Some(it) = self.it.sign_offs.get_mut(sign_off) else {
            return;
        };
        // Behind the cap lies no instant that the author wrote.
        let last = it.plan.steps.last();
        let at = last.and_then(|step| step.at.checked_add_signed(it.shift.to_chrono()));
        let is_over = at.is_none_or(|at| at > self.it.pinned.cap);
        if it.plan.unsure || !self.it.is_readable || is_over {
            self.time_out(sign_off, End::Deny);
            return;
        }
        it.state = SignOffState::AutoAllowed;
        it.decided = Some(self.now);
        let lane = it.plan.lane.clone();
        self.record(
            RecordKind::Satisfied,
            json!({ "lane": lane, "by": "silence", "because": reason }),
        );
    }

    fn lapse_if_due(&mut self) {
        let now = self.now;
        let Some(grant) = &mut self.it.grant else {
            return;
        };
        if grant.state == GrantState::Live && now >= grant.lapses {
            grant.state = GrantState::Lapsed;
            grant.ended = Some(now);
            let at = format_timestamp(grant.lapses);
            self.record(RecordKind::Lapsed, json!({ "lapsed": at }));
        }
    }

    /// Rule 12: all sends of a step failed.
    pub(super) fn undelivered(&mut self, lane: &str, actor: &Actor) -> Result<Reply, Refusal> {
        if actor.role != Role::Engine {
            return Err(Refusal::NotPermitted(actor.principal.clone()));
        }
        self.still_pending()?;
        let mut sign_offs = self.it.sign_offs.iter();
        let position = sign_offs.position(|it| it.plan.lane == lane && it.is_waiting());
        let position = position.ok_or_else(|| Refusal::NoSuchLane(lane.to_owned()))?;
        self.unreached(position, "no notice of the step could be sent");
        self.settle();
        self.stay_satisfiable();
        Ok(Reply::Done)
    }
}

/// Whether an approval is among those that satisfied a sign-off, and counts in none that waits.
fn has_decided(it: &Escalation, vote: &Vote) -> bool {
    let counts = |state: SignOffState| {
        it.sign_offs
            .iter()
            .any(|sign_off| sign_off.state == state && sign_off.seat_of(&vote.person).is_some())
    };
    counts(SignOffState::Satisfied) && !counts(SignOffState::Waiting)
}
